//! Variables of operations: which they read and how, and which they set; also as places, for passes that rename them.
//!
//! And what an operation may do besides.

use crate::ir::{Function, Op, Prim, Result, Terminator, Use, Var};
use weir_abi::native::{Effect, Mode};

impl Op {
    /// Calls `each` with every variable the operation reads and how, in evaluation order. `functions` tells the modes of
    /// direct callees.
    pub fn uses(&self, functions: &[Function], mut each: impl FnMut(Var, Use)) {
        use Use::{Borrow, Consume};
        let by_mode = |mode: Mode| if mode == Mode::Own { Consume } else { Borrow };
        match self {
            Op::Const(..)
            | Op::Null(_)
            | Op::Text(..)
            | Op::Case(..)
            | Op::Global(..)
            | Op::Second(_)
            | Op::Stop => {}
            Op::SetGlobal(_, src)
            | Op::Move(_, src)
            | Op::Unique(_, src)
            | Op::Hollow(_, src, _)
            | Op::GiveSecond(src) => {
                each(*src, Consume);
            }
            Op::NewIn(_, token, _, _, words) => {
                each(*token, Consume);
                words.iter().for_each(|w| each(*w, Consume));
            }
            Op::Prim(_, _, a, b) => {
                each(*a, Borrow);
                if let Some(b) = b {
                    each(*b, Borrow);
                }
            }
            Op::IsNull(_, a) | Op::Load(_, a, _) | Op::Alias(_, a) | Op::Step(_, a) | Op::Take(_, a, _) => {
                each(*a, Borrow)
            }
            Op::Store(object, _, word) => {
                each(*object, Borrow);
                each(*word, Consume);
            }
            Op::Call(_, callee, args) => {
                for (arg, param) in args.iter().zip(&functions[callee.0 as usize].params) {
                    each(*arg, by_mode(param.mode));
                }
            }
            Op::CallClosure(_, callee, args) => {
                each(*callee, Borrow);
                args.iter().for_each(|a| each(*a, Consume));
            }
            Op::CallNative { native, args, .. } => {
                for (arg, mode) in args.iter().zip(native.row().params) {
                    each(*arg, by_mode(*mode));
                }
            }
            Op::Concat(_, parts) => parts.iter().for_each(|(_, v)| each(*v, Borrow)),
            Op::Append(_, text, parts) => {
                each(*text, Consume);
                parts.iter().for_each(|(_, v)| each(*v, Borrow));
            }
            Op::New(_, _, _, words) | Op::NewList(_, _, words) | Op::NewClosure(_, _, _, _, words) => {
                words.iter().for_each(|w| each(*w, Consume));
            }
            Op::ListGet(_, list, index)
            | Op::ListGetUnchecked(_, list, index)
            | Op::ListTake(_, list, index)
            | Op::ListCheck(list, index) => {
                each(*list, Borrow);
                each(*index, Borrow);
            }
            Op::ListSet(list, index, word) => {
                each(*list, Borrow);
                each(*index, Borrow);
                each(*word, Consume);
            }
            Op::Dup(v) => each(*v, Borrow),
            Op::Drop(v) => each(*v, Consume),
        }
    }

    /// The variable the operation sets, and whether it owns what it holds (meaningful for references only).
    pub fn gives(&self) -> Result {
        match self {
            Op::Const(d, _)
            | Op::Null(d)
            | Op::Text(d, _)
            | Op::Case(d, _)
            | Op::Global(d, _)
            | Op::Move(d, _)
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
            | Op::Second(d) => Result::Owned(*d),
            Op::Load(d, from, _)
            | Op::ListGet(d, from, _)
            | Op::ListGetUnchecked(d, from, _)
            | Op::Alias(d, from) => Result::Borrowed(*d, *from),
            Op::SetGlobal(..)
            | Op::Store(..)
            | Op::ListCheck(..)
            | Op::ListSet(..)
            | Op::GiveSecond(_)
            | Op::Stop
            | Op::Dup(_)
            | Op::Drop(_) => Result::None,
        }
    }

    /// The object that the operation changes in place.
    pub fn changes(&self) -> Option<Var> {
        match self {
            Op::Take(_, object, _)
            | Op::Store(object, ..)
            | Op::ListTake(_, object, _)
            | Op::ListSet(object, ..) => Some(*object),
            _ => None,
        }
    }

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
    /// Calls `each` with every variable it reads and how.
    pub fn uses(&self, mut each: impl FnMut(Var, Use)) {
        match self {
            Terminator::Jump(_) | Terminator::Unreachable => {}
            Terminator::Branch(v, _, _) => each(*v, Use::Borrow),
            Terminator::Return(v) => each(*v, Use::Consume),
            Terminator::Trap(_, a, b) => a.iter().chain(b).for_each(|v| each(*v, Use::Borrow)),
        }
    }

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
