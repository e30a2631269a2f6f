//! The end of a scope: what still runs is abandoned, deferred blocks run, and then it goes.
//!
//! In: a scope that is over (answered, cancelled, failed, trapped), with what was still running in it. Out: nothing.
//! Invariants: a scope without deferred blocks goes whole, at once, and costs nothing; one with them gives everything
//! back first, then runs them, the last one first and those of children before those of parents, for at most [`DEFER_TIME`] and
//! with [`DEFER_HEAP`] bytes more than it had; a trap in one is logged, and the next one runs.
//! Not here: who knows a fiber's deferred blocks (`run`).

use crate::afterwork::Afterwork;
use crate::failure::Failure;
use crate::heap::Word;
use crate::run::Run;
use crate::scope::{Call, Main, Scope, Source, Work};
use crate::teardown;
use crate::value::{Closure, Error, Own};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};
use weir_abi::layout::{CASE_INDEX, case_field};
use weir_abi::trap::Trap;

/// The index of the case `Ok` of a result.
const OK: Word = 0;

/// How long the deferred blocks of a scope, or of what was cancelled in it, may take together.
pub const DEFER_TIME: Duration = Duration::from_secs(2);
/// How many bytes more than it took the heap of a scope may take while its deferred blocks run.
pub const DEFER_HEAP: usize = 1 << 20;

/// What was still running when a scope came to its end.
pub enum Rest {
    /// Its main run has ended.
    Nothing,
    /// Its main run.
    Run(Run),
    /// Its main run, and the closure that it calls.
    Call(Run, Own<Closure>),
    /// The stream that it answered with.
    Source(Box<dyn Source>),
}

impl Rest {
    /// Ends it. Whether it owned what nobody can give back.
    fn close(self, scope: &mut Scope) -> bool {
        match self {
            Self::Nothing => false,
            // The words that a run was given are its frames' once it has begun.
            Self::Run(run) => {
                let is_new = !run.has_begun();
                run.abandon(scope);
                is_new
            }
            Self::Call(run, closure) => {
                run.abandon(scope);
                scope.give_up(closure);
                false
            }
            Self::Source(source) => {
                source.close(scope);
                false
            }
        }
    }
}

/// Ends a scope. All scopes of requests end here, whatever the reason is.
pub fn end_scope(mut scope: Box<Scope>, rest: Rest) {
    let has_deferred = scope.has_deferred() || scope.tasks.deferring() > 0;
    if !has_deferred && !cfg!(feature = "stress") {
        return teardown::take_down(scope, rest);
    }
    let last = Last::new(&mut scope);
    let is_inexact = rest.close(&mut scope);
    if !has_deferred {
        if !is_inexact {
            assert_empty(&mut scope);
        }
    } else if tokio::runtime::Handle::try_current().is_ok() {
        // A thread that ends its runtime, or has none, runs nothing more.
        tokio::task::spawn_local(Ending::new(scope, last, is_inexact));
    }
}

/// As [`end_scope`], for a program or a test, whose memory stays, with its main run.
pub async fn end_here(scope: &mut Scope, run: Run) {
    let has_deferred = scope.has_deferred() || scope.tasks.deferring() > 0;
    let mut last = Last::new(scope);
    run.abandon(scope);
    if has_deferred {
        scope.heap_mut().extend(DEFER_HEAP);
        poll_fn(|cx| last.poll_scope(scope, cx)).await;
        crate::output::STDOUT.flush_own();
    }
}

/// In stress builds: a scope that gave everything back has nothing left. One that trapped gives nothing back.
fn assert_empty(scope: &mut Scope) {
    if cfg!(feature = "stress") && !scope.has_trapped && !std::thread::panicking() {
        scope.free_all_late();
        assert_eq!(
            (scope.heap().live(), scope.resources()),
            (0, 0),
            "objects and resources left by a request"
        );
    }
}

/// Deferred blocks, run one after the other.
pub struct Deferred {
    /// From the end on.
    left: Vec<Own<Closure>>,
    call: Option<Box<Call>>,
    until: Instant,
    /// Made when one waits.
    timer: Option<Pin<Box<Sleep>>>,
    over: Over,
}

/// Says to others that the blocks are done, or given up.
#[derive(Default)]
struct Over(Rc<Cell<bool>>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

impl Deferred {
    /// These, in that order, for [`DEFER_TIME`] from now on.
    pub fn new(mut closures: Vec<Own<Closure>>) -> Self {
        closures.reverse();
        Self {
            left: closures,
            call: None,
            until: Instant::now() + DEFER_TIME,
            timer: None,
            over: Over::default(),
        }
    }

    /// Becomes true with its end.
    pub fn over(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.over.0)
    }

    /// These too, in front of the others.
    fn add(&mut self, closures: Vec<Own<Closure>>) {
        self.left.extend(closures.into_iter().rev());
    }

    /// The next one's call.
    fn next(&mut self, scope: &mut Scope) -> Option<Box<Call>> {
        while let Some(closure) = self.left.pop() {
            match Call::new(scope, closure) {
                Ok(call) => return Some(Box::new(call)),
                Err(failure) => scope.log_failure(&failure),
            }
        }
        None
    }
}

impl Work for Deferred {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        loop {
            let mut call = match self.call.take() {
                Some(call) => call,
                None => match self.next(scope) {
                    Some(call) => call,
                    None => return Poll::Ready(Ok(0)),
                },
            };
            match call.poll(scope, cx) {
                Poll::Pending => {
                    self.call = Some(call);
                    let until = self.until;
                    let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
                    if timer.as_mut().poll(cx).is_pending() && Instant::now() < until {
                        return Poll::Pending;
                    }
                    let message = format!("deferred blocks were given up after {} s", DEFER_TIME.as_secs());
                    scope.log_failure(&Failure::new(500, message));
                    // The rest goes with this.
                    return Poll::Ready(Ok(0));
                }
                Poll::Ready(result) => {
                    match result {
                        Ok(word) => take_result(scope, word),
                        Err(failure) => scope.log_failure(&failure),
                    }
                    call.close(scope);
                }
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(call) = self.call {
            call.close(scope);
        }
        for closure in self.left {
            scope.give_up(closure);
        }
    }
}

/// Logs the failure that the result of a deferred block may hold.
fn take_result(scope: &mut Scope, word: Word) {
    let object = crate::stream::as_any(word);
    if object.part(CASE_INDEX).word() != OK {
        scope.log_failure(&object.part(case_field(0)).as_arg::<Error>().one_failure());
    }
    // SAFETY: the closure gives an owned result, which is a reference.
    unsafe { scope.drop_word(word) };
}

/// The last that a scope does: its deferred blocks, and those that already run.
struct Last {
    deferred: Option<Box<Deferred>>,
    until: Instant,
}

impl Last {
    /// Ends the tasks of a scope, and takes what was put off in it, children before those that began them.
    fn new(scope: &mut Scope) -> Self {
        scope.is_ending = true;
        let deferred = Box::new(Deferred::new(scope.take_deferred()));
        scope.cancel_all();
        Self { until: deferred.until, deferred: Some(deferred) }
    }

    /// Polls the scope until it may go.
    fn poll_scope(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            scope.begin_turn();
            let polled = scope.poll_all(self, cx);
            scope.end_turn();
            // A task that a deferred block began.
            if let Err(failure) = ready!(polled) {
                scope.log_failure(&failure);
            }
            scope.cancel_all();
            let more = scope.take_deferred();
            let is_over = self.deferred.is_none() && more.is_empty() && scope.tasks.deferring() == 0;
            self.deferred.get_or_insert_with(|| Box::new(Deferred::new(Vec::new()))).add(more);
            if is_over || Instant::now() >= self.until {
                return Poll::Ready(());
            }
        }
    }
}

impl Main for Last {
    type Output = ();

    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(deferred) = &mut self.deferred {
            ready!(deferred.poll(scope, cx)).ok();
            if let Some(deferred) = self.deferred.take() {
                deferred.close(scope);
            }
        }
        if scope.tasks.deferring() > 0 && Instant::now() < self.until {
            scope.tasks.await_deferred(cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        false
    }

    fn stuck(&mut self, _: &mut Scope, trap: &Trap) -> Failure {
        Failure::of_trap(trap, crate::trace::Trace::default())
    }
}

/// A scope that runs its deferred blocks on its own: whoever had it is gone.
struct Ending {
    last: Last,
    scope: Box<Scope>,
    is_inexact: bool,
    _afterwork: Afterwork,
}

impl Ending {
    fn new(mut scope: Box<Scope>, last: Last, is_inexact: bool) -> Self {
        scope.worker().counters.endings.add(1);
        scope.heap_mut().extend(DEFER_HEAP);
        Self { last, scope, is_inexact, _afterwork: Afterwork::begin() }
    }
}

impl Future for Ending {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        ready!(this.last.poll_scope(&mut this.scope, cx));
        if let Some(deferred) = this.last.deferred.take() {
            deferred.close(&mut this.scope);
        }
        if !this.is_inexact {
            assert_empty(&mut this.scope);
        }
        Poll::Ready(())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.scope.worker().counters.endings.add(-1);
    }
}
