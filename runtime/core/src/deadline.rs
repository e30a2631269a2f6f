//! A deadline that costs no timer until somebody waits.
//!
//! Invariant: the timer is made when it is first polled; what is polled at its waits and stops comes here within a few
//! milliseconds of its start.

use crate::limits::NO_LIMIT;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// A deadline.
pub(crate) struct Deadline {
    /// `None` for none.
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// So many milliseconds after `start`; never for [`NO_LIMIT`].
    pub fn new(start: Instant, milliseconds: usize) -> Self {
        let time = Duration::from_millis(milliseconds as u64);
        let at = if milliseconds == NO_LIMIT { None } else { start.checked_add(time) };
        Self { at, timer: None }
    }

    /// When it passes, if ever.
    pub fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Ready when it has passed. Polled within a tokio runtime.
    #[cold]
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        self.timer.get_or_insert_with(|| Box::pin(sleep_until(at))).as_mut().poll(cx)
    }
}
