//! What one server allows its clients: sizes, counts and deadlines, each with its default.
//!
//! Invariant: every field is a bound that the engine enforces itself; what only the application can judge
//! (handler time, heap, lines) is not here.

use std::time::Duration;

use crate::proxies::Proxies;

/// The bounds of one server. All sizes are raw bytes as they come off the socket.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Request line, fields and the final empty line together; above it 431. Default 64 KiB.
    pub max_head: usize,
    /// Header fields of one request; above it 431. At most [`Limits::FIELD_CEILING`]. Default 128.
    pub max_fields: usize,
    /// The request target; above it 414. Default 16 KiB.
    pub max_target: usize,
    /// Decoded bytes a [`RequestBody`](crate::RequestBody) hands out before it fails, unless its reader lifts
    /// the limit. Default 10 MiB.
    pub max_body: u64,
    /// Connections open at once in the whole server; above it 503 and close. Default 16,384.
    pub max_conns: usize,
    /// Connections open at once from one address, which of IPv6 is a /64 network; above it 503 and close. `None`, the
    /// default, is 1,024, and no limit for the loopback and for proxies that are trusted.
    pub max_conns_per_ip: Option<usize>,
    /// From the first byte of a head to its last; then 408. Default 10 s.
    pub header_timeout: Duration,
    /// A reader waits for request-body bytes and no response has begun; then the body fails. Default 30 s.
    pub body_timeout: Duration,
    /// A connection waits for its next request; then it is closed silently. Default 75 s.
    pub idle_timeout: Duration,
    /// Bytes wait for the peer and it takes none; then the connection is cut. Default 30 s.
    pub stall_timeout: Duration,
    /// From the head of a request to the last byte of a response whose length is known; then the connection is cut. How long
    /// a response may take to begin is up to the service, and a body that is pulled has no such time. Default none.
    pub response_time: Option<Duration>,
    /// From the wish to stop to cutting what is still open. Default 10 s.
    pub drain_timeout: Duration,
    /// From the end of the handler to sending the head of a stream that has no first item yet. Default 50 ms.
    pub first_item_window: Duration,
    /// Serve clients that half-close after their request; otherwise such a FIN cancels. Default false.
    pub half_close: bool,
    /// Whose `X-Forwarded-For` is believed. Default nobody's.
    pub proxies: Proxies,
}

impl Limits {
    /// The largest usable `max_fields`; the slots live on the stack while a head is parsed.
    pub const FIELD_CEILING: usize = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_head: 64 * 1024,
            max_fields: 128,
            max_target: 16 * 1024,
            max_body: 10 * 1024 * 1024,
            max_conns: 16_384,
            max_conns_per_ip: None,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            response_time: None,
            drain_timeout: Duration::from_secs(10),
            first_item_window: Duration::from_millis(50),
            half_close: false,
            proxies: Proxies::default(),
        }
    }
}
