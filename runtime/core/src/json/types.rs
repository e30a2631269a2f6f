//! What JSON asks of a program's types: their shapes and fields, and what errors call them.

use std::borrow::Cow;
use weir_abi::code::Module;
use weir_abi::json::JsonShape;
use weir_abi::types::{TypeDesc, TypeId};

/// The names and defaults of a record's fields, or of those of the case with that index, and the layout of its objects.
#[inline]
pub fn shape(module: &Module, ty: TypeId, case: usize) -> &JsonShape {
    let of = module.json.get(ty).expect("compiler bug: a type that JSON was not told of");
    &of.shapes[case]
}

/// The types of a Map's keys and values; a Set has no values.
pub fn entry_types(module: &Module, ty: TypeId) -> (TypeId, Option<TypeId>) {
    match module.types[ty.0 as usize] {
        TypeDesc::Map(key, value) => (key, Some(value)),
        TypeDesc::Set(item) => (item, None),
        ref other => unreachable!("compiler bug: {other:?} has no entries"),
    }
}

/// The type of a record's field, or of one of an enum's case.
#[inline]
pub fn field_type(module: &Module, ty: TypeId, case: usize, at: usize) -> TypeId {
    match &module.types[ty.0 as usize] {
        TypeDesc::Tuple(parts) => parts[at],
        TypeDesc::Record(_, fields) => fields[at].1,
        TypeDesc::Enum(_, cases) => cases[case].1[at].1,
        other => unreachable!("compiler bug: {other:?} has no fields"),
    }
}

/// What errors call a type.
pub fn type_name(module: &Module, ty: TypeId) -> Cow<'_, str> {
    Cow::Borrowed(match &module.types[ty.0 as usize] {
        TypeDesc::Unit => "null",
        TypeDesc::Int => "Int",
        TypeDesc::Float => "Float",
        TypeDesc::Bool => "Bool",
        TypeDesc::Text => "Text",
        TypeDesc::Bytes => "Bytes",
        TypeDesc::Duration => "Duration",
        TypeDesc::Time => "Time",
        TypeDesc::Range => "Range",
        TypeDesc::List(_) | TypeDesc::Set(_) => "a list",
        TypeDesc::Map(key, _) if is_text(module, *key) => "an object",
        TypeDesc::Map(..) => "a list of keys and values",
        TypeDesc::Option(inner) => return type_name(module, *inner),
        TypeDesc::Tuple(parts) => return Cow::Owned(format!("a list of {}", parts.len())),
        TypeDesc::Record(name, _) if name.is_empty() => "an object",
        TypeDesc::Record(name, _) | TypeDesc::Enum(name, _) => name,
        _ => "a value",
    })
}

/// Whether values of that type are Texts.
pub fn is_text(module: &Module, ty: TypeId) -> bool {
    module.types[ty.0 as usize] == TypeDesc::Text
}

/// The cases' names in words.
pub fn names(cases: &[weir_abi::types::Case]) -> String {
    cases.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}
