//! What the connections of one worker share: limits, buffers, the clock's Date line, the wish to stop.
//!
//! Invariant: everything here stays on its worker's thread; only `counters` is shared with others.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::buffers::Pool;
use crate::counters::Counters;
use crate::limits::Limits;
use crate::proto::date::DateLine;

/// How far a server is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It serves.
    Serving,
    /// No new connections and requests; what runs may end.
    Draining,
    /// Everything ends now.
    Cut,
}

/// The shared state of one worker.
pub struct Core {
    /// The server's limits.
    pub limits: Limits,
    /// Spare buffers.
    pub pool: Pool,
    /// The server's counters.
    pub counters: Arc<Counters>,
    /// This worker's number.
    pub index: usize,
    phase: Cell<Phase>,
    date: RefCell<DateLine>,
    next_id: Cell<u64>,
    roster: RefCell<Roster>,
    /// Told whenever the last open connection closes.
    empty: Notify,
}

/// The wakers of all open connections.
#[derive(Default)]
struct Roster {
    /// `None` for a free place, and for a connection whose task has not run yet.
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Core {
    /// Shared state for worker `index`. Needs a tokio runtime.
    pub fn new(limits: Limits, counters: Arc<Counters>, index: usize) -> Self {
        Core {
            limits,
            pool: Pool::default(),
            counters,
            index,
            phase: Cell::new(Phase::Serving),
            date: RefCell::new(DateLine::new(Instant::now())),
            // Room for 2^48 requests per worker.
            next_id: Cell::new((index as u64) << 48),
            roster: RefCell::default(),
            empty: Notify::new(),
        }
    }

    /// The phase.
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Moves on to `phase` and tells every connection.
    pub fn enter(&self, phase: Phase) {
        if phase > self.phase.get() {
            self.phase.set(phase);
            for waker in self.roster.borrow().wakers.iter().flatten() {
                waker.wake_by_ref();
            }
        }
    }

    /// A new request id.
    pub fn next_id(&self) -> u64 {
        self.next_id.set(self.next_id.get() + 1);
        self.next_id.get()
    }

    /// Runs `with` on the Date line of `now`.
    pub fn with_date<R>(
        &self,
        now: Instant,
        with: impl FnOnce(&[u8; crate::proto::date::DATE_LINE]) -> R,
    ) -> R {
        with(self.date.borrow_mut().at(now))
    }

    /// Enters a connection into the roster, before its task runs.
    pub fn enrol(self: &Rc<Self>) -> Enrolment {
        let mut roster = self.roster.borrow_mut();
        let place = roster.free.pop().unwrap_or_else(|| {
            roster.wakers.push(None);
            roster.wakers.len() - 1
        });
        Enrolment { core: Rc::clone(self), place }
    }

    /// Waits until no connection is open.
    pub async fn emptied(&self) {
        while !self.roster.borrow().is_empty() {
            self.empty.notified().await;
        }
    }
}

impl Roster {
    fn is_empty(&self) -> bool {
        self.free.len() == self.wakers.len()
    }
}

/// A connection's entry in the roster of its worker.
pub struct Enrolment {
    core: Rc<Core>,
    place: usize,
}

impl Enrolment {
    /// Names the task to wake when the phase changes.
    pub fn attach(&self, waker: Waker) {
        self.core.roster.borrow_mut().wakers[self.place] = Some(waker);
    }
}

impl Drop for Enrolment {
    fn drop(&mut self) {
        let mut roster = self.core.roster.borrow_mut();
        roster.wakers[self.place] = None;
        roster.free.push(self.place);
        if roster.is_empty() {
            self.core.empty.notify_one();
        }
    }
}
