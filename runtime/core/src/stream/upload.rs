//! A request's body as a stream, of lines or of the pieces it comes in.
//!
//! The engine reads the socket only while the stream waits for a piece, so that a client sends no faster than its body is read.
//! Invariants: at most one piece is held, and the beginning of one line up to the limit; a body that breaks off is a failure,
//! never an end.

use super::line_texts::LineTexts;
use super::lines::Lines;
use crate::failure::{Failure, INTERNAL};
use crate::heap::{Full, Word};
use crate::scope::{Scope, Source};
use crate::trace::Trace;
use crate::value::{Handle, Own, Text};
use bytes::Bytes;
use std::task::{Context, Poll, ready};
use weir_http::{BodyError, RequestBody};

/// Pieces up to this size are copied out of the buffer that they came in.
const COPIED: usize = 256;

/// Why a body cannot be read, as a failure of who reads it.
pub fn upload_failure(error: BodyError) -> Failure {
    let kind = match error {
        BodyError::Truncated | BodyError::Malformed(_) => "invalid",
        BodyError::TooLarge => "limit",
        BodyError::Timeout => "timeout",
        BodyError::Closed => "failed",
    };
    Failure::new(error.status(), error.to_string()).with_kind(kind)
}

/// Where the pieces come from.
enum Reading {
    Body(RequestBody),
    /// Somebody else reads it, or did.
    Taken,
}

impl Reading {
    /// Of a body of any length, since no more than a piece of it is held; `None` when it was taken before.
    fn new(body: Option<RequestBody>) -> Self {
        match body {
            Some(mut body) => {
                body.set_limit(None);
                body.keep_reading();
                Self::Body(body)
            }
            None => Self::Taken,
        }
    }

    /// The next piece; `None` behind the last.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        match self {
            Self::Body(body) => body.poll_data(cx).map(|piece| piece.transpose().map_err(upload_failure)),
            Self::Taken => Poll::Ready(Err(read_before())),
        }
    }
}

/// The failure of a second reader.
pub fn read_before() -> Failure {
    Failure::of_kind("failed", "the body of the request was read before")
}

/// The lines of a body.
pub struct UploadLines {
    reading: Reading,
    lines: Lines,
    texts: LineTexts,
    limit: usize,
}

impl UploadLines {
    /// The lines, of at most `limit` bytes, of that body; of one that was taken before, a failure.
    pub fn new(body: Option<RequestBody>, limit: usize) -> Self {
        Self { reading: Reading::new(body), lines: Lines::default(), texts: LineTexts::default(), limit }
    }
}

/// A line that is none is the client's fault.
fn refused(failure: Failure) -> Failure {
    let status = match failure.kind {
        "limit" => BodyError::TooLarge.status(),
        "invalid" => BodyError::Malformed("").status(),
        _ => INTERNAL,
    };
    Failure { status, ..failure }
}

impl Source for UploadLines {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if let Some(line) = self.ready_next(scope) {
                return Poll::Ready(Some(line));
            }
            if self.lines.has_ended() {
                return Poll::Ready(None);
            }
            match ready!(self.reading.poll_piece(cx)) {
                Ok(Some(piece)) => self.lines.feed(piece),
                Ok(None) => self.lines.end(),
                Err(failure) => return Poll::Ready(Some(Err(failure))),
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let line = self.texts.next(scope, &mut self.lines, self.limit)?;
        Some(line.map_err(refused))
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.texts.forget(scope);
    }
}

/// The pieces of a body, as Bytes.
pub struct UploadChunks {
    reading: Reading,
}

impl UploadChunks {
    /// The pieces of that body; of one that was taken before, a failure.
    pub fn new(body: Option<RequestBody>) -> Self {
        Self { reading: Reading::new(body) }
    }
}

impl Source for UploadChunks {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let piece = ready!(self.reading.poll_piece(cx));
        Poll::Ready(piece.transpose().map(|piece| {
            let made = bytes_of(scope, piece?);
            made.map(|bytes| bytes.get().word())
                .map_err(|full| Failure::of_trap(&full.into(), Trace::default()))
        }))
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}

/// These bytes as a value, without copying many of them.
pub fn bytes_of(scope: &mut Scope, bytes: Bytes) -> Result<Own<Text>, Full> {
    // Bytes are laid out as a Text.
    if bytes.len() <= COPIED {
        return scope.text_with(bytes.len(), |filler| filler.push(&bytes));
    }
    let len = bytes.len();
    let foreign = scope.foreign(bytes)?;
    let made = scope.foreign_text(foreign.get(), 0..len);
    scope.give_up(foreign);
    made
}
