//! Variables of operations: which they read and how, and which they set; also as places, for passes that rename them.
//!
//! And what an operation may do besides.

use crate::ir::{FuncId, Function, Op, Prim, Result, Terminator, Use, Var};
use weir_abi::native::{Effect, Mode};

/// Which variable an operation sets, for `&Op` and `&mut Op`.
macro_rules! set_by {
    ($op:expr) => {
        match $op {
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
    };
}

/// Which variables an operation reads, in evaluation order, and what it does with each, for `&Op` and `&mut Op`. `modes`
/// gives what a direct callee does with its arguments.
macro_rules! read_by {
    ($op:expr, $modes:ident, $each:ident) => {
        match $op {
            Op::Const(..)
            | Op::Null(_)
            | Op::Text(..)
            | Op::Case(..)
            | Op::Global(..)
            | Op::Second(_)
            | Op::Stop => {}
            Op::SetGlobal(_, v)
            | Op::Move(_, v)
            | Op::Unique(_, v)
            | Op::Hollow(_, v, _)
            | Op::GiveSecond(v)
            | Op::Drop(v) => $each(v, Use::Consume),
            Op::IsNull(_, v)
            | Op::Load(_, v, _)
            | Op::Alias(_, v)
            | Op::Step(_, v)
            | Op::Take(_, v, _)
            | Op::Dup(v) => $each(v, Use::Borrow),
            Op::Prim(_, _, a, b) => {
                $each(a, Use::Borrow);
                if let Some(b) = b {
                    $each(b, Use::Borrow);
                }
            }
            Op::NewIn(_, token, _, _, words) => {
                $each(token, Use::Consume);
                for word in words {
                    $each(word, Use::Consume);
                }
            }
            Op::New(_, _, _, words) | Op::NewList(_, _, words) | Op::NewClosure(_, _, _, _, words) => {
                for word in words {
                    $each(word, Use::Consume);
                }
            }
            Op::Call(_, callee, args) => {
                for (arg, mode) in args.into_iter().zip($modes(*callee)) {
                    $each(arg, by_mode(mode));
                }
            }
            Op::CallClosure(_, callee, args) => {
                $each(callee, Use::Borrow);
                for arg in args {
                    $each(arg, Use::Consume);
                }
            }
            Op::CallNative { native, args, .. } => {
                for (arg, mode) in args.into_iter().zip(native.row().params) {
                    $each(arg, by_mode(*mode));
                }
            }
            Op::Concat(_, parts) => {
                for (_, part) in parts {
                    $each(part, Use::Borrow);
                }
            }
            Op::Append(_, text, parts) => {
                $each(text, Use::Consume);
                for (_, part) in parts {
                    $each(part, Use::Borrow);
                }
            }
            Op::ListGet(_, list, index)
            | Op::ListGetUnchecked(_, list, index)
            | Op::ListTake(_, list, index)
            | Op::ListCheck(list, index) => {
                $each(list, Use::Borrow);
                $each(index, Use::Borrow);
            }
            Op::Store(object, _, word) => {
                $each(object, Use::Borrow);
                $each(word, Use::Consume);
            }
            Op::ListSet(list, index, word) => {
                $each(list, Use::Borrow);
                $each(index, Use::Borrow);
                $each(word, Use::Consume);
            }
        }
    };
}

/// For where it is not asked what happens to what is read.
fn any_mode(_: FuncId) -> impl Iterator<Item = Mode> {
    std::iter::repeat(Mode::Borrow)
}

fn by_mode(mode: Mode) -> Use {
    if mode == Mode::Own { Use::Consume } else { Use::Borrow }
}

impl Op {
    /// Calls `each` with every variable the operation reads and how, in evaluation order. `functions` tells the modes of
    /// direct callees.
    pub fn uses(&self, functions: &[Function], mut each: impl FnMut(Var, Use)) {
        let modes = |callee: FuncId| functions[callee.0 as usize].params.iter().map(|param| param.mode);
        let mut each = |v: &Var, how| each(*v, how);
        read_by!(self, modes, each);
    }

    /// The variable the operation sets, and whether it owns what it holds (meaningful for references only).
    pub fn gives(&self) -> Result {
        match self {
            Op::Load(d, from, _)
            | Op::ListGet(d, from, _)
            | Op::ListGetUnchecked(d, from, _)
            | Op::Alias(d, from) => Result::Borrowed(*d, *from),
            owned => owned.result().map_or(Result::None, Result::Owned),
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
        set_by!(self).copied()
    }

    /// The place of the variable it sets.
    pub(crate) fn result_mut(&mut self) -> Option<&mut Var> {
        set_by!(self)
    }

    /// Calls `each` with the place of every variable it reads.
    pub(crate) fn operands_mut(&mut self, mut each: impl FnMut(&mut Var)) {
        let mut each = |v: &mut Var, _| each(v);
        read_by!(self, any_mode, each);
    }

    /// Calls `each` with every variable it reads.
    pub(crate) fn operands(&self, mut each: impl FnMut(Var)) {
        let mut each = |v: &Var, _| each(*v);
        read_by!(self, any_mode, each);
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
