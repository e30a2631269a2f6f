//! Why a program, a request or a stream ended early.

use crate::trace::Trace;
use std::fmt;
use weir_abi::trap::Trap;

/// The status of a response whose upstream did not deliver.
pub const BAD_GATEWAY: u16 = 502;
/// The status of a response whose upstream took too long.
pub const GATEWAY_TIMEOUT: u16 = 504;
/// The status when something is taken, or a budget is used up.
pub const UNAVAILABLE: u16 = 503;
/// The status of a response whose handler trapped.
pub const INTERNAL: u16 = 500;

/// The kinds of failures, by which a program tells them apart, and the status that each is answered with by itself.
pub const KINDS: [(&str, u16); 7] = [
    ("failed", INTERNAL),
    ("missing", 404),
    ("invalid", 400),
    ("io", INTERNAL),
    ("timeout", GATEWAY_TIMEOUT),
    ("upstream", BAD_GATEWAY),
    ("limit", UNAVAILABLE),
];

/// The kind of that name; `failed` for a word of the program's own.
pub fn kind(name: &str) -> &'static str {
    KINDS.iter().find(|(of, _)| *of == name).map_or("failed", |(kind, _)| kind)
}

/// A failure: what a client may know is its status, the rest is for the log and for a program that looks at it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The HTTP status it is answered with while there is no head yet.
    pub status: u16,
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// What happened.
    pub message: String,
    /// Where it was made and what caused it, a line each, for an Error of the script.
    pub notes: Vec<String>,
    /// Where in the script, for a trap.
    pub trace: Option<Trace>,
}

impl Failure {
    /// A failure with that status, and the kind that has it.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        let kind = KINDS.iter().find(|(_, of)| *of == status).map_or("failed", |(kind, _)| kind);
        Self { status, kind, message: message.into(), notes: Vec::new(), trace: None }
    }

    /// A failure of one of [`KINDS`], with the status of that kind.
    pub fn of_kind(kind: &'static str, message: impl Into<String>) -> Self {
        let status = KINDS.iter().find(|(of, _)| *of == kind).map_or(INTERNAL, |(_, status)| *status);
        Self { status, kind, message: message.into(), notes: Vec::new(), trace: None }
    }

    /// It, as one of that kind, whatever its status is.
    pub fn with_kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// A trap at a place of the script. What only used up a budget is no fault of the script's.
    pub fn of_trap(trap: &Trap, trace: Trace) -> Self {
        let (status, kind) = if trap.is_budget() { (UNAVAILABLE, "limit") } else { (INTERNAL, "failed") };
        Self { status, kind, message: trap.to_string(), notes: Vec::new(), trace: Some(trace) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        match &self.trace {
            Some(trace) => write!(f, "{trace}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
