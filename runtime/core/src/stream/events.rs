//! The body of an event stream (WHATWG HTML, section 9.2): events as they come, and a sign of life while none does.
//!
//! In: events in their written form, as Texts. Out: likewise; the first one says how long a client waits before it connects
//! again, where that is set, and so does the last one when the server drains.
//! Invariants: a heartbeat comes only when the source has waited for a whole interval, so one that is busy costs none; a
//! stream that waits has one armed timer.
//! Not here: how an event is written (`natives::event`), the last word of a stream that fails (`service::body`).

use crate::counters::Counters;
use crate::failure::{Failure, INTERNAL};
use crate::heap::{Full, Word};
use crate::scope::{Scope, Source};
use crate::value::{Handle, Own, Text};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Behind the end of a server that drained a client waits for so many milliseconds at least, and less than twice as many.
const AGAIN: u64 = 1000;

/// How an event stream is sent.
#[derive(Debug, Default)]
pub struct Manner {
    /// How long nothing may come before a heartbeat does; `None` for no heartbeats.
    pub heartbeat: Option<Duration>,
    /// What a heartbeat is: empty for a comment, which scripts in browsers do not see, else an event of that name.
    pub ping: String,
    /// How many milliseconds a client is to wait before it connects again.
    pub retry: Option<u64>,
    /// It goes on while the server drains.
    pub finish: bool,
}

/// A stage upon written events.
pub struct Events {
    source: Box<dyn Source>,
    manner: Manner,
    /// Something was sent, and with it how long to wait.
    is_open: bool,
    /// Made when the source first waits.
    timer: Option<Timer>,
    /// Something was sent since the timer was set.
    is_late: bool,
}

struct Timer {
    sleep: Pin<Box<Sleep>>,
    counters: &'static Counters,
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.counters.timers.add(-1);
    }
}

impl Events {
    /// The events of `source`.
    pub fn new(source: Box<dyn Source>, manner: Manner) -> Self {
        Self { source, manner, is_open: false, timer: None, is_late: false }
    }

    /// The first thing that is sent says how long to wait before connecting again.
    fn opened(&mut self, scope: &mut Scope, word: Word) -> Result<Word, Failure> {
        let Some(retry) = self.manner.retry.filter(|_| !self.is_open) else { return Ok(word) };
        self.is_open = true;
        // SAFETY: the items are owned Texts.
        let event: Own<Text> = unsafe { scope.own(word) };
        let first = format!("retry: {retry}\n");
        let made = scope.text_with(first.len() + event.get().len(), |filler| {
            filler.push(first.as_bytes());
            filler.push(event.get().as_bytes());
        });
        scope.give_up(event);
        made.map(|made| made.get().word()).map_err(full)
    }

    /// Ready when a whole interval has passed in which nothing came.
    fn poll_silence(&mut self, scope: &Scope, cx: &mut Context<'_>) -> Poll<()> {
        let Some(heartbeat) = self.manner.heartbeat else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| {
            let counters = scope.worker().counters;
            counters.timers.add(1);
            Timer { sleep: Box::pin(sleep(heartbeat)), counters }
        });
        if std::mem::take(&mut self.is_late) {
            timer.sleep.as_mut().reset(Instant::now() + heartbeat);
        }
        timer.sleep.as_mut().poll(cx)
    }

    fn beat(&self, scope: &mut Scope) -> Result<Word, Failure> {
        let made = match self.manner.ping.as_str() {
            "" => scope.text(":\n\n"),
            name => scope.text(&format!("event: {name}\ndata:\n\n")),
        };
        made.map(|made| made.get().word()).map_err(full)
    }
}

fn full(_: Full) -> Failure {
    Failure::new(INTERNAL, "no memory for an event")
}

impl Source for Events {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let next = match self.source.poll_next(scope, cx) {
            Poll::Ready(Some(Ok(event))) => event,
            Poll::Ready(end) => return Poll::Ready(end),
            Poll::Pending => {
                if self.poll_silence(scope, cx).is_pending() {
                    return Poll::Pending;
                }
                match self.beat(scope) {
                    Ok(beat) => beat,
                    Err(failure) => return Poll::Ready(Some(Err(failure))),
                }
            }
        };
        self.is_late = self.timer.is_some();
        Poll::Ready(Some(self.opened(scope, next)))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }

    fn farewell(&self, scope: &Scope) -> Option<String> {
        if self.manner.finish {
            return None;
        }
        // So that not all clients of this server come to another one at the same moment.
        let spread = || AGAIN + scope.log.1.unwrap_or(0) % AGAIN;
        let retry = self.manner.retry.unwrap_or_else(spread);
        Some(format!("retry: {retry}\nevent: drain\ndata:\n\n"))
    }
}
