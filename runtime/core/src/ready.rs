//! Which of several things that wait are ready: each has a waker of its own, so that nobody asks all of them.
//!
//! In: wakes of [`Signal`]s, from any thread. Out: the marks of those that were woken, in that order, each once.
//! Invariant: a mark is queued at most once until it is taken; who armed the queue is woken by the next mark that comes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};

#[derive(Debug, Default)]
struct Queue {
    marked: VecDeque<Arc<Signal>>,
    /// Who is told of the next mark.
    parent: Option<Waker>,
}

type Shared = Mutex<Queue>;

fn locked(shared: &Shared) -> MutexGuard<'_, Queue> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The queue of what is ready.
#[derive(Debug, Default)]
pub struct Ready {
    shared: Arc<Shared>,
}

/// What wakes one thing.
#[derive(Debug)]
pub struct Signal {
    mark: u32,
    is_queued: AtomicBool,
    /// Weak, for a queue holds its signals.
    shared: Weak<Shared>,
}

impl Ready {
    /// A signal that stands for `mark`. Marks may be used again: a late wake of an old one is a needless poll of the new one.
    pub fn signal(&self, mark: u32) -> Arc<Signal> {
        Arc::new(Signal { mark, is_queued: AtomicBool::new(false), shared: Arc::downgrade(&self.shared) })
    }

    /// The next mark that is ready.
    pub fn take(&self) -> Option<u32> {
        let signal = locked(&self.shared).marked.pop_front()?;
        // Before the thing is polled: a wake from now on is another one.
        signal.is_queued.store(false, Release);
        Some(signal.mark)
    }

    /// Lets the next mark wake `waker`, unless there is one already. Whether there is none.
    pub fn arm(&self, waker: &Waker) -> bool {
        let mut queue = locked(&self.shared);
        if !queue.marked.is_empty() {
            return false;
        }
        queue.parent = Some(waker.clone());
        true
    }

    /// Nobody is woken by marks until the queue is armed again.
    pub fn disarm(&self) {
        let parent = locked(&self.shared).parent.take();
        drop(parent);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(shared) = self.shared.upgrade() else { return };
        if self.is_queued.swap(true, AcqRel) {
            return;
        }
        let parent = {
            let mut queue = locked(&shared);
            queue.marked.push_back(Arc::clone(self));
            queue.parent.take()
        };
        if let Some(parent) = parent {
            parent.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn what_was_woken_comes_in_its_order_and_once() {
        let ready = Ready::default();
        let signals: Vec<_> = (0..3).map(|mark| ready.signal(mark)).collect();
        for at in [2, 0, 2] {
            signals[at].wake_by_ref();
        }
        assert_eq!([ready.take(), ready.take(), ready.take()], [Some(2), Some(0), None]);
        signals[2].wake_by_ref();
        assert_eq!(ready.take(), Some(2));
    }

    #[test]
    fn an_armed_queue_wakes_once() {
        let (ready, count) = (Ready::default(), Arc::new(Count::default()));
        let (waker, signal) = (Waker::from(Arc::clone(&count)), ready.signal(7));
        assert!(ready.arm(&waker));
        signal.wake_by_ref();
        signal.wake_by_ref();
        assert_eq!(count.0.load(Relaxed), 1);
        assert!(!ready.arm(&waker), "it has a mark");
        assert_eq!(ready.take(), Some(7));
        assert!(ready.arm(&waker));
        ready.disarm();
        signal.wake_by_ref();
        assert_eq!(count.0.load(Relaxed), 1);
    }

    #[test]
    fn a_queue_that_went_is_not_kept_by_its_signals() {
        let ready = Ready::default();
        let signal = ready.signal(1);
        signal.wake_by_ref();
        let shared = Arc::downgrade(&ready.shared);
        drop(ready);
        assert!(shared.upgrade().is_none());
        signal.wake_by_ref();
        assert_eq!(Arc::strong_count(&signal), 1);
    }
}
