//! A subscriber's queue: what was published and not yet read.
//!
//! ```text
//! Open ──full, Disconnect──▶ Slow          Open ──the source's end──▶ Over(why)
//!   └──the subscriber goes──▶ Gone
//! ```
//! In: blocks, from any thread. Out: the same blocks in order, to one reader.
//! Invariants: at most `capacity` blocks of at most `most_bytes` together wait (one alone may be larger). A queue that is not
//! open takes nothing more and forgets what it is given; what waits in it is still read. Wakers are called without the lock.

use crate::carry::Block;
use crate::failure::Failure;
use crate::names::lock;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// How many blocks wait in all queues of the process.
static QUEUED: AtomicUsize = AtomicUsize::new(0);

/// How many items wait in all queues.
pub fn queued() -> usize {
    QUEUED.load(Relaxed)
}

/// What happens to a subscriber whose queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Whoever publishes waits for it a while.
    Block,
    /// It loses the oldest item.
    DropOldest,
    /// Its stream fails.
    Disconnect,
}

/// How a queue stands.
#[derive(Clone, Debug)]
enum State {
    Open,
    /// It was full for too long.
    Slow,
    /// Nothing comes any more: the end, or a failure.
    Over(Option<Failure>),
    /// Nobody reads it any more.
    Gone,
}

#[derive(Debug)]
struct Inner {
    items: VecDeque<Arc<Block>>,
    bytes: usize,
    state: State,
    reader: Option<Waker>,
    /// Those who wait for room.
    writers: Vec<Waker>,
}

/// A queue.
#[derive(Debug)]
pub struct Queue {
    policy: Policy,
    capacity: usize,
    most_bytes: usize,
    inner: Mutex<Inner>,
}

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for the reader.
    Taken,
    /// There is no room, and whoever publishes is to wait.
    Full,
    /// The queue takes nothing any more.
    Closed,
}

impl Queue {
    /// An empty queue.
    pub fn new(policy: Policy, capacity: usize, most_bytes: usize) -> Self {
        let inner =
            Inner { items: VecDeque::new(), bytes: 0, state: State::Open, reader: None, writers: Vec::new() };
        Self { policy, capacity, most_bytes, inner: Mutex::new(inner) }
    }

    /// Puts a block behind the others, as the policy says; when it is to wait, `waker` is called once there may be room.
    pub fn push(&self, block: &Arc<Block>, waker: Option<&Waker>) -> Pushed {
        let mut lost = Vec::new();
        let mut inner = lock(&self.inner);
        if !matches!(inner.state, State::Open) {
            return Pushed::Closed;
        }
        while !inner.items.is_empty()
            && (inner.items.len() >= self.capacity || inner.bytes + block.size() > self.most_bytes)
        {
            match self.policy {
                Policy::DropOldest => lost.extend(inner.pop()),
                Policy::Disconnect => {
                    inner.state = State::Slow;
                    let reader = inner.reader.take();
                    drop(inner);
                    wake(reader);
                    return Pushed::Closed;
                }
                Policy::Block => {
                    if let Some(waker) = waker
                        && !inner.writers.iter().any(|known| known.will_wake(waker))
                    {
                        inner.writers.push(waker.clone());
                    }
                    return Pushed::Full;
                }
            }
        }
        inner.bytes += block.size();
        inner.items.push_back(Arc::clone(block));
        QUEUED.fetch_add(1, Relaxed);
        let reader = inner.reader.take();
        // Blocks are freed, and wakers called, behind the lock.
        drop(inner);
        wake(reader);
        drop(lost);
        Pushed::Taken
    }

    /// The next block; `None` behind the last one, a failure when the source failed or the reader was too slow.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<Option<Result<Arc<Block>, Failure>>> {
        let mut inner = lock(&self.inner);
        if let Some(block) = inner.pop() {
            let writers = std::mem::take(&mut inner.writers);
            drop(inner);
            wake(writers);
            return Poll::Ready(Some(Ok(block)));
        }
        match &inner.state {
            State::Open => {
                let known = inner.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker()));
                if !known {
                    inner.reader = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            State::Slow => Poll::Ready(Some(Err(self.too_slow()))),
            State::Over(failure) => Poll::Ready(failure.clone().map(Err)),
            State::Gone => Poll::Ready(None),
        }
    }

    fn too_slow(&self) -> Failure {
        let message = format!("this subscriber was too slow: {} items waited for it", self.capacity);
        Failure::of_kind("limit", message)
    }

    /// Takes the next block when it is there.
    pub fn take(&self) -> Option<Arc<Block>> {
        let mut inner = lock(&self.inner);
        let block = inner.pop()?;
        let writers = std::mem::take(&mut inner.writers);
        drop(inner);
        wake(writers);
        Some(block)
    }

    /// Gives a reader up that whoever publishes has waited for long enough.
    pub fn give_up(&self) {
        self.leave(State::Slow);
    }

    /// Nothing comes any more: the end, or a failure.
    pub fn end(&self, failure: Option<Failure>) {
        self.leave(State::Over(failure));
    }

    fn leave(&self, state: State) {
        let mut inner = lock(&self.inner);
        if !matches!(inner.state, State::Open) {
            return;
        }
        inner.state = state;
        let (reader, writers) = (inner.reader.take(), std::mem::take(&mut inner.writers));
        drop(inner);
        wake(reader.into_iter().chain(writers));
    }

    /// Nobody reads it any more.
    pub fn close(&self) {
        let mut inner = lock(&self.inner);
        inner.state = State::Gone;
        let (items, writers) = (std::mem::take(&mut inner.items), std::mem::take(&mut inner.writers));
        (inner.bytes, inner.reader) = (0, None);
        QUEUED.fetch_sub(items.len(), Relaxed);
        drop(inner);
        wake(writers);
    }
}

impl Inner {
    fn pop(&mut self) -> Option<Arc<Block>> {
        let block = self.items.pop_front()?;
        self.bytes -= block.size();
        QUEUED.fetch_sub(1, Relaxed);
        Some(block)
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
