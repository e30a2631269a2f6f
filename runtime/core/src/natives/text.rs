//! Natives of `text.weir`. Offsets and lengths are bytes.

use crate::heap::Full;
use crate::number;
use crate::scope::Scope;
use crate::value::{Boxed, List, Own, Text};
use memchr::memmem;
use weir_abi::trap::{Trap, TrapKind};

/// How many bytes.
pub fn text_len(_: &mut Scope, text: Text) -> i64 {
    text.len() as i64
}

/// In upper case.
pub fn text_upper(scope: &mut Scope, text: Text) -> Result<Own<Text>, Trap> {
    convert(scope, text, u8::to_ascii_uppercase, str::to_uppercase)
}

/// In lower case.
pub fn text_lower(scope: &mut Scope, text: Text) -> Result<Own<Text>, Trap> {
    convert(scope, text, u8::to_ascii_lowercase, str::to_lowercase)
}

fn convert(
    scope: &mut Scope,
    text: Text,
    ascii: fn(&u8) -> u8,
    all: fn(&str) -> String,
) -> Result<Own<Text>, Trap> {
    let source = text.as_str();
    if !source.is_ascii() {
        return Ok(scope.text(&all(source))?);
    }
    let made = scope.text_with(source.len(), |filler| {
        let mut block = [0; 64];
        for bytes in source.as_bytes().chunks(block.len()) {
            for (to, from) in block.iter_mut().zip(bytes) {
                *to = ascii(from);
            }
            filler.push(&block[..bytes.len()]);
        }
    })?;
    Ok(made)
}

/// Without white space at both ends.
pub fn text_trim(scope: &mut Scope, text: Own<Text>) -> Result<Own<Text>, Trap> {
    trimmed(scope, text, str::trim)
}

/// Without white space at the start.
pub fn text_trim_start(scope: &mut Scope, text: Own<Text>) -> Result<Own<Text>, Trap> {
    trimmed(scope, text, str::trim_start)
}

/// Without white space at the end.
pub fn text_trim_end(scope: &mut Scope, text: Own<Text>) -> Result<Own<Text>, Trap> {
    trimmed(scope, text, str::trim_end)
}

fn trimmed(scope: &mut Scope, text: Own<Text>, trim: fn(&str) -> &str) -> Result<Own<Text>, Trap> {
    let whole = text.get();
    let part = trim(whole.as_str());
    let start = part.as_ptr() as usize - whole.as_str().as_ptr() as usize;
    let range = start..start + part.len();
    Ok(scope.text_slice(text, range)?)
}

/// Whether `part` occurs in it.
pub fn text_contains(scope: &mut Scope, text: Text, part: Text) -> bool {
    scope.searches.find(text.as_bytes(), part.as_bytes()).is_some()
}

/// Whether it begins with `prefix`.
pub fn text_starts_with(_: &mut Scope, text: Text, prefix: Text) -> bool {
    text.as_bytes().starts_with(prefix.as_bytes())
}

/// Whether it ends in `suffix`.
pub fn text_ends_with(_: &mut Scope, text: Text, suffix: Text) -> bool {
    text.as_bytes().ends_with(suffix.as_bytes())
}

/// Where `part` occurs first.
pub fn text_find(scope: &mut Scope, text: Text, part: Text) -> Result<Option<Own<Boxed>>, Trap> {
    match scope.searches.find(text.as_bytes(), part.as_bytes()) {
        Some(at) => Ok(Some(scope.some_word(at as u64)?)),
        None => Ok(None),
    }
}

/// The pieces between separators.
pub fn text_split(scope: &mut Scope, text: Text, separator: Text) -> Result<Own<List>, Trap> {
    if separator.len() == 0 {
        return Err(Trap::native("the separator of split is empty"));
    }
    let whole = text.as_str();
    if let [byte] = *separator.as_bytes() {
        // One that is a character by itself, so that what lies between is whole too.
        let mut from = 0;
        let ends = memchr::memchr_iter(byte, whole.as_bytes()).chain(std::iter::once(whole.len()));
        let parts = ends.map(move |end| {
            let part = &whole[from..end];
            from = end + 1;
            part
        });
        return Ok(scope.text_list(parts)?);
    }
    Ok(scope.text_list(whole.split(separator.as_str()))?)
}

/// Its lines.
pub fn text_lines(scope: &mut Scope, text: Text) -> Result<Own<List>, Trap> {
    Ok(scope.text_list(text.as_str().lines())?)
}

/// Its characters.
pub fn text_chars(scope: &mut Scope, text: Text) -> Result<Own<List>, Trap> {
    let text = text.as_str();
    Ok(scope.text_list(text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]))?)
}

/// The byte at an offset.
pub fn text_byte(_: &mut Scope, text: Text, offset: i64) -> Result<i64, Trap> {
    let byte = usize::try_from(offset).ok().and_then(|at| text.as_bytes().get(at).copied());
    byte.map(i64::from).ok_or_else(|| {
        let message = format!("byte {offset} is outside a text of {}", text.len());
        Trap { kind: TrapKind::Native, a: offset, b: text.len() as i64, message: Some(message) }
    })
}

/// With another text in place of each occurrence.
pub fn text_replace(scope: &mut Scope, text: Text, old: Text, new: Text) -> Result<Own<Text>, Trap> {
    if old.len() == 0 {
        return Err(Trap::native("the text to replace is empty"));
    }
    let bytes = text.as_bytes();
    let finder = memmem::Finder::new(old.as_bytes());
    let count = finder.find_iter(bytes).count();
    let added = new.len().checked_mul(count).ok_or(Full)?;
    let len = (bytes.len() - old.len() * count).checked_add(added).ok_or(Full)?;
    let made = scope.text_with(len, |filler| {
        let mut from = 0;
        for at in finder.find_iter(bytes) {
            filler.push(&bytes[from..at]);
            filler.push(new.as_bytes());
            from = at + old.len();
        }
        filler.push(&bytes[from..]);
    })?;
    Ok(made)
}

/// How many bytes of a repeated text are written at once.
const PIECE: usize = 4096;

/// So many times in a row.
pub fn text_repeat(scope: &mut Scope, text: Text, count: i64) -> Result<Own<Text>, Trap> {
    let Ok(count) = usize::try_from(count) else {
        return Err(Trap::native("the count of repeat is negative"));
    };
    let len = text.len().checked_mul(count).ok_or(Full)?;
    // By pieces of many, where one is short: a copy has its price besides its bytes.
    let times = (PIECE / text.len().max(1)).clamp(1, count.max(1));
    let piece = text.as_bytes().repeat(times);
    let made = scope.text_with(len, |filler| {
        while filler.left() > 0 {
            filler.push(&piece[..piece.len().min(filler.left())]);
        }
    })?;
    Ok(made)
}

/// With `fill` before it.
pub fn text_pad_start(scope: &mut Scope, text: Text, width: i64, fill: Text) -> Result<Own<Text>, Trap> {
    let padding = padding(text, width, fill)?;
    padded(scope, text, padding, fill, true)
}

/// With `fill` behind it.
pub fn text_pad_end(scope: &mut Scope, text: Text, width: i64, fill: Text) -> Result<Own<Text>, Trap> {
    let padding = padding(text, width, fill)?;
    padded(scope, text, padding, fill, false)
}

/// How many times `fill` goes in whole, and how many of its bytes follow.
fn padding(text: Text, width: i64, fill: Text) -> Result<(usize, usize), Trap> {
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(text.as_str().chars().count());
    let chars = fill.as_str().chars().count();
    if missing == 0 {
        return Ok((0, 0));
    }
    if chars == 0 {
        return Err(Trap::native("the text to pad with is empty"));
    }
    let rest = fill.as_str().char_indices().nth(missing % chars).map_or(fill.len(), |(at, _)| at);
    Ok((missing / chars, if missing.is_multiple_of(chars) { 0 } else { rest }))
}

fn padded(
    scope: &mut Scope,
    text: Text,
    (times, rest): (usize, usize),
    fill: Text,
    before: bool,
) -> Result<Own<Text>, Trap> {
    let whole = fill.len().checked_mul(times).ok_or(Full)?;
    let len = whole.checked_add(rest).and_then(|l| l.checked_add(text.len())).ok_or(Full)?;
    let made = scope.text_with(len, |filler| {
        if !before {
            filler.push(text.as_bytes());
        }
        for _ in 0..times {
            filler.push(fill.as_bytes());
        }
        filler.push(&fill.as_bytes()[..rest]);
        if before {
            filler.push(text.as_bytes());
        }
    })?;
    Ok(made)
}

/// The pieces between white space.
pub fn text_words(scope: &mut Scope, text: Text) -> Result<Own<List>, Trap> {
    Ok(scope.text_list(text.as_str().split_whitespace())?)
}

/// How many times `part` occurs, without overlaps.
pub fn text_count(_: &mut Scope, text: Text, part: Text) -> Result<i64, Trap> {
    if part.len() == 0 {
        return Err(Trap::native("the text to count is empty"));
    }
    Ok(memmem::find_iter(text.as_bytes(), part.as_bytes()).count() as i64)
}

/// Where `part` occurs last.
pub fn text_find_last(scope: &mut Scope, text: Text, part: Text) -> Result<Option<Own<Boxed>>, Trap> {
    match memmem::rfind(text.as_bytes(), part.as_bytes()) {
        Some(at) => Ok(Some(scope.some_word(at as u64)?)),
        None => Ok(None),
    }
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
pub fn text_is_digits(_: &mut Scope, text: Text) -> bool {
    !text.as_bytes().is_empty() && text.as_bytes().iter().all(u8::is_ascii_digit)
}

/// Whether it has characters, and all are letters of some script.
pub fn text_is_letters(_: &mut Scope, text: Text) -> bool {
    !text.as_bytes().is_empty() && text.as_str().chars().all(char::is_alphabetic)
}

/// The Int that it spells.
pub fn text_to_int(scope: &mut Scope, text: Text) -> Result<Option<Own<Boxed>>, Trap> {
    match number::int(text.as_str()) {
        Some(value) => Ok(Some(scope.some_word(value as u64)?)),
        None => Ok(None),
    }
}

/// The Float that it spells: decimal digits with an optional sign, fraction and exponent.
pub fn text_to_float(scope: &mut Scope, text: Text) -> Result<Option<Own<Boxed>>, Trap> {
    match number::float(text.as_str()) {
        Some(value) => Ok(Some(scope.some_word(value.to_bits())?)),
        None => Ok(None),
    }
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
