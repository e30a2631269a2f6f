//! Long work of natives, in steps with others between them.
//!
//! In: [`Work`]. Out: its word at once where it is soon done, else an [`Operation`] that goes on turn by turn.
//! Invariants: a step takes a hundred microseconds or so, and hardly any stack: the first ones run on the fiber. What the work
//! owns is given back by `close` when nobody waits for it any more; arguments that it borrowed are held by its suspended caller.

use crate::heap::Word;
use crate::natives::Flow;
use crate::scope::{Operation, Scope};
use crate::shim::panicked;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, ready};
use weir_abi::trap::Trap;

/// About how many bytes a step reads or writes: some ten microseconds' worth, and in memory that is touched for the first time
/// twice or three times that.
pub const STEP: usize = if cfg!(feature = "stress") { 64 } else { 64 * 1024 };

/// Work that goes in steps.
pub trait Work {
    /// Does some of it; the word that the native gives when it is done. It is not called again after that, or after a trap.
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap>;

    /// Gives back the references that it owns, for a scope that goes on.
    fn close(self, _: &mut Scope)
    where
        Self: Sized,
    {
    }
}

/// Works until it is done or the turn is to end.
#[inline]
pub fn in_steps<W: Work + 'static>(scope: &mut Scope, mut work: W) -> Result<Flow, Trap> {
    match work.step(scope)? {
        Some(word) => Ok(Flow::Done(word)),
        None => go_on(scope, work),
    }
}

/// Apart, so that what is done in the first step, as most is, costs nothing but that.
#[cold]
#[inline(never)]
fn go_on<W: Work + 'static>(scope: &mut Scope, mut work: W) -> Result<Flow, Trap> {
    while !scope.worker().is_stopped() && !cfg!(feature = "stress") {
        if let Some(word) = work.step(scope)? {
            return Ok(Flow::Done(word));
        }
    }
    scope.pending = Some(Box::new(Going(work)));
    Ok(Flow::Wait)
}

/// Work that goes on.
struct Going<W>(W);

impl<W: Work> Operation for Going<W> {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        loop {
            let step =
                catch_unwind(AssertUnwindSafe(|| self.0.step(scope))).unwrap_or_else(|p| Err(panicked(p)));
            if let Some(result) = step.transpose() {
                return Poll::Ready(result);
            }
            if cfg!(feature = "stress") {
                scope.note_work();
                cx.waker().wake_by_ref();
                return scope.charge_forced().map_or_else(|trap| Poll::Ready(Err(trap)), |()| Poll::Pending);
            }
            ready!(scope.poll_turn(cx));
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.0.close(scope);
    }
}
