//! Streams: lazy sources and the stages upon them.
//!
//! In: pulls. Out: items, one at a time; an end; or a failure.
//! Invariants: a source that is not asked does nothing, and one that waits holds no fiber; dropping a stream closes its
//! source at once; an item is an owned word.
//! Not here: handles (`scope`), how items go out (`service`).

mod basic;
mod buffer;
mod calls;
mod channel;
mod distinct;
mod events;
mod every;
mod exec;
mod file;
mod generator;
mod groups;
mod line_texts;
mod lines;
mod pieces;
mod results;
mod several;
mod stages;
mod stdin;
mod subscribed;
mod tail;
mod timed;
mod timer;
mod upload;
mod upstream;

pub use basic::{Elements, Ints};
pub use buffer::Buffer;
pub use calls::{as_any, give_up};
pub use channel::OfChannel;
pub use distinct::{Changes, Distinct};
pub use events::{Events, Manner};
pub use every::Every;
pub use exec::{ChildPieces, Invocation};
pub use file::FilePieces;
pub use generator::Generator;
pub use groups::{Chunks, Flatten, Indexed, Scan, Somes};
pub use pieces::{BytesOf, LinesOf, Pieces};
pub use results::{Results, Unwrapped};
pub use several::{Merge, Zip};
pub use stages::{Drop, Filter, Map, Rule, Take};
pub use stdin::{Stdin, standard_input};
pub use subscribed::Subscribed;
pub use tail::{From, TailPieces};
pub use timed::{Heartbeat, Throttle, Timeout};
pub use timer::Timer;
pub use upload::{UploadPieces, read_before, upload_failure};
pub use upstream::{UpstreamPieces, readable};

#[cfg(test)]
mod tests;
