//! A file in pieces.
//!
//! Opened at the first pull. The kernel gives no readiness for files, so each piece is read by the runtime's pool of
//! blocking threads, which owns the file meanwhile; a stream that is dropped leaves it to close the file.

use super::pieces::Pieces;
use crate::failure::Failure;
use crate::scope::Scope;
use bytes::{Bytes, BytesMut};
use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::task::{JoinHandle, spawn_blocking};

/// Size of a read.
const PIECE: usize = 64 * 1024;

/// The pieces of a file.
pub struct FilePieces {
    path: String,
    state: State,
}

enum State {
    /// Nothing was asked for.
    Idle,
    Reading(JoinHandle<io::Result<(File, Bytes)>>),
    /// A piece came; there may be more.
    Open(File),
    Ended,
}

impl FilePieces {
    /// Those of the file at `path`.
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), state: State::Idle }
    }
}

impl Pieces for FilePieces {
    fn poll_piece(&mut self, _: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
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
                    if piece.is_empty() {
                        return Poll::Ready(Ok(None));
                    }
                    self.state = State::Open(file);
                    return Poll::Ready(Ok(Some(piece)));
                }
                State::Ended => return Poll::Ready(Ok(None)),
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
