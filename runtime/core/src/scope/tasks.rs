//! The tasks of a scope: what runs in it besides its main run or stream, interleaved on the same thread.
//!
//! ```text
//! begun ──▶ Idle ──woken──▶ Polled ──▶ Idle ... ──▶ Done ──▶ its handle, its group, or nobody has the result
//!             └──cancelled──▶ what it owns is given back
//! ```
//! In: work, wakes. Out: results; a trap of any task is one of the scope.
//! Invariants: each task has a waker of its own, so only what was woken is polled; a task ends with its scope at the latest; a
//! cancelled one gives back exactly what it owns. Cancelling never goes deep: tasks that fall with a task wait for their turn.
//! Not here: groups of tasks whose results somebody waits for (`groups`), the end of scopes (`ending`).

use super::{Entry, Operation, Scope};
use crate::ending::Deferred;
use crate::failure::Failure;
use crate::heap::Word;
use crate::ready::Ready;
use crate::run::Run;
use crate::turn::yield_turn;
use crate::value::{Closure, Handle, Own, Ref, Resource};
use std::cell::Cell;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use weir_abi::layout::{self, shape};
use weir_abi::trap::Trap;

/// What a task counts as in the heap: the page of a stack that a waiting fiber keeps, and its own record.
const TASK_SIZE: usize = 4096 + 256;
/// How many polls of a scope go by before other requests have their turn.
const POLLS: u32 = 64;
/// The mark of a scope's main work.
const MAIN: u32 = u32::MAX;

/// A task of a scope, until it has ended and nobody asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskId(u32);

/// What a task does.
pub trait Work {
    /// Goes on until it has a result, an owned word, or waits. An error is a trap, and ends the scope.
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>>;

    /// Ends it, with all that it owns, for a scope that goes on. Also called when it gave its result.
    fn close(self: Box<Self>, scope: &mut Scope);

    /// Whether it waits for what only others of its scope can do.
    fn waits_inside(&self, _: &Scope) -> bool {
        false
    }
}

/// What a scope is there for: a run, or the stream that it answers with.
pub trait Main {
    /// What it comes to.
    type Output;

    /// As for a task.
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Self::Output>;

    /// As for a task.
    fn waits_inside(&self, scope: &Scope) -> bool;

    /// Ends it with that trap.
    fn stuck(&mut self, scope: &mut Scope, trap: &Trap) -> Failure;
}

impl Main for Run {
    type Output = Result<Word, Failure>;

    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Run::poll(self, scope, cx)
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        Run::waits_inside(self, scope)
    }

    fn stuck(&mut self, scope: &mut Scope, trap: &Trap) -> Failure {
        self.fail(scope, trap)
    }
}

/// A call of a closure without arguments.
pub struct Call {
    closure: Own<Closure>,
    run: Run,
}

impl Call {
    /// Prepares the call. On failure the closure is given up.
    pub fn new(scope: &mut Scope, closure: Own<Closure>) -> Result<Self, Failure> {
        match Run::new(scope, closure.get().code(), &[closure.get().word()]) {
            Ok(run) => Ok(Self { closure, run }),
            Err(failure) => {
                scope.give_up(closure);
                Err(failure)
            }
        }
    }
}

impl Work for Call {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Failure>> {
        self.run.poll(scope, cx)
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        self.run.abandon(scope);
        scope.give_up(self.closure);
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        self.run.waits_inside(scope)
    }
}

/// Who has a task's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    Nobody,
    /// Nobody; it runs deferred blocks, and is not cancelled.
    Deferred,
    /// A handle in the heap.
    Handle,
    /// The group in that slot of the table, at that index.
    Group(u32, u32),
}

enum State {
    Idle(Box<dyn Work>),
    /// Further up on the worker's stack; whether it was cancelled meanwhile.
    Polled(bool),
    Done(Word),
    Cancelled,
}

struct Task {
    state: State,
    waker: Waker,
    keeper: Keeper,
    /// Whether its result is a reference.
    is_ref: bool,
    /// What it is charged to the heap.
    size: usize,
    /// It may go on by itself: it is new, ready, or waits for something outside of its scope.
    is_outside: bool,
    /// Who waits for its end.
    waiters: Vec<Waker>,
}

/// What a handle of a task is told.
#[derive(Debug)]
pub enum Outcome {
    /// It has not ended; the waker will be woken.
    Running,
    /// Its result, which stays the task's.
    Done(Word),
    /// It was cancelled.
    Cancelled,
}

/// The tasks of a scope.
#[derive(Default)]
pub struct Tasks {
    // Before the queue: their work is dropped with the scope, in front of its heap.
    slots: Vec<Option<Task>>,
    free: Vec<u32>,
    ready: Ready,
    /// Wakes the main work. There is none before the first task is begun.
    main: Option<Waker>,
    /// How many have not ended.
    running: usize,
    /// How many of these do not wait for others of the scope.
    outside: usize,
    /// How many of the running ones run deferred blocks.
    deferring: usize,
    /// Those to be cancelled, while one is.
    doomed: Vec<TaskId>,
    is_cancelling: bool,
}

/// The end of a task that runs deferred blocks, whose slot is another one's after it.
pub(crate) struct DeferredDone {
    task: TaskId,
    over: Rc<Cell<bool>>,
}

impl Operation for DeferredDone {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        if !self.over.get() && scope.await_end(self.task, cx.waker()) {
            return Poll::Pending;
        }
        Poll::Ready(Ok(0))
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        true
    }
}

impl Tasks {
    /// How many have not ended.
    pub fn running(&self) -> usize {
        self.running
    }

    /// How many there are, with those that have ended.
    pub fn kept(&self) -> usize {
        self.slots.len()
    }

    /// Drops so many for good, with what runs in them; how many that were.
    pub fn drop_some(&mut self, count: usize) -> usize {
        let rest = self.slots.len().saturating_sub(count);
        self.slots.drain(rest..).count()
    }

    /// How many tasks run deferred blocks.
    pub fn deferring(&self) -> usize {
        self.deferring
    }

    /// Lets the end of a task that runs deferred blocks wake `waker`.
    pub fn await_deferred(&mut self, waker: &Waker) {
        let deferred = self.slots.iter_mut().flatten().find(|task| task.keeper == Keeper::Deferred);
        if let Some(task) = deferred {
            task.waiters.push(waker.clone());
        }
    }
}

impl Scope {
    /// Begins a task whose result, a reference or not, its handle has. A handle that goes leaves the task alone.
    pub(crate) fn begin_kept(&mut self, closure: Own<Closure>, is_ref: bool) -> Result<Own<Resource>, Trap> {
        let object = match self.heap.alloc(16, layout::header(shape::RESOURCE)) {
            Ok(object) => object,
            Err(full) => {
                self.give_up(closure);
                return Err(full.into());
            }
        };
        object.set(layout::SLOT, crate::heap::NO_SLOT as u64);
        let handle = Own::new(Resource::of(object));
        match self.begin_call(closure, Keeper::Handle, is_ref) {
            Ok(id) => {
                let slot = self.table.insert(Entry::Task(id));
                object.set(layout::SLOT, slot as u64);
                Ok(handle)
            }
            Err(trap) => {
                self.give_up(handle);
                Err(trap)
            }
        }
    }

    pub(super) fn begin_call(
        &mut self,
        closure: Own<Closure>,
        keeper: Keeper,
        is_ref: bool,
    ) -> Result<TaskId, Trap> {
        let call = Call::new(self, closure).map_err(|failure| Trap::native(failure.message))?;
        if let Err(full) = self.heap.charge(TASK_SIZE) {
            Box::new(call).close(self);
            return Err(full.into());
        }
        Ok(self.begin(Box::new(call), TASK_SIZE, keeper, is_ref))
    }

    /// Begins a task without a stack, which nobody waits for.
    pub(crate) fn begin_work(&mut self, work: Box<dyn Work>) -> TaskId {
        self.begin(work, 0, Keeper::Nobody, false)
    }

    /// Runs the deferred blocks of what was abandoned, in a task, when there are any; what waits for its end.
    pub(crate) fn run_deferred(&mut self) -> Option<DeferredDone> {
        if !self.has_left() {
            return None;
        }
        let work = Deferred::new(self.take_left());
        let over = work.over();
        let task = self.begin(Box::new(work), 0, Keeper::Deferred, false);
        self.tasks.deferring += 1;
        Some(DeferredDone { task, over })
    }

    /// As [`Scope::run_deferred`], when nobody waits for them. The end of a scope takes them itself.
    #[inline]
    pub(crate) fn run_left(&mut self) {
        if self.has_left() && !self.is_ending {
            let _ = self.run_deferred();
        }
    }

    fn begin(&mut self, work: Box<dyn Work>, size: usize, keeper: Keeper, is_ref: bool) -> TaskId {
        let tasks = &mut self.tasks;
        let at = tasks.free.pop().unwrap_or(tasks.slots.len() as u32);
        if at as usize == tasks.slots.len() {
            tasks.slots.push(None);
        }
        let signal = tasks.ready.signal(at);
        let waker = Waker::from(signal);
        waker.wake_by_ref();
        let state = State::Idle(work);
        tasks.slots[at as usize] =
            Some(Task { state, waker, keeper, is_ref, size, is_outside: true, waiters: Vec::new() });
        tasks.running += 1;
        tasks.outside += 1;
        self.worker.counters.tasks.add(1);
        TaskId(at)
    }

    fn task(&mut self, id: TaskId) -> &mut Task {
        self.tasks.slots[id.0 as usize].as_mut().expect("an id is that of a task that somebody keeps")
    }

    /// What became of a task that its handle keeps.
    pub(crate) fn outcome(&mut self, id: TaskId, waker: &Waker) -> Outcome {
        let task = self.task(id);
        match task.state {
            State::Done(word) => Outcome::Done(word),
            State::Cancelled => Outcome::Cancelled,
            State::Idle(_) | State::Polled(_) => {
                self.await_end(id, waker);
                Outcome::Running
            }
        }
    }

    /// Lets the end of a task wake `waker`; not where the task has ended.
    fn await_end(&mut self, id: TaskId, waker: &Waker) -> bool {
        let task = self.task(id);
        if !task.waiters.iter().any(|of| of.will_wake(waker)) {
            task.waiters.push(waker.clone());
        }
        matches!(task.state, State::Idle(_) | State::Polled(_))
    }

    /// The task behind a handle.
    pub(crate) fn task_of(&self, handle: Resource) -> TaskId {
        match &self.table.entries[handle.object().get(layout::SLOT) as usize] {
            Entry::Task(id) => *id,
            _ => unreachable!("a Task's slot holds its task"),
        }
    }

    // ---- running them

    /// Goes on with the scope's main work and its tasks as long as one of them is ready. A trap in a task is the error.
    pub(crate) fn poll_all<M: Main>(
        &mut self,
        main: &mut M,
        cx: &mut Context<'_>,
    ) -> Poll<Result<M::Output, Failure>> {
        self.run_left();
        match self.tasks.main.clone() {
            None => {
                if let Poll::Ready(output) = main.poll(self, cx) {
                    return Poll::Ready(Ok(output));
                }
                if self.tasks.running == 0 {
                    // A stop is no wait; whether it is stuck is seen in the next turn.
                    ready!(self.poll_turn(cx));
                    return if main.waits_inside(self) { self.all_stuck(main) } else { Poll::Pending };
                }
                // It is asked again with a waker of its own, behind the tasks that it began.
                let waker = Waker::from(self.tasks.ready.signal(MAIN));
                waker.wake_by_ref();
                self.tasks.main = Some(waker);
            }
            Some(waker) => {
                self.tasks.ready.disarm();
                if let Poll::Ready(output) = main.poll(self, &mut Context::from_waker(&waker)) {
                    // Nor does a stream that is always ready hold up the tasks.
                    let next = self.tasks.ready.take().filter(|at| *at != MAIN);
                    return Poll::Ready(
                        next.map_or(Ok(()), |at| self.poll_task(TaskId(at))).map(|()| output),
                    );
                }
            }
        }
        let waker = self.tasks.main.clone().expect("set above");
        for _ in 0..POLLS {
            if self.worker.is_stopped() {
                return yield_turn(cx);
            }
            match self.tasks.ready.take() {
                Some(MAIN) => {
                    if let Poll::Ready(output) = main.poll(self, &mut Context::from_waker(&waker)) {
                        return Poll::Ready(Ok(output));
                    }
                }
                Some(at) => {
                    if let Err(failure) = self.poll_task(TaskId(at)) {
                        return Poll::Ready(Err(failure));
                    }
                }
                None if self.tasks.outside == 0 && main.waits_inside(self) => return self.all_stuck(main),
                None => {
                    if self.tasks.ready.arm(cx.waker()) {
                        return Poll::Pending;
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Goes on with the tasks that are ready while nobody asks for the main work; the waker is told of the next one. A trap is the
    /// error.
    pub(crate) fn poll_tasks(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.tasks.ready.disarm();
        for _ in 0..POLLS {
            if self.poll_turn(cx).is_pending() {
                return Ok(());
            }
            match self.tasks.ready.take() {
                // Whoever asks for it polls it first.
                Some(MAIN) => {}
                Some(at) => self.poll_task(TaskId(at))?,
                None if self.tasks.ready.arm(cx.waker()) => return Ok(()),
                None => {}
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Nothing of the scope will ever go on.
    #[cold]
    fn all_stuck<M: Main>(&mut self, main: &mut M) -> Poll<Result<M::Output, Failure>> {
        let trap = Trap::native(
            "deadlock: everything that runs here waits for a channel or a task, and nothing is left that could go on",
        );
        Poll::Ready(Err(main.stuck(self, &trap)))
    }

    fn poll_task(&mut self, id: TaskId) -> Result<(), Failure> {
        // A late wake of one that ended.
        let Some(task) = &mut self.tasks.slots[id.0 as usize] else { return Ok(()) };
        if !matches!(task.state, State::Idle(_)) {
            return Ok(());
        }
        let waker = task.waker.clone();
        let State::Idle(mut work) = mem::replace(&mut task.state, State::Polled(false)) else {
            unreachable!("looked at above");
        };
        let polled = work.poll(self, &mut Context::from_waker(&waker));
        let is_doomed = matches!(self.task(id).state, State::Polled(true));
        match polled {
            Poll::Ready(Err(failure)) => {
                // Its scope ends, and gives it back then.
                self.task(id).state = State::Idle(work);
                Err(failure)
            }
            Poll::Pending if !is_doomed => {
                let is_outside = !work.waits_inside(self);
                let task = self.task(id);
                task.state = State::Idle(work);
                let was_outside = mem::replace(&mut task.is_outside, is_outside);
                self.tasks.outside = self.tasks.outside - was_outside as usize + is_outside as usize;
                Ok(())
            }
            Poll::Ready(Ok(word)) if !is_doomed => {
                work.close(self);
                // Giving up what it had may have been its own end.
                if matches!(self.task(id).state, State::Polled(true)) {
                    self.give_up_result(id, word);
                    self.end_cancelled(id);
                } else {
                    self.end_done(id, word);
                }
                Ok(())
            }
            polled => {
                if let Poll::Ready(Ok(word)) = polled {
                    self.give_up_result(id, word);
                }
                work.close(self);
                self.end_cancelled(id);
                Ok(())
            }
        }
    }

    fn give_up_result(&mut self, id: TaskId, word: Word) {
        if self.task(id).is_ref {
            // SAFETY: a task's result of a reference type, which nobody else took.
            unsafe { self.drop_word(word) };
        }
    }

    /// Notes that a task does not run any more, and wakes who waits for that.
    fn leave(&mut self, id: TaskId) -> Keeper {
        let task = self.task(id);
        let (keeper, size, was_outside) = (task.keeper, task.size, task.is_outside);
        for waiter in mem::take(&mut task.waiters) {
            waiter.wake();
        }
        self.heap.uncharge(size);
        self.worker.counters.tasks.add(-1);
        self.tasks.running -= 1;
        self.tasks.outside -= was_outside as usize;
        self.tasks.deferring -= (keeper == Keeper::Deferred) as usize;
        keeper
    }

    fn end_done(&mut self, id: TaskId, word: Word) {
        match self.leave(id) {
            Keeper::Handle => self.task(id).state = State::Done(word),
            Keeper::Group(group, at) => {
                let is_ref = self.task(id).is_ref;
                self.free_task(id);
                self.group_has(group, at, word, is_ref);
            }
            Keeper::Nobody | Keeper::Deferred => {
                self.give_up_result(id, word);
                self.free_task(id);
            }
        }
    }

    fn end_cancelled(&mut self, id: TaskId) {
        match self.leave(id) {
            Keeper::Handle => self.task(id).state = State::Cancelled,
            Keeper::Group(group, at) => {
                self.free_task(id);
                self.group_lost(group, at);
            }
            Keeper::Nobody | Keeper::Deferred => self.free_task(id),
        }
    }

    fn free_task(&mut self, id: TaskId) {
        self.tasks.slots[id.0 as usize] = None;
        self.tasks.free.push(id.0);
    }

    // ---- ending them

    /// Cancels a task, unless it has ended: what it waits for is closed, what it owns is given back, its deferred blocks run.
    /// One that is further up on the stack ends as soon as it waits.
    pub(crate) fn cancel_task(&mut self, id: TaskId) {
        self.tasks.doomed.push(id);
        // One that falls with another one.
        if mem::replace(&mut self.tasks.is_cancelling, true) {
            return;
        }
        while let Some(id) = self.tasks.doomed.pop() {
            let Some(task) = &mut self.tasks.slots[id.0 as usize] else { continue };
            match mem::replace(&mut task.state, State::Polled(true)) {
                State::Idle(work) => {
                    work.close(self);
                    self.end_cancelled(id);
                }
                State::Polled(_) => {}
                ended => task.state = ended,
            }
        }
        self.tasks.is_cancelling = false;
        self.run_left();
    }

    /// The handle of a task is gone.
    pub(super) fn detach_task(&mut self, id: TaskId) {
        let task = self.task(id);
        match task.state {
            State::Idle(_) | State::Polled(_) => self.orphan(id),
            State::Done(word) => {
                self.give_up_result(id, word);
                self.free_task(id);
            }
            State::Cancelled => self.free_task(id),
        }
    }

    /// Nobody has the result of a task any more.
    pub(super) fn orphan(&mut self, id: TaskId) {
        self.task(id).keeper = Keeper::Nobody;
    }

    /// Cancels all tasks but those that run deferred blocks, for a scope that ends.
    pub(crate) fn cancel_all(&mut self) {
        for at in (0..self.tasks.slots.len()).rev() {
            if self.tasks.slots[at].as_ref().is_some_and(|task| task.keeper != Keeper::Deferred) {
                self.cancel_task(TaskId(at as u32));
            }
        }
    }
}

#[cfg(test)]
mod tests;
