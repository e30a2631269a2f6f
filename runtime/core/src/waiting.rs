//! Work that natives hand off, so that no worker waits for it.
//!
//! In: a job for the blocking pool, or a future, and what to make of its result. Out: an [`Operation`] for the scope.
//! Invariants: a job owns all that it looks at, for nobody can stop it: when its scope goes, it goes on alone and its result is
//! dropped. What it owns counts as the heap's until it is done. `finish` runs on the worker's stack; handles that it holds
//! are those of borrowed arguments, which the suspended caller keeps.

use crate::heap::Word;
use crate::natives::Flow;
use crate::scope::{Operation, Scope};
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
    scope.pending = Some(Box::new(Pooled { job: Job::New(job), finish: Some(finish), held }));
    Ok(Flow::Wait)
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
}

impl<T, J, F> Operation for Pooled<T, J, F>
where
    T: Send + 'static,
    J: FnOnce() -> T + Send + 'static,
    F: FnOnce(&mut Scope, T) -> Result<Word, Trap>,
{
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        if matches!(self.job, Job::New(_))
            && let Job::New(job) = std::mem::replace(&mut self.job, Job::Moving)
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
        Poll::Ready(finish(scope, value))
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
