//! Whether what each operation mentions exists and is of the right kind.

use super::{Stage, Wrong, is_of_counts};
use crate::ir::{BlockId, FuncId, Function, FunctionKind, Module, Op, PartKind, Repr, Terminator, Var};
use weir_abi::native::Mode;

/// What is wrong with an operation.
type Checked = Result<(), String>;

pub(super) fn check(module: &Module, f: &Function, stage: Stage) -> Result<(), Wrong> {
    let form = Form { module, f };
    let at = |block, op| move |what| Wrong { block, op, what };
    form.params().map_err(at(0, 0))?;
    for (b, block) in f.blocks.iter().enumerate() {
        for (i, inst) in block.ops.iter().enumerate() {
            form.exist(&inst.op).and_then(|()| form.op(&inst.op)).map_err(at(b, i))?;
            if stage == Stage::Uncounted && is_of_counts(&inst.op) {
                return Err(at(b, i)("a count before the counting pass".to_owned()));
            }
        }
        form.end(&block.end).map_err(at(b, block.ops.len()))?;
    }
    Ok(())
}

struct Form<'a> {
    module: &'a Module,
    f: &'a Function,
}

impl Form<'_> {
    fn repr(&self, v: Var) -> Repr {
        self.f.vars[v.0 as usize].repr
    }

    fn params(&self) -> Checked {
        for p in &self.f.params {
            if p.var.0 as usize >= self.f.vars.len() {
                return Err(format!("parameter %{} is no variable", p.var.0));
            }
            if self.repr(p.var).is_ref() != (p.mode != Mode::Word) {
                return Err(format!("parameter %{} is passed as {:?}", p.var.0, p.mode));
            }
        }
        let first = self.f.params.first();
        if self.f.kind == FunctionKind::Closure && first.is_none_or(|p| p.mode != Mode::Borrow) {
            return Err("a closure does not borrow itself".to_owned());
        }
        if self.f.blocks.is_empty() {
            return Err("no block".to_owned());
        }
        Ok(())
    }

    fn exist(&self, op: &Op) -> Checked {
        let mut missing = None;
        let mut look = |v: Var| {
            if v.0 as usize >= self.f.vars.len() {
                missing = Some(v);
            }
        };
        op.operands(&mut look);
        op.result().into_iter().for_each(&mut look);
        missing.map_or(Ok(()), |v| Err(format!("%{} is no variable", v.0)))
    }

    fn is(&self, v: Var, reference: bool) -> Checked {
        if self.repr(v).is_ref() == reference {
            return Ok(());
        }
        Err(format!("%{} is {:?}", v.0, self.repr(v)))
    }

    fn words(&self, all: &[Var]) -> Checked {
        all.iter().try_for_each(|v| self.is(*v, false))
    }

    fn fits(&self, from: Repr, to: Repr) -> Checked {
        if from == to || (from == Repr::Ref && to == Repr::NullableRef) {
            return Ok(());
        }
        Err(format!("{from:?} where {to:?} is wanted"))
    }

    fn function(&self, id: FuncId) -> Result<&Function, String> {
        self.module.functions.get(id.0 as usize).ok_or_else(|| format!("no function {}", id.0))
    }

    fn op(&self, op: &Op) -> Checked {
        match op {
            Op::Const(d, _) => self.is(*d, false),
            Op::Null(d) => self.fits(Repr::NullableRef, self.repr(*d)),
            Op::Text(d, id) => {
                self.is(*d, true)?;
                self.module.texts.get(id.0 as usize).map(|_| ()).ok_or_else(|| "no such text".to_owned())
            }
            Op::Case(d, _) => self.is(*d, true),
            Op::Global(v, g) | Op::SetGlobal(g, v) => {
                let global = self.module.globals.get(g.0 as usize).ok_or("no such global")?;
                let (from, to) = (global.repr, self.repr(*v));
                if matches!(op, Op::Global(..)) { self.fits(from, to) } else { self.fits(to, from) }
            }
            // A move or alias may take a reference that was found not to be 0.
            Op::Move(d, s) | Op::Alias(d, s) => self.is(*d, self.repr(*s).is_ref()),
            Op::Prim(_, d, a, b) => self.words(&[*d, *a]).and_then(|()| self.words(b.as_slice())),
            Op::Step(d, v) => self.words(&[*d, *v]),
            Op::IsNull(d, v) => self.is(*d, false).and_then(|()| self.is(*v, true)),
            Op::Call(d, callee, args) => self.call(*d, *callee, args),
            Op::CallClosure(_, callee, _) => self.is(*callee, true),
            Op::CallNative { .. } => self.native(op),
            Op::Append(d, text, parts) => {
                self.is(*d, true).and_then(|()| self.is(*text, true))?;
                parts.iter().try_for_each(|(kind, v)| self.part(*kind, *v))
            }
            Op::Concat(d, parts) => {
                self.is(*d, true)?;
                parts.iter().try_for_each(|(kind, v)| self.part(*kind, *v))
            }
            Op::New(d, _, size, words) | Op::NewIn(d, _, _, size, words) => {
                self.is(*d, true)?;
                if let Op::NewIn(_, token, ..) = op {
                    self.is(*token, true)?;
                }
                let room = (size.saturating_sub(8) / 8) as usize;
                if room == words.len() {
                    Ok(())
                } else {
                    Err(format!("{} words for {size} bytes", words.len()))
                }
            }
            Op::NewClosure(d, _, _, code, _) => {
                self.is(*d, true)?;
                let is_closure = self.function(*code)?.kind == FunctionKind::Closure;
                if is_closure { Ok(()) } else { Err("a closure object for a direct function".to_owned()) }
            }
            Op::NewList(d, ..) => self.is(*d, true),
            Op::Load(_, from, _) => self.is(*from, true),
            Op::ListGet(_, list, index) | Op::ListGetUnchecked(_, list, index) => {
                self.is(*list, true).and_then(|()| self.is(*index, false))
            }
            // A reference that is made unique is of the same kind, unless it was found not to be 0.
            Op::Unique(d, v) | Op::Hollow(d, v, _) => self.is(*d, true).and_then(|()| self.is(*v, true)),
            Op::Take(d, from, _) => self.is(*d, true).and_then(|()| self.is(*from, true)),
            Op::Store(to, ..) => self.is(*to, true),
            Op::ListTake(d, list, index) => {
                self.is(*d, true)?;
                self.is(*list, true).and_then(|()| self.is(*index, false))
            }
            Op::ListCheck(list, index) | Op::ListSet(list, index, _) => {
                self.is(*list, true).and_then(|()| self.is(*index, false))
            }
            Op::Second(_) | Op::Stop => Ok(()),
            Op::GiveSecond(v) => match self.f.second {
                Some(second) => self.fits(self.repr(*v), second),
                None => Err("a second result of a function without one".to_owned()),
            },
            Op::Dup(v) | Op::Drop(v) => self.is(*v, true),
        }
    }

    fn call(&self, d: Var, callee: FuncId, args: &[Var]) -> Checked {
        let callee = self.function(callee)?;
        if args.len() != callee.params.len() {
            return Err(format!("{} arguments for {} parameters", args.len(), callee.params.len()));
        }
        for (arg, p) in args.iter().zip(&callee.params) {
            self.fits(self.repr(*arg), callee.vars[p.var.0 as usize].repr)?;
        }
        self.fits(callee.result, self.repr(d))
    }

    fn native(&self, op: &Op) -> Checked {
        let Op::CallNative { native, types, args, .. } = op else { return Ok(()) };
        let row = native.row();
        if args.len() != row.params.len() || types.is_empty() == row.types {
            return Err(format!("{} arguments, {} types for {row:?}", args.len(), types.len()));
        }
        let mut words = args.iter().zip(row.params).filter(|(_, mode)| **mode == Mode::Word);
        words.try_for_each(|(v, _)| self.is(*v, false))
    }

    fn part(&self, kind: PartKind, v: Var) -> Checked {
        match kind {
            PartKind::Text => self.is(v, true),
            PartKind::Int => self.is(v, false),
            PartKind::Typed(ty) => {
                let ty = self.module.types.get(ty.0 as usize).ok_or("no such type")?;
                self.is(v, ty.is_ref())
            }
        }
    }

    fn end(&self, end: &Terminator) -> Checked {
        let mut missing = None;
        end.uses(|v, _| missing = missing.or((v.0 as usize >= self.f.vars.len()).then_some(v)));
        if let Some(v) = missing {
            return Err(format!("%{} is no variable", v.0));
        }
        for to in end.successors() {
            if to.0 as usize >= self.f.blocks.len() || to == BlockId(0) {
                return Err(format!("leads to b{}", to.0));
            }
        }
        match end {
            Terminator::Branch(v, ..) => self.is(*v, false),
            Terminator::Return(v) => self.fits(self.repr(*v), self.f.result),
            Terminator::Trap(_, a, b) => self.words(a.as_slice()).and_then(|()| self.words(b.as_slice())),
            Terminator::Jump(_) | Terminator::Unreachable => Ok(()),
        }
    }
}
