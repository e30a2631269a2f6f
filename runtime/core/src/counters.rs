//! What is alive in the process, per worker and in sum.
//!
//! In: additions by the owning thread. Out: [`dump`], one line of JSON, from any thread.
//! Invariant: a cell is written by its worker's thread only, so an addition is a plain load and store.

use crate::fan;
use crate::sharing;
use crate::stop_clock;
use crate::store::memory_used;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// A count that one thread changes and others read.
#[derive(Debug, Default)]
pub struct Cell(AtomicI64);

impl Cell {
    /// Adds to it. Called by the owning thread only.
    #[inline(always)]
    pub fn add(&self, change: i64) {
        self.0.store(self.0.load(Relaxed) + change, Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counts of one worker.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: Cell,)*
        }

        const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl Counters {
            const fn new() -> Self {
                Self { $($name: Cell(AtomicI64::new(0)),)* }
            }

            fn values(&self) -> impl Iterator<Item = i64> {
                [$(self.$name.get()),*].into_iter()
            }
        }
    };
}

counters! {
    /// Scopes: requests and running programs.
    scopes,
    /// Started fibers that have not ended.
    fibers,
    /// Mapped fiber stacks.
    stacks,
    /// Heap chunks in use.
    chunks,
    /// Heap objects, as of each scope's last return from compiled code.
    objects,
    /// Entries of resource tables.
    resources,
    /// Responses whose body is being pulled.
    streams,
    /// Upstream requests.
    upstreams,
    /// Idle connections to upstreams.
    pooled,
    /// Armed timers.
    timers,
    /// `background` blocks.
    background,
    /// Child processes that are not reaped.
    children,
    /// Files whose ends are followed.
    tails,
    /// Tasks that have not ended.
    tasks,
    /// Channels.
    channels,
    /// Scopes whose request is over, and whose deferred blocks still run.
    endings,
}

/// A count that any thread changes, rarely.
#[derive(Debug)]
pub struct SharedCell(AtomicI64);

impl SharedCell {
    /// Adds to it.
    pub fn add(&self, change: i64) {
        self.0.fetch_add(change, Relaxed);
    }
}

/// Versions of scripts in memory.
pub static MODULES: SharedCell = SharedCell(AtomicI64::new(0));
/// Bytes of their machine code.
pub static CODE: SharedCell = SharedCell(AtomicI64::new(0));
/// What becomes of the counts of a heap that was frozen: they are its version's then.
pub(crate) static FROZEN: Counters = Counters::new();

static ALL: Mutex<Vec<&'static Counters>> = Mutex::new(Vec::new());
static UNUSED: Mutex<Vec<&'static Counters>> = Mutex::new(Vec::new());

/// Counts for a new worker; those of an ended one go on.
pub(crate) fn register() -> &'static Counters {
    if let Some(counters) = UNUSED.lock().unwrap_or_else(|e| e.into_inner()).pop() {
        return counters;
    }
    let counters: &'static Counters = Box::leak(Box::default());
    ALL.lock().unwrap_or_else(|e| e.into_inner()).push(counters);
    counters
}

/// Lets another worker go on with these counts.
pub(crate) fn retire(counters: &'static Counters) {
    UNUSED.lock().unwrap_or_else(|e| e.into_inner()).push(counters);
}

/// The sums over all workers, whether the stop clock ticks, and `more` counts as one line of JSON, without a line end.
pub fn dump(more: &[(&str, usize)]) -> String {
    let mut sums = vec![0; NAMES.len()];
    for counters in ALL.lock().unwrap_or_else(|e| e.into_inner()).iter() {
        for (sum, value) in sums.iter_mut().zip(counters.values()) {
            *sum += value;
        }
    }
    let mut line = String::from("{");
    for (at, (name, sum)) in NAMES.iter().zip(sums).enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(line, "{comma}\"{name}\":{sum}");
    }
    let _ = write!(line, ",\"clock\":{}", u8::from(stop_clock::ticks()));
    for (name, cell) in [("modules", &MODULES), ("code", &CODE)] {
        let _ = write!(line, ",\"{name}\":{}", cell.0.load(Relaxed));
    }
    let shared = [
        ("store_bytes", memory_used()),
        ("subscribers", fan::subscribers()),
        ("queued", fan::queued()),
        ("shares", sharing::running()),
    ];
    for (name, count) in shared.iter().chain(more) {
        let _ = write!(line, ",\"{name}\":{count}");
    }
    line.push('}');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_names_every_count_once() {
        let line = dump(&[("sockets", 3)]);
        assert!(line.starts_with("{\"scopes\":") && line.ends_with('}'), "{line}");
        for name in NAMES {
            assert_eq!(line.matches(&format!("\"{name}\":")).count(), 1, "{line}");
        }
    }
}
