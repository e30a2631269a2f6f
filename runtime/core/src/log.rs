//! The log: one line per exchange, what went wrong in the script, and what it says itself.
//!
//! In: what the engine says about an exchange that ended; failures with their stack traces; notes of the script. Out: lines on standard error,
//! for people or as JSON. Lines gather for at most 100 ms; when standard error is slow, they are dropped and counted
//! (`output`).
//! Invariant: what a client sent is escaped, so that a line stays a line.

use crate::failure::Failure;
use crate::form::write_now;
use crate::output::STDERR;
use std::fmt::{self, Write};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::OnceLock;
use weir_http::{Access, Outcome, Peer};

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
    /// Failures and notes of the script only, for people.
    Off,
}

/// How much a note of the script matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For finding mistakes; written when `WEIR_LOG` is `debug`.
    Debug,
    /// What usually happens.
    Info,
    /// What should not happen, but does no harm yet.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    const ALL: [(&str, Self); 4] =
        [("debug", Self::Debug), ("info", Self::Info), ("warn", Self::Warn), ("error", Self::Error)];

    /// The level that the library gives this number.
    pub fn numbered(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at)).map_or(Self::Error, |(_, level)| *level)
    }

    fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Whether notes of that level are written: those from `WEIR_LOG` on, which is `info` when it is not set.
    pub fn is_on(self) -> bool {
        static LOWEST: OnceLock<Level> = OnceLock::new();
        let lowest = LOWEST.get_or_init(|| {
            let wished = std::env::var("WEIR_LOG").unwrap_or_default();
            Self::ALL.iter().find(|(name, _)| *name == wished).map_or(Self::Info, |(_, level)| *level)
        });
        self >= *lowest
    }
}

/// What a note says besides its message: a name, a value's text form, and whether that is a number or a Bool, which JSON
/// writes without quotes.
pub type Detail = (String, String, bool);

/// Not a log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log format is one of human, json, off")
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for LogFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        match name {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            "off" => Ok(Self::Off),
            _ => Err(UnknownFormat),
        }
    }
}

impl LogFormat {
    /// Logs an exchange that ended.
    pub fn access(self, access: &Access<'_>) {
        let line = match self {
            Self::Off => return,
            Self::Human => human_access(access),
            Self::Json => json_access(access),
        };
        STDERR.write(|out| out.extend_from_slice(line.as_bytes()));
    }

    /// Writes a note of the script in request `id`, or outside of one.
    pub fn note(self, level: Level, id: Option<u64>, message: &str, details: &[Detail]) {
        let line = match self {
            Self::Json => json_note(level, id, message, details),
            Self::Human | Self::Off => human_note(level, id, message, details),
        };
        STDERR.write(|out| out.extend_from_slice(line.as_bytes()));
    }

    /// Logs a failure of the script in request `id`, or outside of one.
    pub fn failure(self, id: impl Into<Option<u64>>, failure: &Failure) {
        let line = match (self, id.into()) {
            (Self::Json, id) => json_failure(id, failure),
            (Self::Human | Self::Off, Some(id)) => format!("{} error #{id:x} {failure}\n", now()),
            (Self::Human | Self::Off, None) => format!("{} error {failure}\n", now()),
        };
        STDERR.write(|out| out.extend_from_slice(line.as_bytes()));
    }
}

fn now() -> String {
    let mut out = Vec::new();
    write_now(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// What became of an exchange: a word, and why.
fn outcome<'a>(outcome: &Outcome<'a>) -> (&'static str, Option<&'a str>) {
    match *outcome {
        Outcome::Answered => ("answered", None),
        Outcome::Refused(why) => ("refused", Some(why)),
        Outcome::Panicked => ("panicked", None),
        Outcome::Failed(why) => ("failed", Some(why)),
        Outcome::Gone => ("gone", None),
        Outcome::Stalled => ("stalled", None),
        Outcome::Late => ("late", None),
        Outcome::Cut => ("cut", None),
    }
}

fn milliseconds(access: &Access<'_>) -> f64 {
    access.started.elapsed().as_micros() as f64 / 1000.0
}

fn human_access(access: &Access<'_>) -> String {
    let (method, target) = access.head.map_or(("-", "-"), |head| (head.method(), head.target()));
    let status = access.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let mut line = format!(
        "{} {} #{:x} {method} {target} {status} {}b {:.3}ms",
        now(),
        human_peer(access),
        access.id,
        access.bytes,
        milliseconds(access)
    );
    let (what, why) = outcome(&access.outcome);
    if access.outcome != Outcome::Answered {
        let _ = write!(line, " {what}");
    }
    if let Some(why) = why {
        let _ = write!(line, ": {}", why.escape_debug());
    }
    line.push('\n');
    line
}

/// The peer; in its place the client, where a proxy that is trusted tells of one.
fn human_peer(access: &Access<'_>) -> String {
    match told_client(access) {
        Some(client) => client.to_string(),
        None => access.peer.to_string(),
    }
}

/// The client's address, where it is not the peer's.
fn told_client(access: &Access<'_>) -> Option<IpAddr> {
    let peer = match access.peer {
        Peer::Ip(address) => Some(address.ip().to_canonical()),
        Peer::Unix => None,
    };
    access.client.filter(|_| access.client != peer)
}

fn json_access(access: &Access<'_>) -> String {
    let (what, why) = outcome(&access.outcome);
    let mut line =
        format!("{{\"time\":\"{}\",\"request\":\"{:x}\",\"peer\":\"{}\"", now(), access.id, access.peer);
    if let Some(client) = told_client(access) {
        let _ = write!(line, ",\"client\":\"{client}\"");
    }
    if let Some(head) = access.head {
        field(&mut line, "method", head.method());
        field(&mut line, "target", head.target());
    }
    if let Some(status) = access.status {
        let _ = write!(line, ",\"status\":{status}");
    }
    let _ =
        write!(line, ",\"bytes\":{},\"ms\":{:.3},\"outcome\":\"{what}\"", access.bytes, milliseconds(access));
    if let Some(why) = why {
        field(&mut line, "why", why);
    }
    line.push_str("}\n");
    line
}

fn human_note(level: Level, id: Option<u64>, message: &str, details: &[Detail]) -> String {
    let mut line = format!("{} {}", now(), level.name());
    if let Some(id) = id {
        let _ = write!(line, " #{id:x}");
    }
    line.push(' ');
    escape(&mut line, message);
    for (name, value, _) in details {
        let _ = write!(line, " {name}=");
        if value.is_empty() || value.contains([' ', '"', '=']) {
            let _ = write!(line, "{value:?}");
        } else {
            escape(&mut line, value);
        }
    }
    line.push('\n');
    line
}

/// A text in which a line stays a line.
fn escape(line: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
}

fn json_note(level: Level, id: Option<u64>, message: &str, details: &[Detail]) -> String {
    let mut line = format!("{{\"time\":\"{}\",\"level\":\"{}\"", now(), level.name());
    if let Some(id) = id {
        let _ = write!(line, ",\"request\":\"{id:x}\"");
    }
    field(&mut line, "message", message);
    for (name, value, is_bare) in details {
        line.push(',');
        quote(&mut line, name);
        line.push(':');
        if *is_bare { line.push_str(value) } else { quote(&mut line, value) }
    }
    line.push_str("}\n");
    line
}

fn json_failure(id: Option<u64>, failure: &Failure) -> String {
    let mut line = format!("{{\"time\":\"{}\"", now());
    if let Some(id) = id {
        let _ = write!(line, ",\"request\":\"{id:x}\"");
    }
    field(&mut line, "error", &failure.message);
    if !failure.notes.is_empty() {
        list(&mut line, "notes", &failure.notes);
    }
    if let Some(trace) = &failure.trace {
        list(&mut line, "trace", trace.lines());
    }
    line.push_str("}\n");
    line
}

fn list(line: &mut String, name: &str, texts: &[String]) {
    let _ = write!(line, ",\"{name}\":[");
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        quote(line, text);
    }
    line.push(']');
}

fn field(line: &mut String, name: &str, value: &str) {
    let _ = write!(line, ",\"{name}\":");
    quote(line, value);
}

fn quote(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(line, "\\u{:04x}", c as u32);
            }
            c => line.push(c),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access<'a>(outcome: Outcome<'a>) -> Access<'a> {
        Access {
            id: 31,
            head: None,
            peer: Peer::Unix,
            client: None,
            status: Some(400),
            bytes: 5,
            started: tokio::time::Instant::now(),
            outcome,
        }
    }

    #[test]
    fn lines_stay_lines() {
        let line = human_access(&access(Outcome::Failed("a\nb \"c\"")));
        assert!(
            line.contains(" unix #1f - - 400 5b ") && line.ends_with("failed: a\\nb \\\"c\\\"\n"),
            "{line}"
        );
        let line = json_access(&access(Outcome::Failed("a\nb \"c\"")));
        assert!(line.ends_with("\"outcome\":\"failed\",\"why\":\"a\\u000ab \\\"c\\\"\"}\n"), "{line}");
        assert!(!human_access(&access(Outcome::Answered)).contains("answered"));
    }

    #[test]
    fn behind_a_proxy_the_client_is_told() {
        let peer = Peer::Ip("[::ffff:10.0.0.1]:7".parse().expect("an address"));
        let of = |client: &str| Access { peer, client: client.parse().ok(), ..access(Outcome::Answered) };
        assert!(human_access(&of("10.0.0.1")).contains(" [::ffff:10.0.0.1]:7 #1f "));
        assert!(!json_access(&of("10.0.0.1")).contains("client"));
        assert!(human_access(&of("192.0.2.7")).contains(" 192.0.2.7 #1f "));
        assert!(json_access(&of("192.0.2.7")).contains("]:7\",\"client\":\"192.0.2.7\","));
    }

    #[test]
    fn notes_say_what_the_script_says() {
        let detail = |name: &str, value: &str, is_bare| (name.to_owned(), value.to_owned(), is_bare);
        let details = [detail("id", "7", true), detail("name", "Ada L.", false), detail("x", "", false)];
        let line = human_note(Level::Warn, Some(31), "late\nagain", &details);
        assert!(line.ends_with(" warn #1f late\\nagain id=7 name=\"Ada L.\" x=\"\"\n"), "{line}");
        let line = json_note(Level::Info, None, "a \"b\"", &details);
        let rest = r#","level":"info","message":"a \"b\"","id":7,"name":"Ada L.","x":""}"#;
        assert!(line.trim_end().ends_with(rest), "{line}");
        assert_eq!(
            [0, 1, 2, 3, 9].map(Level::numbered).map(Level::name),
            ["debug", "info", "warn", "error", "error"]
        );
    }

    #[test]
    fn formats_have_names() {
        assert_eq!(
            ["human", "json", "off", "x"].map(LogFormat::from_str),
            [Ok(LogFormat::Human), Ok(LogFormat::Json), Ok(LogFormat::Off), Err(UnknownFormat)]
        );
    }
}
