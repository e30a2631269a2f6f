//! Requests behind their handles, and the one reader that each body has.
//!
//! Invariant: a body is handed out once. While it is not, it belongs to the request's handle: when nobody holds that any more,
//! the engine learns that nobody will read.

use super::{Entry, Scope};
use crate::heap::Full;
use crate::value::{Own, Ref, Resource};
use weir_abi::layout::{self, shape};
use weir_http::{RequestBody, RequestHead};

/// What a request's handle has of the body.
pub enum Unread {
    /// The request has none; nobody asked for it yet.
    Empty,
    /// All of it.
    Body(Box<RequestBody>),
    /// It was handed out.
    Taken,
}

impl Scope {
    /// A handle of that request.
    pub fn asked(&mut self, head: RequestHead, body: RequestBody) -> Result<Own<Resource>, Full> {
        let object = self.heap.alloc(16, layout::header(shape::RESOURCE))?;
        let unread = if body.length() == Some(0) { Unread::Empty } else { Unread::Body(Box::new(body)) };
        let slot = self.table.insert(Entry::Asked(head, unread));
        object.set(layout::SLOT, slot as u64);
        Ok(Own::new(Resource::of(object)))
    }

    /// Takes the body of a request; `None` when it was taken before.
    pub fn take_body(&mut self, request: Resource) -> Option<RequestBody> {
        let slot = request.object().get(layout::SLOT) as usize;
        let Entry::Asked(_, unread) = &mut self.table.entries[slot] else {
            return Some(RequestBody::empty());
        };
        match std::mem::replace(unread, Unread::Taken) {
            Unread::Empty => Some(RequestBody::empty()),
            Unread::Body(body) => Some(*body),
            Unread::Taken => None,
        }
    }
}
