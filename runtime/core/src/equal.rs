//! Equality of values.
//!
//! In: two values of one type. Out: whether they are equal; Floats by IEEE, so NaN differs from itself, or as keys.
//! Invariants: takes no stack however deep the values are, but for Maps and Sets within keys; goes in steps, for values that share
//! parts may be far larger than the heap.

use crate::form::{case_index, option_payload};
use crate::map::{Keys, Map};
use crate::value::{Any, List, Range, Text};
use weir_abi::layout;
use weir_abi::trap::Trap;
use weir_abi::types::{TypeDesc, TypeId};

/// How many parts of values are looked at where nobody can wait: within keys, and by one comparison of a sort.
pub const PARTS: usize = 1 << 22;

/// What is still to be compared.
enum Todo {
    Values(TypeId, Any, Any),
    /// The elements of two lists of one length from an index on.
    Elements(TypeId, Any, Any, usize),
    /// The entries of the first of two Maps or Sets of one length from a number on.
    Entries(TypeId, Option<TypeId>, Map, Map, usize),
}

/// A comparison. Whoever has it holds the values.
pub struct Equality {
    todo: Vec<Todo>,
    /// NaN is the same as itself.
    as_keys: bool,
}

/// Whether two values of type `ty` are the same as keys of a Map: NaN is the same as itself. Those that are too large for a key
/// end what runs with a trap.
pub fn are_same_keys(types: &[TypeDesc], ty: TypeId, a: Any, b: Any) -> bool {
    let mut equality = Equality { todo: vec![Todo::Values(ty, a, b)], as_keys: true };
    equality.step(types, PARTS).unwrap_or_else(|| too_large())
}

/// Ends what runs with a trap: a value of so many parts shares them so often that looking at all of them would not end.
#[cold]
pub fn too_large() -> ! {
    let message = format!("a key or an element to sort has more than {PARTS} parts");
    // The shims of natives take this for the trap that it is.
    std::panic::resume_unwind(Box::new(Trap::native(message)))
}

impl Equality {
    /// Of two values of type `ty`. Ranges are equal when they hold the same Ints.
    pub fn new(ty: TypeId, a: Any, b: Any) -> Self {
        Self { todo: vec![Todo::Values(ty, a, b)], as_keys: false }
    }

    /// Looks at so many parts; whether the values are equal when that is known.
    pub fn step(&mut self, types: &[TypeDesc], parts: usize) -> Option<bool> {
        for _ in 0..parts {
            let same = match self.todo.pop() {
                None => return Some(true),
                Some(Todo::Values(ty, a, b)) => self.values(types, ty, a, b),
                Some(Todo::Elements(ty, a, b, at)) => {
                    if let (Some(left), Some(right)) = (a.element(at), b.element(at)) {
                        self.todo.push(Todo::Elements(ty, a, b, at + 1));
                        self.todo.push(Todo::Values(ty, left, right));
                    }
                    true
                }
                Some(Todo::Entries(key, value, a, b, from)) => self.entry(types, key, value, a, b, from),
            };
            if !same {
                return Some(false);
            }
        }
        self.todo.is_empty().then_some(true)
    }

    /// Looks for the next entry of `a` in `b`.
    fn entry(
        &mut self,
        types: &[TypeDesc],
        key: TypeId,
        value: Option<TypeId>,
        a: Map,
        b: Map,
        from: usize,
    ) -> bool {
        let Some(entry) = (from..a.end()).find(|entry| a.is_entry(*entry)) else { return true };
        let Some(other) = b.find(Keys::of(types, key), a.key(entry)) else { return false };
        self.todo.push(Todo::Entries(key, value, a, b, entry + 1));
        if let Some(value) = value {
            self.todo.push(Todo::Values(value, a.value(entry), b.value(other)));
        }
        true
    }

    /// Whether two values are equal as far as they say themselves; their parts are put on the list.
    fn values(&mut self, types: &[TypeDesc], ty: TypeId, a: Any, b: Any) -> bool {
        let desc = &types[ty.0 as usize];
        let todo = &mut self.todo;
        match desc {
            TypeDesc::Text | TypeDesc::Bytes => {
                a.word() == b.word() || a.as_arg::<Text>().as_bytes() == b.as_arg::<Text>().as_bytes()
            }
            TypeDesc::Range => {
                let (a, b): (Range, Range) = (a.as_arg(), b.as_arg());
                let is_empty = a.low() as i128 == a.end() && b.low() as i128 == b.end();
                is_empty || a.low() == b.low() && a.end() == b.end()
            }
            TypeDesc::Float => {
                let (a, b) = (f64::from_bits(a.word()), f64::from_bits(b.word()));
                a == b || self.as_keys && a.is_nan() && b.is_nan()
            }
            TypeDesc::List(element) => {
                let (left, right): (List, List) = (a.as_arg(), b.as_arg());
                let by_element = left.has_refs() || types[element.0 as usize] == TypeDesc::Float;
                if left.len() == right.len() && by_element {
                    todo.push(Todo::Elements(*element, a, b, 0));
                    true
                } else {
                    left.words() == right.words()
                }
            }
            TypeDesc::Map(key, value) => self.entries(*key, Some(*value), a.as_arg(), b.as_arg()),
            TypeDesc::Set(item) => self.entries(*item, None, a.as_arg(), b.as_arg()),
            TypeDesc::Option(_) if a.word() == 0 || b.word() == 0 => a.word() == b.word(),
            TypeDesc::Option(inner) => {
                let (a, b) = (option_payload(types, *inner, a), option_payload(types, *inner, b));
                todo.push(Todo::Values(*inner, a, b));
                true
            }
            TypeDesc::Tuple(parts) => {
                let parts = parts.iter().enumerate().rev().map(|(at, ty)| {
                    let offset = layout::field(at as u32);
                    Todo::Values(*ty, a.part(offset), b.part(offset))
                });
                todo.extend(parts);
                true
            }
            TypeDesc::Record(_, fields) => {
                let parts = fields.iter().enumerate().rev().map(|(at, (_, ty))| {
                    let offset = layout::field(at as u32);
                    Todo::Values(*ty, a.part(offset), b.part(offset))
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
                        Todo::Values(*ty, a.part(offset), b.part(offset))
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
        }
    }

    /// Whether two Maps may have the same keys, in any order.
    fn entries(&mut self, key: TypeId, value: Option<TypeId>, a: Map, b: Map) -> bool {
        self.todo.push(Todo::Entries(key, value, a, b, 0));
        a.len() == b.len()
    }
}
