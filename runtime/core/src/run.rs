//! A run: a fiber that executes compiled code inside a scope.
//!
//! In: code and its words. Out: the word it returns, or the failure that ended it.
//! Invariants: the operation a fiber waits for is polled on the worker's stack, with the scope free for it to use; a run
//! is polled with the scope that it was started with. Dropping a run abandons its fiber, for a scope that goes too;
//! [`Run::abandon`] gives back what the fiber owned.

use crate::failure::{Failure, UNAVAILABLE};
use crate::fiber::{Fiber, Step, Suspend};
use crate::heap::Word;
use crate::limits;
use crate::scope::{Operation, Scope};
use crate::stack::{MAIN_STACK, Stack};
use crate::trace::{self, Trace};
use crate::turn::yield_turn;
use std::mem;
use std::ptr;
use std::task::{Context, Poll, ready};
use weir_abi::trap::{Trap, TrapKind};

/// A fiber in a scope.
pub struct Run {
    /// Its number in the scope; see `scope::deferred`.
    number: u64,
    fiber: Fiber,
    waits_for: Option<Box<dyn Operation>>,
    /// In how many functions it is that must not wait; see `scope::still`.
    still: u32,
}

impl Run {
    /// Prepares a call of `code` with these words, at most three, on a pooled stack.
    #[inline]
    pub fn new(scope: &Scope, code: *const u8, words: &[Word]) -> Result<Self, Failure> {
        let stack = scope.worker().stacks.take();
        Self::on(scope, stack, scope.app().limits().stack, code, words)
    }

    /// Prepares a call on a stack of [`MAIN_STACK`] bytes.
    pub fn new_main(scope: &Scope, code: *const u8) -> Result<Self, Failure> {
        Self::on(scope, scope.worker().stacks.take_main(), MAIN_STACK, code, &[])
    }

    #[inline]
    fn on(
        scope: &Scope,
        stack: Option<Stack>,
        depth: usize,
        code: *const u8,
        words: &[Word],
    ) -> Result<Self, Failure> {
        let Some(stack) = stack else {
            return Err(Failure::new(UNAVAILABLE, "no memory for another stack"));
        };
        let mut all = [0; 3];
        all[..words.len()].copy_from_slice(words);
        let enter = scope.app().module().enter[words.len()];
        let fiber = Fiber::new(scope.worker(), stack, depth, enter, code, all);
        Ok(Self { number: scope.number_run(), fiber, waits_for: None, still: 0 })
    }

    /// Runs on until it ends, gives an item, waits or lets others run. `Pending` registered a waker.
    pub fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        let mut word = 0;
        loop {
            while scope.heap().has_late() {
                scope.free_late();
                if scope.worker().is_in_turn() && scope.worker().is_stopped() {
                    let _asked: Poll<()> = yield_turn(cx);
                    return self.stop(scope);
                }
            }
            ready!(poll_turn(scope, cx));
            if let Some(operation) = &mut self.waits_for {
                if self.still > 0 {
                    scope.ask_for_waits();
                }
                let Poll::Ready(result) = operation.poll(scope, cx) else {
                    if self.still > 0
                        && let Some(trap) = scope.refuse_wait(cx)
                    {
                        return Poll::Ready(Err(self.fail(scope, &trap)));
                    }
                    return if scope.worker().is_stopped() { self.stop(scope) } else { Poll::Pending };
                };
                self.waits_for = None;
                match result {
                    Ok(given) => word = given,
                    Err(trap) => return Poll::Ready(Err(self.fail(scope, &trap))),
                }
            }
            let globals = scope.app().globals();
            let outer = scope.set_running(self.number);
            let outer_still = scope.set_still(self.still);
            // SAFETY: natives expect the scope at that address, and only they use it until `resume` returns.
            let step = unsafe {
                let scope = ptr::from_mut(scope);
                self.fiber.resume(scope.cast(), (*scope).heap_mut().quick(), globals, word)
            };
            scope.set_running(outer);
            self.still = scope.set_still(outer_still);
            scope.heap_mut().publish();
            match step {
                Step::Left(Suspend::Give) => return Poll::Ready(Ok(mem::take(&mut scope.given))),
                Step::Done(word) => {
                    self.discharge(scope);
                    return Poll::Ready(Ok(word));
                }
                Step::Left(Suspend::Wait) => {
                    scope.heap_mut().settle();
                    scope.run_left();
                    self.waits_for = scope.pending.take();
                    debug_assert!(self.waits_for.is_some(), "a native that waits says for what");
                }
                Step::Left(Suspend::Yield) if scope.heap().has_late() => {}
                Step::Left(Suspend::Yield) => {
                    if !scope.worker().is_stopped() {
                        // Stress builds yield at every check.
                        cx.waker().wake_by_ref();
                        return match scope.charge_forced() {
                            Ok(()) => Poll::Pending,
                            Err(trap) => Poll::Ready(Err(self.fail(scope, &trap))),
                        };
                    }
                    let _asked: Poll<()> = yield_turn(cx);
                    return self.stop(scope);
                }
                Step::Left(Suspend::Trap) => {
                    let trap = scope.trap.take().expect("a native that traps says why");
                    return Poll::Ready(Err(self.fail(scope, &trap)));
                }
            }
        }
    }

    /// Runs on from a native on another fiber, once it has begun, which takes no way over the worker's stack. The word it came
    /// to, unless it has to be polled now: then it waits, or its turn is over.
    pub fn go_on(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        if self.waits_for.is_some() || scope.worker().is_stopped() {
            return None;
        }
        let globals = scope.app().globals();
        let outer = scope.set_running(self.number);
        let outer_still = scope.set_still(self.still);
        // SAFETY: as in `poll`; the native that calls this runs on a fiber of the scope.
        let step = unsafe {
            let scope = ptr::from_mut(scope);
            self.fiber.resume_within(scope.cast(), (*scope).heap_mut().quick(), globals, 0)
        };
        scope.set_running(outer);
        self.still = scope.set_still(outer_still);
        match step {
            Step::Left(Suspend::Give) => Some(Ok(mem::take(&mut scope.given))),
            Step::Done(word) => {
                self.discharge(scope);
                Some(Ok(word))
            }
            Step::Left(Suspend::Wait) => {
                self.waits_for = scope.pending.take();
                None
            }
            Step::Left(Suspend::Yield) => None,
            Step::Left(Suspend::Trap) => {
                let trap = scope.trap.take().expect("a native that traps says why");
                Some(Err(self.fail(scope, &trap)))
            }
        }
    }

    /// Where it was when its turn ended: `Pending`, unless that was its last.
    #[cold]
    fn stop(&mut self, scope: &mut Scope) -> Poll<Result<Word, Failure>> {
        if !scope.worker().is_in_turn() {
            scope.worker().clear_stop();
        }
        match scope.charge_stop() {
            Ok(()) => Poll::Pending,
            Err(trap) => Poll::Ready(Err(self.fail(scope, &trap))),
        }
    }

    /// Its stack counts no longer.
    #[inline]
    fn discharge(&mut self, scope: &mut Scope) {
        scope.heap_mut().uncharge(self.fiber.take_charge());
    }

    /// Whether it waits for what only others of the scope can do.
    pub fn waits_inside(&self, scope: &Scope) -> bool {
        self.waits_for.as_ref().is_some_and(|operation| operation.waits_inside(scope))
    }

    /// Ends it with a trap where it was left; it is not polled again.
    pub fn fail(&mut self, scope: &mut Scope, trap: &Trap) -> Failure {
        scope.has_trapped = true;
        let trace = Trace::of(&self.fiber, scope.app().module());
        let trace = match scope.inner_trace.take() {
            Some(inner) => inner.called_from(trace),
            None => trace,
        };
        let mut failure = Failure::of_trap(trap, trace);
        if trap.kind == TrapKind::OutOfMemory && scope.log.1.is_some() {
            let size = limits::size(scope.app().limits().mem_limit);
            failure.message = format!("out of memory: the heap limit of {size} is reached (--mem-limit)");
        }
        failure
    }

    /// Whether its fiber has run at all. Before that it owns the words it was given.
    pub fn has_begun(&self) -> bool {
        self.fiber.has_begun()
    }

    /// Whether its fiber has returned: the word it came to is its result, not an item.
    pub fn has_ended(&self) -> bool {
        self.fiber.is_done()
    }

    /// Ends it early inside a scope that goes on: cancels what it waits for and drops the references its frames own. What it
    /// put off is left to the scope.
    pub fn abandon(mut self, scope: &mut Scope) {
        self.discharge(scope);
        scope.leave_deferred(self.number);
        if let Some(operation) = self.waits_for {
            operation.close(scope);
        }
        if self.fiber.is_done() {
            return;
        }
        let app = scope.app().clone();
        for frame in trace::frames(&self.fiber, app.module()) {
            let Some(map) = frame.info.stack_map(frame.pc) else { continue };
            for slot in &map.slots {
                let address = frame.sp + *slot as usize;
                debug_assert!(self.fiber.holds(address), "a frame's slots lie on its stack");
                // SAFETY: the stack map names words of a suspended frame that own a reference or hold 0; the fiber is
                // never resumed, so each is given up once.
                unsafe { scope.drop_word(*(address as *const Word)) };
            }
        }
    }
}

/// Ready unless a turn lasts and is to end.
#[inline]
fn poll_turn(scope: &Scope, cx: &mut Context<'_>) -> Poll<()> {
    if scope.worker().is_in_turn() { scope.poll_turn(cx) } else { Poll::Ready(()) }
}

#[cfg(test)]
mod tests;
