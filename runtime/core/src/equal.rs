//! Equality of values.
//!
//! In: two values of one type. Out: whether they are equal; Floats by IEEE, so NaN differs from itself, or as keys.
//! Invariant: takes no stack however deep the values are, but for Maps and Sets within keys.

use crate::form::{case_index, option_payload};
use crate::map::{Keys, Map};
use crate::value::{Any, List, Range, Text};
use weir_abi::layout;
use weir_abi::types::{TypeDesc, TypeId};

/// Whether two values of type `ty` are equal. Ranges are equal when they hold the same Ints.
pub fn are_equal(types: &[TypeDesc], ty: TypeId, a: Any, b: Any) -> bool {
    compare(types, ty, a, b, |a, b| a == b)
}

/// Whether two values of type `ty` are the same as keys of a Map: NaN is the same as itself.
pub fn are_same_keys(types: &[TypeDesc], ty: TypeId, a: Any, b: Any) -> bool {
    compare(types, ty, a, b, |a, b| a == b || a.is_nan() && b.is_nan())
}

fn compare(types: &[TypeDesc], ty: TypeId, a: Any, b: Any, same_floats: fn(f64, f64) -> bool) -> bool {
    let mut todo = vec![(ty, a, b)];
    while let Some((ty, a, b)) = todo.pop() {
        let desc = &types[ty.0 as usize];
        let same = match desc {
            TypeDesc::Text | TypeDesc::Bytes => {
                a.as_arg::<Text>().as_bytes() == b.as_arg::<Text>().as_bytes()
            }
            TypeDesc::Range => {
                let (a, b): (Range, Range) = (a.as_arg(), b.as_arg());
                let is_empty = a.low() as i128 == a.end() && b.low() as i128 == b.end();
                is_empty || a.low() == b.low() && a.end() == b.end()
            }
            TypeDesc::Float => same_floats(f64::from_bits(a.word()), f64::from_bits(b.word())),
            TypeDesc::List(element) => {
                let (left, right): (List, List) = (a.as_arg(), b.as_arg());
                let by_element = left.has_refs() || types[element.0 as usize] == TypeDesc::Float;
                if left.len() == right.len() && by_element {
                    todo.extend(a.elements().zip(b.elements()).rev().map(|(a, b)| (*element, a, b)));
                    true
                } else {
                    left.words() == right.words()
                }
            }
            TypeDesc::Map(key, value) => {
                entries_agree(types, *key, a.as_arg(), b.as_arg(), |a, b| todo.push((*value, a, b)))
            }
            TypeDesc::Set(item) => entries_agree(types, *item, a.as_arg(), b.as_arg(), |_, _| {}),
            TypeDesc::Option(_) if a.word() == 0 || b.word() == 0 => a.word() == b.word(),
            TypeDesc::Option(inner) => {
                todo.push((*inner, option_payload(types, *inner, a), option_payload(types, *inner, b)));
                true
            }
            TypeDesc::Tuple(parts) => {
                let parts = parts.iter().enumerate().rev().map(|(at, ty)| {
                    let offset = layout::field(at as u32);
                    (*ty, a.part(offset), b.part(offset))
                });
                todo.extend(parts);
                true
            }
            TypeDesc::Record(_, fields) => {
                let parts = fields.iter().enumerate().rev().map(|(at, (_, ty))| {
                    let offset = layout::field(at as u32);
                    (*ty, a.part(offset), b.part(offset))
                });
                todo.extend(parts);
                true
            }
            TypeDesc::Enum(_, cases) => {
                let at = case_index(desc, a);
                let same = at == case_index(desc, b);
                if same {
                    let parts = cases[at].1.iter().enumerate().rev().map(|(at, (_, ty))| {
                        let offset = layout::case_field(at as u32);
                        (*ty, a.part(offset), b.part(offset))
                    });
                    todo.extend(parts);
                }
                same
            }
            // Words. What has no equality is refused by the checker.
            TypeDesc::Unit
            | TypeDesc::Int
            | TypeDesc::Bool
            | TypeDesc::Duration
            | TypeDesc::Time
            | TypeDesc::Stream(_)
            | TypeDesc::Fn
            | TypeDesc::Native(_)
            | TypeDesc::Never => a.word() == b.word(),
        };
        if !same {
            return false;
        }
    }
    true
}

/// Whether two Maps have the same keys, in any order; `values` gets the values of each.
fn entries_agree(types: &[TypeDesc], key: TypeId, a: Map, b: Map, mut values: impl FnMut(Any, Any)) -> bool {
    let keys = Keys::of(types, key);
    a.len() == b.len()
        && a.entries().all(|entry| match b.find(keys, a.key(entry)) {
            Some(other) => {
                values(a.value(entry), b.value(other));
                true
            }
            None => false,
        })
}
