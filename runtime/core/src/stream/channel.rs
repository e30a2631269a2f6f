//! The items of a channel.
//!
//! Invariant: it receives when it is pulled, in line with the others; a pull that is given up leaves what it was granted to
//! the next one.

use crate::failure::Failure;
use crate::heap::Word;
use crate::scope::{Received, Scope, Source};
use crate::value::{Own, Resource};
use std::task::{Context, Poll};

/// A stream of what it receives.
pub struct OfChannel {
    channel: Own<Resource>,
    /// Its place in the line, while it waits.
    ticket: Option<u64>,
}

impl OfChannel {
    /// Receives of that channel.
    pub fn new(channel: Own<Resource>) -> Self {
        Self { channel, ticket: None }
    }
}

impl Source for OfChannel {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let received = scope.poll_receive(self.channel.get(), &mut self.ticket, cx.waker());
        received.map(|received| match received {
            Received::Item(word) => Some(Ok(word)),
            Received::End => None,
        })
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        if self.ticket.is_some() {
            return None;
        }
        match scope.try_receive(self.channel.get())? {
            Received::Item(word) => Some(Ok(word)),
            // Told by the next pull.
            Received::End => None,
        }
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        scope.leave_receivers(self.channel.get(), self.ticket);
        scope.give_up(self.channel);
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        true
    }
}
