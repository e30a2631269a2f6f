//! The native of `background { }`.

use super::Flow;
use crate::background;
use crate::scope::Scope;
use crate::value::{Closure, Own};
use weir_abi::trap::Trap;

/// Puts a block into the background: a scope of its own calls a copy of the closure.
pub fn background_start(scope: &mut Scope, block: Own<Closure>) -> Result<Flow, Trap> {
    background::begin(scope, block)
}
