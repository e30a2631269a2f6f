//! A stream of lines or bytes as a response's body.
//!
//! Invariant: it owns the request's scope; dropping it cancels all that the request still does.

use super::assert_empty;
use crate::heap::Word;
use crate::log::LogFormat;
use crate::scope::{Scope, Source};
use crate::value::{Own, Text};
use std::task::{Context, Poll, ready};
use weir_http::{ItemSink, Pull, PullBody};

/// How many empty items are passed over before others have their turn.
const EMPTY_AT_ONCE: u32 = 1024;

/// A stream of lines or bytes as a body.
pub(super) struct StreamBody {
    /// Before the scope, whose memory it refers to.
    source: Option<Box<dyn Source>>,
    scope: Box<Scope>,
    /// Its items are Bytes, written as they are.
    is_binary: bool,
    id: u64,
    log: LogFormat,
}

impl StreamBody {
    /// The items of `source`, which belongs to `scope`; whether they are Bytes, written as they are.
    pub(super) fn new(
        source: Box<dyn Source>,
        scope: Box<Scope>,
        is_binary: bool,
        id: u64,
        log: LogFormat,
    ) -> Self {
        scope.worker().counters.streams.add(1);
        Self { source: Some(source), scope, is_binary, id, log }
    }

    /// Writes an item; whether there was something to write.
    fn write(&mut self, word: Word, out: &mut ItemSink<'_>) -> bool {
        // SAFETY: a body's items are owned Texts, or Bytes, which are laid out as Texts.
        let item: Own<Text> = unsafe { self.scope.own(word) };
        let bytes = item.get();
        let is_something = match bytes.as_bytes() {
            [] if self.is_binary => false,
            bytes if self.is_binary => {
                out.item(&[bytes]);
                true
            }
            line @ [.., b'\n'] => {
                out.item(&[line]);
                true
            }
            line => {
                out.item(&[line, b"\n"]);
                true
            }
        };
        self.scope.give_up(item);
        is_something
    }
}

impl PullBody for StreamBody {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        for _ in 0..EMPTY_AT_ONCE {
            let Some(source) = &mut self.source else { return Poll::Ready(Pull::End) };
            match ready!(source.poll_next(&mut self.scope, cx)) {
                Some(Ok(word)) if self.write(word, out) => return Poll::Ready(Pull::Item),
                Some(Ok(_)) => {}
                None => return Poll::Ready(Pull::End),
                Some(Err(failure)) => {
                    if failure.trace.is_some() {
                        self.log.failure(self.id, &failure);
                    }
                    let failure = weir_http::Failure::new(failure.message, failure.status);
                    return Poll::Ready(Pull::Failed(failure));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        self.scope.worker().counters.streams.add(-1);
        if cfg!(feature = "stress")
            && let Some(source) = self.source.take()
        {
            source.close(&mut self.scope);
            assert_empty(&self.scope);
        }
    }
}
