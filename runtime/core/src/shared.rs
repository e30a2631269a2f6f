//! What all scopes of a version share, behind handles that any of them may use.
//!
//! ```text
//! SHARED object (frozen with the globals) ──address──▶ Shared, which the version keeps
//! ```
//! In: stores, topics and shares that the main program opens. Out: their handles; what a handle stands for.
//! Invariant: handles are made while the main program runs, and what they stand for lives as long as the version; a handle
//! never leaves its version.

use crate::app::App;
use crate::heap::Full;
use crate::scope::Scope;
use crate::sharing::Share;
use crate::store::Store;
use crate::topic::Topic;
use crate::value::{Closure, Handle, Own, Ref, Resource};
use std::sync::Arc;
use weir_abi::layout::{self, shape};

/// What a handle stands for.
#[derive(Debug)]
pub enum Shared {
    /// A store.
    Store(Arc<Store>),
    /// A topic.
    Topic(Arc<Topic>),
    /// A share, whose source the handle's closure makes.
    Share(Arc<Share>),
}

impl Scope {
    /// A handle of what the version keeps from now on.
    pub fn share(&mut self, shared: Shared) -> Result<Own<Resource>, Full> {
        self.share_source(shared, None)
    }

    /// A handle of that, with the closure that makes its source, which is taken over.
    pub fn share_source(
        &mut self,
        shared: Shared,
        source: Option<Own<Closure>>,
    ) -> Result<Own<Resource>, Full> {
        let address = self.app().keep_shared(shared);
        let source = source.map_or(0, |closure| closure.get().word());
        let words = [(layout::SHARED_STATE, address), (layout::SHARED_SOURCE, source)];
        let object = self.object(layout::SHARED_SIZE as usize, shape::SHARED, &words)?;
        Ok(Own::new(Resource::of(object)))
    }
}

impl App {
    /// What a handle of this version stands for.
    pub fn shared(&self, handle: Resource) -> &Shared {
        let address = handle.object().get(layout::SHARED_STATE) as *const Shared;
        // SAFETY: handles are made by `Scope::share` alone, with the address of what this version keeps until it ends.
        unsafe { &*address }
    }

    /// The store that a handle stands for.
    pub fn store(&self, handle: Resource) -> &Arc<Store> {
        match self.shared(handle) {
            Shared::Store(store) => store,
            other => unreachable!("a store's handle stands for {other:?}"),
        }
    }

    /// The share that a handle stands for.
    pub fn share(&self, handle: Resource) -> &Arc<Share> {
        match self.shared(handle) {
            Shared::Share(share) => share,
            other => unreachable!("a share's handle stands for {other:?}"),
        }
    }

    /// The topic that a handle stands for.
    pub fn topic(&self, handle: Resource) -> &Arc<Topic> {
        match self.shared(handle) {
            Shared::Topic(topic) => topic,
            other => unreachable!("a topic's handle stands for {other:?}"),
        }
    }
}
