//! Natives of `map.weir`. A map that nobody else holds is changed in place; what takes long goes in steps (`map::changes`).

use super::Flow;
use crate::form::FormWriter;
use crate::heap::Word;
use crate::lists::{REFS, count_up};
use crate::map::{self, EntryTypes, Keys, Map, changes};
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::value::{Any, Gives, Handle, List, Own, Ref};
use std::mem;
use weir_abi::layout::shape;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// An empty Map or Set.
pub fn map_new(scope: &mut Scope) -> Result<Own<Map>, Trap> {
    Ok(map::new(scope)?)
}

/// How many entries.
pub fn map_len(_: &mut Scope, map: Map) -> i64 {
    map.len() as i64
}

/// The number of the entry with that key, -1 when there is none.
pub fn map_find(scope: &mut Scope, key_type: TypeId, _: TypeId, map: Map, key: Any) -> i64 {
    find(scope, key_type, map, key)
}

pub(super) fn find(scope: &Scope, key_type: TypeId, map: Map, key: Any) -> i64 {
    let keys = Keys::of(&scope.app().module().types, key_type);
    map.find(keys, key).map_or(-1, |entry| entry as i64)
}

/// The value of an entry.
pub fn map_value(
    scope: &mut Scope,
    _: TypeId,
    value_type: TypeId,
    map: Map,
    entry: i64,
) -> Result<Any, Trap> {
    let is_ref = scope.type_desc(value_type).is_ref();
    Ok(scope.dup_any(map.value(entry as usize), is_ref))
}

/// The most bytes of a key that a message shows.
const SHOWN: usize = 400;

/// Says that there is no such key.
pub fn map_missing(scope: &mut Scope, key_type: TypeId, key: Any) -> Result<(), Trap> {
    let mut form = mem::take(&mut scope.scratch);
    form.clear();
    let types = &scope.app().module().types;
    if FormWriter::inside(types, key_type, key, &mut form).finish(types, &mut form, SHOWN).is_err() {
        form.extend_from_slice(b"...");
    }
    let message = format!("there is no key {}", String::from_utf8_lossy(&form));
    scope.scratch = form;
    Err(Trap::native(message))
}

/// With that entry.
pub fn map_insert(
    scope: &mut Scope,
    key: TypeId,
    value: TypeId,
    map: Own<Map>,
    of: Any,
    to: Any,
) -> Result<Flow, Trap> {
    changes::insert(scope, EntryTypes { key, value: Some(value) }, map, of, to, REFS)?.in_steps(scope)
}

/// Without the entry of that key.
pub fn map_remove(
    scope: &mut Scope,
    key: TypeId,
    value: TypeId,
    map: Own<Map>,
    of: Any,
) -> Result<Flow, Trap> {
    changes::remove(scope, EntryTypes { key, value: Some(value) }, map, of, REFS)?.in_steps(scope)
}

/// The keys in their order.
pub fn map_keys(scope: &mut Scope, key: TypeId, _: TypeId, map: Map) -> Result<Flow, Trap> {
    entries(scope, map, key, map.keys())
}

/// The values in the order of the keys.
pub fn map_values(scope: &mut Scope, _: TypeId, value: TypeId, map: Map) -> Result<Flow, Trap> {
    entries(scope, map, value, map.values())
}

/// One of a map's lists, of elements of that type; without the holes it is a copy.
pub(super) fn entries(
    scope: &mut Scope,
    map: Map,
    element: TypeId,
    list: Option<List>,
) -> Result<Flow, Trap> {
    match list {
        Some(list) if !map.has_holes() => Ok(Flow::Done(scope.dup(list).into_word())),
        Some(from) => {
            let to = scope.list(from.object().shape(), map.len())?;
            in_steps(scope, Packing { map, from, at: 0, to })
        }
        None => {
            let is_ref = scope.type_desc(element).is_ref();
            let shape = if is_ref { shape::LIST_REF } else { shape::LIST_WORD };
            Ok(Flow::Done(scope.list(shape, 0)?.into_word()))
        }
    }
}

/// One of a map's lists on its way into one without holes; whoever waits holds the map.
struct Packing {
    map: Map,
    from: List,
    at: usize,
    to: Own<List>,
}

impl Work for Packing {
    fn step(&mut self, _: &mut Scope) -> Result<Option<Word>, Trap> {
        let (words, to, map) = (self.from.words(), self.to.get(), self.map);
        let part = self.at..words.len().min(self.at + REFS);
        let before = to.len();
        for entry in part.clone().filter(|entry| map.is_entry(*entry)) {
            to.append(&[words[entry]]);
        }
        if to.has_refs() {
            count_up(&to.words()[before..]);
        }
        self.at = part.end;
        Ok((part.end == words.len()).then(|| to.word()))
    }

    fn close(self, scope: &mut Scope) {
        scope.give_up(self.to);
    }
}
