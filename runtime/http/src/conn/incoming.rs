//! The body of the current request, from the connection's side: decoding, handing over, discarding.
//!
//! In: bytes of the read buffer. Out: pieces for the reader, or nothing when no one reads.
//! Invariant: exactly the bytes of the body are used, whatever the reader does.

use std::rc::Rc;

use bytes::Bytes;

use crate::buffers::ReadBuf;
use crate::limits::Limits;
use crate::proto::chunk::ChunkDecoder;
use crate::proto::framing::RequestFraming;
use crate::proto::head::RequestHead;
use crate::request::{BodyError, BodyState, RequestBody};

use tokio::time::Instant;

/// An unread body up to this size is read and dropped to save the connection; a larger one costs less as a
/// new connection. Arbitrary, about one loopback round trip of a full window.
pub(super) const DISCARD_MAX: u64 = 256 * 1024;

/// Where in the body the connection stands.
#[derive(Default)]
enum Decoder {
    /// Behind it.
    #[default]
    Done,
    /// So many bytes before its end, at least one.
    Length(u64),
    Chunked(ChunkDecoder),
    /// It cannot be read on: what follows is not a request either.
    Broken,
}

/// The body of the current request.
#[derive(Default)]
pub(super) struct Incoming {
    decoder: Decoder,
    /// Shared with the reader; `None` for a request without a body.
    pub state: Option<Rc<BodyState>>,
    /// The client waits for 100 Continue and has not got it.
    pub continue_due: bool,
    /// The response has begun: no 100 and no body timeout from here.
    pub responding: bool,
    /// Since when the reader waits for bytes of the client.
    pub waiting_since: Option<Instant>,
}

impl Incoming {
    /// Starts the body of a new request with what was read along with its head.
    pub fn begin(&mut self, head: &RequestHead, read: &mut ReadBuf, limits: &Limits) -> RequestBody {
        self.responding = false;
        self.waiting_since = None;
        self.continue_due = head.expects_continue();
        let length = match head.framing() {
            RequestFraming::Empty => {
                self.decoder = Decoder::Done;
                return RequestBody::empty();
            }
            RequestFraming::Length(length) => {
                self.decoder = Decoder::Length(length);
                Some(length)
            }
            RequestFraming::Chunked => {
                self.decoder = Decoder::Chunked(ChunkDecoder::default());
                None
            }
        };
        let state = Rc::new(BodyState::default());
        if !read.is_empty() {
            // A client that sends the body unasked waits for nothing.
            self.continue_due = false;
            let (piece, end) = self.decode(read);
            state.deliver(piece, end);
        }
        self.state = Some(Rc::clone(&state));
        RequestBody::new(state, length, limits.max_body)
    }

    /// Whether the reader waits.
    pub fn is_wanted(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.is_wanted())
    }

    /// Whether the connection stands behind the body.
    pub fn is_done(&self) -> bool {
        matches!(self.decoder, Decoder::Done)
    }

    /// Whether the connection can get behind the body at a sensible price: there is little of it, or a response that is
    /// made of it takes it.
    pub fn is_reusable(&self) -> bool {
        let is_read = || self.state.as_ref().is_some_and(|state| state.is_read());
        match &self.decoder {
            Decoder::Done => true,
            Decoder::Length(left) => (*left <= DISCARD_MAX || is_read()) && !self.continue_due,
            Decoder::Chunked(_) => !self.continue_due,
            Decoder::Broken => false,
        }
    }

    /// Decodes what is in the read buffer: body bytes, and the end if it is among them.
    pub fn decode(&mut self, read: &mut ReadBuf) -> (Bytes, Option<Result<(), BodyError>>) {
        match &mut self.decoder {
            Decoder::Done => (Bytes::new(), Some(Ok(()))),
            Decoder::Broken => (Bytes::new(), Some(Err(BodyError::Truncated))),
            Decoder::Length(left) => {
                let data = read.data();
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                let piece = Bytes::copy_from_slice(&data[..take]);
                read.consume(take);
                *left -= take as u64;
                if *left > 0 {
                    return (piece, None);
                }
                self.decoder = Decoder::Done;
                (piece, Some(Ok(())))
            }
            Decoder::Chunked(chunks) => {
                let mut piece = Vec::with_capacity(read.data().len());
                match chunks.decode(read.data(), &mut piece) {
                    Ok(used) => {
                        read.consume(used);
                        let end = chunks.is_done().then_some(Ok(()));
                        if end.is_some() {
                            self.decoder = Decoder::Done;
                        }
                        (piece.into(), end)
                    }
                    Err(error) => {
                        self.decoder = Decoder::Broken;
                        (piece.into(), Some(Err(BodyError::Malformed(error.0))))
                    }
                }
            }
        }
    }

    /// The body cannot be read on, for this reason.
    pub fn fail(&mut self, error: BodyError) {
        self.decoder = Decoder::Broken;
        if let Some(state) = &self.state {
            state.deliver(Bytes::new(), Some(Err(error)));
        }
    }

    /// The exchange is over: no reader gets anything any more.
    pub fn end(&mut self) {
        if let Some(state) = self.state.take() {
            state.close();
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.end();
    }
}
