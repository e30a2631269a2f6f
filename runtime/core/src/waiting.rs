//! Work that natives hand off, so that no worker waits for it.
//!
//! In: a job for the blocking pool, or a future, and what to make of its result. Out: an [`Operation`] for the scope.
//! Invariants: a job owns all that it looks at, for nobody can stop it: when its scope goes, it goes on alone and its result is
//! dropped. What it owns counts as the heap's until it is done. `finish` runs on the worker's stack; handles that it holds
//! are those of borrowed arguments, which the suspended caller keeps.

use crate::heap::{Full, Word};
use crate::natives::Flow;
use crate::scope::{Operation, Scope};
use crate::steps::STEP;
use crate::value::Text;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};
use weir_abi::trap::Trap;

/// Runs `job` on the blocking pool and gives what `finish` makes of its result. `held` bytes of input are charged meanwhile.
pub fn on_pool<T, J, F>(scope: &mut Scope, held: usize, job: J, finish: F) -> Result<Flow, Trap>
where
    T: Send + 'static,
    J: FnOnce() -> T + Send + 'static,
    F: FnOnce(&mut Scope, T) -> Result<Word, Trap> + 'static,
{
    scope.heap_mut().charge(held)?;
    let finish = move |scope: &mut Scope, result| finish(scope, result).map(Flow::Done);
    scope.pending = Some(Box::new(Pooled { job: Job::New(job), finish: Some(finish), held, then: None }));
    Ok(Flow::Wait)
}

/// Runs `job` on the blocking pool with copies of texts, which are made turn by turn: the caller holds the texts until then, and the
/// copies are charged until the job is done. What `finish` makes of its result may take steps.
pub fn copied_to_pool<const N: usize, T, J, F>(
    scope: &mut Scope,
    texts: [Text; N],
    job: J,
    finish: F,
) -> Result<Flow, Trap>
where
    T: Send + 'static,
    J: FnOnce([String; N]) -> T + Send + 'static,
    F: FnOnce(&mut Scope, T) -> Result<Flow, Trap> + 'static,
{
    let held = texts.iter().fold(0, |sum: usize, text| sum.saturating_add(text.len()));
    if held > scope.heap().room() {
        return Err(Full.into());
    }
    let copies = texts.map(|text| String::with_capacity(text.len()));
    scope.pending =
        Some(Box::new(Copying { texts, copies, held, job: Some(job), finish: Some(finish), then: None }));
    Ok(Flow::Wait)
}

/// Texts that are copied for a job.
struct Copying<const N: usize, J, F> {
    texts: [Text; N],
    copies: [String; N],
    held: usize,
    job: Option<J>,
    finish: Option<F>,
    /// The job, once it has them.
    then: Option<Box<dyn Operation>>,
}

impl<const N: usize, T, J, F> Operation for Copying<N, J, F>
where
    T: Send + 'static,
    J: FnOnce([String; N]) -> T + Send + 'static,
    F: FnOnce(&mut Scope, T) -> Result<Flow, Trap> + 'static,
{
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        if self.then.is_none() {
            for (text, copy) in self.texts.iter().zip(&mut self.copies) {
                while copy.len() < text.len() {
                    ready!(scope.poll_turn(cx));
                    copy.push_str(text.window(copy.len(), STEP));
                }
            }
            let job = self.job.take().expect("a job is handed over once");
            let finish = self.finish.take().expect("likewise");
            let copies = mem::replace(&mut self.copies, [const { String::new() }; N]);
            scope.heap_mut().charge(self.held)?;
            let (job, finish) = (Job::New(move || job(copies)), Some(finish));
            self.then = Some(Box::new(Pooled { job, finish, held: self.held, then: None }));
        }
        let polled = self.then.as_mut().expect("a job is waited for").poll(scope, cx);
        if polled.is_pending() {
            // What is copied to the pool is computed there.
            scope.note_work();
        }
        polled
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(then) = self.then {
            then.close(scope);
        }
    }
}

/// Awaits `future` and gives what `finish` makes of its result. It is made within a tokio runtime, but knows no scope.
pub fn on_future<T, A, F>(scope: &mut Scope, future: A, finish: F) -> Flow
where
    T: 'static,
    A: Future<Output = T> + 'static,
    F: FnOnce(&mut Scope, T) -> Result<Word, Trap> + 'static,
{
    scope.pending = Some(Box::new(Awaited { future: Box::pin(future), finish: Some(finish) }));
    Flow::Wait
}

enum Job<J, T> {
    /// Not handed to the pool yet.
    New(J),
    Running(JoinHandle<T>),
    /// Being handed over.
    Moving,
}

struct Pooled<T, J, F> {
    job: Job<J, T>,
    finish: Option<F>,
    held: usize,
    /// What `finish` goes on with.
    then: Option<Box<dyn Operation>>,
}

impl<T, J, F> Operation for Pooled<T, J, F>
where
    T: Send + 'static,
    J: FnOnce() -> T + Send + 'static,
    F: FnOnce(&mut Scope, T) -> Result<Flow, Trap>,
{
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        if let Some(then) = &mut self.then {
            return then.poll(scope, cx);
        }
        if matches!(self.job, Job::New(_))
            && let Job::New(job) = mem::replace(&mut self.job, Job::Moving)
        {
            self.job = Job::Running(spawn_blocking(job));
        }
        let Job::Running(handle) = &mut self.job else { unreachable!("a job runs once it is polled") };
        let result = ready!(Pin::new(handle).poll(cx));
        scope.heap_mut().uncharge(self.held);
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                return Poll::Ready(Err(Trap::native(format!(
                    "a native panicked, which is a bug of Weir: {error}"
                ))));
            }
        };
        let finish = self.finish.take().expect("an operation is ready once");
        match finish(scope, value)? {
            Flow::Done(word) => Poll::Ready(Ok(word)),
            Flow::Wait => {
                let then = scope.pending.take().expect("what waits says for what");
                self.then.insert(then).poll(scope, cx)
            }
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        if let Some(then) = self.then {
            then.close(scope);
        }
    }
}

struct Awaited<A, F> {
    future: Pin<Box<A>>,
    finish: Option<F>,
}

impl<T, A, F> Operation for Awaited<A, F>
where
    A: Future<Output = T>,
    F: FnOnce(&mut Scope, T) -> Result<Word, Trap>,
{
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        let value = ready!(self.future.as_mut().poll(cx));
        let finish = self.finish.take().expect("an operation is ready once");
        Poll::Ready(finish(scope, value))
    }
}
