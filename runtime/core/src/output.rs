//! Standard output and standard error of the process.
//!
//! In: lines. Out: writes. A program's own output is buffered and written by the program's thread; when it serves, a
//! thread of its own writes, so that no worker waits for a slow reader: standard output then holds its writers back, while
//! standard error drops lines and says how many.
//! Invariants: lines are written whole and in order; what was printed is written before the program waits or ends.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// How much a program's buffer holds before it is written.
const BUFFER: usize = 64 * 1024;
/// How much waits for the writing thread before printing waits, or lines are dropped.
const QUEUE: usize = 1024 * 1024;
/// How long the thread lets lines gather that nobody waits for.
const GATHER: Duration = Duration::from_millis(100);
/// How long the end of the process waits for a slow reader.
const LAST_WRITE: Duration = Duration::from_secs(1);
/// The exit code of a program whose reader went away: as if ended by SIGPIPE.
const BROKEN_PIPE: i32 = 128 + 13;

/// Where an output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Stdout,
    Stderr,
}

/// One of the process's outputs.
pub struct Output {
    target: Target,
    state: Mutex<State>,
    filled: Condvar,
    /// Told when the thread has nothing in flight.
    written: Condvar,
}

struct State {
    /// Written by whoever prints (`None`), or by a thread: whether it was started.
    thread: Option<bool>,
    buffer: Vec<u8>,
    /// Whether to write each line at once; looked up at first use.
    by_line: Option<bool>,
    /// Nobody reads any more; everything is dropped.
    closed: bool,
    /// Lines dropped since the last were written.
    dropped: u64,
    /// Fibers that wait for room.
    waiting: VecDeque<Waker>,
    /// Somebody wants it written now.
    urgent: bool,
    /// The thread holds lines that it has not written.
    in_flight: bool,
}

/// What `print` writes to.
pub static STDOUT: Output = Output::new(Target::Stdout);
/// What `warn` and the log write to.
pub static STDERR: Output = Output::new(Target::Stderr);

/// From here on threads write, and no reader that went away ends the process.
pub fn serve() {
    STDOUT.flush();
    for output in [&STDOUT, &STDERR] {
        let mut state = output.lock();
        state.thread.get_or_insert(false);
    }
}

/// Writes what is there, before the process ends.
pub fn finish() {
    for output in [&STDOUT, &STDERR] {
        output.flush();
    }
}

impl Output {
    const fn new(target: Target) -> Self {
        let state = State {
            thread: None,
            buffer: Vec::new(),
            by_line: None,
            closed: false,
            dropped: 0,
            waiting: VecDeque::new(),
            urgent: false,
            in_flight: false,
        };
        Self { target, state: Mutex::new(state), filled: Condvar::new(), written: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves at worst a part of a line.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Appends what `write` appends. `false` when its reader is slow: then the caller waits with [`Output::poll_room`], or
    /// for standard error the lines were dropped.
    pub fn write(&'static self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut state = self.lock();
        if state.closed {
            return true;
        }
        let Some(started) = state.thread else {
            write(&mut state.buffer);
            if state.buffer.len() >= BUFFER || self.is_by_line(&mut state) {
                self.write_out(&mut state);
            }
            return true;
        };
        if self.target == Target::Stderr && state.buffer.len() >= QUEUE {
            state.dropped += 1;
            return false;
        }
        let was_empty = state.buffer.is_empty();
        write(&mut state.buffer);
        if !started {
            state.thread = Some(true);
            let name = if self.target == Target::Stdout { "stdout" } else { "stderr" };
            // Without a thread, the next writer tries again; what is printed stays in the buffer.
            if thread::Builder::new().name(name.to_owned()).spawn(move || self.write_for_ever()).is_err() {
                state.thread = Some(false);
            }
        }
        if was_empty {
            self.filled.notify_one();
        }
        self.target == Target::Stderr || state.buffer.len() < QUEUE
    }

    fn is_by_line(&self, state: &mut State) -> bool {
        let by_line = || match self.target {
            Target::Stdout => io::stdout().is_terminal(),
            Target::Stderr => true,
        };
        *state.by_line.get_or_insert_with(by_line)
    }

    /// Ready when there is room again.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.closed || state.thread.is_none() || state.buffer.len() < QUEUE {
            return Poll::Ready(());
        }
        state.urgent = true;
        state.waiting.push_back(cx.waker().clone());
        self.filled.notify_one();
        Poll::Pending
    }

    /// Writes everything that is there, on this thread. What the other thread is writing gets [`LAST_WRITE`].
    pub fn flush(&self) {
        let state = self.lock();
        let waited = self.written.wait_timeout_while(state, LAST_WRITE, |s| s.in_flight);
        let (mut state, _) = waited.unwrap_or_else(|e| e.into_inner());
        if !state.buffer.is_empty() {
            self.write_out(&mut state);
        }
    }

    /// Writes everything that is there, unless a thread does so anyway.
    pub fn flush_own(&self) {
        let mut state = self.lock();
        if state.thread.is_none() && !state.buffer.is_empty() {
            self.write_out(&mut state);
        }
    }

    fn write_out(&self, state: &mut State) {
        let bytes = std::mem::take(&mut state.buffer);
        let result = self.put(&bytes);
        state.buffer = bytes;
        state.buffer.clear();
        if let Err(error) = result {
            if error.kind() == ErrorKind::BrokenPipe
                && state.thread.is_none()
                && self.target == Target::Stdout
            {
                // As other tools end whose reader has seen enough.
                std::process::exit(BROKEN_PIPE);
            }
            state.closed = true;
        }
    }

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        match self.target {
            Target::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()
            }
            Target::Stderr => io::stderr().lock().write_all(bytes),
        }
    }

    fn write_for_ever(&self) {
        let mut bytes = Vec::new();
        loop {
            let mut state = self.lock();
            while state.buffer.is_empty() {
                state = self.filled.wait(state).unwrap_or_else(|e| e.into_inner());
            }
            // Whoever prints may wait for an answer to it; the log can gather.
            if self.target == Target::Stderr && !state.urgent {
                let (gathered, _) = self
                    .filled
                    .wait_timeout_while(state, GATHER, |s| !s.urgent && s.buffer.len() < QUEUE / 2)
                    .unwrap_or_else(|e| e.into_inner());
                state = gathered;
            }
            std::mem::swap(&mut state.buffer, &mut bytes);
            state.urgent = false;
            state.in_flight = true;
            if state.dropped > 0 {
                let _ = writeln!(bytes, "... {} lines were dropped here", state.dropped);
                state.dropped = 0;
            }
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            let written = self.put(&bytes);
            bytes.clear();
            let mut state = self.lock();
            state.in_flight = false;
            if written.is_err() {
                state.closed = true;
                state.buffer = Vec::new();
            }
            self.written.notify_all();
            drop(state);
            for waker in waiting {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output whose writing thread never gets on.
    fn stuck(target: Target) -> &'static Output {
        let output: &'static Output = Box::leak(Box::new(Output::new(target)));
        output.lock().thread = Some(true);
        output
    }

    fn write_kilobyte(output: &'static Output) -> bool {
        output.write(|out| out.extend_from_slice(&[b'x'; 1024]))
    }

    #[test]
    fn standard_error_drops_and_counts() {
        let output = stuck(Target::Stderr);
        let taken = (0..QUEUE / 1024 + 10).filter(|_| write_kilobyte(output)).count();
        assert_eq!(taken, QUEUE / 1024);
        let state = output.lock();
        assert_eq!((state.buffer.len(), state.dropped), (QUEUE, 10));
    }

    #[test]
    fn standard_output_holds_its_writers_back() {
        let output = stuck(Target::Stdout);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(write_kilobyte(output) && output.poll_room(cx).is_ready());
        while write_kilobyte(output) {}
        assert!(output.poll_room(cx).is_pending() && output.lock().urgent);
        output.lock().buffer.clear();
        assert!(output.poll_room(cx).is_ready());
    }
}
