//! Natives of `bytes.weir`. A Bytes value and a Text have the same layout, so either becomes the other without a copy.

use super::Flow;
use crate::heap::{Full, Word};
use crate::pieces::{InRow, PIECE, Pieces, Put, Sink, filled, made, taken};
use crate::scope::Scope;
use crate::steps::{STEP, Work, in_steps};
use crate::value::{Bytes, Gives, Own, Ref, Text};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use weir_abi::trap::{Trap, TrapKind};

const DIGITS: &[u8; 16] = b"0123456789abcdef";
/// How many bytes are written in base64 at once: each three are four characters.
const GROUP: usize = 768;
/// The characters of a group.
const WRITTEN: usize = GROUP / 3 * 4;

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
pub fn bytes_concat(scope: &mut Scope, bytes: Bytes, other: Bytes) -> Result<Flow, Trap> {
    let row = [bytes, other].map(|bytes| Text::of(bytes.object()));
    let len = row[0].len().checked_add(row[1].len()).ok_or(Full)?;
    filled(scope, len, InRow::of(row))
}

/// The text that they are in UTF-8.
pub fn bytes_to_text(scope: &mut Scope, bytes: Own<Bytes>) -> Result<Flow, Trap> {
    in_steps(scope, Checking { bytes, at: 0 })
}

/// Bytes that may be UTF-8.
struct Checking {
    bytes: Own<Bytes>,
    /// They are up to here.
    at: usize,
}

impl Checking {
    /// Looks at some `step` bytes; whether they are UTF-8, once that is known.
    #[inline]
    fn go(&mut self, step: usize) -> Option<bool> {
        let bytes = self.bytes.get();
        let (window, is_last) = window(bytes.as_bytes(), self.at, step);
        match str::from_utf8(window) {
            Ok(_) => self.at += window.len(),
            Err(error) if error.error_len().is_none() && !is_last => self.at += error.valid_up_to(),
            Err(_) => return Some(false),
        }
        is_last.then_some(true)
    }
}

impl Work for Checking {
    #[inline]
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let bytes = Own::new(self.bytes.get());
        match self.go(STEP) {
            None => Ok(None),
            Some(true) => Ok(Some(as_text(bytes).into_word())),
            Some(false) => {
                scope.give_up(bytes);
                Ok(Some(0))
            }
        }
    }

    fn close(self, scope: &mut Scope) {
        scope.give_up(self.bytes);
    }
}

/// Some `step` bytes from `at` on, enough for a character, and whether nothing follows them.
fn window(bytes: &[u8], at: usize, step: usize) -> (&[u8], bool) {
    let end = bytes.len().min(at.saturating_add(step.max(char::MAX_LEN_UTF8)));
    (&bytes[at..end], end == bytes.len())
}

/// The text that they are in UTF-8, with replacements.
pub fn bytes_to_text_lossy(scope: &mut Scope, bytes: Bytes) -> Result<Flow, Trap> {
    made(scope, Lossy { bytes, at: 0 })
}

/// Bytes as UTF-8, with U+FFFD for what spells nothing.
#[derive(Clone)]
struct Lossy {
    bytes: Bytes,
    at: usize,
}

impl Pieces for Lossy {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let (window, is_last) = window(self.bytes.as_bytes(), self.at, step);
        let mut left = step;
        for chunk in window.utf8_chunks() {
            let (valid, invalid) = (chunk.valid(), chunk.invalid());
            sink.push(valid.as_bytes());
            self.at += valid.len();
            if invalid.is_empty() {
                continue;
            }
            // What the end of the window may have cut is in the next one whole.
            if !is_last && invalid.as_ptr_range().end == window.as_ptr_range().end {
                let is_cut = str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
                if is_cut {
                    return Put::More;
                }
            }
            sink.push("\u{fffd}".as_bytes());
            self.at += invalid.len();
            left = left.saturating_sub(PIECE);
            if left == 0 {
                return Put::More;
            }
        }
        if is_last { Put::All } else { Put::More }
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
pub fn bytes_to_hex(scope: &mut Scope, bytes: Bytes) -> Result<Flow, Trap> {
    let len = bytes.as_bytes().len().checked_mul(2).ok_or(Full)?;
    filled(scope, len, Hex { bytes, at: 0 })
}

/// Bytes in lower-case hexadecimal.
struct Hex {
    bytes: Bytes,
    at: usize,
}

impl Pieces for Hex {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let (window, put) = taken(self.bytes.as_bytes(), &mut self.at, step);
        window.iter().for_each(|byte| sink.push(&hex_of(*byte)));
        put
    }
}

/// A few bytes in lower-case hexadecimal.
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
pub fn bytes_from_hex(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    if !text.len().is_multiple_of(2) {
        return Ok(Flow::Done(0));
    }
    filled(scope, text.len() / 2, FromHex { text, at: 0 })
}

/// The bytes that hexadecimal digits stand for, pair by pair.
struct FromHex {
    text: Text,
    at: usize,
}

impl Pieces for FromHex {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let value = |digit: u8| (digit as char).to_digit(16).map(|value| value as u8);
        let (window, put) = taken(self.text.as_bytes(), &mut self.at, 2 * step);
        for pair in window.chunks_exact(2) {
            let (Some(high), Some(low)) = (value(pair[0]), value(pair[1])) else { return Put::Nothing };
            sink.push(&[high << 4 | low]);
        }
        put
    }
}

/// Base64: with padding, or for URLs without (RFC 4648, sections 4 and 5).
pub fn bytes_to_base64(scope: &mut Scope, bytes: Bytes, url: i64) -> Result<Flow, Trap> {
    let is_url = url != 0;
    let len = base64::encoded_len(bytes.as_bytes().len(), !is_url).ok_or(Full)?;
    filled(scope, len, Base64 { bytes, is_url, at: 0 })
}

/// Bytes in base64.
struct Base64 {
    bytes: Bytes,
    is_url: bool,
    at: usize,
}

impl Pieces for Base64 {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let engine = if self.is_url { &URL_SAFE_NO_PAD } else { &STANDARD };
        let mut written = [0; WRITTEN];
        let (window, put) = taken(self.bytes.as_bytes(), &mut self.at, step.next_multiple_of(GROUP));
        for group in window.chunks(GROUP) {
            let count = engine.encode_slice(group, &mut written).expect("a group has room");
            sink.push(&written[..count]);
        }
        put
    }
}

/// The bytes of such a text, in either alphabet, with padding or without.
pub fn bytes_from_base64(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    let Some(digits) = without_padding(text.as_bytes()) else { return Ok(Flow::Done(0)) };
    let len = digits.len() / 4 * 3 + (digits.len() % 4).saturating_sub(1);
    let of = digits.len();
    filled(scope, len, FromBase64 { text, of, at: 0, is_url: None })
}

/// The bytes that base64 stands for.
struct FromBase64 {
    text: Text,
    /// How many digits there are.
    of: usize,
    at: usize,
    /// Which alphabet it is; `None` before a digit told.
    is_url: Option<bool>,
}

impl Pieces for FromBase64 {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let mut bytes = [0; GROUP];
        let (window, put) =
            taken(&self.text.as_bytes()[..self.of], &mut self.at, step.next_multiple_of(WRITTEN));
        for digits in window.chunks(WRITTEN) {
            if self.is_url.is_none() {
                let told = digits.iter().find(|digit| matches!(digit, b'-' | b'_' | b'+' | b'/'));
                self.is_url = told.map(|digit| matches!(digit, b'-' | b'_'));
            }
            let engine = if self.is_url == Some(true) { &URL_SAFE_NO_PAD } else { &STANDARD_NO_PAD };
            let Ok(count) = engine.decode_slice(digits, &mut bytes) else { return Put::Nothing };
            sink.push(&bytes[..count]);
        }
        put
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::tests::{all, all_put};
    use crate::testing;
    use proptest::prelude::*;

    fn put(mut pieces: impl Pieces, steps: &[usize]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        (all(steps, |step| pieces.put(&mut out, step)) == Put::All).then_some(out)
    }

    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let one = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            any::<char>().prop_map(|c| c.to_string().into_bytes()),
            Just("\u{1f30a}".as_bytes()[..3].to_vec()),
        ];
        prop::collection::vec(one, 0..40).prop_map(|all| all.concat())
    }

    proptest! {
        #[test]
        fn any_step_reads_utf8_as_std_does(bytes in any_bytes(), steps in prop::collection::vec(1usize..100, 1..4)) {
            let s = &mut testing::scope();
            let own = as_bytes(s.text_with(bytes.len(), |filler| filler.push(&bytes)).expect("room"));
            let lossy = all_put(&Lossy { bytes: own.get(), at: 0 }, &steps).expect("a text");
            prop_assert_eq!(lossy, String::from_utf8_lossy(&bytes).into_owned().into_bytes());
            let mut checking = Checking { bytes: own, at: 0 };
            let is_text = steps.iter().cycle().find_map(|step| checking.go(*step));
            prop_assert_eq!(is_text, Some(str::from_utf8(&bytes).is_ok()));
        }

        #[test]
        fn any_step_writes_digits_and_reads_them(
            bytes in prop::collection::vec(any::<u8>(), 0..4000),
            at in any::<prop::sample::Index>(),
            steps in prop::collection::vec(1usize..3000, 1..4),
            is_url in any::<bool>(),
        ) {
            let s = &mut testing::scope();
            let own = as_bytes(s.text_with(bytes.len(), |filler| filler.push(&bytes)).expect("room")).get();
            let mut all: Vec<String> = Vec::new();
            for put in [put(Hex { bytes: own, at: 0 }, &steps), put(Base64 { bytes: own, is_url, at: 0 }, &steps)] {
                all.push(String::from_utf8(put.expect("a text")).expect("ASCII"));
            }
            let expected = if is_url { URL_SAFE_NO_PAD.encode(&bytes) } else { STANDARD.encode(&bytes) };
            prop_assert_eq!(&all[1], &expected);
            let mut read = |digits: &str, is_hex: bool| {
                let text = s.text(digits).expect("room").get();
                let of = without_padding(text.as_bytes()).map_or(0, <[u8]>::len);
                if is_hex {
                    put(FromHex { text, at: 0 }, &steps)
                } else {
                    put(FromBase64 { text, of, at: 0, is_url: None }, &steps)
                }
            };
            for (digits, is_hex) in all.iter().zip([true, false]) {
                prop_assert_eq!(read(digits, is_hex), Some(bytes.clone()));
                if !bytes.is_empty() {
                    let mut wrong = digits.trim_end_matches('=').to_owned();
                    let at = at.index(wrong.len());
                    wrong.replace_range(at..at + 1, "!");
                    prop_assert_eq!(read(&wrong, is_hex), None);
                }
            }
        }
    }
}
