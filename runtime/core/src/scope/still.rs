//! Functions that must not wait, because others would have changed by then what they are given: those of `store.update`.
//!
//! ```text
//! update ──begin_still──▶ f runs ──end_still──▶ its result is put into place
//!                           └── what it called has to wait ──▶ trap
//! ```
//! Invariants: being still belongs to a run and not to its scope: tasks that the function began, and other runs that are polled
//! meanwhile, wait as they like. The end of a turn is no wait, nor is work that goes on beside the worker.
//! Not here: where a run is asked (`run`).

use super::Scope;
use std::mem;
use std::task::{Context, Poll};
use weir_abi::trap::Trap;

/// What the running fiber must not do.
#[derive(Debug, Default)]
pub(super) struct Still {
    /// How many functions that must not wait the running fiber is in.
    depth: u32,
    /// What came to `Pending` since the last [`Scope::ask_for_waits`] goes on by itself.
    is_work: bool,
}

impl Scope {
    /// The running fiber calls a function that must not wait.
    pub(crate) fn begin_still(&mut self) {
        self.still.depth += 1;
    }

    /// That function has come back.
    pub(crate) fn end_still(&mut self) {
        self.still.depth = self.still.depth.saturating_sub(1);
    }

    /// Notes in how many such functions the fiber is that executes from here on; gives that of the one before.
    #[inline]
    pub(crate) fn set_still(&mut self, depth: u32) -> u32 {
        mem::replace(&mut self.still.depth, depth)
    }

    /// What is pending now computes, or waits until the server's output has room: it is no
    /// wait.
    #[inline]
    pub(crate) fn note_work(&mut self) {
        self.still.is_work = true;
    }

    /// Forgets what was noted: what is polled next waits, unless it says otherwise.
    #[inline]
    pub(crate) fn ask_for_waits(&mut self) {
        self.still.is_work = false;
    }

    /// The trap of a run in a function that must not wait, when what it called is pending since the last
    /// [`Scope::ask_for_waits`]. When its turn is over too, it is asked again in the next one.
    #[cold]
    pub(crate) fn refuse_wait(&self, cx: &mut Context<'_>) -> Option<Trap> {
        if self.still.is_work {
            return None;
        }
        match self.poll_turn(cx) {
            Poll::Pending => None,
            Poll::Ready(()) => Some(Trap::native(
                "the function of `update` must not wait, for others may change the value meanwhile: do first what waits, \
                 then call `update` with what came of it",
            )),
        }
    }
}
