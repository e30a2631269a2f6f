//! Request heads: bytes -> [`RequestHead`], strictly (RFC 9112 sections 2 to 6).
//!
//! In: what was read so far. Out: "more", a head and its length, or a [`Refusal`]. httparse finds the tokens;
//! the rules it leaves open (line ends, targets, framing fields, limits) are checked here.
//! Invariant: a head owns a copy of its bytes, so the read buffer is free as soon as it is parsed; the copy's
//! storage is reused within a thread.

use std::cell::RefCell;
use std::fmt;
use std::mem::MaybeUninit;
use std::rc::Rc;

use super::framing::{FieldRules, RequestFraming, Verdict, Version};
use super::refusal::Refusal;
use super::target;
use crate::limits::Limits;

/// The longest method; the longest registered one has 17 bytes.
const MAX_METHOD: usize = 32;
/// Heads kept for reuse per thread, and the largest storage worth keeping.
const SPARE_HEADS: usize = 64;
const SPARE_BYTES: usize = 4096;

#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    fn is_empty(self) -> bool {
        self.start == self.end
    }
}

struct Field {
    name: Span,
    value: Span,
}

struct Head {
    /// The raw head; every span points into it.
    bytes: Vec<u8>,
    fields: Vec<Field>,
    method: Span,
    target: Span,
    path: Span,
    query: Option<Span>,
    /// Of an absolute target, else the Host field.
    authority: Option<Span>,
    version: Version,
    verdict: Verdict,
}

thread_local! {
    static SPARE: RefCell<Vec<Rc<Head>>> = const { RefCell::new(Vec::new()) };
}

/// The head of one request. Clones share it; it stays on its thread.
#[derive(Clone)]
pub struct RequestHead {
    /// `None` only while being dropped.
    head: Option<Rc<Head>>,
}

impl Drop for RequestHead {
    fn drop(&mut self) {
        let Some(mut head) = self.head.take() else { return };
        if Rc::get_mut(&mut head).is_some() && head.bytes.capacity() <= SPARE_BYTES {
            // The thread may be ending, its spare heads already gone.
            let _ = SPARE.try_with(|spare| {
                let mut spare = spare.borrow_mut();
                if spare.len() < SPARE_HEADS {
                    spare.push(head);
                }
            });
        }
    }
}

impl RequestHead {
    fn get(&self) -> &Head {
        self.head.as_ref().expect("present until dropped")
    }

    fn text(&self, span: Span) -> &str {
        std::str::from_utf8(span.of(&self.get().bytes)).expect("checked to be ASCII")
    }

    /// The method, as sent; methods are case-sensitive.
    pub fn method(&self) -> &str {
        self.text(self.get().method)
    }

    /// The target, as sent.
    pub fn target(&self) -> &str {
        self.text(self.get().target)
    }

    /// The target up to `?`, not decoded; `/` when an absolute target has none, `*` for `OPTIONS *`.
    pub fn path(&self) -> &str {
        let path = self.get().path;
        if path.is_empty() { "/" } else { self.text(path) }
    }

    /// The target after `?`, not decoded.
    pub fn query(&self) -> Option<&str> {
        self.get().query.map(|query| self.text(query))
    }

    /// Host and port the client asked for: from an absolute target, else from Host; `None` without either.
    pub fn authority(&self) -> Option<&str> {
        self.get().authority.map(|authority| self.text(authority))
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.get().version
    }

    /// Where the body ends.
    pub fn framing(&self) -> RequestFraming {
        self.get().verdict.framing
    }

    /// Whether the client may send another request on this connection.
    pub fn keep_alive(&self) -> bool {
        self.get().verdict.keep_alive
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.get().verdict.expect_continue
    }

    /// The fields in order, names as sent.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        let bytes = &self.get().bytes;
        self.get().fields.iter().map(move |field| (self.text(field.name), field.value.of(bytes)))
    }

    /// The values of every field of this name, in order; case does not matter.
    pub fn header_all(&self, name: &str) -> impl DoubleEndedIterator<Item = &[u8]> {
        let bytes = &self.get().bytes;
        self.get()
            .fields
            .iter()
            .filter(move |field| field.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()))
            .map(move |field| field.value.of(bytes))
    }

    /// The value of the first field of this name; case does not matter.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.header_all(name).next()
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead").field("method", &self.method()).field("target", &self.target()).finish()
    }
}

/// Whether a byte may stand in a token (RFC 9110 section 5.6.2).
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.')
        || matches!(byte, b'^' | b'_' | b'`' | b'|' | b'~')
}

/// Empty lines before a request line, which a server skips (section 2.2): their length, and whether the next
/// byte could still turn out to belong to one.
pub fn empty_lines(buf: &[u8]) -> (usize, bool) {
    let mut at = 0;
    while buf[at..].starts_with(b"\r\n") {
        at += 2;
    }
    (at, &buf[at..] == b"\r")
}

/// Reads one head that may come in any pieces.
#[derive(Default)]
pub struct HeadReader {
    /// Bytes that were looked at and did not complete the head.
    scanned: usize,
}

impl HeadReader {
    /// Looks at everything read so far (`buf` only grows between calls). A head is tokenised anew only when a
    /// line was completed, so a slow sender costs at most one pass per field.
    pub fn read(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<(RequestHead, usize)>, Refusal> {
        let fresh = &buf[self.scanned..];
        let waiting = self.scanned > 0 && memchr::memchr(b'\n', fresh).is_none();
        if !waiting && let Some(done) = parse(buf, limits)? {
            self.scanned = 0;
            return Ok(Some(done));
        }
        self.scanned = buf.len();
        check_growth(buf, limits).map(|()| None)
    }
}

/// Refuses a head that can no longer become a valid one.
fn check_growth(buf: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let line = memchr::memchr(b'\n', buf).map_or(buf, |end| &buf[..end]);
    let Some(method) = memchr::memchr(b' ', line) else {
        return if line.len() > MAX_METHOD {
            Err(Refusal::NotImplemented("the method is too long"))
        } else {
            Ok(())
        };
    };
    let rest = &line[method + 1..];
    if memchr::memchr(b' ', rest).unwrap_or(rest.len()) > limits.max_target {
        return Err(Refusal::TargetTooLong);
    }
    if buf.len() >= limits.max_head { Err(Refusal::HeadTooLarge) } else { Ok(()) }
}

fn parse(buf: &[u8], limits: &Limits) -> Result<Option<(RequestHead, usize)>, Refusal> {
    // httparse would skip a bare LF here.
    if buf.first().is_some_and(|byte| !is_token_byte(*byte)) {
        return Err(Refusal::Malformed("a request that starts with no method"));
    }
    let mut slots = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; Limits::FIELD_CEILING];
    let slots = &mut slots[..limits.max_fields.min(Limits::FIELD_CEILING)];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(buf, slots) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refusal(error, buf, limits)),
    };
    check_lines(&request, buf, length)?;
    build(&request, &buf[..length], limits).map(|head| Some((head, length)))
}

/// What a tokeniser error means. Only the first line can be at fault for a version.
fn refusal(error: httparse::Error, buf: &[u8], limits: &Limits) -> Refusal {
    // An overlong target is told as such even when something else is wrong further on.
    if let Err(growth) = check_growth(buf, limits) {
        return growth;
    }
    match error {
        httparse::Error::TooManyHeaders => Refusal::HeadTooLarge,
        httparse::Error::Version => {
            let line = buf.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
            match line.split(|byte| *byte == b' ').nth(2) {
                Some([b'H', b'T', b'T', b'P', b'/', b'2'..=b'9', ..]) => Refusal::Version,
                _ => Refusal::Malformed("invalid version"),
            }
        }
        httparse::Error::HeaderName => Refusal::Malformed("invalid field name"),
        httparse::Error::HeaderValue => Refusal::Malformed("invalid field value"),
        httparse::Error::NewLine => Refusal::Malformed("a line that does not end in CRLF"),
        httparse::Error::Token | httparse::Error::Status => Refusal::Malformed("invalid request line"),
    }
}

/// Every line ends in CRLF: the bytes before each name and at the end say so, and httparse lets no line end
/// stand elsewhere.
fn check_lines(request: &httparse::Request<'_, '_>, buf: &[u8], length: usize) -> Result<(), Refusal> {
    let starts_a_line =
        |field: &httparse::Header<'_>| buf[..offset(buf, field.name.as_bytes())].ends_with(b"\r\n");
    if buf[..length].ends_with(b"\r\n\r\n") && request.headers.iter().all(starts_a_line) {
        Ok(())
    } else {
        Err(Refusal::Malformed("a line that does not end in CRLF"))
    }
}

/// Where a part of `buf` starts in it.
fn offset(buf: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - buf.as_ptr().addr()
}

fn build(request: &httparse::Request<'_, '_>, bytes: &[u8], limits: &Limits) -> Result<RequestHead, Refusal> {
    let method = request.method.expect("complete");
    let raw = request.path.expect("complete").as_bytes();
    if method.len() > MAX_METHOD {
        return Err(Refusal::NotImplemented("the method is too long"));
    }
    if raw.len() > limits.max_target {
        return Err(Refusal::TargetTooLong);
    }
    if bytes.len() > limits.max_head {
        return Err(Refusal::HeadTooLarge);
    }
    let parts = target::split(method, raw)?;
    let version = if request.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let span = |part: &[u8]| {
        let start = offset(bytes, part) as u32;
        Span { start, end: start + part.len() as u32 }
    };
    let mut rules = FieldRules::new(version);
    let mut host = None;
    let mut spare = take_spare(version);
    let head = Rc::get_mut(&mut spare).expect("spare heads are unshared");
    for field in request.headers.iter() {
        let value = span(field.value);
        if rules.field(field.name, field.value)? && !field.value.is_empty() {
            host = Some(value);
        }
        head.fields.push(Field { name: span(field.name.as_bytes()), value });
    }
    head.verdict = rules.verdict()?;
    head.version = version;
    head.bytes.extend_from_slice(bytes);
    head.method = span(method.as_bytes());
    head.target = span(raw);
    head.path = span(&raw[parts.path]);
    head.query = parts.query.map(|query| span(&raw[query]));
    head.authority = parts.authority.map(|authority| span(&raw[authority])).or(host);
    Ok(RequestHead { head: Some(spare) })
}

/// Storage without bytes and fields.
fn take_spare(version: Version) -> Rc<Head> {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    if let Some(mut head) = spare {
        let inner = Rc::get_mut(&mut head).expect("spare heads are unshared");
        inner.bytes.clear();
        inner.fields.clear();
        return head;
    }
    let none = Span::default();
    Rc::new(Head {
        bytes: Vec::new(),
        fields: Vec::new(),
        method: none,
        target: none,
        path: none,
        query: None,
        authority: None,
        version,
        verdict: Verdict { framing: RequestFraming::Empty, keep_alive: false, expect_continue: false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], step: usize, limits: &Limits) -> Result<Option<(RequestHead, usize)>, Refusal> {
        let mut reader = HeadReader::default();
        let mut end = 0;
        while end < input.len() {
            end = (end + step).min(input.len());
            if let Some(done) = reader.read(&input[..end], limits)? {
                return Ok(Some(done));
            }
        }
        Ok(None)
    }

    fn status(input: &[u8]) -> u16 {
        let limits = Limits::default();
        let whole = read(input, input.len(), &limits).map(|head| head.is_some()).map_err(Refusal::status);
        for step in 1..input.len() {
            let split = read(input, step, &limits).map(|head| head.is_some()).map_err(Refusal::status);
            assert_eq!(split, whole, "{:?} by {step}", String::from_utf8_lossy(input));
        }
        match whole {
            Ok(true) => 200,
            Ok(false) => 0,
            Err(status) => status,
        }
    }

    #[test]
    fn reads_a_head_at_every_split() {
        let input = b"GET /a%20b?x=1 HTTP/1.1\r\nHost: h:80\r\nX-A: 1\r\nx-a:\t two \t\r\nEmpty:\r\n\r\nnext";
        for step in 1..=input.len() {
            let (head, length) = read(input, step, &Limits::default()).expect("valid").expect("whole");
            assert_eq!(length, input.len() - 4);
            assert_eq!((head.method(), head.target(), head.path()), ("GET", "/a%20b?x=1", "/a%20b"));
            assert_eq!((head.query(), head.authority()), (Some("x=1"), Some("h:80")));
            assert_eq!(head.header("X-a"), Some(&b"1"[..]));
            assert_eq!(head.header_all("x-A").collect::<Vec<_>>(), [&b"1"[..], b"two"]);
            assert_eq!(head.headers().last(), Some(("Empty", &b""[..])));
            assert!(head.keep_alive() && !head.expects_continue());
        }
    }

    #[test]
    fn absolute_targets_override_host() {
        let input = b"GET http://one/ HTTP/1.1\r\nHost: two\r\n\r\n";
        let (head, _) = read(input, 99, &Limits::default()).expect("valid").expect("whole");
        assert_eq!((head.authority(), head.path()), (Some("one"), "/"));
    }

    #[test]
    fn refuses() {
        let cases: [(&[u8], u16); 24] = [
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
            (b"GET / HTTP/1.0\r\n\r\n", 200),
            (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 200),
            (b"GET / HTTP/1.1\r\nHost: a\r\n", 0),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400),
            (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            (b"GET / HTTQ/1.1\r\nHost: a\r\n\r\n", 400),
            (b"GET /\r\n\r\n", 400),
        ];
        for (input, expected) in cases {
            assert_eq!(status(input), expected, "{:?}", String::from_utf8_lossy(input));
        }
    }

    fn outcome(input: &[u8], step: usize, limits: &Limits) -> u16 {
        match read(input, step, limits) {
            Ok(Some(_)) => 200,
            Ok(None) => 0,
            Err(refusal) => refusal.status(),
        }
    }

    #[test]
    fn limits_at_their_edges() {
        let limits = Limits { max_target: 20, max_head: 90, max_fields: 3, ..Limits::default() };
        for (extra, expected) in [(-1, 200), (0, 200), (1, 414)] {
            let target = "x".repeat((19 + extra) as usize);
            let input = format!("GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n");
            for step in [1, 7, 1000] {
                assert_eq!(outcome(input.as_bytes(), step, &limits), expected, "target {extra} by {step}");
            }
        }
        for (extra, expected) in [(-1, 200), (0, 200), (1, 431)] {
            let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
            let value = "v".repeat((90 - frame.len() as isize + extra) as usize);
            let input = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n");
            for step in [1, 7, 1000] {
                assert_eq!(outcome(input.as_bytes(), step, &limits), expected, "head {extra} by {step}");
            }
        }
        for (fields, expected) in [(2, 200), (3, 200), (4, 431)] {
            let input = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(fields - 1));
            for step in [1, 7, 1000] {
                assert_eq!(outcome(input.as_bytes(), step, &limits), expected, "{fields} fields by {step}");
            }
        }
    }

    #[test]
    fn empty_lines_are_measured() {
        assert_eq!(empty_lines(b"\r\n\r\nGET"), (4, false));
        assert_eq!(empty_lines(b"\r\n\r"), (2, true));
        assert_eq!(empty_lines(b"\rG"), (0, false));
        assert_eq!(empty_lines(b"G"), (0, false));
    }

    #[test]
    fn storage_is_reused() {
        SPARE.with(|spare| spare.borrow_mut().clear());
        let input = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let (head, _) = read(input, 99, &Limits::default()).expect("valid").expect("whole");
        let copy = head.clone();
        drop(head);
        assert_eq!(SPARE.with(|spare| spare.borrow().len()), 0);
        drop(copy);
        assert_eq!(SPARE.with(|spare| spare.borrow().len()), 1);
    }
}
