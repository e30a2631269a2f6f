//! Natives of `stream.weir` that put stages upon streams which need time, a task, or several streams.

use super::stream::{at_least, take};
use crate::scope::Scope;
use crate::stream;
use crate::value::{Any, Closure, List, Own, Stream};
use std::time::Duration;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// The items, each within a time.
pub fn stream_timeout(scope: &mut Scope, handle: Own<Stream>, nanos: i64) -> Result<Own<Stream>, Trap> {
    let (handle, nanos) = at_least(scope, handle, "the time of timeout", 0, nanos)?;
    let (source, time) = (take(scope, handle)?, Duration::from_nanos(nanos));
    Ok(scope.stream(Box::new(stream::Timeout::new(source, time)))?)
}

/// The items, at most one in a time.
pub fn stream_throttle(scope: &mut Scope, handle: Own<Stream>, nanos: i64) -> Result<Own<Stream>, Trap> {
    let (handle, nanos) = at_least(scope, handle, "the time of throttle", 0, nanos)?;
    let (source, time) = (take(scope, handle)?, Duration::from_nanos(nanos));
    Ok(scope.stream(Box::new(stream::Throttle::new(source, time)))?)
}

/// The items, and `item` whenever none came for a time.
pub fn stream_heartbeat(
    scope: &mut Scope,
    of: TypeId,
    handle: Own<Stream>,
    nanos: i64,
    item: Any,
) -> Result<Own<Stream>, Trap> {
    let is_ref = scope.type_desc(of).is_ref();
    let checked = at_least(scope, handle, "the time of heartbeat", 1, nanos);
    match checked.and_then(|(handle, nanos)| Ok((take(scope, handle)?, nanos))) {
        Ok((source, nanos)) => {
            let time = Duration::from_nanos(nanos);
            Ok(scope.stream(Box::new(stream::Heartbeat::new(source, time, item, is_ref)))?)
        }
        Err(trap) => {
            stream::give_up(scope, item, is_ref);
            Err(trap)
        }
    }
}

/// The items, read up to `size` of them ahead.
pub fn stream_buffer(
    scope: &mut Scope,
    item: TypeId,
    handle: Own<Stream>,
    size: i64,
) -> Result<Own<Stream>, Trap> {
    let (handle, size) = at_least(scope, handle, "the size of buffer", 1, size)?;
    let is_ref = scope.type_desc(item).is_ref();
    let source = take(scope, handle)?;
    Ok(scope.stream(Box::new(stream::Buffer::new(source, size as usize, is_ref)))?)
}

/// The items of several streams, as they come.
pub fn stream_merge(scope: &mut Scope, streams: Own<List>) -> Result<Own<Stream>, Trap> {
    let mut sources = Vec::with_capacity(streams.get().len());
    for item in streams.get().items() {
        let handle = scope.dup(item.as_arg::<Stream>());
        match take(scope, handle) {
            Ok(source) => sources.push(source),
            Err(trap) => {
                for source in sources {
                    source.close(scope);
                }
                scope.give_up(streams);
                return Err(trap);
            }
        }
    }
    scope.give_up(streams);
    Ok(scope.stream(Box::new(stream::Merge::new(sources)))?)
}

/// What `f` makes of the items of two streams.
pub fn stream_zip(
    scope: &mut Scope,
    left: TypeId,
    right: TypeId,
    first: Own<Stream>,
    second: Own<Stream>,
    f: Own<Closure>,
) -> Result<Own<Stream>, Trap> {
    let (is_left, is_right) = (scope.type_desc(left).is_ref(), scope.type_desc(right).is_ref());
    let sources = match take(scope, first) {
        Ok(first) => match take(scope, second) {
            Ok(second) => Ok((first, second)),
            Err(trap) => {
                first.close(scope);
                Err(trap)
            }
        },
        Err(trap) => {
            scope.give_up(second);
            Err(trap)
        }
    };
    match sources {
        Ok((first, second)) => {
            let stage = stream::Zip::new((first, is_left), (second, is_right), f);
            Ok(scope.stream(Box::new(stage))?)
        }
        Err(trap) => {
            scope.give_up(f);
            Err(trap)
        }
    }
}
