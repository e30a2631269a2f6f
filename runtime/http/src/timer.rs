//! The one timer of a connection, moved lazily.
//!
//! Deadlines move later with every request; the timer does not. It fires at the earliest time it was armed
//! for, is compared with the deadline that counts now, and is armed anew. So a busy keep-alive connection
//! touches the timer wheel once per timeout, not once per request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer for whichever deadline counts at the moment.
#[derive(Default)]
pub struct Timer {
    armed: Option<Armed>,
}

struct Armed {
    sleep: Pin<Box<Sleep>>,
    /// When it fires; never later than the deadline last asked for.
    at: Instant,
    /// The task is known to be woken by it.
    registered: bool,
    /// It fired and was not armed again.
    spent: bool,
}

impl Timer {
    /// Ready once `deadline` has passed.
    pub fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let armed = self.armed.get_or_insert_with(|| Armed {
            sleep: Box::pin(sleep_until(deadline)),
            at: deadline,
            registered: false,
            spent: false,
        });
        loop {
            if armed.spent || deadline < armed.at {
                armed.sleep.as_mut().reset(deadline);
                (armed.at, armed.registered, armed.spent) = (deadline, false, false);
            }
            if armed.registered && !armed.sleep.is_elapsed() {
                return Poll::Pending;
            }
            // Without budget the poll below registers nothing; it only asks to be polled again.
            let budget = coop::has_budget_remaining();
            if armed.sleep.as_mut().poll(cx).is_pending() {
                armed.registered = budget;
                return Poll::Pending;
            }
            armed.spent = true;
            if armed.at >= deadline {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn fires_at_the_deadline_that_counts() {
        let (mut timer, start) = (Timer::default(), Instant::now());
        let after = |ms| start + Duration::from_millis(ms);
        // Armed for 100, then moved later: one early fire, then the real one.
        assert!(poll_fn(|cx| Poll::Ready(timer.poll(cx, after(100)))).await.is_pending());
        poll_fn(|cx| timer.poll(cx, after(250))).await;
        assert_eq!(start.elapsed().as_millis(), 250);
        // Moved earlier than armed.
        assert!(poll_fn(|cx| Poll::Ready(timer.poll(cx, after(10_000)))).await.is_pending());
        poll_fn(|cx| timer.poll(cx, after(300))).await;
        assert_eq!(start.elapsed().as_millis(), 300);
        // A deadline in the past.
        poll_fn(|cx| timer.poll(cx, after(1))).await;
        assert_eq!(start.elapsed().as_millis(), 300);
    }
}
