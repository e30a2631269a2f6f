//! What natives do with a list that nobody else holds.
//!
//! In: lists. Out: lists. Invariant: between two steps the list owns what it counts, except where [`Change::close`] says so.

use super::{Change, REFS, WORDS, count_up, step_of};
use crate::heap::Word;
use crate::scope::Scope;
use crate::value::{Any, List, Own, Ref};
use weir_abi::trap::Trap;

/// Leaves it as it is.
pub struct Nothing;

impl Change for Nothing {
    fn step(&mut self, _: &mut Scope, _: List) -> Result<bool, Trap> {
        Ok(true)
    }

    fn close(self, _: &mut Scope, _: List) {}
}

/// Puts an element, which it owns, behind the others. There is room.
pub struct Push {
    item: Option<Any>,
    is_ref: bool,
}

impl Push {
    /// Of an element of a list like that.
    pub fn new(item: Any, list: List) -> Self {
        Self { item: Some(item), is_ref: list.has_refs() }
    }
}

impl Change for Push {
    fn step(&mut self, _: &mut Scope, list: List) -> Result<bool, Trap> {
        if let Some(item) = self.item.take() {
            list.append(&[item.word()]);
        }
        Ok(true)
    }

    fn close(self, scope: &mut Scope, _: List) {
        if let Some(item) = self.item.filter(|_| self.is_ref) {
            // SAFETY: the item came owned, and lists of references hold references.
            unsafe { scope.drop_word(item.word()) };
        }
    }
}

/// Puts an element in front of that at an index: behind the others first, from where it moves on piece by piece.
pub struct Insert {
    push: Push,
    index: usize,
    /// Where the element is.
    at: usize,
}

impl Insert {
    /// At an index of a list like that.
    pub fn new(item: Any, list: List, index: usize) -> Self {
        Self { push: Push::new(item, list), index, at: list.len() }
    }
}

impl Change for Insert {
    fn step(&mut self, scope: &mut Scope, list: List) -> Result<bool, Trap> {
        self.push.step(scope, list)?;
        let from = self.index.max(self.at.saturating_sub(WORDS));
        list.words_mut()[from..=self.at].rotate_right(1);
        self.at = from;
        Ok(from == self.index)
    }

    fn close(self, scope: &mut Scope, list: List) {
        self.push.close(scope, list);
    }
}

/// Takes the element at an index out, which moves behind the others piece by piece.
pub struct Remove {
    /// Where the element is.
    at: usize,
    taken: Word,
}

impl Remove {
    /// At an index of the list.
    pub fn new(index: usize) -> Self {
        Self { at: index, taken: 0 }
    }
}

impl Change for Remove {
    fn step(&mut self, _: &mut Scope, list: List) -> Result<bool, Trap> {
        let last = list.len() - 1;
        let to = last.min(self.at + WORDS);
        list.words_mut()[self.at..=to].rotate_left(1);
        self.at = to;
        if to < last {
            return Ok(false);
        }
        self.taken = list.words()[last];
        list.shorten(last);
        Ok(true)
    }

    fn second(&self) -> Option<Word> {
        Some(self.taken)
    }

    fn close(self, _: &mut Scope, _: List) {}
}

/// Gives up all elements behind the first ones.
pub struct Truncate {
    /// How many stay.
    pub len: usize,
}

impl Change for Truncate {
    fn step(&mut self, scope: &mut Scope, list: List) -> Result<bool, Trap> {
        if !list.has_refs() {
            list.shorten(list.len().min(self.len));
            return Ok(true);
        }
        for _ in 0..REFS {
            let Some(last) = list.len().checked_sub(1).filter(|last| *last >= self.len) else {
                return Ok(true);
            };
            let word = list.words()[last];
            list.shorten(last);
            // SAFETY: the reference of an element that the list forgot.
            unsafe { scope.drop_word(word) };
            if scope.heap().has_late() {
                scope.free_late();
                return Ok(false);
            }
        }
        Ok(false)
    }

    fn close(self, _: &mut Scope, _: List) {}
}

/// Leaves the elements from an index on up to another.
pub struct Cut {
    low: usize,
    /// What is behind them goes first.
    end: Truncate,
    /// How many of the first elements are given up: 0 stands in their places.
    dropped: usize,
    /// How many were moved to the front; as many in front of the others are no elements any more.
    moved: usize,
}

impl Cut {
    /// The elements from `low` up to `high`.
    pub fn new(low: usize, high: usize) -> Self {
        Self { low, end: Truncate { len: high }, dropped: 0, moved: 0 }
    }
}

impl Change for Cut {
    fn step(&mut self, scope: &mut Scope, list: List) -> Result<bool, Trap> {
        if list.len() > self.end.len && !self.end.step(scope, list)? {
            return Ok(false);
        }
        for _ in 0..REFS {
            if !list.has_refs() || self.dropped == self.low {
                break;
            }
            let word = std::mem::take(&mut list.words_mut()[self.dropped]);
            self.dropped += 1;
            // SAFETY: the reference of an element that the list forgot.
            unsafe { scope.drop_word(word) };
            if scope.heap().has_late() {
                scope.free_late();
                return Ok(false);
            }
        }
        if list.has_refs() && self.dropped < self.low {
            return Ok(false);
        }
        let left = list.len() - self.low - self.moved;
        let from = self.low + self.moved;
        list.words_mut().copy_within(from..from + left.min(WORDS), self.moved);
        self.moved += left.min(WORDS);
        if left > WORDS {
            return Ok(false);
        }
        list.shorten(self.moved);
        Ok(true)
    }

    fn close(self, _: &mut Scope, list: List) {
        if self.moved > 0 {
            list.words_mut()[self.moved..self.moved + self.low].fill(0);
        }
    }
}

/// Puts the elements of another list behind its own. There is room.
pub struct Append {
    other: Option<Own<List>>,
    /// How many it had itself.
    len: usize,
    /// How many of the other's it has.
    at: usize,
    /// The references move, for nobody else holds the other list.
    moves: bool,
}

impl Append {
    /// Of `other` behind the elements of a list like that.
    pub fn new(list: List, other: Own<List>) -> Self {
        let moves = other.get().object().is_unique();
        Self { other: Some(other), len: list.len(), at: 0, moves }
    }
}

impl Change for Append {
    fn step(&mut self, scope: &mut Scope, list: List) -> Result<bool, Trap> {
        let Some(other) = self.other.as_ref().map(Own::get) else { return Ok(true) };
        let most = if self.moves { WORDS } else { step_of(other) };
        let words = &other.words()[self.at..other.len().min(self.at + most)];
        list.append(words);
        if other.has_refs() && !self.moves {
            count_up(words);
        }
        self.at += words.len();
        if self.at < other.len() {
            return Ok(false);
        }
        if self.moves {
            other.shorten(0);
        }
        self.other.take().into_iter().for_each(|other| scope.give_up(other));
        Ok(true)
    }

    fn close(self, scope: &mut Scope, list: List) {
        let Some(other) = self.other else { return };
        if self.moves && self.at > 0 {
            list.shorten(self.len);
        }
        scope.give_up(other);
    }
}

/// Turns it round.
#[derive(Default)]
pub struct Reverse {
    /// How many elements at either end are in their places.
    done: usize,
}

impl Change for Reverse {
    fn step(&mut self, _: &mut Scope, list: List) -> Result<bool, Trap> {
        let words = list.words_mut();
        let (half, len) = (words.len() / 2, words.len());
        let to = half.min(self.done + WORDS);
        let (front, back) = words.split_at_mut(half);
        let back = &mut back[len - half - to..len - half - self.done];
        front[self.done..to].iter_mut().zip(back.iter_mut().rev()).for_each(|(a, b)| std::mem::swap(a, b));
        self.done = to;
        Ok(to == half)
    }

    fn close(self, _: &mut Scope, _: List) {}
}
