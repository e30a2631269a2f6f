//! Fans: one block to many subscribers, on any worker, each with a queue and a policy of its own.
//!
//! ```text
//! publish ──Block──▶ Fan ──▶ Queue ──▶ Subscription (a stream in some scope)
//!                        ──▶ Queue ──▶ ...
//! ```
//! In: blocks. Out: the same blocks to each subscriber, in the order in which one publisher published them. A block is made once
//! and shared.
//! Invariants: no subscriber holds up another one: whoever publishes gives every queue that has room its block first, and waits
//! for the full ones that ask for it together, for [`PATIENCE`] at most; those that are still full then are given up, and
//! nobody waits for them again. A subscription that is dropped is gone at once.

mod queue;

pub use queue::{Policy, queued};

use crate::carry::Block;
use crate::failure::Failure;
use crate::names::lock;
use queue::{Pushed, Queue};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// How long whoever publishes waits for subscribers with the policy `Block`.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// How many subscribers are given a block before others have their turn.
const AT_ONCE: usize = 256;

/// How many subscriptions there are in the process.
static SUBSCRIBERS: AtomicUsize = AtomicUsize::new(0);

/// How many subscriptions there are.
pub fn subscribers() -> usize {
    SUBSCRIBERS.load(Relaxed)
}

#[derive(Debug, Default)]
struct Queues {
    by_number: BTreeMap<u64, Arc<Queue>>,
    next: u64,
    /// Called when the last subscriber has gone.
    idle: Option<Waker>,
}

/// A fan.
#[derive(Debug, Default)]
pub struct Fan {
    queues: Mutex<Queues>,
}

impl Fan {
    /// A new subscriber, which is given what is published from now on.
    pub fn subscribe(self: &Arc<Self>, policy: Policy, capacity: usize, most_bytes: usize) -> Subscription {
        let queue = Arc::new(Queue::new(policy, capacity, most_bytes));
        let mut queues = lock(&self.queues);
        let number = queues.next;
        queues.next += 1;
        queues.by_number.insert(number, Arc::clone(&queue));
        SUBSCRIBERS.fetch_add(1, Relaxed);
        Subscription { fan: Arc::clone(self), number, queue }
    }

    /// How many subscribers there are.
    pub fn len(&self) -> usize {
        lock(&self.queues).by_number.len()
    }

    /// Publishes a block to those who are subscribers when it is their turn.
    pub fn publish(self: &Arc<Self>, block: Arc<Block>) -> Publishing {
        Publishing { fan: Arc::clone(self), block, next: Some(0), full: Vec::new(), patience: None }
    }

    /// Tells all subscribers that nothing more comes. Those who come later are not told.
    pub fn end(&self, failure: Option<&Failure>) {
        let queues = std::mem::take(&mut lock(&self.queues).by_number);
        queues.values().for_each(|queue| queue.end(failure.cloned()));
    }

    /// Forgets a subscriber who is given nothing any more.
    fn forget(&self, number: u64) {
        let mut queues = lock(&self.queues);
        queues.by_number.remove(&number);
        let idle = if queues.by_number.is_empty() { queues.idle.take() } else { None };
        drop(queues);
        if let Some(idle) = idle {
            idle.wake();
        }
    }

    /// `Ready` when there are no subscribers; else `waker` is called when the last one goes.
    pub fn poll_idle(&self, waker: &Waker) -> Poll<()> {
        let mut queues = lock(&self.queues);
        if queues.by_number.is_empty() {
            return Poll::Ready(());
        }
        if !queues.idle.as_ref().is_some_and(|idle| idle.will_wake(waker)) {
            queues.idle = Some(waker.clone());
        }
        Poll::Pending
    }
}

/// A subscriber's side. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    fan: Arc<Fan>,
    number: u64,
    queue: Arc<Queue>,
}

impl Subscription {
    /// The next block; `None` when nothing more comes.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<Option<Result<Arc<Block>, Failure>>> {
        self.queue.poll(cx)
    }

    /// The next block when it is there.
    pub fn take(&self) -> Option<Arc<Block>> {
        self.queue.take()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        SUBSCRIBERS.fetch_sub(1, Relaxed);
        self.fan.forget(self.number);
        self.queue.close();
    }
}

/// A block on its way to the subscribers.
pub struct Publishing {
    fan: Arc<Fan>,
    block: Arc<Block>,
    /// The number of the subscriber from which on they are still to be given it; `None` behind the last one.
    next: Option<u64>,
    /// Those that have no room yet and are waited for.
    full: Vec<(u64, Arc<Queue>)>,
    patience: Option<Pin<Box<Sleep>>>,
}

impl Publishing {
    /// Gives the block to some more subscribers; whether all have been asked.
    pub fn step(&mut self) -> bool {
        let Some(from) = self.next else { return true };
        let (queues, last) = {
            let queues = lock(&self.fan.queues);
            let range = queues.by_number.range((Bound::Included(from), Bound::Unbounded)).take(AT_ONCE);
            let some: Vec<(u64, Arc<Queue>)> =
                range.map(|(number, queue)| (*number, Arc::clone(queue))).collect();
            let last = some.last().map(|(number, _)| *number).filter(|_| some.len() == AT_ONCE);
            (some, last)
        };
        for (number, queue) in queues {
            match queue.push(&self.block, None) {
                Pushed::Taken => {}
                Pushed::Full => self.full.push((number, queue)),
                Pushed::Closed => self.fan.forget(number),
            }
        }
        self.next = last.map(|number| number + 1);
        self.next.is_none()
    }

    /// Whether nobody is waited for.
    pub fn is_done(&self) -> bool {
        self.next.is_none() && self.full.is_empty()
    }

    /// Behind the last step: waits for room, and gives up those who have none in the end.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let block = &self.block;
        self.full.retain(|(_, queue)| queue.push(block, Some(cx.waker())) == Pushed::Full);
        if self.full.is_empty() {
            return Poll::Ready(());
        }
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        ready!(patience.as_mut().poll(cx));
        for (number, queue) in self.full.drain(..) {
            queue.give_up();
            self.fan.forget(number);
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests;
