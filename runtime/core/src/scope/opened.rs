//! Open files behind their handles, for responses that send them.

use super::{Entry, Scope};
use crate::heap::Full;
use crate::opening::Opened;
use crate::value::{Own, Ref, Resource};
use std::sync::Arc;
use weir_abi::layout;

impl Scope {
    /// A handle of that file.
    pub fn opened(&mut self, opened: Opened) -> Result<Own<Resource>, Full> {
        self.resource(Entry::Opened(Arc::new(opened)))
    }

    /// The file behind a handle; `None` when that is frozen, for its file was closed with the main program.
    pub fn opened_of(&self, handle: Resource) -> Option<Arc<Opened>> {
        if handle.object().is_immortal() {
            return None;
        }
        match &self.table.entries[handle.object().get(layout::SLOT) as usize] {
            Entry::Opened(opened) => Some(Arc::clone(opened)),
            _ => unreachable!("the handle of a file response's slot holds its file"),
        }
    }
}
