//! Order of values.
//!
//! In: two values of one type. Out: which comes first: Ints, Floats, Durations and Times by their size, `false` before `true`,
//! Texts by their bytes, `None` before any `Some`, cases of an enum in declared order and then by what they hold, tuples and
//! records by their first part that differs, lists likewise and the shorter first. Ranges as lists of their Ints would, but
//! by their ends. Maps and Sets as lists of their entries in the order of the keys would.
//! Floats compare either as IEEE has it, where NaN has no place in the order, or as keys: NaN equals itself and comes last.
//! Invariants: takes no stack however deep the values are, but for Maps and Sets within each other; looks no further than the first
//! difference; goes in steps, for values that share parts may be far larger than the heap.

use crate::equal::{PARTS, too_large};
use crate::form::{case_index, option_payload};
use crate::map::Map;
use crate::value::{Any, Range, Text};
use std::cmp::Ordering;
use weir_abi::layout;
use weir_abi::types::{TypeDesc, TypeId};

/// The order of two values of type `ty` as keys and in sorting: total. Those that are too large to be sorted end what runs with
/// a trap.
pub fn compare(types: &[TypeDesc], ty: TypeId, a: Any, b: Any) -> Ordering {
    Comparison::new(ty, a, b, true)
        .step(types, PARTS)
        .unwrap_or_else(|| too_large())
        .unwrap_or(Ordering::Equal)
}

/// The order of Floats as keys: NaN equals itself and comes last, -0 equals 0.
pub fn float_keys(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// How Floats compare.
type Floats = fn(f64, f64) -> Option<Ordering>;

/// A comparison. Whoever has it holds the values.
pub struct Comparison {
    /// What was equal so far, and how far it was looked at, the innermost last.
    open: Vec<(Rest, Any, Any)>,
    next: Option<(TypeId, Any, Any)>,
    floats: Floats,
}

/// Where a comparison goes on when the parts before were equal. Types are those of the whole.
enum Rest {
    /// Lists from an index on; the elements' type.
    Elements(TypeId, usize),
    /// Tuples and records from an index on.
    Parts(TypeId, usize),
    /// Enums of a case from an index on.
    Payload(TypeId, usize, usize),
}

/// What looking at two values themselves tells.
enum Look {
    Decided(Option<Ordering>),
    /// Their payload decides.
    Inside(TypeId, Any, Any),
    /// Their parts decide, one after the other.
    Rest(Rest),
}

impl Comparison {
    /// Of two values of type `ty`: as keys, or as `<` sees them.
    pub fn new(ty: TypeId, a: Any, b: Any, as_keys: bool) -> Self {
        let floats: Floats = if as_keys { |a, b| Some(float_keys(a, b)) } else { |a, b| a.partial_cmp(&b) };
        Self { open: Vec::new(), next: Some((ty, a, b)), floats }
    }

    /// Looks at so many parts; the order when it is known, of which there is none when a NaN decides.
    pub fn step(&mut self, types: &[TypeDesc], parts: usize) -> Option<Option<Ordering>> {
        for _ in 0..parts {
            let Some((ty, a, b)) = self.next.take() else {
                let Some((rest, a, b)) = self.open.last_mut() else { return Some(Some(Ordering::Equal)) };
                self.next = rest.next(types, *a, *b);
                if self.next.is_none() {
                    let lengths = rest.lengths(*a, *b);
                    if lengths.is_ne() {
                        return Some(Some(lengths));
                    }
                    self.open.pop();
                }
                continue;
            };
            match look(types, ty, a, b, self.floats) {
                Look::Decided(Some(Ordering::Equal)) => {}
                Look::Decided(order) => return Some(order),
                Look::Inside(ty, a, b) => self.next = Some((ty, a, b)),
                Look::Rest(rest) => self.open.push((rest, a, b)),
            }
        }
        (self.next.is_none() && self.open.is_empty()).then_some(Some(Ordering::Equal))
    }
}

fn walk(types: &[TypeDesc], ty: TypeId, a: Any, b: Any, floats: Floats) -> Option<Ordering> {
    let mut comparison = Comparison { open: Vec::new(), next: Some((ty, a, b)), floats };
    comparison.step(types, PARTS).unwrap_or_else(|| too_large())
}

fn look(types: &[TypeDesc], ty: TypeId, a: Any, b: Any, floats: Floats) -> Look {
    let desc = &types[ty.0 as usize];
    Look::Decided(Some(match desc {
        TypeDesc::Int | TypeDesc::Duration | TypeDesc::Time => (a.word() as i64).cmp(&(b.word() as i64)),
        TypeDesc::Float => return Look::Decided(floats(f64::from_bits(a.word()), f64::from_bits(b.word()))),
        TypeDesc::Text | TypeDesc::Bytes => a.as_arg::<Text>().as_bytes().cmp(b.as_arg::<Text>().as_bytes()),
        TypeDesc::Range => {
            let bounds = |range: Range| match range.end() {
                end if end == range.low() as i128 => None,
                end => Some((range.low(), end)),
            };
            bounds(a.as_arg()).cmp(&bounds(b.as_arg()))
        }
        TypeDesc::List(element) => {
            return Look::Rest(Rest::Elements(*element, 0));
        }
        TypeDesc::Map(key, value) => {
            return Look::Decided(entries(types, *key, Some(*value), a.as_arg(), b.as_arg(), floats));
        }
        TypeDesc::Set(item) => {
            return Look::Decided(entries(types, *item, None, a.as_arg(), b.as_arg(), floats));
        }
        TypeDesc::Tuple(_) | TypeDesc::Record(..) => return Look::Rest(Rest::Parts(ty, 0)),
        TypeDesc::Option(_) if a.word() == 0 || b.word() == 0 => (a.word() != 0).cmp(&(b.word() != 0)),
        TypeDesc::Option(inner) => {
            let payload = |option| option_payload(types, *inner, option);
            return Look::Inside(*inner, payload(a), payload(b));
        }
        TypeDesc::Enum(..) => match (case_index(desc, a), case_index(desc, b)) {
            (at, other) if at == other => return Look::Rest(Rest::Payload(ty, at, 0)),
            (at, other) => at.cmp(&other),
        },
        // What has no order is refused by the checker.
        TypeDesc::Unit
        | TypeDesc::Bool
        | TypeDesc::Stream(_)
        | TypeDesc::Fn
        | TypeDesc::Native(_)
        | TypeDesc::Never => a.word().cmp(&b.word()),
    }))
}

/// The order of Maps, and of Sets, which have no values: as that of lists of their entries in the order of the keys.
fn entries(
    types: &[TypeDesc],
    key: TypeId,
    value: Option<TypeId>,
    a: Map,
    b: Map,
    floats: Floats,
) -> Option<Ordering> {
    let sorted = |map: Map| {
        let mut entries: Vec<usize> = map.entries().collect();
        entries.sort_unstable_by(|x, y| compare(types, key, map.key(*x), map.key(*y)));
        entries
    };
    let (left, right) = (sorted(a), sorted(b));
    for (x, y) in left.iter().zip(&right) {
        let of_keys = compare(types, key, a.key(*x), b.key(*y));
        if of_keys.is_ne() {
            return Some(of_keys);
        }
        if let Some(value) = value {
            match walk(types, value, a.value(*x), b.value(*y), floats) {
                Some(Ordering::Equal) => {}
                order => return order,
            }
        }
    }
    Some(left.len().cmp(&right.len()))
}

impl Rest {
    /// The next parts of `a` and `b`.
    fn next(&mut self, types: &[TypeDesc], a: Any, b: Any) -> Option<(TypeId, Any, Any)> {
        let part = |ty: TypeId, offset: i32| (ty, a.part(offset), b.part(offset));
        match self {
            Self::Elements(ty, at) => {
                let (left, right) = (a.element(*at)?, b.element(*at)?);
                *at += 1;
                Some((*ty, left, right))
            }
            Self::Parts(whole, at) => {
                let ty = match &types[whole.0 as usize] {
                    TypeDesc::Tuple(parts) => *parts.get(*at)?,
                    TypeDesc::Record(_, fields) => fields.get(*at)?.1,
                    _ => return None,
                };
                *at += 1;
                Some(part(ty, layout::field(*at as u32 - 1)))
            }
            Self::Payload(whole, case, at) => {
                let TypeDesc::Enum(_, cases) = &types[whole.0 as usize] else { return None };
                let ty = cases[*case].1.get(*at)?.1;
                *at += 1;
                Some(part(ty, layout::case_field(*at as u32 - 1)))
            }
        }
    }

    /// The order of what has been equal as far as it went: the shorter list first.
    fn lengths(&self, a: Any, b: Any) -> Ordering {
        match self {
            Self::Elements(..) => a.elements().len().cmp(&b.elements().len()),
            _ => Ordering::Equal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_keys() {
        assert_eq!(float_keys(f64::NAN, f64::NAN), Ordering::Equal);
        assert_eq!(float_keys(f64::NAN, f64::INFINITY), Ordering::Greater);
        assert_eq!(float_keys(f64::NEG_INFINITY, f64::NAN), Ordering::Less);
        assert_eq!(float_keys(-0.0, 0.0), Ordering::Equal);
        assert_eq!(float_keys(1.0, 2.0), Ordering::Less);
    }
}
