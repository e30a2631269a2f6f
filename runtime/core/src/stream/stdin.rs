//! Lines of standard input.
//!
//! One detached thread reads, started at the first pull: one piece ahead, and only when a reader has none left. The
//! process ends without waiting for it.
//! Invariants: there is one reader at a time; what it leaves belongs to the next one.

use super::line_texts::LineTexts;
use super::lines::Lines;
use crate::failure::{BAD_GATEWAY, Failure, UNAVAILABLE};
use crate::heap::Word;
use crate::scope::{Scope, Source};
use bytes::{Bytes, BytesMut};
use std::io::{self, Read};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Size of a read.
const PIECE: usize = 64 * 1024;

type Reader = Box<dyn Read + Send>;

/// An input that is read by a thread of its own.
pub struct Input {
    state: Mutex<State>,
    wanted: Condvar,
}

struct State {
    /// Until the thread takes it.
    reader: Option<Reader>,
    /// A stream is open.
    is_open: bool,
    /// The thread is asked for a piece.
    is_wanted: bool,
    /// What it read; an empty piece is the end.
    piece: Option<Result<Bytes, String>>,
    /// Who waits for it.
    waker: Option<Waker>,
    lines: Lines,
}

/// The process's standard input.
pub fn standard_input() -> &'static Input {
    static INPUT: OnceLock<Input> = OnceLock::new();
    INPUT.get_or_init(|| Input::new(Box::new(io::stdin())))
}

impl Input {
    /// An input that reads from there.
    pub fn new(reader: Reader) -> Self {
        let state = State {
            reader: Some(reader),
            is_open: false,
            is_wanted: false,
            piece: None,
            waker: None,
            lines: Lines::default(),
        };
        Self { state: Mutex::new(state), wanted: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is one assignment.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn read_for_ever(&self, mut reader: Reader) {
        loop {
            let mut state = self.lock();
            while !state.is_wanted {
                state = self.wanted.wait(state).unwrap_or_else(|e| e.into_inner());
            }
            drop(state);
            let piece = read(&mut reader);
            let mut state = self.lock();
            state.is_wanted = false;
            state.piece = Some(piece);
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }
}

fn read(reader: &mut Reader) -> Result<Bytes, String> {
    let mut buffer = BytesMut::zeroed(PIECE);
    loop {
        match reader.read(&mut buffer) {
            Ok(len) => {
                buffer.truncate(len);
                return Ok(buffer.freeze());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The lines of an input.
pub struct Stdin {
    input: &'static Input,
    limit: usize,
    /// It is the open one.
    is_open: bool,
    texts: LineTexts,
}

impl Stdin {
    /// A reader of lines up to `limit` bytes; it opens the input at its first pull.
    pub fn new(input: &'static Input, limit: usize) -> Self {
        Self { input, limit, is_open: false, texts: LineTexts::default() }
    }

    fn release(&mut self) {
        if self.is_open {
            self.is_open = false;
            let mut state = self.input.lock();
            state.is_open = false;
            state.waker = None;
        }
    }
}

impl Source for Stdin {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let mut state = self.input.lock();
        if !self.is_open {
            if state.is_open {
                return Poll::Ready(Some(Err(Failure::new(
                    UNAVAILABLE,
                    "standard input is being read by another stream",
                ))));
            }
            state.is_open = true;
            self.is_open = true;
        }
        loop {
            if let Some(line) = self.texts.next(scope, &mut state.lines, self.limit) {
                return Poll::Ready(Some(line));
            }
            if state.lines.has_ended() {
                return Poll::Ready(None);
            }
            match state.piece.take() {
                Some(Ok(piece)) if piece.is_empty() => state.lines.end(),
                Some(Ok(piece)) => state.lines.feed(piece),
                Some(Err(error)) => {
                    state.lines.end();
                    let message = format!("standard input cannot be read: {error}");
                    return Poll::Ready(Some(Err(Failure::new(BAD_GATEWAY, message).with_kind("io"))));
                }
                None => break,
            }
        }
        state.waker = Some(cx.waker().clone());
        state.is_wanted = true;
        self.input.wanted.notify_one();
        if let Some(reader) = state.reader.take() {
            let input = self.input;
            let started =
                thread::Builder::new().name("stdin".to_owned()).spawn(move || input.read_for_ever(reader));
            if let Err(error) = started {
                let message = format!("standard input cannot be read: {error}");
                return Poll::Ready(Some(Err(Failure::new(UNAVAILABLE, message))));
            }
        }
        Poll::Pending
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        if !self.is_open {
            return None;
        }
        let mut state = self.input.lock();
        self.texts.next(scope, &mut state.lines, self.limit)
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.texts.forget(scope);
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        self.release();
    }
}
