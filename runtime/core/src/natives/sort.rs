//! Natives of `list.weir` that put elements in order.
//!
//! ```text
//! short lists   sorted where they are
//! long lists    run run run run ...      each sorted where it is
//!               run─────run run─────run  merged pairwise into a spare list, and back, pass by pass
//! ```
//! In: a list, or the indexes of one. Out: the same in order, equal ones as they stood. In steps: nobody waits for a long sort.
//! Invariant: one of both places holds every element exactly once at any time, see [`Sorting::is_spare_source`].

use super::Flow;
use crate::heap::{Full, Word};
use crate::lists::{Change, change};
use crate::order::compare;
use crate::scope::Scope;
use crate::value::{Any, Arg, List, Own, Text};
use std::cell::Cell;
use std::cmp::Ordering;
use weir_abi::layout::shape;
use weir_abi::trap::Trap;
use weir_abi::types::{TypeDesc, TypeId};

/// How many numbers are sorted at once: half a millisecond's worth.
const NUMBERS: usize = if cfg!(feature = "stress") { 4 } else { 16 * 1024 };
/// How many values of other types: a comparison may take long, so that a few hundred are enough for a step.
const OTHERS: usize = if cfg!(feature = "stress") { 4 } else { 64 };
/// What a step may cost; a comparison of numbers costs 1, one of Texts more by each [`BYTES`] of theirs.
const STEP: usize = if cfg!(feature = "stress") { 2 } else { 20_000 };
/// What it costs more to look at an element by its index, which may lie anywhere.
const FAR: usize = 7;
/// So many bytes are compared in about the time of a few numbers.
const BYTES: usize = 64;

/// How elements compare.
#[derive(Clone, Copy)]
enum By {
    Number,
    Text,
    /// By the values of that type.
    Value(TypeId),
}

/// A list that is being sorted.
struct Sorting {
    /// The list that the elements are indexes of, which the caller holds.
    of: Option<List>,
    by: By,
    len: usize,
    /// The other place of the elements; empty when the list is one run, and before the first step.
    spare: Vec<Word>,
    /// The runs are sorted, and merged.
    is_merging: bool,
    /// The elements are in `spare`, and are merged into the list. The last pass ends in the list.
    is_spare_source: bool,
    /// How long the sorted runs are.
    width: usize,
    /// Where the pass is: elements in front of it are in order in runs twice as long, or sorted runs.
    at: usize,
    /// How far the two runs of `at` are merged.
    taken: (usize, usize),
}

/// The elements in order, equal ones as they stood.
pub fn list_sort(scope: &mut Scope, ty: TypeId, list: Own<List>) -> Result<Flow, Trap> {
    let len = list.get().len();
    let sorting = Sorting::new(scope, ty, len, None);
    change(scope, list, 0..len, 0, sorting)
}

/// The indexes of the elements in the order in which sorting puts them.
pub fn list_order(scope: &mut Scope, ty: TypeId, list: List) -> Result<Flow, Trap> {
    let made = scope.list(shape::LIST_WORD, list.len())?;
    let sorting = Sorting::new(scope, ty, list.len(), Some(list));
    change(scope, made, 0..0, 0, sorting)
}

impl By {
    /// The order of two values, and what it cost to tell.
    fn order(self, types: &[TypeDesc], cost: &Cell<usize>, a: Word, b: Word) -> Ordering {
        match self {
            By::Number => {
                cost.set(cost.get() + 1);
                (a as i64).cmp(&(b as i64))
            }
            By::Text => {
                let (a, b): (Text, Text) = (any(a).as_arg(), any(b).as_arg());
                let (a, b) = (a.as_bytes(), b.as_bytes());
                cost.set(cost.get() + 8 + a.len().min(b.len()) / BYTES);
                if std::ptr::eq(a, b) { Ordering::Equal } else { a.cmp(b) }
            }
            By::Value(ty) => {
                cost.set(cost.get() + 32);
                compare(types, ty, any(a), any(b))
            }
        }
    }
}

/// An element of a list that is held.
fn any(word: Word) -> Any {
    // SAFETY: the word of an element, which the list holds.
    unsafe { Any::from_word(word) }
}

impl Change for Sorting {
    fn step(&mut self, scope: &mut Scope, list: List) -> Result<bool, Trap> {
        let app = scope.app().clone();
        let types = &app.module().types;
        let cost = Cell::new(0);
        let (by, of) = (self.by, self.of);
        let order = |a: &Word, b: &Word| match &of {
            Some(list) => {
                cost.set(cost.get() + FAR);
                by.order(types, &cost, list.words()[*a as usize], list.words()[*b as usize])
            }
            None => by.order(types, &cost, *a, *b),
        };
        self.make_spare(scope)?;
        while !self.is_merging {
            self.sort_run(list, order);
            if cost.get() >= STEP {
                return Ok(false);
            }
        }
        while self.width < self.len {
            self.merge(list, &cost, &order);
            if cost.get() >= STEP {
                return Ok(false);
            }
        }
        self.end(scope, list);
        Ok(true)
    }

    fn close(mut self, scope: &mut Scope, list: List) {
        self.end(scope, list);
    }
}

impl Sorting {
    /// Of `len` elements of type `ty`, or of the indexes of those of `of`.
    fn new(scope: &Scope, ty: TypeId, len: usize, of: Option<List>) -> Self {
        let by = match scope.type_desc(ty) {
            TypeDesc::Int | TypeDesc::Duration | TypeDesc::Time => By::Number,
            TypeDesc::Text => By::Text,
            _ => By::Value(ty),
        };
        let width = match by {
            By::Number if of.is_none() => NUMBERS,
            By::Number => (NUMBERS / FAR).max(4),
            _ => OTHERS,
        };
        let (is_merging, is_spare_source) = (false, false);
        Self { of, by, len, spare: Vec::new(), is_merging, is_spare_source, width, at: 0, taken: (0, 0) }
    }

    /// Sees to the other place, if there has to be one.
    fn make_spare(&mut self, scope: &mut Scope) -> Result<(), Full> {
        if self.spare.is_empty() && self.len > self.width {
            scope.heap_mut().charge(8 * self.len)?;
            self.spare = vec![0; self.len];
        }
        Ok(())
    }

    /// Sorts the next run; behind the last one merging begins.
    fn sort_run(&mut self, list: List, order: impl Fn(&Word, &Word) -> Ordering) {
        let end = self.len.min(self.at + self.width);
        if self.of.is_some() {
            (self.at..end).for_each(|index| list.append(&[index as Word]));
        }
        let run = &mut list.words_mut()[self.at..end];
        run.sort_by(order);
        let passes = self.len.div_ceil(self.width).next_power_of_two().trailing_zeros();
        let is_odd = passes % 2 == 1;
        if is_odd {
            self.spare[self.at..end].copy_from_slice(run);
        }
        self.at = end;
        if end == self.len {
            (self.at, self.is_merging, self.is_spare_source) = (0, true, is_odd);
        }
    }

    /// Merges on until a step's cost is spent, the two runs are merged, or the pass is over.
    fn merge(&mut self, list: List, cost: &Cell<usize>, order: &impl Fn(&Word, &Word) -> Ordering) {
        let len = self.len;
        let (source, target): (&[Word], &mut [Word]) = match self.is_spare_source {
            true => (&self.spare, list.words_mut()),
            false => (list.words(), &mut self.spare),
        };
        let middle = len.min(self.at + self.width);
        let end = len.min(middle + self.width);
        let (left, right) = (&source[self.at..middle], &source[middle..end]);
        let target = &mut target[self.at..end];
        let (mut i, mut j) = self.taken;
        while i < left.len() && j < right.len() && cost.get() < STEP {
            let is_right = order(&right[j], &left[i]).is_lt();
            target[i + j] = if is_right { right[j] } else { left[i] };
            i += usize::from(!is_right);
            j += usize::from(is_right);
        }
        // What is left of one of them, when the other is used up; copying costs little, but not nothing.
        while cost.get() < STEP && (i < left.len()) != (j < right.len()) {
            let rest = if i < left.len() { &left[i..] } else { &right[j..] };
            let count = rest.len().min(8 * STEP);
            target[i + j..i + j + count].copy_from_slice(&rest[..count]);
            if i < left.len() {
                i += count
            } else {
                j += count
            }
            cost.set(cost.get() + count / 8 + 1);
        }
        self.taken = (i, j);
        if i + j == target.len() {
            self.taken = (0, 0);
            self.at = end;
            if end == len {
                self.at = 0;
                self.width *= 2;
                self.is_spare_source = !self.is_spare_source;
            }
        }
    }

    /// Puts every element into the list, and gives the spare place back.
    fn end(&mut self, scope: &mut Scope, list: List) {
        if self.is_spare_source {
            list.words_mut().copy_from_slice(&self.spare);
        }
        scope.heap_mut().uncharge(8 * self.spare.len());
        self.spare = Vec::new();
    }
}
