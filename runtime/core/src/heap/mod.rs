//! A scope's heap: small objects in chunks, large ones in blocks of their own.
//!
//! ```text
//! chunk        Chunk { live, .. }   cell  cell  cell ...   unused
//! free cell    0 class:u32   4 FREE:u32   8 next   16 previous         in the list of its class
//! quick cell   0 class:u32   4 FREE:u32   8 next   16 length           in the quick list of its class
//! large block  Large { next, previous, size }   object
//! ```
//! In: sizes and headers; references that are given up. Out: objects; the slots of table entries that lost their handle.
//! Invariants: `Chunk::live` counts the chunk's objects and quick cells; a chunk without objects goes back to the pool unless it is the
//! one being filled; `bytes` is what chunks, blocks and charged buffers take and never exceeds `limit`. Freeing a graph
//! takes no memory and hardly any stack, however deep it is. Dropping the heap looks at chunks and blocks, not at objects.
//!
//! Small cells come from and go to quick lists, which nobody counts: compiled code takes from them without a call. They
//! are given to the other lists, which know when a chunk is empty, before the heap grows and when a fiber has to wait.
//! Not here: fibers, resources, what objects mean.

mod object;
mod pages;
mod quick;
mod release;

pub use object::{Obj, Refs, Word};
pub use pages::{PAGE, Pages, no_huge_pages};

use crate::counters::{self, Counters};
use crate::memory::blocks;
use pages::{GRANULE, ORDER_MAX, chunk_bytes, chunk_start};
use quick::{SOME, quick_next};
use release::Late;
use std::mem::size_of;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use weir_abi::layout::{self, IMMORTAL, Shape, shape};
use weir_abi::size::{CLASSES, QUICK_CLASSES, SIZES, SMALL_MAX, class_of};
use weir_abi::trap::{Trap, TrapKind};

/// The shape of a free cell.
const FREE: u32 = 0xFFFF_FFFF;
const NEXT: i32 = 8;
const PREVIOUS: i32 = 16;
/// What freed memory is filled with in stress builds.
const POISON: u8 = 0xDD;

/// The head of a chunk; cells follow.
#[repr(C)]
struct Chunk {
    /// How many objects it holds.
    live: u32,
    /// Its size, see [`chunk_bytes`].
    order: u32,
    /// End of its cells, once it is no longer being filled.
    top: *mut u8,
    /// Where it stands in `Heap::chunks`.
    at: usize,
}

/// Where a chunk's first cell is.
const CELLS: usize = 32;
const _: () = assert!(size_of::<Chunk>() <= CELLS && CELLS.is_multiple_of(16));

/// A chunk's address, and its order in the bits that chunks being aligned leaves free.
struct Held(NonNull<u8>);

impl Held {
    fn new(chunk: NonNull<u8>, order: usize) -> Self {
        const { assert!(ORDER_MAX < GRANULE) };
        Self(chunk.map_addr(|address| address | order))
    }

    fn order(&self) -> usize {
        self.0.addr().get() & (GRANULE - 1)
    }

    fn chunk(&self) -> NonNull<u8> {
        // SAFETY: a chunk is not at address 0.
        unsafe { NonNull::new_unchecked(self.0.as_ptr().map_addr(|address| address & !(GRANULE - 1))) }
    }
}

/// The part of the heap, one in so many, above which quick cells are given up before the heap grows.
const QUICK_SHARE: usize = 4;

/// The head of a large block; the object follows.
#[repr(C, align(16))]
struct Large {
    next: *mut Large,
    previous: *mut Large,
    /// Of the whole block.
    size: usize,
}

/// The heap has no room within its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl From<Full> for Trap {
    #[cold]
    fn from(_: Full) -> Self {
        Trap::new(TrapKind::OutOfMemory)
    }
}

/// A heap. Used by one thread.
pub struct Heap {
    /// First cell of each quick list, or null.
    quick: [*mut u8; QUICK_CLASSES],
    /// First free cell by class, or null.
    free: [*mut u8; CLASSES],
    /// Where the chunk being filled goes on; null before the first.
    bump: *mut u8,
    /// Its end.
    end: *mut u8,
    /// The chunk being filled.
    current: *mut Chunk,
    /// All chunks. Here, that dropping a heap touches none of them.
    chunks: Vec<Held>,
    /// All large blocks.
    large: *mut Large,
    /// How many objects are alive, quick cells included.
    live: usize,
    /// How many of them the counters know about.
    published: usize,
    /// What chunks, blocks and charged buffers take.
    bytes: usize,
    limit: usize,
    /// The order of the next chunk.
    order: usize,
    /// Slots of the table whose handle was freed; whoever freed takes them from here.
    dead: Vec<u32>,
    /// Dead objects that are still to be freed.
    late: Late,
    pages: Rc<Pages>,
    counters: &'static Counters,
}

impl Heap {
    /// An empty heap of at most `limit` bytes.
    pub fn new(pages: Rc<Pages>, limit: usize, counters: &'static Counters) -> Self {
        Self {
            quick: [ptr::null_mut(); QUICK_CLASSES],
            free: [ptr::null_mut(); CLASSES],
            bump: ptr::null_mut(),
            end: ptr::null_mut(),
            current: ptr::null_mut(),
            chunks: Vec::new(),
            large: ptr::null_mut(),
            live: 0,
            published: 0,
            bytes: 0,
            limit,
            order: 0,
            dead: Vec::new(),
            late: Late::default(),
            pages,
            counters,
        }
    }

    /// How many objects are alive.
    pub fn live(&self) -> usize {
        self.live - self.quick_cells()
    }

    /// The first cells of the quick lists.
    pub fn quick(&mut self) -> *mut *mut u8 {
        self.quick.as_mut_ptr()
    }

    /// Bytes taken, by objects and by the rest of their chunks.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Tells the counters how many objects are alive. Cheap enough for each return from a fiber.
    pub fn publish(&mut self) {
        let live = self.live();
        self.counters.objects.add(live as i64 - self.published as i64);
        self.published = live;
    }

    /// Takes it out of its worker's counts, for an owner that may live and end on another thread.
    pub fn detach(&mut self) {
        self.counters.chunks.add(-(self.chunks.len() as i64));
        self.counters.objects.add(-(self.published as i64));
        self.published = 0;
        self.counters = &counters::FROZEN;
    }

    /// An object of `size` bytes with that first word; the rest is not initialised.
    #[inline]
    pub fn alloc(&mut self, size: usize, header: u64) -> Result<Obj, Full> {
        if size > SMALL_MAX {
            return self.alloc_large(size, header);
        }
        let class = class_of(size);
        let cell = if class < QUICK_CLASSES {
            if self.quick[class].is_null() {
                self.refill(class)?;
            }
            let cell = self.quick[class];
            // SAFETY: `refill` leaves a cell, and a cell in a quick list holds its links.
            unsafe {
                self.quick[class] = quick_next(cell);
                NonNull::new_unchecked(cell)
            }
        } else {
            self.cell(class)?
        };
        if cfg!(feature = "stress") {
            // SAFETY: the cell is ours and of that size.
            unsafe { cell.as_ptr().write_bytes(POISON, SIZES[class] as usize) };
        }
        // SAFETY: as above.
        unsafe { cell.cast::<u64>().write(header) };
        Ok(Obj::from_ptr(cell))
    }

    /// A cell of that class from its list or from the chunk being filled.
    #[inline]
    fn cell(&mut self, class: usize) -> Result<NonNull<u8>, Full> {
        let cell = match self.ready_cell(class) {
            Some(cell) => cell,
            None => {
                self.make_room(class)?;
                self.ready_cell(class).ok_or(Full)?
            }
        };
        self.live += 1;
        Ok(cell)
    }

    #[inline]
    fn ready_cell(&mut self, class: usize) -> Option<NonNull<u8>> {
        if let Some(cell) = NonNull::new(self.free[class]) {
            // SAFETY: a cell in a free list lies in one of this heap's chunks and holds its links.
            unsafe {
                let next = cell.offset(NEXT as isize).cast::<*mut u8>().read();
                self.free[class] = next;
                if !next.is_null() {
                    next.offset(PREVIOUS as isize).cast::<*mut u8>().write(ptr::null_mut());
                }
                (*chunk_start(cell.as_ptr()).cast::<Chunk>()).live += 1;
            }
            return Some(cell);
        }
        let bytes = SIZES[class] as usize;
        if bytes > self.end as usize - self.bump as usize {
            return None;
        }
        let cell = self.bump;
        self.bump = cell.wrapping_add(bytes);
        // SAFETY: with room between `bump` and `end` there is a chunk being filled, and `bump` is inside it.
        unsafe {
            (*self.current).live += 1;
            Some(NonNull::new_unchecked(cell))
        }
    }

    /// Sees to it that there is a cell of that class, by giving the quick lists up or by taking a chunk.
    #[cold]
    fn make_room(&mut self, class: usize) -> Result<(), Full> {
        if self.has_late() {
            self.free_late();
            if !self.free[class].is_null() {
                return Ok(());
            }
        }
        // Only when they hold a good part of the heap: each cell of them costs a little to give up.
        if self.quick_bytes() * QUICK_SHARE > self.bytes {
            self.give_quick_up(SOME);
            if !self.free[class].is_null() {
                return Ok(());
            }
        }
        match self.new_chunk(SIZES[class] as usize) {
            Err(Full) if self.quick_cells() > 0 => {
                self.give_quick_up(usize::MAX);
                if self.free[class].is_null() { self.new_chunk(SIZES[class] as usize) } else { Ok(()) }
            }
            made => made,
        }
    }

    fn new_chunk(&mut self, size: usize) -> Result<(), Full> {
        let mut order = self.order;
        while order < ORDER_MAX && chunk_bytes(order) < CELLS + 2 * size {
            order += 1;
        }
        self.charge(chunk_bytes(order))?;
        let Some(memory) = self.pages.take(order) else {
            self.uncharge(chunk_bytes(order));
            return Err(Full);
        };
        self.order = (order + 1).min(ORDER_MAX);
        self.counters.chunks.add(1);
        let full = self.current;
        let chunk = memory.as_ptr().cast::<Chunk>();
        // SAFETY: the chunk is fresh memory of at least 1 KiB; `current` is null or a live chunk.
        unsafe {
            let at = self.chunks.len();
            chunk.write(Chunk { live: 0, order: order as u32, top: ptr::null_mut(), at });
            self.chunks.push(Held::new(memory, order));
            if !full.is_null() {
                (*full).top = self.bump;
            }
            self.current = chunk;
            self.bump = memory.as_ptr().add(CELLS);
            self.end = memory.as_ptr().add(chunk_bytes(order));
            if !full.is_null() && (*full).live == 0 {
                self.give_chunk_back(full);
            }
        }
        Ok(())
    }

    fn alloc_large(&mut self, size: usize, header: u64) -> Result<Obj, Full> {
        let bytes = size.checked_add(size_of::<Large>()).ok_or(Full)?;
        self.charge(bytes)?;
        let Some(block) = blocks::take(bytes) else {
            self.uncharge(bytes);
            return Err(Full);
        };
        let block = block.cast::<Large>().as_ptr();
        // SAFETY: `block` is fresh; `large` is null or a live block; an object follows the head.
        unsafe {
            block.write(Large { next: self.large, previous: ptr::null_mut(), size: bytes });
            if !self.large.is_null() {
                (*self.large).previous = block;
            }
            self.large = block;
            let object = NonNull::new_unchecked(block.add(1).cast::<u8>());
            object.cast::<u64>().write(header);
            self.live += 1;
            Ok(Obj::from_ptr(object))
        }
    }

    /// How many bytes more it may take.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes)
    }

    /// Makes an object that its only holder changes `new` instead of `old` bytes long, where that takes no copy but the
    /// system's: in its cell, or as a large block. It may move. `None`: as it was.
    pub fn lengthen(&mut self, object: Obj, old: usize, new: usize) -> Result<Option<Obj>, Full> {
        if old <= SMALL_MAX {
            let fits = new <= SIZES[class_of(old)] as usize;
            return Ok(fits.then_some(object));
        }
        let block = object.ptr().cast::<Large>().wrapping_sub(1);
        // SAFETY: a large object follows the head of its block.
        let room = unsafe { (*block).size };
        let bytes = new.checked_add(size_of::<Large>()).ok_or(Full)?;
        if bytes <= room {
            return Ok(Some(object));
        }
        // Half as much again, so that what grows by little is seldom moved; just enough when there is no room for that.
        let roomy = bytes.checked_add(bytes / 2).filter(|roomy| self.charge(roomy - room).is_ok());
        let taken = match roomy {
            Some(roomy) => roomy,
            None => {
                self.charge(bytes - room)?;
                bytes
            }
        };
        // SAFETY: the block was taken with that size, and is not used where it was.
        let moved = unsafe { blocks::lengthen(NonNull::new_unchecked(block).cast(), room, taken) };
        let Some(moved) = moved else {
            self.uncharge(taken - room);
            return Err(Full);
        };
        let moved = moved.cast::<Large>().as_ptr();
        // SAFETY: the head moved with the block; its neighbours are live blocks of the list or null.
        unsafe {
            (*moved).size = taken;
            let Large { next, previous, .. } = moved.read();
            if previous.is_null() {
                self.large = moved;
            } else {
                (*previous).next = moved;
            }
            if !next.is_null() {
                (*next).previous = moved;
            }
            Ok(Some(Obj::from_ptr(NonNull::new_unchecked(moved.add(1).cast()))))
        }
    }

    /// For how many bytes a large object has room.
    pub fn large_size(&self, object: Obj) -> usize {
        let block = object.ptr().cast::<Large>().wrapping_sub(1);
        // SAFETY: a large object follows the head of its block.
        unsafe { (*block).size - size_of::<Large>() }
    }

    /// Counts memory outside the heap that its objects keep.
    pub fn charge(&mut self, bytes: usize) -> Result<(), Full> {
        match self.bytes.checked_add(bytes) {
            Some(sum) if sum <= self.limit => {
                self.bytes = sum;
                Ok(())
            }
            Some(_) if self.has_late() || self.quick_cells() > 0 => {
                self.free_all_late();
                self.give_quick_up(usize::MAX);
                self.charge(bytes)
            }
            _ => Err(Full),
        }
    }

    /// Lets it grow by so many bytes from where it is, or as far as it may anyhow.
    pub fn extend(&mut self, bytes: usize) {
        self.limit = self.limit.max(self.bytes.saturating_add(bytes));
    }

    /// Takes a charge back.
    pub fn uncharge(&mut self, bytes: usize) {
        self.bytes -= bytes;
    }

    /// Gives up a reference (or 0). The caller looks at [`Heap::take_dead`] afterwards.
    ///
    /// # Safety
    /// The word is 0 or a reference of this heap (or an immortal one) that the caller owns.
    #[inline]
    pub unsafe fn drop_word(&mut self, shapes: &[Shape], word: Word) {
        // SAFETY: the caller's promise.
        if let Some(object) = unsafe { Obj::from_word(word) }
            && object.undup()
        {
            self.release(shapes, object);
        }
    }

    /// A table slot whose last handle was freed.
    #[inline]
    pub fn take_dead(&mut self) -> Option<u32> {
        self.dead.pop()
    }

    /// Whether [`Heap::take_dead`] has one.
    #[inline]
    pub fn has_dead(&self) -> bool {
        !self.dead.is_empty()
    }

    #[inline]
    fn free_object(&mut self, shapes: &[Shape], object: Obj) {
        if cfg!(feature = "stress") {
            assert!(object.count() <= 1, "freed with count {:#x}", object.count());
            assert!(self.live > 0);
        }
        let size = object.size(shapes);
        if size > SMALL_MAX {
            self.live -= 1;
            return self.free_large(object);
        }
        let class = class_of(size);
        let cell = object.ptr();
        if cfg!(feature = "stress") {
            // SAFETY: the object lies in a cell of that class, and nobody refers to it.
            unsafe { cell.write_bytes(POISON, SIZES[class] as usize) };
        }
        // SAFETY: as above.
        unsafe {
            if class < QUICK_CLASSES && !self.late.is_being_freed {
                self.push_quick(cell, class);
            } else {
                self.free_cell(cell, class);
            }
        }
    }

    /// Puts a cell into the list of its class, and gives its chunk back when it was the last.
    ///
    /// # Safety
    /// The cell is one of that class in one of this heap's chunks, counted as alive there, and nobody refers to it.
    unsafe fn free_cell(&mut self, cell: *mut u8, class: usize) {
        self.live -= 1;
        // SAFETY: the caller's promise.
        unsafe {
            let next = self.free[class];
            cell.cast::<u64>().write(class as u64 | (FREE as u64) << 32);
            cell.offset(NEXT as isize).cast::<*mut u8>().write(next);
            cell.offset(PREVIOUS as isize).cast::<*mut u8>().write(ptr::null_mut());
            if !next.is_null() {
                next.offset(PREVIOUS as isize).cast::<*mut u8>().write(cell);
            }
            self.free[class] = cell;
            let chunk = chunk_start(cell).cast::<Chunk>();
            (*chunk).live -= 1;
            if (*chunk).live == 0 && chunk != self.current {
                self.give_chunk_back(chunk);
            }
        }
    }

    fn free_large(&mut self, object: Obj) {
        let block = object.ptr().cast::<Large>().wrapping_sub(1);
        // SAFETY: a large object follows the head of its block, which is in the list.
        unsafe {
            let Large { next, previous, size } = block.read();
            if previous.is_null() {
                self.large = next;
            } else {
                (*previous).next = next;
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
            self.uncharge(size);
            blocks::give(NonNull::new_unchecked(block).cast(), size);
        }
    }

    /// Unlinks the cells of a chunk without objects and gives it back.
    ///
    /// # Safety
    /// `chunk` is one of this heap's, holds no object and is not being filled.
    #[cold]
    unsafe fn give_chunk_back(&mut self, chunk: *mut Chunk) {
        // SAFETY: all cells up to `top` are free: each holds its class and links.
        unsafe {
            let Chunk { order, top, at, .. } = chunk.read();
            let mut cell = chunk.cast::<u8>().add(CELLS);
            while cell < top {
                let class = cell.cast::<u32>().read() as usize;
                let after = cell.offset(NEXT as isize).cast::<*mut u8>().read();
                let before = cell.offset(PREVIOUS as isize).cast::<*mut u8>().read();
                if before.is_null() {
                    self.free[class] = after;
                } else {
                    before.offset(NEXT as isize).cast::<*mut u8>().write(after);
                }
                if !after.is_null() {
                    after.offset(PREVIOUS as isize).cast::<*mut u8>().write(before);
                }
                cell = cell.add(SIZES[class] as usize);
            }
            self.chunks.swap_remove(at);
            if let Some(moved) = self.chunks.get(at) {
                (*moved.chunk().cast::<Chunk>().as_ptr()).at = at;
            }
            self.uncharge(chunk_bytes(order as usize));
            self.counters.chunks.add(-1);
            self.pages.give(NonNull::new_unchecked(chunk.cast()), order as usize);
        }
    }

    /// Makes everything reachable from `roots` immortal, where it lies. Streams among it count as read. Returns how many
    /// objects that were.
    ///
    /// # Safety
    /// The roots are 0 or references to live objects of this heap or immortal ones.
    pub unsafe fn freeze(&mut self, shapes: &[Shape], roots: impl Iterator<Item = Word>) -> usize {
        let mut todo: Vec<Word> = roots.collect();
        let mut count = 0;
        while let Some(word) = todo.pop() {
            // SAFETY: the caller's promise, and what live objects refer to is alive.
            let Some(object) = (unsafe { Obj::from_word(word) }) else { continue };
            if object.is_immortal() {
                continue;
            }
            object.set_count(IMMORTAL);
            count += 1;
            match object.refs(shapes) {
                Refs::At(offsets) => todo.extend(offsets.iter().map(|&o| object.get(o as i32))),
                Refs::Span { first, count: len } => {
                    todo.extend((0..len).map(|i| object.get(first + 8 * i as i32)))
                }
                Refs::Slot if object.shape() == shape::STREAM => object.set(layout::SLOT, NO_SLOT as u64),
                Refs::None | Refs::Slot => {}
            }
        }
        count
    }
}

/// The slot of a stream handle that can not be read.
pub const NO_SLOT: u32 = u32::MAX;

impl Drop for Heap {
    fn drop(&mut self) {
        (self.live, self.quick) = (0, [ptr::null_mut(); QUICK_CLASSES]);
        self.publish();
        // SAFETY: the lists hold live chunks and blocks; nobody uses their objects any more.
        unsafe {
            self.counters.chunks.add(-(self.chunks.len() as i64));
            for held in &self.chunks {
                self.pages.give(held.chunk(), held.order());
            }
            let mut block = self.large;
            while !block.is_null() {
                let Large { next, size, .. } = block.read();
                blocks::give(NonNull::new_unchecked(block).cast(), size);
                block = next;
            }
        }
    }
}

#[cfg(test)]
mod tests;
