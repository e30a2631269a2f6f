//! Request targets (RFC 9112 section 3.2) and authorities (RFC 3986 section 3.2).
//!
//! In: the method and the raw target. Out: byte ranges of path, query and authority. Nothing is decoded.

use std::ops::Range;

use super::refusal::Refusal;

/// The parts of a target, as ranges into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Up to `?`; empty for an absolute target without a path, which means `/`.
    pub path: Range<usize>,
    /// After `?`.
    pub query: Option<Range<usize>>,
    /// Of an absolute target; it overrides Host.
    pub authority: Option<Range<usize>>,
}

/// Splits a target into its parts.
pub fn split(method: &str, target: &[u8]) -> Result<Target, Refusal> {
    if method == "CONNECT" {
        return Err(Refusal::NotImplemented("CONNECT"));
    }
    if !target.iter().all(|byte| matches!(byte, 0x21..=0x7e) && *byte != b'#') {
        return Err(Refusal::Malformed("a byte that no target may have"));
    }
    if target.first() == Some(&b'/') {
        return Ok(path_and_query(target, 0, None));
    }
    if target == b"*" {
        return if method == "OPTIONS" {
            Ok(Target { path: 0..1, query: None, authority: None })
        } else {
            Err(Refusal::Malformed("target * without OPTIONS"))
        };
    }
    let start = [&b"http://"[..], b"https://"]
        .iter()
        .find(|scheme| target.len() > scheme.len() && target[..scheme.len()].eq_ignore_ascii_case(scheme))
        .map(|scheme| scheme.len())
        .ok_or(Refusal::Malformed("a target that is neither a path nor an http address"))?;
    let end = target[start..]
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .map_or(target.len(), |length| start + length);
    if !valid_authority(&target[start..end]) {
        return Err(Refusal::Malformed("invalid authority in the target"));
    }
    Ok(path_and_query(target, end, Some(start..end)))
}

fn path_and_query(target: &[u8], start: usize, authority: Option<Range<usize>>) -> Target {
    match memchr::memchr(b'?', &target[start..]) {
        Some(length) => {
            Target { path: start..start + length, query: Some(start + length + 1..target.len()), authority }
        }
        None => Target { path: start..target.len(), query: None, authority },
    }
}

/// Whether the bytes are a host with an optional port; user information is not allowed.
pub fn valid_authority(value: &[u8]) -> bool {
    let (host, port) = if value.first() == Some(&b'[') {
        let Some(end) = memchr::memchr(b']', value) else { return false };
        let literal = &value[1..end];
        let inside = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'v');
        if literal.is_empty() || !literal.iter().all(inside) {
            return false;
        }
        match &value[end + 1..] {
            [] => (None, &[][..]),
            [b':', port @ ..] => (None, port),
            _ => return false,
        }
    } else {
        match memchr::memchr(b':', value) {
            Some(colon) => (Some(&value[..colon]), &value[colon + 1..]),
            None => (Some(value), &[][..]),
        }
    };
    host.is_none_or(valid_name) && port.len() <= 5 && port.iter().all(u8::is_ascii_digit)
}

fn valid_name(host: &[u8]) -> bool {
    let allowed = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')')
            || matches!(byte, b'*' | b'+' | b',' | b';' | b'=')
    };
    !host.is_empty() && host.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let origin = split("GET", b"/a/b?x=1?2").expect("valid");
        assert_eq!(origin, Target { path: 0..4, query: Some(5..10), authority: None });
        let absolute = split("GET", b"HTTP://h.example:80/p?q").expect("valid");
        assert_eq!(absolute, Target { path: 19..21, query: Some(22..23), authority: Some(7..19) });
        let bare = split("GET", b"http://h?q").expect("valid");
        assert_eq!(bare, Target { path: 8..8, query: Some(9..10), authority: Some(7..8) });
        assert!(split("OPTIONS", b"*").is_ok());
        for (method, target) in [
            ("GET", "*"),
            ("GET", "x"),
            ("GET", "/a#b"),
            ("GET", "http://"),
            ("GET", "http://u@h/"),
            ("GET", "ftp://h/"),
        ] {
            assert_eq!(split(method, target.as_bytes()).map_err(Refusal::status), Err(400), "{target}");
        }
        assert_eq!(split("CONNECT", b"h:1").map_err(Refusal::status), Err(501));
    }

    #[test]
    fn authorities() {
        for good in ["a", "a.b:80", "127.0.0.1:1", "[::1]", "[::1]:80", "xn--a_b", "a:"] {
            assert!(valid_authority(good.as_bytes()), "{good}");
        }
        for bad in ["", ":80", "a b", "a/b", "a@b", "[", "[]", "[::1", "[::1]x", "a:x", "a:123456", "a:1:2"] {
            assert!(!valid_authority(bad.as_bytes()), "{bad}");
        }
    }
}
