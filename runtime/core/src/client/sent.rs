//! Bodies that are sent, as hyper takes them.
//!
//! A streamed body is a rendezvous: hyper asks the [`Slot`], and whoever polls the connection fills it (`upload`), since
//! only they have the scope that the stream lives in. At most one piece lies in it.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

/// A body that is sent.
pub enum Sent {
    /// All there; taken when it is sent.
    Whole(Bytes),
    /// Piece by piece.
    Pieces(Arc<Slot>),
}

/// Where pieces of a body are handed over. Both sides are on one thread; the lock is for a connection that may be polled by a
/// task of the runtime once it rests in the pool.
#[derive(Debug, Default)]
pub struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    piece: Option<Bytes>,
    /// The connection asked for a piece and has none.
    is_wanted: bool,
    /// There are no more pieces.
    has_ended: bool,
    /// The body failed: it must not look complete.
    has_failed: bool,
    /// Something was handed over since [`Slot::take_progress`].
    has_moved: bool,
}

/// The program's stream failed. Why is told to the program, not to hyper.
#[derive(Debug)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body to send failed")
    }
}

impl std::error::Error for Broken {}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether the connection waits for a piece.
    pub fn is_wanted(&self) -> bool {
        self.lock().is_wanted
    }

    /// Hands over a piece.
    pub fn put(&self, piece: Bytes) {
        let mut state = self.lock();
        state.piece = Some(piece);
        state.is_wanted = false;
        state.has_moved = true;
    }

    /// Ends the body.
    pub fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        state.is_wanted = false;
        state.has_moved = true;
    }

    /// Breaks the body off.
    pub fn fail(&self) {
        let mut state = self.lock();
        state.has_failed = true;
        state.is_wanted = false;
    }

    /// Whether something was handed over since this was last asked.
    pub fn take_progress(&self) -> bool {
        std::mem::take(&mut self.lock().has_moved)
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Pieces(slot) => {
                let mut state = slot.lock();
                if let Some(piece) = state.piece.take() {
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                if state.has_failed {
                    return Poll::Ready(Some(Err(Broken)));
                }
                if state.has_ended {
                    return Poll::Ready(None);
                }
                // No waker: whoever polls the connection looks whether a piece is wanted, and polls it again.
                state.is_wanted = true;
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}
