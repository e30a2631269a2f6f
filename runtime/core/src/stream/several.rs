//! Stages upon several streams: `merge`, `zip`.
//!
//! Invariants: of many merged streams only those are asked that were woken; who gave an item has the next turn behind the others;
//! the first failure is the stage's, and closes all of them.

use super::calls::{Calls, as_any, give_up};
use crate::failure::Failure;
use crate::heap::Word;
use crate::ready::Ready;
use crate::scope::{Scope, Source};
use crate::value::{Closure, Own};
use std::task::{Context, Poll, Waker, ready};

/// The items of several streams, as they come.
pub struct Merge {
    /// `None` behind its end.
    sources: Vec<Option<Box<dyn Source>>>,
    wakers: Vec<Waker>,
    ready: Ready,
    /// How many have not come to their end.
    open: usize,
}

impl Merge {
    /// The items of all these.
    pub fn new(sources: Vec<Box<dyn Source>>) -> Self {
        let ready = Ready::default();
        let wakers: Vec<Waker> = (0..sources.len()).map(|at| Waker::from(ready.signal(at as u32))).collect();
        wakers.iter().for_each(Waker::wake_by_ref);
        Self { open: sources.len(), sources: sources.into_iter().map(Some).collect(), wakers, ready }
    }
}

impl Source for Merge {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        self.ready.disarm();
        loop {
            if self.open == 0 {
                return Poll::Ready(None);
            }
            ready!(scope.poll_turn(cx));
            let Some(at) = self.ready.take() else {
                if self.ready.arm(cx.waker()) {
                    return Poll::Pending;
                }
                continue;
            };
            let (slot, waker) = (&mut self.sources[at as usize], &self.wakers[at as usize]);
            let Some(source) = slot else { continue };
            match source.poll_next(scope, &mut Context::from_waker(waker)) {
                Poll::Pending => {}
                Poll::Ready(None) => {
                    self.open -= 1;
                    if let Some(source) = slot.take() {
                        source.close(scope);
                    }
                }
                next => {
                    waker.wake_by_ref();
                    return next;
                }
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let at = self.ready.take()? as usize;
        let next = self.sources[at].as_mut().and_then(|source| source.ready_next(scope));
        // Behind the others, or, where it takes more than that, for the next pull.
        self.wakers[at].wake_by_ref();
        next
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        for source in self.sources.into_iter().flatten() {
            source.close(scope);
        }
    }

    fn depth(&self) -> usize {
        self.sources.iter().flatten().map(|source| source.depth()).max().unwrap_or(0) + 1
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        self.sources.iter().flatten().all(|source| source.waits_inside(scope))
    }
}

/// A stream with the item that waits for the other's.
struct Side {
    source: Box<dyn Source>,
    item: Option<Word>,
    is_ref: bool,
}

impl Side {
    /// Whether it has an item; `None` behind its end.
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<(), Failure>>> {
        if self.item.is_some() {
            return Poll::Ready(Some(Ok(())));
        }
        self.source.poll_next(scope, cx).map(|next| next.map(|item| item.map(|word| self.item = Some(word))))
    }

    fn close(self, scope: &mut Scope) {
        if let Some(word) = self.item {
            give_up(scope, as_any(word), self.is_ref);
        }
        self.source.close(scope);
    }
}

/// What a closure makes of the items of two streams, taken together one by one.
pub struct Zip {
    left: Side,
    right: Side,
    calls: Calls,
}

impl Zip {
    /// `f` of the items of both, each with whether its items are references.
    pub fn new(left: (Box<dyn Source>, bool), right: (Box<dyn Source>, bool), f: Own<Closure>) -> Self {
        let side = |(source, is_ref)| Side { source, item: None, is_ref };
        Self { left: side(left), right: side(right), calls: Calls::new(f) }
    }
}

impl Source for Zip {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if !self.calls.is_running() {
            // Both are asked: each waits while the other does.
            for polled in [self.left.poll(scope, cx), self.right.poll(scope, cx)] {
                match polled {
                    Poll::Ready(None) => return Poll::Ready(None),
                    Poll::Ready(Some(Err(failure))) => return Poll::Ready(Some(Err(failure))),
                    _ => {}
                }
            }
            let (Some(left), Some(right)) = (self.left.item, self.right.item) else { return Poll::Pending };
            if let Err(failure) = self.calls.begin_two(scope, left, right) {
                return Poll::Ready(Some(Err(failure)));
            }
            (self.left.item, self.right.item) = (None, None);
        }
        self.calls.poll(scope, cx).map(Some)
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.calls.close(scope);
        self.left.close(scope);
        self.right.close(scope);
    }

    fn depth(&self) -> usize {
        self.left.source.depth().max(self.right.source.depth()) + 1
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        let waits = |side: &Side| side.item.is_some() || side.source.waits_inside(scope);
        match self.calls.is_running() {
            true => self.calls.wait_inside(&*self.left.source, scope),
            false => waits(&self.left) && waits(&self.right),
        }
    }
}
