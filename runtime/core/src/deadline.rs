//! A deadline that costs nothing until somebody waits.
//!
//! Invariant: the timer is made when it is first polled, and the time runs from then: what is polled at its waits and stops
//! comes here within a few milliseconds of its start.

use crate::limits::NO_LIMIT;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// A deadline.
pub(crate) struct Deadline {
    /// In milliseconds; [`NO_LIMIT`] for none.
    after: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// So many milliseconds from the first wait on.
    pub fn new(milliseconds: usize) -> Self {
        Self { after: milliseconds, timer: None }
    }

    /// Ready when it has passed. Polled within a tokio runtime.
    #[cold]
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.after == NO_LIMIT {
            return Poll::Pending;
        }
        let time = Duration::from_millis(self.after as u64);
        self.timer.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(cx)
    }
}
