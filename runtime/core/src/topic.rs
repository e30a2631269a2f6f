//! Topics: what requests publish for others to read.
//!
//! In: blocks of one kind, from any worker. Out: streams of copies. A name stands for the same topic for as long as a version
//! holds it.
//! Not here: queues and policies (`fan`).

use crate::carry::Kind;
use crate::fan::Fan;
use crate::names::{Kinded, Names};
use std::sync::Arc;

/// A topic.
#[derive(Debug)]
pub struct Topic {
    kind: Arc<Kind>,
    fan: Arc<Fan>,
}

/// All topics by name.
static OPEN: Names<Topic> = Names::new();

impl Kinded for Topic {
    fn kind(&self) -> &Kind {
        &self.kind
    }
}

impl Topic {
    /// The topic of that name, for values of that type.
    ///
    /// # Errors
    /// What to tell when it is open for another type.
    pub fn open(name: &str, kind: &Kind) -> Result<Arc<Self>, String> {
        OPEN.open("topic", name, kind, || Ok(Self { kind: Arc::new(kind.clone()), fan: Arc::default() }))
    }

    /// The type of what is published.
    pub fn kind(&self) -> &Arc<Kind> {
        &self.kind
    }

    /// Its subscribers.
    pub fn fan(&self) -> &Arc<Fan> {
        &self.fan
    }
}
