//! Whether second results are where code generation expects them: right behind the call that gives them, and right before
//! the return.
//!
//! Only moves and operations on counts, none of which can suspend a fiber or change what a call left behind, may stand
//! between.

use super::Wrong;
use crate::ir::{Block, Function, Module, Op, Terminator};
use weir_abi::native::Gives;

pub(super) fn check(module: &Module, f: &Function) -> Result<(), Wrong> {
    for (b, block) in f.blocks.iter().enumerate() {
        in_block(module, f, block).map_err(|(op, what)| Wrong { block: b, op, what: what.to_owned() })?;
    }
    Ok(())
}

fn in_block(module: &Module, f: &Function, block: &Block) -> Result<(), (usize, &'static str)> {
    // Whether a second result is there to be taken, and whether this function's own was given.
    let (mut open, mut given) = (false, false);
    for (i, inst) in block.ops.iter().enumerate() {
        match &inst.op {
            Op::Second(_) if !open => return Err((i, "no call left a second result")),
            Op::Second(_) => open = false,
            Op::Move(..) | Op::Alias(..) | Op::Dup(_) | Op::Drop(_) | Op::Hollow(..) => {}
            _ if open => return Err((i, "the second result of the call before was not taken")),
            _ if given => return Err((i, "between the second result and the return")),
            Op::GiveSecond(_) => given = true,
            op => open = gives_second(module, op),
        }
    }
    let end = block.ops.len();
    let returns = matches!(block.end, Terminator::Return(_));
    match () {
        () if open && !block.end.is_end_of_all() => Err((end, "the second result of the call is not taken")),
        () if given != (returns && f.second.is_some()) => {
            Err((end, "the second result and the return disagree"))
        }
        () => Ok(()),
    }
}

/// Whether the operation leaves a second result.
fn gives_second(module: &Module, op: &Op) -> bool {
    match op {
        Op::Call(_, callee, _) => {
            module.functions.get(callee.0 as usize).is_some_and(|callee| callee.second.is_some())
        }
        Op::CallNative { native, .. } => native.row().gives == Gives::Both,
        _ => false,
    }
}
