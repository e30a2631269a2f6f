//! Entries in memory.
//!
//! ```text
//! key ──hash──▶ shard: lock { entries by key, and their keys by the time when they end }
//! ```
//! Invariants: a lock is held for a search and an exchange of pointers, never for copying a value, freeing one, or a walk of
//! more than [`WALKED`] keys. What all memories of the process take together is counted, and is at most what the one who puts
//! says. An entry is gone from the moment its time is over; its memory follows when something is put into its shard.

use super::{Found, Put};
use crate::carry::Block;
use crate::names::lock;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::mem;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// How many shards: more than workers, so that they seldom meet.
const SHARDS: usize = 64;
/// How many keys are walked over under one lock.
const WALKED: usize = 256;
/// How many entries whose time is over go with each that is put.
const SWEPT: usize = 8;
/// What an entry takes besides its key and its block, in bytes; about what the trees take.
const OVERHEAD: usize = 128;

/// What all entries of the process take, in bytes.
static USED: AtomicUsize = AtomicUsize::new(0);

/// What all stores in memory take, in bytes.
pub fn memory_used() -> usize {
    USED.load(Relaxed)
}

/// An entry.
#[derive(Debug)]
struct Slot {
    block: Arc<Block>,
    version: u64,
    ends: Option<Instant>,
}

#[derive(Debug, Default)]
struct Shard {
    entries: BTreeMap<Arc<str>, Slot>,
    /// The entries that end, the next one first.
    ends: BTreeSet<(Instant, Arc<str>)>,
    /// The version of the last entry that was put here.
    version: u64,
}

/// All memories together have no room for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The entries of a store.
#[derive(Debug)]
pub struct Memory {
    shards: Box<[Mutex<Shard>]>,
    hasher: foldhash::fast::RandomState,
}

impl Default for Memory {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: foldhash::fast::RandomState::default() }
    }
}

/// What an entry takes.
fn cost(key: &str, block: &Block) -> usize {
    OVERHEAD + key.len() + block.size()
}

impl Shard {
    /// Takes an entry out.
    fn take(&mut self, key: &str) -> Option<Slot> {
        let (key, slot) = self.entries.remove_entry(key)?;
        USED.fetch_sub(cost(&key, &slot.block), Relaxed);
        if let Some(ends) = slot.ends {
            self.ends.remove(&(ends, key));
        }
        Some(slot)
    }

    /// Takes an entry out when its time is over.
    fn expire(&mut self, key: &str, now: Instant) -> Option<Slot> {
        let is_over = self.entries.get(key).is_some_and(|slot| slot.ends.is_some_and(|ends| ends <= now));
        if is_over { self.take(key) } else { None }
    }

    /// Takes out some of the entries whose time is over.
    fn sweep(&mut self, now: Instant) -> Vec<Slot> {
        let mut swept = Vec::new();
        while swept.len() < SWEPT
            && let Some((_, key)) = self.ends.first().filter(|(ends, _)| *ends <= now).cloned()
        {
            swept.extend(self.take(&key));
        }
        swept
    }
}

impl Memory {
    fn shard(&self, key: &str) -> &Mutex<Shard> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    /// What is under a key.
    pub fn find(&self, key: &str) -> Found {
        let now = Instant::now();
        let mut shard = lock(self.shard(key));
        // Freed behind the lock.
        let over = shard.expire(key, now);
        let found = match shard.entries.get(key) {
            Some(slot) => Found { block: Some(Arc::clone(&slot.block)), version: slot.version },
            None => Found { block: None, version: 0 },
        };
        drop(shard);
        drop(over);
        found
    }

    /// Puts a value under a key: for that time, or, with `instead_of`, in place of the value of that version (0 for none), whose
    /// time it keeps if it has one. All memories together take at most `limit` bytes.
    pub fn put(
        &self,
        key: &str,
        block: Arc<Block>,
        ends: Option<Instant>,
        instead_of: Option<u64>,
        limit: usize,
    ) -> Result<Put, Full> {
        let (now, key): (Instant, Arc<str>) = (Instant::now(), key.into());
        let cost = cost(&key, &block);
        let mut shard = lock(self.shard(&key));
        let swept = shard.sweep(now);
        let over = shard.expire(&key, now);
        let (there, old_cost, old_ends) = match shard.entries.get(&*key) {
            Some(slot) => (slot.version, self::cost(&key, &slot.block), Some(slot.ends)),
            None => (0, 0, None),
        };
        if instead_of.is_some_and(|version| version != there) {
            return Ok(Put::Overtaken);
        }
        let reserved = USED.fetch_update(Relaxed, Relaxed, |used| {
            Some(used - old_cost + cost).filter(|sum| *sum <= limit || cost <= old_cost)
        });
        if reserved.is_err() {
            return Err(Full);
        }
        let ends = if instead_of.is_some() { old_ends.unwrap_or(ends) } else { ends };
        if let Some(Some(old)) = old_ends {
            shard.ends.remove(&(old, Arc::clone(&key)));
        }
        if let Some(ends) = ends {
            shard.ends.insert((ends, Arc::clone(&key)));
        }
        shard.version += 1;
        let slot = Slot { block, version: shard.version, ends };
        let before = match shard.entries.get_mut(&*key) {
            Some(entry) => Some(mem::replace(entry, slot)),
            None => shard.entries.insert(key, slot),
        };
        drop(shard);
        drop((swept, over, before));
        Ok(Put::Done)
    }

    /// Takes away what is under a key; whether there was something.
    pub fn delete(&self, key: &str) -> bool {
        let now = Instant::now();
        let mut shard = lock(self.shard(key));
        let over = shard.expire(key, now);
        let slot = shard.take(key);
        drop(shard);
        drop(over);
        slot.is_some()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        let now = Instant::now();
        let count = |shard: &Mutex<Shard>| {
            let mut shard = lock(shard);
            let swept = shard.sweep(now);
            let over = shard.ends.iter().take_while(|(ends, _)| *ends <= now).count();
            let count = shard.entries.len() - over;
            drop(shard);
            drop(swept);
            count
        };
        self.shards.iter().map(count).sum()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for shard in &mut self.shards {
            let shard = shard.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
            let cost: usize = shard.entries.iter().map(|(key, slot)| cost(key, &slot.block)).sum();
            USED.fetch_sub(cost, Relaxed);
        }
    }
}

impl Memory {
    /// The keys that begin with `prefix`, sorted. Of what is put and taken away meanwhile it sees some.
    pub fn keys(&self, prefix: &str) -> Vec<Box<str>> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            let mut behind = None;
            while let Some(last) = walk(&lock(shard), prefix, behind.as_deref(), &mut keys) {
                behind = Some(last);
            }
        }
        keys.sort_unstable();
        keys
    }
}

/// Adds keys of a shard behind the last one that was seen; gives the last one when there may be more.
fn walk(shard: &Shard, prefix: &str, behind: Option<&str>, keys: &mut Vec<Box<str>>) -> Option<Arc<str>> {
    let now = Instant::now();
    let from = behind.map_or(Bound::Included(prefix), Bound::Excluded);
    let range = shard.entries.range::<str, _>((from, Bound::Unbounded));
    let mut seen = 0;
    for (key, slot) in range.take_while(|(key, _)| key.starts_with(prefix)) {
        if slot.ends.is_none_or(|ends| ends > now) {
            keys.push((&**key).into());
        }
        seen += 1;
        if seen == WALKED {
            return Some(Arc::clone(key));
        }
    }
    None
}
