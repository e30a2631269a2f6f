//! A request's body in pieces.
//!
//! The engine reads the socket only while somebody waits for a piece, so that a client sends no faster than its body is read.
//! Invariant: a body that breaks off is a failure, never an end.

use super::pieces::Pieces;
use crate::failure::{Failure, INTERNAL};
use crate::scope::Scope;
use bytes::Bytes;
use std::task::{Context, Poll};
use weir_http::{BodyError, RequestBody};

/// Why a body cannot be read, as a failure of who reads it.
pub fn upload_failure(error: BodyError) -> Failure {
    let kind = match error {
        BodyError::Truncated | BodyError::Malformed(_) => "invalid",
        BodyError::TooLarge => "limit",
        BodyError::Timeout => "timeout",
        BodyError::Closed => "failed",
    };
    Failure::new(error.status(), error.to_string()).with_kind(kind)
}

/// The pieces of a body.
pub enum UploadPieces {
    /// Of this one.
    Body(RequestBody),
    /// Somebody else reads it, or did.
    Taken,
}

impl UploadPieces {
    /// Of a body of any length, since no more than a piece of it is held; `None` when it was taken before.
    pub fn new(body: Option<RequestBody>) -> Self {
        match body {
            Some(mut body) => {
                body.set_limit(None);
                body.keep_reading();
                Self::Body(body)
            }
            None => Self::Taken,
        }
    }
}

/// The failure of a second reader.
pub fn read_before() -> Failure {
    Failure::of_kind("failed", "the body of the request was read before")
}

impl Pieces for UploadPieces {
    fn poll_piece(&mut self, _: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        match self {
            Self::Body(body) => body.poll_data(cx).map(|piece| piece.transpose().map_err(upload_failure)),
            Self::Taken => Poll::Ready(Err(read_before())),
        }
    }

    /// A line that is none is the client's fault.
    fn blamed(failure: Failure) -> Failure {
        let status = match failure.kind {
            "limit" => BodyError::TooLarge.status(),
            "invalid" => BodyError::Malformed("").status(),
            _ => INTERNAL,
        };
        Failure { status, ..failure }
    }
}
