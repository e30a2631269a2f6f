//! Runs a version's tests.
//!
//! In: a version whose main program has run, the index of a test. Out: nothing, or the failure that ended it.
//! Invariant: each test runs in a scope of its own; a trap ends that scope only.

use crate::afterwork;
use crate::app::{App, Pinned};
use crate::background;
use crate::failure::Failure;
use crate::limits::NO_LIMIT;
use crate::output;
use crate::run::Run;
use crate::scope::Scope;
use crate::start::{in_runtime, run_to_end};
use crate::worker::Worker;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a test's background work may go on behind its end; as long as a server's by default.
const BACKGROUND_TIME: Duration = Duration::from_secs(10);

impl App {
    /// Runs the test with that index of the module on this thread until it ends. What it printed is written then.
    ///
    /// # Errors
    /// Its trap with the stack trace, an error that it did not look at, or a system without memory for it.
    pub fn test(self: &Arc<Self>, index: usize) -> Result<(), Failure> {
        let result = in_runtime(async {
            let result = run_test(self, index).await;
            // What it put into the background as well, unless that goes on for ever.
            let mut finished = pin!(afterwork::finished());
            if timeout(BACKGROUND_TIME, &mut finished).await.is_err() {
                background::cancel_all();
                finished.await;
            }
            result
        });
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
