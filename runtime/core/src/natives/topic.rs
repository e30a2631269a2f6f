//! Natives of `topic.weir` and `shared.weir`, and `topic` and `share` of the prelude.

use super::Flow;
use crate::carry::{Block, Kind, Packer};
use crate::fan::{Fan, Policy, Publishing, Subscription};
use crate::heap::{Full, Word};
use crate::scope::{Operation, Scope};
use crate::shared::Shared;
use crate::sharing::Share;
use crate::stream::Subscribed;
use crate::topic::Topic;
use crate::value::{Any, Closure, Own, Ref, Resource, Stream, Text};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use weir_abi::layout;
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
    let (fan, wish) = (topic.fan(), Wish::new(scope, slow, capacity)?);
    let subscription = wish.subscribe(fan);
    wish.stream(scope, subscription, topic.kind(), ty)
}

/// How a subscriber wants its queue, which is charged to its scope.
struct Wish {
    policy: Policy,
    capacity: usize,
    most_bytes: usize,
    charged: usize,
}

impl Wish {
    fn new(scope: &mut Scope, slow: i64, capacity: i64) -> Result<Self, Trap> {
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
        Ok(Self { policy, capacity, most_bytes: scope.app().limits().mem_limit, charged })
    }

    fn subscribe(&self, fan: &Arc<Fan>) -> Subscription {
        fan.subscribe(self.policy, self.capacity, self.most_bytes)
    }

    fn stream(
        self,
        scope: &mut Scope,
        subscription: Subscription,
        kind: &Arc<Kind>,
        ty: TypeId,
    ) -> Result<Own<Stream>, Trap> {
        let source = Subscribed::new(subscription, Arc::clone(kind), ty, self.charged);
        Ok(scope.stream(Box::new(source))?)
    }
}

/// A share of the stream that a closure makes, whose items are of type `ty`.
pub fn share_open(scope: &mut Scope, ty: TypeId, source: Own<Closure>) -> Result<Own<Resource>, Trap> {
    let share = Share::new(Kind::of(scope.app().module(), ty), ty);
    Ok(scope.share_source(Shared::Share(Arc::new(share)), Some(source))?)
}

/// A stream of what the share's source gives from now on. `slow` is the number of a case of `Slow`.
pub fn share_subscribe(
    scope: &mut Scope,
    ty: TypeId,
    handle: Resource,
    slow: i64,
    capacity: i64,
) -> Result<Own<Stream>, Trap> {
    let app = scope.app().clone();
    if !app.has_started() {
        return Err(Trap::native(
            "a share has subscribers once the program's statements have ended, not before",
        ));
    }
    let (share, wish) = (app.share(handle), Wish::new(scope, slow, capacity)?);
    let closure = share_source(scope, handle);
    match share.subscribe(&app, scope.log.0, closure, &|fan| wish.subscribe(fan)) {
        Ok(subscription) => wish.stream(scope, subscription, share.kind(), ty),
        Err(failure) => {
            scope.heap_mut().uncharge(wish.charged);
            Err(Trap::native(failure.message))
        }
    }
}

/// The closure of a share, which is frozen.
fn share_source(scope: &Scope, handle: Resource) -> Own<Closure> {
    let word = handle.object().get(layout::SHARED_SOURCE);
    // SAFETY: a share's handle holds its closure, which is immortal like the handle.
    unsafe { scope.own(word) }
}

/// How many subscribers a share has.
pub fn share_subscribers(scope: &mut Scope, handle: Resource) -> Result<i64, Trap> {
    Ok(scope.app().share(handle).len() as i64)
}

/// How many subscribers there are.
pub fn topic_subscribers(scope: &mut Scope, handle: Resource) -> Result<i64, Trap> {
    Ok(scope.app().topic(handle).fan().len() as i64)
}
