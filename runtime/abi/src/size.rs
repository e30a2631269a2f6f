//! Size classes of small objects.
//!
//! In: a size in bytes. Out: the class whose cells hold it: 16-byte steps up to 128, then four steps per doubling.
//! Invariant: `size <= SIZES[class_of(size)]`, and every class size is a multiple of 16.
//!
//! Cells of the first [`QUICK_CLASSES`] are handed out and taken back through a list per class that compiled code knows
//! ([`crate::context::Ctx::quick`]):
//!
//! ```text
//! cell in a quick list   0 class:u32   4 FREE:u32   8 next or 0   16 length of the list from here on
//! ```

/// The largest object that lives in a chunk; a larger one is a block of its own. A quarter of the largest chunk, so that
/// at most that much of a chunk stays unused.
pub const SMALL_MAX: usize = 16 * 1024;
/// The smallest cell: a free one holds its header and two links.
pub const CELL_MIN: usize = 32;
/// How many classes there are.
pub const CLASSES: usize = 35;
/// Cell sizes in bytes by class.
pub const SIZES: [u32; CLASSES] = sizes();

/// Classes of 32 to 128 bytes.
const FINE: usize = 7;

/// How many of the classes have a quick list: those of nearly all records, cases, boxes and closures.
pub const QUICK_CLASSES: usize = FINE;
/// The largest object that comes from a quick list.
pub const QUICK_MAX: usize = SIZES[QUICK_CLASSES - 1] as usize;
/// Offset of the next cell in one of a quick list.
pub const QUICK_NEXT: i32 = 8;
/// Offset of the length of a quick list in its first cell.
pub const QUICK_LENGTH: i32 = 16;

const fn sizes() -> [u32; CLASSES] {
    let mut sizes = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        sizes[class] = if class < FINE {
            32 + 16 * class as u32
        } else {
            let doubling = (class - FINE) / 4;
            let step = ((class - FINE) % 4) as u32 + 1;
            (128 << doubling) + step * (32 << doubling)
        };
        class += 1;
    }
    sizes
}

/// The class of objects of `size` bytes, at most [`SMALL_MAX`].
#[inline(always)]
pub const fn class_of(size: usize) -> usize {
    debug_assert!(size <= SMALL_MAX);
    if size <= 128 {
        (if size < CELL_MIN { CELL_MIN } else { size }).div_ceil(16) - 2
    } else {
        let last = size - 1;
        let top = last.ilog2() as usize;
        FINE + (top - 7) * 4 + ((last >> (top - 2)) & 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_has_the_smallest_class_that_holds_it() {
        assert_eq!(SIZES[CLASSES - 1] as usize, SMALL_MAX);
        for size in 1..=SMALL_MAX {
            let class = class_of(size);
            assert!(size <= SIZES[class] as usize, "{size}");
            assert!(class == 0 || size > SIZES[class - 1] as usize, "{size}");
        }
        assert!(SIZES.iter().all(|s| s % 16 == 0));
    }
}
