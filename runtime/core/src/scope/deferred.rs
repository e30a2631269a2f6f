//! What `defer { }` put off: closures that each fiber of a scope still has to call.
//!
//! ```text
//! defer ──▶ the running fiber's stack ──a way out of the function──▶ compiled code takes it off and calls it
//!                     └──trap, cancellation, a part given up──▶ the runtime takes what is left and runs it
//! ```
//! Invariants: a fiber that has nothing put off has no entry, so that a scope without `defer`s pays nothing; runs are numbered
//! as they begin, so that children have higher numbers than those that began them.
//! Not here: running what is left (`service`, the tasks of a scope).

use super::Scope;
use crate::value::{Closure, Own};
use std::cell::Cell;
use std::collections::BTreeMap;

/// What is put off in a scope.
#[derive(Default)]
pub(super) struct Deferred {
    /// By the number of the run, each in the order in which it was put off.
    by_run: BTreeMap<u64, Vec<Own<Closure>>>,
    /// What runs left that were given up while the scope goes on, with their numbers, of each the last first.
    left: Vec<(u64, Own<Closure>)>,
    /// The run whose fiber executes.
    running: u64,
    /// How many runs there were.
    runs: Cell<u64>,
}

impl Scope {
    /// A number for a run that is about to begin.
    pub(crate) fn number_run(&self) -> u64 {
        let number = self.deferred.runs.get() + 1;
        self.deferred.runs.set(number);
        number
    }

    /// Notes whose fiber executes from here on; gives whose it was.
    pub(crate) fn set_running(&mut self, run: u64) -> u64 {
        std::mem::replace(&mut self.deferred.running, run)
    }

    /// How much the running fiber has put off.
    pub(crate) fn deferred_depth(&self) -> usize {
        self.deferred.by_run.get(&self.deferred.running).map_or(0, Vec::len)
    }

    /// Puts something off until the running fiber leaves the function at hand.
    pub(crate) fn push_deferred(&mut self, closure: Own<Closure>) {
        self.deferred.by_run.entry(self.deferred.running).or_default().push(closure);
    }

    /// What the running fiber put off last, when that is more than `depth`.
    pub(crate) fn pop_deferred(&mut self, depth: usize) -> Option<Own<Closure>> {
        let stack = self.deferred.by_run.get_mut(&self.deferred.running)?;
        if stack.len() <= depth {
            return None;
        }
        let closure = stack.pop();
        if stack.is_empty() {
            self.deferred.by_run.remove(&self.deferred.running);
        }
        closure
    }

    /// Keeps what a run put off that is given up while the scope goes on: see [`Scope::take_left`].
    pub(crate) fn leave_deferred(&mut self, run: u64) {
        if let Some(stack) = self.deferred.by_run.remove(&run) {
            self.deferred.left.extend(stack.into_iter().rev().map(|closure| (run, closure)));
        }
    }

    /// Whether something put off waits for the runtime to call it: [`Scope::take_left`].
    pub(crate) fn has_left(&self) -> bool {
        !self.deferred.left.is_empty()
    }

    /// What runs put off that were given up while the scope goes on, in the order in which it is to be called. The scope does
    /// not end before it was.
    pub(crate) fn take_left(&mut self) -> Vec<Own<Closure>> {
        let mut left = std::mem::take(&mut self.deferred.left);
        // Children before those that began them, whoever was given up first.
        left.sort_by_key(|(run, _)| std::cmp::Reverse(*run));
        left.into_iter().map(|(_, closure)| closure).collect()
    }

    /// Whether anything is put off at all.
    pub(crate) fn has_deferred(&self) -> bool {
        self.has_left() || !self.deferred.by_run.is_empty()
    }

    /// All that is put off, for a scope that ends: children before those that began them, and of each the last first.
    pub(crate) fn take_deferred(&mut self) -> Vec<Own<Closure>> {
        let mut all = self.take_left();
        for stack in std::mem::take(&mut self.deferred.by_run).into_values().rev() {
            all.extend(stack.into_iter().rev());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::Word;
    use crate::testing::{self, make_closure};
    use crate::value::Handle;
    use weir_abi::context::Ctx;

    extern "C" fn nothing(_: *mut Ctx, _: Word, _: Word) -> Word {
        0
    }

    /// Puts a closure off in that run; its word.
    fn put_off(scope: &mut Scope, run: u64) -> Word {
        let closure = make_closure(scope, nothing);
        let word = Handle::word(closure.get());
        let outer = scope.set_running(run);
        scope.push_deferred(closure);
        scope.set_running(outer);
        word
    }

    fn give_up(scope: &mut Scope, closures: Vec<Own<Closure>>) -> Vec<Word> {
        let words = closures.iter().map(|closure| Handle::word(closure.get())).collect();
        closures.into_iter().for_each(|closure| scope.give_up(closure));
        words
    }

    #[test]
    fn a_fiber_takes_its_own_off_down_to_a_depth() {
        let scope = &mut testing::scope();
        let (parent, child) = (scope.number_run(), scope.number_run());
        let first = put_off(scope, parent);
        put_off(scope, child);
        let second = put_off(scope, parent);
        scope.set_running(parent);
        assert_eq!(scope.deferred_depth(), 2);
        let taken = scope.pop_deferred(1);
        assert_eq!(give_up(scope, taken.into_iter().collect()), [second]);
        assert!(scope.pop_deferred(1).is_none());
        let taken = scope.pop_deferred(0);
        assert_eq!(give_up(scope, taken.into_iter().collect()), [first]);
        assert!(scope.pop_deferred(0).is_none() && scope.has_deferred() && !scope.has_left());
        let left = scope.take_deferred();
        assert_eq!(give_up(scope, left).len(), 1);
        assert!(!scope.has_deferred() && scope.heap().live() == 0);
    }

    #[test]
    fn what_is_left_is_taken_children_first_and_the_last_first() {
        let scope = &mut testing::scope();
        let runs = [scope.number_run(), scope.number_run(), scope.number_run()];
        let words = [0, 1, 2, 0, 1].map(|at| put_off(scope, runs[at]));
        scope.leave_deferred(runs[0]);
        scope.leave_deferred(runs[1]);
        assert!(scope.has_left());
        let left = scope.take_deferred();
        // The third run is still on its way, which only the end of the scope stops.
        assert_eq!(give_up(scope, left), [words[4], words[1], words[3], words[0], words[2]]);
        assert!(!scope.has_deferred() && scope.heap().live() == 0);
    }
}
