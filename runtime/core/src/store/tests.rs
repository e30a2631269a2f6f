//! Stores in memory: exchange of versions, time to live, limits, hammering. What all memories take together is one count, so
//! the tests take turns.

use super::memory::{Memory, memory_used};
use super::*;
use std::thread;

const PLENTY: usize = usize::MAX;
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn kind() -> Kind {
    Kind::parse("Int".to_owned())
}

fn block(value: u64) -> Arc<Block> {
    Block::new(&kind(), value.to_le_bytes().to_vec())
}

fn number(found: &Found) -> Option<u64> {
    found.block.as_ref().map(|b| u64::from_le_bytes(b.data().try_into().expect("eight bytes")))
}

fn set(memory: &Memory, key: &str, value: u64, ttl: Option<Duration>) {
    let ends = ttl.map(|ttl| Instant::now() + ttl);
    assert_eq!(memory.put(key, block(value), ends, None, PLENTY), Ok(Put::Done));
}

#[test]
fn a_value_is_put_in_place_of_its_own_version_only() {
    let _turn = TURN.blocking_lock();
    let memory = Memory::default();
    let nothing = memory.find("a");
    assert_eq!((number(&nothing), nothing.version), (None, 0));
    let swap = |found: &Found, value| memory.put("a", block(value), None, Some(found.version), PLENTY);
    assert_eq!(swap(&nothing, 1), Ok(Put::Done));
    assert_eq!(swap(&nothing, 2), Ok(Put::Overtaken));
    let one = memory.find("a");
    assert_eq!(number(&one), Some(1));
    // The same value is not the same version.
    set(&memory, "a", 1, None);
    assert_eq!(swap(&one, 2), Ok(Put::Overtaken));
    let again = memory.find("a");
    assert!(memory.delete("a") && !memory.delete("a"));
    set(&memory, "a", 1, None);
    assert_eq!(swap(&again, 2), Ok(Put::Overtaken));
    assert_eq!(memory.len(), 1);
}

#[test]
fn what_is_hammered_from_many_threads_is_exact() {
    const THREADS: u64 = 4;
    const TIMES: u64 = 5000;
    let _turn = TURN.blocking_lock();
    let memory = &Memory::default();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..TIMES {
                    loop {
                        let found = memory.find("n");
                        let next = block(number(&found).unwrap_or(0) + 1);
                        if memory.put("n", next, None, Some(found.version), PLENTY) == Ok(Put::Done) {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(number(&memory.find("n")), Some(THREADS * TIMES));
}

// rule: store.ttl
#[tokio::test(start_paused = true)]
async fn a_value_is_gone_when_its_time_is_over() {
    let _turn = TURN.lock().await;
    let second = Duration::from_secs(1);
    let memory = Memory::default();
    set(&memory, "a", 1, Some(second));
    set(&memory, "b", 2, Some(2 * second));
    set(&memory, "c", 3, None);
    // An update leaves the time of what is there, and gives a new one its own.
    let found = memory.find("a");
    assert_eq!(memory.put("a", block(7), None, Some(found.version), PLENTY), Ok(Put::Done));
    let ends = Some(Instant::now() + second);
    assert_eq!(memory.put("d", block(4), ends, Some(0), PLENTY), Ok(Put::Done));
    // A set without a time keeps for good.
    set(&memory, "e", 5, Some(second));
    set(&memory, "e", 5, None);
    tokio::time::advance(second - Duration::from_nanos(1)).await;
    assert_eq!((memory.len(), number(&memory.find("a"))), (5, Some(7)));
    tokio::time::advance(Duration::from_nanos(1)).await;
    let keys: Vec<_> = memory.keys("").into_iter().map(String::from).collect();
    assert_eq!(keys, ["b", "c", "e"]);
    assert_eq!(memory.len(), 3);
    let gone = memory.find("a");
    assert_eq!((number(&gone), gone.version), (None, 0));
    assert!(!memory.delete("d"));
    tokio::time::advance(second).await;
    assert_eq!(memory.keys("").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn memory_of_what_is_over_comes_back_as_others_are_put() {
    let _turn = TURN.lock().await;
    let memory = Memory::default();
    let before = memory_used();
    for n in 0..10_000 {
        set(&memory, &format!("old {n}"), n, Some(Duration::from_secs(1)));
    }
    let full = memory_used() - before;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(memory.len(), 0);
    for n in 0..3_000 {
        set(&memory, &format!("new {n}"), n, None);
    }
    assert_eq!(memory.len(), 3_000);
    assert!(memory_used() - before < full / 2, "{} of {full}", memory_used() - before);
    drop(memory);
    assert_eq!(memory_used(), before);
}

// rule: limit.store
#[test]
fn all_memories_together_take_no_more_than_the_limit() {
    let _turn = TURN.blocking_lock();
    let (one, other) = (Memory::default(), Memory::default());
    let start = memory_used();
    set(&one, "a", 1, None);
    let each = memory_used() - start;
    let limit = start + 3 * each;
    let put = |memory: &Memory, key: &str, limit| memory.put(key, block(2), None, None, limit);
    assert_eq!(put(&other, "a", limit), Ok(Put::Done));
    assert_eq!(put(&one, "b", limit - 1), Err(Full));
    assert_eq!(put(&one, "b", limit), Ok(Put::Done));
    assert_eq!(put(&one, "c", limit), Err(Full));
    // What takes no more than what it replaces always fits.
    assert_eq!(put(&one, "a", 0), Ok(Put::Done));
    assert!(one.delete("b"));
    assert_eq!(put(&one, "c", limit), Ok(Put::Done));
}

#[test]
fn keys_are_found_by_prefix_in_order() {
    let _turn = TURN.blocking_lock();
    let memory = Memory::default();
    for n in 0..5000 {
        set(&memory, &format!("k{n:04}"), n, None);
    }
    set(&memory, "j", 0, None);
    set(&memory, "l", 0, None);
    let keys = memory.keys("k");
    assert!(keys.len() == 5000 && keys.is_sorted());
    assert_eq!(memory.keys("k123").len(), 10);
    assert_eq!(memory.keys("x").len(), 0);
}

// rule: store.lasts
#[test]
fn a_name_is_one_store_of_one_type_for_as_long_as_somebody_has_it() {
    let _turn = TURN.blocking_lock();
    let ints = Store::open("names", &kind()).expect("new");
    let again = Store::open("names", &kind()).expect("of the same type");
    assert!(Arc::ptr_eq(&ints, &again));
    let texts = Kind::parse("Text".to_owned());
    let error = Store::open("names", &texts).expect_err("of another type");
    assert!(error.contains("`Int`") && error.contains("`Text`"), "{error}");
    drop((ints, again));
    assert!(Store::open("names", &texts).is_ok());
}
