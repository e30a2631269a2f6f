//! Copies a value with all that it reaches into another scope of the same version on the same worker.
//!
//! In: an object that its holder keeps as it is. Out: its like in the other scope's heap, with one count.
//! What stands for something outside of the heap, such as a stream or a request, stays where it is: a trap says so. Immortal objects
//! are not copied. What several objects refer to is copied once.
//! Invariants: no stack is taken by the depth of values; a step copies at most [`STEP`] bytes, so that others have their turn. A
//! copy that is given up half-way goes with its scope, whole: nothing looks at it.

use crate::heap::{Obj, Refs, Word};
use crate::scope::Scope;
use std::collections::HashMap;
use weir_abi::code::Module;
use weir_abi::layout::{self, shape};
use weir_abi::trap::Trap;

/// How many bytes one step copies: some 20 us.
const STEP: usize = 64 * 1024;
/// What an object costs besides its bytes.
const OBJECT: usize = 64;

/// A copy on its way.
pub struct Transplant {
    root: Word,
    /// Objects whose bytes or parts are not all copied, the innermost last.
    open: Vec<Open>,
    /// Copies of what more than one object refers to, by the original.
    known: HashMap<Word, Obj>,
}

struct Open {
    old: Obj,
    new: Obj,
    /// The bytes that are still to be copied.
    from: *const u8,
    to: *mut u8,
    left: usize,
    /// The next of its references.
    at: usize,
}

impl Transplant {
    /// A copy of `object` that begins in `to`.
    pub fn begin(object: Obj, to: &mut Scope) -> Result<Self, Trap> {
        let mut this = Self { root: 0, open: Vec::new(), known: HashMap::new() };
        this.root = this.copy(object, to)?;
        Ok(this)
    }

    /// Goes on for a step. The copy, once it is whole.
    pub fn step(&mut self, to: &mut Scope) -> Result<Option<Word>, Trap> {
        let module = std::sync::Arc::clone(to.app().module());
        let mut done = 0;
        while let Some(open) = self.open.last_mut() {
            if done >= STEP {
                return Ok(None);
            }
            if open.left > 0 {
                let len = open.left.min(STEP);
                // SAFETY: both are live objects of at least that many bytes from there on, in different heaps.
                unsafe {
                    open.from.copy_to_nonoverlapping(open.to, len);
                    (open.from, open.to) = (open.from.add(len), open.to.add(len));
                }
                open.left -= len;
                done += len;
                continue;
            }
            let (new, Some((offset, word))) = (open.new, open.next_part(&module)) else {
                self.open.pop();
                continue;
            };
            // SAFETY: a live object's references are 0 or refer to live objects.
            if let Some(part) = unsafe { Obj::from_word(word) } {
                let copied = self.copy(part, to)?;
                new.set(offset, copied);
                done += OBJECT;
            }
        }
        Ok(Some(self.root))
    }

    /// The copy of an object, whose bytes and parts may still have to follow.
    fn copy(&mut self, old: Obj, to: &mut Scope) -> Result<Word, Trap> {
        if old.is_immortal() {
            return Ok(old.word());
        }
        if let Some(known) = self.known.get(&old.word()) {
            known.dup();
            return Ok(known.word());
        }
        let new = match old.shape() {
            shape::STREAM => return Err(stays("a stream")),
            shape::RESOURCE | shape::FOREIGN => return Err(stays("a request or a task")),
            shape::TEXT | shape::TEXT_SLICE => self.copy_bytes(old, shape::TEXT, to)?,
            shape::BYTES | shape::BYTES_SLICE => self.copy_bytes(old, shape::BYTES, to)?,
            _ => self.copy_words(old, to)?,
        };
        if !old.is_unique() {
            self.known.insert(old.word(), new);
        }
        Ok(new.word())
    }

    /// A text or bytes, with nothing of the buffer that they may point into.
    fn copy_bytes(&mut self, old: Obj, shape: u32, to: &mut Scope) -> Result<Obj, Trap> {
        let len = old.get(layout::LEN) as usize;
        let new = to.raw(len as u64 + layout::TEXT_DATA as u64, layout::header(shape))?;
        let data = new.word() + layout::TEXT_DATA as u64;
        new.set(layout::LEN, len as u64);
        new.set(layout::TEXT_PTR, data);
        let from = old.get(layout::TEXT_PTR) as *const u8;
        self.open.push(Open { old: new, new, from, to: data as *mut u8, left: len, at: 0 });
        Ok(new)
    }

    fn copy_words(&mut self, old: Obj, to: &mut Scope) -> Result<Obj, Trap> {
        let is_list = matches!(old.shape(), shape::LIST_WORD | shape::LIST_REF);
        // A list's copy has room for its elements only.
        let size = match is_list {
            true => layout::LIST_DATA as usize + 8 * old.get(layout::LEN) as usize,
            false => old.size(&to.app().module().shapes),
        };
        let new = to.raw(size as u64, layout::header(old.shape()))?;
        let (mut start, data) = (layout::HEADER as usize, layout::LIST_DATA as usize);
        if is_list {
            new.set(layout::LEN, old.get(layout::LEN));
            new.set(layout::LIST_CAPACITY, old.get(layout::LEN));
            start = data;
        }
        let (from, into) = (old.ptr().wrapping_add(start), new.ptr().wrapping_add(start));
        self.open.push(Open { old, new, from, to: into, left: size - start, at: 0 });
        Ok(new)
    }
}

impl Open {
    /// Where the next part of the new object goes, and the old one.
    fn next_part(&mut self, module: &Module) -> Option<(i32, Word)> {
        let offset = match self.new.refs(&module.shapes) {
            Refs::None | Refs::Slot => return None,
            Refs::At(offsets) => *offsets.get(self.at)? as i32,
            Refs::Span { first, count } if self.at < count => first + 8 * self.at as i32,
            Refs::Span { .. } => return None,
        };
        self.at += 1;
        Some((offset, self.old.get(offset)))
    }
}

fn stays(what: &str) -> Trap {
    Trap::native(format!("{what} belongs to its request, and background work outlives that"))
}

#[cfg(test)]
mod tests;
