//! Response heads and sized responses: what the application gave -> bytes in the write buffer.
//!
//! Here, and only here, is decided whether the connection persists after a response.

use bytes::Bytes;

use super::record::Record;
use super::state::{Conn, Exit};
use crate::proto::encode::{Persistence, ResponseHead};
use crate::proto::framing::{ResponseFraming, Shape, Version, respond};
use crate::response::{Body, Response, ResponseParts};
use crate::service::Service;
use crate::worker::Phase;

impl Conn {
    /// Puts a response whose bytes are all there into the write buffer.
    pub fn send_sized<S: Service>(
        &mut self,
        record: &mut Record<'_, S>,
        parts: &ResponseParts,
        body: Bytes,
    ) -> Result<(), Exit> {
        let shape = Shape::Sized(body.len() as u64);
        let (framing, has_body) = respond(record.version(), record.wants_no_body(), parts.status, shape);
        let persists = self.put_head(record, parts, framing);
        if has_body {
            record.bytes = body.len() as u64;
            self.io.write.push(body);
            self.send_by = self.core.limits.response_time.and_then(|time| record.started().checked_add(time));
        }
        record.answered();
        self.go_on(record, persists)
    }

    /// Answers in the engine's own words; with `close` always the last response of the connection.
    pub fn send_engine_answer<S: Service>(
        &mut self,
        record: &mut Record<'_, S>,
        status: u16,
        close: bool,
    ) -> Result<(), Exit> {
        let mut response = Response::plain(status);
        if close {
            response.close();
        }
        let (parts, body) = response.into_parts();
        let Body::Bytes(bytes) = body else { unreachable!("plain responses have bytes") };
        self.send_sized(record, &parts, bytes)
    }

    /// Appends the head of a response; true if the connection persists after it.
    pub fn put_head<S: Service>(
        &mut self,
        record: &mut Record<'_, S>,
        parts: &ResponseParts,
        framing: ResponseFraming,
    ) -> bool {
        let persists = record.keep_alive()
            && !parts.close
            && framing != ResponseFraming::UntilClose
            && self.core.phase() == Phase::Serving
            && self.incoming.is_reusable();
        let persistence = match (persists, record.version()) {
            (false, _) => Persistence::Close,
            (true, Version::Http10) => Persistence::KeepAlive,
            (true, Version::Http11) => Persistence::Implied,
        };
        record.status = Some(parts.status);
        self.incoming.responding = true;
        self.io.write.lend(&self.core.pool);
        let tail = self.io.write.tail();
        self.core.with_date(self.now, |date| {
            ResponseHead { status: parts.status, framing, persistence, date, fields: &parts.fields }
                .encode(tail);
        });
        persists
    }

    /// What follows a whole response. Closing needs no care when the client knows that this was the last
    /// response and nothing of it can be left unread.
    pub fn go_on<S: Service>(&self, record: &Record<'_, S>, persists: bool) -> Result<(), Exit> {
        if persists {
            return Ok(());
        }
        let clean = !record.keep_alive() && self.incoming.is_done() && self.io.read.is_empty();
        Err(if clean { Exit::Close } else { Exit::Linger })
    }
}
