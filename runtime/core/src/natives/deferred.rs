//! Natives of `deferred.weir`.

use crate::scope::Scope;
use crate::value::{Closure, Error, Own};
use weir_abi::trap::Trap;

/// How much the running fiber has put off.
pub fn defer_depth(scope: &mut Scope) -> Result<i64, Trap> {
    Ok(scope.deferred_depth() as i64)
}

/// Puts something off.
pub fn defer_push(scope: &mut Scope, closure: Own<Closure>) -> Result<(), Trap> {
    scope.push_deferred(closure);
    Ok(())
}

/// What was put off last, when that is more than `depth`.
pub fn defer_pop(scope: &mut Scope, depth: i64) -> Result<Option<Own<Closure>>, Trap> {
    Ok(scope.pop_deferred(usize::try_from(depth).unwrap_or(0)))
}

/// Writes to the log that what was put off failed.
pub fn defer_failed(scope: &mut Scope, error: Error) -> Result<(), Trap> {
    scope.log_failure(&error.failure());
    Ok(())
}
