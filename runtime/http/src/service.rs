//! The application's side of the engine: one service per worker, called once per request.

use std::future::Future;
use std::net::IpAddr;

use tokio::time::Instant;

use crate::proto::head::RequestHead;
use crate::request::{Peer, Request};
use crate::response::Response;

/// Answers requests on one worker; it need not be `Send`.
///
/// Any `Fn(Request) -> impl Future<Output = Response>` is a service.
pub trait Service: 'static {
    /// The work on one request. Dropping it is the only form of cancellation: it happens at once when the
    /// client is gone or the server cuts.
    type Future: Future<Output = Response> + 'static;

    /// Starts the work on one request.
    fn call(&self, request: Request) -> Self::Future;

    /// One exchange ended: answered, failed, cut or cancelled. Called exactly once for each; for access logs.
    fn finished(&self, record: &Access<'_>) {
        let _ = record;
    }

    /// The server wants to stop: no new connections come, open exchanges have until `deadline`.
    fn draining(&self, deadline: Instant) {
        let _ = deadline;
    }

    /// Work of its own that still goes on is to end now: the deadline has passed, or nobody wants to wait for it.
    fn cut(&self) {}

    /// All connections of this worker are closed; it ends when this future does. It is given up a few seconds after
    /// [`Service::cut`].
    fn drained(&self) -> impl Future<Output = ()> {
        async {}
    }
}

impl<F, R> Service for F
where
    F: Fn(Request) -> R + 'static,
    R: Future<Output = Response> + 'static,
{
    type Future = R;

    fn call(&self, request: Request) -> R {
        self(request)
    }
}

/// One exchange that ended.
#[derive(Debug)]
pub struct Access<'a> {
    /// The request's id.
    pub id: u64,
    /// The request; `None` when it was refused before it was one.
    pub head: Option<&'a RequestHead>,
    /// Who sent it.
    pub peer: Peer,
    /// The address of the client; see [`Request::client`].
    pub client: Option<IpAddr>,
    /// The status sent; `None` if the client went before one was.
    pub status: Option<u16>,
    /// Body bytes of the response, without framing, as far as they were handed to the socket's buffer.
    pub bytes: u64,
    /// When the request was there.
    pub started: Instant,
    /// How it ended.
    pub outcome: Outcome<'a>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The whole response was produced.
    Answered,
    /// The request broke the protocol or a limit; the engine answered.
    Refused(&'a str),
    /// The service panicked; the client got a 500 or an aborted response.
    Panicked,
    /// The body failed; the client got an error status or an aborted response.
    Failed(&'a str),
    /// The client closed the connection first.
    Gone,
    /// The client took no bytes for `stall_timeout`.
    Stalled,
    /// The client took a response of known length too slowly for `response_time`.
    Late,
    /// The server was stopped first.
    Cut,
}
