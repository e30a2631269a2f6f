//! Variables of operations as places: what the passes need to rename them, and to know what an operation may do.
//!
//! Not here: which operands are consumed (`ir::Op::uses`).

use crate::ir::{Op, Prim, Result, Terminator, Var};
use weir_abi::native::Effect;

impl Op {
    /// The variable it sets.
    pub fn result(&self) -> Option<Var> {
        match self.gives() {
            Result::None => None,
            Result::Owned(d) | Result::Borrowed(d, _) => Some(d),
        }
    }

    /// The place of the variable it sets.
    pub(crate) fn result_mut(&mut self) -> Option<&mut Var> {
        match self {
            Op::Const(d, _)
            | Op::Null(d)
            | Op::Text(d, _)
            | Op::Case(d, _)
            | Op::Global(d, _)
            | Op::Move(d, _)
            | Op::Alias(d, _)
            | Op::Prim(_, d, ..)
            | Op::Step(d, _)
            | Op::IsNull(d, _)
            | Op::Call(d, ..)
            | Op::CallClosure(d, ..)
            | Op::CallNative { dst: d, .. }
            | Op::Concat(d, _)
            | Op::Append(d, ..)
            | Op::New(d, ..)
            | Op::NewClosure(d, ..)
            | Op::NewList(d, ..)
            | Op::Unique(d, _)
            | Op::Hollow(d, ..)
            | Op::NewIn(d, ..)
            | Op::Take(d, ..)
            | Op::ListTake(d, ..)
            | Op::Second(d)
            | Op::Load(d, ..)
            | Op::ListGet(d, ..)
            | Op::ListGetUnchecked(d, ..) => Some(d),
            Op::SetGlobal(..)
            | Op::Store(..)
            | Op::ListCheck(..)
            | Op::ListSet(..)
            | Op::GiveSecond(_)
            | Op::Stop
            | Op::Dup(_)
            | Op::Drop(_) => None,
        }
    }

    /// Calls `each` with the place of every variable it reads.
    pub(crate) fn operands_mut(&mut self, mut each: impl FnMut(&mut Var)) {
        match self {
            Op::Const(..)
            | Op::Null(_)
            | Op::Text(..)
            | Op::Case(..)
            | Op::Global(..)
            | Op::Second(_)
            | Op::Stop => {}
            Op::SetGlobal(_, a)
            | Op::Unique(_, a)
            | Op::Hollow(_, a, _)
            | Op::Take(_, a, _)
            | Op::GiveSecond(a)
            | Op::Move(_, a)
            | Op::Alias(_, a)
            | Op::Step(_, a)
            | Op::IsNull(_, a)
            | Op::Load(_, a, _)
            | Op::Dup(a)
            | Op::Drop(a) => each(a),
            Op::Prim(_, _, a, b) => {
                each(a);
                b.iter_mut().for_each(each);
            }
            Op::Call(_, _, args)
            | Op::CallNative { args, .. }
            | Op::New(_, _, _, args)
            | Op::NewList(_, _, args)
            | Op::NewClosure(_, _, _, _, args) => args.iter_mut().for_each(each),
            Op::NewIn(_, callee, _, _, args) | Op::CallClosure(_, callee, args) => {
                each(callee);
                args.iter_mut().for_each(each);
            }
            Op::Concat(_, parts) => parts.iter_mut().for_each(|(_, v)| each(v)),
            Op::Append(_, text, parts) => {
                each(text);
                parts.iter_mut().for_each(|(_, v)| each(v));
            }
            Op::ListGet(_, a, b)
            | Op::ListGetUnchecked(_, a, b)
            | Op::ListTake(_, a, b)
            | Op::ListCheck(a, b)
            | Op::Store(a, _, b) => {
                each(a);
                each(b);
            }
            Op::ListSet(a, b, c) => [a, b, c].into_iter().for_each(each),
        }
    }

    /// Calls `each` with every variable it reads.
    pub(crate) fn operands(&self, mut each: impl FnMut(Var)) {
        // No direct callee's modes are needed to know which variables are read.
        match self {
            Op::Call(_, _, args) => args.iter().for_each(|v| each(*v)),
            other => other.uses(&[], |v, _| each(v)),
        }
    }

    /// Whether nothing but its result tells that it ran, so that it may go when nobody wants the result. Running out of
    /// memory does not count as an effect.
    pub(crate) fn is_removable(&self) -> bool {
        match self {
            Op::Const(..)
            | Op::Null(_)
            | Op::Text(..)
            | Op::Case(..)
            | Op::Global(..)
            | Op::Move(..)
            | Op::Alias(..)
            | Op::Step(..)
            | Op::IsNull(..)
            | Op::Concat(..)
            | Op::Append(..)
            | Op::New(..)
            | Op::NewClosure(..)
            | Op::NewList(..)
            | Op::Load(..)
            | Op::Unique(..)
            | Op::ListGetUnchecked(..) => true,
            Op::Prim(prim, ..) => !prim_traps(*prim),
            Op::CallNative { native, .. } => native.row().effect == Effect::Pure,
            Op::SetGlobal(..)
            | Op::Call(..)
            | Op::CallClosure(..)
            | Op::ListGet(..)
            | Op::Take(..)
            | Op::Store(..)
            | Op::ListCheck(..)
            | Op::ListTake(..)
            | Op::ListSet(..)
            | Op::Second(_)
            | Op::GiveSecond(_)
            | Op::Hollow(..)
            | Op::NewIn(..)
            | Op::Stop
            | Op::Dup(_)
            | Op::Drop(_) => false,
        }
    }
}

fn prim_traps(prim: Prim) -> bool {
    matches!(prim, Prim::Add | Prim::Sub | Prim::Mul | Prim::Div | Prim::Rem | Prim::Neg)
}

impl Terminator {
    /// Calls `each` with the place of every variable it reads.
    pub(crate) fn operands_mut(&mut self, each: impl FnMut(&mut Var)) {
        match self {
            Terminator::Jump(_) | Terminator::Unreachable => {}
            Terminator::Branch(v, _, _) | Terminator::Return(v) => [v].into_iter().for_each(each),
            Terminator::Trap(_, a, b) => a.iter_mut().chain(b).for_each(each),
        }
    }

    /// Calls `each` with the place of every target.
    pub(crate) fn targets_mut(&mut self, mut each: impl FnMut(&mut crate::ir::BlockId)) {
        match self {
            Terminator::Jump(to) => each(to),
            Terminator::Branch(_, yes, no) => {
                each(yes);
                each(no);
            }
            Terminator::Return(_) | Terminator::Trap(..) | Terminator::Unreachable => {}
        }
    }

    /// Whether control never comes back from here: nothing is left to be given back.
    pub(crate) fn is_end_of_all(&self) -> bool {
        matches!(self, Terminator::Trap(..) | Terminator::Unreachable)
    }
}
