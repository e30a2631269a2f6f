//! Closing a connection so that what was answered arrives.

use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::state::{Conn, Ending, Exit};
use crate::worker::Phase;

/// After the last response the client is read from for so long and so much: closing with unread input would
/// send an RST, which can destroy the response on its way.
const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 512 * 1024;

impl Conn {
    /// Ends the connection.
    pub async fn close(&mut self, exit: Exit) {
        match exit {
            Exit::Drop => return,
            Exit::Reset => return self.io.reset_on_close(),
            Exit::Close | Exit::Linger => {}
        }
        if let Err(ending) = poll_fn(|cx| self.poll_send(cx)).await {
            if ending != Ending::Gone {
                self.io.reset_on_close();
            }
            return;
        }
        self.io.release(&self.core.pool);
        if exit == Exit::Linger {
            self.io.shut_write();
            self.linger().await;
        }
    }

    async fn linger(&mut self) {
        let deadline = Instant::now() + LINGER_TIME;
        let mut left = LINGER_BYTES;
        poll_fn(|cx| {
            loop {
                if self.core.phase() == Phase::Cut || left == 0 {
                    return Poll::Ready(());
                }
                match self.io.poll_fill(cx, &self.core.pool) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(count)) => {
                        let held = self.io.read.data().len();
                        self.io.read.consume(held);
                        left = left.saturating_sub(count);
                    }
                    Poll::Pending => {
                        ready!(self.timer.poll(cx, deadline));
                        return Poll::Ready(());
                    }
                }
            }
        })
        .await;
        self.io.release(&self.core.pool);
    }
}
