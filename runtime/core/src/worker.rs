//! What the scopes of one thread share: the context of compiled code, memory, stacks, counts.
//!
//! Invariant: a worker stays on its thread; other threads see only a [`StopHandle`] and the counters.

use crate::counters::{self, Counters};
use crate::heap::Pages;
use crate::stack::Stacks;
use std::cell::UnsafeCell;
use std::fmt;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use weir_abi::context::Ctx;

/// The context with what other threads may touch. Leaked, so that a [`StopHandle`] is valid for ever; workers are few.
struct Shared {
    ctx: UnsafeCell<Ctx>,
    /// A stop was requested and not yet taken. Separate from the limit, which each switch of fibers rewrites.
    stop: AtomicBool,
}

/// One thread's share of the runtime.
pub struct Worker {
    shared: &'static Shared,
    /// Memory of heaps.
    pub pages: Rc<Pages>,
    /// Stacks of fibers.
    pub stacks: Stacks,
    /// What is alive here.
    pub counters: &'static Counters,
}

thread_local! {
    static WORKER: Rc<Worker> = Rc::new(Worker::new());
}

impl Worker {
    /// This thread's worker.
    pub fn current() -> Rc<Self> {
        WORKER.with(Rc::clone)
    }

    /// A worker of its own, for a program whose heap outlives the thread it ran on.
    pub fn new() -> Self {
        let counters = counters::register();
        let ctx = Ctx {
            limit: AtomicUsize::new(0),
            globals: ptr::null_mut(),
            quick: ptr::null_mut(),
            scope: ptr::null_mut(),
            fiber: ptr::null_mut(),
            exit_fp: 0,
            exit_pc: 0,
            exit_sp: 0,
            second: 0,
        };
        let shared = Box::leak(Box::new(Shared { ctx: UnsafeCell::new(ctx), stop: AtomicBool::new(false) }));
        Self { shared, pages: Rc::default(), stacks: Stacks::new(counters), counters }
    }

    /// The context that compiled code of this worker runs with.
    #[inline(always)]
    pub fn ctx(&self) -> *mut Ctx {
        self.shared.ctx.get()
    }

    /// What another thread needs to ask for a stop.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.shared)
    }

    /// Takes a requested stop.
    #[inline]
    pub fn take_stop(&self) -> bool {
        self.shared.stop.load(Relaxed) && self.shared.stop.swap(false, Acquire)
    }

    /// Sets the limit of compiled code, unless a stop is pending.
    #[inline]
    pub fn set_limit(&self, limit: usize) {
        // SAFETY: the context is valid; `limit` is atomic.
        let cell = unsafe { &(*self.ctx()).limit };
        cell.store(if cfg!(feature = "stress") { usize::MAX } else { limit }, SeqCst);
        if self.shared.stop.load(SeqCst) {
            cell.store(usize::MAX, Relaxed);
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        counters::retire(self.counters);
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("counters", &self.counters).finish_non_exhaustive()
    }
}

/// Asks a worker to stop what it runs at the next check. Usable from any thread.
#[derive(Clone, Copy)]
pub struct StopHandle(&'static Shared);

// SAFETY: it gives access to the two atomics only.
unsafe impl Send for StopHandle {}
// SAFETY: as above.
unsafe impl Sync for StopHandle {}

impl StopHandle {
    /// Poisons the worker's limit.
    pub fn request_stop(self) {
        self.0.stop.store(true, SeqCst);
        // SAFETY: `limit` is atomic; a shared reference to it alone does not touch what the worker writes.
        let limit = unsafe { &(*self.0.ctx.get()).limit };
        limit.store(usize::MAX, SeqCst);
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StopHandle")
    }
}
