//! Natives of `set.weir`. A set that nobody else holds is changed in place.

use super::map;
use crate::map::{EntryTypes, Map, insert, remove};
use crate::scope::Scope;
use crate::value::{Any, List, Own};
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// How many elements.
pub fn set_len(_: &mut Scope, set: Map) -> i64 {
    set.len() as i64
}

/// Whether it has that element.
pub fn set_contains(scope: &mut Scope, ty: TypeId, set: Map, item: Any) -> bool {
    map::find(scope, ty, set, item) >= 0
}

/// With that element.
pub fn set_insert(scope: &mut Scope, ty: TypeId, set: Own<Map>, item: Any) -> Result<Own<Map>, Trap> {
    Ok(insert(scope, EntryTypes { key: ty, value: None }, set, item, Any::NOTHING)?)
}

/// Without that element.
pub fn set_remove(scope: &mut Scope, ty: TypeId, set: Own<Map>, item: Any) -> Result<Own<Map>, Trap> {
    Ok(remove(scope, EntryTypes { key: ty, value: None }, set, item)?)
}

/// Its elements in their order.
pub fn set_list(scope: &mut Scope, ty: TypeId, set: Map) -> Result<Own<List>, Trap> {
    map::entries(scope, set, ty, set.keys())
}
