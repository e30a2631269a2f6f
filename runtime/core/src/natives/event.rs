//! Natives of event streams (WHATWG HTML, section 9.2.5).

use crate::scope::Scope;
use crate::stream::{Events, Manner};
use crate::value::{Handle, Own, Response, Stream, Text};
use std::time::Duration;
use weir_abi::layout::response;
use weir_abi::trap::Trap;

/// The fields that keep what stands between server and client from holding events back.
const FIELDS: [&str; 6] = [
    "Content-Type",
    "text/event-stream",
    "Cache-Control",
    "no-cache, no-transform",
    "X-Accel-Buffering",
    "no",
];

/// An event as it is sent: each line of the data on a line of its own, an empty line behind it. `name` may be empty, and
/// `retry`, in nanoseconds, below 0, for none.
pub fn event_text(
    scope: &mut Scope,
    data: Text,
    id: Text,
    has_id: i64,
    name: Text,
    retry: i64,
) -> Result<Own<Text>, Trap> {
    let mut written = Vec::with_capacity(data.len() + 32);
    if has_id != 0 {
        push_field(&mut written, "id", one_line("id", id.as_str())?);
    }
    if name.len() > 0 {
        push_field(&mut written, "event", one_line("name", name.as_str())?);
    }
    if retry >= 0 {
        push_field(&mut written, "retry", &milliseconds(retry).to_string());
    }
    for line in lines(data.as_str()) {
        push_field(&mut written, "data", line);
    }
    written.push(b'\n');
    Ok(scope.text_with(written.len(), |filler| filler.push(&written))?)
}

fn push_field(written: &mut Vec<u8>, name: &str, value: &str) {
    written.extend_from_slice(name.as_bytes());
    written.extend_from_slice(b":");
    if !value.is_empty() {
        written.extend_from_slice(b" ");
        written.extend_from_slice(value.as_bytes());
    }
    written.push(b'\n');
}

/// Lines as an event stream has them, which end at LF, CR or CRLF: what does not end its own line would begin a field.
fn lines(data: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else { return rest.take() };
        let behind = &text[end..];
        rest = Some(behind.strip_prefix("\r\n").unwrap_or(&behind[1..]));
        Some(&text[..end])
    })
}

/// A value that would be cut at a line's end, and of which a client takes no notice where it holds a NUL.
fn one_line<'t>(what: &str, value: &'t str) -> Result<&'t str, Trap> {
    if value.contains(['\r', '\n', '\0']) {
        return Err(Trap::native(format!("the {what} of an event holds a line break or a NUL")));
    }
    Ok(value)
}

fn milliseconds(nanoseconds: i64) -> u64 {
    Duration::from_nanos(nanoseconds.max(0) as u64).as_millis() as u64
}

/// An event stream of written events. A `heartbeat` of 0 is none, a `ping` without a name a comment, a `retry` below 0 none;
/// whether it goes on while the server drains.
pub fn respond_events(
    scope: &mut Scope,
    events: Own<Stream>,
    heartbeat: i64,
    ping: Text,
    retry: i64,
    finish: i64,
) -> Result<Own<Response>, Trap> {
    let manner = match manner(heartbeat, ping, retry, finish != 0) {
        Ok(manner) => manner,
        Err(trap) => {
            scope.give_up(events);
            return Err(trap);
        }
    };
    let source = scope.take_stream(events)?;
    let stream = scope.stream(Box::new(Events::new(source, manner)))?;
    let made = scope.text_list(FIELDS.into_iter()).map_err(Trap::from).and_then(|fields| {
        super::response::finish(scope, 200, response::KIND_EVENTS, Some(fields), stream.get().word())
    });
    made.inspect_err(|_| scope.give_up(stream))
}

fn manner(heartbeat: i64, ping: Text, retry: i64, finish: bool) -> Result<Manner, Trap> {
    if heartbeat < 0 {
        return Err(Trap::native("the heartbeat of an event stream is negative"));
    }
    Ok(Manner {
        heartbeat: (heartbeat > 0).then(|| Duration::from_nanos(heartbeat as u64)),
        ping: one_line("heartbeat", ping.as_str())?.to_owned(),
        retry: (retry >= 0).then(|| milliseconds(retry)),
        finish,
    })
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn data_is_cut_at_every_kind_of_line_end() {
        for (data, wanted) in [
            ("", &[""][..]),
            ("a", &["a"]),
            ("a\nb", &["a", "b"]),
            ("a\rb\r\nc", &["a", "b", "c"]),
            ("a\n", &["a", ""]),
            ("\r\r\n\n", &["", "", "", ""]),
            ("ä\n€", &["ä", "€"]),
        ] {
            assert_eq!(lines(data).collect::<Vec<_>>(), wanted, "{data:?}");
        }
    }
}
