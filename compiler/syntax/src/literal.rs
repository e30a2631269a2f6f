//! What literals mean: numbers, durations, sizes, escapes, text blocks.
//!
//! In: the characters of one literal. Out: its value, or what is wrong with it.
//! Not here: finding where a literal ends (`lexer`).

use std::borrow::Cow;

/// A number literal's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number's magnitude, at most 2^63 (which only fits with a minus sign).
    Int(u64),
    /// Nanoseconds.
    Duration(i64),
    /// Finite.
    Float(f64),
}

/// Why a number literal has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// Beyond the largest Float.
    FloatRange,
    /// A fraction of a time span or size.
    FractionOfUnit,
    /// Letters behind the digits that are no unit.
    Suffix,
    /// A digit that the base does not have, or none at all.
    Digits,
    /// A `_` that does not stand between two digits.
    Underscore,
    /// Beyond 64 bits.
    IntRange,
    /// Beyond 292 years.
    DurationRange,
}

/// The units of time, in nanoseconds.
const DURATION_UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The units of size, in bytes.
const SIZE_UNITS: [(&str, u64); 4] = [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40)];

/// The value of a literal that starts with a digit.
pub fn number(text: &str) -> Result<Number, NumberFault> {
    if text.contains('.') {
        let unit = text.ends_with(|c: char| c.is_ascii_alphabetic()) && unit_of(text).is_some();
        return if unit { Err(NumberFault::FractionOfUnit) } else { float(text) };
    }
    for (prefix, radix) in [("0x", 16), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return int(digits, radix);
        }
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    if suffix.is_empty() {
        return int(digits, 10);
    }
    if let Some(&(_, factor)) = DURATION_UNITS.iter().find(|(unit, _)| *unit == suffix) {
        let count = magnitude(digits, 10).map_err(|fault| match fault {
            NumberFault::IntRange => NumberFault::DurationRange,
            other => other,
        })?;
        let nanos = count.checked_mul(factor).and_then(|n| i64::try_from(n).ok());
        return nanos.map(Number::Duration).ok_or(NumberFault::DurationRange);
    }
    if let Some(&(_, factor)) = SIZE_UNITS.iter().find(|(unit, _)| *unit == suffix) {
        let bytes = magnitude(digits, 10)?.checked_mul(factor).filter(|&n| n < 1 << 63);
        return bytes.map(Number::Int).ok_or(NumberFault::IntRange);
    }
    let exponent = suffix
        .strip_prefix(['e', 'E'])
        .is_some_and(|d| d.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)));
    if exponent { float(text) } else { Err(NumberFault::Suffix) }
}

/// A number with a fraction, an exponent or both; underscores stand between digits.
fn float(text: &str) -> Result<Number, NumberFault> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'_' && !(at > 0 && is_digit(at - 1) && is_digit(at + 1)) {
            return Err(NumberFault::Underscore);
        }
    }
    let value: f64 = text.replace('_', "").parse().map_err(|_| NumberFault::Suffix)?;
    if value.is_finite() { Ok(Number::Float(value)) } else { Err(NumberFault::FloatRange) }
}

/// The unit at the end of a number with a fraction.
fn unit_of(text: &str) -> Option<&str> {
    let unit = text.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    DURATION_UNITS.iter().chain(&SIZE_UNITS).map(|&(name, _)| name).find(|name| *name == unit)
}

fn int(digits: &str, radix: u32) -> Result<Number, NumberFault> {
    let value = magnitude(digits, radix)?;
    if value > 1 << 63 { Err(NumberFault::IntRange) } else { Ok(Number::Int(value)) }
}

fn magnitude(digits: &str, radix: u32) -> Result<u64, NumberFault> {
    let mut value: Option<u64> = Some(0);
    let mut last = b'_';
    for byte in digits.bytes() {
        if byte == b'_' {
            if last == b'_' {
                return Err(if value == Some(0) { NumberFault::Digits } else { NumberFault::Underscore });
            }
        } else {
            let digit = char::from(byte).to_digit(radix).ok_or(NumberFault::Digits)?;
            value = value.and_then(|v| v.checked_mul(u64::from(radix))?.checked_add(u64::from(digit)));
        }
        last = byte;
    }
    match last {
        b'_' if digits.len() < 2 => Err(NumberFault::Digits),
        b'_' => Err(NumberFault::Underscore),
        _ => value.ok_or(NumberFault::IntRange),
    }
}

/// The escape at the start of `text`, which begins with a backslash: how many bytes it takes, and its character, or
/// `None` when it is no escape.
pub fn escape(text: &str) -> (usize, Option<char>) {
    let Some(mark) = text[1..].chars().next() else { return (1, None) };
    let value = match mark {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        '"' | '\\' | '{' | '}' => Some(mark),
        'u' => return unicode_escape(text),
        _ => None,
    };
    (1 + mark.len_utf8(), value)
}

/// `\u{1F30A}`: one to six hexadecimal digits of a Unicode scalar value.
fn unicode_escape(text: &str) -> (usize, Option<char>) {
    let Some(body) = text.strip_prefix("\\u{") else { return (2, None) };
    // Without its `}` on the line, the `{` starts an interpolation.
    let Some(close) = body.find(['}', '"', '\n']).filter(|&at| body[at..].starts_with('}')) else {
        return (2, None);
    };
    let digits = &body[..close];
    let valid = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let value = if valid { u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) } else { None };
    (3 + close + 1, value)
}

/// The characters a piece of text stands for; what is no escape stands for itself.
pub fn unescape(piece: &str) -> Cow<'_, str> {
    if !piece.contains('\\') {
        return Cow::Borrowed(piece);
    }
    let mut out = String::with_capacity(piece.len());
    let mut rest = piece;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (len, value) = escape(&rest[at..]);
        match value {
            Some(c) => out.push(c),
            None => out.push_str(&rest[at..at + len]),
        }
        rest = &rest[at + len..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The escape of a bytes literal at the start of `text`, which begins with a backslash: how many bytes it takes, and its
/// value, or `None` when it is no escape.
pub fn byte_escape(text: &str) -> (usize, Option<u8>) {
    let Some(mark) = text[1..].chars().next() else { return (1, None) };
    let value = match mark {
        'n' => Some(b'\n'),
        't' => Some(b'\t'),
        'r' => Some(b'\r'),
        '0' => Some(0),
        '"' => Some(b'"'),
        '\\' => Some(b'\\'),
        'x' => {
            let digits = text.get(2..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            return (if value.is_some() { 4 } else { 2 }, value);
        }
        _ => None,
    };
    (1 + mark.len_utf8(), value)
}

/// What stands between the quotes of a bytes literal: escapes, and other characters as their UTF-8 bytes.
pub fn bytes(inside: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let (len, value) = byte_escape(&rest[at..]);
        out.extend(value);
        rest = &rest[at + len..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// The white space that the lines of a text block have in common.
///
/// In: the block's pieces in order, an interpolation between any two of them. Lines that are blank do not count,
/// except for the last one, where the closing quotes stand.
pub fn common_indent<'a>(pieces: &[&'a str]) -> &'a str {
    let mut common: Option<&'a str> = None;
    for &piece in pieces {
        let mut lines = piece.split('\n').skip(1).peekable();
        while let Some(line) = lines.next() {
            let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
            let blank = line.trim_end_matches('\r').len() == indent.len();
            let ends_here = lines.peek().is_none();
            if blank && !ends_here {
                continue;
            }
            common = Some(common.map_or(indent, |c| shared_prefix(c, indent)));
        }
    }
    common.unwrap_or("")
}

fn shared_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let len = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    // Both are made of spaces and tabs, so every offset is a boundary.
    &a[..len]
}

/// One piece of a text block without the common indentation; `first` and `last` pieces also lose the line of the
/// opening and of the closing quotes. Escapes are still in it.
pub fn dedent(piece: &str, indent: &str, first: bool, last: bool) -> String {
    let mut out = String::with_capacity(piece.len());
    for (number, line) in piece.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = if number == 0 {
            line
        } else {
            line.strip_prefix(indent).unwrap_or(line.trim_start_matches([' ', '\t']))
        };
        out.push_str(line);
    }
    if first
        && let Some(newline) = out.find('\n')
        && out[..newline].trim().is_empty()
    {
        out.drain(..=newline);
    }
    if last
        && let Some(newline) = out.rfind('\n')
        && out[newline..].trim().is_empty()
    {
        out.truncate(newline + 1);
    }
    out
}
