//! Values without parts, as JSON writes them and as their text forms are read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// Writes a text in quotes.
#[inline]
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_characters(text.as_bytes(), out);
    out.push(b'"');
}

/// Writes what stands between the quotes: for a part of a text the part of that.
#[inline]
pub fn write_characters(bytes: &[u8], out: &mut Vec<u8>) {
    let mut copied = 0;
    loop {
        let at = copied + super::scan::plain(&bytes[copied..]);
        out.extend_from_slice(&bytes[copied..at]);
        let Some(&byte) = bytes.get(at) else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        copied = at + 1;
    }
}

/// Writes a finite Float, with the fewest digits that read back.
pub fn write_float(value: f64, out: &mut Vec<u8>) {
    use std::io::Write;
    write!(out, "{value:?}").expect("a Vec takes all");
}

/// Writes bytes as base64 with padding (RFC 4648, section 4).
pub fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
}

/// The bytes of such a text.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The nanoseconds of a Duration's text form: `1.5s`, `-2h`.
pub fn duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, i128); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let end = digits.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = digits.split_at(end);
    let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || number.ends_with('.') {
        return None;
    }
    let mut nanos = whole.parse::<i64>().ok()? as i128 * scale;
    let mut place = scale;
    for digit in part.bytes() {
        if place % 10 != 0 {
            // Finer than a nanosecond.
            return None;
        }
        place /= 10;
        nanos += i128::from(digit - b'0') * place;
    }
    i64::try_from(sign * nanos).ok()
}

/// The nanoseconds since 1970 of a Time in RFC 3339.
pub fn time(text: &str) -> Option<i64> {
    let moment: Timestamp = text.parse().ok()?;
    i64::try_from(moment.as_nanosecond()).ok()
}

/// The ends of a Range's text form, and whether the second one belongs to it.
pub fn range(text: &str) -> Option<(i64, i64, bool)> {
    let (low, high) = text.split_once("..")?;
    let (high, is_inclusive) = match high.strip_prefix('=') {
        Some(high) => (high, true),
        None => (high, false),
    };
    Some((low.parse().ok()?, high.parse().ok()?, is_inclusive))
}
