//! Background work: blocks that go on when what began them has ended.
//!
//! ```text
//! background { } ──▶ what it captured is copied ──▶ a scope of its own, polled by a task of the worker ──▶ its end, logged if it failed
//! in a program's statements ──▶ kept until they have ended and their values are frozen ──▶ likewise, without a copy
//! ```
//! In: closures without parameters that give `()!`. Out: their effects.
//! Invariants: work stays on the worker and on the version that began it; it counts as `afterwork` until its scope is gone, which a
//! server's drain and a program's end wait for; there are at most `--max-background` pieces of it at once in the process. What a
//! version's own statements began ends when another version takes its place.

use crate::afterwork::Afterwork;
use crate::app::Pinned;
use crate::counters::Counters;
use crate::ending::{Rest, end_scope};
use crate::failure::Failure;
use crate::heap::Word;
use crate::log::LogFormat;
use crate::natives::Flow;
use crate::output;
use crate::run::Run;
use crate::scope::{Operation, Scope};
use crate::transplant::Transplant;
use crate::value::{Closure, Error, Handle, Own, Ref};
use crate::worker::Worker;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker, ready};
use tokio::task::spawn_local;
use weir_abi::layout::{CASE_INDEX, case_field};
use weir_abi::trap::Trap;

/// The index of the case `Ok` of a result.
const OK: Word = 0;

/// How many pieces there are in the process.
static PIECES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What of this thread may be cancelled.
    static CANCELS: RefCell<Vec<Weak<Cancel>>> = const { RefCell::new(Vec::new()) };
}

/// One of the pieces.
struct Place(&'static Counters);

impl Place {
    fn take(scope: &Scope) -> Result<Self, Trap> {
        let most = scope.app().limits().max_background;
        if PIECES.fetch_add(1, Relaxed) >= most {
            PIECES.fetch_sub(1, Relaxed);
            return Err(too_many(most));
        }
        let counters = scope.worker().counters;
        counters.background.add(1);
        Ok(Self(counters))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        PIECES.fetch_sub(1, Relaxed);
        self.0.background.add(-1);
    }
}

fn too_many(most: usize) -> Trap {
    Trap::budget(format!("{most} blocks run in the background already (--max-background)"))
}

/// The wish that a piece of work ends.
#[derive(Default)]
struct Cancel {
    is_wished: Cell<bool>,
    /// Who polls it.
    waker: RefCell<Option<Waker>>,
    /// It was begun by a version's own statements.
    is_versions: bool,
}

impl Cancel {
    fn new(is_versions: bool) -> Rc<Self> {
        let this = Rc::new(Self { is_versions, ..Self::default() });
        CANCELS.with_borrow_mut(|all| {
            if all.len() == all.capacity() {
                all.retain(|cancel| cancel.strong_count() > 0);
            }
            all.push(Rc::downgrade(&this));
        });
        this
    }
}

/// Cancels the work of this thread: all of it, or what versions' own statements began.
fn cancel(is_wanted: impl Fn(&Cancel) -> bool) {
    let all: Vec<Rc<Cancel>> = CANCELS.with_borrow(|all| all.iter().filter_map(Weak::upgrade).collect());
    for cancel in all.into_iter().filter(|cancel| is_wanted(cancel)) {
        cancel.is_wished.set(true);
        if let Some(waker) = cancel.waker.take() {
            waker.wake();
        }
    }
}

/// Cancels all background work of this thread. Its deferred blocks still run.
pub fn cancel_all() {
    cancel(|_| true);
}

/// Begins what a version's own statements put into the background, unless another worker has, and ends what those of other versions
/// did. Called where tasks can be spawned locally.
pub fn take_over(app: &Pinned, log: LogFormat) {
    cancel(|cancel| cancel.is_versions);
    begin_own(app, log);
}

/// Begins what a version's own statements put into the background, unless somebody has.
pub fn begin_own(app: &Pinned, log: LogFormat) {
    for word in app.take_background() {
        let mut scope = Box::new(Scope::new(app.clone(), Worker::current()));
        scope.log = (log, None);
        // SAFETY: a closure among the version's frozen values, which lives as long as the version.
        let closure = unsafe { scope.own(word) };
        match Place::take(&scope) {
            Ok(place) => Background::begin(scope, closure, place, true),
            Err(trap) => log.failure(None, &Failure::new(503, trap.to_string())),
        }
    }
}

/// Puts a block into the background.
pub fn begin(scope: &mut Scope, closure: Own<Closure>) -> Result<Flow, Trap> {
    if let Some(own) = &mut scope.own_background {
        own.push(closure);
        return Ok(Flow::Done(0));
    }
    let begun = Place::take(scope).and_then(|place| {
        let mut to = Box::new(Scope::new(scope.app().clone(), std::rc::Rc::clone(scope.worker())));
        to.log = scope.log;
        Ok((Transplant::begin(closure.get().object(), &mut to)?, to, place))
    });
    match begun {
        Ok((transplant, to, place)) => {
            scope.pending =
                Some(Box::new(Moving { closure: Some(closure), transplant, to: Some((to, place)) }));
            Ok(Flow::Wait)
        }
        Err(trap) => {
            scope.give_up(closure);
            Err(trap)
        }
    }
}

/// A block whose captures are being copied.
struct Moving {
    /// As it was captured: nobody can change what it holds.
    closure: Option<Own<Closure>>,
    transplant: Transplant,
    to: Option<(Box<Scope>, Place)>,
}

impl Operation for Moving {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        let Some((to, _)) = &mut self.to else { return Poll::Ready(Ok(0)) };
        let copied = loop {
            match self.transplant.step(to) {
                Ok(None) => ready!(scope.poll_turn(cx)),
                Ok(Some(word)) => break Ok(word),
                Err(trap) => break Err(trap),
            }
        };
        let moved = self.to.take();
        if let Some(closure) = self.closure.take() {
            scope.give_up(closure);
        }
        Poll::Ready(copied.map(|word| {
            if let Some((to, place)) = moved {
                // SAFETY: the copy of a closure is one, with the count that is owned here.
                let closure = unsafe { to.own(word) };
                Background::begin(to, closure, place, false);
            }
            0
        }))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(closure) = self.closure {
            scope.give_up(closure);
        }
    }
}

/// A piece of background work.
struct Background {
    /// `None` once its scope was ended.
    state: Option<State>,
    cancel: Rc<Cancel>,
    _place: Place,
    _afterwork: Afterwork,
}

struct State {
    run: Run,
    scope: Box<Scope>,
    closure: Own<Closure>,
}

impl Background {
    fn begin(scope: Box<Scope>, closure: Own<Closure>, place: Place, is_versions: bool) {
        let limits = *scope.app().limits();
        let mut scope = scope;
        scope.cpu.limit_to(limits.cpu_limit);
        match Run::new(&scope, closure.get().code(), &[closure.get().word()]) {
            Ok(run) => {
                let state = Some(State { run, scope, closure });
                let cancel = Cancel::new(is_versions);
                spawn_local(Self { state, cancel, _place: place, _afterwork: Afterwork::begin() });
            }
            Err(failure) => {
                scope.log_failure(&failure);
                scope.give_up(closure);
            }
        }
    }
}

impl Future for Background {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(state) = &mut this.state else { return Poll::Ready(()) };
        if !this.cancel.is_wished.get() {
            *this.cancel.waker.borrow_mut() = Some(cx.waker().clone());
            let State { run, scope, .. } = state;
            scope.begin_turn();
            let polled = scope.poll_all(run, cx);
            scope.end_turn();
            let Poll::Ready(result) = polled else {
                output::STDOUT.flush_own();
                return Poll::Pending;
            };
            this.over(result.flatten());
        }
        output::STDOUT.flush_own();
        // A cancelled one ends here.
        if let Some(state) = this.state.take() {
            state.end();
        }
        Poll::Ready(())
    }
}

impl Background {
    /// It came to its end by itself.
    fn over(&mut self, result: Result<Word, Failure>) {
        let Some(mut state) = self.state.take() else { return };
        let scope = &mut state.scope;
        let failure = match result {
            Ok(word) => {
                // SAFETY: the closure gives an owned result.
                let own: Own<crate::value::Any> = unsafe { scope.own(word) };
                let object = own.get();
                let failed = object.part(CASE_INDEX).word() != OK;
                let failure = failed.then(|| object.part(case_field(0)).as_arg::<Error>().failure());
                scope.give_up(own);
                failure
            }
            Err(failure) => Some(failure),
        };
        if let Some(failure) = failure {
            scope.log_failure(&failure);
        }
        state.end();
    }
}

impl State {
    fn end(self) {
        end_scope(self.scope, Rest::Call(self.run, self.closure));
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // The thread's runtime ends first.
        if let Some(state) = self.state.take() {
            state.end();
        }
    }
}
