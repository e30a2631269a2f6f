//! Stacks of fibers, from slabs.
//!
//! ```text
//! low                                              base
//!  | red zone: natives only | compiled code, natives |        grows towards low
//! ```
//! In: demands for a stack. Out: stacks; given back ones are handed out again, the last one first.
//! Invariant: there is no guard page. Compiled code compares its stack pointer with a limit at least [`RED_ZONE`] above
//! `low` before it calls anything, and a native with its callees uses less than the red zone.

use crate::counters::Counters;
use crate::heap::no_huge_pages;
use corosensei::stack::StackPointer;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::cell::RefCell;
use std::ptr;

/// Bytes kept for natives below the limit of compiled code. Unoptimised Rust needs several times as much.
pub const RED_ZONE: usize = if cfg!(debug_assertions) { 256 * 1024 } else { 64 * 1024 };
/// Size of a pooled stack. Address space only: what is not touched takes no memory.
pub const STACK: usize = 1024 * 1024;
/// Size of the main program's stack.
pub const MAIN_STACK: usize = 64 * 1024 * 1024 + RED_ZONE;
/// Stacks per mapping: two mappings per stack would meet the kernel's limit of 65,530.
const SLAB: usize = 64;
/// What a given back stack keeps.
const KEPT: usize = 4096;

/// A stack. Give it back to its pool; nothing else frees it before the pool goes.
#[derive(Debug)]
pub struct Stack {
    low: usize,
    size: usize,
}

// SAFETY: the memory stays mapped until the pool goes. The guard page that the trait asks for is replaced by the limit
// that compiled code checks, see the module's invariant.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> StackPointer {
        StackPointer::new(self.low + self.size).expect("a mapping is not at address 0")
    }

    fn limit(&self) -> StackPointer {
        StackPointer::new(self.low).expect("a mapping is not at address 0")
    }
}

impl Stack {
    /// Its lowest address.
    pub fn low(&self) -> usize {
        self.low
    }

    /// Its first address above.
    pub fn base(&self) -> usize {
        self.low + self.size
    }
}

/// A worker's stacks.
#[derive(Debug)]
pub struct Stacks {
    /// Addresses of free pooled stacks.
    free: RefCell<Vec<usize>>,
    slabs: RefCell<Vec<usize>>,
    counters: &'static Counters,
}

impl Stacks {
    /// An empty pool.
    pub fn new(counters: &'static Counters) -> Self {
        Self { free: RefCell::default(), slabs: RefCell::default(), counters }
    }

    /// A pooled stack; `None` when the system maps no more.
    pub fn take(&self) -> Option<Stack> {
        if let Some(low) = self.free.borrow_mut().pop() {
            return Some(Stack { low, size: STACK });
        }
        let slab = map(SLAB * STACK)?;
        self.counters.stacks.add(SLAB as i64);
        self.slabs.borrow_mut().push(slab);
        self.free.borrow_mut().extend((1..SLAB).rev().map(|i| slab + i * STACK));
        Some(Stack { low: slab, size: STACK })
    }

    /// A stack of [`MAIN_STACK`] bytes.
    pub fn take_main(&self) -> Option<Stack> {
        let low = map(MAIN_STACK)?;
        self.counters.stacks.add(1);
        Some(Stack { low, size: MAIN_STACK })
    }

    /// Takes a stack back. `touched` says whether more than its first pages may be in use.
    pub fn give(&self, stack: Stack, touched: bool) {
        if stack.size != STACK {
            self.counters.stacks.add(-1);
            // SAFETY: the stack has a mapping of its own, and its fiber is gone.
            let _ = unsafe { munmap(stack.low as *mut _, stack.size) };
            return;
        }
        if touched {
            // SAFETY: part of a slab of ours, on which nothing lives.
            let _ = unsafe { madvise(stack.low as *mut _, STACK - KEPT, Advice::LinuxDontNeed) };
        }
        self.free.borrow_mut().push(stack.low);
    }
}

fn map(size: usize) -> Option<usize> {
    // SAFETY: a fresh anonymous mapping at an address of the system's choice.
    let low = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            size,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    }
    .ok()?;
    no_huge_pages(low.cast(), size);
    Some(low as usize)
}

impl Drop for Stacks {
    fn drop(&mut self) {
        for slab in self.slabs.get_mut() {
            self.counters.stacks.add(-(SLAB as i64));
            // SAFETY: fibers hold the worker that owns this pool, so none of the slab's stacks is in use.
            let _ = unsafe { munmap(*slab as *mut _, SLAB * STACK) };
        }
    }
}
