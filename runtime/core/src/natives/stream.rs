//! Natives of `stream.weir`, and the sources of `prelude.weir`.

use super::Flow;
use crate::heap::Word;
use crate::scope::{Operation, Scope, Source};
use crate::stream;
use crate::value::{Closure, Own, Stream, Text};
use std::task::{Context, Poll};
use std::time::Duration;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// How many stages may lie upon each other: each pull goes through all of them on the worker's stack.
const MAX_DEPTH: usize = 500;

/// Takes the stream out of a handle, to put a stage upon it.
fn take(scope: &mut Scope, handle: Own<Stream>) -> Result<Box<dyn Source>, Trap> {
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
}

/// Whether the last pull failed.
pub fn stream_failed(scope: &mut Scope) -> Result<bool, Trap> {
    Ok(scope.failure.is_some())
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
    match take(scope, handle) {
        Ok(source) => Ok(scope.stream(Box::new(stream::Map::new(source, f, is_ref)))?),
        Err(trap) => {
            scope.give_up(f);
            Err(trap)
        }
    }
}

/// The items for which `keep` holds.
pub fn stream_filter(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    keep: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(item).is_ref();
    match take(scope, handle) {
        Ok(source) => Ok(scope.stream(Box::new(stream::Filter::new(source, keep, is_ref)))?),
        Err(trap) => {
            scope.give_up(keep);
            Err(trap)
        }
    }
}

/// The first `count` items.
pub fn stream_take(scope: &mut Scope, handle: Own<Stream>, count: i64) -> Result<Own<Stream>, Trap> {
    let Ok(count) = u64::try_from(count) else {
        scope.give_up(handle);
        return Err(Trap::native("the count of take is negative"));
    };
    let source = take(scope, handle)?;
    let stage = stream::Take::new(source, count, scope);
    Ok(scope.stream(Box::new(stage))?)
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

/// The lines that a GET of `url` answers with.
pub fn get_stream(scope: &mut Scope, url: Text) -> Result<Own<Stream>, Trap> {
    let source = stream::Upstream::new(url.as_str(), scope.app().limits().max_line);
    Ok(scope.stream(Box::new(source))?)
}
