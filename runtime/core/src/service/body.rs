//! A stream of lines or bytes as a response's body.
//!
//! Invariant: it owns the request's scope; dropping it cancels all that the request still does.

use crate::ending::{Rest, end_scope};
use crate::failure::Failure;
use crate::heap::Word;
use crate::log::LogFormat;
use crate::scope::{Main, Scope, Source};
use crate::trace::Trace;
use crate::value::{Own, Text};
use crate::worker::Turn;
use std::task::{Context, Poll, ready};
use weir_abi::trap::Trap;
use weir_http::{ItemSink, Pull, PullBody};

/// A stream of lines or bytes as a body.
pub(super) struct StreamBody {
    /// `None` once it was ended: nothing is pulled any more.
    live: Option<Live>,
    /// Its items are events.
    has_events: bool,
    /// What it still says, once there is nothing more to pull.
    last: Option<Last>,
    id: u64,
    log: LogFormat,
}

/// What a stream says behind its last item.
enum Last {
    /// That a task failed while nobody wanted an item; the log says so already.
    Failing(Failure),
    /// That it failed, which its last event told.
    Failed(Failure),
    /// That the server drains.
    Farewell(String),
}

/// The stream and its scope.
struct Live {
    /// Before the scope, whose memory it refers to.
    source: Box<dyn Source>,
    scope: Box<Scope>,
    /// The turn in which it gave its last item, so that a batch is one turn.
    turn: Option<Turn>,
    /// Its items are Bytes, written as they are.
    is_binary: bool,
}

impl StreamBody {
    /// The items of `source`, which belongs to `scope`; whether they are Bytes, written as they are.
    pub(super) fn new(
        source: Box<dyn Source>,
        scope: Box<Scope>,
        is_binary: bool,
        has_events: bool,
        id: u64,
        log: LogFormat,
    ) -> Self {
        scope.worker().counters.streams.add(1);
        Self { live: Some(Live { source, scope, turn: None, is_binary }), has_events, last: None, id, log }
    }

    /// The end of a stream that failed. An event stream whose client already reads it says so first: a browser cannot tell
    /// a response that was broken off from one that came to its end.
    fn failing(&mut self, failure: Failure, out: &mut ItemSink<'_>) -> Pull {
        if !self.has_events || !out.is_begun() {
            return self.failed(failure);
        }
        out.item(&[format!("event: error\ndata: {{\"request\":\"{:x}\"}}\n\n", self.id).as_bytes()]);
        self.last = Some(Last::Failed(failure));
        Pull::Item
    }

    fn say(&mut self, last: Last, out: &mut ItemSink<'_>) -> Pull {
        match last {
            Last::Failing(failure) => self.failing(failure, out),
            Last::Failed(failure) => self.failed(failure),
            Last::Farewell(event) => {
                out.item(&[event.as_bytes()]);
                Pull::Item
            }
        }
    }

    /// Ends the stream with all that its scope does.
    fn end(&mut self) {
        if let Some(live) = self.live.take() {
            live.scope.worker().counters.streams.add(-1);
            end_scope(live.scope, Rest::Source(live.source));
        }
    }

    /// Writes a failure to the log, unless the line of the request is to say it.
    fn tell(&self, failure: &Failure) {
        if failure.trace.is_some() {
            self.log.failure(self.id, failure);
        }
    }

    fn failed(&mut self, failure: Failure) -> Pull {
        self.tell(&failure);
        Pull::Failed(weir_http::Failure::new(failure.message, failure.status))
    }
}

/// The stream as the main work of its scope.
pub(crate) struct Items<'a>(pub(crate) &'a mut dyn Source);

impl Main for Items<'_> {
    type Output = Option<Result<Word, Failure>>;

    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_next(scope, cx)
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        self.0.waits_inside(scope)
    }

    fn stuck(&mut self, _: &mut Scope, trap: &Trap) -> Failure {
        Failure::of_trap(trap, Trace::default())
    }
}

impl Live {
    /// Writes an item; whether there was something to write.
    fn write(&mut self, word: Word, out: &mut ItemSink<'_>) -> bool {
        // SAFETY: a body's items are owned Texts, or Bytes, which are laid out as Texts.
        let item: Own<Text> = unsafe { self.scope.own(word) };
        let text = item.get();
        let is_something = match text.as_bytes() {
            [] if self.is_binary => false,
            bytes if self.is_binary => {
                match self.scope.shared_bytes(text) {
                    Some(shared) => out.item_bytes(shared),
                    None => out.item(&[bytes]),
                }
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
            let polled = ready!(self.scope.poll_all(&mut Items(&mut *self.source), cx))?;
            match polled {
                Some(Ok(word)) if self.write(word, out) => return Poll::Ready(Ok(Pull::Item)),
                Some(Ok(_)) => {}
                None => return Poll::Ready(Ok(Pull::End)),
                Some(Err(failure)) => return Poll::Ready(Err(failure)),
            }
        }
    }
}

impl PullBody for StreamBody {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        if let Some(last) = self.last.take() {
            return Poll::Ready(self.say(last, out));
        }
        let Some(live) = &mut self.live else { return Poll::Ready(Pull::End) };
        live.begin_turn();
        let polled = match live.pull(cx, out) {
            Poll::Pending => {
                live.scope.charge_turn().err().map_or(Poll::Pending, |failure| Poll::Ready(Err(failure)))
            }
            polled => polled,
        };
        live.scope.end_turn();
        match polled {
            Poll::Pending => {
                live.turn = None;
                Poll::Pending
            }
            Poll::Ready(Ok(pull)) => {
                live.scope.end_stretch();
                Poll::Ready(pull)
            }
            Poll::Ready(Err(failure)) => Poll::Ready(self.failing(failure, out)),
        }
    }

    fn poll_beside(&mut self, cx: &mut Context<'_>) {
        let Some(live) = &mut self.live else { return };
        if live.scope.tasks.running() == 0 || self.last.is_some() {
            return;
        }
        live.turn = None;
        live.scope.begin_turn();
        let polled = live.scope.poll_tasks(cx).and_then(|()| live.scope.charge_turn());
        live.scope.end_turn();
        if let Err(mut failure) = polled {
            self.tell(&failure);
            failure.trace = None;
            self.end();
            self.last = Some(Last::Failing(failure));
        }
    }

    fn wind_up(&mut self) {
        let farewell = self.live.as_ref().and_then(|live| live.source.farewell(&live.scope));
        if let Some(event) = farewell.filter(|_| self.last.is_none()) {
            self.end();
            self.last = Some(Last::Farewell(event));
        }
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.end();
    }
}
