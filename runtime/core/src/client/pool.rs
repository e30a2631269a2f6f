//! Idle connections, kept for the next request to the same origin.
//!
//! ```text
//! answer read to its end ──put──▶ idle, watched by a task ──take──▶ next request
//!                                  └─ closed by the peer, too old, too many ─▶ dropped
//! ```
//! Invariants: an idle connection belongs to the worker, not to a scope; at most [`PER_ORIGIN`] of an origin and [`IN_ALL`]
//! are kept, the youngest ones. The task that watches one drops it when the runtime ends.

use super::link::Link;
use super::target::Origin;
use super::tls;
use crate::counters::{Cell, Counters};
use rustls::ClientConfig;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// How many idle connections of one origin are kept.
const PER_ORIGIN: usize = 32;
/// How many idle connections a worker keeps.
const IN_ALL: usize = 256;
/// How long one is kept: less than servers commonly do, so that few are closed just when they are asked again.
const IDLE: Duration = Duration::from_secs(30);

/// What the requests of one worker to upstreams share.
pub struct Client {
    /// The oldest first.
    idle: RefCell<VecDeque<Resting>>,
    trust: RefCell<Option<Arc<ClientConfig>>>,
    counters: &'static Counters,
}

/// What connections may be used for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) origin: Origin,
    /// Its address was looked at and found public.
    pub(super) public_only: bool,
}

struct Resting {
    key: Key,
    place: Arc<Place>,
    watcher: AbortHandle,
}

/// Where an idle connection lies, for the pool and for its task. Both are on one thread, but tokio cannot know.
struct Place(Mutex<Option<(Link, Counted)>>);

impl Place {
    fn lock(&self) -> MutexGuard<'_, Option<(Link, Counted)>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Counts one thing for as long as it lives.
pub(super) struct Counted(&'static Cell);

impl Counted {
    pub(super) fn new(cell: &'static Cell) -> Self {
        cell.add(1);
        Self(cell)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

impl Client {
    /// A client without connections.
    pub fn new(counters: &'static Counters) -> Self {
        Self { idle: RefCell::default(), trust: RefCell::default(), counters }
    }

    /// Whom to trust.
    pub(super) async fn trusted(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = &*self.trust.borrow() {
            return Ok(Arc::clone(config));
        }
        let config = tls::trust().await?;
        *self.trust.borrow_mut() = Some(Arc::clone(&config));
        Ok(config)
    }

    /// Trusts others than the system does.
    #[cfg(test)]
    pub(super) fn trust(&self, config: Arc<ClientConfig>) {
        *self.trust.borrow_mut() = Some(config);
    }

    /// Closes what is idle.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.idle.borrow_mut().clear();
    }

    /// The connection to that origin which came to rest last.
    pub(super) fn take(&self, key: &Key) -> Option<Link> {
        let mut idle = self.idle.borrow_mut();
        while let Some(at) = idle.iter().rposition(|resting| resting.key == *key) {
            let resting = idle.remove(at)?;
            resting.watcher.abort();
            let found = resting.place.lock().take();
            if let Some((link, _)) = found
                && !link.is_closed()
            {
                return Some(link);
            }
        }
        None
    }

    /// Keeps a connection that rests. Called within a tokio runtime.
    pub(super) fn put(&self, key: Key, link: Link) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|resting| resting.place.lock().is_some());
        if idle.iter().filter(|resting| resting.key == key).count() >= PER_ORIGIN
            && let Some(oldest) = idle.iter().position(|resting| resting.key == key)
        {
            idle.remove(oldest);
        }
        if idle.len() >= IN_ALL {
            idle.pop_front();
        }
        let counted = Counted::new(&self.counters.pooled);
        let place = Arc::new(Place(Mutex::new(Some((link, counted)))));
        let watcher = tokio::spawn(watch(Emptied(Arc::clone(&place)))).abort_handle();
        idle.push_back(Resting { key, place, watcher });
    }
}

impl Drop for Resting {
    fn drop(&mut self) {
        self.watcher.abort();
        self.place.lock().take();
    }
}

/// Empties a place when it goes, also with the runtime.
struct Emptied(Arc<Place>);

impl Drop for Emptied {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}

/// Waits until an idle connection is closed, too old, or taken.
async fn watch(place: Emptied) {
    let mut too_old = pin!(sleep(IDLE));
    poll_fn(|cx| {
        let mut place = place.0.lock();
        let Some((link, _)) = &mut *place else { return Poll::Ready(()) };
        link.poll(cx);
        match link.is_closed() {
            true => Poll::Ready(()),
            false => too_old.as_mut().poll(cx),
        }
    })
    .await;
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({} idle)", self.idle.borrow().len())
    }
}
