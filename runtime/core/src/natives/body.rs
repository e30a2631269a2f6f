//! Natives of `request.weir` that read the body.
//!
//! Invariant: what is collected of a body is charged to the heap before it is allocated, and a body that declares its length is
//! refused before it is read when that is above the limit.

use super::Flow;
use super::stream::lines_of;
use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Operation, Scope};
use crate::stream::{BytesOf, UploadPieces, read_before, upload_failure};
use crate::value::{Gives, Own, Resource, Stream};
use bytes::Bytes;
use std::task::{Context, Poll, ready};
use weir_abi::trap::Trap;
use weir_http::RequestBody;

/// Room for the beginning of a body, if it is not known to be smaller.
const FIRST: usize = 4 * 1024;
/// Room for a body that is known to be large, before any of it came. What is declared costs a client nothing.
const UNSEEN: usize = 64 * 1024;

/// The lines of the body.
pub fn request_lines(scope: &mut Scope, request: Resource) -> Result<Own<Stream>, Trap> {
    let pieces = UploadPieces::new(scope.take_body(request));
    lines_of(scope, pieces)
}

/// The pieces of the body.
pub fn request_chunks(scope: &mut Scope, request: Resource) -> Result<Own<Stream>, Trap> {
    let pieces = UploadPieces::new(scope.take_body(request));
    Ok(scope.stream(Box::new(BytesOf::new(pieces)))?)
}

/// The whole body; `None` when it cannot be read.
pub fn request_bytes(scope: &mut Scope, request: Resource) -> Result<Flow, Trap> {
    collect(scope, request, None)
}

/// The whole body as a Text; `None` when it cannot be read or is not UTF-8.
pub fn request_text(scope: &mut Scope, request: Resource) -> Result<Flow, Trap> {
    collect(scope, request, Some(0))
}

fn collect(scope: &mut Scope, request: Resource, checked: Option<usize>) -> Result<Flow, Trap> {
    scope.failure = None;
    let Some(body) = scope.take_body(request) else {
        scope.failure = Some(read_before());
        return Ok(Flow::Done(0));
    };
    scope.pending = Some(Box::new(Collecting { body, bytes: Vec::new(), checked }));
    Ok(Flow::Wait)
}

/// A body that is being collected.
struct Collecting {
    body: RequestBody,
    /// Its capacity is charged to the heap.
    bytes: Vec<u8>,
    /// How many of them are known to be UTF-8, where they have to be.
    checked: Option<usize>,
}

impl Collecting {
    /// Adds a piece.
    fn add(&mut self, scope: &mut Scope, piece: &[u8]) -> Result<(), Stop> {
        let needed = self.bytes.len() + piece.len();
        let held = self.bytes.capacity();
        if needed > held {
            let wanted = match self.body.length() {
                Some(length) => usize::try_from(length).unwrap_or(usize::MAX).min(UNSEEN.max(2 * held)),
                None => FIRST.max(2 * held),
            };
            let room = wanted.max(needed);
            scope.heap_mut().charge(room - held).map_err(|full| Stop::Trap(full.into()))?;
            self.bytes.reserve_exact(room - self.bytes.len());
            // The allocator may give more than was asked for.
            let surplus = self.bytes.capacity() - room;
            if scope.heap_mut().charge(surplus).is_err() {
                scope.heap_mut().uncharge(room);
                self.bytes = Vec::new();
                return Err(Stop::Trap(crate::heap::Full.into()));
            }
        }
        self.bytes.extend_from_slice(piece);
        self.check(false)
    }

    /// Looks on for what is not UTF-8; at the end, also for a character that is cut off.
    fn check(&mut self, is_end: bool) -> Result<(), Stop> {
        let Some(checked) = &mut self.checked else { return Ok(()) };
        match std::str::from_utf8(&self.bytes[*checked..]) {
            Ok(text) => *checked += text.len(),
            Err(error) => {
                *checked += error.valid_up_to();
                if is_end || error.error_len().is_some() {
                    let message = format!("byte {checked} of the request body is not UTF-8");
                    return Err(Stop::Failure(Failure::of_kind("invalid", message)));
                }
            }
        }
        Ok(())
    }

    /// Takes the charge back.
    fn release(&mut self, scope: &mut Scope) -> Vec<u8> {
        scope.heap_mut().uncharge(self.bytes.capacity());
        std::mem::take(&mut self.bytes)
    }

    fn finish(&mut self, scope: &mut Scope) -> Result<Word, Stop> {
        self.check(true)?;
        let mut bytes = self.release(scope);
        // A value keeps what is left of the room, and is charged with its length only.
        bytes.shrink_to_fit();
        let made = scope.kept_bytes(Bytes::from(bytes)).map_err(|full| Stop::Trap(full.into()))?;
        Ok(made.into_word())
    }
}

/// Why there is no whole body.
enum Stop {
    /// The client's fault.
    Failure(Failure),
    Trap(Trap),
}

impl Operation for Collecting {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        loop {
            let step = match ready!(self.body.poll_data(cx)) {
                Some(Ok(piece)) => self.add(scope, &piece).map(|()| None),
                Some(Err(error)) => Err(Stop::Failure(upload_failure(error))),
                None => self.finish(scope).map(Some),
            };
            return Poll::Ready(match step {
                Ok(None) => continue,
                Ok(Some(word)) => Ok(word),
                Err(stop) => {
                    self.release(scope);
                    match stop {
                        Stop::Failure(failure) => {
                            scope.failure = Some(failure);
                            Ok(0)
                        }
                        Stop::Trap(trap) => Err(trap),
                    }
                }
            });
        }
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.release(scope);
    }
}
