//! Ticks on a fixed schedule.
//!
//! Invariant: tick `n` is due `n` periods after the start, whenever the ones before it were read; ticks that passed unread
//! are one tick. A waiting stream has one armed timer and allocates nothing.

use super::timer::{self, Timer};
use crate::clock::wall_clock;
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// A source of Times.
pub struct Every {
    start: Instant,
    period: Duration,
    /// When the next tick is due.
    due: Instant,
    /// Made at the first pull.
    timer: Option<Timer>,
}

impl Every {
    /// Ticks from now on.
    pub fn new(period: Duration) -> Self {
        let start = Instant::now();
        Self { start, period, due: after(start, period, 1), timer: None }
    }
}

/// `n` periods after `start`.
fn after(start: Instant, period: Duration, n: u64) -> Instant {
    let nanos = period.as_nanos().saturating_mul(n as u128);
    timer::after(start, u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos))
}

impl Source for Every {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let timer = match &mut self.timer {
            Some(timer) => timer,
            None => self.timer.insert(Timer::new(scope, self.due)),
        };
        ready!(timer.poll(cx));
        let passed = self.start.elapsed().as_nanos() / self.period.as_nanos();
        self.due = after(self.start, self.period, passed as u64 + 1);
        timer.reset(self.due);
        Poll::Ready(Some(Ok(wall_clock() as Word)))
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}
