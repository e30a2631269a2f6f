//! Streams pulled by code on a fiber: items, ends, failures, traps, pulls inside pulls.

use super::*;
use crate::run::Run;
use crate::stream::{Elements, Filter, Ints, Map, Rule, Stdin, standard_input};
use crate::testing::{self, make_closure, native, types};
use crate::value::{Handle, List};
use std::future::poll_fn;
use weir_abi::context::Ctx;

/// Pulls one Int, and gives the box back: the Int, or `end`.
fn pull_int(ctx: *mut Ctx, stream: Word, end: Word) -> Word {
    let some = native(ctx, "stream-next", &[types::INT.0.into(), stream]);
    if some == 0 {
        return end;
    }
    // SAFETY: `Some` of an Int is a box that only this code holds.
    let value = unsafe { *((some + 8) as *const Word) };
    native(ctx, "free", &[some]);
    value
}

/// The sum of a stream of Ints, plus 1000 when it failed.
extern "C" fn sum(ctx: *mut Ctx, stream: Word) -> Word {
    let mut sum = 0;
    loop {
        match pull_int(ctx, stream, Word::MAX) {
            Word::MAX => return sum + 1000 * native(ctx, "stream-failed", &[]),
            item => sum += item,
        }
    }
}

extern "C" fn double(_: *mut Ctx, _: Word, item: Word) -> Word {
    item * 2
}

extern "C" fn is_odd_later(ctx: *mut Ctx, _: Word, item: Word) -> Word {
    native(ctx, "sleep", &[1_000_000]);
    item % 2
}

extern "C" fn traps(ctx: *mut Ctx, _: Word, item: Word) -> Word {
    native(ctx, "trap", &[2, item, 0])
}

/// The length of a list's stream of words, read to its end by a fiber of its own.
extern "C" fn first_of(ctx: *mut Ctx, _: Word, list: Word) -> Word {
    let stream = native(ctx, "list-stream", &[list]);
    let first = pull_int(ctx, stream, 77);
    native(ctx, "free", &[stream]);
    first
}

/// A source that fails.
struct Failing;

impl Source for Failing {
    fn poll_next(&mut self, _: &mut Scope, _: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        Poll::Ready(Some(Err(Failure::of_kind("upstream", "gone"))))
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}

async fn run(scope: &mut Scope, code: testing::Code1, word: Word) -> Result<Word, Failure> {
    let mut run = Run::new(scope, code as *const u8, &[word]).expect("a stack");
    poll_fn(|cx| run.poll(scope, cx)).await
}

fn ints(scope: &mut Scope, count: usize) -> Own<List> {
    let list = scope.list(shape::LIST_WORD, count).expect("room");
    let words: Vec<Word> = (1..=count as Word).collect();
    list.get().append(&words);
    list
}

#[tokio::test(start_paused = true)]
async fn items_come_with_and_without_waits() {
    let s = &mut testing::scope();
    let (f, keep) = (make_closure(s, double), make_closure(s, is_odd_later));
    let list = ints(s, 9);
    let plain = s.stream(Box::new(Elements::new(list))).expect("room");
    assert_eq!(run(s, sum, plain.get().word()).await.expect("no trap"), 45);
    assert_eq!(run(s, sum, plain.get().word()).await.expect("it stays at its end"), 0);
    s.give_up(plain);
    let odd = Filter::new(Box::new(Ints::new(0, 10)), Rule::Keep, keep, false);
    let stages = s.stream(Box::new(Map::new(Box::new(odd), f, false))).expect("room");
    assert_eq!(run(s, sum, stages.get().word()).await.expect("no trap"), 50);
    s.give_up(stages);
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
}

#[tokio::test]
async fn a_failure_is_no_end_and_a_trap_is_the_pullers() {
    let s = &mut testing::scope();
    let failing = s.stream(Box::new(Failing)).expect("room");
    assert_eq!(run(s, sum, failing.get().word()).await.expect("no trap"), 1000);
    let failure = s.failure.take().expect("it was recorded");
    assert_eq!((failure.kind, failure.status, failure.message.as_str()), ("upstream", 502, "gone"));
    s.give_up(failing);
    let f = make_closure(s, traps);
    let mapped = s.stream(Box::new(Map::new(Box::new(Ints::new(0, 9)), f, false))).expect("room");
    let failure = run(s, sum, mapped.get().word()).await.expect_err("a trap");
    assert!(failure.trace.is_some() && failure.message == "division by zero", "{failure}");
    s.give_up(mapped);
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
}

#[tokio::test]
async fn one_reader_alone_owns_a_stream() {
    let s = &mut testing::scope();
    let list = ints(s, 3);
    let stream = s.stream(Box::new(Elements::new(list))).expect("room");
    let other = s.dup(stream.get());
    let own = s.own_stream(stream).expect("not read yet");
    let failure = run(s, sum, other.get().word()).await.expect_err("a trap");
    assert_eq!(failure.message, "this stream was read before");
    assert_eq!(run(s, sum, own.get().word()).await.expect("no trap"), 6);
    let again = s.own_stream(own).expect("nobody else has it");
    s.give_up(other);
    s.give_up(again);
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
}

#[tokio::test]
async fn closures_pull_streams_of_their_own() {
    let s = &mut testing::scope();
    let f = make_closure(s, first_of);
    let lists = s.list(shape::LIST_REF, 3).expect("room");
    for count in [2, 0, 1] {
        let list = ints(s, count);
        lists.get().append(&[list.get().word()]);
    }
    let stage = Map::new(Box::new(Elements::new(lists)), f, true);
    let stream = s.stream(Box::new(stage)).expect("room");
    assert_eq!(run(s, sum, stream.get().word()).await.expect("no trap"), 1 + 77 + 1);
    s.give_up(stream);
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
}

/// Pulls a stream whose closure does the same, without end.
extern "C" fn digs(ctx: *mut Ctx, closure: Word, _: Word) -> Word {
    // SAFETY: the closure's object stays while its code runs; its count is a word that this thread alone changes.
    unsafe { *(closure as *mut u32) += 1 };
    let list = native(ctx, "list-new", &[u64::from(shape::LIST_WORD), 1]);
    let list = native(ctx, "list-push", &[list, 1]);
    let stream = native(ctx, "list-stream", &[list]);
    let stage = native(ctx, "stream-map", &[types::INT.0.into(), types::INT.0.into(), stream, closure]);
    pull_int(ctx, stage, 0)
}

#[tokio::test]
async fn pulls_inside_each_other_have_a_limit() {
    let s = &mut testing::scope();
    let f = make_closure(s, digs);
    let stage = Map::new(Box::new(Ints::new(0, 1)), f, false);
    let stream = s.stream(Box::new(stage)).expect("room");
    let failure = run(s, sum, stream.get().word()).await.expect_err("a trap");
    assert_eq!(failure.message, "too many streams are read inside each other");
    s.give_up(stream);
}

#[tokio::test]
async fn dropping_the_last_handle_closes_a_pull_that_waits() {
    let s = &mut testing::scope();
    let timers = s.worker().counters.timers.get();
    let every = crate::stream::Every::new(std::time::Duration::from_secs(3600));
    let stream = s.stream(Box::new(every)).expect("room");
    let mut run = Run::new(s, sum as *const u8, &[stream.get().word()]).expect("a stack");
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(run.poll(s, &mut cx).is_pending());
    assert_eq!(s.worker().counters.timers.get(), timers + 1);
    run.abandon(s);
    s.give_up(stream);
    assert_eq!(s.worker().counters.timers.get(), timers);
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
    // A source that was never pulled has nothing to close.
    let unread = s.stream(Box::new(Stdin::new(standard_input(), 100))).expect("room");
    s.give_up(unread);
}
