//! Entries that are put into a map or taken out of it: at once, or in steps where the map needs new parts.
//!
//! ```text
//! begin ──▶ Done: the map          mostly: it has its parts alone, and room
//!     └───▶ Going ──▶ step ──▶ step ... ──▶ the map
//! ```
//! In: maps, keys and values that are owned. Out: maps that have what changed alone. Invariant: whoever fails or is closed has given
//! up everything.

use super::rebuild::Rebuild;
use super::{EntryTypes, FEW, FIRST_CAPACITY, Keys, MANY_HOLES, Map};
use crate::heap::{Full, Obj, Word};
use crate::lists::{ListCopy, REFS};
use crate::natives::Flow;
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::value::{Any, Gives, List, Own, Ref};
use std::mem;
use weir_abi::layout::{self, map as at, shape};
use weir_abi::trap::Trap;
use weir_abi::types::TypeDesc;

/// A change that has begun.
pub enum Begun<W> {
    /// It is over.
    Done(Own<Map>),
    /// It takes more steps; in a box, so that the others, which are most, go through registers.
    Going(Box<W>),
}

impl<W: Change> Begun<W> {
    /// Goes on to the end.
    pub fn at_once(self, scope: &mut Scope) -> Result<Own<Map>, Full> {
        match self {
            Self::Done(map) => Ok(map),
            Self::Going(mut change) => loop {
                if let Some(map) = change.step(scope, usize::MAX)? {
                    return Ok(map);
                }
            },
        }
    }

    /// Goes on in steps.
    #[inline(always)]
    pub fn in_steps(self, scope: &mut Scope) -> Result<Flow, Trap>
    where
        W: 'static,
    {
        match self {
            Self::Done(map) => Ok(Flow::Done(map.into_word())),
            Self::Going(change) => in_steps(scope, Changing(change)),
        }
    }
}

/// A change that takes steps.
pub trait Change {
    /// Goes on for some units of a [`Rebuild`]; the map once all is done. It is not called again after that, or after a failure.
    fn step(&mut self, scope: &mut Scope, units: usize) -> Result<Option<Own<Map>>, Full>;

    /// Gives everything up.
    fn close(self: Box<Self>, scope: &mut Scope);
}

/// One that somebody waits for.
struct Changing<C>(Box<C>);

impl<C: Change> Work for Changing<C> {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        Ok(self.0.step(scope, REFS)?.map(Gives::into_word))
    }

    fn close(self, scope: &mut Scope) {
        self.0.close(scope);
    }
}

/// Takes the first step of a change.
#[cold]
#[inline(never)]
fn begun<C: Change>(scope: &mut Scope, mut change: C, units: usize) -> Result<Begun<C>, Full> {
    match change.step(scope, units)? {
        Some(map) => Ok(Begun::Done(map)),
        None => Ok(Begun::Going(Box::new(change))),
    }
}

/// `map` with that entry, in place of one with the same key, whose place it takes. Everything is taken over. Its first step takes so
/// many units.
#[inline]
pub fn insert(
    scope: &mut Scope,
    of: EntryTypes,
    map: Own<Map>,
    key: Any,
    value: Any,
    units: usize,
) -> Result<Begun<Insertion>, Full> {
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
    if let Some(entry) = found {
        drop_value(scope, key, of.key_is_ref(types));
        if of.value.is_none() {
            return Ok(Begun::Done(map));
        }
        if old.0.is_unique() && old.values().is_none_or(|values| values.object().is_unique()) {
            replace_value(scope, old, entry, value, of.value_is_ref(types));
            return Ok(Begun::Done(map));
        }
        return match begin_values(scope, map) {
            Ok((map, copy)) => {
                let making = Making::Values(map, copy, entry);
                begun(scope, Insertion { of, key: Any::NOTHING, value, hash, making }, units)
            }
            Err(full) => {
                drop_value(scope, value, of.value_is_ref(types));
                Err(full)
            }
        };
    }
    if old.end() < old.keys().map_or(0, List::capacity) && is_own(old) {
        let hash = if old.index().is_some() { hash.unwrap_or_else(|| keys.hash(key)) } else { 0 };
        append(old, hash, key, value);
        return Ok(Begun::Done(map));
    }
    match Rebuild::new(scope, of, map, roomy(old)) {
        Ok(rebuild) => {
            begun(scope, Insertion { of, key, value, hash, making: Making::Parts(rebuild) }, units)
        }
        Err(full) => {
            drop_value(scope, key, of.key_is_ref(types));
            drop_value(scope, value, of.value_is_ref(types));
            Err(full)
        }
    }
}

/// Room for one more entry, and for others.
fn roomy(map: Map) -> usize {
    let capacity = map.keys().map_or(0, List::capacity);
    match map.len() {
        len if len < capacity / 2 => capacity,
        len if len < FIRST_CAPACITY => FIRST_CAPACITY,
        len if len < FEW => FEW,
        // With an index of a power of two that is used to three quarters.
        len => ((len + 1).next_power_of_two() * 3 / 2).max(FEW * 3 / 2),
    }
}

/// An entry on its way into a map.
pub struct Insertion {
    of: EntryTypes,
    /// Owned as long as the map gets new parts.
    key: Any,
    value: Any,
    /// That of the key, if it is known.
    hash: Option<u32>,
    making: Making,
}

/// What the map gets first.
enum Making {
    Parts(Rebuild),
    /// Values of its own, for the entry with that number has the key.
    Values(Own<Map>, ListCopy, usize),
    /// It has it.
    Nothing,
}

impl Change for Insertion {
    fn step(&mut self, scope: &mut Scope, units: usize) -> Result<Option<Own<Map>>, Full> {
        let app = scope.app().clone();
        let types = &app.module().types[..];
        let is_made = match &mut self.making {
            Making::Parts(rebuild) => rebuild.step(types, units),
            Making::Values(_, copy, _) => copy.step(),
            Making::Nothing => unreachable!("an insertion ends once"),
        };
        if !is_made {
            return Ok(None);
        }
        match mem::replace(&mut self.making, Making::Nothing) {
            Making::Parts(rebuild) => match rebuild.finish(scope) {
                Ok(map) => {
                    let hash = match (self.hash, map.get().index()) {
                        (None, Some(_)) => Keys::of(types, self.of.key).hash(self.key),
                        (hash, _) => hash.unwrap_or(0),
                    };
                    append(map.get(), hash, self.key, self.value);
                    Ok(Some(map))
                }
                Err(full) => {
                    drop_value(scope, self.key, self.of.key_is_ref(types));
                    drop_value(scope, self.value, self.of.value_is_ref(types));
                    Err(full)
                }
            },
            Making::Values(map, copy, entry) => {
                let values = copy.finish();
                if let Some(before) = map.get().values() {
                    scope.give_up(Own::new(before));
                }
                map.get().0.set(at::VALUES, values.into_word());
                replace_value(scope, map.get(), entry, self.value, self.of.value_is_ref(types));
                Ok(Some(map))
            }
            Making::Nothing => unreachable!("looked at above"),
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        let app = scope.app().clone();
        let types = &app.module().types[..];
        match self.making {
            Making::Parts(rebuild) => {
                rebuild.close(scope);
                drop_value(scope, self.key, self.of.key_is_ref(types));
            }
            Making::Values(map, copy, _) => {
                copy.close(scope);
                scope.give_up(map);
            }
            Making::Nothing => return,
        }
        drop_value(scope, self.value, self.of.value_is_ref(types));
    }
}

/// `map` without the entry of that key, which is borrowed until the end. Its first step takes so many units.
#[inline]
pub fn remove(
    scope: &mut Scope,
    of: EntryTypes,
    map: Own<Map>,
    key: Any,
    units: usize,
) -> Result<Begun<Removal>, Full> {
    let app = scope.app().clone();
    let types = &app.module().types[..];
    let keys = Keys::of(types, of.key);
    let old = map.get();
    let Some(entry) = old.find(keys, key) else { return Ok(Begun::Done(map)) };
    let holes = old.end() - old.len();
    if is_own(old) && (holes <= MANY_HOLES || holes <= old.len()) {
        take_out(scope, types, of, old, keys, entry);
        return Ok(Begun::Done(map));
    }
    let rebuild = Rebuild::new(scope, of, map, old.len().max(1))?;
    begun(scope, Removal { of, key, rebuild: Some(rebuild) }, units)
}

/// A map that gets parts of its own before an entry is taken out.
pub struct Removal {
    of: EntryTypes,
    key: Any,
    /// Until it is made.
    rebuild: Option<Rebuild>,
}

impl Change for Removal {
    fn step(&mut self, scope: &mut Scope, units: usize) -> Result<Option<Own<Map>>, Full> {
        let app = scope.app().clone();
        let types = &app.module().types[..];
        let is_made = self.rebuild.as_mut().is_none_or(|rebuild| rebuild.step(types, units));
        if !is_made {
            return Ok(None);
        }
        let Some(rebuild) = self.rebuild.take() else { unreachable!("a removal ends once") };
        let map = rebuild.finish(scope)?;
        let keys = Keys::of(types, self.of.key);
        // A rebuilt map has other numbers.
        let found = map.get().find(keys, self.key);
        take_out(scope, types, self.of, map.get(), keys, found.expect("a copy has the keys of the original"));
        Ok(Some(map))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(rebuild) = self.rebuild {
            rebuild.close(scope);
        }
    }
}

/// Gives up a key or value.
pub(super) fn drop_value(scope: &mut Scope, value: Any, is_ref: bool) {
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
fn replace_value(scope: &mut Scope, map: Map, entry: usize, value: Any, is_ref: bool) {
    let Some(values) = map.values() else { return };
    let offset = layout::LIST_DATA + 8 * entry as i32;
    let before = values.object().get(offset);
    values.object().set(offset, value.word());
    if is_ref {
        // SAFETY: the list held it, and no longer does.
        unsafe { scope.drop_word(before) };
    }
}

/// Begins a copy of the values of a map, in a head of its own; keys and index may still be shared.
fn begin_values(scope: &mut Scope, map: Own<Map>) -> Result<(Own<Map>, ListCopy), Full> {
    let map = own_head(scope, map)?;
    let values = map.get().values().expect("a Map with entries has values");
    scope.count_copy(values.object());
    match ListCopy::new(scope, values, 0..values.len(), values.capacity(), false) {
        Ok(copy) => Ok((map, copy)),
        Err(full) => {
            scope.give_up(map);
            Err(full)
        }
    }
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

/// Puts an entry behind the others of a map that has room for it.
#[inline]
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
            index.cut_holes(map.end())
        }
    };
    for list in [map.keys(), map.values()].into_iter().flatten() {
        list.object().set(layout::LEN, end as u64);
    }
    drop_value(scope, key, of.key_is_ref(types));
    drop_value(scope, value, of.value_is_ref(types));
}
