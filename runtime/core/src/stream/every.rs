//! Ticks on a fixed schedule.
//!
//! Invariant: tick `n` is due `n` periods after the start, whenever the ones before it were read; ticks that passed unread
//! are one tick. A waiting stream has one armed timer and allocates nothing.

use crate::clock::wall_clock;
use crate::counters::Counters;
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// A source of Times.
pub struct Every {
    start: Instant,
    period: Duration,
    /// When the next tick is due.
    due: Instant,
    /// Made at the first pull.
    timer: Option<Timer>,
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

impl Every {
    /// Ticks from now on.
    pub fn new(period: Duration) -> Self {
        let start = Instant::now();
        Self { start, period, due: after(start, period, 1), timer: None }
    }
}

/// `n` periods after `start`. A moment beyond what the clock can say is one that nobody lives to see.
fn after(start: Instant, period: Duration, n: u64) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);
    let nanos = period.as_nanos().saturating_mul(n as u128);
    let offset = u64::try_from(nanos).map_or(FAR, Duration::from_nanos);
    start + offset.min(FAR)
}

impl Source for Every {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let counters = scope.worker().counters;
        let due = self.due;
        let timer = self.timer.get_or_insert_with(|| {
            counters.timers.add(1);
            Timer { sleep: Box::pin(sleep_until(due)), counters }
        });
        ready!(timer.sleep.as_mut().poll(cx));
        let passed = self.start.elapsed().as_nanos() / self.period.as_nanos();
        self.due = after(self.start, self.period, passed as u64 + 1);
        timer.sleep.as_mut().reset(self.due);
        Poll::Ready(Some(Ok(wall_clock() as Word)))
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}
