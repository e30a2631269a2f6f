//! Values written by a format: sign, digits, notation, and filling up to a width.
//!
//! In: a value and a [`Format`]. Out: its characters. Width and precision count characters (code points).
//! Not here: which formats a type has (the compiler sees to it), and text forms (`form`).

use crate::form::Digits;
use std::io::Write as _;
use weir_abi::format::{Align, Format, Notation};

/// Appends an Int.
pub fn write_int(value: i64, format: Format, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(sign(value < 0, format));
    let digits = out.len();
    let magnitude = value.unsigned_abs();
    // Writing to a Vec cannot fail.
    let _ = match format.notation {
        Notation::Hex => write!(out, "{magnitude:x}"),
        Notation::UpperHex => write!(out, "{magnitude:X}"),
        Notation::Binary => write!(out, "{magnitude:b}"),
        Notation::Octal => write!(out, "{magnitude:o}"),
        Notation::Natural | Notation::Exponent | Notation::Fixed => {
            let decimal = Digits::of(value);
            out.extend_from_slice(&decimal.as_bytes()[usize::from(value < 0)..]);
            Ok(())
        }
    };
    fit_number(format, start, digits, out);
}

/// Appends a Float. A precision rounds the exact value, ties to even digits.
pub fn write_float(value: f64, format: Format, out: &mut Vec<u8>) {
    let start = out.len();
    if !value.is_nan() {
        out.extend_from_slice(sign(value.is_sign_negative(), format));
    }
    let digits = out.len();
    let magnitude = value.abs();
    // Writing to a Vec cannot fail.
    let _ = match (format.notation, format.precision.map(|digits| digits as usize)) {
        (Notation::Exponent, Some(precision)) => write!(out, "{magnitude:.precision$e}"),
        (Notation::Exponent, None) => write!(out, "{magnitude:e}"),
        (Notation::Fixed, None) => write!(out, "{magnitude}"),
        (_, Some(precision)) => write!(out, "{magnitude:.precision$}"),
        (_, None) => write!(out, "{magnitude:?}"),
    };
    let format = if value.is_finite() { format } else { Format { zero: false, thousands: false, ..format } };
    fit_number(format, start, digits, out);
}

fn sign(is_negative: bool, format: Format) -> &'static [u8] {
    match (is_negative, format.plus) {
        (true, _) => b"-",
        (false, true) => b"+",
        (false, false) => b"",
    }
}

/// Cuts and fills up what stands in `out` from `start` on, the UTF-8 of a value that is no number.
pub fn fit_text(format: Format, start: usize, out: &mut Vec<u8>) {
    let text = std::str::from_utf8(&out[start..]).unwrap_or_default();
    let mut count = 0;
    let mut cut = None;
    for (at, _) in text.char_indices() {
        if format.precision.is_some_and(|most| count == most as usize) {
            cut = Some(start + at);
            break;
        }
        count += 1;
    }
    out.truncate(cut.unwrap_or(out.len()));
    let align = if format.align == Align::Natural { Align::Left } else { format.align };
    fill(format, align, count, start, out);
}

/// Separates thousands and fills up a number whose sign stands from `start`, whose digits stand from `digits` on.
fn fit_number(format: Format, start: usize, digits: usize, out: &mut Vec<u8>) {
    if format.thousands {
        let whole = out[digits..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        for from_end in (3..whole).step_by(3) {
            out.insert(digits + whole - from_end, b',');
        }
    }
    let count = out.len() - start;
    let missing = (format.width as usize).saturating_sub(count);
    if missing == 0 {
        return;
    }
    if format.zero {
        out.splice(digits..digits, std::iter::repeat_n(b'0', missing));
        return;
    }
    let align = if format.align == Align::Natural { Align::Right } else { format.align };
    fill(format, align, count, start, out);
}

/// Fills up the `count` characters from `start` on.
fn fill(format: Format, align: Align, count: usize, start: usize, out: &mut Vec<u8>) {
    let missing = (format.width as usize).saturating_sub(count);
    if missing == 0 {
        return;
    }
    let before = match align {
        Align::Natural | Align::Left => 0,
        Align::Center => missing / 2,
        Align::Right => missing,
    };
    let mut buffer = [0; 4];
    let unit = format.fill.encode_utf8(&mut buffer).as_bytes();
    let repeated = |times: usize| unit.iter().copied().cycle().take(unit.len() * times);
    out.extend(repeated(missing - before));
    out.splice(start..start, repeated(before));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64, format: Format) -> String {
        let mut out = b"> ".to_vec();
        write_int(value, format, &mut out);
        String::from_utf8(out).expect("formats write UTF-8").split_off(2)
    }

    fn float(value: f64, format: Format) -> String {
        let mut out = b"> ".to_vec();
        write_float(value, format, &mut out);
        String::from_utf8(out).expect("formats write UTF-8").split_off(2)
    }

    fn text(value: &str, format: Format) -> String {
        let mut out = format!("> {value}").into_bytes();
        fit_text(format, 2, &mut out);
        String::from_utf8(out).expect("formats write UTF-8").split_off(2)
    }

    const PLAIN: Format = Format::PLAIN;

    #[test]
    fn ints() {
        let zero = Format { zero: true, width: 5, ..PLAIN };
        assert_eq!(int(-42, zero), "-0042");
        assert_eq!(int(42, Format { plus: true, ..zero }), "+0042");
        assert_eq!(int(123_456, zero), "123456");
        assert_eq!(int(42, Format { width: 5, ..PLAIN }), "   42");
        assert_eq!(int(42, Format { width: 5, align: Align::Left, ..PLAIN }), "42   ");
        assert_eq!(int(42, Format { width: 5, align: Align::Center, fill: '·', ..PLAIN }), "·42··");
        let thousands = Format { thousands: true, ..PLAIN };
        for (value, shown) in [
            (0, "0"),
            (999, "999"),
            (-1000, "-1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(int(value, thousands), shown);
        }
        let hex = Format { notation: Notation::Hex, ..PLAIN };
        assert_eq!(int(255, hex), "ff");
        assert_eq!(int(-255, hex), "-ff");
        assert_eq!(int(i64::MIN, hex), "-8000000000000000");
        assert_eq!(int(255, Format { notation: Notation::UpperHex, zero: true, width: 4, ..PLAIN }), "00FF");
        assert_eq!(int(5, Format { notation: Notation::Binary, ..PLAIN }), "101");
        assert_eq!(int(8, Format { notation: Notation::Octal, ..PLAIN }), "10");
    }

    #[test]
    fn floats() {
        let digits = |precision| Format { precision: Some(precision), ..PLAIN };
        for (value, precision, shown) in [
            (0.125, 2, "0.12"),
            (0.375, 2, "0.38"),
            (2.675, 2, "2.67"),
            (-0.001, 2, "-0.00"),
            (1e21, 1, "1000000000000000000000.0"),
            (0.5, 0, "0"),
            (1.5, 0, "2"),
            (-0.169_075_164, 9, "-0.169075164"),
            (1e23, 0, "99999999999999991611392"),
            (5e-324, 3, "0.000"),
        ] {
            assert_eq!(float(value, digits(precision)), shown);
        }
        let exponent = Format { notation: Notation::Exponent, ..PLAIN };
        assert_eq!(float(1500.0, exponent), "1.5e3");
        assert_eq!(float(0.001_5, Format { precision: Some(3), ..exponent }), "1.500e-3");
        assert_eq!(float(1e21, Format { notation: Notation::Fixed, ..PLAIN }), "1000000000000000000000");
        assert_eq!(float(1.0, Format { width: 6, ..PLAIN }), "   1.0");
        assert_eq!(float(-1.5, Format { width: 6, zero: true, ..PLAIN }), "-001.5");
        assert_eq!(float(f64::NAN, Format { width: 6, zero: true, plus: true, ..PLAIN }), "   NaN");
        assert_eq!(float(f64::INFINITY, Format { plus: true, thousands: true, ..PLAIN }), "+inf");
        assert_eq!(float(1_234_567.891, Format { thousands: true, ..digits(2) }), "1,234,567.89");
        assert_eq!(float(1e6, Format { thousands: true, ..PLAIN }), "1,000,000.0");
    }

    #[test]
    fn texts() {
        assert_eq!(text("äöü", Format { width: 5, ..PLAIN }), "äöü  ");
        assert_eq!(text("äöü", Format { width: 5, align: Align::Right, fill: 'é', ..PLAIN }), "ééäöü");
        assert_eq!(text("äöü", Format { width: 6, align: Align::Center, fill: '*', ..PLAIN }), "*äöü**");
        assert_eq!(text("äöü", Format { precision: Some(2), ..PLAIN }), "äö");
        assert_eq!(text("äöü", Format { precision: Some(0), width: 2, ..PLAIN }), "  ");
        assert_eq!(text("äöü", Format { precision: Some(3), ..PLAIN }), "äöü");
        assert_eq!(text("", PLAIN), "");
    }
}
