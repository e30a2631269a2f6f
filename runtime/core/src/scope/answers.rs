//! Answers of upstreams behind their handles: their heads stay, their bodies are taken once.

use super::{Entry, Scope};
use crate::client::{Head, ReplyBody};
use crate::heap::Full;
use crate::value::{Own, Ref, Resource, Text};
use bytes::Bytes;
use std::rc::Rc;
use weir_abi::layout::{self, shape};

/// What a handle has of an answer.
pub struct Answer {
    head: Rc<Head>,
    /// Until it is read.
    body: Option<ReplyBody>,
}

impl Answer {
    pub(super) fn close(&mut self, scope: &mut Scope) {
        if let Some(mut body) = self.body.take() {
            body.close(scope);
        }
    }
}

impl Scope {
    /// A handle of that answer; on failure its connection is closed.
    pub fn answer(&mut self, mut body: ReplyBody) -> Result<Own<Resource>, Full> {
        let object = match self.heap.alloc(16, layout::header(shape::RESOURCE)) {
            Ok(object) => object,
            Err(full) => {
                body.close(self);
                return Err(full);
            }
        };
        let answer = Answer { head: Rc::clone(body.head()), body: Some(body) };
        let slot = self.table.insert(Entry::Answer(Box::new(answer)));
        object.set(layout::SLOT, slot as u64);
        Ok(Own::new(Resource::of(object)))
    }

    /// A handle of an answer's headers.
    pub fn fields(&mut self, head: Rc<Head>) -> Result<Own<Resource>, Full> {
        let object = self.heap.alloc(16, layout::header(shape::RESOURCE))?;
        let slot = self.table.insert(Entry::Fields(head));
        object.set(layout::SLOT, slot as u64);
        Ok(Own::new(Resource::of(object)))
    }

    /// The head of an answer.
    pub fn answer_head(&self, answer: Resource) -> Rc<Head> {
        match &self.table.entries[answer.object().get(layout::SLOT) as usize] {
            Entry::Answer(answer) => Rc::clone(&answer.head),
            _ => unreachable!("an Answer's slot holds one"),
        }
    }

    /// The head whose headers these are; `None` for those of a request.
    pub fn answer_fields(&self, headers: Resource) -> Option<Rc<Head>> {
        match &self.table.entries[headers.object().get(layout::SLOT) as usize] {
            Entry::Fields(head) => Some(Rc::clone(head)),
            _ => None,
        }
    }

    /// Takes the body out of an answer; `None` when it was taken before.
    pub fn take_answer(&mut self, answer: Resource) -> Option<ReplyBody> {
        match &mut self.table.entries[answer.object().get(layout::SLOT) as usize] {
            Entry::Answer(answer) => answer.body.take(),
            _ => unreachable!("an Answer's slot holds one"),
        }
    }

    /// The buffer outside the heap that bytes, or a text, lie in, so that they can be passed on without a copy; `None` for those in
    /// the heap.
    pub fn shared_bytes(&self, of: Text) -> Option<Bytes> {
        let keeper = of.keeper();
        // That of a global is in the table of the main program, which is gone.
        if keeper.shape() != shape::FOREIGN || keeper.is_immortal() {
            return None;
        }
        match &self.table.entries[keeper.get(layout::SLOT) as usize] {
            Entry::Foreign(buffer) => Some(buffer.slice_ref(of.as_bytes())),
            _ => unreachable!("a FOREIGN object's slot holds its buffer"),
        }
    }

    /// Bytes as a value: a copy of a few, else a slice of the buffer itself, whose size counts as the heap's. They are laid out
    /// as a Text, and are one when they are UTF-8.
    pub fn kept_bytes(&mut self, bytes: Bytes) -> Result<Own<Text>, Full> {
        /// Up to here a copy costs no more than an entry in the table.
        const COPIED: usize = 1024;
        if bytes.len() <= COPIED {
            return self.text_with(bytes.len(), |filler| filler.push(&bytes));
        }
        let len = bytes.len();
        let foreign = self.foreign(bytes)?;
        let made = self.foreign_text(foreign.get(), 0..len);
        self.give_up(foreign);
        made
    }
}
