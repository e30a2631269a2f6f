//! What a subscriber is given, as a stream.

use crate::carry::{Block, Damaged, Kind, Unpacker};
use crate::failure::Failure;
use crate::fan::Subscription;
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::trace::Trace;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use weir_abi::types::TypeId;

/// The items of a subscription, each copied out of its block when it is pulled.
pub struct Subscribed {
    subscription: Subscription,
    kind: Arc<Kind>,
    ty: TypeId,
    /// An item that is being copied.
    unpacking: Option<Unpacker>,
    /// What the queue takes of the scope's heap.
    charged: usize,
}

impl Subscribed {
    /// The items of a subscription, which are of that type; its queue is charged to the scope.
    pub fn new(subscription: Subscription, kind: Arc<Kind>, ty: TypeId, charged: usize) -> Self {
        Self { subscription, kind, ty, unpacking: None, charged }
    }

    /// Goes on with the item that is being copied.
    fn step(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        let unpacker = self.unpacking.as_mut()?;
        let item = match unpacker.step(scope) {
            Ok(None) => return None,
            Ok(Some(word)) => Ok(word),
            Err(Damaged::Trap(trap)) => Err(Failure::of_trap(&trap, Trace::default())),
            Err(Damaged::Bytes) => {
                Err(Failure::of_kind("failed", "an item is damaged, which is a bug of Weir"))
            }
        };
        self.unpacking = None;
        Some(item)
    }

    fn begin(&mut self, block: Arc<Block>) {
        self.unpacking = Some(Unpacker::new(block, &self.kind, self.ty));
    }
}

impl Source for Subscribed {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if let Some(item) = self.step(scope) {
                return Poll::Ready(Some(item));
            }
            if self.unpacking.is_some() {
                ready!(scope.poll_turn(cx));
                continue;
            }
            match ready!(self.subscription.poll(cx)) {
                Some(Ok(block)) => self.begin(block),
                Some(Err(failure)) => return Poll::Ready(Some(Err(failure))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        if self.unpacking.is_none() {
            let block = self.subscription.take()?;
            self.begin(block);
        }
        self.step(scope)
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        if let Some(unpacker) = &mut self.unpacking {
            unpacker.give_back(scope);
        }
        scope.heap_mut().uncharge(self.charged);
    }
}
