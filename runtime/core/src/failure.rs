//! Why a program, a request or a stream ended early.

use crate::trace::Trace;
use std::fmt;
use weir_abi::trap::Trap;

/// The status of a response whose upstream did not deliver.
pub const BAD_GATEWAY: u16 = 502;
/// The status of a response whose upstream took too long.
pub const GATEWAY_TIMEOUT: u16 = 504;
/// The status when something is taken.
pub const UNAVAILABLE: u16 = 503;
/// The status of a response whose handler trapped.
pub const INTERNAL: u16 = 500;

/// A failure: what a client may know is its status, the rest is for the log.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The HTTP status it is answered with while there is no head yet.
    pub status: u16,
    /// What happened.
    pub message: String,
    /// Where in the script, for a trap.
    pub trace: Option<Trace>,
}

impl Failure {
    /// A failure with that status.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), trace: None }
    }

    /// A trap at a place of the script.
    pub fn of_trap(trap: &Trap, trace: Trace) -> Self {
        Self { status: INTERNAL, message: trap.to_string(), trace: Some(trace) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.trace {
            Some(trace) => write!(f, "{trace}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
