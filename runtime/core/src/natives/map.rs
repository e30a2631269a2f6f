//! Natives of `map.weir`. A map that nobody else holds is changed in place.

use crate::form::FormWriter;
use crate::map::{self, EntryTypes, Keys, Map};
use crate::scope::Scope;
use crate::value::{Any, List, Own};
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
) -> Result<Own<Map>, Trap> {
    Ok(map::insert(scope, EntryTypes { key, value: Some(value) }, map, of, to)?)
}

/// Without the entry of that key.
pub fn map_remove(
    scope: &mut Scope,
    key: TypeId,
    value: TypeId,
    map: Own<Map>,
    of: Any,
) -> Result<Own<Map>, Trap> {
    Ok(map::remove(scope, EntryTypes { key, value: Some(value) }, map, of)?)
}

/// The keys in their order.
pub fn map_keys(scope: &mut Scope, key: TypeId, _: TypeId, map: Map) -> Result<Own<List>, Trap> {
    entries(scope, map, key, map.keys())
}

/// The values in the order of the keys.
pub fn map_values(scope: &mut Scope, _: TypeId, value: TypeId, map: Map) -> Result<Own<List>, Trap> {
    entries(scope, map, value, map.values())
}

/// One of a map's lists, of elements of that type; without the holes it is a copy.
pub(super) fn entries(
    scope: &mut Scope,
    map: Map,
    element: TypeId,
    list: Option<List>,
) -> Result<Own<List>, Trap> {
    let is_ref = scope.type_desc(element).is_ref();
    match list {
        Some(list) if !map.has_holes() => Ok(scope.dup(list)),
        _ => {
            let shape = if is_ref { shape::LIST_REF } else { shape::LIST_WORD };
            let packed = scope.list(shape, map.len())?;
            for words in list.iter().map(|list| list.words()) {
                map.entries().for_each(|entry| packed.get().append(&[words[entry]]));
            }
            if is_ref {
                packed.get().items().for_each(|each| {
                    scope.dup_any(each, true);
                });
            }
            Ok(packed)
        }
    }
}
