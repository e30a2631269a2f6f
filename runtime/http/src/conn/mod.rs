//! One connection, from its first byte to its close.
//!
//! ```text
//!   next head -> exchange (dispatch, respond, drain the rest of the request) -+-> next head
//!        |                       |                                            |
//!        +--- refused, idle ---- + --- gone, stalled, cut, Connection: close -+-> close
//! ```
//!
//! Invariants: bytes wait in the write buffer only while more work is at hand, they are flushed before
//! anything waits; requests are answered in order; bytes after a request belong to the next one.

mod attend;
mod close;
mod exchange;
mod incoming;
mod record;
mod reply;
mod state;
mod stream;

use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use crate::counters::Slot;
use crate::io::Io;
use crate::proto::head::{RequestHead, empty_lines};
use crate::proto::refusal::Refusal;
use crate::request::Peer;
use crate::service::Service;
use crate::worker::{Core, Enrolment, Phase};

use record::Record;
use state::{BATCH, BURST, Conn, Exit, yield_turn};

/// While draining, a connection that never sent a request may still have one on its way for so long.
const FRESH_GRACE: Duration = Duration::from_millis(250);

/// Serves one accepted socket until it closes.
pub async fn run<S: Service>(
    service: Rc<S>,
    core: Rc<Core>,
    socket: OwnedFd,
    peer: Peer,
    slot: Slot,
    enrolment: Enrolment,
) {
    // Both end with the connection, however it ends.
    let _held = slot;
    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    enrolment.attach(waker);
    // A socket that cannot be registered is only closed: the process is out of memory or descriptors.
    let Ok(io) = Io::new(socket) else { return };
    let mut conn = Conn::new(io, core, peer);
    let exit = loop {
        let next = poll_fn(|cx| conn.poll_next(cx)).await;
        let result = match next {
            Ok(head) => conn.exchange(&*service, head).await,
            Err(Stop::Refused(refusal)) => Err(conn.refuse(&*service, refusal)),
            Err(Stop::Over(exit)) => Err(exit),
        };
        if let Err(exit) = result {
            break exit;
        }
    };
    conn.close(exit).await;
}

/// Why no further head comes.
enum Stop {
    Refused(Refusal),
    Over(Exit),
}

impl Conn {
    /// The next request's head. Heads that are already here come before anything is flushed, so that the
    /// answers to pipelined requests share a write.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<RequestHead, Stop>> {
        loop {
            if self.io.write.len() < BATCH
                && let Some(head) = self.take_head()
            {
                return Poll::Ready(head.map_err(Stop::Refused));
            }
            if let Err(ending) = ready!(self.poll_send(cx)) {
                return Poll::Ready(Err(Stop::Over(ending.exit())));
            }
            if let Some(head) = self.take_head() {
                return Poll::Ready(head.map_err(Stop::Refused));
            }
            self.io.release(&self.core.pool);
            if self.burst >= BURST {
                self.burst = 0;
                return yield_turn(cx);
            }
            match self.io.poll_fill(cx, &self.core.pool) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Stop::Over(Exit::Close))),
                Poll::Ready(Ok(_)) => {
                    self.now = Instant::now();
                    self.burst += 1;
                    self.head_since.get_or_insert(self.now);
                }
                Poll::Pending => {
                    self.burst = 0;
                    return self.poll_idle(cx).map(Err);
                }
            }
        }
    }

    /// A whole head from the read buffer.
    fn take_head(&mut self) -> Option<Result<RequestHead, Refusal>> {
        let (empty, unsure) = empty_lines(self.io.read.data());
        if empty > 0 {
            self.io.read.consume(empty);
        }
        if self.io.read.is_empty() {
            // Empty lines alone begin no head.
            self.head_since = None;
            return None;
        }
        if unsure {
            self.head_since.get_or_insert(self.now);
            return None;
        }
        match self.reader.read(self.io.read.data(), &self.core.limits) {
            Ok(Some((head, length))) => {
                self.io.read.consume(length);
                self.head_since = None;
                self.fresh = false;
                Some(Ok(head))
            }
            Ok(None) => {
                self.head_since.get_or_insert(self.now);
                None
            }
            Err(refusal) => Some(Err(refusal)),
        }
    }

    /// Nothing to read: ready when waiting longer makes no sense.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        let limits = &self.core.limits;
        if let Some(since) = self.head_since {
            ready!(self.timer.poll(cx, since + limits.header_timeout));
            return Poll::Ready(Stop::Refused(Refusal::HeadTimeout));
        }
        let mut deadline = self.now + limits.idle_timeout;
        if self.core.phase() != Phase::Serving {
            if !self.fresh {
                return Poll::Ready(Stop::Over(Exit::Close));
            }
            deadline = deadline.min(*self.drain_since.get_or_insert_with(Instant::now) + FRESH_GRACE);
        }
        ready!(self.timer.poll(cx, deadline));
        Poll::Ready(Stop::Over(Exit::Close))
    }

    /// Answers a request that is none.
    fn refuse<S: Service>(&mut self, service: &S, refusal: Refusal) -> Exit {
        let mut record = Record::new(service, self, None);
        record.refused(refusal);
        // Where the refused request ends is unknown, so its rest is always lingered for.
        let _closes = self.send_engine_answer(&mut record, refusal.status(), true);
        Exit::Linger
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    use super::*;
    use crate::counters::Counters;
    use crate::limits::Limits;
    use crate::request::Request;
    use crate::response::{Body, Response};

    /// What an open idle stream costs in the engine beside its timer: the future of its connection.
    const CONNECTION_CEILING: usize = 1280;

    fn answer(_: Request) -> Ready<Response> {
        ready(Response::new(200, Body::Empty))
    }

    #[tokio::test]
    async fn a_connection_is_small() {
        let counters = Arc::new(Counters::default());
        counters.start(1);
        let core = Rc::new(Core::new(Limits::default(), Arc::clone(&counters), 0));
        let slot = Slot::take(&counters, 0, Peer::Unix, &Limits::default()).expect("free");
        let (socket, _) = UnixStream::pair().expect("descriptors");
        let enrolment = core.enrol();
        let future = run(Rc::new(answer), core, socket.into(), Peer::Unix, slot, enrolment);
        let size = size_of_val(&future);
        assert!(size <= CONNECTION_CEILING, "{size} bytes; the response of the service's future counts too");
    }
}
