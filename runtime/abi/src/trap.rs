//! Programming faults that end a request or a program.

use std::fmt;

/// What went wrong. Compiled code passes the number and two words of detail to the native `trap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum TrapKind {
    /// The result of an arithmetic operation does not fit 64 bits.
    Overflow = 1,
    /// Division or remainder by 0.
    DivisionByZero = 2,
    /// No element with that index: index, length.
    IndexOutOfBounds = 3,
    /// The stack limit is reached.
    StackOverflow = 4,
    /// The heap limit is reached.
    OutOfMemory = 5,
    /// A slice's ends are not in order or behind the end, or inside a character: low, high.
    BadSlice = 6,
    /// A shift count outside 0..64: the count.
    BadShift = 7,
    /// A stream that was read before.
    StreamUsed = 8,
    /// A native's own message.
    Native = 9,
    /// A budget of the request is used up, which says nothing about the program: the message names it.
    Budget = 10,
}

impl TrapKind {
    /// The kind with that number.
    pub fn from_number(number: u64) -> Option<Self> {
        use TrapKind::*;
        [
            Overflow,
            DivisionByZero,
            IndexOutOfBounds,
            StackOverflow,
            OutOfMemory,
            BadSlice,
            BadShift,
            StreamUsed,
            Native,
            Budget,
        ]
        .into_iter()
        .find(|k| *k as u64 == number)
    }
}

/// A trap with its details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What went wrong.
    pub kind: TrapKind,
    /// First word of detail, see [`TrapKind`].
    pub a: i64,
    /// Second word of detail.
    pub b: i64,
    /// The message of a [`TrapKind::Native`] or [`TrapKind::Budget`], the reason of a [`TrapKind::BadSlice`].
    pub message: Option<String>,
}

impl Trap {
    /// A trap without words of detail.
    pub fn new(kind: TrapKind) -> Self {
        Self { kind, a: 0, b: 0, message: None }
    }

    /// No element with that index in a list of that length.
    pub fn index(index: i64, len: usize) -> Self {
        Self { kind: TrapKind::IndexOutOfBounds, a: index, b: len as i64, message: None }
    }

    /// A slice that does not fit `whole`, a list or text of that length; ends that do fit cut a character.
    pub fn bad_slice(low: i64, high: i64, whole: &str, len: usize) -> Self {
        let why = if low > high {
            "ends before it begins".to_owned()
        } else if low < 0 || high as u64 > len as u64 {
            format!("is outside {whole} of {len}")
        } else {
            "cuts a character in two".to_owned()
        };
        Self { kind: TrapKind::BadSlice, a: low, b: high, message: Some(why) }
    }

    /// A native's own message.
    pub fn native(message: impl Into<String>) -> Self {
        Self { kind: TrapKind::Native, a: 0, b: 0, message: Some(message.into()) }
    }

    /// A budget is used up.
    pub fn budget(message: impl Into<String>) -> Self {
        Self { kind: TrapKind::Budget, a: 0, b: 0, message: Some(message.into()) }
    }

    /// Whether a budget is used up: time or memory.
    pub fn is_budget(&self) -> bool {
        matches!(self.kind, TrapKind::Budget | TrapKind::OutOfMemory)
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TrapKind::Overflow => f.write_str("integer overflow"),
            TrapKind::DivisionByZero => f.write_str("division by zero"),
            TrapKind::IndexOutOfBounds => write!(f, "index {} is outside a list of {}", self.a, self.b),
            TrapKind::StackOverflow => f.write_str("stack overflow: the recursion is too deep"),
            TrapKind::OutOfMemory => f.write_str("out of memory: the heap limit is reached"),
            TrapKind::BadSlice => match &self.message {
                Some(why) => write!(f, "slice {}..{} {why}", self.a, self.b),
                None => write!(f, "slice {}..{} does not fit", self.a, self.b),
            },
            TrapKind::BadShift => write!(f, "shift count {} is not in 0..64", self.a),
            TrapKind::StreamUsed => f.write_str("this stream was read before"),
            TrapKind::Native | TrapKind::Budget => f.write_str(self.message.as_deref().unwrap_or("trap")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_slice_says_why() {
        let show = |low, high| Trap::bad_slice(low, high, "a list", 2).to_string();
        assert_eq!(show(1, 3), "slice 1..3 is outside a list of 2");
        assert_eq!(show(-1, 1), "slice -1..1 is outside a list of 2");
        assert_eq!(show(2, 1), "slice 2..1 ends before it begins");
        assert_eq!(show(0, 1), "slice 0..1 cuts a character in two");
    }
}
