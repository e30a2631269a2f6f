//! Percent-encoding in paths and queries.

use std::borrow::Cow;

/// Resolves `%41`, and `+` for a space where it stands for one. A `%` without two hexadecimal digits stays; bytes that are
/// not UTF-8 become U+FFFD.
pub fn decode(raw: &str, plus_is_space: bool) -> Cow<'_, str> {
    if !raw.bytes().any(|b| b == b'%' || plus_is_space && b == b'+') {
        return Cow::Borrowed(raw);
    }
    let bytes = decode_bytes(raw, plus_is_space);
    Cow::Owned(
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
    )
}

/// Whether each `%` has its digits, and each part between slashes is UTF-8 when they are resolved.
pub fn is_well_formed(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let escaped = |rest: &[u8]| rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit);
    let bytes = path.as_bytes();
    let mut percents = (0..bytes.len()).filter(|at| bytes[*at] == b'%');
    percents.all(|at| escaped(&bytes[at + 1..]))
        && path.split('/').all(|part| std::str::from_utf8(&decode_bytes(part, false)).is_ok())
}

fn decode_bytes(raw: &str, plus_is_space: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(match escaped {
            Some(byte) => byte,
            None if plus_is_space && *first == b'+' => b' ',
            None => *first,
        });
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(decode("a+b%20c", true), "a b c");
        assert_eq!(decode("a+b%20c", false), "a+b c");
        assert_eq!(decode("%C3%a9%", true), "é%");
        assert_eq!(decode("%zz%4", true), "%zz%4");
        assert_eq!(decode("%ff%41", true), "\u{fffd}A");
    }

    #[test]
    fn malformed_paths_are_told() {
        for path in ["/", "/a+b", "/%41%2f", "/%C3%A9"] {
            assert!(is_well_formed(path), "{path}");
        }
        for path in ["/%", "/%4", "/a%4/", "/%g0", "/%C3/%A9", "/%ff"] {
            assert!(!is_well_formed(path), "{path}");
        }
    }
}
