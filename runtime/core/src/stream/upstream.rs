//! The body of an upstream's answer as a stream: its lines, or its bytes as they come.
//!
//! A stream of a URL asks at the first pull, and takes 2xx answers only; one of an answer goes on reading it. Dropping the
//! stream closes the socket at once.
//! Not here: connections (`client`).

use super::line_texts::LineTexts;
use super::lines::Lines;
use crate::client::{Asking, Head, Order, ReplyBody, Upload};
use crate::failure::{BAD_GATEWAY, Failure};
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::trace::Trace;
use crate::value::Handle;
use bytes::Bytes;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// The bytes of a body, piece by piece.
pub struct Pieces {
    state: State,
}

enum State {
    /// Nothing was asked for.
    Idle(Box<Order>, Option<Upload>),
    /// There is nothing to read.
    Failed(Failure),
    Asking(Asking),
    Reading(ReplyBody),
    /// The body was read to its end, or failed.
    Ended,
}

impl Pieces {
    /// Those that an order is answered with, which is carried out at the first pull.
    pub fn of_order(order: Order, upload: Option<Upload>) -> Self {
        Self { state: State::Idle(Box::new(order), upload) }
    }

    /// Those of an answer's body.
    pub fn of_body(body: ReplyBody) -> Self {
        Self { state: State::Reading(body) }
    }

    /// None, for that reason.
    pub fn failed(failure: Failure) -> Self {
        Self { state: State::Failed(failure) }
    }

    /// The next piece; `None` at the end, again and again.
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            match &mut self.state {
                State::Idle(..) => {
                    let State::Idle(order, upload) = std::mem::replace(&mut self.state, State::Ended) else {
                        unreachable!("it was looked at just now");
                    };
                    match Asking::new(*order, upload, scope) {
                        Ok(asking) => self.state = State::Asking(asking),
                        Err(full) => {
                            return Poll::Ready(Err(Failure::of_trap(&full.into(), Trace::default())));
                        }
                    }
                }
                State::Asking(asking) => match ready!(asking.poll(scope, cx)) {
                    Ok(mut body) => {
                        let head = Rc::clone(body.head());
                        if let Err(failure) = delivered(&head) {
                            body.close(scope);
                            self.state = State::Ended;
                            return Poll::Ready(Err(failure));
                        }
                        self.state = State::Reading(body);
                    }
                    Err(failure) => {
                        self.state = State::Ended;
                        return Poll::Ready(Err(failure));
                    }
                },
                State::Reading(body) => match ready!(body.poll_piece(scope, cx)) {
                    Ok(Some(piece)) => return Poll::Ready(Ok(Some(piece))),
                    Ok(None) => self.state = State::Ended,
                    Err(failure) => {
                        body.close(scope);
                        self.state = State::Ended;
                        return Poll::Ready(Err(failure));
                    }
                },
                State::Failed(_) => {
                    let State::Failed(failure) = std::mem::replace(&mut self.state, State::Ended) else {
                        unreachable!("it was looked at just now");
                    };
                    return Poll::Ready(Err(failure));
                }
                State::Ended => return Poll::Ready(Ok(None)),
            }
        }
    }

    fn close(self, scope: &mut Scope) {
        match self.state {
            State::Idle(_, Some(mut upload)) => upload.close(scope),
            State::Asking(mut asking) => asking.close(scope),
            State::Reading(mut body) => body.close(scope),
            State::Idle(_, None) | State::Failed(_) | State::Ended => {}
        }
    }
}

/// Whether an answer is what was asked for: a 2xx whose body can be read as text.
fn delivered(head: &Head) -> Result<(), Failure> {
    let (url, status) = (&head.url, head.status);
    if status.is_success() {
        return readable(head);
    }
    let mut message = format!("upstream {url} answered {status}");
    if let Some(location) = head.fields.get(http::header::LOCATION) {
        message.push_str(&format!(" to {}", String::from_utf8_lossy(location.as_bytes())));
    }
    Err(Failure::new(BAD_GATEWAY, message))
}

/// Whether the bytes of an answer's body are its text: nobody asked for a coding.
pub fn readable(head: &Head) -> Result<(), Failure> {
    match head.coding() {
        None => Ok(()),
        Some(coding) => {
            let url = &head.url;
            let message = format!("upstream {url} coded its answer with {coding}, which nobody asked for");
            Err(Failure::new(BAD_GATEWAY, message))
        }
    }
}

/// The lines of a body.
pub struct UpstreamLines {
    pieces: Pieces,
    lines: Lines,
    texts: LineTexts,
    limit: usize,
}

impl UpstreamLines {
    /// The lines, of at most `limit` bytes, of these pieces.
    pub fn new(pieces: Pieces, limit: usize) -> Self {
        Self { pieces, lines: Lines::default(), texts: LineTexts::default(), limit }
    }
}

impl Source for UpstreamLines {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if let Some(line) = self.texts.next(scope, &mut self.lines, self.limit) {
                return Poll::Ready(Some(line));
            }
            if self.lines.has_ended() {
                return Poll::Ready(None);
            }
            match ready!(self.pieces.poll(scope, cx)) {
                Ok(Some(piece)) => self.lines.feed(piece),
                Ok(None) => self.lines.end(),
                Err(failure) => return Poll::Ready(Some(Err(failure))),
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        self.texts.next(scope, &mut self.lines, self.limit)
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.texts.forget(scope);
        self.pieces.close(scope);
    }
}

/// The bytes of a body as they come.
pub struct UpstreamChunks {
    pieces: Pieces,
}

impl UpstreamChunks {
    /// These pieces.
    pub fn new(pieces: Pieces) -> Self {
        Self { pieces }
    }
}

impl Source for UpstreamChunks {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let next = ready!(self.pieces.poll(scope, cx)).transpose();
        Poll::Ready(next.map(|piece| {
            let made = scope.kept_bytes(piece?);
            made.map(|own| own.get().word()).map_err(|full| Failure::of_trap(&full.into(), Trace::default()))
        }))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.pieces.close(scope);
    }
}
