//! The wish to stop a server, from any thread.

use std::sync::Arc;

use tokio::sync::watch;

use crate::worker::Phase;

/// Stops a server. Clones stop the same one.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    phase: Arc<watch::Sender<Phase>>,
}

impl Default for ShutdownHandle {
    fn default() -> Self {
        ShutdownHandle { phase: Arc::new(watch::Sender::new(Phase::Serving)) }
    }
}

impl ShutdownHandle {
    /// A handle for a server that is still to be started.
    pub fn new() -> Self {
        ShutdownHandle::default()
    }

    /// Stops accepting after what already waits, closes idle connections, lets exchanges end within
    /// `drain_timeout`, then cuts.
    pub fn drain(&self) {
        self.raise(Phase::Draining);
    }

    /// Ends everything now.
    pub fn cut(&self) {
        self.raise(Phase::Cut);
    }

    fn raise(&self, phase: Phase) {
        self.phase.send_if_modified(|current| {
            let raises = phase > *current;
            if raises {
                *current = phase;
            }
            raises
        });
    }

    pub(crate) fn watch(&self) -> Wish {
        Wish { phase: self.phase.subscribe() }
    }
}

/// What a part of the server waits on.
#[derive(Clone)]
pub(crate) struct Wish {
    phase: watch::Receiver<Phase>,
}

impl Wish {
    /// Waits until the server should be in `phase` or a later one.
    pub async fn reached(&mut self, phase: Phase) {
        if self.phase.wait_for(|current| *current >= phase).await.is_err() {
            // No one is left who could wish anything.
            std::future::pending::<()>().await;
        }
    }
}
