//! Names, types and instances: syntax tree to typed tree.
//!
//! Pure: no I/O. Every mistake a user can make is reported here at the latest; later passes only meet compiler bugs.

pub mod typed;
pub mod types;
