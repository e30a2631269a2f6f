//! What of a representation a request wants: conditions and ranges (RFC 9110 sections 13 and 14), without I/O.
//!
//! In: a request's head, what the representation says about itself, its length. Out: [`Wanted`].
//! Invariants: a range lies within the length and is not empty; what cannot be understood is ignored, so that the whole is sent.
//! Not here: several ranges in one answer, which a server may answer with the whole (section 14.2); whether the status allows
//! for conditions at all.

use std::ops::Range;
use std::time::SystemTime;

use super::date::parse_http_date;
use super::head::RequestHead;

/// What a representation says about itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validators<'a> {
    /// Its entity tag as in `ETag`, quotes and `W/` included.
    pub etag: Option<&'a [u8]>,
    /// Its `Last-Modified`, in whole seconds.
    pub modified: Option<SystemTime>,
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// These bytes: 206.
    Part(Range<u64>),
    /// Bytes that there are none of: 416.
    Beyond,
    /// The client has it already: 304.
    NotModified,
    /// It is not what the client took it for: 412.
    Failed,
}

/// What a request wants of a representation of `length` bytes, in the order of section 13.2.2.
pub fn wanted(head: &RequestHead, validators: Validators<'_>, length: u64) -> Wanted {
    let is_read = matches!(head.method(), "GET" | "HEAD");
    let has = |name| head.header(name).is_some();
    if has("if-match") {
        if !matches(head.header_all("if-match"), validators.etag, is_same) {
            return Wanted::Failed;
        }
    } else if let (Some(then), Some(modified)) = (date(head, "if-unmodified-since"), validators.modified)
        && modified > then
    {
        return Wanted::Failed;
    }
    if has("if-none-match") {
        if matches(head.header_all("if-none-match"), validators.etag, is_alike) {
            return if is_read { Wanted::NotModified } else { Wanted::Failed };
        }
    } else if let (Some(then), Some(modified)) = (date(head, "if-modified-since"), validators.modified)
        && is_read
        && modified <= then
    {
        return Wanted::NotModified;
    }
    if head.method() != "GET" || !may_be_part(head, validators) {
        return Wanted::Whole;
    }
    let mut ranges = head.header_all("range");
    match (ranges.next().and_then(requested), ranges.next()) {
        (Some(requested), None) => requested.of(length),
        _ => Wanted::Whole,
    }
}

/// Whether `If-Range` allows for a part (section 13.1.5). A date never does: that nothing changed twice within its second is not
/// known, and a client that has one has the tag as well.
fn may_be_part(head: &RequestHead, validators: Validators<'_>) -> bool {
    match (head.header("if-range"), validators.etag) {
        (None, _) => true,
        (Some(tag), Some(etag)) => is_same(tag, etag),
        (Some(_), None) => false,
    }
}

/// The date of a field; what is no date counts as not sent.
fn date(head: &RequestHead, name: &str) -> Option<SystemTime> {
    let text = std::str::from_utf8(head.header(name)?).ok()?;
    parse_http_date(text)
}

/// Whether one of the tags that are listed is the current one, or any would do and there is one.
fn matches<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    etag: Option<&[u8]>,
    compare: fn(&[u8], &[u8]) -> bool,
) -> bool {
    let mut values = values;
    values.any(|value| {
        value == b"*" || etag.is_some_and(|etag| Tags(value).any(|listed| compare(listed, etag)))
    })
}

/// Strong comparison (section 8.8.3.2).
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one == other && !one.starts_with(b"W/")
}

/// Weak comparison.
fn is_alike(one: &[u8], other: &[u8]) -> bool {
    opaque(one) == opaque(other)
}

fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// The entity tags of a list, up to the first thing that is none. Commas may stand in a tag.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let skipped = self.0.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b',')).count();
        let rest = &self.0[skipped..];
        let inner = opaque(rest).strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', inner)?;
        let length = rest.len() - inner.len() + end + 1;
        self.0 = &rest[length..];
        Some(&rest[..length])
    }
}

/// One range as it is written; numbers too large for a length are the largest one.
enum Requested {
    /// `first-last`, both included.
    Between(u64, u64),
    /// `first-`
    From(u64),
    /// `-count`: the last ones.
    Last(u64),
}

/// The range of a `Range` field that names one, in bytes.
fn requested(value: &[u8]) -> Option<Requested> {
    let (unit, rest) = value.split_at_checked(5)?;
    let range = rest.strip_prefix(b"=").filter(|_| unit.eq_ignore_ascii_case(b"bytes"))?.trim_ascii();
    let dash = memchr::memchr(b'-', range)?;
    let (first, last) = (&range[..dash], &range[dash + 1..]);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) => Some(Requested::Last(number(last)?)),
        (false, true) => Some(Requested::From(number(first)?)),
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Requested::Between(first, last))
        }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, byte| {
        byte.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

impl Requested {
    fn of(self, length: u64) -> Wanted {
        let range = match self {
            Requested::Between(first, last) => first..last.saturating_add(1).min(length),
            Requested::From(first) => first..length,
            Requested::Last(count) => length - count.min(length)..length,
        };
        if range.is_empty() { Wanted::Beyond } else { Wanted::Part(range) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::proto::head::HeadReader;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn of(method: &str, fields: &str, etag: &str, length: u64) -> Wanted {
        let text = format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let read = HeadReader::default().read(text.as_bytes(), &Limits::default());
        let (head, _) = read.expect("a valid head").expect("a whole one");
        let modified = Some(UNIX_EPOCH + Duration::from_secs(784_111_777));
        wanted(&head, Validators { etag: Some(etag.as_bytes()), modified }, length)
    }

    fn get(fields: &str) -> Wanted {
        of("GET", fields, "\"a,b\"", 100)
    }

    #[test]
    fn tags() {
        for (fields, expected) in [
            ("If-None-Match: \"a,b\"\r\n", Wanted::NotModified),
            ("If-None-Match: W/\"a,b\"\r\n", Wanted::NotModified),
            ("If-None-Match: \"x\" , ,\"a,b\"\r\n", Wanted::NotModified),
            ("If-None-Match: \"x\"\r\nIf-None-Match: \"a,b\"\r\n", Wanted::NotModified),
            ("If-None-Match: *\r\n", Wanted::NotModified),
            ("If-None-Match: \"x\"\r\n", Wanted::Whole),
            ("If-None-Match: a,b\r\n", Wanted::Whole),
            ("If-None-Match: \"a,b\r\n", Wanted::Whole),
            ("If-None-Match: x, \"a,b\"\r\n", Wanted::Whole),
            ("If-None-Match:\r\n", Wanted::Whole),
            ("If-Match: \"a,b\"\r\n", Wanted::Whole),
            ("If-Match: *\r\n", Wanted::Whole),
            ("If-Match: W/\"a,b\"\r\n", Wanted::Failed),
            ("If-Match: \"x\"\r\n", Wanted::Failed),
        ] {
            assert_eq!(get(fields), expected, "{fields}");
        }
        assert_eq!(of("GET", "If-None-Match: \"a\"\r\n", "W/\"a\"", 1), Wanted::NotModified);
        assert_eq!(of("GET", "If-Match: W/\"a\"\r\n", "W/\"a\"", 1), Wanted::Failed);
        assert_eq!(of("HEAD", "If-None-Match: \"a\"\r\n", "\"a\"", 1), Wanted::NotModified);
        assert_eq!(of("POST", "If-None-Match: \"a\"\r\n", "\"a\"", 1), Wanted::Failed);
    }

    #[test]
    fn dates() {
        for (field, date, expected) in [
            ("If-Modified-Since", CHANGED, Wanted::NotModified),
            ("If-Modified-Since", AFTER, Wanted::NotModified),
            ("If-Modified-Since", BEFORE, Wanted::Whole),
            ("If-Modified-Since", "yesterday", Wanted::Whole),
            ("If-Unmodified-Since", CHANGED, Wanted::Whole),
            ("If-Unmodified-Since", BEFORE, Wanted::Failed),
            ("If-Unmodified-Since", "yesterday", Wanted::Whole),
        ] {
            assert_eq!(get(&format!("{field}: {date}\r\n")), expected, "{field}: {date}");
        }
        // A tag says more than a date.
        assert_eq!(get(&format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {CHANGED}\r\n")), Wanted::Whole);
        assert_eq!(get(&format!("If-Match: \"a,b\"\r\nIf-Unmodified-Since: {BEFORE}\r\n")), Wanted::Whole);
        assert_eq!(of("POST", &format!("If-Modified-Since: {CHANGED}\r\n"), "\"a\"", 1), Wanted::Whole);
    }

    #[test]
    fn ranges() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=10-19", Wanted::Part(10..20)),
            ("BYTES= 10-19 ", Wanted::Part(10..20)),
            ("bytes=10-", Wanted::Part(10..100)),
            ("bytes=99-", Wanted::Part(99..100)),
            ("bytes=90-1000", Wanted::Part(90..100)),
            ("bytes=90-99999999999999999999999", Wanted::Part(90..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=100-", Wanted::Beyond),
            ("bytes=100-200", Wanted::Beyond),
            ("bytes=99999999999999999999999-", Wanted::Beyond),
            ("bytes=18446744073709551615-18446744073709551615", Wanted::Beyond),
            ("bytes=20-10", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=--1", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=1 - 2", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(get(&format!("Range: {range}\r\n")), expected, "{range}");
        }
        for range in ["bytes=0-", "bytes=-5", "bytes=0-0"] {
            assert_eq!(
                of("GET", &format!("Range: {range}\r\n"), "\"a\"", 0),
                Wanted::Beyond,
                "of nothing: {range}"
            );
            assert_eq!(of("HEAD", &format!("Range: {range}\r\n"), "\"a\"", 9), Wanted::Whole, "{range}");
            assert_eq!(of("POST", &format!("Range: {range}\r\n"), "\"a\"", 9), Wanted::Whole, "{range}");
        }
        assert_eq!(get("Range: bytes=0-1\r\nRange: bytes=0-1\r\n"), Wanted::Whole);
    }

    #[test]
    fn a_part_of_what_the_client_has() {
        let part = |condition: &str| get(&format!("Range: bytes=0-1\r\nIf-Range: {condition}\r\n"));
        assert_eq!(part("\"a,b\""), Wanted::Part(0..2));
        for other in ["\"x\"", "W/\"a,b\"", CHANGED, ""] {
            assert_eq!(part(other), Wanted::Whole, "{other}");
        }
        assert_eq!(
            of("GET", "Range: bytes=0-1\r\nIf-Range: W/\"a\"\r\n", "W/\"a\"", 9),
            Wanted::Whole,
            "a weak tag does not tell bytes"
        );
        assert_eq!(get("Range: bytes=0-1\r\nIf-None-Match: \"a,b\"\r\n"), Wanted::NotModified);
    }

    proptest! {
        #[test]
        fn a_range_lies_within_the_length(range in "(bytes=)?[0-9]{0,20}-?[0-9]{0,20}", length in 0..300_u64) {
            if let Wanted::Part(range) = of("GET", &format!("Range: {range}\r\n"), "\"a\"", length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
