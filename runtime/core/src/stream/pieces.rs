//! What comes as pieces of bytes, as a stream: of its lines, or of the bytes as they come.
//!
//! In: [`Pieces`], which each source of bytes is. Out: Texts, one a line, or Bytes, one a piece.
//! Invariants: one piece at a time is asked for, and only when no line of the one before is left; at most that piece is held, and
//! the beginning of one line up to the limit.
//! Not here: standard input, whose readers take turns at the same lines (`stdin`).

use super::line_texts::LineTexts;
use super::lines::Lines;
use crate::failure::{Failure, INTERNAL};
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::trace::Trace;
use crate::value::Handle;
use bytes::Bytes;
use std::task::{Context, Poll, ready};

/// A source of bytes.
pub trait Pieces {
    /// The next piece; `None` behind the last, and then it is not asked again. Not asked again either after a failure.
    fn poll_piece(&mut self, scope: &mut Scope, cx: &mut Context<'_>)
    -> Poll<Result<Option<Bytes>, Failure>>;

    /// Whether all went well, asked when the last line was given.
    fn poll_outcome(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    /// The failure of a line that is none, with the status of whose fault that is: the server's own, unless a source knows
    /// somebody else.
    fn blamed(failure: Failure) -> Failure {
        Failure { status: INTERNAL, ..failure }
    }

    /// Gives back the references that it holds, for a scope that goes on.
    fn close(self, _: &mut Scope)
    where
        Self: Sized,
    {
    }
}

/// The lines of what comes in pieces.
pub struct LinesOf<P> {
    pieces: P,
    lines: Lines,
    texts: LineTexts,
    limit: usize,
}

impl<P: Pieces> LinesOf<P> {
    /// The lines, of at most `limit` bytes, of these pieces.
    pub fn new(pieces: P, limit: usize) -> Self {
        Self { pieces, lines: Lines::default(), texts: LineTexts::default(), limit }
    }
}

impl<P: Pieces> Source for LinesOf<P> {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if let Some(line) = self.ready_next(scope) {
                return Poll::Ready(Some(line));
            }
            if self.lines.has_ended() {
                return self.pieces.poll_outcome(cx).map(|outcome| outcome.err().map(Err));
            }
            match ready!(self.pieces.poll_piece(scope, cx)) {
                Ok(Some(piece)) => self.lines.feed(piece),
                Ok(None) => self.lines.end(),
                Err(failure) => return Poll::Ready(Some(Err(failure))),
            }
        }
    }

    #[inline]
    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let line = self.texts.next(scope, &mut self.lines, self.limit)?;
        Some(line.map_err(P::blamed))
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.texts.forget(scope);
        self.pieces.close(scope);
    }
}

/// The bytes of what comes in pieces, as they come.
pub struct BytesOf<P> {
    pieces: P,
}

impl<P: Pieces> BytesOf<P> {
    /// These pieces.
    pub fn new(pieces: P) -> Self {
        Self { pieces }
    }
}

impl<P: Pieces> Source for BytesOf<P> {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let piece = ready!(self.pieces.poll_piece(scope, cx));
        Poll::Ready(piece.transpose().map(|piece| {
            let made = scope.kept_bytes(piece?);
            made.map(|bytes| bytes.get().word())
                .map_err(|full| Failure::of_trap(&full.into(), Trace::default()))
        }))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.pieces.close(scope);
    }
}
