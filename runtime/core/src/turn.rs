//! Turns of a scope, and the CPU time that it may take without a wait.
//!
//! ```text
//! begin_turn ──▶ runs, sources, operations are polled ──▶ end_turn
//!                   │ at a stop: charge_stop, then Pending with a wake-up behind the reactor
//! ```
//! Whoever polls what belongs to a scope from outside (a request, a body, a program) does so in a turn. When the stop clock ends
//! the turn, [`Worker::is_stopped`](crate::worker::Worker) holds until the next one begins, and everything that is polled in
//! the scope comes to `Pending` by [`yield_turn`]: the reactor is looked at and every other task has its turn first.
//! Invariant: CPU time is measured only for a scope that was stopped: reading the thread's clock is a system call.

use crate::failure::Failure;
use crate::limits::{self, NO_LIMIT};
use crate::scope::Scope;
use crate::trace::Trace;
use rustix::time::{ClockId, clock_gettime};
use std::mem;
use std::pin::pin;
use std::task::{Context, Poll};
use weir_abi::trap::Trap;

/// CPU time of one stretch without a wait.
pub(crate) struct Cpu {
    /// In nanoseconds; [`NO_LIMIT`] for none.
    limit: usize,
    /// Nanoseconds of the stretch up to `since`, without its first turn: that was short, and nobody measured it.
    used: u64,
    /// The thread's CPU time when the turn began or was last charged; `None` unless the stretch was stopped before.
    since: Option<u64>,
    /// The stretch was stopped.
    is_measured: bool,
    /// A stress build cut this turn short.
    is_forced: bool,
    /// How many turns began since it was first stopped.
    turns: u32,
}

/// A stress build, which cuts turns short at every check, measures one turn in so many for all of them: to read the clock twice
/// takes as long as the rest.
const SAMPLED: u32 = 16;

impl Default for Cpu {
    fn default() -> Self {
        Self { limit: NO_LIMIT, used: 0, since: None, is_measured: false, is_forced: false, turns: 0 }
    }
}

impl Cpu {
    /// Sets the limit, in milliseconds.
    pub fn limit_to(&mut self, milliseconds: usize) {
        self.limit = milliseconds.saturating_mul(1_000_000);
    }

    fn within_limit(&self) -> Result<(), Trap> {
        if self.used < self.limit as u64 {
            return Ok(());
        }
        let time = limits::duration(self.limit / 1_000_000);
        Err(Trap::budget(format!("{time} of CPU time without a wait are used up (--cpu-limit)")))
    }

    fn reset(&mut self) {
        (self.used, self.since, self.is_measured) = (0, None, false);
    }
}

impl Scope {
    /// Begins to poll something of the scope.
    #[inline]
    pub(crate) fn begin_turn(&mut self) {
        self.worker().begin_turn();
        self.measure();
    }

    /// Goes on measuring in a turn that has just begun.
    #[inline]
    pub(crate) fn measure(&mut self) {
        if self.cpu.is_measured {
            self.cpu.turns = self.cpu.turns.wrapping_add(1);
            let is_read = !cfg!(feature = "stress") || self.cpu.turns.is_multiple_of(SAMPLED);
            self.cpu.since = is_read.then(thread_time);
        }
    }

    /// Ends the turn. Unless it was stopped the scope waits, or has given what it was polled for: a new stretch begins.
    #[inline]
    pub(crate) fn end_turn(&mut self) {
        self.worker().end_turn();
        let is_forced = mem::take(&mut self.cpu.is_forced);
        if self.cpu.is_measured && !is_forced && !self.worker().is_stopped() {
            self.cpu.reset();
        }
    }

    /// Notes that a stress build ends the turn at a check, which is no wait; the trap if the stretch was too long.
    #[cold]
    pub(crate) fn charge_forced(&mut self) -> Result<(), Trap> {
        self.note_work();
        let cpu = &mut self.cpu;
        (cpu.is_forced, cpu.is_measured) = (true, true);
        let since = cpu.since.take();
        match since {
            Some(since) => {
                let taken = thread_time().saturating_sub(since);
                cpu.used += taken * u64::from(SAMPLED);
                cpu.within_limit()
            }
            None => Ok(()),
        }
    }

    /// A new stretch begins, for something was given.
    #[inline]
    pub(crate) fn end_stretch(&mut self) {
        if self.cpu.is_measured {
            self.cpu.reset();
        }
    }

    /// Counts the CPU time up to a stop; the trap if that was too much.
    #[cold]
    pub(crate) fn charge_stop(&mut self) -> Result<(), Trap> {
        let now = thread_time();
        let cpu = &mut self.cpu;
        cpu.used += cpu.since.map_or(0, |since| now.saturating_sub(since));
        (cpu.since, cpu.is_measured) = (Some(now), true);
        cpu.within_limit()
    }

    /// Counts the CPU time of a turn that came to a stop outside compiled code, which counts its own; the failure if that was too
    /// much.
    #[inline]
    pub(crate) fn charge_turn(&mut self) -> Result<(), Failure> {
        match self.worker().is_stopped() {
            true => self.charge_stop().map_err(|trap| Failure::of_trap(&trap, Trace::default())),
            false => Ok(()),
        }
    }

    /// Ready unless the turn is to end: then `Pending`, to be polled again in a turn of its own. For loops of the runtime.
    #[inline]
    pub(crate) fn poll_turn(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.worker().is_stopped() { yield_turn(cx) } else { Poll::Ready(()) }
    }
}

/// Asks to be polled again after the reactor was looked at and every task that is ready had its turn.
#[cold]
pub(crate) fn yield_turn<T>(cx: &mut Context<'_>) -> Poll<T> {
    // That is what the first poll of tokio's own yield asks for.
    let _asked: Poll<()> = pin!(tokio::task::yield_now()).poll(cx);
    Poll::Pending
}

/// CPU time of this thread in nanoseconds.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
