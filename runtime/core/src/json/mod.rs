//! JSON by type: values to text and text to values, without a tree between (RFC 8259).
//!
//! ```text
//! value, TypeId ──▶ write ──▶ bytes ──▶ Text
//! Text, TypeId ──▶ scan ──▶ read ──▶ objects
//! ```
//! Records are objects, lists and tuples arrays, options their value or null; an enum's case is an object whose `type` names
//! it, or the name alone when it holds nothing; Durations, Times and Ranges are their text forms.
//! Invariants: neither side takes stack for nested values, whose depth is limited; each stops every [`PIECE`] bytes to
//! let others run; what goes wrong is told with the path from `$`.
//! Not here: names and shapes of a program's types (`weir_abi::json`).

mod entries;
mod fields;
mod leaf;
mod long;
mod path;
mod read;
mod scan;
mod source;
mod types;
mod write;

pub use read::Reader;
pub use types::entry_types;
pub use write::Writer;

use crate::heap::Full;
use crate::heap::Word;
use weir_abi::trap::Trap;

/// How deep lists and objects may stand in each other.
const MAX_DEPTH: usize = 128;
/// How many bytes are read or written before others have their turn: about 100 us.
const PIECE: usize = if cfg!(feature = "stress") { 64 } else { 32 * 1024 };
/// The name of the field that names an enum's case.
const TAG: &str = "type";

/// How far a reader or writer came.
#[derive(Debug)]
pub enum Step {
    /// It made the value, or wrote the last byte.
    Done(Word),
    /// Its piece is used up.
    More,
}

/// Why there is no value, or no text.
#[derive(Debug)]
pub enum Fault {
    /// The text, or the value, is not what it should be: a message with path and position.
    Wrong(String),
    /// The text is no JSON: likewise.
    Malformed(String),
    /// It does not fit the heap.
    Trap(Trap),
}

impl From<Full> for Fault {
    fn from(full: Full) -> Self {
        Self::Trap(full.into())
    }
}

#[cfg(test)]
mod tests;
