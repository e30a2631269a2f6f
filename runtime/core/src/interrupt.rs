//! The wish that a running program ends, from any thread, such as the one that attends to signals.
//!
//! Invariant: once wished, always wished, for a process runs one program; but a session forgets it between its entries.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

static IS_WISHED: AtomicBool = AtomicBool::new(false);
static WAKER: Mutex<Option<Waker>> = Mutex::new(None);

/// Ends the program that [`App::perform`](crate::App::perform) runs as a server ends a request whose client went: what it waits for is
/// closed, and what it put off is done.
pub fn interrupt() {
    IS_WISHED.store(true, SeqCst);
    if let Some(waker) = WAKER.lock().unwrap_or_else(PoisonError::into_inner).take() {
        waker.wake();
    }
}

/// Takes back what was wished before the next program runs.
pub fn forget_interrupt() {
    IS_WISHED.store(false, SeqCst);
}

/// Ready when that is wished. One task asks at a time.
pub(crate) fn poll_wished(cx: &mut Context<'_>) -> Poll<()> {
    if !IS_WISHED.load(SeqCst) {
        *WAKER.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
    }
    if IS_WISHED.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
}
