//! A connection to an upstream that speaks HTTP/1.1.
//!
//! Invariant: nobody but who holds it polls it; dropping it closes the socket.

use super::sent::Sent;
use super::wire::{Noted, Wire};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

/// How many bytes are read ahead of the reader of a body, and how long the head of an answer may be.
pub const BUFFER: usize = 64 * 1024;

/// A connection with its socket.
pub struct Link {
    sender: SendRequest<Sent>,
    connection: Pin<Box<Connection<TokioIo<Noted>, Sent>>>,
    /// The connection came to its end and is not polled again.
    is_closed: bool,
    received: Arc<AtomicBool>,
    /// It has carried an answer before.
    is_used: bool,
}

impl Link {
    /// Begins to speak.
    pub async fn new(wire: Wire) -> hyper::Result<Self> {
        let (wire, received) = Noted::new(wire);
        let (sender, connection) = Builder::new().max_buf_size(BUFFER).handshake(TokioIo::new(wire)).await?;
        Ok(Self { sender, connection: Box::pin(connection), is_closed: false, received, is_used: false })
    }

    /// Sends a request; the answer comes while this is polled.
    pub fn send(
        &mut self,
        request: Request<Sent>,
    ) -> impl Future<Output = hyper::Result<Response<Incoming>>> + use<> {
        self.received.store(false, Relaxed);
        self.sender.send_request(request)
    }

    /// Whether anything came back since the request was sent.
    pub fn has_received(&self) -> bool {
        self.received.load(Relaxed)
    }

    /// Whether it has carried an answer before.
    pub fn is_used(&self) -> bool {
        self.is_used
    }

    /// Reads and writes what can be. Errors come out of what is read.
    pub fn poll(&mut self, cx: &mut Context<'_>) {
        if !self.is_closed {
            self.is_closed = self.connection.as_mut().poll(cx).is_ready();
        }
    }

    /// Whether it came to its end.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The link, if the answer that came over it was read to its end, all was sent, and both sides keep it open.
    pub fn into_rested(mut self, cx: &mut Context<'_>) -> Option<Self> {
        self.poll(cx);
        let is_free = !self.is_closed && matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(())));
        self.is_used = true;
        is_free.then_some(self)
    }
}
