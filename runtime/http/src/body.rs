//! Lazy response bodies: the trait the engine pulls, and the sink items are written to.
//!
//! Invariant: one item is one chunk, framed in place in the connection's write buffer; an empty item writes
//! nothing (an empty chunk would end the body).

use std::io::IoSlice;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::buffers::{COPY_LIMIT, MAX_SLICES, WriteBuf};
use crate::proto::chunk::size_line;

/// A lazy body. Dropping it is the only form of cancellation.
pub trait PullBody {
    /// Produces the next item:
    /// - `Ready(Pull::Item)` after exactly one item was written to `out`;
    /// - `Ready(Pull::End)` at the end; it is not polled again;
    /// - `Ready(Pull::Failed(..))`: before the first item the client gets a real error response, after it the
    ///   response is aborted; it is not polled again;
    /// - `Pending` when the item is not there yet and the waker is registered. Everything produced so far is
    ///   on its way to the client before the body is polled again.
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull>;

    /// Goes on with what the body does besides making items, while the peer takes none: it is called when the connection has
    /// to wait for the socket, and again when the waker was told. What comes of it is told by the next [`PullBody::poll_item`].
    fn poll_beside(&mut self, _: &mut Context<'_>) {}

    /// Told once, when the server drains: a body that has no end of its own may come to one, at the next
    /// [`PullBody::poll_item`].
    fn wind_up(&mut self) {}
}

/// One step of a [`PullBody`].
pub enum Pull {
    /// One item was written to the sink.
    Item,
    /// There are no more items.
    End,
    /// The source failed.
    Failed(Failure),
}

/// Why a body failed.
#[derive(Debug)]
pub struct Failure {
    /// For the log; the client never sees it.
    pub message: String,
    /// The status the client gets if nothing was sent yet; 500 if there is none or it is not 400..=599.
    pub status: Option<u16>,
}

impl Failure {
    /// A failure with the status that tells it before the first item.
    pub fn new(message: impl Into<String>, status: u16) -> Self {
        Failure { message: message.into(), status: Some(status) }
    }
}

/// Where a body writes its items.
pub struct ItemSink<'a> {
    out: &'a mut WriteBuf,
    chunked: bool,
    begun: bool,
    /// Body bytes written, without framing.
    payload: u64,
}

impl<'a> ItemSink<'a> {
    pub(crate) fn new(out: &'a mut WriteBuf, chunked: bool, begun: bool) -> Self {
        ItemSink { out, chunked, begun, payload: 0 }
    }

    /// Whether the response has begun, so that a failure can no longer become its status.
    pub fn is_begun(&self) -> bool {
        self.begun
    }

    pub(crate) fn payload(&self) -> u64 {
        self.payload
    }

    /// Writes one item made of several parts; the parts are copied.
    pub fn item(&mut self, parts: &[&[u8]]) {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        if length == 0 {
            return;
        }
        let tail = self.open(length);
        for part in parts {
            tail.extend_from_slice(part);
        }
        self.close();
    }

    /// Writes one item; from 16 KiB on it is queued for the write without being copied.
    pub fn item_bytes(&mut self, item: Bytes) {
        if item.len() < COPY_LIMIT {
            return self.item(&[&item]);
        }
        self.open(item.len());
        self.out.push(item);
        self.close();
    }

    fn open(&mut self, length: usize) -> &mut Vec<u8> {
        self.payload += length as u64;
        let chunked = self.chunked;
        let tail = self.out.tail();
        // The longest size line has 18 bytes; what is not copied needs no room.
        tail.reserve(length.min(COPY_LIMIT) + 20);
        if chunked {
            size_line(tail, length);
        }
        tail
    }

    fn close(&mut self) {
        if self.chunked {
            self.out.tail().extend_from_slice(b"\r\n");
        }
    }
}

/// Collects items without a connection, for tests of bodies.
#[derive(Default)]
pub struct ItemBuffer {
    out: WriteBuf,
}

impl ItemBuffer {
    /// A sink that appends to this buffer, without chunk framing.
    pub fn sink(&mut self) -> ItemSink<'_> {
        ItemSink::new(&mut self.out, false, false)
    }

    /// A sink that frames each item as a chunk.
    pub fn chunked_sink(&mut self) -> ItemSink<'_> {
        ItemSink::new(&mut self.out, true, false)
    }

    /// Takes everything that was written.
    pub fn take(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.out);
        let mut all = Vec::with_capacity(out.len());
        while !out.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = out.slices(&mut slices);
            let before = all.len();
            slices[..count].iter().for_each(|slice| all.extend_from_slice(slice));
            out.advance(all.len() - before);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_is_one_chunk() {
        let mut buffer = ItemBuffer::default();
        let mut sink = buffer.chunked_sink();
        sink.item(&[b"ab", b"", b"c\n"]);
        sink.item(&[]);
        sink.item(&[b""]);
        sink.item_bytes(Bytes::from_static(b"x"));
        assert_eq!(sink.payload(), 5);
        assert_eq!(buffer.take(), b"4\r\nabc\n\r\n1\r\nx\r\n");
    }

    #[test]
    fn large_items_are_queued() {
        let mut buffer = ItemBuffer::default();
        let item = Bytes::from(vec![7; COPY_LIMIT]);
        buffer.chunked_sink().item_bytes(item.clone());
        assert_eq!(buffer.take(), [b"4000\r\n", &item[..], b"\r\n"].concat());
        buffer.sink().item(&[&item]);
        assert_eq!(buffer.take(), item);
    }
}
