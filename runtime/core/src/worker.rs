//! What the scopes of one thread share: the context of compiled code, memory, stacks, counts, the turn.
//!
//! A *turn* is what a worker does for one scope between two looks at its sockets: one poll of a request, or of a body for a
//! batch of items. The stop clock cuts long ones short.
//! Invariant: a worker stays on its thread; other threads see only a [`StopHandle`], the turn's number and the counters.

use crate::client::Client;
use crate::counters::{self, Counters};
use crate::heap::Pages;
use crate::stack::Stacks;
use crate::stop_clock;
use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::*, fence};
use weir_abi::context::Ctx;

/// The turn is to end: set by the clock, cleared by the worker when the next one begins.
const STOP: u32 = 1;
/// The clock is parked: set and cleared by the clock.
const PARKED: u32 = 2;

/// The context with what other threads may touch. Leaked, so that a [`StopHandle`] is valid for ever; workers are few.
pub(crate) struct Shared {
    ctx: UnsafeCell<Ctx>,
    /// [`STOP`] and [`PARKED`]. Separate from the limit, which each switch of fibers rewrites.
    flags: AtomicU32,
    /// The number of the turn, doubled, and 1 while it lasts. Written by the worker only.
    turn: AtomicU64,
}

// SAFETY: other threads use the atomics only, of `ctx` the limit.
unsafe impl Sync for Shared {}

/// A worker's turn as another thread sees it.
pub(crate) struct SeenTurn {
    /// Each turn has a number of its own.
    pub number: u64,
    /// It lasts.
    pub is_open: bool,
}

impl Shared {
    fn limit(&self) -> &AtomicUsize {
        // SAFETY: `limit` is atomic; a shared reference to it alone does not touch what the worker writes.
        unsafe { &(*self.ctx.get()).limit }
    }

    pub(crate) fn turn(&self) -> SeenTurn {
        let turn = self.turn.load(Acquire);
        SeenTurn { number: turn >> 1, is_open: turn & 1 != 0 }
    }

    /// Whether no turn has begun since that one, which is over, as far as the worker let compiled code run.
    pub(crate) fn is_idle(&self, number: u64) -> bool {
        // Reading the cell that the worker writes before it reads the flags: see `set_limit`.
        self.limit().load(SeqCst);
        let turn = self.turn();
        !turn.is_open && turn.number == number
    }

    pub(crate) fn set_clock_parked(&self) {
        self.flags.fetch_or(PARKED, SeqCst);
    }

    pub(crate) fn clear_clock_parked(&self) {
        self.flags.fetch_and(!PARKED, SeqCst);
    }

    pub(crate) fn request_stop(&self) {
        self.flags.fetch_or(STOP, SeqCst);
        self.limit().store(usize::MAX, SeqCst);
    }
}

/// One thread's share of the runtime.
pub struct Worker {
    shared: &'static Shared,
    /// The number of the last turn that began.
    turns: Cell<u64>,
    /// Memory of heaps.
    pub pages: Rc<Pages>,
    /// Stacks of fibers.
    pub stacks: Stacks,
    /// Its connections to upstreams.
    pub client: Client,
    /// What is alive here.
    pub counters: &'static Counters,
}

/// A turn, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn(u64);

thread_local! {
    static WORKER: Rc<Worker> = Rc::new(Worker::new());
}

impl Worker {
    /// This thread's worker.
    pub fn current() -> Rc<Self> {
        WORKER.with(Rc::clone)
    }

    /// A worker of its own.
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
        let (flags, turn) = (AtomicU32::new(0), AtomicU64::new(0));
        let shared: &'static Shared = Box::leak(Box::new(Shared { ctx: UnsafeCell::new(ctx), flags, turn }));
        stop_clock::register(shared);
        let (pages, stacks, client) = (Rc::default(), Stacks::new(counters), Client::new(counters));
        Self { shared, turns: Cell::new(0), pages, stacks, client, counters }
    }

    /// The context that compiled code of this worker runs with.
    #[inline(always)]
    pub fn ctx(&self) -> *mut Ctx {
        self.shared.ctx.get()
    }

    /// Sets what a native gives besides its result, which compiled code takes when it goes on.
    pub fn set_second(&self, word: u64) {
        // SAFETY: compiled code of this worker alone uses that field, and none runs while Rust does.
        unsafe { (*self.ctx()).second = word };
    }

    /// What another thread needs to ask for a stop.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.shared)
    }

    /// Begins a turn. A stop that the one before did not take is none of its own.
    #[inline]
    pub(crate) fn begin_turn(&self) -> Turn {
        let turn = Turn(self.turns.get() + 1);
        self.turns.set(turn.0);
        self.resume_turn(turn);
        if self.shared.flags.load(Relaxed) != 0 {
            self.attend(!STOP);
        }
        turn
    }

    /// As [`Worker::begin_turn`], for a turn that may let no compiled code run: the clock sees it in any case.
    #[inline]
    pub(crate) fn begin_seen_turn(&self) -> Turn {
        let turn = self.begin_turn();
        fence(SeqCst);
        if self.shared.flags.load(Relaxed) != 0 {
            self.attend(!0);
        }
        turn
    }

    /// Goes on with a turn that was ended although there was more to do.
    #[inline]
    pub(crate) fn resume_turn(&self, turn: Turn) {
        self.shared.turn.store(turn.0 << 1 | 1, Release);
    }

    /// Whether no turn has begun since that one.
    #[inline]
    pub(crate) fn is_last_turn(&self, turn: Turn) -> bool {
        self.turns.get() == turn.0
    }

    /// Ends the turn.
    #[inline]
    pub(crate) fn end_turn(&self) {
        let turn = self.shared.turn.load(Relaxed);
        self.shared.turn.store(turn & !1, Release);
    }

    /// Whether a turn lasts.
    pub(crate) fn is_in_turn(&self) -> bool {
        self.shared.turn.load(Relaxed) & 1 != 0
    }

    /// Whether the turn is to end. Stays so until the next begins.
    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.flags.load(Relaxed) & STOP != 0
    }

    /// Forgets a stop that was asked for outside of any turn.
    pub(crate) fn clear_stop(&self) {
        self.shared.flags.fetch_and(!STOP, Acquire);
    }

    /// Keeps of the flags what is in `kept`, and wakes the clock when it is parked.
    #[cold]
    fn attend(&self, kept: u32) {
        if self.shared.flags.fetch_and(kept, AcqRel) & PARKED != 0 {
            stop_clock::wake();
        }
    }

    /// Sets the limit of compiled code, unless a stop is pending.
    #[inline]
    pub fn set_limit(&self, limit: usize) {
        let cell = self.shared.limit();
        cell.store(if cfg!(feature = "stress") { usize::MAX } else { limit }, SeqCst);
        // Written first, read then, as a clock that parks or asks for a stop does: one of both sees the other.
        let flags = self.shared.flags.load(SeqCst);
        if flags != 0 {
            self.poison(flags);
        }
    }

    /// Lets compiled code come to a stop at its next check.
    #[cold]
    pub(crate) fn check_soon(&self) {
        self.shared.limit().store(usize::MAX, Relaxed);
    }

    #[cold]
    fn poison(&self, flags: u32) {
        if flags & STOP != 0 {
            self.shared.limit().store(usize::MAX, Relaxed);
        }
        if flags & PARKED != 0 {
            stop_clock::wake();
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
        stop_clock::retire(self.shared);
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

// SAFETY: it gives access to atomics only.
unsafe impl Send for StopHandle {}

impl StopHandle {
    /// Asks for the end of the turn: poisons the worker's limit.
    pub fn request_stop(self) {
        self.0.request_stop();
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StopHandle")
    }
}
