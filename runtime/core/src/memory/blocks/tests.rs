//! Blocks keep what was written to them, whatever happens to their size and to others.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Lengthen(usize, usize),
    Free(usize),
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![1usize..5000, LARGE - 3..LARGE + 3, LARGE..4 * LARGE]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        size().prop_map(Step::Make),
        (any::<usize>(), size()).prop_map(|(which, more)| Step::Lengthen(which, more)),
        any::<usize>().prop_map(Step::Free),
    ];
    prop::collection::vec(step, 1..60)
}

struct Held {
    block: NonNull<u8>,
    size: usize,
    fill: u8,
}

impl Held {
    fn is_filled(&self, size: usize) -> bool {
        // SAFETY: the block has so many bytes, all of which were written.
        let bytes = unsafe { std::slice::from_raw_parts(self.block.as_ptr(), size) };
        bytes.iter().all(|byte| *byte == self.fill)
    }

    fn refill(&mut self, fill: u8) {
        self.fill = fill;
        // SAFETY: the block has so many bytes.
        unsafe { self.block.write_bytes(fill, self.size) };
    }

    fn free(self) {
        assert!(self.is_filled(self.size), "others leave it alone");
        // SAFETY: taken with that size, and not used after this.
        unsafe { give(self.block, self.size) };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn blocks_keep_what_was_written(steps in steps()) {
        let mut held: Vec<Held> = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            let fill = at as u8 | 1;
            match step {
                Step::Make(size) => {
                    let block = take(size).expect("memory");
                    prop_assert!(block.addr().get().is_multiple_of(ALIGN));
                    held.push(Held { block, size, fill: 0 });
                    held.last_mut().expect("the new one").refill(fill);
                }
                Step::Lengthen(which, more) if !held.is_empty() => {
                    let which = which % held.len();
                    let one = &mut held[which];
                    let (old, size) = (one.size, one.size + more);
                    // SAFETY: the old block is not used any more.
                    one.block = unsafe { lengthen(one.block, old, size) }.expect("memory");
                    one.size = size;
                    prop_assert!(one.is_filled(old));
                    one.refill(fill);
                }
                Step::Free(which) if !held.is_empty() => {
                    let which = which % held.len();
                    held.swap_remove(which).free();
                }
                Step::Lengthen(..) | Step::Free(_) => {}
            }
        }
        held.into_iter().for_each(Held::free);
    }
}

/// An empty table.
fn table() -> Table {
    Table { idle: [Idle { address: 0, size: 0, since: 0 }; IDLE_BLOCKS], count: 0, bytes: 0, period: 0 }
}

#[test]
fn the_idle_block_that_fits_best_is_taken() {
    let mut table = table();
    for (address, size) in [(1, 8 * UNIT), (2, 3 * UNIT), (3, 4 * UNIT), (4, ROOMY + 4 * UNIT)] {
        assert!(table.put(address, size));
    }
    let mut take = |size| table.take(size).map(|idle| idle.address);
    // One that is much too large is left for others.
    assert_eq!(
        [take(3 * UNIT), take(3 * UNIT), take(3 * UNIT), take(3 * UNIT)],
        [Some(2), Some(3), Some(1), None]
    );
    assert_eq!((table.count, table.bytes), (1, ROOMY + 4 * UNIT));
}

#[test]
fn what_nobody_wants_for_a_period_goes() {
    let mut table = table();
    assert!(table.put(1, UNIT));
    table.period += 1;
    assert!(table.put(2, UNIT));
    assert!(table.take_old().is_none());
    table.period += 1;
    assert_eq!(table.take_old().map(|idle| idle.address), Some(1));
    assert!(table.take_old().is_none());
}

#[test]
fn what_is_too_much_goes_at_once_and_there_is_a_bound() {
    let mut table = table();
    assert!(table.put(1, CROWDED) && table.put(2, UNIT));
    assert_eq!(table.take_old().map(|idle| idle.address), Some(1));
    assert!(table.take_old().is_none());
    assert!(!table.put(3, IDLE_MAX));
    for address in 1..IDLE_BLOCKS {
        assert!(table.put(address, UNIT));
    }
    assert!(!table.put(3, UNIT));
}

#[test]
fn blocks_of_many_threads_belong_to_one_each() {
    let threads = [1u8, 2, 3].map(|fill| {
        std::thread::spawn(move || {
            for round in 0..100 {
                let size = LARGE + round * 1000;
                let mut one = Held { block: take(size).expect("memory"), size, fill };
                one.refill(fill);
                tidy();
                one.free();
            }
        })
    });
    threads.into_iter().for_each(|thread| thread.join().expect("no block was another's"));
}
