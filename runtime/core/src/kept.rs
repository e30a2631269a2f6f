//! What a session keeps from entry to entry: packed values by number.
//!
//! In: values of an entry that runs. Out: the same values in the heap of another. Invariant: one session per process; a number
//! is used once, so that an entry which fails overwrites nothing.

use crate::carry::{Block, Kind};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

static KEPT: Mutex<BTreeMap<i64, (Kind, Arc<Block>)>> = Mutex::new(BTreeMap::new());

fn all() -> MutexGuard<'static, BTreeMap<i64, (Kind, Arc<Block>)>> {
    KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Keeps a value of that type.
pub(crate) fn keep(slot: i64, kind: Kind, block: Arc<Block>) {
    all().insert(slot, (kind, block));
}

/// The value under a number.
pub(crate) fn kept(slot: i64) -> Option<(Kind, Arc<Block>)> {
    all().get(&slot).cloned()
}

/// Forgets all values but those under these numbers.
pub fn keep_only(slots: impl IntoIterator<Item = usize>) {
    let mut kept = all();
    let old = std::mem::take(&mut *kept);
    let slots: Vec<i64> = slots.into_iter().map(|slot| slot as i64).collect();
    kept.extend(old.into_iter().filter(|(slot, _)| slots.contains(slot)));
}
