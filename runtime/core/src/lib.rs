//! Runs compiled scripts: heap, values, fibers, scopes, streams, natives, and the service that answers requests with them.
//!
//! In: a compiled [`weir_abi::code::Module`]. Out: its program's effects, its handler's responses.
//! Invariants: a scope lives and dies on one worker; raw pointers stay in `heap`, `value`, `scope`, `stack`, `fiber`, `run`,
//! `trace` and `shim`; a native's body is safe code over typed handles.
//! Not here: the compiler, HTTP framing.

mod afterwork;
mod app;
mod background;
mod building;
mod carry;
mod child;
mod client;
mod clock;
pub mod counters;
mod deadline;
mod ending;
mod equal;
mod error;
mod failure;
mod fan;
mod fiber;
mod fields;
mod files;
mod form;
mod format;
mod group;
mod heap;
mod interrupt;
mod json;
mod kept;
mod limits;
mod lists;
mod log;
mod map;
mod matched;
mod media_types;
mod memory;
mod names;
mod natives;
mod number;
mod opening;
mod order;
mod output;
mod percent;
mod pieces;
mod random;
mod ready;
mod regexes;
mod router;
mod run;
mod scope;
mod search;
mod seek;
mod service;
mod shared;
mod sharing;
mod shim;
mod splitting;
mod stack;
mod start;
mod steps;
mod stop_clock;
mod store;
mod stream;
mod teardown;
#[cfg(test)]
mod testing;
mod topic;
mod trace;
mod transplant;
mod trial;
mod turn;
mod value;
mod versions;
mod waiting;
mod watch;
mod worker;

pub use app::App;
pub use failure::Failure;
pub use group::kill_children;
pub use interrupt::{forget_interrupt, interrupt};
pub use kept::keep_only;
pub use limits::{LIMITS, Limit, Limits, NO_LIMIT, Unit, UnknownLimit, duration, size};
pub use log::{LogFormat, UnknownFormat};
pub use output::{finish, report};
pub use service::HandlerService;
pub use shim::address;
pub use trace::Trace;
pub use versions::Versions;
pub use watch::Watch;
pub use worker::{StopHandle, Worker};
