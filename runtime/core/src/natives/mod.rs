//! The bodies of the natives, one module per module of the standard library.
//!
//! A body is safe code: `fn(&mut Scope, arguments) -> result`, its name that of its row in the native table, its result a
//! plain value for an effect `pure`, a `Result<_, Trap>` for `traps`, a `Result<Flow, Trap>` for `waits`.
//! Invariant: an [`Own`](crate::value::Own) argument is handed on or given up on every way out, traps included.
//! Not here: how compiled code gets to a body (`shim`).

mod assertion;
mod background;
mod body;
mod built_in;
mod bytes;
mod calendar;
mod case;
mod compare;
mod cookies;
mod crypto;
mod csv;
mod deferred;
mod error;
mod event;
mod fetch;
mod fields;
mod file;
mod find;
mod float;
mod format;
mod fs;
mod html;
mod int;
mod join;
mod json;
mod list;
mod log;
mod map;
mod path;
mod prelude;
mod process;
mod random;
mod range;
mod regex;
mod repeat;
mod repl;
mod request;
mod response;
mod route;
mod set;
mod sort;
mod split;
mod stages;
mod store;
mod stream;
mod task;
mod text;
mod time;
mod topic;
mod url;

pub use assertion::*;
pub use background::*;
pub use body::*;
pub use built_in::*;
pub use bytes::*;
pub use calendar::*;
pub use case::*;
pub use compare::*;
pub use cookies::*;
pub use crypto::*;
pub use csv::*;
pub use deferred::*;
pub use error::*;
pub use event::*;
pub use fetch::*;
pub use fields::*;
pub use file::*;
pub use find::*;
pub use float::*;
pub use format::*;
pub use fs::*;
pub use html::*;
pub use int::*;
pub use join::*;
pub use json::*;
pub use list::*;
pub use log::*;
pub use map::*;
pub use path::*;
pub use prelude::*;
pub use process::*;
pub use random::*;
pub use range::*;
pub use regex::*;
pub use repeat::*;
pub use repl::*;
pub use request::*;
pub use response::*;
pub use route::*;
pub use set::*;
pub use sort::*;
pub use split::*;
pub use stages::*;
pub use store::*;
pub use stream::*;
pub use task::*;
pub use text::*;
pub use time::*;
pub use topic::*;
pub use url::*;

use crate::heap::Word;

/// What a native that may wait comes to.
#[derive(Clone, Copy, Debug)]
pub enum Flow {
    /// It is done, with that result.
    Done(Word),
    /// It put its operation into the scope; the fiber is to be suspended.
    Wait,
}

#[cfg(test)]
mod tests;
