//! A stream of lines or bytes as a response's body.
//!
//! Invariant: it owns the request's scope; dropping it cancels all that the request still does.

use super::assert_empty;
use crate::failure::Failure;
use crate::heap::Word;
use crate::log::LogFormat;
use crate::scope::{Scope, Source};
use crate::trace::Trace;
use crate::value::{Own, Text};
use crate::worker::Turn;
use std::task::{Context, Poll, ready};
use weir_http::{ItemSink, Pull, PullBody};

/// A stream of lines or bytes as a body.
pub(super) struct StreamBody {
    /// Before the scope, whose memory it refers to.
    source: Option<Box<dyn Source>>,
    scope: Box<Scope>,
    /// The turn in which it gave its last item, so that a batch is one turn.
    turn: Option<Turn>,
    /// Its items are Bytes, written as they are.
    is_binary: bool,
    id: u64,
    log: LogFormat,
}

impl StreamBody {
    /// The items of `source`, which belongs to `scope`; whether they are Bytes, written as they are.
    pub(super) fn new(
        source: Box<dyn Source>,
        scope: Box<Scope>,
        is_binary: bool,
        id: u64,
        log: LogFormat,
    ) -> Self {
        scope.worker().counters.streams.add(1);
        Self { source: Some(source), scope, turn: None, is_binary, id, log }
    }

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

impl StreamBody {
    /// Goes on with the turn of the last item unless it was over, or somebody else had a turn since.
    fn begin_turn(&mut self) {
        let worker = self.scope.worker();
        match self.turn {
            Some(turn) if worker.is_last_turn(turn) => worker.resume_turn(turn),
            _ => {
                self.turn = Some(worker.begin_seen_turn());
                self.scope.measure();
            }
        }
    }

    /// Pulls up to the next item that is something.
    fn pull(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Result<Pull, Failure>> {
        loop {
            ready!(self.scope.poll_turn(cx));
            let Some(source) = &mut self.source else { return Poll::Ready(Ok(Pull::End)) };
            match ready!(source.poll_next(&mut self.scope, cx)) {
                Some(Ok(word)) if self.write(word, out) => return Poll::Ready(Ok(Pull::Item)),
                Some(Ok(_)) => {}
                None => return Poll::Ready(Ok(Pull::End)),
                Some(Err(failure)) => return Poll::Ready(Err(failure)),
            }
        }
    }

    fn failed(&mut self, failure: Failure) -> Pull {
        if failure.trace.is_some() {
            self.log.failure(self.id, &failure);
        }
        Pull::Failed(weir_http::Failure::new(failure.message, failure.status))
    }
}

impl PullBody for StreamBody {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        self.begin_turn();
        let polled = match self.pull(cx, out) {
            Poll::Pending if self.scope.worker().is_stopped() => {
                // What has compiled code counted already, up to here.
                let trap = self.scope.charge_stop().err();
                trap.map_or(Poll::Pending, |trap| Poll::Ready(Err(Failure::of_trap(&trap, Trace::default()))))
            }
            polled => polled,
        };
        self.scope.end_turn();
        match polled {
            Poll::Pending => {
                self.turn = None;
                Poll::Pending
            }
            Poll::Ready(Ok(pull)) => {
                self.scope.end_stretch();
                Poll::Ready(pull)
            }
            Poll::Ready(Err(failure)) => Poll::Ready(self.failed(failure)),
        }
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
