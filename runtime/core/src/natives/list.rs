//! Natives of `list.weir`. A list that nobody else holds is changed in place; another is copied, and counted as copied.
//! Both goes in steps (`lists`).

use super::Flow;
use crate::heap::Word;
use crate::lists::{Append, Change, Cut, Insert, Push, Remove, Reverse, Truncate, WORDS, change, part};
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::stream;
use crate::value::{Any, Gives, List, Own, Ref, Stream};
use weir_abi::layout::shape;
use weir_abi::trap::{Trap, TrapKind};
use weir_abi::types::{TypeDesc, TypeId};

/// How many elements.
pub fn list_len(_: &mut Scope, list: List) -> i64 {
    list.len() as i64
}

/// With one element more.
pub fn list_push(scope: &mut Scope, list: Own<List>, item: Any) -> Result<Flow, Trap> {
    let old = list.get();
    change(scope, list, 0..old.len(), 1, Push::new(item, old))
}

/// Without its last element, which is given besides. Traps when there is none.
pub fn list_take_last(scope: &mut Scope, list: Own<List>) -> Result<Flow, Trap> {
    let last = list.get().len() as i64 - 1;
    list_remove(scope, list, last)
}

/// With one element more in front of that at `index`, which may be the length.
pub fn list_insert(scope: &mut Scope, list: Own<List>, index: i64, item: Any) -> Result<Flow, Trap> {
    let old = list.get();
    let len = old.len();
    if index < 0 || index as u64 > len as u64 {
        Push::new(item, old).close(scope, old);
        scope.give_up(list);
        return Err(Trap::index(index, len));
    }
    change(scope, list, 0..len, 1, Insert::new(item, old, index as usize))
}

/// Without the element at `index`, which is given besides.
pub fn list_remove(scope: &mut Scope, list: Own<List>, index: i64) -> Result<Flow, Trap> {
    let len = list.get().len();
    if index < 0 || index as u64 >= len as u64 {
        scope.give_up(list);
        return Err(Trap::index(index, len));
    }
    change(scope, list, 0..len, 0, Remove::new(index as usize))
}

/// With its first `len` elements only; unchanged when it has no more.
pub fn list_truncate(scope: &mut Scope, list: Own<List>, len: i64) -> Result<Flow, Trap> {
    let len = usize::try_from(len).unwrap_or(0);
    if len >= list.get().len() {
        return Ok(Flow::Done(list.into_word()));
    }
    change(scope, list, 0..len, 0, Truncate { len })
}

/// With the elements of `other` behind its own.
pub fn list_append(scope: &mut Scope, list: Own<List>, other: Own<List>) -> Result<Flow, Trap> {
    let (old, more) = (list.get(), other.get().len());
    if old.len() == 0 {
        scope.give_up(list);
        return Ok(Flow::Done(other.into_word()));
    }
    change(scope, list, 0..old.len(), more, Append::new(old, other))
}

/// The last element first.
pub fn list_reverse(scope: &mut Scope, list: Own<List>) -> Result<Flow, Trap> {
    let len = list.get().len();
    change(scope, list, 0..len, 0, Reverse::default())
}

/// The elements from `low` up to `high`.
pub fn list_slice(scope: &mut Scope, list: Own<List>, low: i64, high: i64) -> Result<Flow, Trap> {
    let own = list.get();
    let len = own.len();
    if low < 0 || low > high || high as u64 > len as u64 {
        scope.give_up(list);
        return Err(Trap::bad_slice(low, high, "a list", len));
    }
    let range = low as usize..high as usize;
    if range.len() == len {
        return Ok(Flow::Done(list.into_word()));
    }
    // Where nobody else holds the list and most of it stays, it stays where it is.
    if own.object().is_unique() && range.len() >= len / 2 {
        return change(scope, list, 0..len, 0, Cut::new(range.start, range.end));
    }
    part(scope, list, range)
}

/// The sum of Floats, else of Ints or Durations.
pub fn list_sum(scope: &mut Scope, ty: TypeId, list: List) -> Result<Flow, Trap> {
    let is_float = *scope.type_desc(ty) == TypeDesc::Float;
    in_steps(scope, Summing { list, at: 0, is_float, floats: 0.0, ints: 0 })
}

/// A list whose elements are being added up; whoever waits holds it.
struct Summing {
    list: List,
    at: usize,
    is_float: bool,
    floats: f64,
    ints: i64,
}

impl Work for Summing {
    fn step(&mut self, _: &mut Scope) -> Result<Option<Word>, Trap> {
        let rest = &self.list.words()[self.at..];
        let part = &rest[..rest.len().min(WORDS)];
        self.at += part.len();
        if self.is_float {
            self.floats = part.iter().fold(self.floats, |sum, word| sum + f64::from_bits(*word));
        } else {
            let sum = part.iter().try_fold(self.ints, |sum, word| sum.checked_add(*word as i64));
            self.ints = sum.ok_or_else(|| Trap::new(TrapKind::Overflow))?;
        }
        let sum = if self.is_float { self.floats.to_bits() } else { self.ints as Word };
        Ok((part.len() == rest.len()).then_some(sum))
    }
}

/// The elements one by one.
pub fn list_stream(scope: &mut Scope, list: Own<List>) -> Result<Own<Stream>, Trap> {
    debug_assert!(matches!(list.get().object().shape(), shape::LIST_WORD | shape::LIST_REF));
    Ok(scope.stream(Box::new(stream::Elements::new(list)))?)
}
