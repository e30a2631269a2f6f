//! The version of a script that answers new requests, and how another one takes its place.
//!
//! In: versions that are ready to serve, from any thread. Out: the newest one, on each worker.
//! Invariants: a worker answers every request that begins after [`Versions::replace`] returned with the new version; one that began
//! before keeps its own (`app::Pinned`). A worker without requests lets go of the old one by itself.

use crate::app::{App, Pinned};
use crate::background;
use crate::log::LogFormat;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::watch::{Receiver, Sender};
use tokio::task::{AbortHandle, spawn_local};

/// The newest version. Clones stand for the same.
#[derive(Clone)]
pub struct Versions(Arc<Sender<Arc<App>>>);

impl Versions {
    /// The first one.
    pub fn new(app: Arc<App>) -> Self {
        Self(Arc::new(Sender::new(app)))
    }

    /// Lets a new one take the place of the one before. That is freed when the last that it does has ended.
    pub fn replace(&self, app: Arc<App>) {
        // Should nothing hold the old one any more, it is freed here.
        drop(self.0.send_replace(app));
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Versions")
    }
}

/// A worker's hold on the newest version.
pub struct Newest {
    held: Rc<RefCell<Held>>,
    /// What lets go of an old one when no request comes.
    follows: AbortHandle,
}

struct Held {
    newest: Receiver<Arc<App>>,
    app: Pinned,
    log: LogFormat,
}

impl Held {
    fn refresh(&mut self) {
        if self.newest.has_changed().unwrap_or(false) {
            self.app = Pinned::new(Arc::clone(&self.newest.borrow_and_update()));
            background::take_over(&self.app, self.log);
        }
    }
}

impl Newest {
    /// Follows these versions. Called where tasks can be spawned locally.
    pub fn of(versions: &Versions, log: LogFormat) -> Self {
        let mut newest = versions.0.subscribe();
        let mut told = newest.clone();
        let app = Pinned::new(Arc::clone(&newest.borrow_and_update()));
        background::take_over(&app, log);
        let held = Rc::new(RefCell::new(Held { newest, app, log }));
        let follows = {
            let held = Rc::clone(&held);
            spawn_local(async move {
                while told.changed().await.is_ok() {
                    held.borrow_mut().refresh();
                }
            })
        };
        Self { held, follows: follows.abort_handle() }
    }

    /// The newest version.
    #[inline]
    pub fn app(&self) -> Pinned {
        let mut held = self.held.borrow_mut();
        held.refresh();
        held.app.clone()
    }
}

impl Drop for Newest {
    fn drop(&mut self) {
        self.follows.abort();
    }
}
