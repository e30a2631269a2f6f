//! How many connections each address has open.
//!
//! Invariant: an address is in the table while it has connections, and a [`Place`] is one of them; nothing is lowered by hand.
//! Not here: connections of all addresses together (`counters`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::Limits;
use crate::request::Peer;

/// Connections from one address where nothing else is said. A network behind one address has many clients, but not so many.
const USUAL: usize = 1024;

/// Open connections by address.
#[derive(Debug, Default)]
pub struct Addresses {
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// As many connections are open from the address as may be.
#[derive(Debug)]
pub struct TooMany;

impl Addresses {
    /// Counts one more connection of a peer, unless it has as many as it may. Nothing where they are not counted: by default
    /// those on the loopback, and those of trusted proxies, which come for many clients.
    pub fn take(self: &Arc<Self>, peer: Peer, limits: &Limits) -> Result<Option<Place>, TooMany> {
        let cap = limits.max_conns_per_ip;
        let Peer::Ip(address) = peer else { return Ok(None) };
        let ip = address.ip().to_canonical();
        if cap.is_none() && (ip.is_loopback() || limits.proxies.trust(peer)) {
            return Ok(None);
        }
        let client = client(ip);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(&client).copied().unwrap_or(0);
        if count >= cap.unwrap_or(USUAL) {
            return Err(TooMany);
        }
        open.insert(client, count + 1);
        Ok(Some(Place { addresses: Arc::clone(self), client }))
    }
}

/// What is taken for one client: of IPv6, whoever has one address has all of its /64 network (RFC 6177).
fn client(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// One connection of an address.
#[derive(Debug)]
pub struct Place {
    addresses: Arc<Addresses>,
    client: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = open.entry(self.client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn capped(cap: impl Into<Option<usize>>) -> Limits {
        Limits { max_conns_per_ip: cap.into(), ..Limits::default() }
    }

    fn peer(address: &str) -> Peer {
        Peer::Ip(address.parse::<SocketAddr>().expect("an address"))
    }

    #[test]
    fn an_address_has_its_share_and_gives_it_back() {
        let all = Arc::new(Addresses::default());
        let take = |address: &str| all.take(peer(address), &capped(2));
        let first = take("10.0.0.1:1").expect("the first");
        let second = take("[::ffff:10.0.0.1]:2").expect("the second, of the same address");
        assert!(take("10.0.0.1:3").is_err());
        let other = take("10.0.0.2:1").expect("another address");
        drop(first);
        let third = take("10.0.0.1:3").expect("a place is free again");
        assert!(take("10.0.0.1:4").is_err());
        drop((second, third, other));
        assert!(all.open.lock().expect("no panic").is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let all = Arc::new(Addresses::default());
        let first = all.take(peer("[2001:db8::1]:1"), &capped(1)).expect("the first");
        assert!(all.take(peer("[2001:db8::ffff:1]:1"), &capped(1)).is_err());
        assert!(all.take(peer("[2001:db8:0:1::1]:1"), &capped(1)).is_ok());
        drop(first);
    }

    #[test]
    fn by_default_only_others_are_counted() {
        let all = Arc::new(Addresses::default());
        for uncounted in [peer("127.0.0.1:1"), peer("[::1]:1"), peer("[::ffff:127.0.0.1]:1"), Peer::Unix] {
            assert!(all.take(uncounted, &capped(None)).is_ok_and(|place| place.is_none()));
        }
        let held: Vec<_> =
            (0..USUAL).map(|_| all.take(peer("10.0.0.1:1"), &capped(None)).expect("usual")).collect();
        assert!(all.take(peer("10.0.0.1:1"), &capped(None)).is_err());
        assert!(all.take(peer("127.0.0.1:1"), &capped(1)).is_ok_and(|place| place.is_some()));
        let behind = |cap| Limits { proxies: "10.0.0.1".parse().expect("an address"), ..capped(cap) };
        assert!(all.take(peer("10.0.0.1:1"), &behind(None)).is_ok_and(|place| place.is_none()));
        assert!(all.take(peer("10.0.0.1:1"), &behind(Some(1))).is_err());
        drop(held);
    }
}
