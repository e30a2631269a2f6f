//! Sending a lazy body: pull a batch, write it, pull on when the peer has taken it.
//!
//! Invariants: nothing is pulled while bytes wait for the peer, but the body may do what else it does; everything produced is on its way before the
//! body is waited for; the head goes out with the first item, or alone when the first-item window closes, and
//! a body that fails before that becomes an ordinary error response; of a body whose length was told not a byte more is sent.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use super::record::Record;
use super::state::{BATCH, BURST, Conn, Ending, Exit, yield_turn};
use crate::body::{Failure, ItemSink, Pull, PullBody};
use crate::counters::StreamSlot;
use crate::proto::chunk::LAST_CHUNK;
use crate::proto::framing::ResponseFraming;
use crate::response::ResponseParts;
use crate::service::Service;
use crate::worker::Phase;

/// The first batch ends here, so that the first bytes leave early; each batch is twice the one before.
const FIRST_BATCH: usize = 4 * 1024;
/// A batch ends at so many items even if they are small.
const BATCH_ITEMS: u32 = 1024;

/// A lazy body on its way.
struct Streaming {
    body: Box<dyn PullBody>,
    parts: ResponseParts,
    framing: ResponseFraming,
    /// The head is in the write buffer for good.
    begun: bool,
    /// The head told that the connection persists.
    persists: bool,
    /// The body knows that the server drains.
    wound_up: bool,
    /// When the head goes out even without an item; set at the first wait.
    window_ends: Option<Instant>,
    /// Bytes of the next batch.
    batch: usize,
    /// Full batches since the last wait.
    burst: u32,
    payload: u64,
}

/// How a lazy body ended.
enum StreamEnd {
    /// All of it is in the write buffer.
    Whole,
    Failed(Failure),
    Panicked,
    Over(Ending),
}

/// Why a batch ended.
enum BatchEnd {
    Full,
    Waits,
    End,
    Failed(Failure),
    Panicked,
}

impl Conn {
    /// Sends a lazy body to its end.
    pub async fn stream<S: Service>(
        &mut self,
        record: &mut Record<'_, S>,
        parts: ResponseParts,
        body: Box<dyn PullBody>,
        framing: ResponseFraming,
    ) -> Result<(), Exit> {
        let slot = StreamSlot::take(&self.core.counters, self.core.index);
        let mut streaming = Streaming {
            body,
            parts,
            framing,
            begun: false,
            persists: false,
            wound_up: false,
            window_ends: None,
            batch: FIRST_BATCH,
            burst: 0,
            payload: 0,
        };
        let end = poll_fn(|cx| self.poll_stream(cx, record, &mut streaming)).await;
        let Streaming { body, begun, persists, payload, .. } = streaming;
        // The source is released before the connection goes on.
        drop((body, slot));
        self.now = Instant::now();
        record.bytes = payload;
        match end {
            StreamEnd::Whole => {
                record.answered();
                self.go_on(record, persists)
            }
            StreamEnd::Over(ending) => {
                record.ended(ending);
                Err(ending.exit())
            }
            StreamEnd::Failed(failure) if !begun => {
                let status = failure.status.filter(|status| (400..=599).contains(status)).unwrap_or(500);
                record.failed(failure);
                self.send_engine_answer(record, status, false)
            }
            StreamEnd::Panicked if !begun => {
                record.panicked();
                self.send_engine_answer(record, 500, true)
            }
            StreamEnd::Failed(failure) => {
                record.failed(failure);
                Err(abort(framing))
            }
            StreamEnd::Panicked => {
                record.panicked();
                Err(abort(framing))
            }
        }
    }

    fn poll_stream<S: Service>(
        &mut self,
        cx: &mut Context<'_>,
        record: &mut Record<'_, S>,
        streaming: &mut Streaming,
    ) -> Poll<StreamEnd> {
        if !streaming.wound_up && self.core.phase() != Phase::Serving {
            streaming.wound_up = true;
            if guarded(cx, |_| streaming.body.wind_up()).is_err() {
                return Poll::Ready(StreamEnd::Panicked);
            }
        }
        loop {
            // Earlier responses, or the last batch: nothing is pulled before they are taken.
            if !self.io.write.is_empty() {
                match self.poll_send(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(ending)) => return Poll::Ready(StreamEnd::Over(ending)),
                    Poll::Pending => return self.poll_beside(cx, streaming),
                }
            }
            if streaming.burst >= BURST {
                streaming.burst = 0;
                return match self.poll_wait(cx) {
                    Poll::Ready(over) => Poll::Ready(over),
                    Poll::Pending => yield_turn(cx),
                };
            }
            match self.pull_batch(cx, record, streaming) {
                BatchEnd::Full => {
                    streaming.batch = (streaming.batch * 2).min(BATCH);
                    streaming.burst += 1;
                }
                BatchEnd::Waits => {
                    streaming.burst = 0;
                    if let Some(end) = ready!(self.poll_source(cx, record, streaming)) {
                        return Poll::Ready(end);
                    }
                }
                BatchEnd::End => {
                    if streaming.framing == ResponseFraming::Chunked {
                        self.io.write.tail().extend_from_slice(LAST_CHUNK);
                    }
                    return Poll::Ready(StreamEnd::Whole);
                }
                BatchEnd::Failed(failure) => return Poll::Ready(StreamEnd::Failed(failure)),
                BatchEnd::Panicked => return Poll::Ready(StreamEnd::Panicked),
            }
        }
    }

    /// Pulls items into the (empty) write buffer until the batch is full or the body has none.
    fn pull_batch<S: Service>(
        &mut self,
        cx: &mut Context<'_>,
        record: &mut Record<'_, S>,
        streaming: &mut Streaming,
    ) -> BatchEnd {
        self.io.write.lend(&self.core.pool);
        let start = self.io.write.mark();
        if !streaming.begun {
            streaming.persists = self.put_head(record, &streaming.parts, streaming.framing);
        }
        let chunked = streaming.framing == ResponseFraming::Chunked;
        let begun = streaming.begun;
        let (body, write) = (&mut streaming.body, &mut self.io.write);
        let (limit, mut items, mut payload) = (streaming.batch, 0, 0);
        let pulled = guarded(cx, |cx| {
            loop {
                let mut sink = ItemSink::new(write, chunked, begun || items > 0);
                let step = body.poll_item(cx, &mut sink);
                payload += sink.payload();
                match step {
                    Poll::Ready(Pull::Item) => items += 1,
                    Poll::Ready(Pull::End) => return BatchEnd::End,
                    Poll::Ready(Pull::Failed(failure)) => return BatchEnd::Failed(failure),
                    Poll::Pending => return BatchEnd::Waits,
                }
                if items == BATCH_ITEMS || write.len() >= limit {
                    return BatchEnd::Full;
                }
            }
        });
        streaming.payload += payload;
        let mut end = pulled.unwrap_or(BatchEnd::Panicked);
        if let Some(failure) = streaming.mismeasured(&end) {
            if streaming.payload > streaming.told() {
                // The first byte too many would be taken for the next response.
                self.io.write.truncate(start);
                streaming.payload -= payload;
                items = 0;
            }
            end = BatchEnd::Failed(failure);
        }
        if items > 0 || matches!(end, BatchEnd::End) {
            streaming.begin();
        } else if !streaming.begun {
            // Nothing came: the head stays open, so that a failure can still change it.
            self.io.write.truncate(start);
            self.incoming.responding = false;
            record.status = None;
        }
        end
    }

    /// The body waits. Ready with nothing when it should be polled again.
    fn poll_source<S: Service>(
        &mut self,
        cx: &mut Context<'_>,
        record: &mut Record<'_, S>,
        streaming: &mut Streaming,
    ) -> Poll<Option<StreamEnd>> {
        if !streaming.begun {
            let window = self.core.limits.first_item_window;
            let ends = *streaming.window_ends.get_or_insert_with(|| Instant::now() + window);
            if self.timer.poll(cx, ends).is_ready() {
                self.now = Instant::now();
                self.io.write.lend(&self.core.pool);
                streaming.persists = self.put_head(record, &streaming.parts, streaming.framing);
                streaming.begin();
            }
        }
        match self.poll_attend(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(None),
            Poll::Ready(Err(ending)) => Poll::Ready(Some(StreamEnd::Over(ending))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The peer takes no more: whatever else the body does goes on, also with what comes of the request's body.
    fn poll_beside(&mut self, cx: &mut Context<'_>, streaming: &mut Streaming) -> Poll<StreamEnd> {
        loop {
            if guarded(cx, |cx| streaming.body.poll_beside(cx)).is_err() {
                return Poll::Ready(StreamEnd::Panicked);
            }
            if let Err(ending) = ready!(self.poll_attend(cx)) {
                return Poll::Ready(StreamEnd::Over(ending));
            }
        }
    }

    /// Others have their turn: keep the request body going and watch for the peer's end.
    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<StreamEnd> {
        loop {
            if let Err(ending) = ready!(self.poll_attend(cx)) {
                return Poll::Ready(StreamEnd::Over(ending));
            }
        }
    }
}

impl Streaming {
    /// The length that the client is told; without one there is no end to it.
    fn told(&self) -> u64 {
        match self.framing {
            ResponseFraming::Length(told) => told,
            _ => u64::MAX,
        }
    }

    /// What is wrong with a body that is not as long as was told.
    fn mismeasured(&self, end: &BatchEnd) -> Option<Failure> {
        let ResponseFraming::Length(told) = self.framing else { return None };
        let is_short = matches!(end, BatchEnd::End) && self.payload < told;
        if !is_short && self.payload <= told {
            return None;
        }
        let what = if is_short { "ended early" } else { "went on" };
        Some(Failure { message: format!("a body of {told} bytes {what}"), status: None })
    }

    /// The head is out of reach from here; what only it needed is freed.
    fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.parts.fields = Vec::new();
        }
    }
}

/// How a connection closes under an unfinished body: without its last chunk, or the last of the bytes that were told, or with
/// an RST where only the end of the connection tells the end of the body.
fn abort(framing: ResponseFraming) -> Exit {
    if framing == ResponseFraming::UntilClose { Exit::Reset } else { Exit::Close }
}

/// Polls something of the application; `Err` if it panicked.
fn guarded<R>(cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> R) -> Result<R, ()> {
    catch_unwind(AssertUnwindSafe(|| poll(cx))).map_err(|_| ())
}
