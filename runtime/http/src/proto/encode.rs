//! Response heads: decisions -> bytes.
//!
//! In: status, framing, connection decision, Date line and the application's fields, already validated and
//! without framing fields. Out: the head appended to a buffer. Invariant: exactly one empty line, at the end.

use super::date::DATE_LINE;
use super::framing::ResponseFraming;

/// What the `Connection` field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// HTTP/1.1 staying open: nothing to say.
    Implied,
    /// HTTP/1.0 staying open.
    KeepAlive,
    /// The connection closes after this response.
    Close,
}

/// One response head.
pub struct ResponseHead<'a> {
    /// Three digits.
    pub status: u16,
    /// How the body is delimited.
    pub framing: ResponseFraming,
    /// What becomes of the connection.
    pub persistence: Persistence,
    /// A whole `Date` line.
    pub date: &'a [u8; DATE_LINE],
    /// `Name: value` lines, each with its CRLF.
    pub fields: &'a [u8],
}

impl ResponseHead<'_> {
    /// Appends the head to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(160 + self.fields.len());
        match self.status {
            200 => out.extend_from_slice(b"HTTP/1.1 200 OK\r\n"),
            status => {
                out.extend_from_slice(b"HTTP/1.1 ");
                decimal(out, u64::from(status));
                out.push(b' ');
                out.extend_from_slice(reason(status).as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
        match self.framing {
            ResponseFraming::Length(length) => {
                out.extend_from_slice(b"Content-Length: ");
                decimal(out, length);
                out.extend_from_slice(b"\r\n");
            }
            ResponseFraming::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            ResponseFraming::Absent | ResponseFraming::UntilClose => {}
        }
        match self.persistence {
            Persistence::Implied => {}
            Persistence::KeepAlive => out.extend_from_slice(b"Connection: keep-alive\r\n"),
            Persistence::Close => out.extend_from_slice(b"Connection: close\r\n"),
        }
        out.extend_from_slice(self.date);
        out.extend_from_slice(self.fields);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends a number in decimal.
pub fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The reason phrase of a status (the IANA registry); empty when it has none.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(status: u16, framing: ResponseFraming, persistence: Persistence, fields: &[u8]) -> String {
        let date = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        let mut out = Vec::new();
        ResponseHead { status, framing, persistence, date, fields }.encode(&mut out);
        String::from_utf8(out).expect("ascii")
    }

    #[test]
    fn heads() {
        assert_eq!(
            encode(200, ResponseFraming::Length(13), Persistence::Implied, b"A: b\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nA: b\r\n\r\n"
        );
        assert_eq!(
            encode(599, ResponseFraming::Chunked, Persistence::Close, b""),
            "HTTP/1.1 599 \r\nTransfer-Encoding: chunked\r\nConnection: close\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
        );
    }

    #[test]
    fn numbers() {
        for number in [0, 9, 10, 12_345, u64::MAX] {
            let mut out = Vec::new();
            decimal(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }
}
