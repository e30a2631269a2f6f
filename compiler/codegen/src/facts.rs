//! What a function may do at run time, as far as its code and its callers' code depend on it.

use crate::natives;
use weir_abi::native::Effect;
use weir_ir::ir::{Function, Op};

/// See the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// It calls something besides `stop` and `trap`, and so checks the stack in its prologue.
    pub(crate) calls: bool,
    /// Its fiber may be suspended inside it or inside what it calls: by a stop check, or by a native that waits.
    pub(crate) suspends: bool,
}

impl Facts {
    /// Reads them off the operations. A function that calls anything has a stop check, so no look at the callees is
    /// needed.
    pub(crate) fn of(function: &Function) -> Self {
        let ops = || function.blocks.iter().flat_map(|b| &b.ops).map(|i| &i.op);
        let calls = ops().any(calls);
        Self { calls, suspends: calls || ops().any(|op| matches!(op, Op::Stop)) }
    }
}

fn calls(op: &Op) -> bool {
    match op {
        Op::Call(..)
        | Op::CallClosure(..)
        | Op::Concat(..)
        | Op::Append(..)
        | Op::New(..)
        | Op::NewClosure(..)
        | Op::NewList(..)
        | Op::Unique(..)
        | Op::Hollow(..)
        | Op::NewIn(..)
        | Op::Drop(_) => true,
        Op::CallNative { native, .. } => natives::inline(*native).is_none(),
        Op::Const(..)
        | Op::Null(_)
        | Op::Text(..)
        | Op::Case(..)
        | Op::Global(..)
        | Op::SetGlobal(..)
        | Op::Move(..)
        | Op::Alias(..)
        | Op::Prim(..)
        | Op::Step(..)
        | Op::IsNull(..)
        | Op::Load(..)
        | Op::ListGet(..)
        | Op::ListGetUnchecked(..)
        | Op::Take(..)
        | Op::Store(..)
        | Op::ListCheck(..)
        | Op::ListTake(..)
        | Op::ListSet(..)
        | Op::Second(_)
        | Op::GiveSecond(_)
        | Op::Stop
        | Op::Dup(_) => false,
    }
}

/// Whether a fiber may be suspended in a native of that effect.
pub(crate) fn waits(effect: Effect) -> bool {
    effect >= Effect::Waits
}
