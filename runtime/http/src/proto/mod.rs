//! The sans-I/O protocol core of HTTP/1.1: bytes in, decisions and bytes out; no socket, no clock.
//!
//! `head` reads request heads, `target` and `framing` judge them, `chunk` decodes and frames chunked bodies,
//! `encode` writes response heads, `date` keeps the Date line, `preconditions` tells what of a representation is wanted.

pub mod chunk;
pub mod date;
pub mod encode;
pub mod framing;
pub mod head;
pub mod preconditions;
pub mod refusal;
pub mod target;
