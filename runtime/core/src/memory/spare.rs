//! Pages of heaps that no heap uses.
//!
//! In: pages given back by `heap::pages`. Out: pages, those given back last first.
//! Invariants: a page belongs to a pool of one worker or is here; address space that was mapped stays mapped. Pages are never
//! more than were in use at one time. No page is given back while the lock is held.

use super::tell;
use crate::heap::{PAGE, no_huge_pages};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
use std::collections::VecDeque;
use std::ptr;
use std::sync::{Mutex, MutexGuard};

/// One mapping. Large enough that mappings stay few, small enough for one-request programs.
const ARENA: usize = 1024 * 1024;
/// Fewer idle pages are not worth a thread: those of a program that ends.
const FEW: usize = 16;
/// So many idle pages, 256 MiB, wait for their period at most; beyond that the oldest go at once.
const CROWDED: usize = 4096;
/// How many pages the thread takes to give back at a time.
const BATCH: usize = 16;

/// A page's address.
type Address = usize;

struct Spare {
    /// Pages with memory, and the period in which they became idle, the oldest first.
    idle: VecDeque<(Address, u32)>,
    /// Pages without memory.
    bare: Vec<Address>,
    period: u32,
}

static SPARE: Mutex<Spare> = Mutex::new(Spare { idle: VecDeque::new(), bare: Vec::new(), period: 0 });

fn lock() -> MutexGuard<'static, Spare> {
    SPARE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A page: its memory is aligned to [`PAGE`] and has arbitrary contents. `None` when the system has no memory.
pub fn take() -> Option<*mut u8> {
    let known = lock().take();
    let page = match known {
        Some(page) => page,
        None => {
            let pages = map()?;
            let mut spare = lock();
            spare.bare.extend(pages.rev());
            spare.take()?
        }
    };
    Some(page as *mut u8)
}

/// Takes pages that nobody uses, each aligned to [`PAGE`] and got from [`take`].
pub fn give(pages: impl Iterator<Item = *mut u8>) {
    let is_some = {
        let mut spare = lock();
        spare.put(pages.map(|page| page as Address));
        spare.idle.len() >= FEW
    };
    if is_some {
        tell();
    }
}

/// Whether more are idle than wait for their period.
pub(super) fn is_crowded() -> bool {
    lock().idle.len() > CROWDED
}

/// Gives the memory of pages back that nobody wanted in the last period, and of those that are too many; whether any are idle
/// still.
pub(super) fn tidy() -> bool {
    {
        let mut spare = lock();
        if spare.idle.len() <= CROWDED {
            spare.period = spare.period.wrapping_add(1);
        }
    }
    let (mut pages, mut count) = ([0; BATCH], 0);
    loop {
        {
            let mut spare = lock();
            spare.bare.extend(&pages[..count]);
            count = spare.take_old(&mut pages);
            if count == 0 {
                return !spare.idle.is_empty();
            }
        }
        for page in &pages[..count] {
            // SAFETY: a page of ours that nobody uses, and which others cannot take meanwhile.
            let _ = unsafe { madvise(*page as *mut _, PAGE, Advice::LinuxDontNeed) };
        }
    }
}

impl Spare {
    /// The page that was used last.
    fn take(&mut self) -> Option<Address> {
        self.idle.pop_back().map(|(page, _)| page).or_else(|| self.bare.pop())
    }

    fn put(&mut self, pages: impl Iterator<Item = Address>) {
        let period = self.period;
        self.idle.extend(pages.map(|page| (page, period)));
    }

    /// Takes idle pages that are too many, or that nobody wanted in the last period, as many as there is room for at most; how
    /// many.
    fn take_old(&mut self, pages: &mut [Address]) -> usize {
        let surplus = self.idle.len().saturating_sub(CROWDED);
        let old = self.idle.iter().take_while(|(_, since)| self.period.wrapping_sub(*since) > 1);
        let count = old.take(pages.len()).count().max(surplus.min(pages.len()));
        for (to, (page, _)) in pages.iter_mut().zip(self.idle.drain(..count)) {
            *to = page;
        }
        count
    }
}

/// Fresh pages without memory.
fn map() -> Option<impl DoubleEndedIterator<Item = Address>> {
    let len = ARENA + PAGE;
    // SAFETY: a fresh anonymous mapping at an address of the system's choice.
    let base = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            len,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    }
    .ok()?
    .cast::<u8>();
    no_huge_pages(base, len);
    let first = (base as Address).next_multiple_of(PAGE);
    let count = (base as Address + len - first) / PAGE;
    Some((0..count).map(move |at| first + at * PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spare() -> Spare {
        Spare { idle: VecDeque::new(), bare: vec![1, 2], period: 7 }
    }

    #[test]
    fn the_hottest_page_is_taken_and_those_with_memory_first() {
        let mut spare = spare();
        spare.put([3, 4].into_iter());
        assert_eq!([(); 5].map(|()| spare.take()), [Some(4), Some(3), Some(2), Some(1), None]);
    }

    #[test]
    fn pages_that_nobody_wants_for_a_period_lose_their_memory() {
        let mut spare = spare();
        let mut old = [0; 2];
        spare.put([3, 4, 5].into_iter());
        spare.period += 1;
        spare.put([6].into_iter());
        assert_eq!(spare.take_old(&mut old), 0);
        spare.period += 1;
        // As many as there is room for, those that wait longest first.
        assert_eq!((spare.take_old(&mut old), old), (2, [3, 4]));
        assert_eq!((spare.take_old(&mut old), old[0]), (1, 5));
        assert_eq!(spare.take_old(&mut old), 0);
        assert_eq!(spare.take(), Some(6));
    }

    #[test]
    fn pages_that_are_too_many_lose_their_memory_at_once() {
        let mut spare = spare();
        let mut old = [0; 2];
        spare.put(1..CROWDED + 4);
        assert_eq!((spare.take_old(&mut old), old), (2, [1, 2]));
        assert_eq!((spare.take_old(&mut old), old[0]), (1, 3));
        assert_eq!(spare.take_old(&mut old), 0);
    }

    #[test]
    fn pages_of_many_threads_belong_to_one_each() {
        let threads = [1u8, 2, 3].map(|fill| {
            std::thread::spawn(move || {
                for _ in 0..200 {
                    let pages = [(); 3].map(|()| take().expect("memory"));
                    // SAFETY: pages of this thread alone, until they are given up.
                    unsafe {
                        pages.iter().for_each(|page| page.write_bytes(fill, PAGE));
                        let is_own =
                            |page: &*mut u8| page.read() == fill && page.add(PAGE - 1).read() == fill;
                        assert!(pages.iter().all(is_own));
                    }
                    give(pages.into_iter());
                    tidy();
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().expect("no page was another's"));
    }
}
