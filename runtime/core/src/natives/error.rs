//! Natives of `error.weir` and `result.weir`: failures of natives, and errors that end the program.

use crate::failure::{Failure, KINDS};
use crate::scope::Scope;
use crate::value::{Error, Own, Text};
use weir_abi::trap::Trap;

/// What stands for a failure that nobody recorded.
fn unknown() -> Failure {
    Failure::of_kind("failed", "unknown failure")
}

/// The kind of the failure that was recorded last.
pub fn failure_kind(scope: &mut Scope) -> Result<Own<Text>, Trap> {
    let kind = scope.failure.get_or_insert_with(unknown).kind;
    Ok(scope.text(kind)?)
}

/// Its HTTP status; 0 where the kind says it.
pub fn failure_status(scope: &mut Scope) -> Result<i64, Trap> {
    let failure = scope.failure.get_or_insert_with(unknown);
    let is_usual = KINDS.contains(&(failure.kind, failure.status));
    Ok(if is_usual { 0 } else { i64::from(failure.status) })
}

/// What it says; the failure is taken.
pub fn failure_message(scope: &mut Scope) -> Result<Own<Text>, Trap> {
    let failure = scope.failure.take().unwrap_or_else(unknown);
    Ok(scope.text(&failure.message)?)
}

/// Ends the program with that error: compiled code returns behind this.
pub fn fail_program(scope: &mut Scope, error: Error) -> Result<(), Trap> {
    scope.ended = Some(error.failure());
    Ok(())
}
