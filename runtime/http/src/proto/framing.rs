//! Framing decisions (RFC 9112 section 6): where a request body ends and how a response body is delimited.
//!
//! In: header fields one at a time ([`FieldRules`]), or version, method, status and body of a response
//! ([`respond`]). Out: [`RequestFraming`], [`ResponseFraming`], or the [`Refusal`] that protects against
//! request smuggling. Not here: bytes of bodies (`chunk`).

use super::refusal::Refusal;
use super::target::valid_authority;

/// The minor version of HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no chunks, connections close unless both sides ask otherwise.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// Where the request body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFraming {
    /// No body.
    Empty,
    /// Exactly so many bytes, at least one.
    Length(u64),
    /// At the last chunk.
    Chunked,
}

/// What the fields of one head say about framing and the connection.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// Where the body ends.
    pub framing: RequestFraming,
    /// The client wants to send more requests.
    pub keep_alive: bool,
    /// The client waits for `100 Continue`.
    pub expect_continue: bool,
}

/// Collects the fields that matter for framing; refuses as soon as they contradict each other.
pub struct FieldRules {
    version: Version,
    hosts: u32,
    length: Option<u64>,
    codings: u32,
    chunked: bool,
    unknown_coding: bool,
    close: bool,
    keep: bool,
    expect_continue: bool,
    /// Something else is expected, too.
    expect_more: bool,
}

impl FieldRules {
    /// Rules for one head of this version.
    pub fn new(version: Version) -> Self {
        FieldRules {
            version,
            hosts: 0,
            length: None,
            codings: 0,
            chunked: false,
            unknown_coding: false,
            close: false,
            keep: false,
            expect_continue: false,
            expect_more: false,
        }
    }

    /// Looks at one field, in order. True when it was the Host field.
    pub fn field(&mut self, name: &str, value: &[u8]) -> Result<bool, Refusal> {
        // Five lengths matter; every other field costs one jump.
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => {
                self.host(value)?;
                return Ok(true);
            }
            6 if name.eq_ignore_ascii_case("expect") => {
                for token in tokens(value) {
                    match token.eq_ignore_ascii_case(b"100-continue") {
                        true => self.expect_continue = true,
                        false => self.expect_more = true,
                    }
                }
            }
            10 if name.eq_ignore_ascii_case("connection") => {
                for token in tokens(value) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if name.eq_ignore_ascii_case("content-length") => self.content_length(value)?,
            17 if name.eq_ignore_ascii_case("transfer-encoding") => self.transfer_encoding(value)?,
            _ => {}
        }
        Ok(false)
    }

    fn host(&mut self, value: &[u8]) -> Result<(), Refusal> {
        self.hosts += 1;
        if self.hosts > 1 {
            return Err(Refusal::Malformed("more than one Host"));
        }
        if !value.is_empty() && !valid_authority(value) {
            return Err(Refusal::Malformed("invalid Host"));
        }
        Ok(())
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.length.is_some() {
            return Err(Refusal::Malformed("more than one Content-Length"));
        }
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(Refusal::Malformed("Content-Length is not a number"));
        }
        let mut length = 0_u64;
        for digit in value {
            length = length
                .checked_mul(10)
                .and_then(|n| n.checked_add(u64::from(digit - b'0')))
                .ok_or(Refusal::Malformed("Content-Length is too large"))?;
        }
        self.length = Some(length);
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        for token in tokens(value) {
            if self.chunked {
                return Err(Refusal::Malformed("a transfer coding after chunked"));
            }
            self.codings += 1;
            if token.eq_ignore_ascii_case(b"chunked") {
                self.chunked = true;
            } else {
                self.unknown_coding = true;
            }
        }
        if self.codings == 0 {
            return Err(Refusal::Malformed("empty Transfer-Encoding"));
        }
        Ok(())
    }

    /// The decision once every field was seen.
    pub fn verdict(self) -> Result<Verdict, Refusal> {
        if self.hosts == 0 && self.version == Version::Http11 {
            return Err(Refusal::Malformed("no Host"));
        }
        let framing = if self.codings > 0 {
            if self.version == Version::Http10 {
                return Err(Refusal::Malformed("Transfer-Encoding on HTTP/1.0"));
            }
            if self.length.is_some() {
                return Err(Refusal::Malformed("Content-Length with Transfer-Encoding"));
            }
            if !self.chunked {
                return Err(Refusal::Malformed("the final transfer coding is not chunked"));
            }
            if self.unknown_coding {
                return Err(Refusal::NotImplemented("a transfer coding other than chunked"));
            }
            RequestFraming::Chunked
        } else {
            match self.length {
                None | Some(0) => RequestFraming::Empty,
                Some(length) => RequestFraming::Length(length),
            }
        };
        if self.expect_more && self.version == Version::Http11 {
            return Err(Refusal::Expectation);
        }
        let keep_alive = !self.close && (self.version == Version::Http11 || self.keep);
        let expect_continue =
            self.expect_continue && self.version == Version::Http11 && framing != RequestFraming::Empty;
        Ok(Verdict { framing, keep_alive, expect_continue })
    }
}

/// The members of a comma-separated list, without surrounding blanks; empty members are skipped.
pub fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

/// How the length of a response body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFraming {
    /// Neither a length nor a body: 204, 304, and HEAD of a stream for HTTP/1.0.
    Absent,
    /// Content-Length.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
    /// The end of the connection is the end of the body.
    UntilClose,
}

/// The shape of a body the application gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// So many bytes.
    Sized(u64),
    /// Items of unknown number.
    Stream,
}

/// Framing of a response, and whether body bytes follow the head.
pub fn respond(version: Version, head_request: bool, status: u16, shape: Shape) -> (ResponseFraming, bool) {
    match (status, shape) {
        (204 | 304, _) => (ResponseFraming::Absent, false),
        (205, _) => (ResponseFraming::Length(0), false),
        (_, Shape::Sized(length)) => (ResponseFraming::Length(length), !head_request && length > 0),
        (_, Shape::Stream) if version == Version::Http11 => (ResponseFraming::Chunked, !head_request),
        (_, Shape::Stream) if head_request => (ResponseFraming::Absent, false),
        (_, Shape::Stream) => (ResponseFraming::UntilClose, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(version: Version, fields: &[(&str, &str)]) -> Result<Verdict, Refusal> {
        let mut rules = FieldRules::new(version);
        for (name, value) in fields {
            rules.field(name, value.as_bytes())?;
        }
        rules.verdict()
    }

    fn framing(fields: &[(&str, &str)]) -> Result<RequestFraming, u16> {
        let mut all = vec![("Host", "a")];
        all.extend_from_slice(fields);
        verdict(Version::Http11, &all).map(|v| v.framing).map_err(Refusal::status)
    }

    #[test]
    fn lengths() {
        assert_eq!(framing(&[]), Ok(RequestFraming::Empty));
        assert_eq!(framing(&[("content-LENGTH", "12")]), Ok(RequestFraming::Length(12)));
        assert_eq!(
            framing(&[("Content-Length", "18446744073709551615")]),
            Ok(RequestFraming::Length(u64::MAX))
        );
        for bad in ["+5", "-1", "5, 5", "0x5", "", "5 5", "18446744073709551616"] {
            assert_eq!(framing(&[("Content-Length", bad)]), Err(400), "{bad}");
        }
        assert_eq!(framing(&[("Content-Length", "5"), ("Content-Length", "5")]), Err(400));
    }

    #[test]
    fn codings() {
        assert_eq!(framing(&[("Transfer-Encoding", "Chunked")]), Ok(RequestFraming::Chunked));
        assert_eq!(framing(&[("Transfer-Encoding", "chunked"), ("Content-Length", "5")]), Err(400));
        assert_eq!(framing(&[("Transfer-Encoding", "gzip, chunked")]), Err(501));
        for bad in ["xchunked", "chunked, gzip", "chunked, chunked", "", "identity", "chunked;q=1"] {
            assert_eq!(framing(&[("Transfer-Encoding", bad)]), Err(400), "{bad}");
        }
        let old = verdict(Version::Http10, &[("Transfer-Encoding", "chunked")]);
        assert_eq!(old.map(|v| v.framing).map_err(Refusal::status), Err(400));
    }

    #[test]
    fn connection() {
        let keep = |version, value| {
            verdict(version, &[("Host", "a"), ("Connection", value)]).expect("valid").keep_alive
        };
        assert!(keep(Version::Http11, "x"));
        assert!(!keep(Version::Http11, "x, CLOSE"));
        assert!(!keep(Version::Http10, "x"));
        assert!(keep(Version::Http10, "Keep-Alive"));
        assert!(!keep(Version::Http10, "keep-alive, close"));
    }

    #[test]
    fn responses() {
        use ResponseFraming::{Absent, Chunked, Length, UntilClose};
        use Version::{Http10, Http11};
        assert_eq!(respond(Http11, false, 200, Shape::Sized(3)), (Length(3), true));
        assert_eq!(respond(Http11, true, 200, Shape::Sized(3)), (Length(3), false));
        assert_eq!(respond(Http11, false, 204, Shape::Sized(3)), (Absent, false));
        assert_eq!(respond(Http11, false, 304, Shape::Stream), (Absent, false));
        assert_eq!(respond(Http11, false, 200, Shape::Stream), (Chunked, true));
        assert_eq!(respond(Http11, true, 200, Shape::Stream), (Chunked, false));
        assert_eq!(respond(Http10, false, 200, Shape::Stream), (UntilClose, true));
        assert_eq!(respond(Http10, true, 200, Shape::Stream), (Absent, false));
    }
}
