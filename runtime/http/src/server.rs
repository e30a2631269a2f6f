//! The server: workers, the accept loop, start and end.
//!
//! ```text
//!   listeners --accept--> the worker with the fewest connections --> one task per connection
//! ```
//!
//! With one worker it accepts itself; with several, the thread that called [`Bound::serve`] accepts and hands
//! each connection over once. Invariant: a connection never leaves its worker.

use std::io;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, LocalRuntime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until, timeout};

use crate::accept::{Accepted, Gate, accept_all};
use crate::counters::Counters;
use crate::limits::Limits;
use crate::listen::{Address, BindError, Listen, Listener, bind};
use crate::local::LocalServer;
use crate::service::Service;
use crate::shutdown::{ShutdownHandle, Wish};
use crate::worker::Phase;

/// How many threads of a worker may wait for what the kernel gives no readiness for: files, names. More jobs queue. Arbitrary: a
/// disk is busy with far fewer.
pub const BLOCKING_THREADS: usize = 64;

/// After a cut: how long connections have to notice it, and the service to end its own work.
const CUT_TIME: Duration = Duration::from_secs(1);
const LAST_WORK: Duration = Duration::from_secs(3);
/// Stack of a worker; services run on it. Only touched pages cost memory.
const WORKER_STACK: usize = 8 * 1024 * 1024;

/// Entry point of the engine.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Listens on every address, or on none: from here on clients can connect, and wait until
    /// [`Bound::serve`].
    pub fn bind(listens: &[Listen]) -> Result<Bound, BindError> {
        let mut listeners = Vec::new();
        for listen in listens {
            listeners.extend(bind(listen)?);
        }
        Ok(Bound { listeners, counters: Arc::default() })
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<Listener>,
    counters: Arc<Counters>,
}

impl Bound {
    /// The addresses, with the ports that were picked.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.listeners.iter().map(|listener| &listener.address)
    }

    /// The server's counters.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Serves until `shutdown` is drained or cut; returns when every worker has ended.
    ///
    /// `make_service` is called once on each worker's thread, inside its runtime (tasks can be spawned locally).
    /// A panic of it, or of a worker, cuts the server and is passed on to the caller.
    pub fn serve<S, F>(
        self,
        workers: usize,
        limits: Limits,
        make_service: F,
        shutdown: ShutdownHandle,
    ) -> io::Result<()>
    where
        S: Service,
        F: Fn(usize) -> S + Send + Sync + 'static,
    {
        let workers = workers.max(1);
        self.counters.start(workers);
        let make_service = Arc::new(make_service);
        let (mut threads, mut senders) = (Vec::new(), Vec::new());
        let mut listeners = self.listeners;
        for index in 0..workers {
            let source = if workers == 1 {
                Source::Listeners(std::mem::take(&mut listeners))
            } else {
                let (sender, receiver) = unbounded_channel();
                senders.push(sender);
                Source::Handed(receiver)
            };
            let (limits, counters) = (limits.clone(), Arc::clone(&self.counters));
            let (make_service, wish) = (Arc::clone(&make_service), shutdown.watch());
            let cut = CutOnFailure { shutdown: shutdown.clone(), failed: true };
            let body = move || -> io::Result<()> {
                let mut cut = cut;
                let runtime = runtime()?;
                let ended = runtime.block_on(work(limits, counters, index, &*make_service, wish, source));
                // What blocks a thread, such as resolving a name, is not waited for.
                runtime.shutdown_background();
                cut.failed = ended.is_err();
                ended
            };
            let builder = thread::Builder::new().name(format!("worker-{index}")).stack_size(WORKER_STACK);
            match builder.spawn(body) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    shutdown.cut();
                    return Err(error);
                }
            }
        }
        let mut result = Ok(());
        if workers > 1 {
            let gate = Gate {
                counters: self.counters,
                limits,
                deliver: move |worker: usize, accepted| {
                    // A worker that has ended drops the connection, and with it its slot.
                    let _ = senders[worker].send(accepted);
                },
            };
            result =
                runtime().and_then(|runtime| runtime.block_on(accept_all(listeners, gate, shutdown.watch())));
            if result.is_err() {
                shutdown.cut();
            }
        }
        for thread in threads {
            match thread.join() {
                Ok(ended) => result = result.and(ended),
                Err(payload) => resume_unwind(payload),
            }
        }
        result
    }
}

/// Where a worker gets its connections.
enum Source {
    Listeners(Vec<Listener>),
    Handed(UnboundedReceiver<Accepted>),
}

/// Cuts the server when a worker fails or panics: no connection may be handed to a dead worker.
struct CutOnFailure {
    shutdown: ShutdownHandle,
    failed: bool,
}

impl Drop for CutOnFailure {
    fn drop(&mut self) {
        if self.failed {
            self.shutdown.cut();
        }
    }
}

fn runtime() -> io::Result<LocalRuntime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build_local(Default::default())
}

/// A worker from start to end.
async fn work<S: Service>(
    limits: Limits,
    counters: Arc<Counters>,
    index: usize,
    make_service: &impl Fn(usize) -> S,
    mut wish: Wish,
    source: Source,
) -> io::Result<()> {
    let server = LocalServer::with_counters(make_service(index), limits, Arc::clone(&counters), index);
    let drain = {
        let (server, mut wish) = (server.clone(), wish.clone());
        spawn_local(async move {
            wish.reached(Phase::Draining).await;
            let deadline = Instant::now() + server.limits().drain_timeout;
            server.service().draining(deadline);
            server.drain();
            deadline
        })
    };
    let spawn = {
        let server = server.clone();
        move |_worker: usize, Accepted { socket, peer, slot }: Accepted| {
            spawn_local(server.serve_slot(socket, peer, slot));
        }
    };
    // Either ends when the server drains, once everything that had connected is here.
    match source {
        Source::Listeners(listeners) => {
            let gate = Gate { counters, limits: server.limits().clone(), deliver: spawn };
            accept_all(listeners, gate, wish.clone()).await?;
        }
        Source::Handed(mut handed) => {
            while let Some(accepted) = handed.recv().await {
                spawn(index, accepted);
            }
        }
    }
    // A closed channel without a wish means that the accepting thread failed, and cuts.
    let deadline = drain.await.map_err(io::Error::other)?;
    tokio::select! {
        () = server.emptied() => {}
        () = sleep_until(deadline) => {}
        () = wish.reached(Phase::Cut) => {}
    }
    server.cut();
    // What does not notice the cut in time goes with the runtime.
    let _ = timeout(CUT_TIME, server.emptied()).await;
    let mut drained = pin!(server.service().drained());
    tokio::select! {
        () = &mut drained => return Ok(()),
        () = sleep_until(deadline) => {}
        () = wish.reached(Phase::Cut) => {}
    }
    server.service().cut();
    // Likewise.
    let _ = timeout(LAST_WORK, drained).await;
    Ok(())
}

/// Raises the soft limit on open files to the hard one; returns the limit that holds then, `None` if unlimited.
pub fn raise_file_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    // Some systems refuse their own maximum; the old limit holds then.
    if setrlimit(Resource::Nofile, limit).is_ok() { getrlimit(Resource::Nofile).current } else { before }
}
