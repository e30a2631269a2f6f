//! Large blocks of heaps: the system's small ones, and from [`LARGE`] bytes on mappings.
//!
//! ```text
//! mapping    Head { size }   block ...
//! idle ones  a table of addresses and sizes; the one that fits best is used again
//! ```
//! In: demands for memory of any size. Out: memory.
//! Invariants: a block has a mapping of its own when it has [`LARGE`] bytes or more, as whoever gives it up says again; to give
//! one up takes no longer than a look at the table unless [`IDLE_MAX`] bytes are idle; the lock is held for looks at the table
//! only, never while memory is mapped or given back, and nothing allocates meanwhile.

use super::tell;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::alloc::{self, Layout};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, MutexGuard};
use weir_abi::layout::ALIGN;

/// From so many bytes on a block has a mapping of its own. Below it the system's allocator finds memory that is in use already.
const LARGE: usize = 256 * 1024;
/// Mappings are multiples of this; a page of the system, or several.
const UNIT: usize = 16 * 1024;
/// How many idle blocks there are at most.
const IDLE_BLOCKS: usize = IDLE_MAX / LARGE;
/// How many bytes of them wait for their period at most; beyond that the thread gives some back at once. As many as the heap of a
/// request has by default.
const CROWDED: usize = 64 << 20;
/// How many bytes of them there are at most; beyond that who frees gives back.
const IDLE_MAX: usize = 512 << 20;
/// A block has at most half as much again as was asked for, or so many bytes more: they are nobody's, but memory.
const ROOMY: usize = 512 * 1024;
/// How much the thread gives back at once: others that map memory wait meanwhile.
const PIECE: usize = 1 << 20;

/// What stands in front of a block.
#[repr(C, align(64))]
struct Head {
    /// Of the whole mapping.
    size: usize,
}

const HEAD: usize = size_of::<Head>();
const _: () = assert!(HEAD.is_multiple_of(ALIGN));

#[derive(Clone, Copy)]
struct Idle {
    address: usize,
    size: usize,
    /// The period in which it became idle.
    since: u32,
}

struct Table {
    idle: [Idle; IDLE_BLOCKS],
    count: usize,
    bytes: usize,
    period: u32,
}

static TABLE: Mutex<Table> = Mutex::new(Table {
    idle: [Idle { address: 0, size: 0, since: 0 }; IDLE_BLOCKS],
    count: 0,
    bytes: 0,
    period: 0,
});

fn lock() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Table {
    /// The idle block that fits `size` best.
    fn take(&mut self, size: usize) -> Option<Idle> {
        let mut best: Option<usize> = None;
        for (at, idle) in self.idle[..self.count].iter().enumerate() {
            if fits(idle.size, size) && best.is_none_or(|best| idle.size <= self.idle[best].size) {
                best = Some(at);
            }
        }
        best.map(|at| self.remove(at))
    }

    fn remove(&mut self, at: usize) -> Idle {
        let idle = self.idle[at];
        self.count -= 1;
        self.idle[at] = self.idle[self.count];
        self.bytes -= idle.size;
        idle
    }

    /// Whether there was room.
    fn put(&mut self, address: usize, size: usize) -> bool {
        if self.count == IDLE_BLOCKS || self.bytes + size > IDLE_MAX {
            return false;
        }
        self.idle[self.count] = Idle { address, size, since: self.period };
        self.count += 1;
        self.bytes += size;
        true
    }

    fn take_any(&mut self) -> Option<Idle> {
        (self.count > 0).then(|| self.remove(self.count - 1))
    }

    /// One that goes back: the largest when they are too many bytes, else one that nobody wanted.
    fn take_old(&mut self) -> Option<Idle> {
        let idle = &self.idle[..self.count];
        let at = match self.bytes > CROWDED {
            true => idle.iter().enumerate().max_by_key(|(_, idle)| idle.size).map(|(at, _)| at),
            false => idle.iter().position(|idle| self.period.wrapping_sub(idle.since) > 1),
        };
        at.map(|at| self.remove(at))
    }
}

/// Whether a mapping of that size is neither too small nor too large.
fn fits(size: usize, wanted: usize) -> bool {
    size >= wanted && size - wanted <= ROOMY.max(wanted / 2)
}

/// Whether more is idle than waits for its period.
pub(super) fn is_crowded() -> bool {
    lock().bytes > CROWDED
}

/// Gives back what nobody wanted in the last period, and what is too much; whether anything is idle still.
pub(super) fn tidy() -> bool {
    {
        let mut table = lock();
        if table.bytes <= CROWDED {
            table.period = table.period.wrapping_add(1);
        }
    }
    loop {
        let old = lock().take_old();
        let Some(old) = old else { return lock().count > 0 };
        for at in (0..old.size).step_by(PIECE) {
            let len = PIECE.min(old.size - at);
            // SAFETY: a mapping of ours that nobody uses, and which is not in the table any more.
            let _ = unsafe { madvise((old.address + at) as *mut _, len, Advice::LinuxDontNeed) };
        }
        // SAFETY: as above.
        unsafe { unmap(old.address, old.size) };
    }
}

/// So many bytes of arbitrary contents, at least one, aligned to [`ALIGN`]; `None` when the system has no memory.
#[inline]
pub fn take(bytes: usize) -> Option<NonNull<u8>> {
    if bytes >= LARGE {
        return map(bytes);
    }
    // SAFETY: a layout with a size.
    NonNull::new(unsafe { alloc::alloc(layout_of(bytes)?) })
}

/// Gives a block up.
///
/// # Safety
/// `block` came from here with so many bytes, and nobody uses it.
#[inline]
pub unsafe fn give(block: NonNull<u8>, bytes: usize) {
    if bytes >= LARGE {
        // SAFETY: the caller's promise.
        return unsafe { rest(block) };
    }
    if let Some(layout) = layout_of(bytes) {
        // SAFETY: the caller's promise.
        unsafe { alloc::dealloc(block.as_ptr(), layout) }
    }
}

/// The block with more bytes, which may have moved. `None` when the system has no memory: it stays as it was.
///
/// # Safety
/// `block` came from here with `old` bytes, of which `new` are no fewer; nobody uses it any more unless this is `None`.
pub unsafe fn lengthen(block: NonNull<u8>, old: usize, new: usize) -> Option<NonNull<u8>> {
    debug_assert!(old <= new, "a block is made longer");
    // SAFETY: the caller's promise; a block that is made anew is apart from the old one.
    unsafe {
        if old >= LARGE {
            return remap(block, old, new);
        }
        if new < LARGE {
            return NonNull::new(alloc::realloc(block.as_ptr(), layout_of(old)?, new));
        }
        let made = map(new)?;
        made.copy_from_nonoverlapping(block, old);
        give(block, old);
        Some(made)
    }
}

fn layout_of(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes, ALIGN).ok()
}

/// The size of a mapping for so many bytes.
fn mapped_size(bytes: usize) -> Option<usize> {
    bytes.checked_add(HEAD)?.checked_next_multiple_of(UNIT).filter(|size| *size <= isize::MAX as usize)
}

/// A block with a mapping of its own.
fn map(bytes: usize) -> Option<NonNull<u8>> {
    let size = mapped_size(bytes)?;
    let idle = lock().take(size);
    if let Some(idle) = idle {
        // Its head says its size still.
        return NonNull::new((idle.address + HEAD) as *mut u8);
    }
    let mapped = fresh(size).or_else(|| {
        give_all_back();
        fresh(size)
    })?;
    // SAFETY: the mapping is ours and begins with room for the head.
    unsafe {
        mapped.cast::<Head>().write(Head { size });
        Some(mapped.add(HEAD))
    }
}

/// A mapping.
fn fresh(size: usize) -> Option<NonNull<u8>> {
    // SAFETY: a fresh anonymous mapping at an address of the system's choice.
    let mapped = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            size,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    };
    NonNull::new(mapped.ok()?.cast())
}

/// # Safety
/// The block has a mapping of its own.
unsafe fn head(block: NonNull<u8>) -> NonNull<Head> {
    // SAFETY: the head stands in front of such a block.
    unsafe { block.sub(HEAD).cast() }
}

/// Makes a block with a mapping of its own idle.
///
/// # Safety
/// As for [`give`].
unsafe fn rest(block: NonNull<u8>) {
    // SAFETY: the head stands in front of the block, in a mapping that nobody uses.
    unsafe {
        let head = head(block);
        let (address, size) = (head.addr().get(), head.read().size);
        let is_idle = lock().put(address, size);
        if is_idle {
            tell();
        } else {
            unmap(address, size);
        }
    }
}

/// [`lengthen`] for a block with a mapping of its own, by moving its pages.
///
/// # Safety
/// As there.
unsafe fn remap(block: NonNull<u8>, old: usize, new: usize) -> Option<NonNull<u8>> {
    // SAFETY: as promised.
    let (mapped, size) = unsafe { (head(block), head(block).read().size) };
    let wanted = mapped_size(new)?;
    if wanted <= size {
        return Some(block);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{MremapFlags, mremap};
        let _ = old;
        // SAFETY: the whole of a mapping of ours, to which nobody keeps another address; the head moves with the block.
        unsafe {
            let moved = mremap(mapped.as_ptr().cast(), size, wanted, MremapFlags::MAYMOVE).ok()?;
            let moved = NonNull::new(moved.cast::<Head>())?;
            moved.write(Head { size: wanted });
            Some(moved.cast::<u8>().add(HEAD))
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = mapped;
        let made = map(new)?;
        // SAFETY: both have so many bytes, and are apart; the old one is given up as the caller promises.
        unsafe {
            made.copy_from_nonoverlapping(block, old);
            rest(block);
        }
        Some(made)
    }
}

/// # Safety
/// A mapping of ours that nobody uses, and which is not in the table.
unsafe fn unmap(address: usize, size: usize) {
    // SAFETY: the caller's promise.
    let _ = unsafe { munmap(address as *mut _, size) };
}

/// Gives all idle blocks back at once, for who gets none.
#[cold]
fn give_all_back() {
    loop {
        let idle = lock().take_any();
        let Some(idle) = idle else { return };
        // SAFETY: nobody uses what was idle, and it is not in the table any more.
        unsafe { unmap(idle.address, idle.size) };
    }
}

#[cfg(test)]
mod tests;
