//! The record of one exchange: filled while it runs, handed to the service when it ends in whatever way.

use std::net::IpAddr;

use tokio::time::Instant;

use super::state::{Conn, Ending};
use crate::body::Failure;
use crate::proto::framing::Version;
use crate::proto::head::RequestHead;
use crate::proto::refusal::Refusal;
use crate::request::Peer;
use crate::service::{Access, Outcome, Service};

/// How the exchange ended, as far as known. A record that is dropped unfinished was cut.
enum Fate {
    Open,
    Answered,
    Refused(Refusal),
    Panicked,
    Failed(String),
    Gone,
    Stalled,
    Late,
}

/// Reports to the service when it is dropped.
pub(super) struct Record<'a, S: Service> {
    service: &'a S,
    id: u64,
    head: Option<RequestHead>,
    peer: Peer,
    client: Option<IpAddr>,
    started: Instant,
    fate: Fate,
    /// The status that was put on the wire.
    pub status: Option<u16>,
    /// Body bytes that were put on the wire.
    pub bytes: u64,
}

impl<'a, S: Service> Record<'a, S> {
    pub fn new(service: &'a S, conn: &Conn, head: Option<RequestHead>) -> Self {
        let forwarded = || head.iter().flat_map(|head| head.header_all("x-forwarded-for"));
        let client = conn.core.limits.proxies.client(conn.peer, forwarded);
        Record {
            service,
            id: conn.core.next_id(),
            head,
            peer: conn.peer,
            client,
            started: conn.now,
            fate: Fate::Open,
            status: None,
            bytes: 0,
        }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    /// The address of the client; see [`crate::Request::client`].
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// When the request was there.
    pub fn started(&self) -> Instant {
        self.started
    }

    pub fn version(&self) -> Version {
        self.head.as_ref().map_or(Version::Http11, RequestHead::version)
    }

    /// The request was a HEAD.
    pub fn wants_no_body(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.method() == "HEAD")
    }

    /// The client may send another request.
    pub fn keep_alive(&self) -> bool {
        self.head.as_ref().is_some_and(RequestHead::keep_alive)
    }

    pub fn answered(&mut self) {
        if matches!(self.fate, Fate::Open) {
            self.fate = Fate::Answered;
        }
    }

    pub fn refused(&mut self, refusal: Refusal) {
        self.fate = Fate::Refused(refusal);
    }

    pub fn panicked(&mut self) {
        self.fate = Fate::Panicked;
    }

    pub fn failed(&mut self, failure: Failure) {
        self.fate = Fate::Failed(failure.message);
    }

    pub fn ended(&mut self, ending: Ending) {
        self.fate = match ending {
            Ending::Gone => Fate::Gone,
            Ending::Stalled => Fate::Stalled,
            Ending::Late => Fate::Late,
            Ending::Cut => Fate::Open,
        };
    }
}

impl<S: Service> Drop for Record<'_, S> {
    fn drop(&mut self) {
        let outcome = match &self.fate {
            Fate::Open => Outcome::Cut,
            Fate::Answered => Outcome::Answered,
            Fate::Refused(refusal) => Outcome::Refused(refusal.reason()),
            Fate::Panicked => Outcome::Panicked,
            Fate::Failed(message) => Outcome::Failed(message),
            Fate::Gone => Outcome::Gone,
            Fate::Stalled => Outcome::Stalled,
            Fate::Late => Outcome::Late,
        };
        self.service.finished(&Access {
            id: self.id,
            head: self.head.as_ref(),
            peer: self.peer,
            client: self.client,
            status: self.status,
            bytes: self.bytes,
            started: self.started,
            outcome,
        });
    }
}
