//! What a connection does while the application works or waits: write, feed the request body, watch the peer.

use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use super::state::{Conn, Ending};
use crate::request::BodyError;
use crate::worker::Phase;

impl Conn {
    /// Writes what waits. Pending while the peer takes no more.
    pub fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ending>> {
        if self.core.phase() == Phase::Cut {
            return Poll::Ready(Err(Ending::Cut));
        }
        if self.io.write.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match self.io.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.send_by = None;
                if self.stall_since.take().is_some() {
                    self.now = Instant::now();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(Ending::Gone)),
            Poll::Pending => {
                if self.io.take_progress() || self.stall_since.is_none() {
                    self.io.peer_took();
                    self.stall_since = Some(Instant::now());
                }
                self.poll_stall(cx).map(Err)
            }
        }
    }

    /// Ready when the peer has taken nothing for too long, or not all of it in time.
    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        loop {
            let since = *self.stall_since.get_or_insert_with(Instant::now);
            let stalled = since + self.core.limits.stall_timeout;
            if let Some(late) = self.send_by.filter(|late| *late <= stalled) {
                ready!(self.timer.poll(cx, late));
                return Poll::Ready(Ending::Late);
            }
            ready!(self.timer.poll(cx, stalled));
            if !self.io.peer_took() {
                return Poll::Ready(Ending::Stalled);
            }
            self.stall_since = Some(Instant::now());
        }
    }

    /// One round while the application is pending. `Ready(Ok)`: the request body went on, poll the application
    /// again. `Ready(Err)`: the exchange is over.
    pub fn poll_attend(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ending>> {
        if let Some(state) = &self.incoming.state {
            state.attach(cx.waker());
        }
        match self.poll_send(cx) {
            Poll::Ready(Err(ending)) => return Poll::Ready(Err(ending)),
            Poll::Ready(Ok(())) => self.io.write.release(&self.core.pool),
            Poll::Pending => {}
        }
        if self.incoming.is_wanted() {
            return self.poll_feed(cx).map(Ok);
        }
        self.io.read.release(&self.core.pool);
        self.io.poll_gone(cx, self.core.limits.half_close).map(|()| Err(Ending::Gone))
    }

    /// Reads for the waiting reader of the request body. Ready when it was given something.
    fn poll_feed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if !self.io.read.is_empty() {
                let (piece, end) = self.incoming.decode(&mut self.io.read);
                if !piece.is_empty() || end.is_some() {
                    self.incoming.waiting_since = None;
                    if let Some(state) = &self.incoming.state {
                        state.deliver(piece, end);
                    }
                    return Poll::Ready(());
                }
            }
            match self.io.poll_fill(cx, &self.core.pool) {
                Poll::Ready(Ok(0) | Err(_)) => {
                    self.incoming.fail(BodyError::Truncated);
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(_)) => self.incoming.continue_due = false,
                Poll::Pending if self.incoming.responding => return Poll::Pending,
                Poll::Pending => return self.poll_body_wait(cx),
            }
        }
    }

    /// The reader waits for the client, and no response has begun.
    fn poll_body_wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.incoming.continue_due {
            self.incoming.continue_due = false;
            self.io.write.lend(&self.core.pool);
            self.io.write.tail().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            // If it cannot be sent, the next round says so.
            if self.poll_send(cx).is_ready() {
                self.io.write.release(&self.core.pool);
            }
        }
        let since = *self.incoming.waiting_since.get_or_insert_with(Instant::now);
        match self.timer.poll(cx, since + self.core.limits.body_timeout) {
            Poll::Ready(()) => {
                self.incoming.fail(BodyError::Timeout);
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
