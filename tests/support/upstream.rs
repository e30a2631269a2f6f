//! Upstreams that the test itself plays, one line at a time.

use super::GUARD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// A listener that accepts when the test says so; until then the kernel holds the connections.
pub struct Upstream {
    listener: TcpListener,
}

impl Upstream {
    /// On a free port of the loopback.
    pub fn new() -> Self {
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port") }
    }

    /// The URL of `path`, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listener.local_addr().expect("a bound socket has an address"))
    }

    /// Whether a connection waits to be accepted within `time`.
    pub fn is_asked_within(&self, time: Duration) -> bool {
        let timeout = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
        let mut fds = [PollFd::new(&self.listener, PollFlags::IN)];
        poll(&mut fds, Some(&timeout)).expect("polling an own socket works") > 0
    }

    /// The next connection, whose request was not read yet.
    pub fn accept(&self) -> Peer {
        assert!(self.is_asked_within(GUARD), "nobody asked the upstream within {GUARD:?}");
        let (stream, _) = self.listener.accept().expect("a waiting connection can be accepted");
        stream.set_read_timeout(Some(GUARD)).expect("a guard is a valid timeout");
        stream.set_nodelay(true).expect("a fresh socket takes options");
        Peer { stream }
    }

    /// The next connection, its request read.
    pub fn accept_request(&self) -> (Peer, String) {
        let mut peer = self.accept();
        let request = peer.request();
        (peer, request)
    }

    /// The next connection, its request read and a chunked 200 begun.
    pub fn accept_chunked(&self) -> Peer {
        let (mut peer, _) = self.accept_request();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        peer
    }
}

/// One accepted connection of an upstream.
pub struct Peer {
    stream: TcpStream,
}

impl Peer {
    /// Reads a request head without a body.
    pub fn request(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            let read = self.stream.read(&mut byte).expect("the client sends its request");
            assert_eq!(read, 1, "the client left after {:?}", String::from_utf8_lossy(&head));
            head.push(byte[0]);
        }
        String::from_utf8(head).expect("request heads are UTF-8")
    }

    /// Reads up to `end`: what came.
    pub fn read_until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            let mut byte = [0];
            let read = self.stream.read(&mut byte).expect("the client sends more");
            assert_eq!(read, 1, "the client left after {:?}", String::from_utf8_lossy(&bytes));
            bytes.push(byte[0]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads until the other side goes, by FIN or RST.
    pub fn read_to_end(&mut self) {
        let mut rest = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the other side stayed");
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the client reads");
    }

    /// Sends bytes that the other side may not want any more.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends one chunk.
    pub fn chunk(&mut self, data: &str) {
        self.send(format!("{:x}\r\n{data}\r\n", data.len()));
    }

    /// Sends the final chunk.
    pub fn end(&mut self) {
        self.send("0\r\n\r\n");
    }

    /// Waits for the other side to go, by FIN or RST.
    pub fn expect_gone(&mut self) {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(0) => {}
            Ok(_) => panic!("a byte instead of the end: {byte:?}"),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
            Err(e) => panic!("the other side stayed: {e}"),
        }
    }

    /// Breaks the connection off: an RST.
    pub fn rst(self) {
        rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO))
            .expect("an open socket takes options");
    }
}

/// An address that refuses connections for as long as this lives: bound, not listening.
pub struct Nobody {
    _socket: OwnedFd,
    address: SocketAddr,
}

impl Nobody {
    /// On a free port of the loopback.
    pub fn new() -> Self {
        let socket =
            socket(AddressFamily::INET, SocketType::STREAM, None).expect("a process may open a socket");
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
        let address = getsockname(&socket).expect("a bound socket has an address");
        let address = SocketAddrV4::try_from(address).expect("an INET socket has an IPv4 address");
        Self { _socket: socket, address: SocketAddr::V4(address) }
    }

    /// The URL of `path`, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
