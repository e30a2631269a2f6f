//! What versions of a program find again by its name: stores and topics.
//!
//! In: a name and a type. Out: what stands for it, for as long as a version holds it. Whoever opens a name with another type is
//! told so.

use crate::carry::Kind;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Things by name.
#[derive(Debug)]
pub struct Names<T>(Mutex<Option<HashMap<String, Weak<T>>>>);

/// What values something shares.
pub trait Kinded {
    /// Their type.
    fn kind(&self) -> &Kind;
}

impl<T: Kinded> Names<T> {
    /// No names.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What has that name; made when nothing has. `what` it is, for messages.
    ///
    /// # Errors
    /// What to tell when it is open for another type, or cannot be made.
    pub fn open(
        &self,
        what: &str,
        name: &str,
        kind: &Kind,
        make: impl FnOnce() -> Result<T, String>,
    ) -> Result<Arc<T>, String> {
        let mut names = lock(&self.0);
        let names = names.get_or_insert_with(HashMap::new);
        if let Some(found) = names.get(name).and_then(Weak::upgrade) {
            return if found.kind() == kind {
                Ok(found)
            } else {
                Err(other_type(what, name, found.kind(), kind))
            };
        }
        names.retain(|_, each| each.strong_count() > 0);
        let made = Arc::new(make()?);
        names.insert(name.to_owned(), Arc::downgrade(&made));
        Ok(made)
    }
}

/// That something holds values of another type than it is opened for.
pub fn other_type(what: &str, name: &str, there: &Kind, wanted: &Kind) -> String {
    format!(
        "the {what} {name:?} is one of `{}`, and is opened here for `{}`; give the {what} for these another name",
        there.shown(),
        wanted.shown()
    )
}

/// The data behind a lock, whatever happened to a thread that held it: each change is whole or did not begin.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
