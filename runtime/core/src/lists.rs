//! Long lists that are copied or changed, in steps.
//!
//! ```text
//! change(list, keep, how)   shared: its elements `keep` are copied ──┐
//!                           held by the caller alone ────────────────┴──▶ how.step, how.step, ... ──▶ the list
//! ```
//! In: lists that are owned. Out: lists that nobody else holds. Invariants: between two steps each list owns the elements that it
//! counts; what is short is done in one step, without an allocation for the work itself.

mod changes;

pub use changes::{Append, Cut, Insert, Nothing, Push, Remove, Reverse, Truncate};

use crate::heap::{Full, Obj, Word};
use crate::natives::Flow;
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::value::{Gives, List, Own, Ref};
use std::ops::Range;
use weir_abi::layout;
use weir_abi::trap::Trap;

/// How many words are moved in a step: with those of fresh memory less than a hundred microseconds.
pub const WORDS: usize = if cfg!(feature = "stress") { 8 } else { 16 * 1024 };
/// How many references are counted in a step, each of an object that may be anywhere.
pub const REFS: usize = if cfg!(feature = "stress") { 4 } else { 4096 };
/// Room of the smallest list that was pushed to: with it the object fills a cell of 64 bytes.
const FIRST_CAPACITY: usize = 5;

/// How much of a list is copied in a step.
pub fn step_of(list: List) -> usize {
    if list.has_refs() { REFS } else { WORDS }
}

/// Counts the references of words that a list of references holds.
pub fn count_up(words: &[Word]) {
    for word in words {
        // SAFETY: the elements of a list of references, which are references or 0.
        if let Some(object) = unsafe { Obj::from_word(*word) } {
            object.dup();
        }
    }
}

/// Elements of a list on their way into another one. Whoever has it holds the old list as it is.
pub struct ListCopy {
    from: List,
    to: Own<List>,
    /// What is still to be copied.
    rest: Range<usize>,
    /// The references move, for the old list goes.
    moves: bool,
}

impl ListCopy {
    /// Begins a copy of the elements `range`, in a list with that capacity. With `moves`, which is for all elements of a list that
    /// nobody else holds, the old list is empty afterwards.
    pub fn new(
        scope: &mut Scope,
        from: List,
        range: Range<usize>,
        capacity: usize,
        moves: bool,
    ) -> Result<Self, Full> {
        let to = scope.list(from.object().shape(), capacity)?;
        Ok(Self { from, to, rest: range, moves })
    }

    /// Copies some; whether all are.
    pub fn step(&mut self) -> bool {
        let most = if self.moves { WORDS } else { step_of(self.from) };
        let part = self.rest.start..self.rest.end.min(self.rest.start + most);
        self.rest.start = part.end;
        let words = &self.from.words()[part];
        self.to.get().append(words);
        if self.from.has_refs() && !self.moves {
            count_up(words);
        }
        self.rest.is_empty()
    }

    /// The whole copy.
    pub fn finish(self) -> Own<List> {
        if self.moves {
            self.from.object().set(layout::LEN, 0);
        }
        self.to
    }

    /// Gives the copy up.
    pub fn close(self, scope: &mut Scope) {
        if self.moves {
            self.to.get().shorten(0);
        }
        scope.give_up(self.to);
    }
}

/// What is done with a list that nobody else holds.
pub trait Change {
    /// Does some of it; whether all is done. Not called again after that.
    fn step(&mut self, scope: &mut Scope, list: List) -> Result<bool, Trap>;

    /// The element that was taken out, for a native that gives it besides the list.
    fn second(&self) -> Option<Word> {
        None
    }

    /// Sees to it that the list owns what it counts, and gives up what the change owns itself.
    fn close(self, scope: &mut Scope, list: List);
}

/// Changes a list: itself where only the caller holds it, else a copy of its elements `keep`. It gets room for `more` elements.
pub fn change<C: Change + 'static>(
    scope: &mut Scope,
    list: Own<List>,
    keep: Range<usize>,
    more: usize,
    change: C,
) -> Result<Flow, Trap> {
    if has_room(list.get(), more) {
        return changed(scope, list, change);
    }
    let changing = Changing::new(scope, list, keep, more, change)?;
    in_steps(scope, changing)
}

/// Whether a list that is owned has no other holder, and room for so many elements more.
fn has_room(list: List, more: usize) -> bool {
    list.object().is_unique() && list.capacity() - list.len() >= more
}

/// Changes a list that nobody else holds and that has room: mostly in a step, so that there is no more to it than that.
#[inline]
fn changed<C: Change + 'static>(scope: &mut Scope, list: Own<List>, mut change: C) -> Result<Flow, Trap> {
    if !change.step(scope, list.get())? {
        return in_steps(scope, Changing { state: State::Own(list), change });
    }
    if let Some(word) = change.second() {
        scope.worker().set_second(word);
    }
    Ok(Flow::Done(list.into_word()))
}

/// A list of the elements `range` of one that is given up.
pub fn part(scope: &mut Scope, list: Own<List>, range: Range<usize>) -> Result<Flow, Trap> {
    let count = range.len();
    let copying = Changing::copied(scope, list, range, count, Nothing)?;
    in_steps(scope, copying)
}

/// A list that is being changed.
struct Changing<C> {
    state: State,
    change: C,
}

enum State {
    /// It is being copied first; the old one.
    Copied(ListCopy, Own<List>),
    /// Nobody else holds it.
    Own(Own<List>),
    /// It was given.
    Nothing,
}

impl<C: Change> Changing<C> {
    /// See [`change`].
    fn new(
        scope: &mut Scope,
        list: Own<List>,
        keep: Range<usize>,
        more: usize,
        change: C,
    ) -> Result<Self, Trap> {
        let old = list.get();
        if has_room(old, more) {
            return Ok(Self { state: State::Own(list), change });
        }
        match scope.longer_list(list, more) {
            Ok(Ok(longer)) => Ok(Self { state: State::Own(longer), change }),
            Ok(Err(list)) => {
                let len = keep.len();
                // At least twice as much, so that a loop of pushes takes linear time.
                let roomy = len.saturating_mul(2).max(len.saturating_add(more)).max(FIRST_CAPACITY);
                Self::copied(scope, list, keep, if more > 0 { roomy } else { len }, change)
            }
            Err(full) => {
                // Which has not seen the list.
                change.close(scope, old);
                Err(full.into())
            }
        }
    }

    /// Of a copy of the elements `range` of a list, which is given up.
    fn copied(
        scope: &mut Scope,
        list: Own<List>,
        range: Range<usize>,
        capacity: usize,
        change: C,
    ) -> Result<Self, Trap> {
        let from = list.get();
        let moves = from.object().is_unique() && range.len() == from.len();
        scope.count_copy(from.object());
        match ListCopy::new(scope, from, range, capacity, moves) {
            Ok(copy) => Ok(Self { state: State::Copied(copy, list), change }),
            Err(full) => {
                change.close(scope, from);
                scope.give_up(list);
                Err(full.into())
            }
        }
    }
}

impl<C: Change> Work for Changing<C> {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        if let State::Copied(copy, old) = &mut self.state {
            let is_short = old.get().len() <= step_of(old.get());
            if !copy.step() {
                return Ok(None);
            }
            if let State::Copied(copy, old) = std::mem::replace(&mut self.state, State::Nothing) {
                self.state = State::Own(copy.finish());
                scope.give_up(old);
            }
            if !is_short {
                return Ok(None);
            }
        }
        let State::Own(list) = &self.state else { unreachable!("work is done once") };
        if !self.change.step(scope, list.get())? {
            return Ok(None);
        }
        if let Some(word) = self.change.second() {
            scope.worker().set_second(word);
        }
        let State::Own(list) = std::mem::replace(&mut self.state, State::Nothing) else {
            unreachable!("looked at above")
        };
        Ok(Some(list.into_word()))
    }

    fn close(self, scope: &mut Scope) {
        match self.state {
            State::Copied(copy, old) => {
                self.change.close(scope, old.get());
                copy.close(scope);
                scope.give_up(old);
            }
            State::Own(list) => {
                self.change.close(scope, list.get());
                scope.give_up(list);
            }
            State::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests;
