//! Natives of `list.weir`. A list that nobody else holds is changed in place; another is copied, and counted as copied.

use crate::heap::Word;
use crate::scope::Scope;
use crate::stream;
use crate::value::{Any, Both, List, Own, Ref, Stream, Text};
use weir_abi::layout::{self, shape};
use weir_abi::trap::{Trap, TrapKind};
use weir_abi::types::{TypeDesc, TypeId};

/// Room of the smallest list that was pushed to: with it the object fills a cell of 64 bytes.
const FIRST_CAPACITY: usize = 5;

/// How many elements.
pub fn list_len(_: &mut Scope, list: List) -> i64 {
    list.len() as i64
}

/// With one element more.
pub fn list_push(scope: &mut Scope, list: Own<List>, item: Any) -> Result<Own<List>, Trap> {
    let has_refs = list.get().has_refs();
    match with_room(scope, list, 1) {
        Ok(list) => {
            list.get().append(&[item.word()]);
            Ok(list)
        }
        Err(trap) => {
            drop_item(scope, item, has_refs);
            Err(trap)
        }
    }
}

/// The list as one that only the caller holds, with room for `more` elements. Room at least doubles, so that a loop of
/// pushes takes linear time.
fn with_room(scope: &mut Scope, list: Own<List>, more: usize) -> Result<Own<List>, Trap> {
    let old = list.get();
    let len = old.len();
    if old.object().is_unique() && old.capacity() - len >= more {
        return Ok(list);
    }
    let list = match scope.longer_list(list, more)? {
        Ok(longer) => return Ok(longer),
        Err(list) => list,
    };
    let old = list.get();
    scope.count_copy(old.object());
    let capacity = len.saturating_mul(2).max(len.saturating_add(more)).max(FIRST_CAPACITY);
    copy(scope, list, 0..len, capacity)
}

/// The list as one that only the caller holds.
pub(super) fn unshared(scope: &mut Scope, list: Own<List>) -> Result<Own<List>, Trap> {
    let len = list.get().len();
    if list.get().object().is_unique() {
        return Ok(list);
    }
    scope.count_copy(list.get().object());
    copy(scope, list, 0..len, len)
}

fn drop_item(scope: &mut Scope, item: Any, is_ref: bool) {
    if is_ref {
        // SAFETY: the item came owned, and lists of references hold references.
        unsafe { scope.drop_word(item.word()) };
    }
}

/// Without its last element, which is given besides. Traps when there is none.
pub fn list_take_last(scope: &mut Scope, list: Own<List>) -> Result<Both<List>, Trap> {
    let last = list.get().len() as i64 - 1;
    list_remove(scope, list, last)
}

/// With one element more in front of that at `index`, which may be the length.
pub fn list_insert(scope: &mut Scope, list: Own<List>, index: i64, item: Any) -> Result<Own<List>, Trap> {
    let (len, has_refs) = (list.get().len(), list.get().has_refs());
    if index < 0 || index as u64 > len as u64 {
        scope.give_up(list);
        drop_item(scope, item, has_refs);
        return Err(Trap::index(index, len));
    }
    let list = list_push(scope, list, item)?;
    list.get().words_mut()[index as usize..].rotate_right(1);
    Ok(list)
}

/// Without the element at `index`, which is given besides.
pub fn list_remove(scope: &mut Scope, list: Own<List>, index: i64) -> Result<Both<List>, Trap> {
    let len = list.get().len();
    if index < 0 || index as u64 >= len as u64 {
        scope.give_up(list);
        return Err(Trap::index(index, len));
    }
    let changed = unshared(scope, list)?;
    let own = changed.get();
    own.words_mut()[index as usize..].rotate_left(1);
    let result = own.words()[len - 1];
    own.shorten(len - 1);
    Ok(Both { changed, result })
}

/// With its first `len` elements only; unchanged when it has no more.
pub fn list_truncate(scope: &mut Scope, list: Own<List>, len: i64) -> Result<Own<List>, Trap> {
    let old = list.get();
    let kept = usize::try_from(len).unwrap_or(0);
    if kept >= old.len() {
        return Ok(list);
    }
    if !old.object().is_unique() {
        scope.count_copy(old.object());
        return copy(scope, list, 0..kept, kept);
    }
    if old.has_refs() {
        for &word in &old.words()[kept..] {
            // SAFETY: the references of elements that the list is about to forget.
            unsafe { scope.drop_word(word) };
        }
    }
    old.shorten(kept);
    Ok(list)
}

/// With the elements of `other` behind its own.
pub fn list_append(scope: &mut Scope, list: Own<List>, other: Own<List>) -> Result<Own<List>, Trap> {
    if list.get().len() == 0 {
        scope.give_up(list);
        return Ok(other);
    }
    let added = other.get();
    let list = match with_room(scope, list, added.len()) {
        Ok(list) => list,
        Err(trap) => {
            scope.give_up(other);
            return Err(trap);
        }
    };
    list.get().append(added.words());
    if added.object().is_unique() {
        // The references moved.
        added.shorten(0);
    } else if added.has_refs() {
        dup_all(scope, added.words());
    }
    scope.give_up(other);
    Ok(list)
}

/// A list of its own, of the elements `range` with that capacity, in place of `list`.
fn copy(
    scope: &mut Scope,
    list: Own<List>,
    range: std::ops::Range<usize>,
    capacity: usize,
) -> Result<Own<List>, Trap> {
    let old = list.get();
    let shape = old.object().shape();
    let made = match scope.list(shape, capacity) {
        Ok(made) => made,
        Err(full) => {
            scope.give_up(list);
            return Err(full.into());
        }
    };
    let words = &old.words()[range.clone()];
    made.get().append(words);
    if old.object().is_unique() && range.len() == old.len() {
        // The references moved.
        old.object().set(layout::LEN, 0);
    } else if old.has_refs() {
        dup_all(scope, words);
    }
    scope.give_up(list);
    Ok(made)
}

fn dup_all(scope: &Scope, words: &[Word]) {
    for word in words {
        // SAFETY: elements of a list of references that is held.
        let element = unsafe { <Any as crate::value::Arg>::from_word(*word) };
        scope.dup_any(element, true);
    }
}

/// The last element first.
pub fn list_reverse(scope: &mut Scope, list: Own<List>) -> Result<Own<List>, Trap> {
    let own = unshared(scope, list)?;
    own.get().words_mut().reverse();
    Ok(own)
}

/// The elements from `low` up to `high`.
pub fn list_slice(scope: &mut Scope, list: Own<List>, low: i64, high: i64) -> Result<Own<List>, Trap> {
    let len = list.get().len();
    if low < 0 || low > high || high as u64 > len as u64 {
        scope.give_up(list);
        return Err(Trap::bad_slice(low, high, "a list", len));
    }
    let range = low as usize..high as usize;
    if range.len() == len {
        return Ok(list);
    }
    let own = list.get();
    // Where nobody else holds the list and most of it stays, it stays where it is.
    if !own.object().is_unique() || range.len() < len / 2 {
        return copy(scope, list, range.clone(), range.len());
    }
    if own.has_refs() {
        for &word in own.words()[..range.start].iter().chain(&own.words()[range.end..]) {
            // SAFETY: the references of elements that the list is about to forget.
            unsafe { scope.drop_word(word) };
        }
    }
    own.words_mut().copy_within(range.clone(), 0);
    own.shorten(range.len());
    Ok(list)
}

/// The sum of Floats, else of Ints or Durations.
pub fn list_sum(scope: &mut Scope, ty: TypeId, list: List) -> Result<Word, Trap> {
    if scope.app().module().types[ty.0 as usize] == TypeDesc::Float {
        return Ok(list.words().iter().fold(0.0, |sum, word| sum + f64::from_bits(*word)).to_bits());
    }
    let sum = list.words().iter().try_fold(0i64, |sum, word| sum.checked_add(*word as i64));
    sum.map(|sum| sum as Word).ok_or_else(|| Trap::new(TrapKind::Overflow))
}

/// Texts in a row.
pub fn list_join(scope: &mut Scope, list: List, separator: Text) -> Result<Own<Text>, Trap> {
    let between = separator.len().saturating_mul(list.len().saturating_sub(1));
    let len = list.texts().fold(between, |sum, text| sum.saturating_add(text.len()));
    let text = scope.text_with(len, |filler| {
        for (at, text) in list.texts().enumerate() {
            if at > 0 {
                filler.push(separator.as_bytes());
            }
            filler.push(text.as_bytes());
        }
    })?;
    Ok(text)
}

/// The elements one by one.
pub fn list_stream(scope: &mut Scope, list: Own<List>) -> Result<Own<Stream>, Trap> {
    debug_assert!(matches!(list.get().object().shape(), shape::LIST_WORD | shape::LIST_REF));
    Ok(scope.stream(Box::new(stream::Elements::new(list)))?)
}
