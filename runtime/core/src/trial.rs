//! Runs a version's tests.
//!
//! In: a version whose main program has run, the index of a test. Out: nothing, or the failure that ended it.
//! Invariant: each test runs in a scope of its own; a trap ends that scope only.

use crate::app::{App, Pinned};
use crate::failure::Failure;
use crate::limits::NO_LIMIT;
use crate::output;
use crate::run::Run;
use crate::scope::Scope;
use crate::start::run_to_end;
use crate::worker::Worker;
use std::rc::Rc;
use std::sync::Arc;

impl App {
    /// Runs the test with that index of the module on this thread until it ends. What it printed is written then.
    ///
    /// # Errors
    /// Its trap with the stack trace, an error that it did not look at, or a system without memory for it.
    pub fn test(self: &Arc<Self>, index: usize) -> Result<(), Failure> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().max_blocking_threads(weir_http::BLOCKING_THREADS).build();
        let runtime =
            runtime.map_err(|error| Failure::new(500, format!("the runtime cannot be started: {error}")))?;
        let result = runtime.block_on(run_test(self, index));
        // A blocked name resolution is not waited for.
        runtime.shutdown_background();
        output::STDOUT.flush_own();
        result
    }
}

async fn run_test(app: &Arc<App>, index: usize) -> Result<(), Failure> {
    let worker = Rc::new(Worker::new());
    let mut scope = Scope::new(Pinned::new(Arc::clone(app)), Rc::clone(&worker));
    let run = Run::new_main(&scope, app.module().tests[index].0)?;
    run_to_end(&mut scope, run, NO_LIMIT).await?;
    let ended = scope.ended.take();
    if cfg!(feature = "stress") {
        scope.free_all_late();
        assert_eq!(scope.heap().live(), 0, "objects of a test are left");
    }
    ended.map_or(Ok(()), Err)
}
