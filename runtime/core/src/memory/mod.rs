//! Memory of the process that nobody uses at the moment: kept for who wants some soon, then given back to the system.
//!
//! ```text
//! large blocks, pages ──freed──▶ idle ──wanted──▶ in use, without a fault for each of its pages
//!                                  └──nobody wanted it for a period──▶ the thread gives it back
//! ```
//! In: what heaps free. Out: what was freed before, or fresh memory.
//! Invariants: to free takes a worker no time that grows with the size, for the system takes some ten milliseconds for a hundred
//! megabytes; that is the thread's business. What is idle was in use at one time; what is more than some hundred megabytes goes back
//! at once. The thread sleeps while there is nothing idle.
//! Not here: what pages are cut into (`heap`), stacks (`stack`).

pub mod blocks;
pub mod spare;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::Duration;

/// What nobody wanted for one to two of these goes back. Requests of one kind that follow each other find what the last one left.
const PERIOD: Duration = Duration::from_millis(50);

/// The thread knows that it has to look. It forgets that before each look, so what is idle is seen by it or told.
static IS_TOLD: AtomicBool = AtomicBool::new(false);

/// None when the system gave none: what is idle stays so.
static THREAD: OnceLock<Option<Thread>> = OnceLock::new();

/// Lets the thread know that something has become idle. Not for who holds a lock of [`blocks`] or [`spare`].
#[inline]
fn tell() {
    if !IS_TOLD.load(SeqCst) {
        wake();
    }
}

#[cold]
fn wake() {
    IS_TOLD.store(true, SeqCst);
    let thread = THREAD.get_or_init(|| {
        let begun = thread::Builder::new().name("memory".to_owned()).stack_size(64 * 1024).spawn(run);
        begun.ok().map(|handle| handle.thread().clone())
    });
    if let Some(thread) = thread {
        thread.unpark();
    }
}

fn run() {
    loop {
        while !IS_TOLD.load(SeqCst) {
            thread::park();
        }
        if !blocks::is_crowded() && !spare::is_crowded() {
            thread::sleep(PERIOD);
        }
        IS_TOLD.store(false, SeqCst);
        let (blocks, pages) = (blocks::tidy(), spare::tidy());
        if blocks || pages {
            IS_TOLD.store(true, SeqCst);
        }
    }
}
