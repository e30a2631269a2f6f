//! Streams behind their handles: made, passed on, pulled item by item, closed.
//!
//! ```text
//! Open ──pulled──▶ Taken ──an item, or a wait──▶ Open
//!   │                └──the end, a failure──▶ Over
//!   └──passed on──▶ Taken
//! ```
//! Invariants: a source is closed as soon as it gave its end or a failure, or when its last handle goes; while it is being
//! pulled its handle is held by the one who pulls.
//! Not here: what sources do (`stream`).

use super::{Entry, Scope, Source};
use crate::failure::{Failure, UNAVAILABLE};
use crate::heap::{Full, NO_SLOT, Word};
use crate::trace::Trace;
use crate::value::{Gives, Own, Ref, Stream};
use std::task::{Context, Poll};
use weir_abi::layout::{self, shape};
use weir_abi::trap::{Trap, TrapKind};
use weir_abi::types::TypeId;

/// How deep the streams may be that are pulled inside each other, stages and pulls together: all of them stand on the
/// worker's stack. A pull counts as many as it takes room.
const MAX_PULL_DEPTH: usize = 1000;
/// What a pull takes besides its source's stages.
const PULL: usize = 4;

/// What a handle has of its stream.
pub enum StreamState {
    /// There may be more items.
    Open(Box<dyn Source>),
    /// It was passed on, or is being pulled.
    Taken,
    /// All items are out, and the source is closed.
    Over,
}

impl Scope {
    /// A handle of that stream; on failure the stream is closed.
    pub fn stream(&mut self, source: Box<dyn Source>) -> Result<Own<Stream>, Full> {
        let object = match self.heap.alloc(16, layout::header(shape::STREAM)) {
            Ok(object) => object,
            Err(full) => {
                source.close(self);
                return Err(full);
            }
        };
        let slot = self.table.insert(Entry::Stream(StreamState::Open(source)));
        object.set(layout::SLOT, slot as u64);
        Ok(Own::new(Stream::of(object)))
    }

    /// Takes the stream out of a handle and gives the handle up. Traps when it was taken before.
    pub fn take_stream(&mut self, handle: Own<Stream>) -> Result<Box<dyn Source>, Trap> {
        let state = self.take_state(handle.get());
        self.give_up(handle);
        match state {
            StreamState::Open(source) => Ok(source),
            StreamState::Over => Ok(Box::new(Nothing)),
            StreamState::Taken => Err(Trap::new(TrapKind::StreamUsed)),
        }
    }

    /// A handle of the stream that nobody else has. Traps when the stream was taken before.
    pub fn own_stream(&mut self, handle: Own<Stream>) -> Result<Own<Stream>, Trap> {
        if handle.get().object().is_unique() {
            return Ok(handle);
        }
        let source = self.take_stream(handle)?;
        Ok(self.stream(source)?)
    }

    fn state(&mut self, handle: Stream) -> &mut StreamState {
        match &mut self.table.entries[handle.object().get(layout::SLOT) as usize] {
            Entry::Stream(state) => state,
            _ => unreachable!("a STREAM object's slot holds its stream"),
        }
    }

    fn take_state(&mut self, handle: Stream) -> StreamState {
        if handle.object().get(layout::SLOT) == u64::from(NO_SLOT) {
            // One that was frozen with the main program's values, whose scope has gone.
            return StreamState::Taken;
        }
        std::mem::replace(self.state(handle), StreamState::Taken)
    }

    /// The next item of a stream as an option of the type `item`, when it is there without a wait and without compiled code.
    pub fn ready_item(&mut self, handle: Stream, item: TypeId) -> Option<Result<Word, Trap>> {
        match self.take_state(handle) {
            StreamState::Open(mut source) => {
                let next = source.ready_next(self);
                *self.state(handle) = StreamState::Open(source);
                match next? {
                    Ok(word) => Some(self.some(item, word).map_err(Trap::from)),
                    Err(failure) => Some(self.failed(handle, failure)),
                }
            }
            StreamState::Over => {
                *self.state(handle) = StreamState::Over;
                Some(Ok(0))
            }
            StreamState::Taken => Some(Err(Trap::new(TrapKind::StreamUsed))),
        }
    }

    /// The next item of a stream as an option of the type `item`: `None` behind the last one, and, with the failure recorded,
    /// when the stream fails. A trap in it is one of who pulls.
    pub fn poll_item(
        &mut self,
        handle: Stream,
        item: TypeId,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Word, Trap>> {
        let mut source = match self.take_state(handle) {
            StreamState::Open(source) => source,
            StreamState::Over => {
                *self.state(handle) = StreamState::Over;
                return Poll::Ready(Ok(0));
            }
            StreamState::Taken => return Poll::Ready(Err(Trap::new(TrapKind::StreamUsed))),
        };
        let depth = source.depth() + PULL;
        let polled = self.deeper(depth, |scope| source.poll_next(scope, cx));
        *self.state(handle) = StreamState::Open(source);
        polled.map(|next| match next {
            Some(Ok(word)) => self.some(item, word).map_err(Trap::from),
            Some(Err(failure)) => self.failed(handle, failure),
            None => {
                self.end(handle);
                Ok(0)
            }
        })
    }

    /// Whether a pull of it waits for what only others of the scope can do.
    pub(crate) fn stream_waits_inside(&self, handle: Stream) -> bool {
        match &self.table.entries[handle.object().get(layout::SLOT) as usize] {
            Entry::Stream(StreamState::Open(source)) => source.waits_inside(self),
            _ => false,
        }
    }

    /// Polls a source that stands so many stages deep inside of what is being polled.
    pub fn deeper(
        &mut self,
        depth: usize,
        poll: impl FnOnce(&mut Self) -> Poll<Option<Result<Word, Failure>>>,
    ) -> Poll<Option<Result<Word, Failure>>> {
        if self.pull_depth + depth > MAX_PULL_DEPTH {
            let trap = Trap::native("too many streams are read inside each other");
            return Poll::Ready(Some(Err(Failure::of_trap(&trap, Trace::default()))));
        }
        self.pull_depth += depth;
        let polled = poll(self);
        self.pull_depth -= depth;
        polled
    }

    /// Closes the source of a handle that stays.
    fn end(&mut self, handle: Stream) {
        if let StreamState::Open(source) = std::mem::replace(self.state(handle), StreamState::Over) {
            source.close(self);
        }
    }

    /// What a pull comes to whose source failed.
    #[cold]
    fn failed(&mut self, handle: Stream, failure: Failure) -> Result<Word, Trap> {
        self.end(handle);
        self.record(failure)
    }

    /// What a native that may fail comes to with this failure: `None`, with the failure recorded; a trap when it was one.
    #[cold]
    pub fn record(&mut self, failure: Failure) -> Result<Word, Trap> {
        match failure.trace {
            Some(trace) => {
                self.inner_trace = Some(trace);
                Err(match failure.status {
                    UNAVAILABLE => Trap::budget(failure.message),
                    _ => Trap::native(failure.message),
                })
            }
            None => {
                self.failure = Some(failure);
                Ok(0)
            }
        }
    }

    /// `Some` of an owned word of that type, which is given up when there is no room.
    pub(crate) fn some(&mut self, item: TypeId, word: Word) -> Result<Word, Full> {
        let desc = self.type_desc(item);
        if desc.is_nullable_inside_option() {
            return Ok(word);
        }
        let is_ref = desc.is_ref();
        let made = self.boxed(if is_ref { shape::BOX_REF } else { shape::BOX_WORD }, word);
        if made.is_err() && is_ref {
            // SAFETY: the caller's word of a reference type, which is owned.
            unsafe { self.drop_word(word) };
        }
        made.map(Gives::into_word)
    }
}

/// The rest of a stream that is over.
struct Nothing;

impl Source for Nothing {
    fn poll_next(&mut self, _: &mut Scope, _: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        Poll::Ready(None)
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}

#[cfg(test)]
mod tests;
