//! What compiled code and the runtime agree on: layouts, the native table, traps, a compiled module.
//!
//! Data only; imports no other crate of Weir. A change here changes both sides at once.

pub mod code;
pub mod context;
pub mod format;
pub mod json;
pub mod layout;
pub mod native;
mod preserve;
pub mod route;
pub mod size;
pub mod trap;
pub mod types;
