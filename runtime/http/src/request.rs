//! What a service gets: head, body and peer of one request.
//!
//! The connection does all reading. A [`RequestBody`] is a rendezvous: its reader asks, the connection reads
//! the socket on its next turn and hands over one piece. Invariant: at most one piece is held, and the socket
//! is read only while the reader waits, so an upload is paced by its reader.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::proto::head::RequestHead;

/// One request.
#[derive(Debug)]
pub struct Request {
    /// Method, target and fields.
    pub head: RequestHead,
    /// The body, not read yet.
    pub body: RequestBody,
    /// Who sent it.
    pub peer: Peer,
    /// The address of the client, which is not the peer's behind a trusted proxy; `None` on a Unix socket.
    pub client: Option<IpAddr>,
    /// Unique within the process.
    pub id: u64,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP peer.
    Ip(SocketAddr),
    /// A peer on a Unix socket; those have no address.
    Unix,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Ip(address) => address.fmt(f),
            Peer::Unix => f.write_str("unix"),
        }
    }
}

/// Why a request body cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// The connection ended inside the body.
    Truncated,
    /// The chunks are malformed.
    Malformed(&'static str),
    /// The body exceeds the reader's limit.
    TooLarge,
    /// The client sent nothing for `body_timeout`.
    Timeout,
    /// The exchange is over; its body can no longer be read.
    Closed,
}

impl BodyError {
    /// The status that tells the client.
    pub fn status(self) -> u16 {
        match self {
            BodyError::Truncated | BodyError::Malformed(_) | BodyError::Closed => 400,
            BodyError::Timeout => 408,
            BodyError::TooLarge => 413,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyError::Truncated => "the request body ended early",
            BodyError::Malformed(why) => why,
            BodyError::TooLarge => "the request body is too large",
            BodyError::Timeout => "the request body did not arrive in time",
            BodyError::Closed => "the request is over",
        })
    }
}

impl std::error::Error for BodyError {}

/// The body of one request, pulled piece by piece.
pub struct RequestBody {
    /// `None` for a request without a body.
    state: Option<Rc<BodyState>>,
    length: Option<u64>,
    /// Decoded bytes this reader accepts.
    limit: Option<u64>,
    taken: u64,
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("length", &self.length).field("taken", &self.taken).finish()
    }
}

impl RequestBody {
    /// The body of a request that has none.
    pub fn empty() -> Self {
        RequestBody { state: None, length: Some(0), limit: None, taken: 0 }
    }

    pub(crate) fn new(state: Rc<BodyState>, length: Option<u64>, limit: u64) -> Self {
        RequestBody { state: Some(state), length, limit: Some(limit), taken: 0 }
    }

    /// Whole length in bytes if it was declared; `None` for a chunked body.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Replaces the limit on decoded bytes, `max_body` by default; `None` lifts it.
    pub fn set_limit(&mut self, limit: Option<u64>) {
        self.limit = limit;
    }

    /// Says that the body will be read to its end, however long it is, while a response is sent: the connection is kept for it.
    /// Without that a response that begins before much of a body is read ends the connection.
    pub fn keep_reading(&self) {
        if let Some(state) = &self.state {
            state.inner.borrow_mut().is_read = true;
        }
    }

    /// The next piece, never empty; `None` at the end. The first wait answers `Expect: 100-continue`. May be
    /// polled from any task of the worker. After an error every further poll returns it again.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Some(state) = &self.state else { return Poll::Ready(None) };
        let limit = self.limit.unwrap_or(u64::MAX);
        if self.length.is_some_and(|length| length > limit) || self.taken > limit {
            return Poll::Ready(Some(Err(BodyError::TooLarge)));
        }
        let mut inner = state.inner.borrow_mut();
        if !inner.piece.is_empty() {
            let piece = std::mem::take(&mut inner.piece);
            self.taken += piece.len() as u64;
            if self.taken > limit {
                return Poll::Ready(Some(Err(BodyError::TooLarge)));
            }
            return Poll::Ready(Some(Ok(piece)));
        }
        match inner.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => {
                inner.wait(cx.waker());
                Poll::Pending
            }
        }
    }

    /// The next piece; see [`RequestBody::poll_data`].
    pub async fn data(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// The rest of the body as one block, within the limit.
    pub async fn collect(&mut self) -> Result<Bytes, BodyError> {
        let Some(first) = self.data().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.data().await.transpose()? else { return Ok(first) };
        let mut all = BytesMut::with_capacity((first.len() + second.len()) * 2);
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(piece) = self.data().await.transpose()? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(state) = &self.state {
            let mut inner = state.inner.borrow_mut();
            inner.wanted = false;
            inner.is_read = false;
            inner.reader = None;
        }
    }
}

/// What reader and connection share.
#[derive(Default)]
pub(crate) struct BodyState {
    inner: RefCell<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The piece that was read and not taken.
    piece: Bytes,
    /// How the body ended, once it did.
    end: Option<Result<(), BodyError>>,
    /// The reader waits.
    wanted: bool,
    /// It said that it will read to the end, and is still there.
    is_read: bool,
    reader: Option<Waker>,
    /// Wakes the connection when the reader runs in another task.
    connection: Option<Waker>,
}

impl Inner {
    fn wait(&mut self, waker: &Waker) {
        if !self.reader.as_ref().is_some_and(|reader| reader.will_wake(waker)) {
            self.reader = Some(waker.clone());
        }
        self.wanted = true;
        if let Some(connection) = self.connection.as_ref().filter(|connection| !connection.will_wake(waker)) {
            connection.wake_by_ref();
        }
    }
}

impl BodyState {
    /// Whether the reader waits for bytes.
    pub(crate) fn is_wanted(&self) -> bool {
        self.inner.borrow().wanted
    }

    /// Whether somebody reads the body to its end.
    pub(crate) fn is_read(&self) -> bool {
        self.inner.borrow().is_read
    }

    /// Makes sure that a reader in another task can wake the connection.
    pub(crate) fn attach(&self, connection: &Waker) {
        let mut inner = self.inner.borrow_mut();
        if !inner.connection.as_ref().is_some_and(|known| known.will_wake(connection)) {
            inner.connection = Some(connection.clone());
        }
    }

    /// Hands over a piece, an end, or both.
    pub(crate) fn deliver(&self, piece: Bytes, end: Option<Result<(), BodyError>>) {
        let mut inner = self.inner.borrow_mut();
        debug_assert!(inner.piece.is_empty(), "one piece at a time");
        inner.piece = piece;
        inner.end = end;
        inner.wanted = false;
        // A reader in the connection's own task is polled again without a detour through the scheduler.
        let reader = inner.reader.take();
        let own = matches!((&reader, &inner.connection), (Some(r), Some(c)) if r.will_wake(c));
        drop(inner);
        if let Some(reader) = reader.filter(|_| !own) {
            reader.wake();
        }
    }

    /// The exchange is over: whoever still holds the body finds it closed.
    pub(crate) fn close(&self) {
        let mut inner = self.inner.borrow_mut();
        inner.end.get_or_insert(Err(BodyError::Closed));
        inner.connection = None;
        let reader = inner.reader.take();
        drop(inner);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(body: &mut RequestBody) -> Poll<Option<Result<Bytes, BodyError>>> {
        body.poll_data(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn hands_over_pieces_and_the_end() {
        let state = Rc::new(BodyState::default());
        let mut body = RequestBody::new(Rc::clone(&state), None, 5);
        assert!(poll(&mut body).is_pending() && state.is_wanted());
        state.deliver(Bytes::from_static(b"abc"), None);
        assert!(!state.is_wanted());
        assert_eq!(poll(&mut body), Poll::Ready(Some(Ok(Bytes::from_static(b"abc")))));
        state.deliver(Bytes::from_static(b"de"), Some(Ok(())));
        assert_eq!(poll(&mut body), Poll::Ready(Some(Ok(Bytes::from_static(b"de")))));
        assert_eq!(poll(&mut body), Poll::Ready(None));
    }

    #[test]
    fn limits_declared_and_decoded_bytes() {
        let declared = |length| RequestBody::new(Rc::new(BodyState::default()), Some(length), 5);
        assert!(poll(&mut declared(5)).is_pending());
        assert_eq!(poll(&mut declared(6)), Poll::Ready(Some(Err(BodyError::TooLarge))));
        let state = Rc::new(BodyState::default());
        let mut chunked = RequestBody::new(Rc::clone(&state), None, 5);
        state.deliver(Bytes::from_static(b"123456"), None);
        assert_eq!(poll(&mut chunked), Poll::Ready(Some(Err(BodyError::TooLarge))));
        assert_eq!(poll(&mut chunked), Poll::Ready(Some(Err(BodyError::TooLarge))));
    }

    #[test]
    fn a_dropped_reader_wants_nothing() {
        let state = Rc::new(BodyState::default());
        let mut body = RequestBody::new(Rc::clone(&state), None, 5);
        assert!(poll(&mut body).is_pending());
        drop(body);
        assert!(!state.is_wanted());
    }
}
