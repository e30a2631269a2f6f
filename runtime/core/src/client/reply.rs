//! What an upstream answers: a head, and a body that is read piece by piece.
//!
//! The connection is polled together with the body, and the request's body with both, so that an answer can be read while the
//! request is still being sent. A connection whose answer was read to its end goes back to the pool.

use super::broken;
use super::link::Link;
use super::pool::{Counted, Key};
use super::upload::Upload;
use crate::failure::Failure;
use crate::scope::Scope;
use crate::worker::Worker;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use hyper::body::{Body, Incoming};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// What is known of an answer before its body.
#[derive(Debug)]
pub struct Head {
    /// The last one, behind redirections.
    pub status: StatusCode,
    /// Its fields.
    pub fields: HeaderMap,
    /// Where it came from.
    pub url: String,
}

impl Head {
    /// The coding of its body, where it is not plain: nobody asked for one.
    pub fn coding(&self) -> Option<String> {
        let coding = self.fields.get(header::CONTENT_ENCODING)?;
        let coding = String::from_utf8_lossy(coding.as_bytes()).trim().to_ascii_lowercase();
        (!coding.is_empty() && coding != "identity").then_some(coding)
    }
}

/// The body of an answer. Dropping it before its end closes the connection.
pub struct ReplyBody {
    head: Rc<Head>,
    state: Option<Reading>,
    /// What is charged to the heap for the buffer of the connection.
    held: usize,
}

struct Reading {
    // In this order: the body is told first that nobody reads it.
    incoming: Incoming,
    link: Link,
    upload: Option<Upload>,
    key: Key,
    worker: Rc<Worker>,
    _counted: Counted,
}

impl ReplyBody {
    pub(super) fn new(
        head: Rc<Head>,
        incoming: Incoming,
        link: Link,
        key: Key,
        worker: Rc<Worker>,
        counted: Counted,
    ) -> Self {
        let reading = Reading { incoming, link, upload: None, key, worker, _counted: counted };
        Self { head, state: Some(reading), held: 0 }
    }

    /// The answer's head.
    pub fn head(&self) -> &Rc<Head> {
        &self.head
    }

    /// The request's body goes on being sent, and so many bytes are charged to the heap.
    pub(super) fn adopt(&mut self, upload: Option<Upload>, held: usize) {
        self.held = held;
        if let Some(reading) = &mut self.state {
            reading.upload = upload.filter(|upload| !upload.has_ended());
        }
    }

    /// Lets the connection rest at once when there is no body.
    pub(super) fn settle(&mut self, scope: &mut Scope, cx: &mut Context<'_>) {
        if self.state.as_ref().is_some_and(|reading| reading.incoming.is_end_stream()) {
            self.finish(scope, cx);
        }
    }

    /// Gives the connection to the pool if it can be used again. All was read and sent.
    fn rest(&mut self, cx: &mut Context<'_>) {
        let Some(reading) = self.state.take() else { return };
        let Reading { incoming, link, key, worker, .. } = reading;
        drop(incoming);
        if let Some(link) = link.into_rested(cx) {
            worker.client.put(key, link);
        }
    }

    /// The next bytes; `None` at the end. After a failure it is not polled again.
    pub fn poll_piece(
        &mut self,
        scope: &mut Scope,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            let Some(reading) = &mut self.state else { return Poll::Ready(Ok(None)) };
            match ready!(reading.poll(&self.head, scope, cx))? {
                Some(piece) if piece.is_empty() => {}
                Some(piece) => return Poll::Ready(Ok(Some(piece))),
                None => self.finish(scope, cx),
            }
        }
    }

    /// The body was read to its end; what is still being sent ends.
    fn finish(&mut self, scope: &mut Scope, cx: &mut Context<'_>) {
        let is_sent = match self.state.as_mut().and_then(|reading| reading.upload.as_mut()) {
            Some(upload) if !upload.has_ended() => {
                upload.close(scope);
                false
            }
            _ => true,
        };
        if is_sent {
            self.rest(cx);
        }
        self.close(scope);
    }

    /// Skips a short body so that its connection can be used again; `Ready` when that is done or given up.
    pub(super) fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        /// Above it a new connection is cheaper.
        const SHORT: u64 = 4 * 1024;
        loop {
            let Some(reading) = &mut self.state else { return Poll::Ready(()) };
            if reading.incoming.size_hint().upper().is_none_or(|size| size > SHORT) {
                return Poll::Ready(());
            }
            match ready!(reading.poll_own(&self.head, cx)) {
                Ok(Some(_)) => {}
                Ok(None) => self.rest(cx),
                Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// Ends it, early or not, for a scope that goes on.
    pub fn close(&mut self, scope: &mut Scope) {
        scope.heap_mut().uncharge(std::mem::take(&mut self.held));
        if let Some(reading) = self.state.take()
            && let Some(mut upload) = reading.upload
        {
            upload.close(scope);
        }
    }
}

impl Reading {
    fn poll(
        &mut self,
        head: &Head,
        scope: &mut Scope,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            if let Poll::Ready(piece) = self.poll_own(head, cx) {
                return Poll::Ready(piece);
            }
            let Some(upload) = &mut self.upload else { return Poll::Pending };
            if !upload.feed(scope, cx)? {
                return Poll::Pending;
            }
        }
    }

    /// The next frame, as far as it takes the connection alone.
    fn poll_own(&mut self, head: &Head, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        let mut is_driven = false;
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are nobody's.
                    let data = frame.into_data().unwrap_or_default();
                    return Poll::Ready(Ok(Some(data)));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(broken(&head.url, "broke off", &error)));
                }
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending if is_driven || self.link.is_closed() => return Poll::Pending,
                // The body waits for what the connection reads. An error of the connection comes out of the body.
                Poll::Pending => {
                    self.link.poll(cx);
                    is_driven = true;
                }
            }
        }
    }
}
