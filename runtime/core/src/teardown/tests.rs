//! Large scopes go a few parts at a time, with turns of others between; small ones and those that are too many go at once.

use super::*;
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::Work;
use crate::testing;
use crate::worker::StopHandle;
use std::cell::Cell;
use std::rc::Rc;
use tokio::task::{LocalSet, yield_now};

/// Ends the turn in which it is dropped, and counts that.
struct Part {
    dropped: Rc<Cell<usize>>,
    stop: StopHandle,
}

impl Drop for Part {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
        self.stop.request_stop();
    }
}

impl Work for Part {
    fn poll(&mut self, _: &mut Scope, _: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        Poll::Pending
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}

fn scope_of(parts: usize, dropped: &Rc<Cell<usize>>) -> Box<Scope> {
    let mut scope = Box::new(testing::scope());
    for _ in 0..parts {
        let stop = scope.worker().stop_handle();
        scope.begin_work(Box::new(Part { dropped: Rc::clone(dropped), stop }));
    }
    scope
}

#[tokio::test]
async fn a_large_scope_goes_in_turns_which_a_drain_waits_for() {
    let test = async {
        let dropped = Rc::new(Cell::new(0));
        let scope = scope_of(SMALL + AT_ONCE, &dropped);
        let counters = scope.worker().counters;
        take_down(scope, Rest::Nothing);
        assert_eq!((dropped.get(), counters.endings.get()), (0, 1));
        let drained = tokio::task::spawn_local(crate::afterwork::finished());
        let mut seen = 0;
        while dropped.get() < SMALL + AT_ONCE {
            assert!(!drained.is_finished() && counters.endings.get() == 1);
            yield_now().await;
            // It had one turn at most, and no more in it.
            assert!(dropped.get() - seen <= AT_ONCE);
            seen = dropped.get();
        }
        drained.await.expect("it ends");
        assert_eq!((counters.endings.get(), counters.tasks.get(), counters.scopes.get()), (0, 0, 0));
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn a_small_scope_goes_at_once_and_so_does_one_too_many() {
    let test = async {
        let dropped = Rc::new(Cell::new(0));
        take_down(scope_of(SMALL, &dropped), Rest::Nothing);
        assert_eq!(dropped.replace(0), SMALL);
        for _ in 0..FALLING_MAX {
            take_down(scope_of(SMALL + 1, &dropped), Rest::Nothing);
        }
        assert_eq!(dropped.get(), 0);
        take_down(scope_of(SMALL + 1, &dropped), Rest::Nothing);
        assert_eq!(dropped.get(), SMALL + 1);
    };
    LocalSet::new().run_until(test).await;
}

#[test]
fn a_scope_of_a_thread_without_turns_goes_at_once() {
    let dropped = Rc::new(Cell::new(0));
    take_down(scope_of(SMALL + 1, &dropped), Rest::Nothing);
    assert_eq!(dropped.get(), SMALL + 1);
}
