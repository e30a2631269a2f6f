//! Natives of `set.weir`. A set that nobody else holds is changed in place.

use super::{Flow, map};
use crate::lists::REFS;
use crate::map::{EntryTypes, Map, changes};
use crate::scope::Scope;
use crate::value::{Any, Own};
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
pub fn set_insert(scope: &mut Scope, ty: TypeId, set: Own<Map>, item: Any) -> Result<Flow, Trap> {
    changes::insert(scope, EntryTypes { key: ty, value: None }, set, item, Any::NOTHING, REFS)?
        .in_steps(scope)
}

/// Without that element.
pub fn set_remove(scope: &mut Scope, ty: TypeId, set: Own<Map>, item: Any) -> Result<Flow, Trap> {
    changes::remove(scope, EntryTypes { key: ty, value: None }, set, item, REFS)?.in_steps(scope)
}

/// Its elements in their order.
pub fn set_list(scope: &mut Scope, ty: TypeId, set: Map) -> Result<Flow, Trap> {
    map::entries(scope, set, ty, set.keys())
}
