//! Natives of `bytes.weir`. A Bytes value and a Text have the same layout, so either becomes the other without a copy.

use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Boxed, Bytes, Own, Ref, Text};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use weir_abi::trap::{Trap, TrapKind};

const DIGITS: &[u8; 16] = b"0123456789abcdef";
/// How many bytes are written in base64 at once: whole groups of three, each four characters.
const PIECE: usize = 768;
/// The characters of a piece.
const WRITTEN: usize = PIECE / 3 * 4;

/// The bytes of a text.
pub fn text_to_bytes(_: &mut Scope, text: Own<Text>) -> Result<Own<Bytes>, Trap> {
    Ok(as_bytes(text))
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
    Ok(as_bytes(part))
}

/// Both in a row.
pub fn bytes_concat(scope: &mut Scope, bytes: Bytes, other: Bytes) -> Result<Own<Bytes>, Trap> {
    let (first, second) = (bytes.as_bytes(), other.as_bytes());
    let len = first.len().checked_add(second.len()).ok_or(Full)?;
    let made = scope.text_with(len, |filler| {
        filler.push(first);
        filler.push(second);
    })?;
    Ok(as_bytes(made))
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
    const UNKNOWN: &[u8] = "\u{fffd}".as_bytes();
    let chunks = bytes.as_bytes().utf8_chunks();
    let unknown = |invalid: &[u8]| if invalid.is_empty() { 0 } else { UNKNOWN.len() };
    let len = chunks.clone().map(|chunk| chunk.valid().len() + unknown(chunk.invalid())).sum();
    let text = scope.text_with(len, |filler| {
        for chunk in chunks {
            filler.push(chunk.valid().as_bytes());
            filler.push(&UNKNOWN[..unknown(chunk.invalid())]);
        }
    })?;
    Ok(text)
}

/// Where `part` occurs first.
pub fn bytes_find(scope: &mut Scope, bytes: Bytes, part: Bytes) -> Result<Option<Own<Boxed>>, Trap> {
    match scope.searches.find(bytes.as_bytes(), part.as_bytes()) {
        Some(at) => Ok(Some(scope.some_word(at as u64)?)),
        None => Ok(None),
    }
}

/// Whether they begin with `prefix`.
pub fn bytes_starts_with(_: &mut Scope, bytes: Bytes, prefix: Bytes) -> bool {
    bytes.as_bytes().starts_with(prefix.as_bytes())
}

/// Whether they end in `suffix`.
pub fn bytes_ends_with(_: &mut Scope, bytes: Bytes, suffix: Bytes) -> bool {
    bytes.as_bytes().ends_with(suffix.as_bytes())
}

/// Two digits for each byte.
pub fn bytes_to_hex(scope: &mut Scope, bytes: Bytes) -> Result<Own<Text>, Trap> {
    hex(scope, bytes.as_bytes())
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(scope: &mut Scope, bytes: &[u8]) -> Result<Own<Text>, Trap> {
    let len = bytes.len().checked_mul(2).ok_or(Full)?;
    let text = scope.text_with(len, |filler| bytes.iter().for_each(|byte| filler.push(&hex_of(*byte))))?;
    Ok(text)
}

/// The two digits of a byte.
pub(super) fn hex_of(byte: u8) -> [u8; 2] {
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// The bytes of such digits, in either case.
pub fn bytes_from_hex(scope: &mut Scope, text: Text) -> Result<Option<Own<Bytes>>, Trap> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Ok(None);
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        letter => (letter | 0x20) - b'a' + 10,
    };
    let made = scope.text_with(digits.len() / 2, |filler| {
        for pair in digits.chunks_exact(2) {
            filler.push(&[value(pair[0]) << 4 | value(pair[1])]);
        }
    })?;
    Ok(Some(as_bytes(made)))
}

/// Base64: with padding, or for URLs without (RFC 4648, sections 4 and 5).
pub fn bytes_to_base64(scope: &mut Scope, bytes: Bytes, url: i64) -> Result<Own<Text>, Trap> {
    let (engine, is_padded) = if url != 0 { (&URL_SAFE_NO_PAD, false) } else { (&STANDARD, true) };
    let len = base64::encoded_len(bytes.as_bytes().len(), is_padded).ok_or(Full)?;
    let text = scope.text_with(len, |filler| {
        let mut written = [0; WRITTEN];
        for piece in bytes.as_bytes().chunks(PIECE) {
            let count = engine.encode_slice(piece, &mut written).expect("a piece has room");
            filler.push(&written[..count]);
        }
    })?;
    Ok(text)
}

/// The bytes of such a text, in either alphabet, with padding or without.
pub fn bytes_from_base64(scope: &mut Scope, text: Text) -> Result<Option<Own<Bytes>>, Trap> {
    let Some(digits) = without_padding(text.as_bytes()) else { return Ok(None) };
    let is_url = digits.iter().any(|digit| matches!(digit, b'-' | b'_'));
    let engine: &GeneralPurpose = if is_url { &URL_SAFE_NO_PAD } else { &STANDARD_NO_PAD };
    let mut is_good = true;
    let made = scope.text_with(digits.len() / 4 * 3 + (digits.len() % 4).saturating_sub(1), |filler| {
        let mut piece = [0; PIECE];
        for digits in digits.chunks(WRITTEN) {
            is_good = is_good && engine.decode_slice(digits, &mut piece).is_ok();
            let count = filler.left().min(PIECE);
            // A text is written whole, even one that nobody will see.
            filler.push(&piece[..count]);
        }
    })?;
    if !is_good {
        scope.give_up(made);
        return Ok(None);
    }
    Ok(Some(as_bytes(made)))
}

/// What stands before the padding, if that is none or as it has to be.
fn without_padding(text: &[u8]) -> Option<&[u8]> {
    let digits = match text {
        [digits @ .., b'=', b'='] | [digits @ .., b'='] if text.len().is_multiple_of(4) => digits,
        digits => digits,
    };
    (digits.len() % 4 != 1).then_some(digits)
}

/// The same object.
fn as_bytes(text: Own<Text>) -> Own<Bytes> {
    Own::new(Bytes::of(text.get().object()))
}

/// The same object; whoever looks at its characters saw to it that it has some.
fn as_text(bytes: Own<Bytes>) -> Own<Text> {
    Own::new(Text::of(bytes.get().object()))
}
