//! New parts for a map, made in steps: with other room, without holes, or because somebody else holds the old ones.
//!
//! ```text
//! Clear the new index ──▶ Rank the old holes ──▶ Slots of the old index into the new one ──▶ Keys ──▶ Values ──▶ Done
//! ```
//! In: a map, and room for at least its entries. Out: the map in parts that nobody else holds, its entries numbered without holes.
//! Invariants: the old map stays as it is until all parts are made. References whose old list goes with the map move, and belong to
//! it until then; others are counted as they are copied.
//! Not here: when a map needs other parts (`changes`).

use super::{EntryTypes, FEW, Index, Keys, Map, list_shape};
use crate::heap::{Full, Obj, Word};
use crate::lists::count_up;
use crate::scope::Scope;
use crate::value::{Handle, List, Own, Ref};
use std::ops::Range;
use weir_abi::layout::{map as at, shape};
use weir_abi::types::TypeDesc;

/// How many words are cleared or copied in the time in which a slot finds its place, or a reference is counted.
const WORDS_A_UNIT: usize = 4;

/// A map whose new parts are being made.
pub struct Rebuild {
    of: EntryTypes,
    old: Own<Map>,
    keys: Part,
    /// A Set has none.
    values: Option<Part>,
    index: Option<Index>,
    /// How many holes stand in front of each 64 entries of the old map, if it has any.
    ranks: Vec<u32>,
    stage: Stage,
}

/// What is done next, and how far that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Clear(usize),
    Rank(usize),
    Slots(usize),
    Keys(usize),
    Values(usize),
    Done,
}

/// A new list.
#[derive(Clone, Copy)]
struct Part {
    /// The old one, if there was one.
    from: Option<List>,
    to: List,
    /// The references move.
    moves: bool,
}

impl Rebuild {
    /// Begins with new parts for `capacity` entries. Without room for them the map is given up.
    pub fn new(scope: &mut Scope, of: EntryTypes, map: Own<Map>, capacity: usize) -> Result<Self, Full> {
        let app = scope.app().clone();
        let types = &app.module().types[..];
        let old = map.get();
        let part = |scope: &mut Scope, from: Option<List>, is_ref| {
            let to = scope.list(list_shape(is_ref), capacity)?.get();
            let moves = from.is_some_and(|from| old.0.is_unique() && from.object().is_unique());
            Ok(Part { from, to, moves })
        };
        let keys = match part(scope, old.keys(), of.key_is_ref(types)) {
            Ok(keys) => keys,
            Err(full) => {
                scope.give_up(map);
                return Err(full);
            }
        };
        let stage = Stage::Clear(0);
        let mut made = Self { of, old: map, keys, values: None, index: None, ranks: Vec::new(), stage };
        let mut others = || {
            if of.value.is_some() {
                made.values = Some(part(scope, old.values(), of.value_is_ref(types))?);
            }
            if capacity > FEW {
                made.index = Some(Index::new(scope, capacity)?);
            }
            Ok(())
        };
        if let Err(full) = others() {
            made.close(scope);
            return Err(full);
        }
        scope.count_copy(old.0);
        [old.keys(), old.values()].into_iter().flatten().for_each(|list| scope.count_copy(list.object()));
        Ok(made)
    }

    /// Goes on: a unit is a slot that finds its place, or a reference that is counted. Whether all parts are made.
    pub fn step(&mut self, types: &[TypeDesc], units: usize) -> bool {
        let mut left = units;
        loop {
            if self.stage == Stage::Done {
                return true;
            }
            if left == 0 {
                return false;
            }
            self.stage = match self.stage {
                Stage::Clear(at) => self.clear(at, &mut left),
                Stage::Rank(at) => self.rank(at, &mut left),
                Stage::Slots(at) => self.slots(types, at, &mut left),
                Stage::Keys(at) => self.copy(Some(self.keys), at, &mut left, Stage::Keys, Stage::Values(0)),
                Stage::Values(at) => self.copy(self.values, at, &mut left, Stage::Values, Stage::Done),
                Stage::Done => Stage::Done,
            };
        }
    }

    fn clear(&self, at: usize, left: &mut usize) -> Stage {
        let Some(index) = self.index else { return Stage::Keys(0) };
        let part = next(at, index.words(), left, WORDS_A_UNIT);
        index.clear(part.clone());
        if part.end < index.words() { Stage::Clear(part.end) } else { Stage::Rank(0) }
    }

    fn rank(&mut self, at: usize, left: &mut usize) -> Stage {
        let old = self.old.get();
        let Some(before) = old.index().filter(|_| old.has_holes()) else { return Stage::Slots(0) };
        let words = old.end().div_ceil(64);
        let part = next(at, words, left, WORDS_A_UNIT);
        let mut holes = match part.start.checked_sub(1) {
            Some(last) => self.ranks[last] + before.hole_word(last).count_ones(),
            None => 0,
        };
        for at in part.clone() {
            self.ranks.push(holes);
            holes += before.hole_word(at).count_ones();
        }
        if part.end < words { Stage::Rank(part.end) } else { Stage::Slots(0) }
    }

    fn slots(&self, types: &[TypeDesc], at: usize, left: &mut usize) -> Stage {
        let (old, Some(index)) = (self.old.get(), self.index) else { return Stage::Keys(0) };
        let Some(before) = old.index() else {
            // A few entries.
            let keys = Keys::of(types, self.of.key);
            old.entries().for_each(|entry| index.insert(keys.hash(old.key(entry)), entry));
            return Stage::Keys(0);
        };
        let part = next(at, before.slots(), left, 1);
        for (hash, entry) in before.entries(part.clone()) {
            let number = match self.ranks.get(entry / 64) {
                Some(holes) => {
                    let own = before.hole_word(entry / 64) & ((1 << (entry % 64)) - 1);
                    entry - *holes as usize - own.count_ones() as usize
                }
                None => entry,
            };
            index.insert(hash, number);
        }
        if part.end < before.slots() { Stage::Slots(part.end) } else { Stage::Keys(0) }
    }

    fn copy(
        &self,
        part: Option<Part>,
        at: usize,
        left: &mut usize,
        more: fn(usize) -> Stage,
        then: Stage,
    ) -> Stage {
        let Some(Part { from: Some(from), to, moves }) = part else { return then };
        let (old, is_counted) = (self.old.get(), from.has_refs() && !moves);
        let per_unit = if is_counted || old.has_holes() { 1 } else { WORDS_A_UNIT };
        let part = next(at, old.end(), left, per_unit);
        let before = to.len();
        if old.has_holes() {
            for entry in part.clone().filter(|entry| old.is_entry(*entry)) {
                to.append(&[from.words()[entry]]);
            }
        } else {
            to.append(&from.words()[part.clone()]);
        }
        if is_counted {
            count_up(&to.words()[before..]);
        }
        if part.end < old.end() { more(part.end) } else { then }
    }

    /// The map with its new parts, once all are made.
    pub fn finish(self, scope: &mut Scope) -> Result<Own<Map>, Full> {
        debug_assert_eq!(self.stage, Stage::Done);
        let old = self.old.get();
        let words = self.words();
        // The head is the old one when nobody else has it.
        if !old.0.is_unique() {
            let [keys, values, index] = words;
            let words = [keys, values, index, (at::LEN, old.len() as u64)];
            return match scope.object(at::SIZE as usize, shape::MAP, &words) {
                Ok(head) => {
                    scope.give_up(self.old);
                    Ok(Own::new(Map(head)))
                }
                Err(full) => {
                    self.close(scope);
                    Err(full)
                }
            };
        }
        for from in self.moved().filter_map(|part| part.from) {
            from.shorten(0);
        }
        for (offset, word) in words {
            if let Some(part) = old.part(offset) {
                scope.give_up(Own::new(List::of(part)));
            }
            old.0.set(offset, word);
        }
        Ok(self.old)
    }

    /// Gives everything up.
    pub fn close(self, scope: &mut Scope) {
        self.moved().for_each(|part| part.to.shorten(0));
        for (_, word) in self.words() {
            // SAFETY: a part that nobody else holds, or 0.
            unsafe { scope.drop_word(word) };
        }
        scope.give_up(self.old);
    }

    fn moved(&self) -> impl Iterator<Item = Part> {
        [Some(self.keys), self.values].into_iter().flatten().filter(|part| part.moves)
    }

    fn words(&self) -> [(i32, Word); 3] {
        [
            (at::KEYS, self.keys.to.word()),
            (at::VALUES, self.values.map_or(0, |part| part.to.word())),
            (at::INDEX, self.index.map_or(0, |index| Obj::word(index.object()))),
        ]
    }
}

/// The next part of `0..end` from `at` on, as far as so many units go, which are taken off.
fn next(at: usize, end: usize, left: &mut usize, per_unit: usize) -> Range<usize> {
    let part = at..end.min(at.saturating_add(left.saturating_mul(per_unit)));
    *left -= part.len().div_ceil(per_unit);
    part
}
