//! Natives that compiled code itself needs.

use crate::form::{Digits, write_form};
use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Any, Arg, Filler, List, Own, Parts, Text};
use std::mem;
use weir_abi::native::part;
use weir_abi::trap::{Trap, TrapKind};
use weir_abi::types::TypeId;

/// The trap that compiled code says.
pub fn trap(_: &mut Scope, kind: i64, a: i64, b: i64) -> Result<(), Trap> {
    let kind = TrapKind::from_number(kind as u64).unwrap_or(TrapKind::Native);
    Err(Trap { kind, a, b, message: None })
}

/// The parts in a row, in one allocation.
pub fn text_concat(scope: &mut Scope, parts: Parts) -> Result<Own<Text>, Trap> {
    let pairs = parts.pairs();
    let Some(len) = plain_len(pairs) else {
        return formed(scope, pairs, |scope, out| scope.text_with(out.len(), |filler| filler.push(out)));
    };
    Ok(scope.text_with(len, |filler| push_plain(pairs, filler))?)
}

/// A text with the parts behind it, in place when nobody else holds it.
pub fn text_append(scope: &mut Scope, text: Own<Text>, parts: Parts) -> Result<Own<Text>, Trap> {
    let pairs = parts.pairs();
    let Some(len) = plain_len(pairs) else {
        return formed(scope, pairs, |scope, out| {
            scope.text_longer(text, out.len(), |filler| filler.push(out))
        });
    };
    Ok(scope.text_longer(text, len, |filler| push_plain(pairs, filler))?)
}

/// How many bytes parts have together; `None` when some have a text form of any length.
fn plain_len(pairs: &[[u64; 2]]) -> Option<usize> {
    let mut len = 0;
    for [kind, word] in pairs {
        len += match *kind {
            part::TEXT => as_text(*word).len(),
            part::INT => Digits::count(*word as i64),
            _ => return None,
        };
    }
    Some(len)
}

fn push_plain(pairs: &[[u64; 2]], filler: &mut Filler) {
    for [kind, word] in pairs {
        match *kind {
            part::TEXT => filler.push(as_text(*word).as_bytes()),
            _ => filler.push(Digits::of(*word as i64).as_bytes()),
        }
    }
}

fn as_text(word: u64) -> Text {
    as_any(word).as_arg()
}

fn as_any(word: u64) -> Any {
    // SAFETY: compiled code passes each part as a word of the type that its kind says, and holds it.
    unsafe { Any::from_word(word) }
}

/// `make` of the parts in a row, of which some have a text form of any length.
fn formed(
    scope: &mut Scope,
    pairs: &[[u64; 2]],
    make: impl FnOnce(&mut Scope, &[u8]) -> Result<Own<Text>, Full>,
) -> Result<Own<Text>, Trap> {
    let mut out = mem::take(&mut scope.scratch);
    out.clear();
    let (app, most) = (scope.app().clone(), scope.heap().room());
    let mut fits = Ok(());
    for [kind, word] in pairs {
        match *kind {
            part::TEXT => out.extend_from_slice(as_text(*word).as_bytes()),
            part::INT => out.extend_from_slice(Digits::of(*word as i64).as_bytes()),
            kind => {
                let ty = TypeId((kind - part::TYPE) as u32);
                fits = fits.and(write_form(&app.module().types, ty, as_any(*word), &mut out, most));
            }
        }
    }
    let text = fits.and_then(|()| make(scope, &out));
    scope.scratch = out;
    Ok(text?)
}

/// The object as one that nobody else holds.
pub fn object_copy(scope: &mut Scope, object: Own<Any>) -> Result<Own<Any>, Trap> {
    Ok(scope.unique(object)?)
}

/// Whether two texts are the same characters.
pub fn text_equal(_: &mut Scope, a: Text, b: Text) -> bool {
    a.as_bytes() == b.as_bytes()
}

/// Whether `a` comes before `b`, by code points.
pub fn text_less(_: &mut Scope, a: Text, b: Text) -> bool {
    a.as_bytes() < b.as_bytes()
}

/// An empty list.
pub fn list_new(scope: &mut Scope, shape: i64, capacity: i64) -> Result<Own<List>, Trap> {
    let capacity = usize::try_from(capacity).map_err(|_| Trap::from(Full))?;
    Ok(scope.list(shape as u32, capacity)?)
}
