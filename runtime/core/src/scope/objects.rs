//! The objects that natives make: texts, lists, boxes, and what is copied to be changed.
//!
//! In: contents. Out: owned objects in the scope's heap, or `Full`.
//! Invariant: what was taken over is handed on or given up, also where there is no room.
//! Not here: resources, whose handles are objects too (`scope`), lists and texts that grow in steps (`lists`, `building`).

use super::{Entry, Scope};
use crate::heap::{Full, NO_SLOT, Obj, Word};
use crate::value::{Any, Arg, Boxed, Filler, Handle, List, Own, Ref, Resource, Text};
use bytes::Bytes;
use std::ops::Range;
use weir_abi::layout::{self, shape};
use weir_abi::size::SMALL_MAX;

impl Scope {
    // ---- texts

    /// A text of `len` bytes, which `fill` writes.
    #[inline]
    pub fn text_with(&mut self, len: usize, fill: impl FnOnce(&mut Filler)) -> Result<Own<Text>, Full> {
        let (text, mut filler) = self.text_unfilled(len)?;
        fill(&mut filler);
        assert!(filler.left() == 0, "a text is written whole");
        Ok(text)
    }

    /// A text of `len` bytes, and what fills them. Nobody looks at it before all are there.
    #[inline]
    pub fn text_unfilled(&mut self, len: usize) -> Result<(Own<Text>, Filler), Full> {
        let size = len.checked_add(layout::TEXT_DATA as usize).ok_or(Full)?;
        let object = self.heap.alloc(size, layout::header(shape::TEXT))?;
        object.set(layout::LEN, len as u64);
        object.set(layout::TEXT_PTR, object.word() + layout::TEXT_DATA as u64);
        Ok((Own::new(Text::of(object)), Filler::of(object, len)))
    }

    /// Whether a text that is owned is longer in place, once bytes are put behind it.
    pub fn is_own_text(&self, text: Text) -> bool {
        text.object().is_unique() && text.object().shape() == shape::TEXT
    }

    /// `text` with `added` bytes behind it, which `fill` writes; in place when nobody else holds it.
    pub fn text_longer(
        &mut self,
        text: Own<Text>,
        added: usize,
        fill: impl FnOnce(&mut Filler),
    ) -> Result<Own<Text>, Full> {
        let old = text.get();
        let len = old.len().checked_add(added).ok_or(Full)?;
        let head = layout::TEXT_DATA as usize;
        let size = len.checked_add(head).ok_or(Full)?;
        let object = old.object();
        let is_own = self.is_own_text(old);
        let longer = if is_own { self.heap.lengthen(object, head + old.len(), size) } else { Ok(None) };
        match longer {
            Ok(Some(object)) => {
                object.set(layout::LEN, len as u64);
                object.set(layout::TEXT_PTR, object.word() + layout::TEXT_DATA as u64);
                let mut filler = Filler::behind(object, len - added, added);
                fill(&mut filler);
                assert!(filler.left() == 0, "a text is written whole");
                return Ok(Own::new(Text::of(object)));
            }
            Ok(None) => {}
            Err(full) => {
                self.give_up(text);
                return Err(full);
            }
        }
        let made = self.text_with(len, |filler| {
            filler.push(old.as_bytes());
            fill(filler);
        });
        self.give_up(text);
        made
    }

    /// A text of these characters.
    #[inline]
    pub fn text(&mut self, text: &str) -> Result<Own<Text>, Full> {
        self.text_with(text.len(), |filler| filler.push(text.as_bytes()))
    }

    /// The bytes `range` of a text, which lie on character boundaries; takes over the text.
    pub fn text_slice(&mut self, text: Own<Text>, range: Range<usize>) -> Result<Own<Text>, Full> {
        /// Up to here a copy costs no more than a slice and keeps nothing else alive.
        const COPIED: usize = 40;
        let whole = text.get();
        if range.len() == whole.len() {
            return Ok(text);
        }
        let made = if range.len() <= COPIED {
            self.text_with(range.len(), |filler| filler.push(&whole.as_bytes()[range.clone()]))
        } else {
            let keeper = whole.keeper();
            let address = whole.as_bytes()[range.clone()].as_ptr() as u64;
            self.new_slice(keeper, address, range.len())
        };
        self.give_up(text);
        made
    }

    fn new_slice(&mut self, keeper: Obj, address: u64, len: usize) -> Result<Own<Text>, Full> {
        let object = self.heap.alloc(32, layout::header(shape::TEXT_SLICE))?;
        keeper.dup();
        object.set(layout::LEN, len as u64);
        object.set(layout::TEXT_PTR, address);
        object.set(layout::TEXT_DATA, keeper.word());
        Ok(Own::new(Text::of(object)))
    }

    /// A buffer that texts can point into. Its size counts as the heap's.
    pub fn foreign(&mut self, bytes: Bytes) -> Result<Own<Resource>, Full> {
        let object = self.heap.alloc(16, layout::header(shape::FOREIGN))?;
        // So that giving it up on failure finds no entry.
        object.set(layout::SLOT, NO_SLOT as u64);
        if let Err(full) = self.heap.charge(bytes.len()) {
            self.give_up(Own::new(Resource::of(object)));
            return Err(full);
        }
        let slot = self.table.insert(Entry::Foreign(bytes));
        object.set(layout::SLOT, slot as u64);
        Ok(Own::new(Resource::of(object)))
    }

    /// A text that points into a foreign buffer. The caller checked that those bytes are UTF-8.
    pub fn foreign_text(&mut self, foreign: Resource, range: Range<usize>) -> Result<Own<Text>, Full> {
        let Entry::Foreign(bytes) = &self.table.entries[foreign.object().get(layout::SLOT) as usize] else {
            unreachable!("a FOREIGN object's slot holds its buffer");
        };
        let (address, len) = (bytes[range.clone()].as_ptr() as u64, range.len());
        self.new_slice(foreign.object(), address, len)
    }

    /// A list of these texts.
    pub fn text_list<'a>(&mut self, texts: impl Iterator<Item = &'a str> + Clone) -> Result<Own<List>, Full> {
        let list = self.list(shape::LIST_REF, texts.clone().count())?;
        for text in texts {
            match self.text(text) {
                Ok(text) => list.get().append(&[text.get().word()]),
                Err(full) => {
                    self.give_up(list);
                    return Err(full);
                }
            }
        }
        Ok(list)
    }

    // ---- other objects

    /// An empty list of that shape with room for `capacity` elements.
    #[inline]
    pub fn list(&mut self, shape: u32, capacity: usize) -> Result<Own<List>, Full> {
        let size =
            capacity.checked_mul(8).and_then(|s| s.checked_add(layout::LIST_DATA as usize)).ok_or(Full)?;
        let object = self.heap.alloc(size, layout::header(shape))?;
        object.set(layout::LEN, 0);
        object.set(layout::LIST_CAPACITY, capacity as u64);
        Ok(Own::new(List::of(object)))
    }

    /// A list with room for `more` elements, where that takes no copy but the system's: a large list that only the caller holds.
    /// It is given up when there is no room.
    pub fn longer_list(
        &mut self,
        list: Own<List>,
        more: usize,
    ) -> Result<Result<Own<List>, Own<List>>, Full> {
        let (object, len, head) = (list.get().object(), list.get().len(), layout::LIST_DATA as usize);
        let size = |count: usize| count.checked_mul(8)?.checked_add(head);
        if !object.is_unique() || list.get().capacity() <= SMALL_MAX / 8 {
            return Ok(Err(list));
        }
        let grown = len.checked_add(more).and_then(size).ok_or(Full);
        match grown.and_then(|new| self.heap.lengthen(object, head + 8 * list.get().capacity(), new)) {
            Ok(Some(object)) => {
                let room = (self.heap.large_size(object) - head) / 8;
                object.set(layout::LIST_CAPACITY, room as u64);
                Ok(Ok(Own::new(List::of(object))))
            }
            Ok(None) => Ok(Err(list)),
            Err(full) => {
                self.give_up(list);
                Err(full)
            }
        }
    }

    /// `Some` of a word that is no reference.
    pub fn some_word(&mut self, word: Word) -> Result<Own<Boxed>, Full> {
        self.boxed(shape::BOX_WORD, word)
    }

    /// `Some` of a word: [`shape::BOX_WORD`], or of an option's reference: [`shape::BOX_REF`].
    pub(super) fn boxed(&mut self, shape: u32, word: Word) -> Result<Own<Boxed>, Full> {
        let object = self.heap.alloc(16, layout::header(shape))?;
        object.set(layout::BOX_VALUE, word);
        Ok(Own::new(Boxed::of(object)))
    }

    /// An object of `size` bytes of which `words` are set; the others of its words are 0.
    pub fn object(&mut self, size: usize, shape: u32, words: &[(i32, Word)]) -> Result<Obj, Full> {
        let object = self.heap.alloc(size, layout::header(shape))?;
        for offset in (layout::HEADER..size as i32).step_by(8) {
            object.set(offset, 0);
        }
        for (offset, word) in words {
            object.set(*offset, *word);
        }
        Ok(object)
    }

    /// The object, which is no list, as one that only the caller holds: itself, or a copy of its words in its place, whose
    /// references get counts of their own.
    pub fn unique(&mut self, own: Own<Any>) -> Result<Own<Any>, Full> {
        // SAFETY: compiled code passes a reference that it owns, and never 0.
        let Some(object) = (unsafe { Obj::from_word(own.get().word()) }) else { return Ok(own) };
        if object.is_unique() {
            return Ok(own);
        }
        let made = self.copy(object);
        self.give_up(own);
        // SAFETY: the copy is new, with one count.
        made.map(|copy| unsafe { Own::from_word(copy.word()) })
    }

    /// Notes that an object is copied because it is to be changed, unless only the caller holds it.
    pub(crate) fn count_copy(&mut self, object: Obj) {
        self.copies += u64::from(!object.is_unique());
    }

    /// An owned object as the list that it is, if it is one.
    pub(crate) fn as_list(&self, own: &Own<Any>) -> Option<Own<List>> {
        // SAFETY: compiled code passes a reference that it owns, and never 0.
        let object = unsafe { Obj::from_word(own.get().word()) }?;
        matches!(object.shape(), shape::LIST_WORD | shape::LIST_REF).then(|| Own::new(List::of(object)))
    }

    fn copy(&mut self, object: Obj) -> Result<Obj, Full> {
        self.count_copy(object);
        let size = object.size(&self.app.module().shapes);
        let copy = self.heap.alloc(size, layout::header(object.shape()))?;
        for offset in (layout::HEADER..size as i32).step_by(8) {
            copy.set(offset, object.get(offset));
        }
        copy.for_each_ref(&self.app.module().shapes, |part| part.dup());
        Ok(copy)
    }

    /// An object of `size` bytes with that first word; the rest is compiled code's to write.
    #[inline(always)]
    pub fn raw(&mut self, size: u64, header: u64) -> Result<Obj, Full> {
        self.heap.alloc(size as usize, header)
    }
}
