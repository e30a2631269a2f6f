//! Listen addresses: text -> bound sockets.
//!
//! In: `host:port`, `:port` (all addresses), `unix:/path`. Out: listening sockets and the addresses they really
//! have. Invariants: options of accepted connections are set on the listener, from which they are inherited;
//! a Unix socket file exists as long as its listener.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};

/// Connections the kernel holds before they are accepted; the kernel lowers it to its own limit.
pub(crate) const BACKLOG: i32 = 4096;
/// A peer that acknowledges nothing for so long is gone (TCP_USER_TIMEOUT), and so is one that does not answer
/// probes on an idle connection.
const VANISHED: Duration = Duration::from_secs(60);
const PROBE_EVERY: Duration = Duration::from_secs(15);

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A host name or address, and a port; port 0 picks a free one.
    Tcp {
        /// As written, without brackets; empty for all addresses.
        host: String,
        /// 0..=65535.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// A listen address that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenSyntaxError(String);

impl fmt::Display for ListenSyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a listen address: expected HOST:PORT, :PORT or unix:/PATH", self.0)
    }
}

impl std::error::Error for ListenSyntaxError {}

impl FromStr for Listen {
    type Err = ListenSyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ListenSyntaxError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(error()) } else { Ok(Listen::Unix(path.into())) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(error)?;
        let port = port.parse().map_err(|_| error())?;
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if literal.is_some_and(|host| host.parse::<Ipv6Addr>().is_err())
            || (literal.is_none() && host.contains(':'))
        {
            return Err(error());
        }
        Ok(Listen::Tcp { host: literal.unwrap_or(host).to_owned(), port })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Listen::Tcp { host, port } => write!(f, "{host}:{port}"),
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where a listener really listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// With the port that was picked.
    Ip(SocketAddr),
    /// A socket file.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(address) => write!(f, "http://{address}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// An address that cannot be listened on.
#[derive(Debug)]
pub struct BindError {
    /// The address, as given.
    pub listen: Listen,
    /// What the system said.
    pub error: io::Error,
}

impl BindError {
    /// Whether another process listens there.
    pub fn is_in_use(&self) -> bool {
        self.error.kind() == io::ErrorKind::AddrInUse
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_in_use() {
            write!(f, "{} is in use by another process", self.listen)
        } else {
            write!(f, "cannot listen on {}: {}", self.listen, self.error)
        }
    }
}

impl std::error::Error for BindError {}

/// One listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    pub socket: OwnedFd,
    pub address: Address,
    /// Removes the socket file with the listener.
    pub file: Option<SocketFile>,
}

/// Binds one address; a name may stand for several.
pub(crate) fn bind(listen: &Listen) -> Result<Vec<Listener>, BindError> {
    let result = match listen {
        Listen::Unix(path) => bind_unix(path).map(|listener| vec![listener]),
        Listen::Tcp { host, port } if host.is_empty() => bind_all(*port).map(|listener| vec![listener]),
        Listen::Tcp { host, port } => bind_name(host, *port),
    };
    result.map_err(|error| BindError { listen: listen.clone(), error })
}

/// One dual-stack socket, or an IPv4 one where there is no IPv6.
fn bind_all(port: u16) -> io::Result<Listener> {
    match bind_tcp(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            bind_tcp(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))
        }
        other => other,
    }
}

fn bind_name(host: &str, port: u16) -> io::Result<Vec<Listener>> {
    let mut addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    // IPv4 first: with port 0 only one address is bound, and that one is what most clients try.
    addresses.sort_by_key(|address| !address.is_ipv4());
    addresses.dedup();
    if port == 0 {
        addresses.truncate(1);
    }
    let mut listeners = Vec::new();
    for address in addresses {
        match bind_tcp(address) {
            Ok(listener) => listeners.push(listener),
            // `localhost` may name an address family this machine does not have.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable && !listeners.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    if listeners.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(listeners)
}

fn bind_tcp(address: SocketAddr) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for the last connections of the process before it.
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(VANISHED).with_interval(PROBE_EVERY))?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(&socket, VANISHED.as_millis() as u32)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let real = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(Listener { socket: socket.into(), address: Address::Ip(real), file: None })
}

fn bind_unix(path: &Path) -> io::Result<Listener> {
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file exists and is not a socket"));
        }
        // Only a refused connection proves that no one listens.
        match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            _ => return Err(io::ErrorKind::AddrInUse.into()),
        }
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile::new(path)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(Listener { socket: socket.into(), address: Address::Unix(path.to_owned()), file: Some(file) })
}

/// A socket file of ours, removed when dropped unless another one has taken its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(SocketFile { path: path.to_owned(), inode: (found.dev(), found.ino()) })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.inode) {
            // Nothing is lost if it stays; the next start finds it stale.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Listen {
        Listen::Tcp { host: host.to_owned(), port }
    }

    #[test]
    fn addresses_are_parsed() {
        for (text, listen) in [
            ("127.0.0.1:8080", tcp("127.0.0.1", 8080)),
            (":80", tcp("", 80)),
            ("localhost:0", tcp("localhost", 0)),
            ("[::1]:65535", tcp("::1", 65_535)),
            ("unix:/run/a:b", Listen::Unix("/run/a:b".into())),
        ] {
            assert_eq!(text.parse(), Ok(listen.clone()), "{text}");
            assert_eq!(listen.to_string(), text);
        }
        for text in ["", "8080", "a:", "a:65536", "a:-1", "::1:80", "[x]:80", "unix:"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_busy_port_is_told_apart() {
        let first = bind(&tcp("127.0.0.1", 0)).expect("a free port");
        let Address::Ip(address) = &first[0].address else { panic!("not a TCP address") };
        assert_ne!(address.port(), 0);
        let error = bind(&tcp("127.0.0.1", address.port())).expect_err("in use");
        assert!(error.is_in_use(), "{error}");
        let error = bind(&tcp("203.0.113.1", 0)).expect_err("not ours");
        assert!(!error.is_in_use(), "{error}");
    }

    #[test]
    fn all_addresses() {
        let all = bind(&tcp("", 0)).expect("a free port");
        let Address::Ip(address) = &all[0].address else { panic!("not a TCP address") };
        std::net::TcpStream::connect(("127.0.0.1", address.port())).expect("reachable over IPv4");
    }

    #[test]
    fn socket_files() {
        let folder = std::env::temp_dir().join(format!("weir-http-{}-files", std::process::id()));
        std::fs::create_dir_all(&folder).expect("writable");
        let path = folder.join("s");
        let listen = Listen::Unix(path.clone());
        let first = bind(&listen).expect("free");
        assert!(bind(&listen).expect_err("in use").is_in_use());
        drop(first);
        assert!(!path.exists(), "removed with its listener");
        // A stale file: the socket is gone, its name is not.
        drop(std::os::unix::net::UnixListener::bind(&path).expect("free"));
        assert!(path.exists());
        drop(bind(&listen).expect("a stale file is replaced"));
        std::fs::write(&path, "mine").expect("writable");
        assert!(!bind(&listen).expect_err("not a socket").is_in_use());
        assert_eq!(std::fs::read(&path).expect("untouched"), b"mine");
        std::fs::remove_dir_all(&folder).expect("ours");
    }
}
