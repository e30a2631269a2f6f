//! Numbers about a running server, readable from any thread.
//!
//! Invariant: what counts something open is raised and lowered by a [`Slot`] or [`StreamSlot`]; nothing is
//! lowered by hand.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::addresses::{Addresses, Place};
use crate::limits::Limits;
use crate::request::Peer;

/// Counters of one server.
#[derive(Debug, Default)]
pub struct Counters {
    /// Set once the number of workers is known.
    workers: OnceLock<Box<[PerWorker]>>,
    connections: AtomicUsize,
    addresses: Arc<Addresses>,
    refused: AtomicU64,
}

/// One worker's share, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct PerWorker {
    connections: AtomicUsize,
    streams: AtomicUsize,
    requests: AtomicU64,
}

impl Counters {
    pub(crate) fn start(&self, workers: usize) {
        self.workers.get_or_init(|| (0..workers).map(|_| PerWorker::default()).collect());
    }

    fn workers(&self) -> &[PerWorker] {
        self.workers.get().map_or(&[], |workers| workers)
    }

    /// Workers serving; 0 before the server runs.
    pub fn worker_count(&self) -> usize {
        self.workers().len()
    }

    /// Open connections.
    pub fn open_connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// Open connections of each worker.
    pub fn connections_by_worker(&self) -> Vec<usize> {
        self.workers().iter().map(|worker| worker.connections.load(Relaxed)).collect()
    }

    /// Response streams being sent.
    pub fn open_streams(&self) -> usize {
        self.workers().iter().map(|worker| worker.streams.load(Relaxed)).sum()
    }

    /// Requests dispatched since the start.
    pub fn requests(&self) -> u64 {
        self.workers().iter().map(|worker| worker.requests.load(Relaxed)).sum()
    }

    /// Connections answered with 503 because too many were open.
    pub fn refused_connections(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// The worker with the fewest open connections and streams: one that streams is busier than one that waits.
    pub(crate) fn least_loaded(&self) -> usize {
        let load = |worker: &PerWorker| worker.connections.load(Relaxed) + worker.streams.load(Relaxed);
        let workers = self.workers().iter().enumerate();
        workers.min_by_key(|(_, worker)| load(worker)).map_or(0, |(index, _)| index)
    }

    pub(crate) fn count_request(&self, worker: usize) {
        // The worker is the only writer: no read-modify-write is needed.
        let requests = &self.workers()[worker].requests;
        requests.store(requests.load(Relaxed) + 1, Relaxed);
    }
}

/// One open connection of one worker.
#[derive(Debug)]
pub struct Slot {
    counters: Arc<Counters>,
    worker: usize,
    /// Among those of its address, where these are counted.
    _place: Option<Place>,
}

impl Slot {
    /// Takes a slot, unless as many are taken as may be, of all or of the peer's address.
    pub(crate) fn take(counters: &Arc<Counters>, worker: usize, peer: Peer, limits: &Limits) -> Option<Slot> {
        let Ok(place) = counters.addresses.take(peer, limits) else {
            counters.refused.fetch_add(1, Relaxed);
            return None;
        };
        let taken = counters.connections.fetch_add(1, Relaxed);
        if taken >= limits.max_conns {
            counters.connections.fetch_sub(1, Relaxed);
            counters.refused.fetch_add(1, Relaxed);
            return None;
        }
        counters.workers()[worker].connections.fetch_add(1, Relaxed);
        Some(Slot { counters: Arc::clone(counters), worker, _place: place })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.counters.connections.fetch_sub(1, Relaxed);
        self.counters.workers()[self.worker].connections.fetch_sub(1, Relaxed);
    }
}

/// One response stream being sent.
pub(crate) struct StreamSlot {
    counters: Arc<Counters>,
    worker: usize,
}

impl StreamSlot {
    pub(crate) fn take(counters: &Arc<Counters>, worker: usize) -> Self {
        counters.workers()[worker].streams.fetch_add(1, Relaxed);
        StreamSlot { counters: Arc::clone(counters), worker }
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.counters.workers()[self.worker].streams.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_bounded_and_balanced() {
        let counters = Arc::new(Counters::default());
        counters.start(2);
        let limits = Limits { max_conns: 2, ..Limits::default() };
        let first = Slot::take(&counters, 0, Peer::Unix, &limits).expect("free");
        assert_eq!(counters.least_loaded(), 1);
        let second = Slot::take(&counters, 1, Peer::Unix, &limits).expect("free");
        assert!(Slot::take(&counters, 0, Peer::Unix, &limits).is_none());
        assert_eq!((counters.open_connections(), counters.refused_connections()), (2, 1));
        assert_eq!(counters.connections_by_worker(), [1, 1]);
        drop((first, second));
        assert_eq!(counters.open_connections(), 0);
        let stream = StreamSlot::take(&counters, 0);
        assert_eq!((counters.least_loaded(), counters.open_streams()), (1, 1));
        drop(stream);
        assert_eq!(counters.open_streams(), 0);
    }
}
