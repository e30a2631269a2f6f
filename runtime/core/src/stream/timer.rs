//! A timer that is made once and set again, and counted.

use crate::counters::Counters;
use crate::scope::Scope;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// An armed timer.
pub struct Timer {
    sleep: Pin<Box<Sleep>>,
    counters: &'static Counters,
}

impl Timer {
    /// One for that moment. Made within a tokio runtime.
    pub fn new(scope: &Scope, due: Instant) -> Self {
        let counters = scope.worker().counters;
        counters.timers.add(1);
        Self { sleep: Box::pin(sleep_until(due)), counters }
    }

    /// Sets it to another moment.
    pub fn reset(&mut self, due: Instant) {
        self.sleep.as_mut().reset(due);
    }

    /// Ready when its moment has come.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.counters.timers.add(-1);
    }
}

/// A moment some time after another one. One beyond what the clock can say is one that nobody lives to see.
pub fn after(start: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    start + time.min(FAR)
}

/// How long something has been waited for, at most a fixed time. A wait that ends in time leaves the timer as it is: it is set
/// again only when it comes too early for a later wait.
pub struct Patience {
    time: Duration,
    /// When the wait has lasted too long; `None` outside of a wait.
    due: Option<Instant>,
    /// Made when something waits.
    timer: Option<Timer>,
}

impl Patience {
    /// That much of it for each wait.
    pub fn new(time: Duration) -> Self {
        Self { time, due: None, timer: None }
    }

    /// How long a wait may last.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// What was waited for is there.
    pub fn rest(&mut self) {
        self.due = None;
    }

    /// Ready when the wait, which begins with the first call, has lasted too long. The next one is another wait.
    pub fn poll(&mut self, scope: &Scope, cx: &mut Context<'_>) -> Poll<()> {
        let due = *self.due.get_or_insert_with(|| after(Instant::now(), self.time));
        let timer = self.timer.get_or_insert_with(|| Timer::new(scope, due));
        loop {
            ready!(timer.poll(cx));
            if Instant::now() >= due {
                self.due = None;
                return Poll::Ready(());
            }
            timer.reset(due);
        }
    }
}
