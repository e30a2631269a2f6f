//! Maps and Sets: entries in the order in which they were inserted, found by hash.
//!
//! ```text
//! MAP   len   keys ──▶ LIST [k0, k1, -, k3]     values ──▶ LIST [v0, v1, -, v3]     index ──▶ slots by hash (`index`)
//! ```
//! In: keys, values, how keys are compared. Out: numbers of entries, which `keys` and `values` have in common; changed maps.
//! Invariants: keys are different from each other; both lists have the same length. A map with room for more than [`FEW`]
//! entries has an index. There, an entry that is removed leaves a hole unless it was the last; without an index those behind
//! it move up. The word of a hole is 0. A map is changed in place when its parts have no other holder; else the parts that
//! change are copied. While it has no holes both lists may be handed out and walked over as they are.
//! Not here: how maps change (`changes`, `rebuild`), the natives (`natives::map`), text forms and equality of whole maps (`form`, `equal`).

pub mod changes;
mod index;
mod key;
mod rebuild;

pub use index::Index;
pub use key::Keys;

use crate::heap::{Full, Obj, Word};
use crate::scope::Scope;
use crate::value::{Any, Arg, Handle, List, Own, Ref};
use weir_abi::layout::{map as at, shape};
use weir_abi::types::{TypeDesc, TypeId};

/// Up to so many entries are looked through one by one.
const FEW: usize = 8;
/// Room of the lists of a map with its first entry: with it a list fills a cell of 64 bytes.
const FIRST_CAPACITY: usize = 5;
/// A map with more holes than entries, and than this, is packed.
const MANY_HOLES: usize = 32;

/// A Map, or a Set, which has no values.
#[derive(Clone, Copy, Debug)]
pub struct Map(Obj);

impl Arg for Map {
    #[inline(always)]
    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: the caller's promise. A reference that is no option's is never 0.
        Self(unsafe { Obj::from_word(word).unwrap_unchecked() })
    }
}

impl Handle for Map {
    fn word(self) -> Word {
        self.0.word()
    }
}

impl Ref for Map {
    fn of(object: Obj) -> Self {
        Self(object)
    }

    fn object(self) -> Obj {
        self.0
    }
}

/// The types of a map's keys and values; a Set has no values.
#[derive(Clone, Copy, Debug)]
pub struct EntryTypes {
    /// Of the keys.
    pub key: TypeId,
    /// Of the values.
    pub value: Option<TypeId>,
}

impl EntryTypes {
    fn key_is_ref(self, types: &[TypeDesc]) -> bool {
        types[self.key.0 as usize].is_ref()
    }

    fn value_is_ref(self, types: &[TypeDesc]) -> bool {
        self.value.is_some_and(|ty| types[ty.0 as usize].is_ref())
    }
}

fn list_shape(of_refs: bool) -> u32 {
    if of_refs { shape::LIST_REF } else { shape::LIST_WORD }
}

impl Map {
    /// How many entries.
    #[inline]
    pub fn len(self) -> usize {
        self.0.get(at::LEN) as usize
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn part(self, offset: i32) -> Option<Obj> {
        // SAFETY: a map holds its parts, or 0.
        unsafe { Obj::from_word(self.0.get(offset)) }
    }

    /// Its keys with the holes between them; `None` when nothing was inserted yet.
    pub fn keys(self) -> Option<List> {
        self.part(at::KEYS).map(List::of)
    }

    /// Its values, likewise; `None` for a Set.
    pub fn values(self) -> Option<List> {
        self.part(at::VALUES).map(List::of)
    }

    fn index(self) -> Option<Index> {
        self.part(at::INDEX).map(Index::of)
    }

    /// The number behind that of the last entry.
    #[inline]
    pub fn end(self) -> usize {
        self.keys().map_or(0, List::len)
    }

    /// Whether the lists have holes.
    #[inline]
    pub fn has_holes(self) -> bool {
        self.end() != self.len()
    }

    /// Whether `entry`, below `end`, is an entry and no hole.
    #[inline]
    pub fn is_entry(self, entry: usize) -> bool {
        !self.has_holes() || self.index().is_none_or(|index| !index.is_hole(entry))
    }

    /// The numbers of the entries, in their order.
    pub fn entries(self) -> impl Iterator<Item = usize> {
        (0..self.end()).filter(move |entry| self.is_entry(*entry))
    }

    /// The key of an entry.
    #[inline]
    pub fn key(self, entry: usize) -> Any {
        Self::element(self.keys(), entry)
    }

    /// The value of an entry; a word without meaning in a Set.
    #[inline]
    pub fn value(self, entry: usize) -> Any {
        Self::element(self.values(), entry)
    }

    fn element(list: Option<List>, entry: usize) -> Any {
        list.map_or(Any::NOTHING, |list| list.item(entry))
    }

    /// The entry with that key.
    #[inline]
    pub fn find(self, keys: Keys<'_>, key: Any) -> Option<usize> {
        match self.index() {
            Some(index) => self.find_hashed(index, keys, keys.hash(key), key),
            None => {
                let list = self.keys()?;
                list.items().position(|each| keys.same(each, key))
            }
        }
    }

    #[inline(always)]
    fn find_hashed(self, index: Index, keys: Keys<'_>, hash: u32, key: Any) -> Option<usize> {
        let list = self.keys()?;
        index.find(hash, |entry| keys.same(list.item(entry), key))
    }
}

/// An empty map.
pub fn new(scope: &mut Scope) -> Result<Own<Map>, Full> {
    Ok(Own::new(Map(scope.object(at::SIZE as usize, shape::MAP, &[])?)))
}

/// `map` with that entry, at once: see [`changes::insert`].
pub fn insert(
    scope: &mut Scope,
    of: EntryTypes,
    map: Own<Map>,
    key: Any,
    value: Any,
) -> Result<Own<Map>, Full> {
    changes::insert(scope, of, map, key, value, usize::MAX)?.at_once(scope)
}

#[cfg(test)]
mod tests;
