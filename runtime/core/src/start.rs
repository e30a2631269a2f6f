//! Starts a version: runs its main program and freezes its globals.
//!
//! In: a module, arguments, limits. Out: an [`App`] that any thread may use, or the failure that ended the program.
//! Invariant: when the program has ended, its globals and all that they reach are immortal, and their memory is the
//! version's; everything else of the program is gone.

use crate::afterwork;
use crate::app::{App, Pinned};
use crate::background;
use crate::deadline::Deadline;
use crate::ending::end_here;
use crate::failure::Failure;
use crate::heap::Word;
use crate::interrupt;
use crate::limits::{self, Limits};
use crate::log::LogFormat;
use crate::output;
use crate::run::Run;
use crate::scope::Scope;
use crate::value::Handle;
use crate::worker::Worker;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, ready};
use weir_abi::code::Module;
use weir_abi::trap::Trap;

/// In debug builds, an environment variable that makes a program tell at its end how many objects it copied because they
/// were to be changed and something else held them.
const SHOW_COPIES: &str = "WEIR_SHOW_COPIES";

impl App {
    /// Runs the main program on this thread until it ends. What it printed is written when this returns; what it put into the
    /// background waits for a worker.
    ///
    /// # Errors
    /// A trap of the program with its stack trace, an error that it did not look at, or a system without memory for it.
    pub fn start(module: Arc<Module>, args: Vec<String>, limits: Limits) -> Result<Arc<Self>, Failure> {
        in_runtime(async {
            let result = Self::run(module, args, limits).await;
            afterwork::finished().await;
            result
        })
    }

    /// Runs the main program on this thread, and then what it put into the background, until both have ended, or until somebody calls
    /// [`interrupt`](crate::interrupt()).
    ///
    /// # Errors
    /// As for [`App::start`]. What fails in the background is logged.
    pub fn perform(module: Arc<Module>, args: Vec<String>, limits: Limits) -> Result<Arc<Self>, Failure> {
        in_runtime(async {
            let app = Self::run(module, args, limits).await;
            if let Ok(app) = &app {
                background::begin_own(&Pinned::new(Arc::clone(app)), LogFormat::Human);
            }
            let mut finished = pin!(afterwork::finished());
            tokio::select! {
                () = &mut finished => {}
                () = poll_fn(interrupt::poll_wished) => {
                    background::cancel_all();
                    finished.await;
                }
            }
            output::STDOUT.flush_own();
            app
        })
    }

    /// As [`App::start`], inside a tokio runtime of the caller's.
    ///
    /// # Errors
    /// See there.
    pub async fn run(module: Arc<Module>, args: Vec<String>, limits: Limits) -> Result<Arc<Self>, Failure> {
        let app = Arc::new(Self::new(module, args, limits));
        let result = run_main(&app).await;
        output::STDOUT.flush_own();
        result.map(|()| app)
    }
}

/// Runs a future on this thread, with tasks of its own.
pub(crate) fn in_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let builder = builder.enable_all().max_blocking_threads(weir_http::BLOCKING_THREADS);
    let runtime = builder.build_local(Default::default());
    let runtime =
        runtime.map_err(|error| Failure::new(500, format!("the runtime cannot be started: {error}")))?;
    let result = runtime.block_on(work);
    // A blocked name resolution is not waited for.
    runtime.shutdown_background();
    result
}

/// Runs compiled code to its end, and what is put off then. What it printed is written before it waits. It fails when it takes
/// longer than `milliseconds`.
pub(crate) async fn run_to_end(scope: &mut Scope, mut run: Run, milliseconds: usize) -> Result<(), Failure> {
    let mut deadline = Deadline::new(milliseconds);
    let result = poll_fn(|cx| {
        scope.begin_turn();
        let polled = scope.poll_all(&mut run, cx);
        scope.end_turn();
        if polled.is_pending() {
            output::STDOUT.flush_own();
            if interrupt::poll_wished(cx).is_ready() {
                return Poll::Ready(Ok(Err(Failure::new(500, "the program was interrupted"))));
            }
            ready!(deadline.poll(cx));
            let time = limits::duration(milliseconds);
            let trap = Trap::budget(format!("the program has not ended within {time} (--start-timeout)"));
            return Poll::Ready(Ok(Err(run.fail(scope, &trap))));
        }
        polled
    })
    .await;
    let result = result.flatten().map(drop);
    end_here(scope, run).await;
    result
}

async fn run_main(app: &Arc<App>) -> Result<(), Failure> {
    // Memory of its own, which goes to the version.
    let mut scope = Scope::with_pages(Pinned::new(Arc::clone(app)), Worker::current(), Rc::default());
    scope.own_background = Some(Vec::new());
    let run = Run::new_main(&scope, app.module().main.0)?;
    run_to_end(&mut scope, run, app.limits().start_timeout).await?;
    if cfg!(debug_assertions) && std::env::var_os(SHOW_COPIES).is_some() {
        output::STDOUT.flush_own();
        output::STDERR.write(|out| out.extend_from_slice(format!("copies: {}\n", scope.copies).as_bytes()));
    }
    let ended = scope.ended.take();
    scope.free_all_late();
    let background: Vec<Word> =
        scope.own_background.take().into_iter().flatten().map(|closure| closure.get().word()).collect();
    // SAFETY: the program has ended, and nobody else has seen the version yet.
    let frozen = unsafe {
        let roots = app.global_refs().chain(background.iter().copied());
        scope.heap_mut().freeze(&app.module().shapes, roots)
    };
    // A deferred block that trapped gives nothing back.
    if cfg!(feature = "stress") && !scope.has_trapped {
        assert_eq!(scope.heap().live(), frozen, "objects that no global reaches are left");
    }
    if let Some(failure) = ended {
        return Err(failure);
    }
    let (heap, buffers) = scope.into_memory();
    // SAFETY: the scope is gone, so heap and buffers refer to each other only.
    unsafe {
        app.keep(Box::new((heap, buffers)));
        app.put_background(background);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
