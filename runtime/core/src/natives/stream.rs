//! Natives of `stream.weir`, and the sources of `prelude.weir`.

use super::Flow;
use crate::heap::Word;
use crate::map;
use crate::scope::{Operation, Scope, Source};
use crate::stream::{self, ChildPieces, FilePieces, From, LinesOf, Pieces, Rule, TailPieces};
use crate::value::{Any, Closure, List, Own, Stream, Text};
use std::task::{Context, Poll};
use std::time::Duration;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// How many stages may lie upon each other: each pull goes through all of them on the worker's stack.
const MAX_DEPTH: usize = 500;

/// Takes the stream out of a handle, to put a stage upon it.
pub(super) fn take(scope: &mut Scope, handle: Own<Stream>) -> Result<Box<dyn Source>, Trap> {
    let source = scope.take_stream(handle)?;
    if source.depth() >= MAX_DEPTH {
        source.close(scope);
        return Err(Trap::native(format!("more than {MAX_DEPTH} stages of a stream lie upon each other")));
    }
    Ok(source)
}

/// The stream behind a handle of its own.
pub fn stream_own(scope: &mut Scope, handle: Own<Stream>) -> Result<Own<Stream>, Trap> {
    scope.own_stream(handle)
}

/// Gives a stream up, and waits for what was put off in what that closed.
pub fn stream_close(scope: &mut Scope, handle: Own<Stream>) -> Result<Flow, Trap> {
    scope.give_up(handle);
    Ok(match scope.run_deferred() {
        Some(done) => {
            scope.pending = Some(Box::new(done));
            Flow::Wait
        }
        None => Flow::Done(0),
    })
}

/// The next item as an option; `None` with a recorded failure when the stream fails.
pub fn stream_next(scope: &mut Scope, item: TypeId, handle: Stream) -> Result<Flow, Trap> {
    scope.failure = None;
    if let Some(result) = scope.ready_item(handle, item) {
        return result.map(Flow::Done);
    }
    scope.pending = Some(Box::new(Next { handle, item }));
    Ok(Flow::Wait)
}

/// A pull of a stream whose handle the fiber that waits holds. Sources and the closures of their stages run on the worker's
/// stack and on fibers of their own.
struct Next {
    handle: Stream,
    item: TypeId,
}

impl Operation for Next {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        scope.poll_item(self.handle, self.item, cx)
    }

    fn waits_inside(&self, scope: &Scope) -> bool {
        scope.stream_waits_inside(self.handle)
    }
}

/// Whether the last pull failed.
pub fn stream_failed(scope: &mut Scope) -> Result<bool, Trap> {
    Ok(scope.failure.is_some())
}

/// Puts a stage with a closure upon a stream. Closure and stream are given up when the stream was read before.
fn stage<S: Source + 'static>(
    scope: &mut Scope,
    handle: Own<Stream>,
    closure: Own<Closure>,
    make: impl FnOnce(Box<dyn Source>, Own<Closure>) -> S,
) -> Result<Own<Stream>, Trap> {
    match take(scope, handle) {
        Ok(source) => Ok(scope.stream(Box::new(make(source, closure)))?),
        Err(trap) => {
            scope.give_up(closure);
            Err(trap)
        }
    }
}

/// `f` of each item.
pub fn stream_map(
    scope: &mut Scope,
    item: TypeId,
    _: TypeId,
    handle: Own<Stream>,
    f: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    stage(scope, handle, f, |source, f| stream::Map::new(source, f, is_ref))
}

/// The items for which `keep` holds.
pub fn stream_filter(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    keep: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    filter(scope, item, handle, Rule::Keep, keep)
}

/// The items up to the first for which `keep` does not hold.
pub fn stream_take_while(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    keep: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    filter(scope, item, handle, Rule::While, keep)
}

/// The items from the first on for which `skip` does not hold.
pub fn stream_drop_while(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    skip: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    filter(scope, item, handle, Rule::From, skip)
}

fn filter(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    rule: Rule,
    decides: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    stage(scope, handle, decides, |source, decides| stream::Filter::new(source, rule, decides, is_ref))
}

/// A number that a stage needs, `what` it is, and the stream, which is given up when the number is less than `least`, 0 or 1.
pub(super) fn at_least(
    scope: &mut Scope,
    handle: Own<Stream>,
    what: &str,
    least: u64,
    number: i64,
) -> Result<(Own<Stream>, u64), Trap> {
    match u64::try_from(number) {
        Ok(number) if number >= least => Ok((handle, number)),
        _ => {
            scope.give_up(handle);
            let wrong = if least == 0 { "negative" } else { "not positive" };
            Err(Trap::native(format!("{what} is {wrong}")))
        }
    }
}

/// The first `count` items.
pub fn stream_take(scope: &mut Scope, handle: Own<Stream>, count: i64) -> Result<Own<Stream>, Trap> {
    let (handle, count) = at_least(scope, handle, "the count of take", 0, count)?;
    let source = take(scope, handle)?;
    let stage = stream::Take::new(source, count, scope);
    Ok(scope.stream(Box::new(stage))?)
}

/// The items behind the first `count`.
pub fn stream_drop(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    count: i64,
) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    let (handle, count) = at_least(scope, handle, "the count of drop", 0, count)?;
    let source = take(scope, handle)?;
    Ok(scope.stream(Box::new(stream::Drop::new(source, count, is_ref)))?)
}

/// What `f` makes of the value before, from `start` on, and each item.
pub fn stream_scan(
    scope: &mut Scope,
    item: TypeId,
    value: TypeId,
    handle: Own<Stream>,
    start: Any,
    f: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    let (is_item_ref, is_ref) = (scope.type_desc(item).is_ref(), scope.type_desc(value).is_ref());
    match take(scope, handle) {
        Ok(source) => {
            let stage = stream::Scan::new(source, start, f, is_ref, is_item_ref);
            Ok(scope.stream(Box::new(stage))?)
        }
        Err(trap) => {
            scope.give_up(f);
            if is_ref {
                // SAFETY: an owned argument of a reference type.
                unsafe { scope.drop_word(start.word()) };
            }
            Err(trap)
        }
    }
}

/// `f` of each item's index and the item.
pub fn stream_indexed(
    scope: &mut Scope,
    item: TypeId,
    _: TypeId,
    handle: Own<Stream>,
    f: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    stage(scope, handle, f, |source, f| stream::Indexed::new(source, f, is_ref))
}

/// Lists of `size` items.
pub fn stream_chunks(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    size: i64,
) -> Result<Own<Stream>, Trap> {
    let (handle, size) = at_least(scope, handle, "the size of chunks", 1, size)?;
    let is_ref = scope.type_desc(item).is_ref();
    let source = take(scope, handle)?;
    Ok(scope.stream(Box::new(stream::Chunks::new(source, size as usize, is_ref)))?)
}

/// Each item once.
pub fn stream_distinct(scope: &mut Scope, item: TypeId, handle: Own<Stream>) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    let source = take(scope, handle)?;
    match map::new(scope) {
        Ok(seen) => Ok(scope.stream(Box::new(stream::Distinct::new(source, seen, item, is_ref)))?),
        Err(full) => {
            source.close(scope);
            Err(full.into())
        }
    }
}

/// The items that differ from the one before.
pub fn stream_changes(scope: &mut Scope, item: TypeId, handle: Own<Stream>) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    let source = take(scope, handle)?;
    Ok(scope.stream(Box::new(stream::Changes::new(source, item, is_ref)))?)
}

/// The items of the streams that a stream gives.
pub fn stream_flatten(scope: &mut Scope, handle: Own<Stream>) -> Result<Own<Stream>, Trap> {
    let source = take(scope, handle)?;
    Ok(scope.stream(Box::new(stream::Flatten::new(source)))?)
}

/// A result of each item, made by `ok`, and of a failure, made by `err`.
pub fn stream_results(
    scope: &mut Scope,
    item: TypeId,
    _: TypeId,
    handle: Own<Stream>,
    ok: Own<Closure>,
    err: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    match take(scope, handle) {
        Ok(source) => Ok(scope.stream(Box::new(stream::Results::new(source, is_ref, ok, err)))?),
        Err(trap) => {
            scope.give_up(ok);
            scope.give_up(err);
            Err(trap)
        }
    }
}

/// What the results that a stream gives hold; an error fails it.
pub fn stream_unwrapped(scope: &mut Scope, item: TypeId, handle: Own<Stream>) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    let source = take(scope, handle)?;
    Ok(scope.stream(Box::new(stream::Unwrapped::new(source, is_ref)))?)
}

/// What the options that a stream gives hold.
pub fn stream_somes(scope: &mut Scope, item: TypeId, handle: Own<Stream>) -> Result<Own<Stream>, Trap> {
    let item = scope.type_desc(item);
    let (is_bare, is_ref) = (item.is_nullable_inside_option(), item.is_ref());
    let source = take(scope, handle)?;
    Ok(scope.stream(Box::new(stream::Somes::new(source, is_bare, is_ref)))?)
}

/// What `body` yields.
pub fn stream_generate(scope: &mut Scope, body: Own<Closure>) -> Result<Own<Stream>, Trap> {
    Ok(scope.stream(Box::new(stream::Generator::new(body)))?)
}

/// A tick every so many nanoseconds.
pub fn every(scope: &mut Scope, period: i64) -> Result<Own<Stream>, Trap> {
    match u64::try_from(period) {
        Ok(nanos) if nanos > 0 => {
            let source = stream::Every::new(Duration::from_nanos(nanos));
            Ok(scope.stream(Box::new(source))?)
        }
        _ => Err(Trap::native("the period of every is not positive")),
    }
}

/// The lines of standard input.
pub fn stdin(scope: &mut Scope) -> Result<Own<Stream>, Trap> {
    let source = stream::Stdin::new(stream::standard_input(), scope.app().limits().max_line);
    Ok(scope.stream(Box::new(source))?)
}

/// The lines, up to the limit of the version, of these pieces.
pub(super) fn lines_of(scope: &mut Scope, pieces: impl Pieces + 'static) -> Result<Own<Stream>, Trap> {
    let source = LinesOf::new(pieces, scope.app().limits().max_line);
    Ok(scope.stream(Box::new(source))?)
}

/// The lines of a file.
pub fn file_lines(scope: &mut Scope, path: Text) -> Result<Own<Stream>, Trap> {
    lines_of(scope, FilePieces::new(path.as_str()))
}

/// The lines of a file that grows, its last `last` ones first, or all of them.
pub fn tail_file(scope: &mut Scope, path: Text, last: i64, all: i64) -> Result<Own<Stream>, Trap> {
    let Ok(last) = u64::try_from(last) else {
        return Err(Trap::native("the count of lines of tail-file is negative"));
    };
    let from = if all != 0 { From::Start } else { From::Last(last) };
    lines_of(scope, TailPieces::new(path.as_str(), from))
}

/// The lines that a child process writes. `command` is the program and its arguments.
pub fn exec_stream(
    scope: &mut Scope,
    command: List,
    dir: Text,
    names: List,
    values: List,
) -> Result<Own<Stream>, Trap> {
    let owned = |text: Text| text.as_str().to_owned();
    let mut command = command.texts().map(owned);
    let invocation = stream::Invocation {
        program: command.next().unwrap_or_default(),
        args: command.collect(),
        dir: owned(dir),
        env: names.texts().map(owned).zip(values.texts().map(owned)).collect(),
    };
    lines_of(scope, ChildPieces::new(invocation))
}
