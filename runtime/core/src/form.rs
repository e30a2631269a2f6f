//! Text forms of values.
//!
//! In: a value and its type. Out: its characters: Ints in decimal, Floats with the fewest digits that read back, Texts as
//! they are but quoted inside others, Durations as `1.5s`, Times in RFC 3339, Ranges as `0..3`, and `[1, 2]`,
//! `(1, "a")`, `["a": 1]`, `set(1, 2)`, `b"\xff"`, `User(id: 1, name: "Ada")`, `{id: 1}`, `Some(1)`, `None`, `Ok(1)`,
//! `Circle(radius: 1)`, `Empty`, `Error("why: because")`.
//! Here: the forms of what has no parts, and whole forms in one go. Not here: how values are walked through (`writer`).

mod writer;

pub use writer::FormWriter;

use crate::heap::Full;
use crate::value::{Any, Range};
use weir_abi::layout;
use weir_abi::types::{TypeDesc, TypeId};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Appends the text form of `value`, which is of type `ty`. It is given up when `out` gets longer than `most`: a value that shares
/// parts may have a form far larger than itself.
pub fn write_form(
    types: &[TypeDesc],
    ty: TypeId,
    value: Any,
    out: &mut Vec<u8>,
    most: usize,
) -> Result<(), Full> {
    FormWriter::new(types, ty, value, out).finish(types, out, most)
}

/// Writes the first `most` bytes of that form, a Text's in quotes, to `out`, in place of what is there, and `...` where there are
/// more.
pub fn write_form_cut(types: &[TypeDesc], ty: TypeId, value: Any, out: &mut Vec<u8>, most: usize) {
    out.clear();
    let form = match &types[ty.0 as usize] {
        TypeDesc::Text => FormWriter::inside(types, ty, value, out),
        _ => FormWriter::new(types, ty, value, out),
    };
    // It stops somewhere behind `most`.
    let _: Result<(), Full> = form.finish(types, out, most);
    if out.len() > most {
        // Not within a character.
        let end = (0..=most).rev().find(|at| out[*at] & 0xC0 != 0x80).unwrap_or(0);
        out.truncate(end);
        out.extend_from_slice(b"...");
    }
}

/// The index of an enum value's case.
pub fn case_index(desc: &TypeDesc, value: Any) -> usize {
    let word = if desc.is_ref() { value.part(layout::CASE_INDEX) } else { value };
    word.word() as usize
}

/// Writes a value that has no parts and a form of few characters; `false` for others.
fn write_leaf(desc: &TypeDesc, value: Any, out: &mut Vec<u8>) -> bool {
    match desc {
        TypeDesc::Unit => out.extend_from_slice(b"()"),
        TypeDesc::Int => write_int(value.word() as i64, out),
        // The shortest digits that read back; an exponent for very large and very small ones.
        TypeDesc::Float => out.extend_from_slice(format!("{:?}", f64::from_bits(value.word())).as_bytes()),
        TypeDesc::Bool => out.extend_from_slice(if value.word() != 0 { b"true" } else { b"false" }),
        TypeDesc::Duration => write_duration(value.word() as i64, out),
        TypeDesc::Time => write_time(value.word() as i64, out),
        TypeDesc::Range => {
            let range: Range = value.as_arg();
            write_int(range.low(), out);
            out.extend_from_slice(if range.is_inclusive() { b"..=" } else { b".." });
            write_int(range.high(), out);
        }
        TypeDesc::Stream(_) => out.extend_from_slice(b"<stream>"),
        TypeDesc::Fn => out.extend_from_slice(b"<function>"),
        TypeDesc::Native(name) => {
            out.push(b'<');
            out.extend_from_slice(name.as_bytes());
            out.push(b'>');
        }
        TypeDesc::Never => {}
        TypeDesc::Text
        | TypeDesc::Bytes
        | TypeDesc::List(_)
        | TypeDesc::Map(..)
        | TypeDesc::Set(_)
        | TypeDesc::Option(_)
        | TypeDesc::Tuple(_)
        | TypeDesc::Record(..)
        | TypeDesc::Enum(..) => return false,
    }
    true
}

/// What is inside an option that is not None.
pub fn option_payload(types: &[TypeDesc], inner: TypeId, option: Any) -> Any {
    if types[inner.0 as usize].is_nullable_inside_option() { option } else { option.part(layout::BOX_VALUE) }
}

/// An Int's decimal digits.
#[derive(Clone, Copy)]
pub struct Digits {
    bytes: [u8; 20],
    start: u8,
}

impl Digits {
    /// The digits of `value`, with a sign when it is negative.
    #[inline]
    pub fn of(value: i64) -> Self {
        const PAIRS: &[u8; 200] =
            b"00010203040506070809101112131415161718192021222324252627282930313233343536373839\
            40414243444546474849505152535455565758596061626364656667686970717273747576777879\
            8081828384858687888990919293949596979899";
        let mut bytes = [0; 20];
        let mut start = 20;
        let mut rest = value.unsigned_abs();
        while rest >= 100 {
            let pair = (rest % 100) as usize * 2;
            rest /= 100;
            start -= 2;
            bytes[start..start + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        }
        if rest >= 10 {
            start -= 2;
            bytes[start..start + 2].copy_from_slice(&PAIRS[rest as usize * 2..rest as usize * 2 + 2]);
        } else {
            start -= 1;
            bytes[start] = b'0' + rest as u8;
        }
        if value < 0 {
            start -= 1;
            bytes[start] = b'-';
        }
        Self { bytes, start: start as u8 }
    }

    /// How many characters `value` takes.
    #[inline]
    pub fn count(value: i64) -> usize {
        value.unsigned_abs().checked_ilog10().map_or(1, |log| log as usize + 1) + usize::from(value < 0)
    }

    /// The characters.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start as usize..]
    }
}

fn write_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(Digits::of(value).as_bytes());
}

/// What stands between the quotes of a Text as it is written in a program.
fn write_characters(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '"' | '\\' | '{' => out.extend_from_slice(&[b'\\', c as u8]),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c.is_control() => out.extend_from_slice(format!("\\u{{{:X}}}", c as u32).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// What stands between the quotes of Bytes as they are written in a program: what is printable in ASCII as it is.
fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b' '..=b'~' => out.push(*byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
}

/// A Duration as a literal: whole hours or minutes, else seconds or the largest smaller unit with up to nine decimals.
fn write_duration(nanos: i64, out: &mut Vec<u8>) {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    if nanos < 0 {
        out.push(b'-');
    }
    let nanos = nanos.unsigned_abs();
    if nanos == 0 {
        return out.extend_from_slice(b"0s");
    }
    for (unit, name) in [(3_600_000_000_000, "h"), (60_000_000_000, "m")] {
        if nanos.is_multiple_of(unit) {
            write_int((nanos / unit) as i64, out);
            return out.extend_from_slice(name.as_bytes());
        }
    }
    for (unit, name) in UNITS {
        if nanos >= unit {
            write_int((nanos / unit) as i64, out);
            let digits = unit.ilog10() as usize;
            write_fraction(nanos % unit, digits, out);
            return out.extend_from_slice(name.as_bytes());
        }
    }
    write_int(nanos as i64, out);
    out.extend_from_slice(b"ns");
}

/// `.` and the decimals of `part`, of which there are `digits`, less the zeros at the end; nothing for 0.
fn write_fraction(part: u64, digits: usize, out: &mut Vec<u8>) {
    if part != 0 {
        let decimals = format!("{part:0digits$}");
        out.push(b'.');
        out.extend_from_slice(decimals.trim_end_matches('0').as_bytes());
    }
}

/// The moment now as RFC 3339 in UTC, with three decimals, so that lines align.
pub fn write_now(out: &mut Vec<u8>) {
    let now = crate::clock::wall_clock();
    write_seconds(now.div_euclid(NANOS_PER_SECOND), out);
    let millis = now.rem_euclid(NANOS_PER_SECOND) / 1_000_000;
    out.extend_from_slice(format!(".{millis:03}Z").as_bytes());
}

/// A Time in RFC 3339, UTC, with as many decimals as it needs.
fn write_time(nanos: i64, out: &mut Vec<u8>) {
    write_seconds(nanos.div_euclid(NANOS_PER_SECOND), out);
    write_fraction(nanos.rem_euclid(NANOS_PER_SECOND) as u64, 9, out);
    out.push(b'Z');
}

/// Date and time of day in UTC. The date is counted from 1 March, so that a leap day comes last (days_from_civil, H. Hinnant).
fn write_seconds(seconds: i64, out: &mut Vec<u8>) {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    out.extend_from_slice(
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}").as_bytes(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text forms are UTF-8")
    }

    #[test]
    fn ints_are_decimal() {
        for value in [0, 7, 10, 99, 100, 101, -1, -100, 123_456_789, i64::MAX, i64::MIN] {
            assert_eq!(shown(|out| write_int(value, out)), value.to_string());
        }
    }

    #[test]
    fn durations_look_like_literals() {
        let cases: [(i64, &str); 11] = [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5us"),
            (250_000_000, "250ms"),
            (1_500_000_000, "1.5s"),
            (-2_000_000_000, "-2s"),
            (60_000_000_000, "1m"),
            (90_000_000_000, "90s"),
            (7_200_000_000_000, "2h"),
            (1_000_000_001, "1.000000001s"),
            (i64::MIN, "-9223372036.854775808s"),
        ];
        for (nanos, form) in cases {
            assert_eq!(shown(|out| write_duration(nanos, out)), form);
        }
    }

    #[test]
    fn times_are_rfc_3339() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400 * NANOS_PER_SECOND, "2000-02-29T00:00:00Z"),
            (1_700_000_000 * NANOS_PER_SECOND + 120_000_000, "2023-11-14T22:13:20.12Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
        ];
        for (nanos, form) in cases {
            assert_eq!(shown(|out| write_time(nanos, out)), form);
        }
    }

    #[test]
    fn bytes_look_like_literals() {
        assert_eq!(shown(|out| write_bytes(b"a \"\\\n\0\xff{", out)), r#"a \"\\\n\x00\xff{"#);
    }

    #[test]
    fn quoted_texts_can_be_read_back() {
        assert_eq!(shown(|out| write_characters("a\"b\\{x}\n\u{1}é", out)), r#"a\"b\\\{x}\n\u{1}é"#);
    }
}
