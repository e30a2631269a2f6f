//! Standard output and standard error of the process.
//!
//! In: lines. Out: writes. A program's own output is buffered and written by the program's thread; when it serves, a
//! thread of its own writes, so that no worker waits for a slow reader: standard output then holds its writers back, while
//! standard error drops lines and says how many.
//! Invariants: lines are written whole and in order; what was printed is written before the program waits or ends. Of a
//! server only the writing threads wait for a reader; nobody else does for longer than [`LAST_WRITE`].

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::os::fd::BorrowedFd;
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
/// How long the end of a server waits for a slow reader.
const LAST_WRITE: Duration = Duration::from_secs(1);
/// The exit code of a program whose reader went away: as if ended by SIGPIPE.
const BROKEN_PIPE: i32 = 128 + 13;
/// The exit code of a program whose output cannot be written for another reason.
const UNWRITABLE: i32 = 1;

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

/// Writes a line to standard error for whoever runs the server, soon and without waiting for its reader.
pub fn report(line: &str) {
    STDERR.write(|out| {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    });
    STDERR.hurry(&mut STDERR.lock());
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
            Target::Stdout => self.fd().is_terminal(),
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

    /// Asks the thread to write what is there now.
    fn hurry(&self, state: &mut State) {
        state.urgent |= !state.buffer.is_empty();
        self.filled.notify_one();
    }

    /// Sees to it that everything that is there is written. A thread that writes gets [`LAST_WRITE`] for it.
    pub fn flush(&self) {
        self.flush_within(LAST_WRITE);
    }

    fn flush_within(&self, time: Duration) {
        let mut state = self.lock();
        if state.thread == Some(true) {
            self.hurry(&mut state);
            let waits = |s: &mut State| !s.closed && (s.in_flight || !s.buffer.is_empty());
            // What a reader is too slow for goes with the process.
            drop(self.written.wait_timeout_while(state, time, waits));
        } else if !state.buffer.is_empty() {
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
            if state.thread.is_none() && self.target == Target::Stdout {
                self.give_up(error);
            }
            state.closed = true;
        }
    }

    /// Ends a program whose output is lost.
    #[cold]
    fn give_up(&self, error: Errno) -> ! {
        if error == Errno::PIPE {
            // As other tools end whose reader has seen enough.
            std::process::exit(BROKEN_PIPE);
        }
        let line = format!("weir: standard output cannot be written: {error}\n");
        // Nobody is left to be told when this fails too.
        let _ = STDERR.put(line.as_bytes());
        std::process::exit(UNWRITABLE);
    }

    fn fd(&self) -> BorrowedFd<'static> {
        match self.target {
            Target::Stdout => rustix::stdio::stdout(),
            Target::Stderr => rustix::stdio::stderr(),
        }
    }

    fn put(&self, bytes: &[u8]) -> Result<(), Errno> {
        put(self.fd(), bytes)
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
            let late = self.note_written(written);
            for waker in waiting.into_iter().chain(late) {
                waker.wake();
            }
        }
    }

    /// The thread has nothing in flight any more. Gives back who began to wait meanwhile for what never comes.
    fn note_written(&self, written: Result<(), Errno>) -> VecDeque<Waker> {
        let mut state = self.lock();
        state.in_flight = false;
        self.written.notify_all();
        if written.is_ok() {
            return VecDeque::new();
        }
        state.closed = true;
        state.buffer = Vec::new();
        std::mem::take(&mut state.waiting)
    }
}

/// Writes all of it, also where another process made the file non-blocking. Takes no lock: a thread that waits for its
/// reader holds nobody else up.
fn put(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                // Interrupted or not, the next write tells.
                let _ = poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
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

    #[test]
    fn a_reader_that_goes_away_releases_who_waits() {
        let output = stuck(Target::Stdout);
        let cx = &mut Context::from_waker(Waker::noop());
        while write_kilobyte(output) {}
        output.lock().in_flight = true;
        assert!(output.poll_room(cx).is_pending());
        assert_eq!(output.note_written(Err(Errno::PIPE)).len(), 1);
        assert!(output.poll_room(cx).is_ready() && write_kilobyte(output));
    }

    #[test]
    fn the_end_does_not_wait_for_ever() {
        for target in [Target::Stdout, Target::Stderr] {
            let output = stuck(target);
            write_kilobyte(output);
            output.lock().in_flight = true;
            output.flush_within(Duration::ZERO);
            assert_eq!(output.lock().buffer.len(), 1024, "left to the thread");
        }
    }

    #[test]
    fn a_file_that_does_not_block_gets_everything() {
        use rustix::pipe::{PipeFlags, pipe_with};
        use std::os::fd::AsFd;
        let (from, to) = pipe_with(PipeFlags::NONBLOCK).expect("descriptors");
        let sent = vec![b'x'; 300_000];
        let all = sent.clone();
        let writing = thread::spawn(move || put(to.as_fd(), &all));
        let mut got = 0;
        while got < sent.len() {
            match rustix::io::read(&from, &mut [0; 4096][..]) {
                Ok(count) => got += count,
                Err(error) => {
                    assert_eq!(error, Errno::AGAIN);
                    let _ = poll(&mut [PollFd::new(&from, PollFlags::IN)], None);
                }
            }
        }
        assert_eq!(writing.join().expect("no panic"), Ok(()));
    }
}
