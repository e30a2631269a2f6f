//! A file as a response's body: all of it or the part that a client wants, or that it has it already.
//!
//! In: an open file, the response's fields, the request's head. Out: the engine's response.
//! Invariants: a file is read piece by piece, one ahead of nothing: the next piece is read when the client has taken the one
//! before; no worker waits for a disk. As many bytes are sent as were told, and when the file has become shorter the
//! response is cut.

use super::respond::{Field, plain, push, respond_with};
use crate::counters::Counters;
use crate::files::reason;
use crate::opening::Opened;
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::task::{JoinHandle, spawn_blocking};
use weir_http::proto::date::parse_http_date;
use weir_http::proto::preconditions::{Validators, Wanted, wanted};
use weir_http::{Body, Failure, ItemSink, Pull, PullBody, RequestHead};

/// Size of a read: a batch of the engine.
const PIECE: usize = if cfg!(feature = "stress") { 1000 } else { 64 * 1024 };

/// The response that sends a file, or as much of it as the request wants. Another status than 200 is one that the script chose:
/// then all of it is sent.
pub(super) fn sent(
    head: &RequestHead,
    status: u16,
    mut fields: Vec<Field>,
    opened: Arc<Opened>,
    counters: &'static Counters,
) -> weir_http::Response {
    let size = opened.size;
    let value = |name: &str| {
        fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    };
    let validators = Validators {
        etag: value("etag").map(str::as_bytes),
        modified: value("last-modified").and_then(parse_http_date),
    };
    let wanted = if status == 200 { wanted(head, validators, size) } else { Wanted::Whole };
    let body = |range: Range<u64>| {
        Body::Sized(range.end - range.start, Box::new(FileBody::new(Arc::clone(&opened), range, counters)))
    };
    match wanted {
        Wanted::Whole => respond_with(status, body(0..size), &fields),
        Wanted::Part(range) => {
            let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            fields.push((Cow::Borrowed("Content-Range"), Cow::Owned(content_range)));
            respond_with(206, body(range), &fields)
        }
        Wanted::NotModified => {
            // What describes content that does not come is left out (RFC 9110 section 15.4.5).
            fields.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            respond_with(304, Body::Empty, &fields)
        }
        Wanted::Beyond => {
            let mut made = plain(416);
            push(&mut made, "Content-Range", &format!("bytes */{size}"));
            made
        }
        Wanted::Failed => plain(412),
    }
}

/// A part of a file.
struct FileBody {
    opened: Arc<Opened>,
    /// What was not read yet.
    rest: Range<u64>,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
    counters: &'static Counters,
}

impl FileBody {
    fn new(opened: Arc<Opened>, rest: Range<u64>, counters: &'static Counters) -> Self {
        counters.streams.add(1);
        Self { opened, rest, reading: None, counters }
    }

    /// The next piece. What the system has in memory is there at once; what has to come from a disk is read on the pool.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let length = (self.rest.end - self.rest.start).min(PIECE as u64) as usize;
        if self.reading.is_none() {
            let mut piece = vec![0; length];
            if let Some(read) = read_cached(&self.opened.file, &mut piece, self.rest.start) {
                piece.truncate(read);
                return Poll::Ready(Ok(piece));
            }
            let (opened, start) = (Arc::clone(&self.opened), self.rest.start);
            self.reading = Some(spawn_blocking(move || read_at(&opened.file, piece, start)));
        }
        let reading = self.reading.as_mut().expect("it was begun above");
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        // The pool is gone when the process ends.
        Poll::Ready(read.unwrap_or_else(|gone| Err(io::Error::other(gone))))
    }
}

impl PullBody for FileBody {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        if self.rest.is_empty() {
            return Poll::Ready(Pull::End);
        }
        let polled = ready!(self.poll_piece(cx));
        let why = match polled {
            Ok(piece) if piece.is_empty() => "became shorter while it was sent".to_owned(),
            Ok(piece) => {
                self.rest.start += piece.len() as u64;
                out.item_bytes(piece.into());
                return Poll::Ready(Pull::Item);
            }
            Err(error) => reason(&error),
        };
        Poll::Ready(Pull::Failed(Failure::new(format!("{}: {why}", self.opened.path.display()), 500)))
    }
}

impl Drop for FileBody {
    fn drop(&mut self) {
        self.counters.streams.add(-1);
    }
}

/// Reads what the system has in memory; `None` where it would have to wait, or cannot tell.
#[cfg(target_os = "linux")]
fn read_cached(file: &File, piece: &mut [u8], at: u64) -> Option<usize> {
    use rustix::io::{IoSliceMut, ReadWriteFlags, preadv2};
    let read = preadv2(file, &mut [IoSliceMut::new(piece)], at, ReadWriteFlags::NOWAIT);
    // That there is nothing is asked again in earnest.
    read.ok().filter(|read| *read > 0)
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_: &File, _: &mut [u8], _: u64) -> Option<usize> {
    None
}

/// Reads a piece, perhaps less than wanted; an empty one is the end.
fn read_at(file: &File, mut piece: Vec<u8>, at: u64) -> io::Result<Vec<u8>> {
    loop {
        match file.read_at(&mut piece, at) {
            Ok(length) => {
                piece.truncate(length);
                return Ok(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
