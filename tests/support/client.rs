//! A raw HTTP/1.1 client that is driven step by step and hides nothing: heads, chunks and ends arrive as they were sent.

use super::GUARD;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// One connection to a server.
pub struct Client {
    socket: Socket,
    /// Bytes received and not yet taken.
    buffer: Vec<u8>,
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A response's status line and fields.
#[derive(Debug, Clone)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// `HTTP/1.1`
    pub version: String,
    /// Names as sent, values without surrounding spaces, in order.
    pub fields: Vec<(String, String)>,
}

impl Head {
    /// The first value of a field, in any case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Whether the body comes in chunks.
    pub fn chunked(&self) -> bool {
        self.field("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"))
    }
}

/// What comes next in a chunked body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A chunk's data.
    Data(String),
    /// The final chunk: the body is complete.
    End,
    /// The connection ended before the final chunk.
    Cut,
}

/// A whole response.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its head.
    pub head: Head,
    /// Its chunks, or its one body.
    pub pieces: Vec<String>,
    /// Whether the body came to its end.
    pub complete: bool,
}

impl Response {
    /// The body in one.
    pub fn body(&self) -> String {
        self.pieces.concat()
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.head.status
    }
}

impl Client {
    /// Over TCP.
    pub fn tcp(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(GUARD)).expect("a guard is a valid timeout");
        stream.set_nodelay(true).expect("a fresh socket takes options");
        Self { socket: Socket::Tcp(stream), buffer: Vec::new() }
    }

    /// Over a unix socket.
    pub fn unix(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(GUARD)).expect("a guard is a valid timeout");
        Self { socket: Socket::Unix(stream), buffer: Vec::new() }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes.as_ref()).expect("the server reads");
    }

    /// Sends bytes that the server may not want.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(s) => s.write_all(bytes),
            Socket::Unix(s) => s.write_all(bytes),
        }
    }

    /// Sends a GET.
    pub fn get(&mut self, target: &str) {
        self.request("GET", target, "");
    }

    /// Sends a request without body; `fields` are whole lines, each with its CRLF.
    pub fn request(&mut self, method: &str, target: &str, fields: &str) {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n"));
    }

    /// Receives more bytes; false at the end of the connection, however it came.
    fn receive(&mut self) -> bool {
        let mut block = [0; 16 * 1024];
        let read = match &mut self.socket {
            Socket::Tcp(s) => s.read(&mut block),
            Socket::Unix(s) => s.read(&mut block),
        };
        match read {
            Ok(0) => false,
            Ok(n) => {
                self.buffer.extend_from_slice(&block[..n]);
                true
            }
            Err(e) if e.kind() == ErrorKind::ConnectionReset => false,
            Err(e) => {
                panic!("nothing arrived ({e}); not taken yet: {:?}", String::from_utf8_lossy(&self.buffer))
            }
        }
    }

    /// Takes everything up to and with `end`; `None` when the connection ends before.
    fn take_through(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let mut from = 0;
        loop {
            if let Some(at) = find(&self.buffer[from..], end) {
                let rest = self.buffer.split_off(from + at + end.len());
                return Some(std::mem::replace(&mut self.buffer, rest));
            }
            from = self.buffer.len().saturating_sub(end.len());
            if !self.receive() {
                return None;
            }
        }
    }

    /// Takes exactly `count` bytes; `None` when the connection ends before.
    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            if !self.receive() {
                return None;
            }
        }
        let rest = self.buffer.split_off(count);
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    /// Takes a response's head; `None` when the connection ends before one.
    pub fn try_head(&mut self) -> Option<Head> {
        let bytes = self.take_through(b"\r\n\r\n")?;
        let text = String::from_utf8(bytes).expect("heads of the tests are UTF-8");
        let mut lines = text.trim_end().split("\r\n");
        let first = lines.next().expect("split gives at least one piece");
        let mut words = first.splitn(3, ' ');
        let version = words.next().unwrap_or_default().to_owned();
        let status =
            words.next().and_then(|w| w.parse().ok()).unwrap_or_else(|| panic!("no status in {first:?}"));
        let fields = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line:?}"));
                (name.to_owned(), value.trim().to_owned())
            })
            .collect();
        Some(Head { status, version, fields })
    }

    /// Takes a response's head.
    pub fn head(&mut self) -> Head {
        self.try_head().expect("the connection ended before a head")
    }

    /// Takes the next chunk of a chunked body.
    pub fn piece(&mut self) -> Piece {
        let Some(line) = self.take_through(b"\r\n") else { return Piece::Cut };
        let line = String::from_utf8_lossy(&line);
        let size =
            usize::from_str_radix(line.trim(), 16).unwrap_or_else(|_| panic!("no chunk size: {line:?}"));
        // Behind the data, and behind the final chunk without trailers, stands an empty line.
        let Some(mut data) = self.take(size + 2) else { return Piece::Cut };
        assert_eq!(data.split_off(size), b"\r\n", "a chunk ends in CRLF");
        if size == 0 {
            return Piece::End;
        }
        Piece::Data(String::from_utf8(data).expect("bodies of the tests are UTF-8"))
    }

    /// Takes the next chunk, which must be there.
    pub fn chunk(&mut self) -> String {
        match self.piece() {
            Piece::Data(data) => data,
            other => panic!("expected a chunk, got {other:?}"),
        }
    }

    /// Takes the response to a request with a method that allows a body.
    pub fn response(&mut self) -> Response {
        let head = self.head();
        self.body_of(head)
    }

    /// Takes the response to a HEAD.
    pub fn response_to_head(&mut self) -> Response {
        Response { head: self.head(), pieces: Vec::new(), complete: true }
    }

    /// Takes the body that `head` announces.
    pub fn body_of(&mut self, head: Head) -> Response {
        let mut pieces = Vec::new();
        if matches!(head.status, 204 | 304) || head.status < 200 {
            return Response { head, pieces, complete: true };
        }
        if head.chunked() {
            loop {
                match self.piece() {
                    Piece::Data(data) => pieces.push(data),
                    end => return Response { head, pieces, complete: end == Piece::End },
                }
            }
        }
        if let Some(length) = head.field("content-length") {
            let length = length.parse().expect("a length is a number");
            let body = self.take(length);
            let complete = body.is_some();
            pieces.push(String::from_utf8(body.unwrap_or_default()).expect("bodies of the tests are UTF-8"));
            return Response { head, pieces, complete };
        }
        while self.receive() {}
        pieces.push(
            String::from_utf8(std::mem::take(&mut self.buffer)).expect("bodies of the tests are UTF-8"),
        );
        Response { head, pieces, complete: true }
    }

    /// Asserts that the server closes the connection without another byte.
    pub fn expect_closed(&mut self) {
        while self.receive() {}
        assert!(
            self.buffer.is_empty(),
            "bytes before the close: {:?}",
            String::from_utf8_lossy(&self.buffer)
        );
    }

    /// Reads and drops whatever still comes, to the end.
    pub fn read_to_end(&mut self) {
        while self.receive() {}
        self.buffer.clear();
    }

    /// Whether the server has sent nothing within `time`: for what must not come, so the only wait that runs to its end.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        if !self.buffer.is_empty() {
            return false;
        }
        let Socket::Tcp(stream) = &mut self.socket else {
            panic!("only TCP clients can be asked for silence")
        };
        stream.set_read_timeout(Some(time)).expect("a positive timeout is valid");
        let silent = matches!(stream.peek(&mut [0]), Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
        stream.set_read_timeout(Some(GUARD)).expect("a guard is a valid timeout");
        silent
    }

    /// Says that nothing more will be sent: a FIN.
    pub fn fin(&mut self) {
        match &self.socket {
            Socket::Tcp(s) => s.shutdown(Shutdown::Write),
            Socket::Unix(s) => s.shutdown(Shutdown::Write),
        }
        .expect("the connection was open");
    }

    /// Goes: by an RST, or by a FIN, and then it waits for the other side's.
    pub fn leave(mut self, reset: bool) {
        if reset {
            self.rst();
        } else {
            self.fin();
            self.read_to_end();
        }
    }

    /// Breaks the connection off: an RST.
    pub fn rst(self) {
        let Socket::Tcp(stream) = self.socket else { panic!("a unix socket has no RST") };
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))
            .expect("an open socket takes options");
        drop(stream);
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}
