//! The HTTP/1.1 client: asks upstreams and reads what they answer.
//!
//! ```text
//! Order ──▶ ask: target ─▶ pool or address ─▶ tls ─▶ link ─▶ redirect? ─▶ Reply ──▶ pieces ──▶ pool
//!                                                    ▲ upload
//! ```
//! In: orders. Out: replies, whose bodies are read piece by piece. Everything is polled on the reader's own task: whoever
//! drops an order or a body closes its socket at once, and nothing is read that nobody asked for.
//! Invariants: what broke off is a failure, never an end; a connection is used again only when the answer on it was read
//! to its end; at most [`link::BUFFER`] bytes of an answer are held, and one piece of it.
//! Not here: Weir's values (`natives::fetch`), splitting into lines (`stream`).

mod address;
mod ask;
mod link;
mod pool;
mod redirect;
mod reply;
mod sent;
mod target;
mod tls;
mod upload;
mod wire;

pub use ask::{Asking, Order, Terms};
pub use pool::Client;
pub use reply::{Head, ReplyBody};
pub use upload::Upload;

use crate::failure::{BAD_GATEWAY, Failure};

/// An upstream that did not deliver: which, what went wrong, and why.
fn broken(url: &str, what: &str, error: &dyn std::error::Error) -> Failure {
    let mut message = format!("upstream {url} {what}: {}", plain(error));
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = plain(error);
        if !message.contains(&text) {
            message.push_str(&format!(": {text}"));
        }
        cause = error.source();
    }
    Failure::new(BAD_GATEWAY, message)
}

/// What an error says, without the numbers of the system.
fn plain(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let Some((before, number)) = text.split_once(" (os error ") else { return text };
    let after = number.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

#[cfg(test)]
mod tests;
