//! Sources that are there: the elements of a list, the Ints of a range.

use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::value::{Any, Handle, List, Own};
use std::task::{Context, Poll};

/// The elements of a list.
pub struct Elements {
    list: Own<List>,
    at: usize,
}

impl Elements {
    /// All of them.
    pub fn new(list: Own<List>) -> Self {
        Self { list, at: 0 }
    }
}

impl Source for Elements {
    fn poll_next(&mut self, scope: &mut Scope, _: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        Poll::Ready(self.ready_next(scope))
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let list = self.list.get();
        let word = list.words().get(self.at).copied()?;
        self.at += 1;
        // SAFETY: an element of a list that this source holds.
        let element = unsafe { <Any as crate::value::Arg>::from_word(word) };
        Some(Ok(Handle::word(scope.dup_any(element, list.has_refs()))))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        scope.give_up(self.list);
    }
}

/// The Ints of a range.
pub struct Ints {
    next: i64,
    /// How many are left: up to 2^64.
    left: u128,
}

impl Ints {
    /// From `low` up to `end`.
    pub fn new(low: i64, end: i128) -> Self {
        Self { next: low, left: (end - low as i128).max(0) as u128 }
    }
}

impl Source for Ints {
    fn poll_next(&mut self, scope: &mut Scope, _: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        Poll::Ready(self.ready_next(scope))
    }

    fn ready_next(&mut self, _: &mut Scope) -> Option<Result<Word, Failure>> {
        if self.left == 0 {
            return None;
        }
        let item = self.next;
        self.next = item.wrapping_add(1);
        self.left -= 1;
        Some(Ok(item as Word))
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}
