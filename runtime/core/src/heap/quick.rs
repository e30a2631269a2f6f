//! Quick lists: cells of the smallest classes that were freed last or are ready for use.
//!
//! In: cells that are free. Out: cells for objects, to this heap's `alloc` and to compiled code, which takes them by itself.
//! Invariant: a quick cell counts as alive in its chunk and in the heap; the first cell of a list knows the list's length.

use super::{FREE, Full, Heap, POISON, SIZES, chunk_bytes};
use weir_abi::size::{CELL_MIN, QUICK_CLASSES, QUICK_LENGTH, QUICK_NEXT};

/// The most cells that a refill takes.
const REFILL: usize = 32;
/// Below this many quick cells nothing is given up when a fiber waits: it would be taken again.
const KEPT: usize = 512;

/// The most quick cells that are given up at once where that need not be: some ten microseconds' worth.
pub(super) const SOME: usize = 4096;

/// The cell behind a quick cell, or null.
///
/// # Safety
/// The cell is in a quick list.
#[inline(always)]
pub(super) unsafe fn quick_next(cell: *mut u8) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { cell.offset(QUICK_NEXT as isize).cast::<*mut u8>().read() }
}

/// The length of the quick list from a cell on.
///
/// # Safety
/// The cell is in a quick list, or null.
#[inline(always)]
unsafe fn length(cell: *mut u8) -> usize {
    // SAFETY: the caller's promise.
    if cell.is_null() { 0 } else { unsafe { cell.offset(QUICK_LENGTH as isize).cast::<usize>().read() } }
}

impl Heap {
    /// Puts at least one cell into the quick list of that class, which is empty.
    #[cold]
    pub fn refill(&mut self, class: usize) -> Result<(), Full> {
        if self.has_late() {
            self.free_late();
        }
        // A small heap of few objects is not to become a large one of free cells.
        let share = chunk_bytes(self.order.saturating_sub(1)) / SIZES[class] as usize / 8;
        for made in 0..share.clamp(1, REFILL) {
            let cell = match self.ready_cell(class) {
                Some(cell) => {
                    self.live += 1;
                    cell
                }
                None if made > 0 => break,
                None => self.cell(class)?,
            };
            // SAFETY: the cell is fresh, of that class, and counted as alive.
            unsafe {
                if cfg!(feature = "stress") {
                    cell.as_ptr().write_bytes(POISON, SIZES[class] as usize);
                }
                self.push_quick(cell.as_ptr(), class);
            }
        }
        Ok(())
    }

    /// Puts a cell into the quick list of its class.
    ///
    /// # Safety
    /// The cell is one of that class in one of this heap's chunks, counted as alive there, and nobody refers to it.
    #[inline(always)]
    pub(super) unsafe fn push_quick(&mut self, cell: *mut u8, class: usize) {
        let next = self.quick[class];
        // SAFETY: the caller's promise; `next` is in a quick list.
        unsafe {
            let length = length(next) + 1;
            cell.cast::<u64>().write(class as u64 | (FREE as u64) << 32);
            cell.offset(QUICK_NEXT as isize).cast::<*mut u8>().write(next);
            cell.offset(QUICK_LENGTH as isize).cast::<usize>().write(length);
        }
        self.quick[class] = cell;
    }

    /// How many quick cells there are.
    pub(super) fn quick_cells(&self) -> usize {
        // SAFETY: the first cells of the quick lists.
        self.quick.iter().map(|&cell| unsafe { length(cell) }).sum()
    }

    /// How many bytes they take.
    pub(super) fn quick_bytes(&self) -> usize {
        // SAFETY: as above.
        self.quick.iter().zip(SIZES).map(|(&cell, size)| unsafe { length(cell) } * size as usize).sum()
    }

    /// Gives so many quick cells to the lists of their classes, and chunks back that are empty then.
    pub(super) fn give_quick_up(&mut self, mut count: usize) {
        for class in 0..QUICK_CLASSES {
            while count > 0 && !self.quick[class].is_null() {
                let cell = self.quick[class];
                count -= 1;
                // SAFETY: it is in the quick list of that class, and is taken out of it.
                unsafe {
                    self.quick[class] = quick_next(cell);
                    self.free_cell(cell, class);
                }
            }
        }
    }

    /// Gives memory back that is not needed soon: nothing is allocated for a while.
    pub fn settle(&mut self) {
        if self.quick_cells() > KEPT {
            self.give_quick_up(SOME);
        }
    }
}

const _: () = assert!(QUICK_LENGTH as usize + 8 <= CELL_MIN);
