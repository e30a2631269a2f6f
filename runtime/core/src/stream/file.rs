//! Lines of a file.
//!
//! Opened at the first pull. The kernel gives no readiness for files, so each piece is read by the runtime's pool of
//! blocking threads, which owns the file meanwhile; a stream that is dropped leaves it to close the file.
//! Invariant: one piece at a time is read, and only when no line of the one before is left.

use super::line_texts::LineTexts;
use super::lines::Lines;
use crate::failure::{Failure, INTERNAL};
use crate::heap::Word;
use crate::scope::{Scope, Source};
use bytes::{Bytes, BytesMut};
use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};

/// Size of a read.
const PIECE: usize = 64 * 1024;

/// The lines of a file.
pub struct FileLines {
    path: String,
    state: State,
    lines: Lines,
    texts: LineTexts,
    limit: usize,
}

enum State {
    /// Nothing was asked for.
    Idle,
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
    /// A piece came; there may be more.
    Open(File),
    Ended,
}

impl FileLines {
    /// The lines, of at most `limit` bytes, of the file at `path`.
    pub fn new(path: &str, limit: usize) -> Self {
        Self {
            path: path.to_owned(),
            state: State::Idle,
            lines: Lines::default(),
            texts: LineTexts::default(),
            limit,
        }
    }

    /// Moves on to another piece, or the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Ended) {
                State::Idle => {
                    let path = self.path.clone();
                    State::Reading(spawn_blocking(move || read(File::open(path)?)))
                }
                State::Open(file) => State::Reading(spawn_blocking(move || read(file))),
                State::Reading(mut reading) => {
                    let Poll::Ready(read) = Pin::new(&mut reading).poll(cx) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    // The pool is gone when the process ends.
                    let read = read.unwrap_or_else(|gone| Err(io::Error::other(gone)));
                    let (file, piece) = read.map_err(|error| broken(&self.path, &error))?;
                    if !piece.is_empty() {
                        self.lines.feed(piece);
                        self.state = State::Open(file);
                        return Poll::Ready(Ok(()));
                    }
                    State::Ended
                }
                State::Ended => {
                    self.lines.end();
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

/// The next piece; an empty one is the end.
fn read(mut file: File) -> io::Result<(File, Bytes)> {
    let mut buffer = BytesMut::zeroed(PIECE);
    loop {
        match file.read(&mut buffer) {
            Ok(len) => {
                buffer.truncate(len);
                return Ok((file, buffer.freeze()));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn broken(path: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => Failure::of_kind("missing", format!("there is no file {path}")),
        _ => Failure::of_kind("io", format!("{path} cannot be read: {error}")),
    }
}

/// A line that is none is the fault of a file here, not of an upstream.
fn own_fault(failure: Failure) -> Failure {
    Failure { status: INTERNAL, ..failure }
}

impl Source for FileLines {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if let Some(line) = self.ready_next(scope) {
                return Poll::Ready(Some(line));
            }
            if self.lines.has_ended() {
                return Poll::Ready(None);
            }
            if let Err(failure) = ready!(self.poll_piece(cx)) {
                return Poll::Ready(Some(Err(failure)));
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let line = self.texts.next(scope, &mut self.lines, self.limit)?;
        Some(line.map_err(own_fault))
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.texts.forget(scope);
    }
}
