//! Natives of `topic.weir`, and `topic` of the prelude.

use super::Flow;
use crate::carry::{Block, Kind, Packer};
use crate::fan::{Fan, Policy, Publishing};
use crate::heap::{Full, Word};
use crate::scope::{Operation, Scope};
use crate::shared::Shared;
use crate::stream::Subscribed;
use crate::topic::Topic;
use crate::value::{Any, Own, Resource, Stream, Text};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// The most items that may wait for a subscriber.
const MOST: i64 = 65_536;

/// The topic of that name, for values of type `ty`.
pub fn topic_open(scope: &mut Scope, ty: TypeId, name: Text) -> Result<Own<Resource>, Trap> {
    let kind = Kind::of(scope.app().module(), ty);
    let topic = Topic::open(name.as_str(), &kind).map_err(Trap::native)?;
    Ok(scope.share(Shared::Topic(topic))?)
}

/// Gives a copy of a value to every subscriber.
pub fn topic_publish(scope: &mut Scope, ty: TypeId, handle: Resource, value: Any) -> Result<Flow, Trap> {
    let topic = Arc::clone(scope.app().topic(handle));
    let mut sending = Sending { topic, stage: Stage::Packing(Packer::new(ty, value)) };
    if sending.step(scope)? && sending.is_done() {
        return Ok(Flow::Done(0));
    }
    scope.pending = Some(Box::new(sending));
    Ok(Flow::Wait)
}

/// A value on its way; whoever waits holds it while it is packed.
struct Sending {
    topic: Arc<Topic>,
    stage: Stage,
}

enum Stage {
    Packing(Packer),
    Publishing(Publishing),
}

impl Sending {
    /// Packs a piece, or gives the block to some subscribers; whether all have been asked.
    fn step(&mut self, scope: &mut Scope) -> Result<bool, Trap> {
        loop {
            match &mut self.stage {
                Stage::Packing(packer) => {
                    let room = scope.heap().room();
                    if !packer.step(scope.app().module(), room).map_err(|_| Trap::from(Full))? {
                        return Ok(false);
                    }
                    let block = Block::new(self.topic.kind(), packer.take());
                    self.stage = Stage::Publishing(self.topic.fan().publish(block));
                }
                Stage::Publishing(publishing) => return Ok(publishing.step()),
            }
        }
    }

    fn is_done(&self) -> bool {
        matches!(&self.stage, Stage::Publishing(publishing) if publishing.is_done())
    }
}

impl Operation for Sending {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        while !self.step(scope)? {
            ready!(scope.poll_turn(cx));
        }
        if let Stage::Publishing(publishing) = &mut self.stage {
            ready!(publishing.poll(cx));
        }
        Poll::Ready(Ok(0))
    }
}

/// A stream of what is published from now on. `slow` is the number of a case of `Slow`.
pub fn topic_subscribe(
    scope: &mut Scope,
    ty: TypeId,
    handle: Resource,
    slow: i64,
    capacity: i64,
) -> Result<Own<Stream>, Trap> {
    let topic = Arc::clone(scope.app().topic(handle));
    subscribe(scope, topic.fan(), topic.kind(), ty, slow, capacity)
}

/// A stream of what a fan is given.
pub(super) fn subscribe(
    scope: &mut Scope,
    fan: &Arc<Fan>,
    kind: &Arc<Kind>,
    ty: TypeId,
    slow: i64,
    capacity: i64,
) -> Result<Own<Stream>, Trap> {
    if !(1..=MOST).contains(&capacity) {
        return Err(Trap::native(format!("the capacity of a subscription is not from 1 to {MOST}")));
    }
    let policy = match slow {
        0 => Policy::Block,
        1 => Policy::DropOldest,
        _ => Policy::Disconnect,
    };
    let capacity = capacity as usize;
    let charged = capacity * size_of::<Arc<Block>>();
    scope.heap_mut().charge(charged)?;
    let subscription = fan.subscribe(policy, capacity, scope.app().limits().mem_limit);
    let source = Subscribed::new(subscription, Arc::clone(kind), ty, charged);
    Ok(scope.stream(Box::new(source))?)
}

/// How many subscribers there are.
pub fn topic_subscribers(scope: &mut Scope, handle: Resource) -> Result<i64, Trap> {
    Ok(scope.app().topic(handle).fan().len() as i64)
}
