//! Freeing objects and what they alone hold, a slice at a time.
//!
//! ```text
//! release ──▶ up to SLICE objects at once ──▶ the rest is late ──▶ freed slice by slice: at its fiber's next stop check, when the
//!                                                                 heap needs room, and before its fiber goes on or waits
//! ```
//! Invariants: dead objects that are late have a count of 0 and nobody refers to them; each is freed once. A graph of any form is
//! freed in constant stack, and with memory for some entries a slice.

use super::{Heap, Obj, Refs, Word};
use weir_abi::layout::{self, Shape, shape};

/// How many objects are freed at once: about a hundred microseconds' worth.
const SLICE: usize = if cfg!(feature = "stress") { 64 } else { 4096 };

/// How much more than another object one counts whose resource is to be closed.
const SLOT: usize = 31;

/// How many dead objects wait at a time to be looked at; trees are seldom deeper. Beyond that they are linked.
const DYING: usize = 32;

/// Dead objects that are still to be looked at.
struct Dying {
    waiting: [Obj; DYING],
    count: usize,
}

impl Dying {
    #[inline(always)]
    fn pop(&mut self) -> Option<Obj> {
        self.count = self.count.checked_sub(1)?;
        Some(self.waiting[self.count])
    }

    /// Whether there was room.
    #[inline(always)]
    fn push(&mut self, object: Obj) -> bool {
        let Some(slot) = self.waiting.get_mut(self.count) else { return false };
        *slot = object;
        self.count += 1;
        true
    }
}

/// What is to be freed later.
#[derive(Default)]
pub(super) struct Late {
    entries: Vec<Entry>,
    /// The shapes of its objects; none before the first.
    shapes: Option<*const [Shape]>,
    /// Its cells go back to their chunks: few of so many are needed soon.
    pub(super) is_being_freed: bool,
}

enum Entry {
    /// A dead object as it was.
    Object(Obj),
    /// Dead objects that were entered: see [`Heap::enter`].
    List(Word),
}

impl Heap {
    /// Frees an object whose count fell to 0, and all that it alone holds; much of that later.
    pub fn release(&mut self, shapes: &[Shape], object: Obj) {
        let mut left = SLICE;
        self.release_some(shapes, object, &mut left);
    }

    /// Whether dead objects are still to be freed.
    #[inline]
    pub fn has_late(&self) -> bool {
        !self.late.entries.is_empty()
    }

    /// Frees a slice of what is late. Whoever owns the heap looks at [`Heap::take_dead`] afterwards.
    #[cold]
    pub fn free_late(&mut self) {
        let Some(shapes) = self.late.shapes else { return };
        // SAFETY: the shapes of the module that the heap's scope holds as long as it has this heap.
        let shapes = unsafe { &*shapes };
        let mut left = SLICE;
        self.late.is_being_freed = true;
        while left > 0 {
            match self.late.entries.pop() {
                Some(Entry::Object(object)) => self.release_some(shapes, object, &mut left),
                Some(Entry::List(list)) => self.free_list(shapes, list, &mut left),
                None => break,
            }
        }
        self.late.is_being_freed = false;
    }

    /// Frees all that is late.
    pub fn free_all_late(&mut self) {
        while self.has_late() {
            self.free_late();
        }
    }

    #[cold]
    fn put_off(&mut self, shapes: &[Shape], entry: Entry) {
        self.late.shapes = Some(shapes);
        self.late.entries.push(entry);
    }

    #[inline]
    fn release_some(&mut self, shapes: &[Shape], object: Obj, left: &mut usize) {
        let mut dying = Dying { waiting: [object; DYING], count: 1 };
        while let Some(object) = dying.pop() {
            let mut object = object;
            loop {
                if *left == 0 {
                    self.put_off(shapes, Entry::Object(object));
                    while let Some(object) = dying.pop() {
                        self.put_off(shapes, Entry::Object(object));
                    }
                    return;
                }
                *left -= 1;
                // The last child that dies is next; the others wait.
                let mut next = None;
                match object.refs(shapes) {
                    Refs::None => {}
                    Refs::At(offsets) => {
                        for &offset in offsets {
                            self.end_child(shapes, object.get(offset as i32), &mut next, &mut dying, left);
                        }
                    }
                    Refs::Span { first, count } => {
                        let rest = count.saturating_sub(*left);
                        for at in rest..count {
                            let child = object.get(first + 8 * at as i32);
                            self.end_child(shapes, child, &mut next, &mut dying, left);
                        }
                        *left = left.saturating_sub(count - rest);
                        if rest > 0 {
                            // A list of so many elements; it goes with its last ones.
                            object.set(layout::LEN, rest as u64);
                            self.put_off(shapes, Entry::Object(object));
                            match next {
                                Some(child) => object = child,
                                None => break,
                            }
                            continue;
                        }
                    }
                    Refs::Slot => {
                        *left = left.saturating_sub(SLOT);
                        self.dead.push(object.get(layout::SLOT) as u32);
                    }
                }
                self.free_object(shapes, object);
                match next {
                    Some(child) => object = child,
                    None => break,
                }
            }
        }
    }

    #[inline(always)]
    fn end_child(
        &mut self,
        shapes: &[Shape],
        child: Word,
        next: &mut Option<Obj>,
        dying: &mut Dying,
        left: &mut usize,
    ) {
        // SAFETY: a reference that a dead object of this heap owned.
        let Some(child) = (unsafe { Obj::from_word(child) }) else { return };
        if !child.undup() {
            return;
        }
        if matches!(child.shape(), shape::TEXT | shape::BOX_WORD | shape::LIST_WORD) {
            return self.free_object(shapes, child);
        }
        if let Some(other) = next.replace(child)
            && !dying.push(other)
        {
            let list = self.enter(shapes, other, 0, left);
            self.free_list(shapes, list, left);
        }
    }

    /// Frees graphs of any form in constant space: objects still to be looked at are linked through their first reference, which
    /// is followed when they are entered.
    #[cold]
    fn free_list(&mut self, shapes: &[Shape], mut list: Word, left: &mut usize) {
        while list != 0 {
            if *left == 0 {
                return self.put_off(shapes, Entry::List(list));
            }
            *left -= 1;
            // SAFETY: the list links dead objects that have at least one reference.
            let Some(object) = (unsafe { Obj::from_word(list) }) else { break };
            match object.refs(shapes) {
                Refs::At(offsets) => {
                    list = object.get(offsets[0] as i32);
                    for &offset in &offsets[1..] {
                        list = self.unlink_child(shapes, object.get(offset as i32), list, left);
                    }
                }
                Refs::Span { first, count } => {
                    list = object.get(first);
                    let rest = count.saturating_sub(*left).max(1);
                    for at in rest..count {
                        list = self.unlink_child(shapes, object.get(first + 8 * at as i32), list, left);
                    }
                    *left = left.saturating_sub(count - rest);
                    if rest > 1 {
                        object.set(layout::LEN, rest as u64);
                        object.set(first, list);
                        list = object.word();
                        continue;
                    }
                }
                Refs::None | Refs::Slot => {
                    unreachable!("an object without references is freed when it is entered")
                }
            }
            self.free_object(shapes, object);
        }
    }

    #[inline]
    fn unlink_child(&mut self, shapes: &[Shape], child: Word, list: Word, left: &mut usize) -> Word {
        // SAFETY: a reference that a dead object of this heap owned.
        match unsafe { Obj::from_word(child) } {
            Some(child) if child.undup() => self.enter(shapes, child, list, left),
            _ => list,
        }
    }

    /// Frees dead objects without references at once and puts others on the list, following first references.
    #[inline]
    fn enter(&mut self, shapes: &[Shape], mut object: Obj, mut list: Word, left: &mut usize) -> Word {
        loop {
            let first = match object.refs(shapes) {
                Refs::At([first, ..]) => *first as i32,
                Refs::Span { first, count } if count > 0 => first,
                Refs::Slot => {
                    *left = left.saturating_sub(SLOT);
                    self.dead.push(object.get(layout::SLOT) as u32);
                    self.free_object(shapes, object);
                    return list;
                }
                _ => {
                    self.free_object(shapes, object);
                    return list;
                }
            };
            if *left == 0 {
                self.put_off(shapes, Entry::Object(object));
                return list;
            }
            *left -= 1;
            let child = object.get(first);
            object.set(first, list);
            list = object.word();
            // SAFETY: a reference that the dead object owned.
            match unsafe { Obj::from_word(child) } {
                Some(child) if child.undup() => object = child,
                _ => return list,
            }
        }
    }
}
