//! Stores: values by key that all requests, on all workers and of all versions, share.
//!
//! ```text
//! store("hits") ──name──▶ Store ──▶ Memory: shards behind locks
//!                                └─▶ FileStore: a thread with an SQLite file
//! ```
//! In: blocks under keys. Out: the same blocks. Each entry has a version, a number that changes whenever its value does, so
//! that `swap` puts a new value only in place of the one that it was made from: nobody holds a lock while code runs.
//! Invariants: a store holds blocks of one kind. A name stands for the same store for as long as a version holds it; whoever
//! opens it with another type is refused.
//! Not here: how values become blocks (`carry`), what a program sees (`natives::store`).

mod file;
mod memory;

pub use memory::memory_used;

use file::FileStore;
use memory::{Full, Memory};

use crate::carry::{Block, Kind};
use crate::failure::Failure;
use crate::names::{Kinded, Names};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};
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
    entries: Entries,
}

/// Where its entries are.
#[derive(Debug)]
enum Entries {
    Memory(Memory),
    File(FileStore),
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
        let entries = || Entries::Memory(Memory::default());
        let make = || Ok(Self { name: name.to_owned(), kind: kind.clone(), entries: entries() });
        OPEN.open("store", name, kind, make)
    }

    /// The store of that name in the file at `path`, for values of that type.
    pub fn open_file(name: &str, path: &str, kind: &Kind) -> Answer<Arc<Self>> {
        let (name, path, kind) = (name.to_owned(), PathBuf::from(path), kind.clone());
        let job = spawn_blocking(move || {
            let entries = Entries::File(FileStore::open(&name, &path, &kind)?);
            Ok(Arc::new(Self { name, kind, entries }))
        });
        Answer::Later(Box::pin(joined(job)))
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
        match &self.entries {
            Entries::Memory(memory) => Answer::Now(Ok(memory.find(key))),
            Entries::File(file) => file.find(key, self.kind.clone()),
        }
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
        match &self.entries {
            Entries::Memory(memory) => {
                // What ends later than clocks count stays.
                let ends = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
                Answer::Now(memory.put(key, block, ends, instead_of, limit).map_err(|Full| full(limit)))
            }
            Entries::File(file) => file.put(key, block, ttl, instead_of),
        }
    }

    /// How large a value may be, in bytes; all stores in memory take at most `limit`.
    pub fn most(&self, limit: usize) -> usize {
        match &self.entries {
            Entries::Memory(_) => limit,
            Entries::File(_) => usize::MAX,
        }
    }

    /// Takes away what is under a key; whether there was something.
    pub fn delete(&self, key: &str) -> Answer<bool> {
        match &self.entries {
            Entries::Memory(memory) => Answer::Now(Ok(memory.delete(key))),
            Entries::File(file) => file.delete(key),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> Answer<usize> {
        match &self.entries {
            Entries::Memory(memory) => Answer::Now(Ok(memory.len())),
            Entries::File(file) => file.len(),
        }
    }

    /// The keys that begin with `prefix`, sorted.
    pub fn keys(self: &Arc<Self>, prefix: &str) -> Answer<Vec<Box<str>>> {
        let memory = match &self.entries {
            Entries::Memory(memory) => memory,
            Entries::File(file) => return file.keys(prefix),
        };
        if memory.len() <= LISTED {
            return Answer::Now(Ok(memory.keys(prefix)));
        }
        let (store, prefix) = (Arc::clone(self), prefix.to_owned());
        let job = spawn_blocking(move || match &store.entries {
            Entries::Memory(memory) => Ok(memory.keys(&prefix)),
            Entries::File(_) => Ok(Vec::new()),
        });
        Answer::Later(Box::pin(joined(job)))
    }

    /// Why a value of it cannot be read.
    pub fn damaged(&self) -> Failure {
        let place = match &self.entries {
            Entries::Memory(_) => String::new(),
            Entries::File(file) => format!("{}: ", file.path().display()),
        };
        Failure::of_kind("io", format!("{place}a value in the store {:?} is damaged", self.name))
    }
}

impl<T> Answer<T> {
    /// Waits for it, on a thread that may.
    fn wait(self) -> Result<T, Failure> {
        match self {
            Self::Now(result) => result,
            Self::Later(future) => Handle::current().block_on(future),
        }
    }
}

/// What a job on the blocking pool came to.
async fn joined<T>(job: JoinHandle<Result<T, Failure>>) -> Result<T, Failure> {
    job.await.unwrap_or_else(|error| Err(Failure::of_kind("failed", error.to_string())))
}

/// Why a value has no room.
pub fn full(limit: usize) -> Failure {
    Failure::of_kind(
        "limit",
        format!("the stores in memory are full: they take {limit} bytes together at most (--store-limit)"),
    )
}

#[cfg(test)]
mod tests;
