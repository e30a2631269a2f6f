//! One worker's service and connections, on the current thread.
//!
//! [`crate::Server`] runs one of these per worker. It is public for tests of services and for embedders that
//! have sockets and a runtime of their own.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use crate::conn;
use crate::counters::{Counters, Slot};
use crate::limits::Limits;
use crate::request::Peer;
use crate::service::Service;
use crate::worker::{Core, Phase};

/// Serves sockets on the current thread, inside a tokio runtime.
pub struct LocalServer<S> {
    service: Rc<S>,
    core: Rc<Core>,
}

impl<S: Service> LocalServer<S> {
    /// A server without listeners. Must be called within a tokio runtime.
    pub fn new(service: S, limits: Limits) -> Self {
        let counters = Arc::new(Counters::default());
        counters.start(1);
        LocalServer::with_counters(service, limits, counters, 0)
    }

    pub(crate) fn with_counters(service: S, limits: Limits, counters: Arc<Counters>, index: usize) -> Self {
        LocalServer { service: Rc::new(service), core: Rc::new(Core::new(limits, counters, index)) }
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.core.limits
    }

    /// The counters.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.core.counters
    }

    /// Serves a connected socket until it closes; the future is to be spawned on this thread. Fails when
    /// `max_conns` are open, or too many of the peer's address, or the socket cannot be made non-blocking.
    pub fn serve<F: Into<OwnedFd>>(
        &self,
        socket: F,
        peer: Peer,
    ) -> io::Result<impl Future<Output = ()> + use<S, F>> {
        let socket = socket.into();
        rustix::io::ioctl_fionbio(&socket, true)?;
        let slot = Slot::take(&self.core.counters, self.core.index, peer, &self.core.limits)
            .ok_or_else(|| io::Error::other("too many open connections"))?;
        Ok(self.serve_slot(socket, peer, slot))
    }

    /// Serves a non-blocking socket that has its slot.
    pub(crate) fn serve_slot(
        &self,
        socket: OwnedFd,
        peer: Peer,
        slot: Slot,
    ) -> impl Future<Output = ()> + use<S> {
        let enrolment = self.core.enrol();
        conn::run(Rc::clone(&self.service), Rc::clone(&self.core), socket, peer, slot, enrolment)
    }

    /// Closes idle connections and lets the others end after their current exchange.
    pub fn drain(&self) {
        self.core.enter(Phase::Draining);
    }

    /// Ends every connection at its next poll.
    pub fn cut(&self) {
        self.core.enter(Phase::Cut);
    }

    /// Waits until no connection is open.
    pub async fn emptied(&self) {
        self.core.emptied().await;
    }
}

impl<S> Clone for LocalServer<S> {
    fn clone(&self) -> Self {
        LocalServer { service: Rc::clone(&self.service), core: Rc::clone(&self.core) }
    }
}
