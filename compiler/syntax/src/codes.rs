//! The table of diagnostic codes: what `weir explain` shows.
//!
//! Each pass keeps its own table of [`Code`]s (this crate's is [`SYNTAX`], `E01xx`); a code is never reused.

/// One diagnostic code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Such as `E0101`.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it is a mistake and how to mend it, with an example; plain text.
    pub explanation: &'static str,
}
