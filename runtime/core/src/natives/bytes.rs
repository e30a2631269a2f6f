//! Natives of `bytes.weir`. A Bytes value and a Text have the same layout, so either becomes the other without a copy.

use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Bytes, Own, Ref, Text};
use weir_abi::trap::{Trap, TrapKind};

/// The bytes of a text.
pub fn text_to_bytes(_: &mut Scope, text: Own<Text>) -> Result<Own<Bytes>, Trap> {
    Ok(Own::new(Bytes::of(text.get().object())))
}

/// How many.
pub fn bytes_len(_: &mut Scope, bytes: Bytes) -> i64 {
    bytes.as_bytes().len() as i64
}

/// The byte at an index.
pub fn bytes_at(_: &mut Scope, bytes: Bytes, index: i64) -> Result<i64, Trap> {
    let all = bytes.as_bytes();
    let byte = usize::try_from(index).ok().and_then(|at| all.get(at).copied());
    byte.map(i64::from).ok_or_else(|| {
        let message = format!("index {index} is outside bytes of {}", all.len());
        Trap { kind: TrapKind::Native, a: index, b: all.len() as i64, message: Some(message) }
    })
}

/// Those from `low` up to `high`, sharing the storage.
pub fn bytes_slice(scope: &mut Scope, bytes: Own<Bytes>, low: i64, high: i64) -> Result<Own<Bytes>, Trap> {
    let len = bytes.get().as_bytes().len();
    if low < 0 || low > high || high as u64 > len as u64 {
        scope.give_up(bytes);
        return Err(Trap::bad_slice(low, high, "bytes", len));
    }
    let part = scope.text_slice(as_text(bytes), low as usize..high as usize)?;
    Ok(Own::new(Bytes::of(part.get().object())))
}

/// Both in a row.
pub fn bytes_concat(scope: &mut Scope, bytes: Bytes, other: Bytes) -> Result<Own<Bytes>, Trap> {
    let (first, second) = (bytes.as_bytes(), other.as_bytes());
    let len = first.len().checked_add(second.len()).ok_or(Full)?;
    let made = scope.text_with(len, |filler| {
        filler.push(first);
        filler.push(second);
    })?;
    Ok(Own::new(Bytes::of(made.get().object())))
}

/// The text that they are in UTF-8.
pub fn bytes_to_text(scope: &mut Scope, bytes: Own<Bytes>) -> Result<Option<Own<Text>>, Trap> {
    if str::from_utf8(bytes.get().as_bytes()).is_err() {
        scope.give_up(bytes);
        return Ok(None);
    }
    Ok(Some(as_text(bytes)))
}

/// The text that they are in UTF-8, with replacements.
pub fn bytes_to_text_lossy(scope: &mut Scope, bytes: Bytes) -> Result<Own<Text>, Trap> {
    Ok(scope.text(&String::from_utf8_lossy(bytes.as_bytes()))?)
}

/// The same object; whoever looks at its characters saw to it that it has some.
fn as_text(bytes: Own<Bytes>) -> Own<Text> {
    Own::new(Text::of(bytes.get().object()))
}
