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

// ---- in a file

/// A folder that goes with its test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("weir-store-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a writable folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_owned()
    }
}

impl std::ops::Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn answered<T>(answer: Answer<T>) -> Result<T, Failure> {
    match answer {
        Answer::Now(result) => result,
        Answer::Later(future) => future.await,
    }
}

async fn open(name: &str, path: &str) -> Result<Arc<Store>, Failure> {
    answered(Store::open_file(name, path, &kind())).await
}

async fn put(store: &Store, key: &str, value: u64, ttl: Option<Duration>, instead_of: Option<u64>) -> Put {
    answered(store.put(key, block(value), ttl, instead_of, PLENTY)).await.expect("a file that can be written")
}

async fn value(store: &Store, key: &str) -> Option<u64> {
    number(&answered(store.find(key)).await.expect("a file that can be read"))
}

#[tokio::test]
async fn a_file_holds_what_was_put_there() {
    let folder = Folder::new("holds");
    let path = folder.file("a.db");
    let (one, other) = (open("one", &path).await.expect("new"), open("other", &path).await.expect("new"));
    assert_eq!(put(&one, "a", 1, None, None).await, Put::Done);
    assert_eq!(put(&one, "\0ä", 2, None, None).await, Put::Done);
    assert_eq!(put(&other, "a", 3, None, None).await, Put::Done);
    assert_eq!(
        (value(&one, "a").await, value(&one, "\0ä").await, value(&other, "a").await),
        (Some(1), Some(2), Some(3))
    );
    // In place of its own version only.
    let found = answered(one.find("a")).await.expect("readable");
    assert_eq!(put(&one, "a", 4, None, Some(found.version)).await, Put::Done);
    assert_eq!(put(&one, "a", 5, None, Some(found.version)).await, Put::Overtaken);
    assert_eq!(put(&one, "new", 6, None, Some(0)).await, Put::Done);
    assert_eq!(put(&one, "new", 7, None, Some(0)).await, Put::Overtaken);
    assert_eq!(answered(one.delete("new")).await.ok(), Some(true));
    assert_eq!(answered(one.delete("new")).await.ok(), Some(false));
    // Also when it is opened again.
    drop((one, other));
    let again = open("one", &path).await.expect("there");
    assert_eq!(value(&again, "a").await, Some(4));
    assert_eq!(answered(again.len()).await.ok(), Some(2));
    let keys = answered(again.keys("")).await.expect("readable");
    assert_eq!(keys, [Box::from("\0ä"), Box::from("a")]);
    assert_eq!(answered(again.keys("a")).await.map(|keys| keys.len()).ok(), Some(1));
}

#[tokio::test]
async fn times_to_live_hold_in_files() {
    let folder = Folder::new("ttl");
    let store = open("ttl", &folder.file("a.db")).await.expect("new");
    let (short, long) = (Some(Duration::from_nanos(1)), Some(Duration::from_secs(3600)));
    assert_eq!(put(&store, "short", 1, short, None).await, Put::Done);
    assert_eq!(put(&store, "long", 2, long, None).await, Put::Done);
    assert_eq!((value(&store, "short").await, value(&store, "long").await), (None, Some(2)));
    assert_eq!(answered(store.delete("short")).await.ok(), Some(false));
    assert_eq!(answered(store.len()).await.ok(), Some(1));
    // What is over counts as nothing.
    assert_eq!(put(&store, "short", 1, short, None).await, Put::Done);
    assert_eq!(put(&store, "short", 3, None, Some(0)).await, Put::Done);
    assert_eq!(value(&store, "short").await, Some(3));
}

#[tokio::test]
async fn a_file_that_is_hammered_is_exact() {
    let folder = Folder::new("hammer");
    let store = open("n", &folder.file("a.db")).await.expect("new");
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            // Answers stay on their thread.
            tokio::task::spawn_blocking(move || {
                for _ in 0..25 {
                    loop {
                        let found = store.find("n").wait().expect("readable");
                        let next = block(number(&found).unwrap_or(0) + 1);
                        let put = store.put("n", next, None, Some(found.version), PLENTY).wait();
                        if put.expect("writable") == Put::Done {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it counts");
    }
    assert_eq!(value(&store, "n").await, Some(200));
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_with_its_path() {
    let folder = Folder::new("wrong");
    let file = |name: &str| folder.file(name);
    let message = |result: Result<Arc<Store>, Failure>| result.expect_err("it is wrong").message;
    let none = message(open("a", &file("no/such/a.db")).await);
    assert!(none.contains("no/such/a.db"), "{none}");
    std::fs::write(file("text.db"), "this is no database, but long enough to be looked at ".repeat(100))
        .expect("written");
    let text = message(open("a", &file("text.db")).await);
    assert!(text.contains("text.db") && text.contains("not a database"), "{text}");
    std::fs::create_dir(file("folder.db")).expect("made");
    assert!(message(open("a", &file("folder.db")).await).contains("folder.db"));
    // One of another type.
    drop(open("a", &file("typed.db")).await.expect("new"));
    let texts = Kind::parse("Text".to_owned());
    let other = message(answered(Store::open_file("a", &file("typed.db"), &texts)).await);
    assert!(other.contains("typed.db") && other.contains("`Int`") && other.contains("`Text`"), "{other}");
    // One that another process has locked: the failure is one of the operation.
    let store = open("a", &file("locked.db")).await.expect("new");
    let locker = rusqlite::Connection::open(file("locked.db")).expect("another connection");
    locker.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let locked = answered(store.put("a", block(1), None, None, PLENTY)).await.expect_err("it is locked");
    assert!(locked.message.contains("locked.db") && locked.kind == "io", "{locked}");
    locker.execute_batch("ROLLBACK").expect("free again");
    assert_eq!(put(&store, "a", 1, None, None).await, Put::Done);
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_lost() {
    let folder = Folder::new("full");
    let path = folder.file("a.db");
    let store = open("a", &path).await.expect("new");
    let large = Block::new(&kind(), vec![7; 200_000]);
    assert_eq!(put(&store, "a", 1, None, None).await, Put::Done);
    // A file that may not grow is a full disk.
    let limit = |pages: i64| {
        let Entries::File(file) = &store.entries else { panic!("a store in a file") };
        file.limit_pages(pages)
    };
    answered(limit(1)).await.expect("a limit");
    let full = answered(store.put("b", Arc::clone(&large), None, None, PLENTY)).await.expect_err("no room");
    assert!(full.message.contains("a.db") && full.message.contains("full"), "{full}");
    assert_eq!(value(&store, "a").await, Some(1));
    answered(limit(1 << 20)).await.expect("a limit");
    assert_eq!(answered(store.put("b", large, None, None, PLENTY)).await.ok(), Some(Put::Done));
}
