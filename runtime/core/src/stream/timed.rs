//! Stages with a sense of time: `timeout`, `throttle`, `heartbeat`.
//!
//! Invariants: time counts while an item is waited for, not while the reader does something else; each has at most one timer,
//! which is made when something waits for the first time.

use super::calls::give_up;
use super::timer::{Patience, Timer, after};
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::value::Any;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// The items, each within a time.
pub struct Timeout {
    source: Box<dyn Source>,
    patience: Patience,
}

impl Timeout {
    /// The items of `source`, which fails when one takes longer than `time`.
    pub fn new(source: Box<dyn Source>, time: Duration) -> Self {
        Self { source, patience: Patience::new(time) }
    }
}

impl Source for Timeout {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if let Poll::Ready(next) = self.source.poll_next(scope, cx) {
            self.patience.rest();
            return Poll::Ready(next);
        }
        ready!(self.patience.poll(scope, cx));
        let message = format!("no item within {:?}", self.patience.time());
        Poll::Ready(Some(Err(Failure::of_kind("timeout", message))))
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let next = self.source.ready_next(scope)?;
        self.patience.rest();
        Some(next)
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        // Its time comes.
        false
    }
}

/// The items, at most one in a time.
pub struct Throttle {
    source: Box<dyn Source>,
    time: Duration,
    /// Before then no item is pulled.
    due: Option<Instant>,
    timer: Option<Timer>,
}

impl Throttle {
    /// The items of `source`, of which each comes at least `time` after the one before.
    pub fn new(source: Box<dyn Source>, time: Duration) -> Self {
        Self { source, time, due: None, timer: None }
    }
}

impl Source for Throttle {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if let Some(due) = self.due {
            if Instant::now() < due {
                let timer = match &mut self.timer {
                    Some(timer) => timer,
                    None => self.timer.insert(Timer::new(scope, due)),
                };
                timer.reset(due);
                ready!(timer.poll(cx));
            }
            self.due = None;
        }
        let next = ready!(self.source.poll_next(scope, cx));
        self.due = Some(after(Instant::now(), self.time));
        Poll::Ready(next)
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        // Its time comes, and then it waits for the source.
        self.due.is_none() && self.source.waits_inside(scope)
    }
}

/// The items, and one of its own whenever there was none for a time.
pub struct Heartbeat {
    source: Box<dyn Source>,
    patience: Patience,
    item: Any,
    is_ref: bool,
}

impl Heartbeat {
    /// The items of `source`, and the owned `item`, a reference or not, whenever a wait has lasted for `time`.
    pub fn new(source: Box<dyn Source>, time: Duration, item: Any, is_ref: bool) -> Self {
        Self { source, patience: Patience::new(time), item, is_ref }
    }
}

impl Source for Heartbeat {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        if let Poll::Ready(next) = self.source.poll_next(scope, cx) {
            self.patience.rest();
            return Poll::Ready(next);
        }
        ready!(self.patience.poll(scope, cx));
        Poll::Ready(Some(Ok(scope.dup_any(self.item, self.is_ref).word())))
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let next = self.source.ready_next(scope)?;
        self.patience.rest();
        Some(next)
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        give_up(scope, self.item, self.is_ref);
        self.source.close(scope);
    }

    fn below(&self) -> Option<&dyn Source> {
        Some(&*self.source)
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        // Its time comes.
        false
    }
}
