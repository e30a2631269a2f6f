//! Whose word is taken for a client's address: the proxies that a server is behind.
//!
//! In: networks as text; the peer of a connection and what its request says in `X-Forwarded-For`. Out: the client's address.
//! Each proxy appends the address that it was connected from, so the field is read from its end, and only as long as whoever
//! appended an entry is trusted:
//!
//! ```text
//!   X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.2      a connection from 10.0.0.1
//!                    anybody  the client    trusted <──── trusted
//! ```
//! Invariant: nothing that a client sends can change what is taken for its address.
//! Not here: `Forwarded` (RFC 7239). A proxy that writes one of the two fields passes the other on as the client sent it, so only
//! one of them may be believed, and it is the one that proxies write unless told otherwise.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::request::Peer;

/// The proxies that are trusted; by default none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Proxy>);

/// Some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proxy {
    /// Whoever connects to a Unix socket.
    Unix,
    /// All addresses that agree with `base` in as many bits. Of IPv4, the last 32 bits are the address, and `bits` counts from
    /// its first; mapped addresses are taken for what they map.
    Network { base: IpAddr, bits: u32 },
}

/// A network that cannot be understood: which, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySyntaxError(String);

impl fmt::Display for ProxySyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProxySyntaxError {}

impl FromStr for Proxies {
    type Err = ProxySyntaxError;

    /// Addresses (`10.0.0.1`, `::1`), networks (`10.0.0.0/8`, `fd00::/8`) and `unix`, separated by commas.
    fn from_str(text: &str) -> Result<Self, ProxySyntaxError> {
        text.split(',').map(|part| proxy(part.trim())).collect::<Result<_, _>>().map(Proxies)
    }
}

fn proxy(text: &str) -> Result<Proxy, ProxySyntaxError> {
    if text == "unix" {
        return Ok(Proxy::Unix);
    }
    let wrong = || {
        ProxySyntaxError(format!(
            "`{text}` is no network: expected an address such as 10.0.0.1, a network such as 10.0.0.0/8, or unix"
        ))
    };
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(number(bits).ok_or_else(wrong)?)),
        None => (text, None),
    };
    let written: IpAddr = address.parse().map_err(|_| wrong())?;
    let bits = bits.unwrap_or(width(written));
    if bits > width(written) {
        return Err(wrong());
    }
    let base = written.to_canonical();
    // Of a network of mapped addresses, the bits before the address are the prefix that maps it.
    let bits =
        if base.is_ipv4() && written.is_ipv6() { bits.checked_sub(96).ok_or_else(wrong)? } else { bits };
    if masked(base, bits) != base {
        // Which of the two parts is the mistake cannot be known, and the wrong guess trusts strangers.
        let network = masked(base, bits);
        return Err(ProxySyntaxError(format!(
            "`{text}` has bits behind /{bits}: is {network}/{bits} meant, or {base}?"
        )));
    }
    Ok(Proxy::Network { base, bits })
}

/// Decimal digits alone; `parse` would take a sign.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The bits of such an address.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with its first `bits` bits alone.
fn masked(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            std::net::Ipv4Addr::from_bits(ip.to_bits() & !u32::MAX.checked_shr(bits).unwrap_or(0)).into()
        }
        IpAddr::V6(ip) => {
            Ipv6Addr::from_bits(ip.to_bits() & !u128::MAX.checked_shr(bits).unwrap_or(0)).into()
        }
    }
}

impl Proxies {
    /// Trusts these as well.
    pub fn extend(&mut self, others: Proxies) {
        self.0.extend(others.0);
    }

    /// Whether the peer of a connection is one of them.
    pub fn trust(&self, peer: Peer) -> bool {
        match peer {
            Peer::Ip(address) => self.has(address.ip().to_canonical()),
            Peer::Unix => self.0.contains(&Proxy::Unix),
        }
    }

    /// Whether a canonical address is one of them.
    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|proxy| match proxy {
            Proxy::Unix => false,
            Proxy::Network { base, bits } => {
                base.is_ipv4() == address.is_ipv4() && masked(address, *bits) == *base
            }
        })
    }

    /// The client's address: the peer's own, unless that is trusted; then the last address in the fields' values that is not
    /// trusted, or the first of all where each is. An entry that is no address ends the search at who wrote it. Mapped
    /// addresses are given as what they map; `None` for a peer on a Unix socket that names nobody.
    pub fn client<'a, V>(&self, peer: Peer, values: impl FnOnce() -> V) -> Option<IpAddr>
    where
        V: DoubleEndedIterator<Item = &'a [u8]>,
    {
        let mut client = match peer {
            Peer::Ip(address) => Some(address.ip().to_canonical()),
            Peer::Unix => None,
        };
        if self.0.is_empty() || !self.trust(peer) {
            return client;
        }
        for entry in values().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
            let entry = entry.trim_ascii();
            if entry.is_empty() {
                // Lists may have empty elements (RFC 9110 section 5.6.1).
                continue;
            }
            let Some(address) = address(entry) else { break };
            client = Some(address);
            if !self.has(address) {
                break;
            }
        }
        client
    }
}

/// The address that an entry names: with or without a port, of IPv6 with or without brackets.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let address = match text.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) => match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => inner.parse::<Ipv6Addr>().ok()?.into(),
            None => text.parse::<SocketAddr>().ok()?.ip(),
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn peer(address: &str) -> Peer {
        match address {
            "unix" => Peer::Unix,
            _ => Peer::Ip(SocketAddr::new(address.parse().expect("an address"), 7)),
        }
    }

    fn client(proxies: &str, from: &str, values: &[&str]) -> String {
        let proxies: Proxies =
            if proxies.is_empty() { Proxies::default() } else { proxies.parse().expect("networks") };
        let client = proxies.client(peer(from), || values.iter().map(|value| value.as_bytes()));
        client.map_or("-".to_owned(), |client| client.to_string())
    }

    #[test]
    fn who_is_not_trusted_speaks_for_itself() {
        for proxies in ["", "10.0.0.0/8", "unix", "::1"] {
            assert_eq!(client(proxies, "192.0.2.1", &["1.1.1.1"]), "192.0.2.1");
            assert_eq!(client(proxies, "::ffff:192.0.2.1", &["1.1.1.1"]), "192.0.2.1");
        }
        assert_eq!(client("10.0.0.0/8", "unix", &["1.1.1.1"]), "-");
    }

    #[test]
    fn the_last_address_that_is_not_trusted_is_the_client() {
        for (values, expected) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
            (&["6.6.6.6,198.51.100.7 , 10.0.0.2"], "198.51.100.7"),
            (&["6.6.6.6", "198.51.100.7", "10.0.0.2"], "198.51.100.7"),
            (&["198.51.100.7,, ,10.0.0.2,"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["::ffff:198.51.100.7"], "198.51.100.7"),
            // A trusted proxy without anybody before it is the client itself.
            (&[], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", values), expected, "{values:?}");
            assert_eq!(client("10.0.0.0/8", "::ffff:10.0.0.1", values), expected, "{values:?}");
        }
        assert_eq!(client("unix", "unix", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("fd00::/8,10.0.0.0/8", "fd12::1", &["1.1.1.1, 10.9.9.9"]), "1.1.1.1");
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        let long = "9".repeat(100_000);
        for bad in [
            "unknown",
            "_hidden",
            "localhost",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.4:",
            "1.2.3.4:x",
            "1.2.3.4:65536",
            "[::1",
            "::1]",
            "[1.2.3.4]",
            "[::1]:",
            "[::1]x",
            "fe80::1%eth0",
            "\"1.2.3.4\"",
            "1.2.3.4 5.6.7.8",
            "01.2.3.4",
            "for=1.2.3.4",
            "\u{661}",
            &long,
        ] {
            let spoofed = format!("6.6.6.6, {bad}");
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[&spoofed]), "10.0.0.1", "{bad}");
            let through = format!("6.6.6.6, {bad}, 10.0.0.2");
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[&through]), "10.0.0.2", "{bad}");
        }
        let proxies: Proxies = "10.0.0.0/8".parse().expect("a network");
        let values = [&b"6.6.6.6, \xff\xfe"[..]];
        let client = proxies.client(peer("10.0.0.1"), || values.into_iter());
        assert_eq!(client, "10.0.0.1".parse().ok());
    }

    #[test]
    fn networks_are_parsed() {
        for text in [
            "10.0.0.1",
            "10.0.0.0/8",
            "0.0.0.0/0",
            "::/0",
            "::1",
            "2001:db8::/32",
            "unix",
            "10.0.0.1, ::1 ,unix",
        ] {
            assert!(text.parse::<Proxies>().is_ok(), "{text}");
        }
        for text in [
            "",
            ",",
            "10.0.0.1,",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10/8",
            "10.0.0.0/8/8",
            "localhost",
            "*",
            "[::1]",
            "10.0.0.1:80",
            "::ffff:0:0/95",
        ] {
            assert!(text.parse::<Proxies>().is_err(), "{text}");
        }
        let error = "10.1.2.3/8".parse::<Proxies>().expect_err("bits behind the network").to_string();
        assert_eq!(error, "`10.1.2.3/8` has bits behind /8: is 10.0.0.0/8 meant, or 10.1.2.3?");
        assert_eq!("::ffff:10.0.0.0/104".parse::<Proxies>(), "10.0.0.0/8".parse());
    }

    #[test]
    fn networks_end_where_they_say() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.0"]),
            ("192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "2001:db8::1"]),
            ("fd00::/8", ["fd00::", "fdff:ffff::1"], ["fc00::", "10.0.0.1"]),
            ("::/0", ["::1", "2001:db8::1"], ["0.0.0.0", "::ffff:10.0.0.1"]),
        ] {
            let proxies: Proxies = network.parse().expect("a network");
            assert!(inside.iter().all(|address| proxies.trust(peer(address))), "{network}");
            assert!(!outside.iter().any(|address| proxies.trust(peer(address))), "{network}");
        }
    }

    /// What clients make up: addresses, trusted ones and others, and anything that a field's value can hold.
    fn made_up() -> impl Strategy<Value = Vec<u8>> {
        let likely = "(10\\.0\\.0\\.[0-9]|6\\.6\\.6\\.6|unknown|\\[::1\\]|[0-9a-f:.]{0,12})( ?, ?(10\\.0\\.0\\.[0-9]|x))*,?";
        prop_oneof![
            likely.prop_map(String::into_bytes),
            vec(prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8], 0..80)
        ]
    }

    proptest! {
        #[test]
        fn nothing_a_client_sends_changes_its_address(
            sent in vec(made_up(), 0..4),
            hops in 0..3_usize,
            v6: bool,
            host in 1..255_u8,
            joins: bool,
        ) {
            let proxies: Proxies = "10.0.0.0/8".parse().expect("a network");
            let real: IpAddr = if v6 {
                format!("2001:db8::{host}").parse().expect("an address")
            } else {
                [198, 51, 100, host].into()
            };
            // Straight: what it sends does not matter.
            let direct = proxies.client(Peer::Ip((real, 9).into()), || sent.iter().map(Vec::as_slice));
            prop_assert_eq!(direct, Some(real));
            // Through proxies: each appends whom it was connected from, as a field of its own or to the last one.
            let mut fields = sent;
            let mut appended = vec![real.to_string()];
            appended.extend((0..hops).map(|hop| format!("10.0.1.{hop}")));
            for entry in appended {
                match fields.last_mut().filter(|_| joins) {
                    Some(last) => last.extend_from_slice(format!(", {entry}").as_bytes()),
                    None => fields.push(entry.into_bytes()),
                }
            }
            let through = proxies.client(peer("10.0.0.9"), || fields.iter().map(Vec::as_slice));
            prop_assert_eq!(through, Some(real));
        }
    }
}
