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
//! Not here: the natives (`natives::map`), text forms and equality of whole maps (`form`, `equal`).

mod index;
mod key;

pub use index::Index;
pub use key::Keys;

use crate::heap::{Full, Obj, Word};
use crate::scope::Scope;
use crate::value::{Any, Arg, Handle, List, Own, Ref};
use weir_abi::layout::{self, map as at, shape};
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

    #[inline]
    fn find_hashed(self, index: Index, keys: Keys<'_>, hash: u32, key: Any) -> Option<usize> {
        let list = self.keys()?;
        index.find(hash, |entry| keys.same(list.item(entry), key))
    }
}

/// An empty map.
pub fn new(scope: &mut Scope) -> Result<Own<Map>, Full> {
    Ok(Own::new(Map(scope.object(at::SIZE as usize, shape::MAP, &[])?)))
}

/// `map` with that entry, in place of one with the same key, whose place it takes. Everything is taken over; on failure
/// it is given up.
pub fn insert(
    scope: &mut Scope,
    of: EntryTypes,
    map: Own<Map>,
    key: Any,
    value: Any,
) -> Result<Own<Map>, Full> {
    let app = scope.app().clone();
    let types = &app.module().types[..];
    let keys = Keys::of(types, of.key);
    let old = map.get();
    let (hash, found) = match old.index() {
        Some(index) => {
            let hash = keys.hash(key);
            (Some(hash), old.find_hashed(index, keys, hash, key))
        }
        None => (None, old.find(keys, key)),
    };
    match found {
        Some(entry) => {
            drop_value(scope, key, of.key_is_ref(types));
            if of.value.is_none() {
                return Ok(map);
            }
            match own_values(scope, types, of, map) {
                Ok(map) => {
                    replace_value(scope, map.get(), entry, value, of.value_is_ref(types));
                    Ok(map)
                }
                Err(full) => {
                    drop_value(scope, value, of.value_is_ref(types));
                    Err(full)
                }
            }
        }
        None => match with_room(scope, types, of, map) {
            Ok(map) => {
                let hash = match (hash, map.get().index()) {
                    (None, Some(_)) => keys.hash(key),
                    (hash, _) => hash.unwrap_or(0),
                };
                append(map.get(), hash, key, value);
                Ok(map)
            }
            Err(full) => {
                drop_value(scope, key, of.key_is_ref(types));
                drop_value(scope, value, of.value_is_ref(types));
                Err(full)
            }
        },
    }
}

/// `map` without that entry.
pub fn remove(scope: &mut Scope, of: EntryTypes, map: Own<Map>, key: Any) -> Result<Own<Map>, Full> {
    let app = scope.app().clone();
    let types = &app.module().types[..];
    let keys = Keys::of(types, of.key);
    if map.get().find(keys, key).is_none() {
        return Ok(map);
    }
    let holes = map.get().end() - map.get().len();
    let map = if is_own(map.get()) && (holes <= MANY_HOLES || holes <= map.get().len()) {
        map
    } else {
        let len = map.get().len();
        rebuild(scope, types, of, map, len.max(1))?
    };
    // A rebuilt map has other numbers.
    let found = map.get().find(keys, key);
    let entry = found.expect("a copy has the keys of the original");
    take_out(scope, types, of, map.get(), keys, entry);
    Ok(map)
}

/// Gives up a key or value.
fn drop_value(scope: &mut Scope, value: Any, is_ref: bool) {
    if is_ref {
        // SAFETY: an owned value of a type of references.
        unsafe { scope.drop_word(value.word()) };
    }
}

/// Whether the map and all its parts have no other holder.
fn is_own(map: Map) -> bool {
    let parts = [at::KEYS, at::VALUES, at::INDEX];
    map.0.is_unique() && parts.iter().all(|offset| map.part(*offset).is_none_or(Obj::is_unique))
}

/// Sets the value of an entry of a map that has its values alone.
pub fn replace_value(scope: &mut Scope, map: Map, entry: usize, value: Any, is_ref: bool) {
    let Some(values) = map.values() else { return };
    let offset = layout::LIST_DATA + 8 * entry as i32;
    let before = values.object().get(offset);
    values.object().set(offset, value.word());
    if is_ref {
        // SAFETY: the list held it, and no longer does.
        unsafe { scope.drop_word(before) };
    }
}

/// The map with values that nobody else holds; keys and index may still be shared.
pub fn own_values(
    scope: &mut Scope,
    types: &[TypeDesc],
    of: EntryTypes,
    map: Own<Map>,
) -> Result<Own<Map>, Full> {
    let map = own_head(scope, map)?;
    let Some(values) = map.get().values() else { return Ok(map) };
    if values.object().is_unique() {
        return Ok(map);
    }
    scope.count_copy(values.object());
    let copied = match scope.list(values.object().shape(), values.capacity()) {
        Ok(list) => list.get(),
        Err(full) => {
            scope.give_up(map);
            return Err(full);
        }
    };
    copied.append(values.words());
    if of.value_is_ref(types) {
        dup_all(scope, values);
    }
    map.get().0.set(at::VALUES, copied.word());
    scope.give_up(Own::new(values));
    Ok(map)
}

/// The map in an object of its own, whose parts may be shared.
fn own_head(scope: &mut Scope, map: Own<Map>) -> Result<Own<Map>, Full> {
    let old = map.get();
    if old.0.is_unique() {
        return Ok(map);
    }
    scope.count_copy(old.0);
    let parts = [at::KEYS, at::VALUES, at::INDEX];
    let words = [at::LEN, at::KEYS, at::VALUES, at::INDEX].map(|offset| (offset, old.0.get(offset)));
    let made = scope.object(at::SIZE as usize, shape::MAP, &words);
    if made.is_ok() {
        parts.iter().filter_map(|offset| old.part(*offset)).for_each(Obj::dup);
    }
    scope.give_up(map);
    Ok(Own::new(Map(made?)))
}

fn dup_all(scope: &Scope, list: List) {
    list.items().for_each(|each| {
        scope.dup_any(each, true);
    });
}

/// The map with room for one more entry in parts of its own.
fn with_room(scope: &mut Scope, types: &[TypeDesc], of: EntryTypes, map: Own<Map>) -> Result<Own<Map>, Full> {
    let old = map.get();
    let (end, capacity) = (old.end(), old.keys().map_or(0, List::capacity));
    if end < capacity && is_own(old) {
        return Ok(map);
    }
    let capacity = match old.len() {
        len if len < capacity / 2 => capacity,
        len if len < FIRST_CAPACITY => FIRST_CAPACITY,
        len if len < FEW => FEW,
        // With an index of a power of two that is used to three quarters.
        len => ((len + 1).next_power_of_two() * 3 / 2).max(FEW * 3 / 2),
    };
    rebuild(scope, types, of, map, capacity)
}

/// The map in parts of its own with room for `capacity` entries, at least as many as it has, without holes.
fn rebuild(
    scope: &mut Scope,
    types: &[TypeDesc],
    of: EntryTypes,
    map: Own<Map>,
    capacity: usize,
) -> Result<Own<Map>, Full> {
    let made = match Parts::new(scope, types, of, capacity) {
        Ok(made) => made,
        Err(full) => {
            scope.give_up(map);
            return Err(full);
        }
    };
    let old = map.get();
    scope.count_copy(old.0);
    [old.keys(), old.values()].into_iter().flatten().for_each(|list| scope.count_copy(list.object()));
    if let Some(index) = made.index {
        reindex(types, of, old, index);
    }
    made.take_entries(scope, old);
    // The head is the old one when nobody else has it.
    if old.0.is_unique() {
        for (offset, word) in made.words() {
            if let Some(part) = old.part(offset) {
                scope.give_up(Own::new(List::of(part)));
            }
            old.0.set(offset, word);
        }
        return Ok(map);
    }
    let mut words = made.words().to_vec();
    words.push((at::LEN, old.len() as u64));
    let head = scope.object(at::SIZE as usize, shape::MAP, &words);
    if head.is_err() {
        made.give_up(scope);
    }
    scope.give_up(map);
    Ok(Own::new(Map(head?)))
}

/// Fills an empty index with the entries of `old` as they are numbered without holes.
fn reindex(types: &[TypeDesc], of: EntryTypes, old: Map, index: Index) {
    match old.index() {
        None => {
            let keys = Keys::of(types, of.key);
            for (number, entry) in old.entries().enumerate() {
                index.insert(keys.hash(old.key(entry)), number);
            }
        }
        Some(before) if !old.has_holes() => {
            before.entries().for_each(|(hash, entry)| index.insert(hash, entry));
        }
        Some(before) => {
            let mut numbers = vec![0; old.end()];
            old.entries().enumerate().for_each(|(number, entry)| numbers[entry] = number);
            before.entries().for_each(|(hash, entry)| index.insert(hash, numbers[entry]));
        }
    }
}

/// New parts of a map.
struct Parts {
    keys: List,
    values: Option<List>,
    index: Option<Index>,
}

impl Parts {
    fn new(scope: &mut Scope, types: &[TypeDesc], of: EntryTypes, capacity: usize) -> Result<Self, Full> {
        let keys = scope.list(list_shape(of.key_is_ref(types)), capacity)?.get();
        let mut parts = Self { keys, values: None, index: None };
        match parts.add_others(scope, types, of, capacity) {
            Ok(()) => Ok(parts),
            Err(full) => {
                parts.give_up(scope);
                Err(full)
            }
        }
    }

    fn add_others(
        &mut self,
        scope: &mut Scope,
        types: &[TypeDesc],
        of: EntryTypes,
        capacity: usize,
    ) -> Result<(), Full> {
        if of.value.is_some() {
            self.values = Some(scope.list(list_shape(of.value_is_ref(types)), capacity)?.get());
        }
        if capacity > FEW {
            self.index = Some(Index::new(scope, capacity)?);
        }
        Ok(())
    }

    fn words(&self) -> [(i32, Word); 3] {
        [
            (at::KEYS, self.keys.word()),
            (at::VALUES, self.values.map_or(0, List::word)),
            (at::INDEX, self.index.map_or(0, |index| index.object().word())),
        ]
    }

    fn give_up(self, scope: &mut Scope) {
        for (_, word) in self.words() {
            // SAFETY: parts that nobody holds yet, or 0.
            unsafe { scope.drop_word(word) };
        }
    }

    /// Copies the entries, or moves them when `old` goes.
    fn take_entries(&self, scope: &mut Scope, old: Map) {
        let lists = [(old.keys(), Some(self.keys)), (old.values(), self.values)];
        let lists = lists.into_iter().filter_map(|(from, to)| from.zip(to));
        for (from, to) in lists.clone() {
            if old.has_holes() {
                old.entries().for_each(|entry| to.append(&[from.words()[entry]]));
            } else {
                to.append(from.words());
            }
        }
        for (from, to) in lists.filter(|(from, _)| from.has_refs()) {
            if old.0.is_unique() && from.object().is_unique() {
                from.object().set(layout::LEN, 0);
            } else {
                dup_all(scope, to);
            }
        }
    }
}

/// Puts an entry behind the others of a map that has room for it.
fn append(map: Map, hash: u32, key: Any, value: Any) {
    let Some(keys) = map.keys() else { return };
    let number = keys.len();
    keys.append(&[key.word()]);
    if let Some(values) = map.values() {
        values.append(&[value.word()]);
    }
    if let Some(index) = map.index() {
        index.insert(hash, number);
    }
    map.0.set(at::LEN, map.len() as u64 + 1);
}

/// Takes an entry out of a map that has its parts alone.
fn take_out(scope: &mut Scope, types: &[TypeDesc], of: EntryTypes, map: Map, keys: Keys<'_>, entry: usize) {
    let (key, value) = (map.key(entry), map.value(entry));
    if let Some(index) = map.index() {
        index.remove(keys.hash(key), entry);
    }
    map.0.set(at::LEN, map.len() as u64 - 1);
    let last = map.end() - 1;
    for list in [map.keys(), map.values()].into_iter().flatten() {
        let object = list.object();
        let offset = |at: usize| layout::LIST_DATA + 8 * at as i32;
        if map.index().is_none() {
            (entry..last).for_each(|at| object.set(offset(at), object.get(offset(at + 1))));
        } else {
            object.set(offset(entry), 0);
        }
    }
    let end = match map.index() {
        None => last,
        Some(index) => {
            index.set_hole(entry, true);
            let mut end = map.end();
            while end > 0 && index.is_hole(end - 1) {
                end -= 1;
                index.set_hole(end, false);
            }
            end
        }
    };
    for list in [map.keys(), map.values()].into_iter().flatten() {
        list.object().set(layout::LEN, end as u64);
    }
    drop_value(scope, key, of.key_is_ref(types));
    drop_value(scope, value, of.value_is_ref(types));
}

#[cfg(test)]
mod tests;
