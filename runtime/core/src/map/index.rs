//! The index of a Map: slots by hash, linear probing, no tombstones.
//!
//! ```text
//! BYTES object   24 slots:u64, a power of two   32 slot 0   40 slot 1 ...   one hole bit per slot, in words
//! slot           0 when free, else the entry's number + 1 in the low half, its hash in the high half
//! ```
//! In: hashes and numbers of entries. Out: numbers of entries. Invariants: at most three quarters of the slots are in use;
//! between the slot that a hash leads to and its own slot none is free. A hole bit belongs to the number of an entry.
//! Not here: keys (`key`), the lists of entries (`map`).

use crate::heap::{Full, Obj};
use crate::scope::Scope;
use std::ops::Range;
use weir_abi::layout::{self, shape};

const COUNT: i32 = layout::TEXT_DATA;
const SLOTS: i32 = COUNT + 8;

/// An index.
#[derive(Clone, Copy, Debug)]
pub struct Index(Obj);

/// How many slots there are for `capacity` entries.
fn slots_for(capacity: usize) -> usize {
    (capacity * 4).div_ceil(3).next_power_of_two()
}

/// How many words hold the hole bits of so many slots.
fn hole_words(slots: usize) -> usize {
    slots.div_ceil(64)
}

impl Index {
    /// An index for `capacity` entries, which is empty once all its words are cleared.
    pub fn new(scope: &mut Scope, capacity: usize) -> Result<Self, Full> {
        /// Offsets within an object are of 31 bits.
        const MOST: usize = 1 << 26;
        if capacity > MOST {
            return Err(Full);
        }
        let slots = slots_for(capacity);
        let words = 1 + slots + hole_words(slots);
        let object =
            scope.heap_mut().alloc(layout::TEXT_DATA as usize + 8 * words, layout::header(shape::BYTES))?;
        object.set(layout::LEN, 8 * words as u64);
        object.set(layout::TEXT_PTR, object.word() + layout::TEXT_DATA as u64);
        object.set(COUNT, slots as u64);
        Ok(Self(object))
    }

    /// The index that an object is.
    pub fn of(object: Obj) -> Self {
        Self(object)
    }

    /// Its object.
    pub fn object(self) -> Obj {
        self.0
    }

    /// How many words there are to clear.
    pub fn words(self) -> usize {
        self.slots() + hole_words(self.slots())
    }

    /// Clears these words.
    pub fn clear(self, words: Range<usize>) {
        words.for_each(|at| self.set_slot(at, 0));
    }

    /// How many slots.
    pub fn slots(self) -> usize {
        self.0.get(COUNT) as usize
    }

    #[inline(always)]
    fn slot(self, at: usize) -> u64 {
        self.0.get(SLOTS + 8 * at as i32)
    }

    #[inline(always)]
    fn set_slot(self, at: usize, slot: u64) {
        self.0.set(SLOTS + 8 * at as i32, slot);
    }

    /// The entry of that hash for which `is_it` holds.
    #[inline]
    pub fn find(self, hash: u32, mut is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        let mask = self.slots() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slot(at);
            if slot == 0 {
                return None;
            }
            if (slot >> 32) as u32 == hash {
                let entry = slot as u32 as usize - 1;
                if is_it(entry) {
                    return Some(entry);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds an entry that is not there.
    #[inline]
    pub fn insert(self, hash: u32, entry: usize) {
        let mask = self.slots() - 1;
        let mut at = hash as usize & mask;
        while self.slot(at) != 0 {
            at = (at + 1) & mask;
        }
        self.set_slot(at, (hash as u64) << 32 | (entry as u64 + 1));
    }

    /// Takes an entry out; those behind it that it kept from their place move up (Knuth, TAOCP 6.4, algorithm R).
    pub fn remove(self, hash: u32, entry: usize) {
        let mask = self.slots() - 1;
        let mut free = hash as usize & mask;
        while self.slot(free) as u32 as usize != entry + 1 {
            free = (free + 1) & mask;
        }
        let mut at = free;
        loop {
            at = (at + 1) & mask;
            let slot = self.slot(at);
            if slot == 0 {
                break;
            }
            let home = (slot >> 32) as usize & mask;
            // Whether `free` lies on the way from `home` to `at`.
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(free) & mask {
                self.set_slot(free, slot);
                free = at;
            }
        }
        self.set_slot(free, 0);
    }

    /// The hash and number of each entry in these slots, in no order.
    pub fn entries(self, slots: Range<usize>) -> impl Iterator<Item = (u32, usize)> {
        let slots = slots.map(move |at| self.slot(at));
        slots.filter(|slot| *slot != 0).map(|slot| ((slot >> 32) as u32, slot as u32 as usize - 1))
    }

    fn hole(self, entry: usize) -> (usize, u64) {
        (self.slots() + entry / 64, 1 << (entry % 64))
    }

    /// Whether the entry of that number was removed.
    #[inline]
    pub fn is_hole(self, entry: usize) -> bool {
        let (word, bit) = self.hole(entry);
        self.slot(word) & bit != 0
    }

    /// The hole bits of the entries from `64 * at` on.
    #[inline]
    pub fn hole_word(self, at: usize) -> u64 {
        self.slot(self.slots() + at)
    }

    /// Forgets the holes in front of `end` up to the last entry; the number behind that.
    pub fn cut_holes(self, mut end: usize) -> usize {
        while end > 0 && self.is_hole(end - 1) {
            let before = end - 1;
            if end.is_multiple_of(64) && self.hole_word(before / 64) == u64::MAX {
                self.set_slot(self.slots() + before / 64, 0);
                end -= 64;
            } else {
                self.set_hole(before, false);
                end = before;
            }
        }
        end
    }

    /// Notes that the entry of that number was, or was not, removed.
    pub fn set_hole(self, entry: usize, removed: bool) {
        let (word, bit) = self.hole(entry);
        let others = self.slot(word) & !bit;
        self.set_slot(word, if removed { others | bit } else { others });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn there_is_always_a_free_slot() {
        for capacity in 0..10_000 {
            let slots = slots_for(capacity);
            assert!(capacity < slots && capacity * 4 <= slots * 3, "{capacity}");
        }
    }

    fn empty(scope: &mut Scope, capacity: usize) -> Index {
        let index = Index::new(scope, capacity).expect("room");
        index.clear(0..index.words());
        index
    }

    #[test]
    fn entries_of_one_hash_are_all_found_until_removed() {
        let scope = &mut testing::scope();
        let index = empty(scope, 24);
        let hash = |entry: usize| if entry.is_multiple_of(2) { 31 } else { 30 };
        (0..24).for_each(|entry| index.insert(hash(entry), entry));
        for removed in [4, 0, 23, 7, 1] {
            index.remove(hash(removed), removed);
            assert_eq!(index.find(hash(removed), |entry| entry == removed), None);
        }
        for entry in (0..24).filter(|entry| ![4, 0, 23, 7, 1].contains(entry)) {
            assert_eq!(index.find(hash(entry), |found| found == entry), Some(entry));
        }
        assert_eq!(index.entries(0..index.slots()).count(), 19);
    }

    #[test]
    fn holes_are_remembered_by_number() {
        let scope = &mut testing::scope();
        let index = empty(scope, 100);
        index.set_hole(70, true);
        assert!(index.is_hole(70) && !index.is_hole(6) && !index.is_hole(71));
        index.set_hole(70, false);
        assert!(!index.is_hole(70));
    }

    #[test]
    fn holes_at_the_end_are_forgotten() {
        let scope = &mut testing::scope();
        let index = empty(scope, 300);
        for (first, last) in [(5, 5), (60, 270), (0, 270), (128, 192), (64, 128), (63, 129)] {
            (first..last).for_each(|entry| index.set_hole(entry, true));
            index.set_hole(3, true);
            let expected = if first <= 3 { 0 } else { first };
            assert_eq!(index.cut_holes(last), expected);
            (0..last).for_each(|entry| {
                assert_eq!(index.is_hole(entry), entry == 3 && expected > 3);
                index.set_hole(entry, false);
            });
        }
    }
}
