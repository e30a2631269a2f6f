//! A stream of the program that is sent as a body.
//!
//! Items are pulled when the connection has room for more, so a slow upstream slows the stream down. What is ready at once
//! goes into one piece; a piece is on its way before the stream is waited for.

use super::sent::{Sent, Slot};
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::value::{Own, Text};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::task::{Context, Poll};

/// From this size on a piece is sent before more is put into it.
const PIECE: usize = 16 * 1024;
/// How many items go into a piece at most before others have their turn.
const AT_ONCE: u32 = 1024;

/// A body that is being sent.
pub struct Upload {
    /// Until it ended.
    source: Option<Box<dyn Source>>,
    slot: Arc<Slot>,
    /// Its items are Texts, each a line.
    is_lines: bool,
}

impl Upload {
    /// The items of `source`: Texts, sent as lines, or Bytes.
    pub fn new(source: Box<dyn Source>, is_lines: bool) -> Self {
        Self { source: Some(source), slot: Arc::default(), is_lines }
    }

    /// Whether its items are sent as lines.
    pub fn is_lines(&self) -> bool {
        self.is_lines
    }

    /// Where the connection finds the pieces.
    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }

    /// Whether all of it was handed over.
    pub(super) fn has_ended(&self) -> bool {
        self.source.is_none()
    }

    /// Puts a piece into the slot when one is wanted. Whether something changed for the connection, which is then to be
    /// polled again; else a waker is registered.
    pub fn feed(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Result<bool, Failure> {
        if !self.slot.is_wanted() {
            return Ok(false);
        }
        let Some(source) = &mut self.source else { return Ok(false) };
        let mut piece = BytesMut::new();
        for _ in 0..AT_ONCE {
            let depth = source.depth();
            let next = match source.ready_next(scope) {
                Some(next) => Poll::Ready(Some(next)),
                None if piece.is_empty() => scope.deeper(depth, |scope| source.poll_next(scope, cx)),
                None => break,
            };
            match next {
                Poll::Ready(Some(Ok(word))) => append(&mut piece, scope, word, self.is_lines),
                Poll::Ready(None) => {
                    self.close(scope);
                    self.slot.end();
                    return Ok(true);
                }
                Poll::Ready(Some(Err(failure))) => {
                    self.close(scope);
                    self.slot.fail();
                    return Err(failure);
                }
                Poll::Pending => return Ok(false),
            }
            if piece.len() >= PIECE {
                break;
            }
        }
        if piece.is_empty() {
            cx.waker().wake_by_ref();
            return Ok(false);
        }
        self.slot.put(piece.freeze());
        Ok(true)
    }

    /// Ends it early, for a scope that goes on.
    pub fn close(&mut self, scope: &mut Scope) {
        if let Some(source) = self.source.take() {
            source.close(scope);
        }
    }
}

/// Adds an item's bytes and gives it up.
fn append(piece: &mut BytesMut, scope: &mut Scope, word: Word, is_line: bool) {
    // SAFETY: a body's items are owned Texts, or Bytes, which are laid out as Texts.
    let item: Own<Text> = unsafe { scope.own(word) };
    let text = item.get();
    let bytes = text.as_bytes();
    piece.extend_from_slice(bytes);
    if is_line && !bytes.ends_with(b"\n") {
        piece.extend_from_slice(b"\n");
    }
    scope.give_up(item);
}

/// What a request's body is made of.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// All there; it can be sent again.
    Whole(Bytes),
    /// Comes in pieces, once.
    Pieces(Arc<Slot>),
}

impl Content {
    pub(super) fn to_send(&self) -> Sent {
        match self {
            Self::Whole(bytes) => Sent::Whole(bytes.clone()),
            Self::Pieces(slot) => Sent::Pieces(Arc::clone(slot)),
        }
    }

    /// Whether it can be sent once more.
    pub(super) fn can_repeat(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}
