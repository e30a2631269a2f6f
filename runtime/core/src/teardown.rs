//! The last of scopes with many tasks or resources: they are dropped some at a time, with turns of others between.
//!
//! In: a scope that is over and puts nothing off. Out: nothing.
//! Invariants: what a scope owns is dropped in front of its heap, which goes whole; a worker is not drained before the last one is
//! down. Each has a turn as often as whoever fills the next one, and no more than [`FALLING_MAX`] wait for theirs.
//! Not here: what runs in a scope before that (`ending`).

use crate::afterwork::Afterwork;
use crate::ending::Rest;
use crate::scope::Scope;
use crate::turn::yield_turn;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// How many tasks and resources are dropped at once. A resource takes some hundred nanoseconds, the stack of a task that was deep up
/// to a hundred microseconds.
const AT_ONCE: usize = 8;
/// A scope with no more of them goes at once.
const SMALL: usize = 256;
/// How many scopes of a worker are taken down in turns.
const FALLING_MAX: i64 = 64;

/// Drops a scope and what was still running in it.
pub fn take_down(scope: Box<Scope>, rest: Rest) {
    // What runs refers to the scope's memory.
    drop(rest);
    let is_crowded = scope.worker().counters.endings.get() >= FALLING_MAX;
    // A thread that ends its runtime, or has none, has no turns.
    if scope.parts() > SMALL && !is_crowded && Handle::try_current().is_ok() {
        scope.worker().counters.endings.add(1);
        tokio::task::spawn_local(Falling { scope, _afterwork: Afterwork::begin() });
    }
}

/// A scope that is being taken down.
struct Falling {
    scope: Box<Scope>,
    _afterwork: Afterwork,
}

impl Future for Falling {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let scope = &mut self.scope;
        scope.worker().begin_seen_turn();
        let mut is_stopped = false;
        while !is_stopped && scope.drop_parts(AT_ONCE) {
            is_stopped = scope.worker().is_stopped();
        }
        scope.worker().end_turn();
        if is_stopped { yield_turn(cx) } else { Poll::Ready(()) }
    }
}

impl Drop for Falling {
    fn drop(&mut self) {
        self.scope.worker().counters.endings.add(-1);
    }
}

#[cfg(test)]
mod tests;
