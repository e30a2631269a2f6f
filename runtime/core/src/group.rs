//! A child process that leads a group of its own, from its start until it is reaped.
//!
//! In: a command. Out: how it ended. It may start others, which belong to its group as long as they do not leave it.
//! Invariants: whoever gives a leader up ends its whole group: [`Leader::end`] with TERM and a grace, dropping it at once. The leader
//! is reaped last: until then the system gives its number, which is the group's, to nobody else.
//! Not here: what a child reads and writes (`child`, `stream::exec`).

use crate::afterwork::Afterwork;
use crate::counters::Counters;
use rustix::process::{Pid, Signal, kill_process_group};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::time::timeout;

#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
#[cfg(target_os = "linux")]
use tokio::io::{Interest, unix::AsyncFd};

/// How long a leader that was asked to end may take. As long as the `defer`s of a scope.
const GRACE: Duration = Duration::from_secs(2);

/// The groups that are to end with the process.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn groups() -> MutexGuard<'static, Vec<Pid>> {
    // Every change of it is one call.
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills all children with their groups, for a process that ends at once.
pub fn kill_children() {
    for group in groups().drain(..) {
        // It may have ended just now.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// A running child that leads its group.
pub struct Leader {
    child: Child,
    group: Option<Pid>,
    /// Readable when it has ended, before it is reaped. Without one it is reaped first.
    #[cfg(target_os = "linux")]
    exit: Option<AsyncFd<OwnedFd>>,
    counters: &'static Counters,
}

impl Leader {
    /// Starts it, at the head of a new group. Called in a tokio runtime.
    ///
    /// # Errors
    /// What the system says when it cannot be started.
    pub fn spawn(command: &mut Command, counters: &'static Counters) -> io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        counters.children.add(1);
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            groups().push(group);
        }
        #[cfg(target_os = "linux")]
        let exit = group.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()).and_then(|fd| {
            // SAFETY: an OwnedFd is open until it is dropped and always names the same descriptor; the AsyncFd owns it from here.
            unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.ok()
        });
        Ok(Self {
            child,
            group,
            #[cfg(target_os = "linux")]
            exit,
            counters,
        })
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for the leader alone; those that it started and that go on are let go.
    ///
    /// # Errors
    /// When the system does not say how it ended.
    pub async fn left(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.forget();
        Ok(status)
    }

    /// Waits for the leader, and kills what is left of its group.
    pub fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        #[cfg(target_os = "linux")]
        if let Some(exit) = &self.exit {
            ready!(exit.poll_read_ready(cx))?.retain_ready();
            self.signal(Signal::KILL);
            self.forget();
        }
        let status = ready!(pin!(self.child.wait()).poll(cx))?;
        // Where its end cannot be seen before it is reaped.
        self.signal(Signal::KILL);
        self.forget();
        Poll::Ready(Ok(status))
    }

    /// Asks the group to end; what has not ended with its leader, or in time, is killed. Nobody waits for that but the worker's end.
    pub fn end(mut self) {
        // Without a runtime, nobody could wait: dropping kills.
        let Ok(runtime) = Handle::try_current() else { return };
        self.signal(Signal::TERM);
        let afterwork = Afterwork::begin();
        runtime.spawn(async move {
            let _afterwork = afterwork;
            if timeout(GRACE, poll_fn(|cx| self.poll_ended(cx))).await.is_err() {
                self.signal(Signal::KILL);
                // A killed process ends; one that does not hangs in the kernel.
                let _ = timeout(GRACE, poll_fn(|cx| self.poll_ended(cx))).await;
            }
        });
    }

    /// Nothing of it is to be ended any more.
    fn forget(&mut self) {
        if let Some(group) = self.group.take() {
            groups().retain(|known| *known != group);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // All of it may have ended just now.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.forget();
        self.counters.children.add(-1);
    }
}
