//! What a service answers: status, validated fields, and a body.
//!
//! Invariant: the field block of a [`Response`] can be copied to the wire as it is: names are tokens, values
//! hold no control character, and fields that frame the message are not among them - the engine writes those.

use std::fmt;

use bytes::Bytes;

use crate::body::PullBody;
use crate::proto::framing::tokens;
use crate::proto::head::is_token_byte;

/// One response.
pub struct Response {
    status: u16,
    close: bool,
    /// `Name: value` lines with their CRLFs.
    fields: Vec<u8>,
    body: Body,
}

/// The body of a response.
#[derive(Default)]
pub enum Body {
    /// No bytes; Content-Length 0 where a length is told.
    #[default]
    Empty,
    /// All there.
    Bytes(Bytes),
    /// Pulled item by item as the client takes them.
    Stream(Box<dyn PullBody>),
    /// Pulled likewise, of a length in bytes that is told before. One that ends before it, or goes on behind it, has failed.
    Sized(u64, Box<dyn PullBody>),
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Body::Bytes(bytes.into())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Body::Bytes(text.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Body::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

/// A field that must not go on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// The name is not a token (RFC 9110 section 5.1).
    Name,
    /// The value holds a control character other than a tab.
    Value,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldError::Name => "a header name may hold letters, digits and !#$%&'*+-.^_`|~ only",
            FieldError::Value => "a header value must not hold a line break or another control character",
        })
    }
}

impl std::error::Error for FieldError {}

impl Response {
    /// A response without fields. A status outside 200..=599 is an application fault and sent as 500.
    pub fn new(status: u16, body: impl Into<Body>) -> Self {
        let status = if (200..=599).contains(&status) { status } else { 500 };
        Response { status, close: false, fields: Vec::new(), body: body.into() }
    }

    /// A response whose items are pulled from `body`.
    pub fn stream(status: u16, body: impl PullBody + 'static) -> Self {
        Response::new(status, Body::Stream(Box::new(body)))
    }

    /// The engine's own answer to a request it refuses or a service that failed: the reason phrase as text.
    pub(crate) fn plain(status: u16) -> Self {
        let mut text = crate::proto::encode::reason(status).to_owned();
        text.push('\n');
        let mut response = Response::new(status, text);
        response.fields.extend_from_slice(b"Content-Type: text/plain; charset=utf-8\r\n");
        response
    }

    /// Appends a field. Fields that frame the message or belong to the connection (Content-Length,
    /// Transfer-Encoding, Connection, Keep-Alive, Date, Trailer, TE, Upgrade, Proxy-Connection) are dropped: the
    /// engine decides them. `Connection: close` is honoured.
    pub fn push_header(&mut self, name: &str, value: &[u8]) -> Result<(), FieldError> {
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(FieldError::Name);
        }
        let value = value.trim_ascii();
        if !value.iter().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..)) {
            return Err(FieldError::Value);
        }
        if is_framing_field(name) {
            if name.eq_ignore_ascii_case("connection") {
                self.close |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"close"));
            }
            return Ok(());
        }
        self.fields.reserve(name.len() + value.len() + 4);
        self.fields.extend_from_slice(name.as_bytes());
        self.fields.extend_from_slice(b": ");
        self.fields.extend_from_slice(value);
        self.fields.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// The response with one more field; see [`Response::push_header`].
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, FieldError> {
        self.push_header(name, value.as_ref())?;
        Ok(self)
    }

    /// Closes the connection after this response.
    pub fn close(&mut self) {
        self.close = true;
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Name and value of each field, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.split(|byte| *byte == b'\n').filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    pub(crate) fn into_parts(self) -> (ResponseParts, Body) {
        (ResponseParts { status: self.status, close: self.close, fields: self.fields }, self.body)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("fields", &String::from_utf8_lossy(&self.fields))
            .finish_non_exhaustive()
    }
}

/// A response without its body.
pub(crate) struct ResponseParts {
    pub status: u16,
    /// The application wants the connection closed.
    pub close: bool,
    pub fields: Vec<u8>,
}

fn is_framing_field(name: &str) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    match name.len() {
        2 => is("te"),
        4 => is("date"),
        7 => is("trailer") || is("upgrade"),
        10 => is("connection") || is("keep-alive"),
        14 => is("content-length"),
        16 => is("proxy-connection"),
        17 => is("transfer-encoding"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(name: &str, value: &[u8]) -> Result<String, FieldError> {
        let mut response = Response::new(200, Body::Empty);
        response.push_header(name, value)?;
        Ok(String::from_utf8(response.fields).expect("ascii"))
    }

    #[test]
    fn fields_are_validated() {
        assert_eq!(push("X-A", b" b c ").as_deref(), Ok("X-A: b c\r\n"));
        assert_eq!(push("X-A", b"").as_deref(), Ok("X-A: \r\n"));
        for name in ["", "a b", "a:", "a\r\nb", "\u{e9}"] {
            assert_eq!(push(name, b"x"), Err(FieldError::Name), "{name:?}");
        }
        for value in [&b"a\r\nSet-Cookie: x"[..], b"a\nb", b"a\rb", b"a\0b", b"\x7f"] {
            assert_eq!(push("X", value), Err(FieldError::Value), "{value:?}");
        }
    }

    #[test]
    fn framing_fields_are_dropped() {
        for name in [
            "Content-length",
            "TRANSFER-encoding",
            "Date",
            "Trailer",
            "Upgrade",
            "TE",
            "Keep-Alive",
            "connection",
            "Proxy-Connection",
        ] {
            assert_eq!(push(name, b"1").as_deref(), Ok(""), "{name}");
        }
        let response = Response::new(200, Body::Empty).with_header("Connection", "x, Close").expect("valid");
        assert!(response.into_parts().0.close);
    }

    #[test]
    fn fields_can_be_read_back() {
        let response = Response::new(200, "x")
            .with_header("A", "1:2")
            .expect("valid")
            .with_header("B", "")
            .expect("valid");
        assert_eq!(response.headers().collect::<Vec<_>>(), [(&b"A"[..], &b"1:2"[..]), (b"B", b"")]);
    }

    #[test]
    fn statuses_out_of_range_are_faults() {
        assert_eq!(Response::new(199, Body::Empty).status(), 500);
        assert_eq!(Response::new(600, Body::Empty).status(), 500);
        assert_eq!(Response::new(299, Body::Empty).status(), 299);
    }
}
