//! Work of a thread that outlives the scope in which it began: children that are being ended, background work.
//!
//! In: [`Afterwork::begin`] by whoever goes on. Out: [`finished`], for the end of a worker or a program, which waits for it.
//! Invariant: the work is that of one thread; a piece of it counts until its guard is dropped.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{Poll, Waker};

thread_local! {
    static PIECES: Cell<usize> = const { Cell::new(0) };
    /// Who waits for the end.
    static WAITERS: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// A piece of work that goes on.
#[derive(Debug)]
pub struct Afterwork(PhantomData<()>);

impl Afterwork {
    /// It begins.
    pub fn begin() -> Self {
        PIECES.set(PIECES.get() + 1);
        Self(PhantomData)
    }
}

impl Drop for Afterwork {
    fn drop(&mut self) {
        // A runtime that goes with its thread may drop its tasks after the thread's variables.
        let left = PIECES.try_with(|pieces| {
            pieces.set(pieces.get().saturating_sub(1));
            pieces.get()
        });
        if left == Ok(0) {
            let _ = WAITERS.try_with(|waiters| waiters.take().into_iter().for_each(Waker::wake));
        }
    }
}

/// Waits until nothing of this thread goes on.
pub async fn finished() {
    poll_fn(|cx| {
        if PIECES.get() == 0 {
            return Poll::Ready(());
        }
        WAITERS.with_borrow_mut(|waiters| waiters.push(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}
