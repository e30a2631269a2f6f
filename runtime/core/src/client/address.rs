//! From a host's name to a connected socket.
//!
//! Names are resolved on the blocking pool, [`LOOKUPS`] at a time, since nobody can stop a lookup that hangs. Its addresses are
//! tried in turn, families by turns, the next one when the one before failed or is slow (RFC 8305); the first that connects
//! wins, and the others are closed.

use super::target::Origin;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

/// How many names are looked up at once in the process: a few, so that files have threads left.
static LOOKUPS: Semaphore = Semaphore::const_new(16);
/// How long an address has until the next one is tried beside it (RFC 8305 recommends 250 ms).
const HEAD_START: Duration = Duration::from_millis(250);
/// How many addresses of a name are tried.
const MOST: usize = 16;
/// How long a peer may be silent to the kernel's questions until it counts as gone.
const VANISHED: Duration = Duration::from_secs(60);
/// How long between such questions.
const PROBE_EVERY: Duration = Duration::from_secs(15);

/// Why there is no socket.
#[derive(Debug)]
pub enum Unreached {
    /// The name could not be resolved, or no address answered.
    Io(io::Error),
    /// It has only addresses that a public client may not ask.
    NotPublic(IpAddr),
}

impl From<io::Error> for Unreached {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NotPublic(address) => write!(f, "{address} is not a public address"),
        }
    }
}

/// Connects to an origin; with `public_only` to public addresses alone.
pub async fn connect(origin: &Origin, public_only: bool) -> Result<TcpStream, Unreached> {
    let mut addresses = resolve(origin).await?;
    if public_only {
        let first = addresses.first().map(SocketAddr::ip);
        addresses.retain(|address| is_public(address.ip()));
        if let (Some(first), true) = (first, addresses.is_empty()) {
            return Err(Unreached::NotPublic(first));
        }
    }
    let socket = race(by_turns(addresses)).await?;
    // A socket without these is as good, only slower to tell.
    let _ = socket.set_nodelay(true);
    let _ = probe(&socket);
    Ok(socket)
}

/// Has the kernel look after a peer that vanished without a word.
fn probe(socket: &TcpStream) -> rustix::io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, VANISHED)?;
    sockopt::set_tcp_keepintvl(socket, PROBE_EVERY)?;
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(socket, VANISHED.as_millis() as u32)?;
    Ok(())
}

async fn resolve(origin: &Origin) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = origin.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, origin.port)]);
    }
    let (host, port) = (origin.host.clone(), origin.port);
    let permit = LOOKUPS.acquire().await.map_err(io::Error::other)?;
    let lookup = tokio::task::spawn_blocking(move || {
        let addresses = (host.as_str(), port).to_socket_addrs().map(|all| all.take(MOST).collect());
        drop(permit);
        addresses
    });
    let addresses: Vec<_> = lookup.await.map_err(io::Error::other)??;
    match addresses.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "its name has no address")),
        false => Ok(addresses),
    }
}

/// The addresses of both families by turns, in the resolver's order otherwise.
fn by_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == is_v6);
    let (mut first, mut other) = (first.into_iter(), other.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = [first.next(), other.next()];
        if pair == [None, None] {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut left = addresses.into_iter();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut failed = None;
    let mut slow = pin!(sleep(Duration::ZERO));
    std::future::poll_fn(|cx| {
        loop {
            let mut at = 0;
            let mut is_due = attempts.is_empty();
            while let Some(attempt) = attempts.get_mut(at) {
                match attempt.as_mut().poll(cx) {
                    Poll::Ready(Ok(socket)) => return Poll::Ready(Ok(socket)),
                    Poll::Ready(Err(error)) => {
                        failed = Some(error);
                        is_due = true;
                        drop(attempts.swap_remove(at));
                    }
                    Poll::Pending => at += 1,
                }
            }
            if !is_due && slow.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match left.next() {
                Some(address) => {
                    attempts.push(Box::pin(TcpStream::connect(address)));
                    slow.as_mut().reset(Instant::now() + HEAD_START);
                }
                None if attempts.is_empty() => {
                    let error = failed.take();
                    return Poll::Ready(Err(error.unwrap_or_else(|| io::Error::other("it has no address"))));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

/// Whether an address is one of the public internet: none of the special ones of the registries that RFC 6890 began.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                // Carrier-grade NAT, protocol assignments, benchmarks, reserved.
                || (a == 100 && b & 0xc0 == 64)
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && b & 0xfe == 18)
                || a >= 240)
        }
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                let [first, second, ..] = v6.segments();
                !(v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local()
                    // Site-local, documentation, discard.
                    || first & 0xffc0 == 0xfec0
                    || (first == 0x2001 && second == 0x0db8)
                    || first == 0x0100)
            }
        },
    }
}

/// The IPv4 address that an IPv6 one leads to: mapped, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
fn embedded(v6: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let s = v6.segments();
    let of = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        std::net::Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if v6 != Ipv6Addr::LOCALHOST => Some(of(high, low)),
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_public_internet() {
        for public in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        let others = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::7f00:1",
        ];
        for other in others {
            assert!(!is_public(other.parse().expect("an address")), "{other}");
        }
    }

    #[test]
    fn families_come_by_turns() {
        let parse = |all: &[&str]| -> Vec<SocketAddr> {
            all.iter().map(|a| SocketAddr::new(a.parse().expect("an address"), 1)).collect()
        };
        let mixed = parse(&["::1", "::2", "::3", "1.1.1.1"]);
        assert_eq!(by_turns(mixed), parse(&["::1", "1.1.1.1", "::2", "::3"]));
    }

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let good = listener.local_addr().expect("an address");
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let refused = gone.local_addr().expect("an address");
        drop(gone);
        let socket = race(vec![refused, good]).await.expect("the second answers");
        assert_eq!(socket.peer_addr().expect("an address"), good);
        assert!(race(vec![refused]).await.is_err());
    }
}
