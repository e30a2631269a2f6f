//! Turns what a handler gives into the engine's response.
//!
//! In: the handler's Response, or the failure that ended it. Out: a response; a lazy body keeps the request's scope.
//! Invariant: what a client learns about a failure is its status, unless the script chose that status.

use super::body::StreamBody;
use super::file;
use crate::ending::{Rest, end_scope};
use crate::failure::{Failure, INTERNAL};
use crate::heap::Word;
use crate::log::LogFormat;
use crate::natives::{BINARY, PLAIN};
use crate::scope::Scope;
use crate::value::{Arg, Error, List, Own, Ref, Resource, Response, Stream, Text};
use bytes::Bytes;
use std::borrow::Cow;
use weir_abi::layout::response;
use weir_http::proto::encode::reason;
use weir_http::{Body, RequestHead};

const CONTENT_TYPE: &str = "Content-Type";
/// What becomes of a file response in a top-level `let`.
const CLOSED: &str =
    "this file was opened by a top-level `let`, before serving; call `file` where the request is answered";

/// What a client is told about a failure.
pub(super) fn plain(status: u16) -> weir_http::Response {
    let text = format!("{}\n", reason(status));
    let mut made = weir_http::Response::new(status, text);
    push(&mut made, CONTENT_TYPE, PLAIN);
    made
}

/// The answer to what no route takes: its status, and the methods that there are.
pub(super) fn unrouted(status: u16, allow: Option<&str>) -> weir_http::Response {
    let mut made = if status == 204 { weir_http::Response::new(204, Body::Empty) } else { plain(status) };
    if let Some(allow) = allow {
        push(&mut made, "Allow", allow);
    }
    made
}

/// What a client is told about an error whose status the script chose.
fn refusal(status: u16, message: &str) -> weir_http::Response {
    let mut made = weir_http::Response::new(status, format!("{message}\n"));
    push(&mut made, CONTENT_TYPE, PLAIN);
    made
}

/// Fields that the natives checked, or that are ours.
pub(super) fn push(made: &mut weir_http::Response, name: &str, value: &str) {
    let pushed = made.push_header(name, value.as_bytes());
    debug_assert!(pushed.is_ok(), "field {name}");
}

/// Turns the handler's Response into the engine's. A scope that no body needs ends here.
pub(super) fn respond(
    mut scope: Box<Scope>,
    word: Word,
    head: &RequestHead,
    id: u64,
    log: LogFormat,
) -> Result<weir_http::Response, Failure> {
    // SAFETY: the handler gives an owned Response.
    let own: Own<Response> = unsafe { scope.own(word) };
    let object = own.get().object();
    let status = object.get(response::STATUS) as u16;
    let is_bodiless = matches!(status, 204 | 304);
    let (kind, body) = (object.get(response::KIND), object.get(response::BODY));
    let own_fields = fields(object.get(response::HEADERS));
    if kind == response::KIND_EMPTY && status >= 400 {
        // An option's None: a client is told no less than by `not-found()`.
        release(scope, own);
        return Ok(with_fields(plain(status), &own_fields));
    }
    if kind == response::KIND_ERROR {
        // SAFETY: the body of this kind is an Error that the response holds.
        let error = unsafe { Error::from_word(body) };
        let failure = error.failure();
        let made = match error.status() {
            // A status that the script chose says that the message is for the client too.
            Some(400..=499) => refusal(status, error.refusal().as_str()),
            _ => plain(status),
        };
        log.failure(id, &failure);
        release(scope, own);
        return Ok(with_fields(made, &own_fields));
    }
    if kind == response::KIND_FILE && !is_bodiless {
        // SAFETY: the body of this kind is the handle of a file that the response holds.
        let opened = scope.opened_of(unsafe { Resource::from_word(body) });
        let counters = scope.worker().counters;
        release(scope, own);
        let Some(opened) = opened else {
            return Err(Failure::new(INTERNAL, CLOSED));
        };
        return Ok(file::sent(head, status, own_fields, opened, counters));
    }
    let has_content = kind != response::KIND_EMPTY && !is_bodiless;
    let is_binary = matches!(kind, response::KIND_BYTES | response::KIND_CHUNKS | response::KIND_EVENTS);
    let content = has_content.then_some(if is_binary { BINARY } else { PLAIN });
    let fields = with_content_type(own_fields, content);
    let body = match kind {
        _ if !has_content => Body::Empty,
        response::KIND_TEXT | response::KIND_BYTES => {
            // SAFETY: the body of this kind is a Text, or Bytes, which are laid out as one, that the response holds.
            let text = unsafe { Text::from_word(body) };
            Body::Bytes(Bytes::copy_from_slice(text.as_bytes()))
        }
        _ => {
            // SAFETY: the body of any other kind is a Stream.
            let stream = scope.dup(unsafe { Stream::from_word(body) });
            scope.give_up(own);
            let source = match scope.take_stream(stream) {
                Ok(source) => source,
                Err(trap) => {
                    end_scope(scope, Rest::Nothing);
                    return Err(Failure::new(INTERNAL, trap.to_string()));
                }
            };
            let body = StreamBody::new(source, scope, is_binary, kind == response::KIND_EVENTS, id, log);
            return Ok(respond_with(status, Body::Stream(Box::new(body)), &fields));
        }
    };
    release(scope, own);
    Ok(respond_with(status, body, &fields))
}

/// Ends a scope with its response.
fn release(mut scope: Box<Scope>, own: Own<Response>) {
    if cfg!(feature = "stress") {
        scope.give_up(own);
    }
    end_scope(scope, Rest::Nothing);
}

/// A field of a response; `fields` copies them out of the scope.
pub(super) type Field = (Cow<'static, str>, Cow<'static, str>);

pub(super) fn respond_with(status: u16, body: Body, fields: &[Field]) -> weir_http::Response {
    with_fields(weir_http::Response::new(status, body), fields)
}

/// A response that says what went wrong, with the fields that the script gave it.
fn with_fields(mut made: weir_http::Response, fields: &[Field]) -> weir_http::Response {
    for (name, value) in fields {
        push(&mut made, name, value);
    }
    made
}

/// The fields of a response. `headers` is 0 or a list of names and values in turn.
fn fields(headers: Word) -> Vec<Field> {
    if headers == 0 {
        return Vec::new();
    }
    // SAFETY: a Response's headers are a list of Texts that it holds.
    let list = unsafe { List::from_word(headers) };
    let texts: Vec<Text> = list.texts().collect();
    let owned = |text: &Text| Cow::<'static, str>::Owned(text.as_str().to_owned());
    texts.chunks_exact(2).map(|pair| (owned(&pair[0]), owned(&pair[1]))).collect()
}

/// These fields, and the type of the content where none of them says it.
fn with_content_type(mut fields: Vec<Field>, content: Option<&'static str>) -> Vec<Field> {
    if let Some(content) = content
        && !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE))
    {
        fields.push((Cow::Borrowed(CONTENT_TYPE), Cow::Borrowed(content)));
    }
    fields
}
