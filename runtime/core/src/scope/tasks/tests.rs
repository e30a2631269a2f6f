//! Tasks as whoever polls a scope sees them: only what was woken is polled, and what is cancelled leaves nothing.

use super::*;
use crate::testing::{self, make_text, native, nothing};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use weir_abi::context::Ctx;

/// Waits for ever; says how often it was asked.
struct Asked {
    polls: Rc<Cell<usize>>,
    waker: Rc<RefCell<Option<Waker>>>,
}

impl Work for Asked {
    fn poll(&mut self, _: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        self.polls.set(self.polls.get() + 1);
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}

/// A main work that waits for ever for something outside.
struct Waiting;

impl Main for Waiting {
    type Output = ();

    fn poll(&mut self, _: &mut Scope, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        false
    }

    fn stuck(&mut self, _: &mut Scope, trap: &Trap) -> Failure {
        Failure::of_trap(trap, crate::trace::Trace::default())
    }
}

/// Polls until there is nothing to do.
fn settle(scope: &mut Scope) -> Result<(), Failure> {
    for _ in 0..1000 {
        if let Poll::Ready(result) = scope.poll_all(&mut Waiting, &mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
    Ok(())
}

/// A closure without captures whose code takes nothing but itself.
fn closure(scope: &mut Scope, code: testing::Code1) -> Own<Closure> {
    let words = [(layout::CLOSURE_CODE, code as usize as u64)];
    Own::new(Closure::of(scope.object(16, testing::CLOSURE, &words).expect("room")))
}

extern "C" fn text(ctx: *mut Ctx, _: Word) -> Word {
    make_text(ctx, "a result")
}

extern "C" fn naps(ctx: *mut Ctx, _: Word) -> Word {
    native(ctx, "sleep", &[3_600_000_000_000]);
    make_text(ctx, "never")
}

extern "C" fn traps(ctx: *mut Ctx, _: Word) -> Word {
    native(ctx, "trap", &[1, 0, 0])
}

#[test]
fn one_ready_task_of_a_thousand_is_one_poll() {
    let scope = &mut testing::scope();
    let (polls, wakers) = (Rc::new(Cell::new(0)), (0..1000).map(|_| Rc::default()).collect::<Vec<Rc<_>>>());
    for waker in &wakers {
        scope.begin_work(Box::new(Asked { polls: Rc::clone(&polls), waker: Rc::clone(waker) }));
    }
    assert_eq!(scope.worker().counters.tasks.get(), 1000);
    settle(scope).expect("no trap");
    assert_eq!(polls.get(), 1000);
    let waker = wakers[500].borrow().clone().expect("it was polled");
    waker.wake_by_ref();
    waker.wake();
    settle(scope).expect("no trap");
    assert_eq!(polls.get(), 1001);
    scope.cancel_all();
    assert_eq!((scope.tasks.running, scope.worker().counters.tasks.get()), (0, 0));
    // A wake that comes late is nobody's.
    wakers[3].borrow().clone().expect("it was polled").wake();
    settle(scope).expect("no trap");
    assert_eq!(polls.get(), 1001);
}

#[test]
fn results_are_kept_for_handles_only() {
    let scope = &mut testing::scope();
    let f = closure(scope, text);
    let handle = scope.begin_kept(f, true).expect("room");
    let f = closure(scope, text);
    let lost = scope.begin_kept(f, true).expect("room");
    scope.give_up(lost);
    settle(scope).expect("no trap");
    let id = scope.task_of(handle.get());
    assert!(matches!(scope.outcome(id, Waker::noop()), Outcome::Done(_)));
    scope.give_up(handle);
    assert_eq!((scope.heap().live(), scope.resources(), scope.tasks.running), (0, 0, 0));
}

#[tokio::test]
async fn a_million_cancelled_tasks_leave_the_heap_as_it_was() {
    let scope = &mut testing::scope();
    let count = if cfg!(feature = "stress") { 1000 } else { 100_000 };
    let mut bytes = 0;
    for round in 0..count {
        let group = scope.group().expect("room");
        for _ in 0..2 {
            let f = closure(scope, naps);
            scope.begin_member(group.get(), f, true).expect("room");
        }
        let f = closure(scope, text);
        scope.begin_member(group.get(), f, true).expect("room");
        if round % 2 == 0 {
            settle_some(scope);
        }
        scope.give_up(group);
        if round == 10 {
            bytes = scope.heap().bytes();
        }
    }
    assert_eq!((scope.heap().live(), scope.resources(), scope.tasks.running), (0, 0, 0));
    assert_eq!(scope.heap().bytes(), bytes);
    assert!(scope.tasks.slots.len() < 10, "slots are used again");
    assert_eq!(scope.worker().counters.fibers.get(), 0);
}

/// Polls once: what is ready has its turn.
fn settle_some(scope: &mut Scope) {
    let polled = scope.poll_all(&mut Waiting, &mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
}

#[test]
fn a_trap_of_a_task_is_one_of_the_scope() {
    let scope = &mut testing::scope();
    let f = closure(scope, traps);
    let handle = scope.begin_kept(f, false).expect("room");
    let failure = settle(scope).expect_err("a trap");
    assert!(failure.trace.is_some() && failure.message == "integer overflow", "{failure}");
    scope.give_up(handle);
}

#[test]
fn a_scope_that_ends_leaves_its_groups_nothing_to_cancel() {
    let scope = &mut testing::scope();
    let group = scope.group().expect("room");
    for code in [text as testing::Code1, text] {
        let f = closure(scope, code);
        scope.begin_member(group.get(), f, true).expect("room");
    }
    scope.cancel_all();
    // The places of the cancelled ones are another task's.
    let f = closure(scope, text);
    let other = scope.begin_kept(f, true).expect("room");
    scope.give_up(group);
    assert_eq!(scope.tasks.running, 1);
    settle(scope).expect("no trap");
    let id = scope.task_of(other.get());
    assert!(matches!(scope.outcome(id, Waker::noop()), Outcome::Done(_)));
    scope.give_up(other);
    assert_eq!((scope.heap().live(), scope.resources()), (0, 0));
}

#[test]
fn a_full_heap_begins_nothing_and_keeps_nothing() {
    let limits = crate::limits::Limits { mem_limit: 200_000, ..Default::default() };
    let scope = &mut testing::scope_of(testing::app_with(testing::module(nothing, None), limits));
    let mut handles = Vec::new();
    let trap = loop {
        let f = closure(scope, text);
        match scope.begin_kept(f, true) {
            Ok(handle) => handles.push(handle),
            Err(trap) => break trap,
        }
    };
    assert!(trap.to_string().contains("out of memory"), "{trap}");
    assert!((20..50).contains(&handles.len()), "{}", handles.len());
    assert_eq!(scope.resources(), handles.len());
    scope.cancel_all();
    for handle in handles {
        scope.give_up(handle);
    }
    assert_eq!((scope.heap().live(), scope.resources()), (0, 0));
}
