//! Natives of `task.weir` and `channel.weir`.

use super::Flow;
use crate::heap::Word;
use crate::scope::{Operation, Outcome, Received, Scope};
use crate::stream::{self, Timer};
use crate::value::{Any, Closure, Gives, Own, Resource, Stream};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

// ---- a task

/// Begins a task that calls `f`.
pub fn task_start(scope: &mut Scope, result: TypeId, f: Own<Closure>) -> Result<Own<Resource>, Trap> {
    let is_ref = scope.type_desc(result).is_ref();
    scope.begin_kept(f, is_ref)
}

/// Waits for a task's result.
pub fn task_wait(scope: &mut Scope, result: TypeId, task: Resource) -> Result<Flow, Trap> {
    let is_ref = scope.type_desc(result).is_ref();
    scope.pending = Some(Box::new(Wait { task, is_ref }));
    Ok(Flow::Wait)
}

/// A wait for a task whose handle the fiber that waits holds.
struct Wait {
    task: Resource,
    is_ref: bool,
}

impl Operation for Wait {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        let id = scope.task_of(self.task);
        match scope.outcome(id, cx.waker()) {
            Outcome::Running => Poll::Pending,
            Outcome::Done(word) => {
                Poll::Ready(Ok(scope.dup_any(stream::as_any(word), self.is_ref).into_word()))
            }
            Outcome::Cancelled => {
                Poll::Ready(Err(Trap::native("a task that was cancelled has no result to wait for")))
            }
        }
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        true
    }
}

/// Cancels a task.
pub fn task_cancel(scope: &mut Scope, task: Resource) -> Result<(), Trap> {
    let id = scope.task_of(task);
    scope.cancel_task(id);
    Ok(())
}

// ---- a group of tasks

/// A group without tasks.
pub fn group_new(scope: &mut Scope) -> Result<Own<Resource>, Trap> {
    Ok(scope.group()?)
}

/// Begins a task of the group that calls `f`; its index.
pub fn group_start(scope: &mut Scope, result: TypeId, group: Resource, f: Own<Closure>) -> Result<i64, Trap> {
    let is_ref = scope.type_desc(result).is_ref();
    scope.begin_member(group, f, is_ref)
}

/// The index of the next task of the group that ends.
pub fn group_next(scope: &mut Scope, group: Resource) -> Result<Flow, Trap> {
    scope.pending = Some(Box::new(NextEnded { group, limit: None }));
    Ok(Flow::Wait)
}

/// The same, or -1 when none does within so many nanoseconds.
pub fn group_next_within(scope: &mut Scope, group: Resource, nanos: i64) -> Result<Flow, Trap> {
    let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    let limit = Some(Limit { due: Instant::now() + time, timer: None });
    scope.pending = Some(Box::new(NextEnded { group, limit }));
    Ok(Flow::Wait)
}

/// A wait for the next task of a group whose handle the fiber that waits holds.
struct NextEnded {
    group: Resource,
    limit: Option<Limit>,
}

struct Limit {
    due: Instant,
    /// Made at the first poll.
    timer: Option<Timer>,
}

impl Operation for NextEnded {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        if let Some(at) = scope.next_ended(self.group, cx.waker()) {
            return Poll::Ready(Ok(Word::from(at)));
        }
        let Some(Limit { due, timer }) = &mut self.limit else { return Poll::Pending };
        let is_over = match timer {
            Some(timer) => timer.poll(cx).is_ready() || *due <= Instant::now(),
            // Whatever the limit is: what was just begun has its turn, and what needs no wait is in time.
            None => {
                cx.waker().wake_by_ref();
                *timer = Some(Timer::new(scope, *due));
                false
            }
        };
        if is_over { Poll::Ready(Ok((-1i64).into_word())) } else { Poll::Pending }
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        self.limit.is_none()
    }
}

/// The result of a task of the group that has ended; the group keeps it.
pub fn group_peek(scope: &mut Scope, _: TypeId, group: Resource, at: i64) -> Result<Any, Trap> {
    scope.member_result(group, at, false)
}

/// The result of a task of the group that has ended; it is the caller's.
pub fn group_take(scope: &mut Scope, _: TypeId, group: Resource, at: i64) -> Result<Any, Trap> {
    scope.member_result(group, at, true)
}

// ---- channels

/// A channel for at most `capacity` items.
pub fn channel_new(scope: &mut Scope, item: TypeId, capacity: i64) -> Result<Own<Resource>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    scope.channel(capacity, is_ref)
}

/// Sends an item, waiting for room: whether the channel took it.
pub fn channel_send(scope: &mut Scope, _: TypeId, channel: Resource, item: Any) -> Result<Flow, Trap> {
    if let Some(sent) = scope.try_send(channel, item) {
        return Ok(Flow::Done(sent.into_word()));
    }
    scope.pending = Some(Box::new(Send { channel, item, ticket: None }));
    Ok(Flow::Wait)
}

/// A wait for room in a channel whose handle the fiber that waits holds.
struct Send {
    channel: Resource,
    /// Owned, until the channel has it.
    item: Any,
    ticket: Option<u64>,
}

impl Operation for Send {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        scope
            .poll_send(self.channel, self.item, &mut self.ticket, cx.waker())
            .map(|sent| Ok(sent.into_word()))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        scope.leave_senders(self.channel, self.item, self.ticket);
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        true
    }
}

/// The next item as an option, waiting for it.
pub fn channel_receive(scope: &mut Scope, item: TypeId, channel: Resource) -> Result<Flow, Trap> {
    match scope.try_receive(channel) {
        Some(received) => received_option(scope, item, received).map(Flow::Done),
        None => {
            scope.pending = Some(Box::new(Receive { channel, item, ticket: None }));
            Ok(Flow::Wait)
        }
    }
}

fn received_option(scope: &mut Scope, item: TypeId, received: Received) -> Result<Word, Trap> {
    match received {
        Received::Item(word) => Ok(scope.some(item, word)?),
        Received::End => Ok(0),
    }
}

/// A wait for an item of a channel whose handle the fiber that waits holds.
struct Receive {
    channel: Resource,
    item: TypeId,
    ticket: Option<u64>,
}

impl Operation for Receive {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        let received = scope.poll_receive(self.channel, &mut self.ticket, cx.waker());
        received.map(|received| received_option(scope, self.item, received))
    }

    fn close(self: Box<Self>, scope: &mut Scope) {
        scope.leave_receivers(self.channel, self.ticket);
    }

    fn waits_inside(&self, _: &Scope) -> bool {
        true
    }
}

/// Lets nothing more into a channel.
pub fn channel_close(scope: &mut Scope, channel: Resource) -> Result<(), Trap> {
    scope.shut_channel(channel);
    Ok(())
}

/// The items of a channel as they are received.
pub fn channel_stream(scope: &mut Scope, channel: Own<Resource>) -> Result<Own<Stream>, Trap> {
    Ok(scope.stream(Box::new(stream::OfChannel::new(channel)))?)
}
