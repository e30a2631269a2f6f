//! Hand-built IR, compiled, entered and looked at the way the runtime does.

mod arithmetic;
mod build;
mod host;
mod operations;
mod suspended;
