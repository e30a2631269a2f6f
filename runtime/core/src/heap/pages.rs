//! A worker's memory for chunks: 64 KiB pages, cut into chunks of 1 KiB granules.
//!
//! ```text
//! page, 64 KiB aligned    granule 0: Page { starts[64], free, .. }    granules 1..64: chunks
//! chunk of order 0..=5    1 << order granules, aligned to as many     order 6: granules 1..64
//! ```
//! In: orders. Out: memory of that many granules, whose chunk [`chunk_start`] finds from any address inside.
//! Invariants: a granule belongs to one chunk or is free (its bit in `Page::free`) or its chunk is in `cached`; the head of a page
//! without chunks means nothing; beyond a reserve such pages are anybody's (`memory::spare`), all of them when the pool goes.
//! Not here: what is in a chunk (`heap`).

use crate::memory::spare;
use rustix::mm::{Advice, madvise};
use std::cell::RefCell;
use std::ptr::NonNull;

/// Size and alignment of a page.
pub const PAGE: usize = 64 * 1024;
/// Unit of chunk sizes.
pub const GRANULE: usize = 1024;
/// The order of the largest chunk: a page less its first granule.
pub const ORDER_MAX: usize = 6;

/// Free chunks kept at hand per order.
const CACHED_CHUNKS: usize = 64;
/// Wholly free pages kept; arbitrary, 1 MiB. As many more are given away together.
const KEPT_PAGES: usize = 16;
/// Pages looked through for a free run before a fresh one is taken.
const SEARCHED_PAGES: usize = 8;

/// Bytes of a chunk of that order.
pub const fn chunk_bytes(order: usize) -> usize {
    if order == ORDER_MAX { PAGE - GRANULE } else { GRANULE << order }
}

#[repr(C)]
struct Page {
    /// For each granule the first granule of its chunk.
    starts: [u8; 64],
    /// Bit set: the granule is free. Bit 0, this header, never is.
    free: u64,
    /// Whether the page is in `Inner::partial`.
    listed: bool,
}

/// All granules but the header's.
const ALL_FREE: u64 = !1;

/// The start of the chunk that holds `address`.
///
/// # Safety
/// `address` lies in a chunk that a [`Pages`] gave out.
#[inline(always)]
pub unsafe fn chunk_start(address: *mut u8) -> *mut u8 {
    let offset = address as usize & (PAGE - 1);
    let page = address.wrapping_sub(offset);
    // SAFETY: by the caller's promise `page` is the start of a live page, whose first 64 bytes are its table.
    let start = unsafe { *page.add(offset / GRANULE) };
    page.wrapping_add(start as usize * GRANULE)
}

#[derive(Default)]
struct Inner {
    /// Wholly free pages, the hottest last.
    kept: Vec<*mut Page>,
    /// Pages with free granules, as far as known.
    partial: Vec<*mut Page>,
    /// Free chunks by order; those of whole pages are among the pages.
    cached: [Vec<*mut u8>; ORDER_MAX],
}

/// A pool of pages. Heaps share it through `Rc`; all of them end before it.
#[derive(Default)]
pub struct Pages {
    inner: RefCell<Inner>,
}

impl Pages {
    /// A chunk of that order; its contents are arbitrary. `None` when the system has no memory.
    pub fn take(&self, order: usize) -> Option<NonNull<u8>> {
        let mut inner = self.inner.borrow_mut();
        match inner.cached.get_mut(order).and_then(Vec::pop) {
            Some(chunk) => NonNull::new(chunk),
            None => inner.carve(order),
        }
    }

    /// Gives a chunk of that order back.
    ///
    /// # Safety
    /// `chunk` was given out by this pool with that order and is not used any more.
    pub unsafe fn give(&self, chunk: NonNull<u8>, order: usize) {
        let mut inner = self.inner.borrow_mut();
        match inner.cached.get_mut(order) {
            Some(cached) if cached.len() < CACHED_CHUNKS => cached.push(chunk.as_ptr()),
            // SAFETY: as promised by the caller.
            Some(_) => unsafe { inner.merge(chunk.as_ptr(), order) },
            None => inner.keep(page_of(chunk.as_ptr())),
        }
    }
}

/// The granules of a chunk of that order that starts at granule `start`.
fn mask(start: usize, order: usize) -> u64 {
    if order == ORDER_MAX { ALL_FREE } else { ((1u64 << (1 << order)) - 1) << start }
}

/// The page of an address.
fn page_of(address: *mut u8) -> *mut Page {
    address.wrapping_sub(address as usize & (PAGE - 1)).cast()
}

impl Inner {
    fn carve(&mut self, order: usize) -> Option<NonNull<u8>> {
        if order < ORDER_MAX {
            let len = self.partial.len();
            for at in (len.saturating_sub(SEARCHED_PAGES)..len).rev() {
                let page = self.partial[at];
                if let Some(chunk) = cut(page, order) {
                    // SAFETY: pages in the lists are live and this pool's own.
                    unsafe {
                        if (*page).free == 0 {
                            (*page).listed = false;
                            self.partial.swap_remove(at);
                        }
                    }
                    return Some(chunk);
                }
            }
        }
        let page = self.page()?;
        let chunk = cut(page, order);
        // SAFETY: as above.
        unsafe {
            if (*page).free != 0 {
                (*page).listed = true;
                self.partial.push(page);
            }
        }
        chunk
    }

    /// A wholly free page.
    fn page(&mut self) -> Option<*mut Page> {
        let page = match self.kept.pop() {
            Some(page) => page,
            None => spare::take()?.cast(),
        };
        // SAFETY: `page` is the start of 64 KiB of mapped memory that nobody uses; all-zero `starts` are valid.
        unsafe { page.write(Page { starts: [0; 64], free: ALL_FREE, listed: false }) };
        Some(page)
    }

    /// Takes a wholly free page back.
    fn keep(&mut self, page: *mut Page) {
        if self.kept.len() == 2 * KEPT_PAGES {
            spare::give(self.kept.drain(..KEPT_PAGES).map(|page| page.cast()));
        }
        self.kept.push(page);
    }

    /// # Safety
    /// See [`Pages::give`].
    unsafe fn merge(&mut self, chunk: *mut u8, order: usize) {
        let (offset, page) = (chunk as usize & (PAGE - 1), page_of(chunk));
        // SAFETY: a chunk's page is live while any of its chunks is.
        let (free, listed) = unsafe {
            (*page).free |= mask(offset / GRANULE, order);
            ((*page).free, (*page).listed)
        };
        if free == ALL_FREE {
            if listed {
                self.partial.retain(|&p| p != page);
                // SAFETY: as above.
                unsafe { (*page).listed = false };
            }
            self.keep(page);
        } else if !listed {
            // SAFETY: as above.
            unsafe { (*page).listed = true };
            self.partial.push(page);
        }
    }
}

/// Keeps the kernel from backing a sparsely used mapping with 2 MiB pages.
pub fn no_huge_pages(base: *mut u8, len: usize) {
    // SAFETY: advice about a mapping of ours that changes no contents. A kernel without huge pages refuses it, which is fine.
    #[cfg(target_os = "linux")]
    let _ = unsafe { madvise(base.cast(), len, Advice::LinuxNoHugepage) };
    #[cfg(not(target_os = "linux"))]
    let _ = (base, len);
}

/// Cuts a chunk of that order out of a page, where it has a free run for one.
fn cut(page: *mut Page, order: usize) -> Option<NonNull<u8>> {
    // SAFETY: callers pass live pages of their pool, to which nobody else has access.
    let page_ref = unsafe { &mut *page };
    let granules = if order == ORDER_MAX { 63 } else { 1 << order };
    let step = if order == ORDER_MAX { 64 } else { granules };
    let mut start = if order == ORDER_MAX { 1 } else { granules };
    while start < 64 {
        let mask = mask(start, order);
        if page_ref.free & mask == mask {
            page_ref.free &= !mask;
            page_ref.starts[start..start + granules].fill(start as u8);
            return NonNull::new(page.cast::<u8>().wrapping_add(start * GRANULE));
        }
        start += step;
    }
    None
}

impl Drop for Pages {
    fn drop(&mut self) {
        let inner = self.inner.get_mut();
        for order in 0..ORDER_MAX {
            for chunk in std::mem::take(&mut inner.cached[order]) {
                // SAFETY: a chunk of that order that nobody uses.
                unsafe { inner.merge(chunk, order) }
            }
        }
        debug_assert!(inner.partial.is_empty(), "heaps keep the pool alive, so no chunk is in use");
        spare::give(inner.kept.drain(..).map(|page| page.cast()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn chunks_do_not_overlap_and_are_found_from_inside() {
        let pages = Pages::default();
        let mut taken = Vec::new();
        let mut seed = 7u64;
        for round in 0..4000 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let order = (seed >> 33) as usize % (ORDER_MAX + 1);
            if round % 3 == 2 && !taken.is_empty() {
                let (chunk, order) = taken.swap_remove((seed >> 40) as usize % taken.len());
                // SAFETY: taken from this pool and given back once.
                unsafe { pages.give(chunk, order) };
            } else {
                taken.push((pages.take(order).expect("memory"), order));
            }
        }
        let mut granules = HashMap::new();
        for (chunk, order) in &taken {
            for offset in (0..chunk_bytes(*order)).step_by(GRANULE) {
                let address = chunk.as_ptr().wrapping_add(offset + 17);
                // SAFETY: inside a chunk that is taken.
                assert_eq!(unsafe { chunk_start(address) }, chunk.as_ptr());
                assert!(granules.insert(address as usize / GRANULE, ()).is_none());
            }
        }
        for (chunk, order) in taken {
            // SAFETY: as above.
            unsafe { pages.give(chunk, order) };
        }
    }
}
