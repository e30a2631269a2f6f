//! Streams: lazy sources and the stages upon them.
//!
//! In: pulls. Out: items, one at a time; an end; or a failure.
//! Invariants: a source that is not asked does nothing, and one that waits holds no fiber; dropping a stream closes its
//! source at once; an item is an owned word.
//! Not here: handles (`scope`), how items go out (`service`).

mod basic;
mod every;
mod line_texts;
mod lines;
mod stages;
mod stdin;
mod upstream;

pub use basic::{Elements, Ints};
pub use every::Every;
pub use stages::{Filter, Map, Take};
pub use stdin::{Stdin, standard_input};
pub use upstream::Upstream;

#[cfg(test)]
mod tests;
