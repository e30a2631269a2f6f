//! The state of a connection between its polls, and the ways it can end.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::incoming::Incoming;
use crate::io::Io;
use crate::proto::head::HeadReader;
use crate::request::Peer;
use crate::timer::Timer;
use crate::worker::Core;

/// Unsent bytes above this are flushed before another request is taken, or another item pulled.
pub const BATCH: usize = 64 * 1024;
/// Reads or batches in a row before other connections get their turn.
pub const BURST: u32 = 4;

/// A connection between its polls. Its size is what an idle stream costs beside buffers.
pub struct Conn {
    pub io: Io,
    pub timer: Timer,
    pub core: Rc<Core>,
    pub peer: Peer,
    /// The time of the last read; good enough for deadlines and dates.
    pub now: Instant,
    pub reader: HeadReader,
    /// When the first byte of an unfinished head came.
    pub head_since: Option<Instant>,
    /// Reads since the last wait.
    pub burst: u32,
    /// No request came yet.
    pub fresh: bool,
    /// When a fresh connection noticed the drain.
    pub drain_since: Option<Instant>,
    /// Since when unsent bytes wait for the peer.
    pub stall_since: Option<Instant>,
    /// When the last response of known length among the unsent bytes has to be out.
    pub send_by: Option<Instant>,
    pub incoming: Incoming,
}

impl Conn {
    /// A connection that has sent nothing.
    pub fn new(io: Io, core: Rc<Core>, peer: Peer) -> Self {
        Conn {
            io,
            timer: Timer::default(),
            core,
            peer,
            now: Instant::now(),
            reader: HeadReader::default(),
            head_since: None,
            burst: 0,
            fresh: true,
            drain_since: None,
            stall_since: None,
            send_by: None,
            incoming: Incoming::default(),
        }
    }
}

/// Why an exchange cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client closed or broke the connection.
    Gone,
    /// The client took no bytes for too long.
    Stalled,
    /// A response of known length was not taken in its time.
    Late,
    /// The server stops.
    Cut,
}

impl Ending {
    /// How the connection closes.
    pub fn exit(self) -> Exit {
        match self {
            Ending::Gone => Exit::Drop,
            // A body cut here must not look whole to the client, and its unsent bytes must not linger.
            Ending::Stalled | Ending::Late | Ending::Cut => Exit::Reset,
        }
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is left to say or no one to say it to.
    Drop,
    /// Write what waits, then close.
    Close,
    /// Write what waits, send a FIN, read on for a while, close.
    Linger,
    /// RST: unsent bytes are given up.
    Reset,
}

/// Lets other connections and the reactor have their turn before this one goes on.
pub fn yield_turn<T>(cx: &mut Context<'_>) -> Poll<T> {
    // The first poll of tokio's own yield asks to be woken after the reactor was looked at.
    let _asked: Poll<()> = pin!(tokio::task::yield_now()).poll(cx);
    Poll::Pending
}
