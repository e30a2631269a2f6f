//! Natives of `text.weir`. Offsets and lengths are bytes.
//!
//! Not here: letters' case (`case`), searching and replacing (`find`), lists of parts (`split`), repeating and padding (`repeat`).

use super::Flow;
use crate::heap::Word;
use crate::number;
use crate::scope::Scope;
use crate::steps::{STEP, Work, in_steps};
use crate::value::{Boxed, Gives, Own, Text};
use crate::waiting::copied_to_pool;
use weir_abi::trap::{Trap, TrapKind};

/// How many bytes.
pub fn text_len(_: &mut Scope, text: Text) -> i64 {
    text.len() as i64
}

/// Without white space at both ends.
pub fn text_trim(scope: &mut Scope, text: Own<Text>) -> Result<Flow, Trap> {
    trim(scope, text, true, true)
}

/// Without white space at the start.
pub fn text_trim_start(scope: &mut Scope, text: Own<Text>) -> Result<Flow, Trap> {
    trim(scope, text, true, false)
}

/// Without white space at the end.
pub fn text_trim_end(scope: &mut Scope, text: Own<Text>) -> Result<Flow, Trap> {
    trim(scope, text, false, true)
}

#[inline]
fn trim(scope: &mut Scope, text: Own<Text>, at_start: bool, at_end: bool) -> Result<Flow, Trap> {
    let high = text.get().len();
    in_steps(scope, Trimming { text, low: 0, high, at_start, at_end })
}

/// A text without the white space outside of `low..high`.
struct Trimming {
    text: Own<Text>,
    low: usize,
    high: usize,
    /// There may be some at `low`.
    at_start: bool,
    /// And at `high`.
    at_end: bool,
}

impl Trimming {
    /// Looks at some `step` bytes; whether there is more.
    #[inline]
    fn go(&mut self, step: usize) -> bool {
        let text = self.text.get();
        if self.at_start {
            let window = text.window(self.low, step);
            let rest = window.trim_start();
            self.low += window.len() - rest.len();
            self.at_start = rest.is_empty() && self.low < self.high;
        } else if self.at_end {
            let low = text.as_str().ceil_char_boundary(self.high.saturating_sub(step.max(4)).max(self.low));
            let rest = text.as_str()[low..self.high].trim_end();
            self.high = low + rest.len();
            self.at_end = rest.is_empty() && self.low < self.high;
        }
        self.at_start || self.at_end
    }
}

impl Work for Trimming {
    #[inline]
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        if self.go(STEP) && self.go(STEP) {
            return Ok(None);
        }
        let text = Own::new(self.text.get());
        Ok(Some(scope.text_slice(text, self.low..self.high)?.into_word()))
    }

    fn close(self, scope: &mut Scope) {
        scope.give_up(self.text);
    }
}

/// Whether it begins with `prefix`.
pub fn text_starts_with(_: &mut Scope, text: Text, prefix: Text) -> bool {
    text.as_bytes().starts_with(prefix.as_bytes())
}

/// Whether it ends in `suffix`.
pub fn text_ends_with(_: &mut Scope, text: Text, suffix: Text) -> bool {
    text.as_bytes().ends_with(suffix.as_bytes())
}

/// The byte at an offset.
pub fn text_byte(_: &mut Scope, text: Text, offset: i64) -> Result<i64, Trap> {
    let byte = usize::try_from(offset).ok().and_then(|at| text.as_bytes().get(at).copied());
    byte.map(i64::from).ok_or_else(|| {
        let message = format!("byte {offset} is outside a text of {}", text.len());
        Trap { kind: TrapKind::Native, a: offset, b: text.len() as i64, message: Some(message) }
    })
}

/// The number of its first character.
pub fn text_code_point(scope: &mut Scope, text: Text) -> Result<Option<Own<Boxed>>, Trap> {
    match text.as_str().chars().next() {
        Some(c) => Ok(Some(scope.some_word(u64::from(u32::from(c)))?)),
        None => Ok(None),
    }
}

/// The character with that number.
pub fn text_from_code_point(scope: &mut Scope, number: i64) -> Result<Option<Own<Text>>, Trap> {
    match u32::try_from(number).ok().and_then(char::from_u32) {
        Some(c) => Ok(Some(scope.text(c.encode_utf8(&mut [0; 4]))?)),
        None => Ok(None),
    }
}

/// Whether it has characters, and all are the digits 0 to 9.
pub fn text_is_digits(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    in_steps(scope, Every { text, at: 0, is_one: |text| text.bytes().all(|byte| byte.is_ascii_digit()) })
}

/// Whether it has characters, and all are letters of some script.
pub fn text_is_letters(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    in_steps(scope, Every { text, at: 0, is_one: |text| text.chars().all(char::is_alphabetic) })
}

/// Whether all characters are such ones.
struct Every {
    text: Text,
    at: usize,
    is_one: fn(&str) -> bool,
}

impl Work for Every {
    #[inline]
    fn step(&mut self, _: &mut Scope) -> Result<Option<Word>, Trap> {
        let window = self.text.window(self.at, STEP);
        self.at += window.len();
        if !window.is_empty() && (self.is_one)(window) {
            return Ok((self.at == self.text.len()).then(|| true.into_word()));
        }
        Ok(Some(false.into_word()))
    }
}

/// The Int that it spells.
pub fn text_to_int(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    read(scope, text, |text| number::int(text).map(|value| value as Word))
}

/// The Float that it spells: decimal digits with an optional sign, fraction and exponent.
pub fn text_to_float(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    read(scope, text, |text| number::float(text).map(f64::to_bits))
}

/// The number that a text spells.
#[inline]
fn read(scope: &mut Scope, text: Text, read: fn(&str) -> Option<Word>) -> Result<Flow, Trap> {
    let give = |scope: &mut Scope, value: Option<Word>| {
        let made = value.map(|value| scope.some_word(value)).transpose()?;
        Ok(Flow::Done(made.into_word()))
    };
    if text.len() <= STEP {
        return give(scope, read(text.as_str()));
    }
    copied_to_pool(scope, [text], move |[text]| read(&text), give)
}

/// The bytes from `low` up to `high`.
pub fn text_slice(scope: &mut Scope, text: Own<Text>, low: i64, high: i64) -> Result<Own<Text>, Trap> {
    let whole = text.get();
    let range = usize::try_from(low).ok().zip(usize::try_from(high).ok()).map(|(low, high)| low..high);
    match range {
        Some(range) if whole.as_str().get(range.clone()).is_some() => Ok(scope.text_slice(text, range)?),
        _ => {
            let len = whole.len();
            scope.give_up(text);
            Err(Trap::bad_slice(low, high, "a text", len))
        }
    }
}
