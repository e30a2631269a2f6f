//! Natives that make responses.

use crate::heap::{Full, Word};
use crate::scope::Scope;
use crate::value::{Bytes, Error, Handle, List, Own, Ref, Response, Stream, Text};
use weir_abi::layout::{response, shape};
use weir_abi::trap::Trap;

/// What `respond` and a handler's Text have when nothing else is said.
pub const PLAIN: &str = "text/plain; charset=utf-8";
pub use crate::media_types::BINARY;

fn new_response(
    scope: &mut Scope,
    status: i64,
    kind: u64,
    headers: Word,
    body: Word,
) -> Result<Own<Response>, Full> {
    let words = [
        (response::STATUS, status as Word),
        (response::KIND, kind),
        (response::HEADERS, headers),
        (response::BODY, body),
    ];
    scope
        .object(response::SIZE as usize, shape::RESPONSE, &words)
        .map(|object| Own::new(Response::of(object)))
}

/// 200 with a text.
pub fn respond_text(scope: &mut Scope, body: Own<Text>) -> Result<Own<Response>, Trap> {
    let made = new_response(scope, 200, response::KIND_TEXT, 0, body.get().word());
    made.map_err(|full| {
        scope.give_up(body);
        full.into()
    })
}

/// 200 with bytes.
pub fn respond_bytes(scope: &mut Scope, body: Own<Bytes>) -> Result<Own<Response>, Trap> {
    let made = new_response(scope, 200, response::KIND_BYTES, 0, body.get().word());
    made.map_err(|full| {
        scope.give_up(body);
        full.into()
    })
}

/// 200 with a stream of lines.
pub fn respond_lines(scope: &mut Scope, body: Own<Stream>) -> Result<Own<Response>, Trap> {
    respond_stream(scope, response::KIND_LINES, body)
}

/// 200 with a stream of bytes.
pub fn respond_chunks(scope: &mut Scope, body: Own<Stream>) -> Result<Own<Response>, Trap> {
    respond_stream(scope, response::KIND_CHUNKS, body)
}

fn respond_stream(scope: &mut Scope, kind: u64, body: Own<Stream>) -> Result<Own<Response>, Trap> {
    let made = new_response(scope, 200, kind, 0, body.get().word());
    made.map_err(|full| {
        scope.give_up(body);
        full.into()
    })
}

/// The response to an error, which the service makes: it knows the request.
pub fn respond_error(scope: &mut Scope, error: Own<Error>) -> Result<Own<Response>, Trap> {
    let status = error.get().failure().status;
    let made = new_response(scope, status.into(), response::KIND_ERROR, 0, error.get().word());
    made.map_err(|full| {
        scope.give_up(error);
        full.into()
    })
}

/// A response without a body.
pub fn respond_empty(scope: &mut Scope, status: i64) -> Result<Own<Response>, Trap> {
    check_status(status, 200..=599)?;
    Ok(new_response(scope, status, response::KIND_EMPTY, 0, 0)?)
}

/// A response with that status, text and content type.
pub fn respond(
    scope: &mut Scope,
    status: i64,
    body: Own<Bytes>,
    content_type: Text,
) -> Result<Own<Response>, Trap> {
    // Bytes are laid out, and sent, as a Text.
    answer(scope, status, Own::new(Text::of(body.get().object())), content_type.as_str())
}

/// A response with that status, text and content type.
pub fn answer(
    scope: &mut Scope,
    status: i64,
    body: Own<Text>,
    content_type: &str,
) -> Result<Own<Response>, Trap> {
    match respond_parts(scope, status, body.get(), content_type) {
        Ok(made) => Ok(made),
        Err(trap) => {
            scope.give_up(body);
            Err(trap)
        }
    }
}

fn respond_parts(
    scope: &mut Scope,
    status: i64,
    body: Text,
    content_type: &str,
) -> Result<Own<Response>, Trap> {
    check_status(status, 200..=599)?;
    check_value("Content-Type", content_type)?;
    let headers = match content_type {
        PLAIN => None,
        other => Some(scope.text_list(["Content-Type", other].into_iter())?),
    };
    finish(scope, status, response::KIND_TEXT, headers, body.word())
}

/// Makes the response, or gives the headers up. The body stays with the caller on failure.
pub(super) fn finish(
    scope: &mut Scope,
    status: i64,
    kind: u64,
    headers: Option<Own<List>>,
    body: Word,
) -> Result<Own<Response>, Trap> {
    let word = headers.as_ref().map_or(0, |h| h.get().word());
    new_response(scope, status, kind, word, body).map_err(|full| {
        if let Some(headers) = headers {
            scope.give_up(headers);
        }
        full.into()
    })
}

/// A redirection.
pub fn redirect(scope: &mut Scope, location: Text, status: i64) -> Result<Own<Response>, Trap> {
    check_status(status, 300..=399)?;
    check_value("Location", location.as_str())?;
    let headers = scope.text_list(["Location", location.as_str()].into_iter())?;
    finish(scope, status, response::KIND_EMPTY, Some(headers), 0)
}

/// A response without a body, with at most one field, whose value needs no check.
pub(super) fn bodiless(
    scope: &mut Scope,
    status: u16,
    field: Option<(&str, &str)>,
) -> Result<Own<Response>, Trap> {
    let headers = match field {
        Some((name, value)) => Some(scope.text_list([name, value].into_iter())?),
        None => None,
    };
    finish(scope, status.into(), response::KIND_EMPTY, headers, 0)
}

pub(super) fn check_status(status: i64, allowed: std::ops::RangeInclusive<i64>) -> Result<(), Trap> {
    if allowed.contains(&status) {
        return Ok(());
    }
    Err(Trap::native(format!("status {status} is not in {}..={}", allowed.start(), allowed.end())))
}

/// What the engine would refuse is refused where the script can be told.
pub(super) fn check_value(name: &str, value: &str) -> Result<(), Trap> {
    if value.bytes().all(|b| b == b'\t' || (b >= b' ' && b != 0x7f)) {
        return Ok(());
    }
    Err(Trap::native(format!("the header `{name}` holds a line break or another control character")))
}
