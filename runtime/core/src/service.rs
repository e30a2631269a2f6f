//! Answers requests with a script's handler.
//!
//! In: the engine's requests. Out: its responses; a lazy body keeps the request's scope until it ends.
//! Invariants: a request's scope belongs to the exchange, then to its body, and dropping either cancels all that
//! the request does. What a client learns about a failure is its status.

use crate::app::{App, Pinned};
use crate::failure::{Failure, INTERNAL};
use crate::heap::Word;
use crate::log::LogFormat;
use crate::natives::{BINARY, PLAIN};
use crate::output;
use crate::run::Run;
use crate::scope::{Scope, Source};
use crate::value::{Arg, Error, Handle, List, Own, Ref, Response, Stream, Text};
use crate::worker::Worker;
use bytes::Bytes;
use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use weir_abi::layout::response;
use weir_http::{Access, Body, ItemSink, Pull, PullBody, Request, Service};

const CONTENT_TYPE: &str = "content-type";

/// A worker's service.
pub struct HandlerService {
    app: Pinned,
    worker: Rc<Worker>,
    log: LogFormat,
}

impl HandlerService {
    /// A service of this thread that answers with the handler of `app`.
    pub fn new(app: Arc<App>, log: LogFormat) -> Self {
        output::serve();
        Self { app: Pinned::new(app), worker: Worker::current(), log }
    }
}

impl Service for HandlerService {
    type Future = Exchange;

    fn call(&self, request: Request) -> Exchange {
        let id = request.id;
        let mut scope = Box::new(Scope::new(self.app.clone(), Rc::clone(&self.worker)));
        scope.log = (self.log, Some(id));
        let state = match begin(&mut scope, request) {
            Ok(run) => State::Running(run, scope),
            Err(failure) => State::Failed(failure),
        };
        Exchange { state, id, log: self.log }
    }

    fn finished(&self, access: &Access<'_>) {
        self.log.access(access);
    }
}

/// Prepares the handler's call.
fn begin(scope: &mut Scope, request: Request) -> Result<Run, Failure> {
    let Some(handler) = scope.app().module().handler else {
        return Err(Failure::new(404, "the script has no handler"));
    };
    let request =
        scope.request(request.head).map_err(|_| Failure::new(INTERNAL, "no memory for the request"))?;
    Run::new(scope, handler.0, &[request.get().word()])
}

/// The work on one request.
pub struct Exchange {
    state: State,
    id: u64,
    log: LogFormat,
}

enum State {
    /// The handler runs; its run is dropped before its scope.
    Running(Run, Box<Scope>),
    /// It could not be started.
    Failed(Failure),
    Over,
}

impl Future for Exchange {
    type Output = weir_http::Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<weir_http::Response> {
        let this = &mut *self;
        let polled = match &mut this.state {
            State::Running(run, scope) => ready!(run.poll(scope, cx)),
            State::Failed(_) | State::Over => Ok(0),
        };
        let result = match std::mem::replace(&mut this.state, State::Over) {
            State::Running(run, scope) => {
                drop(run);
                polled.and_then(|word| respond(scope, word, this.id, this.log))
            }
            State::Failed(failure) => Err(failure),
            State::Over => Err(Failure::new(INTERNAL, "polled after its end")),
        };
        Poll::Ready(result.unwrap_or_else(|failure| {
            this.log.failure(this.id, &failure);
            plain(failure.status)
        }))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if cfg!(feature = "stress")
            && let State::Running(run, mut scope) = std::mem::replace(&mut self.state, State::Over)
            && run.has_begun()
        {
            run.abandon(&mut scope);
            assert_empty(&scope);
        }
    }
}

/// In stress builds: an exchange that gave everything back has nothing left. One that trapped gives nothing back.
fn assert_empty(scope: &Scope) {
    if cfg!(feature = "stress") && !scope.has_trapped && !std::thread::panicking() {
        assert_eq!(
            (scope.heap().live(), scope.resources()),
            (0, 0),
            "objects and resources left by a request"
        );
    }
}

/// What a client is told about a failure.
fn plain(status: u16) -> weir_http::Response {
    let text = match status {
        400 => "Bad Request\n",
        404 => "Not Found\n",
        502 => "Bad Gateway\n",
        503 => "Service Unavailable\n",
        504 => "Gateway Timeout\n",
        _ => "Internal Server Error\n",
    };
    let mut made = weir_http::Response::new(status, text);
    push(&mut made, CONTENT_TYPE, PLAIN);
    made
}

/// What a client is told about an error whose status the script chose.
fn refusal(status: u16, message: &str) -> weir_http::Response {
    let mut made = weir_http::Response::new(status, format!("{message}\n"));
    push(&mut made, CONTENT_TYPE, PLAIN);
    made
}

/// Fields that the natives checked, or that are ours.
fn push(made: &mut weir_http::Response, name: &str, value: &str) {
    let pushed = made.push_header(name, value.as_bytes());
    debug_assert!(pushed.is_ok(), "field {name}");
}

/// Turns the handler's Response into the engine's. A scope that no body needs ends here.
fn respond(
    mut scope: Box<Scope>,
    word: Word,
    id: u64,
    log: LogFormat,
) -> Result<weir_http::Response, Failure> {
    // SAFETY: the handler gives an owned Response.
    let own: Own<Response> = unsafe { scope.own(word) };
    let object = own.get().object();
    let status = object.get(response::STATUS) as u16;
    let is_bodiless = matches!(status, 204 | 304);
    let (kind, body) = (object.get(response::KIND), object.get(response::BODY));
    if kind == response::KIND_EMPTY && status >= 400 {
        // An option's None: a client is told no less than by `not-found()`.
        release(scope, own);
        return Ok(plain(status));
    }
    if kind == response::KIND_ERROR {
        // SAFETY: the body of this kind is an Error that the response holds.
        let error = unsafe { Error::from_word(body) };
        let failure = error.failure();
        let made = match error.status() {
            // A status that the script chose says that the message is for the client too.
            Some(400..=499) => refusal(failure.status, error.refusal().as_str()),
            _ => plain(failure.status),
        };
        log.failure(id, &failure);
        release(scope, own);
        return Ok(made);
    }
    let has_content = kind != response::KIND_EMPTY && !is_bodiless;
    let is_binary = matches!(kind, response::KIND_BYTES | response::KIND_CHUNKS);
    let content = has_content.then_some(if is_binary { BINARY } else { PLAIN });
    let fields = fields(object.get(response::HEADERS), content);
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
            let source =
                scope.take_stream(stream).map_err(|trap| Failure::new(INTERNAL, trap.to_string()))?;
            scope.worker().counters.streams.add(1);
            let body = StreamBody { source: Some(source), scope, is_binary, id, log };
            return Ok(respond_with(status, Body::Stream(Box::new(body)), &fields));
        }
    };
    release(scope, own);
    Ok(respond_with(status, body, &fields))
}

/// Ends a scope with its response. It goes whole; in stress builds piece by piece, to see that nothing else is left.
fn release(mut scope: Box<Scope>, own: Own<Response>) {
    if cfg!(feature = "stress") {
        scope.give_up(own);
        assert_empty(&scope);
    }
}

fn respond_with(
    status: u16,
    body: Body,
    fields: &[(Cow<'static, str>, Cow<'static, str>)],
) -> weir_http::Response {
    let mut made = weir_http::Response::new(status, body);
    for (name, value) in fields {
        push(&mut made, name, value);
    }
    made
}

/// The fields of a response, copied out of the scope. `headers` is 0 or a list of names and values in turn.
/// `content` is the type of what has none in them.
fn fields(headers: Word, content: Option<&'static str>) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let mut fields = Vec::new();
    if headers != 0 {
        // SAFETY: a Response's headers are a list of Texts that it holds.
        let list = unsafe { List::from_word(headers) };
        let texts: Vec<Text> = list.texts().collect();
        let owned = |text: &Text| Cow::<'static, str>::Owned(text.as_str().to_owned());
        fields.extend(texts.chunks_exact(2).map(|pair| (owned(&pair[0]), owned(&pair[1]))));
    }
    if let Some(content) = content
        && !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE))
    {
        fields.push((Cow::Borrowed(CONTENT_TYPE), Cow::Borrowed(content)));
    }
    fields
}

/// How many empty items are passed over before others have their turn.
const EMPTY_AT_ONCE: u32 = 1024;

/// A stream of lines or bytes as a body.
struct StreamBody {
    /// Before the scope, whose memory it refers to.
    source: Option<Box<dyn Source>>,
    scope: Box<Scope>,
    /// Its items are Bytes, written as they are.
    is_binary: bool,
    id: u64,
    log: LogFormat,
}

impl StreamBody {
    /// Writes an item; whether there was something to write.
    fn write(&mut self, word: Word, out: &mut ItemSink<'_>) -> bool {
        // SAFETY: a body's items are owned Texts, or Bytes, which are laid out as Texts.
        let item: Own<Text> = unsafe { self.scope.own(word) };
        let bytes = item.get();
        let is_something = match bytes.as_bytes() {
            [] if self.is_binary => false,
            bytes if self.is_binary => {
                out.item(&[bytes]);
                true
            }
            line @ [.., b'\n'] => {
                out.item(&[line]);
                true
            }
            line => {
                out.item(&[line, b"\n"]);
                true
            }
        };
        self.scope.give_up(item);
        is_something
    }
}

impl PullBody for StreamBody {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        for _ in 0..EMPTY_AT_ONCE {
            let Some(source) = &mut self.source else { return Poll::Ready(Pull::End) };
            match ready!(source.poll_next(&mut self.scope, cx)) {
                Some(Ok(word)) if self.write(word, out) => return Poll::Ready(Pull::Item),
                Some(Ok(_)) => {}
                None => return Poll::Ready(Pull::End),
                Some(Err(failure)) => {
                    if failure.trace.is_some() {
                        self.log.failure(self.id, &failure);
                    }
                    let failure = weir_http::Failure::new(failure.message, failure.status);
                    return Poll::Ready(Pull::Failed(failure));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.scope.worker().counters.streams.add(-1);
        if cfg!(feature = "stress")
            && let Some(source) = self.source.take()
        {
            source.close(&mut self.scope);
            assert_empty(&self.scope);
        }
    }
}

#[cfg(test)]
mod tests;
