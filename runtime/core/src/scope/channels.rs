//! Channels: queues of a bounded length between the tasks of a scope.
//!
//! In: items, one at a time; a sender waits while the queue is full. Out: the items in their order, each to one receiver.
//! Invariants: senders and receivers have their turns in the order in which they came; nobody waits to receive while there are
//! items, or to send while there is room. What somebody was given while it waited is given to the next one when the wait is
//! given up.
//!
//! ```text
//! send ──▶ senders (waiting, each with its item) ──▶ items (at most `capacity`) ──▶ receivers (waiting) ──▶ granted
//! ```

use super::{Entry, Scope};
use crate::counters::Counters;
use crate::heap::Word;
use crate::value::{Any, Own, Ref, Resource};
use std::collections::VecDeque;
use std::mem;
use std::task::{Poll, Waker};
use weir_abi::layout;
use weir_abi::trap::Trap;

/// What an item of a full queue counts as in the heap.
const ITEM_SIZE: usize = 16;

/// A place in the line of those who wait. Later ones are larger.
type Ticket = u64;

struct Sender {
    ticket: Ticket,
    item: Word,
    waker: Waker,
}

/// Counts a channel while there is one.
struct Counted(&'static Counters);

impl Counted {
    fn new(counters: &'static Counters) -> Self {
        counters.channels.add(1);
        Self(counters)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.channels.add(-1);
    }
}

/// A queue with those who wait for it.
pub struct Channel {
    capacity: usize,
    is_ref: bool,
    is_closed: bool,
    items: VecDeque<Word>,
    senders: VecDeque<Sender>,
    receivers: VecDeque<(Ticket, Waker)>,
    /// What receivers have that have not looked since.
    granted: Vec<(Ticket, Word)>,
    /// Senders whose item nobody takes, for the channel was closed.
    refused: Vec<Ticket>,
    next: Ticket,
    _counted: Counted,
}

/// What came of waiting for an item.
#[derive(Debug)]
pub enum Received {
    /// An owned item.
    Item(Word),
    /// It is closed, and empty.
    End,
}

impl Channel {
    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        self.next
    }

    /// The item that comes first; the first of the waiting senders has room then.
    fn take_item(&mut self) -> Option<Word> {
        let item = self.items.pop_front()?;
        if let Some(sender) = self.senders.pop_front() {
            self.items.push_back(sender.item);
            sender.waker.wake();
        }
        Some(item)
    }

    /// Gives an item to the first receiver that waits, or puts it in front of the others.
    fn give_back(&mut self, item: Word) {
        match self.receivers.pop_front() {
            Some((ticket, waker)) => {
                self.granted.push((ticket, item));
                waker.wake();
            }
            None => self.items.push_front(item),
        }
    }
}

impl Scope {
    /// A handle of a channel for at most `capacity` items.
    pub(crate) fn channel(&mut self, capacity: i64, is_ref: bool) -> Result<Own<Resource>, Trap> {
        let Some(capacity) = usize::try_from(capacity).ok().filter(|capacity| *capacity > 0) else {
            return Err(Trap::native("the capacity of a channel is not positive"));
        };
        self.heap.charge(ITEM_SIZE.saturating_mul(capacity))?;
        let channel = Channel {
            capacity,
            is_ref,
            is_closed: false,
            items: VecDeque::new(),
            senders: VecDeque::new(),
            receivers: VecDeque::new(),
            granted: Vec::new(),
            refused: Vec::new(),
            next: 0,
            _counted: Counted::new(self.worker.counters),
        };
        Ok(self.resource(Entry::Channel(channel))?)
    }

    fn channel_of(&mut self, handle: Resource) -> &mut Channel {
        match &mut self.table.entries[handle.object().get(layout::SLOT) as usize] {
            Entry::Channel(channel) => channel,
            _ => unreachable!("a Channel's slot holds its channel"),
        }
    }

    fn give_up_item(&mut self, item: Word, is_ref: bool) {
        if is_ref {
            // SAFETY: an item of a reference type, which the channel owned.
            unsafe { self.drop_word(item) };
        }
    }

    /// Sends an item, if that takes no wait: whether the channel took it. `None`: the item stays the caller's.
    pub(crate) fn try_send(&mut self, handle: Resource, item: Any) -> Option<bool> {
        let channel = self.channel_of(handle);
        if channel.is_closed {
            let is_ref = channel.is_ref;
            self.give_up_item(item.word(), is_ref);
            return Some(false);
        }
        if let Some((ticket, waker)) = channel.receivers.pop_front() {
            channel.granted.push((ticket, item.word()));
            waker.wake();
        } else if channel.items.len() < channel.capacity {
            channel.items.push_back(item.word());
        } else {
            return None;
        }
        Some(true)
    }

    /// Waits in line with an item. `ticket` is where, once it was polled.
    pub(crate) fn poll_send(
        &mut self,
        handle: Resource,
        item: Any,
        ticket: &mut Option<u64>,
        waker: &Waker,
    ) -> Poll<bool> {
        let Some(of) = *ticket else {
            if let Some(sent) = self.try_send(handle, item) {
                return Poll::Ready(sent);
            }
            let channel = self.channel_of(handle);
            let of = channel.ticket();
            channel.senders.push_back(Sender { ticket: of, item: item.word(), waker: waker.clone() });
            *ticket = Some(of);
            return Poll::Pending;
        };
        let channel = self.channel_of(handle);
        if let Ok(at) = channel.senders.binary_search_by_key(&of, |sender| sender.ticket) {
            channel.senders[at].waker.clone_from(waker);
            return Poll::Pending;
        }
        let refused = channel.refused.iter().position(|ticket| *ticket == of);
        Poll::Ready(refused.map(|at| channel.refused.swap_remove(at)).is_none())
    }

    /// Gives a wait to send up. The item is given up unless it was sent.
    pub(crate) fn leave_senders(&mut self, handle: Resource, item: Any, ticket: Option<u64>) {
        let channel = self.channel_of(handle);
        let is_ref = channel.is_ref;
        let Some(of) = ticket else { return self.give_up_item(item.word(), is_ref) };
        if let Ok(at) = channel.senders.binary_search_by_key(&of, |sender| sender.ticket) {
            channel.senders.remove(at);
            self.give_up_item(item.word(), is_ref);
        } else {
            channel.refused.retain(|ticket| *ticket != of);
        }
    }

    /// The next item, if that takes no wait.
    pub(crate) fn try_receive(&mut self, handle: Resource) -> Option<Received> {
        let channel = self.channel_of(handle);
        match channel.take_item() {
            Some(item) => Some(Received::Item(item)),
            None if channel.is_closed => Some(Received::End),
            None => None,
        }
    }

    /// Waits in line for an item. `ticket` is where, while it waits.
    pub(crate) fn poll_receive(
        &mut self,
        handle: Resource,
        ticket: &mut Option<u64>,
        waker: &Waker,
    ) -> Poll<Received> {
        let Some(of) = *ticket else {
            if let Some(received) = self.try_receive(handle) {
                return Poll::Ready(received);
            }
            let channel = self.channel_of(handle);
            let of = channel.ticket();
            channel.receivers.push_back((of, waker.clone()));
            *ticket = Some(of);
            return Poll::Pending;
        };
        let channel = self.channel_of(handle);
        if let Ok(at) = channel.receivers.binary_search_by_key(&of, |receiver| receiver.0) {
            channel.receivers[at].1.clone_from(waker);
            return Poll::Pending;
        }
        *ticket = None;
        let granted = channel.granted.iter().position(|(ticket, _)| *ticket == of);
        Poll::Ready(match granted {
            Some(at) => Received::Item(channel.granted.remove(at).1),
            None => Received::End,
        })
    }

    /// Gives a wait to receive up. What was granted goes to the next one.
    pub(crate) fn leave_receivers(&mut self, handle: Resource, ticket: Option<u64>) {
        let Some(of) = ticket else { return };
        let channel = self.channel_of(handle);
        if let Ok(at) = channel.receivers.binary_search_by_key(&of, |receiver| receiver.0) {
            channel.receivers.remove(at);
        } else if let Some(at) = channel.granted.iter().position(|(ticket, _)| *ticket == of) {
            let (_, item) = channel.granted.remove(at);
            channel.give_back(item);
        }
    }

    /// Lets nothing more in. Those who wait to send are refused, those who wait to receive are at the end.
    pub(crate) fn shut_channel(&mut self, handle: Resource) {
        let channel = self.channel_of(handle);
        channel.is_closed = true;
        let is_ref = channel.is_ref;
        for (_, waker) in mem::take(&mut channel.receivers) {
            waker.wake();
        }
        let senders = mem::take(&mut channel.senders);
        channel.refused.extend(senders.iter().map(|sender| sender.ticket));
        for sender in senders {
            sender.waker.wake();
            self.give_up_item(sender.item, is_ref);
        }
    }

    /// Gives up what nobody received of a channel without handles.
    pub(super) fn close_channel(&mut self, channel: Channel) {
        self.heap.uncharge(ITEM_SIZE.saturating_mul(channel.capacity));
        let waiting = channel.senders.into_iter().map(|sender| sender.item);
        let granted = channel.granted.into_iter().map(|(_, item)| item);
        for item in granted.chain(channel.items).chain(waiting) {
            self.give_up_item(item, channel.is_ref);
        }
    }
}
