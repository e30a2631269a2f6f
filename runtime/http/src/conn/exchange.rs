//! One exchange: dispatch a request, respond, get behind the request's body.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::incoming::DISCARD_MAX;
use super::record::Record;
use super::state::{BATCH, BURST, Conn, Ending, Exit, yield_turn};
use crate::proto::framing::{Shape, respond};
use crate::proto::head::RequestHead;
use crate::request::Request;
use crate::response::{Body, Response};
use crate::service::Service;

/// How long the rest of an unread request body may take to arrive.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// Why the service gave no response.
enum NoResponse {
    Panicked,
    Over(Ending),
}

impl Conn {
    /// Runs one exchange; the connection goes on unless an exit is returned.
    pub async fn exchange<S: Service>(&mut self, service: &S, head: RequestHead) -> Result<(), Exit> {
        self.core.counters.count_request(self.core.index);
        let body = self.incoming.begin(&head, &mut self.io.read, &self.core.limits);
        let mut record = Record::new(service, self, Some(head.clone()));
        let request = Request { head, body, peer: self.peer, client: record.client(), id: record.id() };
        let result = match self.dispatch(service, request).await {
            Ok(response) => {
                let result = self.respond(&mut record, response).await;
                // More than a batch is out before the exchange ends, so that its record tells what became of it; unless the
                // client may want to be read from first.
                if self.io.write.len() < BATCH || !self.incoming.is_done() {
                    result
                } else if let Err(ending) = poll_fn(|cx| self.poll_send(cx)).await {
                    record.bytes = record.bytes.saturating_sub(self.io.write.len() as u64);
                    record.ended(ending);
                    Err(ending.exit())
                } else {
                    result
                }
            }
            Err(NoResponse::Panicked) => {
                record.panicked();
                self.send_engine_answer(&mut record, 500, true)
            }
            Err(NoResponse::Over(ending)) => {
                record.ended(ending);
                Err(ending.exit())
            }
        };
        drop(record);
        self.incoming.end();
        if result.is_ok() && !self.incoming.is_done() {
            return self.discard().await;
        }
        result
    }

    /// Runs the service. Its future is dropped as soon as there is a response, or no one to give it to.
    async fn dispatch<S: Service>(&mut self, service: &S, request: Request) -> Result<Response, NoResponse> {
        let future = catch_unwind(AssertUnwindSafe(|| service.call(request))).map_err(panicked)?;
        let mut future = pin!(future);
        let mut waited = false;
        let result = poll_fn(|cx| {
            loop {
                // A panic ends this connection only; nothing of the service's future is used after it.
                match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
                    Ok(Poll::Ready(response)) => return Poll::Ready(Ok(response)),
                    Err(payload) => return Poll::Ready(Err(panicked(payload))),
                    Ok(Poll::Pending) => waited = true,
                }
                if let Err(ending) = ready!(self.poll_attend(cx)) {
                    return Poll::Ready(Err(NoResponse::Over(ending)));
                }
            }
        })
        .await;
        if waited {
            self.now = Instant::now();
        }
        result
    }

    async fn respond<S: Service>(
        &mut self,
        record: &mut Record<'_, S>,
        response: Response,
    ) -> Result<(), Exit> {
        let (parts, body) = response.into_parts();
        let (shape, stream) = match body {
            Body::Empty => return self.send_sized(record, &parts, Bytes::new()),
            Body::Bytes(bytes) => return self.send_sized(record, &parts, bytes),
            Body::Stream(stream) => (Shape::Stream, stream),
            Body::Sized(length, stream) => (Shape::Sized(length), stream),
        };
        let (framing, has_body) = respond(record.version(), record.wants_no_body(), parts.status, shape);
        if has_body {
            return self.stream(record, parts, stream, framing).await;
        }
        drop(stream);
        let persists = self.put_head(record, &parts, framing);
        record.answered();
        self.go_on(record, persists)
    }

    /// Reads and drops the rest of a request body that no one wanted.
    async fn discard(&mut self) -> Result<(), Exit> {
        let deadline = Instant::now() + DISCARD_TIME;
        let mut left = DISCARD_MAX;
        let mut burst = 0;
        poll_fn(|cx| {
            loop {
                while !self.io.read.is_empty() {
                    let before = self.io.read.data().len();
                    let (_, end) = self.incoming.decode(&mut self.io.read);
                    left = left.saturating_sub((before - self.io.read.data().len()) as u64);
                    match end {
                        Some(Ok(())) => return Poll::Ready(Ok(())),
                        None if left > 0 => {}
                        _ => return Poll::Ready(Err(Exit::Linger)),
                    }
                }
                burst += 1;
                if burst > BURST {
                    burst = 0;
                    return yield_turn(cx);
                }
                if let Poll::Ready(Err(ending)) = self.poll_send(cx) {
                    return Poll::Ready(Err(ending.exit()));
                }
                match self.io.poll_fill(cx, &self.core.pool) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Exit::Close)),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => {
                        ready!(self.timer.poll(cx, deadline));
                        return Poll::Ready(Err(Exit::Linger));
                    }
                }
            }
        })
        .await?;
        self.now = Instant::now();
        Ok(())
    }
}

/// The panic itself was reported by the process' hook.
fn panicked(_payload: Box<dyn Any + Send>) -> NoResponse {
    NoResponse::Panicked
}
