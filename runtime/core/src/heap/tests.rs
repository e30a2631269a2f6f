//! Properties of the heap: objects stay intact, chunks go back, freeing needs no stack.

use super::*;
use proptest::prelude::*;

fn heap(limit: usize) -> Heap {
    Heap::new(Rc::new(Pages::default()), limit, crate::counters::register())
}

fn text(heap: &mut Heap, len: usize, fill: u8) -> Obj {
    let object = heap.alloc(24 + len, layout::header(shape::TEXT)).expect("room");
    object.set(layout::LEN, len as u64);
    // SAFETY: the object has `len` bytes behind its head.
    unsafe { object.ptr().add(24).write_bytes(fill, len) };
    object
}

fn list(heap: &mut Heap, items: &[Word]) -> Obj {
    let object = heap.alloc(24 + 8 * items.len(), layout::header(shape::LIST_REF)).expect("room");
    object.set(layout::LEN, items.len() as u64);
    object.set(layout::LIST_CAPACITY, items.len() as u64);
    for (at, item) in items.iter().enumerate() {
        object.set(layout::LIST_DATA + 8 * at as i32, *item);
    }
    object
}

fn is_filled(object: Obj, len: usize, fill: u8) -> bool {
    // SAFETY: as in `text`.
    let bytes = unsafe { std::slice::from_raw_parts(object.ptr().add(24), len) };
    object.get(layout::LEN) == len as u64 && bytes.iter().all(|b| *b == fill)
}

/// Gives a test's reference up.
fn give_up(heap: &mut Heap, shapes: &[Shape], object: Obj) {
    // SAFETY: the tests own one count of each object they made.
    unsafe { heap.drop_word(shapes, object.word()) };
    heap.free_all_late();
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0usize..200, 4 => 200usize..3000, 1 => 3000usize..40_000]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn objects_stay_intact_and_chunks_go_back(steps in prop::collection::vec((any::<bool>(), sizes(), any::<usize>()), 1..1500)) {
        let mut heap = heap(64 << 20);
        let mut held: Vec<(Obj, usize, u8)> = Vec::new();
        for (at, (free, len, which)) in steps.into_iter().enumerate() {
            if free && !held.is_empty() {
                let (object, len, fill) = held.swap_remove(which % held.len());
                prop_assert!(is_filled(object, len, fill));
                give_up(&mut heap, &[], object);
            } else {
                held.push((text(&mut heap, len, at as u8), len, at as u8));
            }
            prop_assert_eq!(heap.live(), held.len());
        }
        for (object, len, fill) in held {
            prop_assert!(is_filled(object, len, fill));
            give_up(&mut heap, &[], object);
        }
        prop_assert_eq!(heap.live(), 0);
        heap.give_quick_up(usize::MAX);
        prop_assert_eq!(heap.live(), 0);
        prop_assert!(heap.bytes() <= pages::PAGE, "one chunk is left, not {} bytes", heap.bytes());
    }

    #[test]
    fn graphs_are_freed_whole(edges in prop::collection::vec((0usize..40, 0usize..40), 0..120)) {
        let mut heap = heap(64 << 20);
        let shapes = [Shape { size: 32, refs: [8, 24].into(), name: "record".into() }];
        let mut nodes: Vec<Obj> = Vec::new();
        for at in 0..40 {
            let below = |n: usize| nodes.get(n).map_or(0, |o: &Obj| { o.dup(); o.word() });
            let mut children: Vec<Word> = edges.iter().filter(|e| e.0 == at && e.1 < at).map(|e| below(e.1)).collect();
            let node = if at % 3 == 0 && children.len() >= 2 {
                let record = heap.alloc(32, layout::header(shape::FIRST_OF_MODULE)).expect("room");
                record.set(16, 77);
                record.set(8, children.pop().unwrap_or(0));
                record.set(24, children.pop().unwrap_or(0));
                for rest in children {
                    // SAFETY: counted above.
                    unsafe { heap.drop_word(&shapes, rest) };
                }
                record
            } else {
                children.push(0);
                list(&mut heap, &children)
            };
            nodes.push(node);
        }
        for node in nodes {
            give_up(&mut heap, &shapes, node);
        }
        prop_assert_eq!(heap.live(), 0);
    }
}

#[test]
fn a_million_levels_are_freed_without_recursion() {
    let mut heap = heap(256 << 20);
    let mut deep = list(&mut heap, &[]);
    for level in 0..1_000_000 {
        let items = [deep.word(), 0];
        deep = list(&mut heap, if level % 2 == 0 { &items } else { &items[..1] });
    }
    give_up(&mut heap, &[], deep);
    assert_eq!(heap.live(), 0);
    heap.settle();
    assert!(heap.bytes() <= pages::PAGE);
}

#[test]
fn the_limit_holds_for_chunks_blocks_and_charges() {
    let mut heap = heap(100_000);
    assert_eq!(heap.alloc(200_000, layout::header(shape::BYTES)), Err(Full));
    assert_eq!(heap.charge(100_001), Err(Full));
    let mut made = Vec::new();
    while let Ok(object) = heap.alloc(1000, layout::header(shape::TEXT)) {
        object.set(layout::LEN, 976);
        made.push(object);
    }
    assert!(made.len() > 30 && heap.bytes() <= 100_000, "{} objects", made.len());
    for object in made {
        give_up(&mut heap, &[], object);
    }
    assert!(heap.alloc(1000, layout::header(shape::TEXT)).is_ok());
}

#[test]
fn slots_of_freed_handles_are_told() {
    let mut heap = heap(100_000);
    let stream = heap.alloc(16, layout::header(shape::STREAM)).expect("room");
    stream.set(layout::SLOT, 9);
    let items = [stream.word()];
    let holder = list(&mut heap, &items);
    give_up(&mut heap, &[], holder);
    assert_eq!((heap.take_dead(), heap.take_dead()), (Some(9), None));
}

#[test]
fn frozen_objects_are_never_freed() {
    let mut heap = heap(100_000);
    let inner = text(&mut heap, 3, b'x');
    let items = [inner.word(), 0];
    let outer = list(&mut heap, &items);
    // SAFETY: `outer` is a live object of this heap.
    let frozen = unsafe { heap.freeze(&[], [outer.word(), 0].into_iter()) };
    assert_eq!(frozen, 2);
    outer.dup();
    give_up(&mut heap, &[], outer);
    give_up(&mut heap, &[], outer);
    assert_eq!((inner.count(), outer.count()), (IMMORTAL, IMMORTAL));
    assert!(is_filled(inner, 3, b'x'));
}

#[test]
fn much_is_freed_a_slice_at_a_time_and_its_room_is_found() {
    // Of lists in lists: a chain, and wide ones of elements that are lists themselves.
    let mut heap = heap(24 << 20);
    for round in 0..6 {
        let mut chain = list(&mut heap, &[]);
        for at in 0..200_000usize {
            let leaf = if at.is_multiple_of(3) { list(&mut heap, &[]).word() } else { 0 };
            let inner = if round % 2 == 0 { [chain.word(), leaf] } else { [leaf, chain.word()] };
            chain = list(&mut heap, &inner);
        }
        let wide: Vec<Word> = (0..100_000).map(|_| list(&mut heap, &[]).word()).collect();
        let wide = list(&mut heap, &wide);
        let all = list(&mut heap, &[wide.word(), chain.word(), wide.word()]);
        wide.dup();
        let live = heap.live();
        // SAFETY: the test's own reference. What is not freed now is freed when the next round, or its end, needs the room.
        unsafe { heap.drop_word(&[], all.word()) };
        assert!(heap.has_late() && heap.live() > live - 20_000, "{} of {live} are left", heap.live());
    }
    heap.free_all_late();
    assert_eq!((heap.live(), heap.has_late()), (0, false));
}
