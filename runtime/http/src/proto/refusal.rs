//! Why a request is refused before any handler sees it, and the status that says so.

/// A request the engine answers itself; the connection closes after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are not a request RFC 9112 allows; the text names the rule for logs, never for the client.
    Malformed(&'static str),
    /// The head was not complete in time.
    HeadTimeout,
    /// The target exceeds `max_target`.
    TargetTooLong,
    /// The head exceeds `max_head` or `max_fields`.
    HeadTooLarge,
    /// The client expects something other than `100-continue`.
    Expectation,
    /// A method or transfer coding this server does not implement.
    NotImplemented(&'static str),
    /// A major version other than 1.
    Version,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Refusal::Malformed(_) => 400,
            Refusal::HeadTimeout => 408,
            Refusal::TargetTooLong => 414,
            Refusal::Expectation => 417,
            Refusal::HeadTooLarge => 431,
            Refusal::NotImplemented(_) => 501,
            Refusal::Version => 505,
        }
    }

    /// What was wrong, for a log.
    pub fn reason(self) -> &'static str {
        match self {
            Refusal::Malformed(why) | Refusal::NotImplemented(why) => why,
            Refusal::HeadTimeout => "the head was not complete in time",
            Refusal::TargetTooLong => "the target is too long",
            Refusal::HeadTooLarge => "the head is too large",
            Refusal::Expectation => "an unknown expectation",
            Refusal::Version => "the version is not HTTP/1",
        }
    }
}
