//! The stop clock: one thread of the process that ends turns which take too long.
//!
//! ```text
//! ticks ──▶ looks at each worker's turn ──▶ the same turn as at the last tick: asks it to stop
//!   ▲           └── nobody took a turn for a while: tells the workers, and parks
//!   └────────── a worker that runs compiled code while the clock is parked wakes it
//! ```
//! In: what each worker says about its turn. Out: requests to stop.
//! Invariants: a turn longer than two ticks is asked to stop; an idle process makes no wake-ups; to take a turn costs a
//! worker a plain store, and the look at its flags that it takes anyway whenever it lets compiled code run.
//! Not here: what a stop does (`turn`, `fiber`, `run`).

use crate::worker::Shared;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How long a turn may be before others get theirs: this to twice this. A request that waits behind a busy one waits
/// about so long; to change turns costs some microseconds.
const TICK: Duration = Duration::from_micros(500);
/// After so many ticks without a turn the clock parks. Waking it costs a system call or two; ticking, some two percent of a core.
const IDLE_TICKS: u32 = 100;

static CLOCK: Clock = Clock {
    state: Mutex::new(State { workers: Vec::new(), runs: Thread::None, woken: false }),
    wake: Condvar::new(),
};

struct Clock {
    state: Mutex<State>,
    /// Told when it is to go on.
    wake: Condvar,
}

struct State {
    workers: Vec<Seen>,
    runs: Thread,
    /// A worker wants it to go on.
    woken: bool,
}

/// What the clock's thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thread {
    /// There is none yet.
    None,
    Ticks,
    Parked,
    /// The system gave none: turns are not cut short.
    Refused,
}

/// A worker, and its turn at the last tick.
struct Seen {
    worker: &'static Shared,
    turn: u64,
}

/// Looks after a worker from now on.
pub(crate) fn register(worker: &'static Shared) {
    let mut state = lock();
    if matches!(state.runs, Thread::None | Thread::Parked) {
        worker.set_clock_parked();
    }
    state.workers.push(Seen { worker, turn: 0 });
}

/// Leaves a worker alone.
pub(crate) fn retire(worker: &'static Shared) {
    lock().workers.retain(|seen| !std::ptr::eq(seen.worker, worker));
}

/// Lets the clock go on. Called by a worker that found it parked.
#[cold]
pub(crate) fn wake() {
    let mut state = lock();
    state.workers.iter().for_each(|seen| seen.worker.clear_clock_parked());
    match state.runs {
        Thread::None => {
            let started =
                thread::Builder::new().name("stop-clock".to_owned()).stack_size(64 * 1024).spawn(run);
            state.runs = if started.is_ok() { Thread::Ticks } else { Thread::Refused };
        }
        Thread::Parked => {
            state.woken = true;
            CLOCK.wake.notify_one();
        }
        Thread::Ticks | Thread::Refused => {}
    }
}

/// Whether the clock is awake.
pub(crate) fn ticks() -> bool {
    lock().runs == Thread::Ticks
}

fn lock() -> MutexGuard<'static, State> {
    CLOCK.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn run() {
    let mut idle = 0;
    loop {
        thread::sleep(TICK);
        let mut state = lock();
        if state.tick() {
            idle = 0;
            continue;
        }
        idle += 1;
        if idle >= IDLE_TICKS && state.may_park() {
            state.runs = Thread::Parked;
            while !state.woken {
                state = CLOCK.wake.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
            }
            (state.woken, state.runs, idle) = (false, Thread::Ticks, 0);
        }
    }
}

impl State {
    /// Looks at every worker; whether any had a turn since the last look.
    fn tick(&mut self) -> bool {
        let mut any = false;
        for seen in &mut self.workers {
            let turn = seen.worker.turn();
            if turn.is_open && turn.number == seen.turn {
                seen.worker.request_stop();
            }
            any |= turn.is_open || turn.number != seen.turn;
            seen.turn = turn.number;
        }
        any
    }

    /// Tells the workers that nobody looks; whether none of them began a turn meanwhile.
    fn may_park(&mut self) -> bool {
        self.workers.iter().for_each(|seen| seen.worker.set_clock_parked());
        // A worker that let compiled code run before it could see the flag is seen here, for both sides write first and
        // read then, in one order for all.
        let idle = self.workers.iter().all(|seen| seen.worker.is_idle(seen.turn));
        if !idle {
            self.workers.iter().for_each(|seen| seen.worker.clear_clock_parked());
        }
        idle
    }
}
