//! Stores: values by key that all requests, on all workers and of all versions, share.
//!
//! ```text
//! store("hits") ──name──▶ Store ──▶ Memory: shards behind locks
//! ```
//! In: blocks under keys. Out: the same blocks. Each entry has a version, a number that changes whenever its value does, so
//! that `swap` puts a new value only in place of the one that it was made from: nobody holds a lock while code runs.
//! Invariants: a store holds blocks of one kind. A name stands for the same store for as long as a version holds it; whoever
//! opens it with another type is refused.
//! Not here: how values become blocks (`carry`), what a program sees (`natives::store`).

mod memory;

pub use memory::memory_used;

use memory::{Full, Memory};

use crate::carry::{Block, Kind};
use crate::failure::Failure;
use crate::names::{Kinded, Names};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// The keys of stores up to this size are listed on the worker; those of larger ones beside it.
const LISTED: usize = 1024;

/// What stands under a key at one moment.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value, where there is one.
    pub block: Option<Arc<Block>>,
    /// Its version; 0 where there is none.
    pub version: u64,
}

/// What came of putting a value under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there.
    Done,
    /// What it was made from is not there any more.
    Overtaken,
}

/// What a store answers: at once, or when a file did.
pub enum Answer<T> {
    /// It is here.
    Now(Result<T, Failure>),
    /// It comes.
    Later(Pin<Box<dyn Future<Output = Result<T, Failure>>>>),
}

/// A store.
#[derive(Debug)]
pub struct Store {
    name: String,
    kind: Kind,
    memory: Memory,
}

/// All stores in memory by name.
static OPEN: Names<Store> = Names::new();

impl Kinded for Store {
    fn kind(&self) -> &Kind {
        &self.kind
    }
}

impl Store {
    /// The store in memory of that name, for values of that type.
    ///
    /// # Errors
    /// What to tell when it is open for another type.
    pub fn open(name: &str, kind: &Kind) -> Result<Arc<Self>, String> {
        let make = || Ok(Self { name: name.to_owned(), kind: kind.clone(), memory: Memory::default() });
        OPEN.open("store", name, kind, make)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its values.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What is under a key.
    pub fn find(&self, key: &str) -> Answer<Found> {
        Answer::Now(Ok(self.memory.find(key)))
    }

    /// Puts a value under a key: for that time, or, with `instead_of`, in place of the value of that version (0 for none), whose
    /// time to live it keeps. All stores in memory take at most `limit` bytes.
    pub fn put(
        &self,
        key: &str,
        block: Arc<Block>,
        ttl: Option<Duration>,
        instead_of: Option<u64>,
        limit: usize,
    ) -> Answer<Put> {
        // What ends later than clocks count stays.
        let ends = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        Answer::Now(self.memory.put(key, block, ends, instead_of, limit).map_err(|Full| full(limit)))
    }

    /// Takes away what is under a key; whether there was something.
    pub fn delete(&self, key: &str) -> Answer<bool> {
        Answer::Now(Ok(self.memory.delete(key)))
    }

    /// How many entries there are.
    pub fn len(&self) -> Answer<usize> {
        Answer::Now(Ok(self.memory.len()))
    }

    /// The keys that begin with `prefix`, sorted.
    pub fn keys(self: &Arc<Self>, prefix: &str) -> Answer<Vec<Box<str>>> {
        if self.memory.len() <= LISTED {
            return Answer::Now(Ok(self.memory.keys(prefix)));
        }
        let (store, prefix) = (Arc::clone(self), prefix.to_owned());
        let job = spawn_blocking(move || store.memory.keys(&prefix));
        Answer::Later(Box::pin(async {
            job.await.map_err(|error| Failure::of_kind("failed", error.to_string()))
        }))
    }
}

/// Why a value has no room.
pub fn full(limit: usize) -> Failure {
    Failure::of_kind(
        "limit",
        format!("the stores in memory are full: they take {limit} bytes together at most (--store-limit)"),
    )
}

impl Store {
    /// Why a value of it cannot be read.
    pub fn damaged(&self) -> Failure {
        Failure::of_kind("io", format!("a value in the store {:?} is damaged", self.name))
    }
}

#[cfg(test)]
mod tests;
