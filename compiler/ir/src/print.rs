//! The readable form of a module, for `weir check --emit ir` and for tests.
//!
//! ```text
//! fn list.push-twice(own self%0: ref, x%1: word) -> ref
//! b0:
//!   self%0 = list-push own self%0, x%1
//!   return self%0
//! ```
//! Stable: it depends on the module alone. Not here: a reader for it.

use crate::ir::{FuncId, Function, FunctionKind, Module, Op, PartKind, Prim, Repr, Terminator, Var};
use std::fmt::{self, Write};
use weir_abi::layout::shape;
use weir_abi::native::Mode;

/// The whole module: globals, then functions.
pub fn print(module: &Module) -> String {
    let mut out = String::new();
    for (i, global) in module.globals.iter().enumerate() {
        let _ = writeln!(out, "global {}@{i}: {}", global.name, repr(global.repr));
    }
    for i in 0..module.functions.len() {
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = write_function(&mut out, module, FuncId(i as u32));
    }
    out
}

/// One function.
pub(crate) fn print_function(module: &Module, id: FuncId) -> String {
    let mut out = String::new();
    let _ = write_function(&mut out, module, id);
    out
}

fn write_function(out: &mut String, module: &Module, id: FuncId) -> fmt::Result {
    let f = &module.functions[id.0 as usize];
    let kind = if f.kind == FunctionKind::Closure { "closure" } else { "fn" };
    write!(out, "{kind} {}(", f.name)?;
    for (i, p) in f.params.iter().enumerate() {
        let mode = match p.mode {
            Mode::Own => "own ",
            Mode::Borrow => "borrow ",
            Mode::Word => "",
        };
        let comma = if i > 0 { ", " } else { "" };
        write!(out, "{comma}{mode}{}: {}", Name(f, p.var), repr(f.vars[p.var.0 as usize].repr))?;
    }
    write!(out, ") -> {}", repr(f.result))?;
    if let Some(second) = f.second {
        write!(out, ", {}", repr(second))?;
    }
    out.push('\n');
    for (i, block) in f.blocks.iter().enumerate() {
        writeln!(out, "b{i}:")?;
        for inst in &block.ops {
            writeln!(out, "  {}", Operation { module, f, op: &inst.op })?;
        }
        writeln!(out, "  {}", End { f, end: &block.end })?;
    }
    Ok(())
}

fn repr(repr: Repr) -> &'static str {
    match repr {
        Repr::Word => "word",
        Repr::Float => "float",
        Repr::Ref => "ref",
        Repr::NullableRef => "ref?",
    }
}

struct Name<'a>(&'a Function, Var);

impl fmt::Display for Name<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(info) = self.0.vars.get(self.1.0 as usize) else { return write!(out, "?%{}", self.1.0) };
        write!(out, "{}%{}", info.name, self.1.0)
    }
}

struct Names<'a>(&'a Function, &'a [Var]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, v) in self.1.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(out, "{comma}{}", Name(self.0, *v))?;
        }
        Ok(())
    }
}

/// An operation of a function.
pub(crate) struct Operation<'a> {
    pub(crate) module: &'a Module,
    pub(crate) f: &'a Function,
    pub(crate) op: &'a Op,
}

impl fmt::Display for Operation<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (module, f) = (self.module, self.f);
        let name = |v: &Var| Name(f, *v);
        if let Some(d) = self.op.result() {
            write!(out, "{} = ", name(&d))?;
        }
        match self.op {
            Op::Const(_, n) => write!(out, "{n}"),
            Op::Null(_) => write!(out, "none"),
            Op::Text(_, id) => match module.texts.get(id.0 as usize) {
                Some(text) => match str::from_utf8(text) {
                    Ok(text) => write!(out, "{text:?}"),
                    Err(_) => write!(out, "b\"{}\"", text.escape_ascii()),
                },
                None => write!(out, "text @{}", id.0),
            },
            Op::Case(_, index) => write!(out, "case {index}"),
            Op::Global(_, g) => write!(out, "global {}@{}", global(module, g.0), g.0),
            Op::SetGlobal(g, v) => write!(out, "set global {}@{} = {}", global(module, g.0), g.0, name(v)),
            Op::Move(_, s) => write!(out, "{}", name(s)),
            Op::Alias(_, s) => write!(out, "borrow {}", name(s)),
            Op::Prim(prim, _, a, Some(b)) => write!(out, "{} {}, {}", prim_name(*prim), name(a), name(b)),
            Op::Prim(prim, _, a, None) => write!(out, "{} {}", prim_name(*prim), name(a)),
            Op::Step(_, v) => write!(out, "step {}", name(v)),
            Op::IsNull(_, v) => write!(out, "is-none {}", name(v)),
            Op::Call(_, callee, args) => match module.functions.get(callee.0 as usize) {
                Some(callee) => write!(out, "call {}({})", callee.name, Names(f, args)),
                None => write!(out, "call @{}({})", callee.0, Names(f, args)),
            },
            Op::CallClosure(_, callee, args) => {
                write!(out, "call closure {}({})", name(callee), Names(f, args))
            }
            Op::CallNative { native, types, args, .. } => {
                write!(out, "{}", native.row().name)?;
                if !types.is_empty() {
                    let types: Vec<String> = types.iter().map(|t| format!("type {}", t.0)).collect();
                    write!(out, "[{}]", types.join(", "))?;
                }
                write!(out, "({})", Names(f, args))
            }
            Op::Concat(_, parts) => write!(out, "concat{}", Parts(f, parts)),
            Op::Append(_, text, parts) => write!(
                out,
                "append {}{}{}",
                name(text),
                if parts.is_empty() { "" } else { "," },
                Parts(f, parts)
            ),
            Op::New(_, shape, _, words) => {
                write!(out, "new {} [{}]", shape_name(module, *shape), Names(f, words))
            }
            Op::NewClosure(_, shape, _, _, words) => {
                write!(out, "new {} [{}]", shape_name(module, *shape), Names(f, words))
            }
            Op::NewList(_, shape, words) => {
                write!(out, "new {} [{}]", shape_name(module, *shape), Names(f, words))
            }
            Op::Load(_, v, offset) => write!(out, "load {} + {offset}", name(v)),
            Op::ListGet(_, list, index) => write!(out, "get {}[{}]", name(list), name(index)),
            Op::ListGetUnchecked(_, list, index) => {
                write!(out, "get unchecked {}[{}]", name(list), name(index))
            }
            Op::Unique(_, v) => write!(out, "unique {}", name(v)),
            Op::Take(_, v, offset) => write!(out, "take {} + {offset}", name(v)),
            Op::Store(v, offset, word) => write!(out, "store {} + {offset} = {}", name(v), name(word)),
            Op::ListCheck(list, index) => write!(out, "check {}[{}]", name(list), name(index)),
            Op::ListTake(_, list, index) => write!(out, "take {}[{}]", name(list), name(index)),
            Op::ListSet(list, index, word) => {
                write!(out, "store {}[{}] = {}", name(list), name(index), name(word))
            }
            Op::Hollow(_, v, shape) => write!(out, "hollow {} as {}", name(v), shape_name(module, *shape)),
            Op::NewIn(_, token, shape, _, words) => {
                let shape = shape_name(module, *shape);
                write!(out, "new {shape} in {} [{}]", name(token), Names(f, words))
            }
            Op::Second(_) => write!(out, "second"),
            Op::GiveSecond(v) => write!(out, "give second {}", name(v)),
            Op::Stop => write!(out, "stop"),
            Op::Dup(v) => write!(out, "dup {}", name(v)),
            Op::Drop(v) => write!(out, "drop {}", name(v)),
        }
    }
}

/// Parts of a text, each behind a blank.
struct Parts<'a>(&'a Function, &'a [(PartKind, Var)]);

impl fmt::Display for Parts<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (kind, v)) in self.1.iter().enumerate() {
            let (comma, name) = (if i > 0 { "," } else { "" }, Name(self.0, *v));
            match kind {
                PartKind::Text => write!(out, "{comma} text {name}")?,
                PartKind::Int => write!(out, "{comma} int {name}")?,
                PartKind::Typed(t) => write!(out, "{comma} type {} {name}", t.0)?,
            }
        }
        Ok(())
    }
}

struct End<'a> {
    f: &'a Function,
    end: &'a Terminator,
}

impl fmt::Display for End<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = self.f;
        match self.end {
            Terminator::Jump(to) => write!(out, "jump b{}", to.0),
            Terminator::Branch(v, yes, no) => write!(out, "branch {} b{} b{}", Name(f, *v), yes.0, no.0),
            Terminator::Return(v) => write!(out, "return {}", Name(f, *v)),
            Terminator::Trap(kind, a, b) => {
                write!(out, "trap {kind:?}")?;
                a.iter().chain(b).try_for_each(|v| write!(out, " {}", Name(f, *v)))
            }
            Terminator::Unreachable => write!(out, "unreachable"),
        }
    }
}

fn global(module: &Module, index: u32) -> &str {
    module.globals.get(index as usize).map_or("", |g| &g.name)
}

fn prim_name(prim: Prim) -> &'static str {
    match prim {
        Prim::Add => "add",
        Prim::Sub => "sub",
        Prim::Mul => "mul",
        Prim::Div => "div",
        Prim::Rem => "rem",
        Prim::Neg => "neg",
        Prim::Not => "not",
        Prim::Eq => "eq",
        Prim::Ne => "ne",
        Prim::Lt => "lt",
        Prim::Le => "le",
        Prim::Gt => "gt",
        Prim::Ge => "ge",
        Prim::FloatAdd => "float-add",
        Prim::FloatSub => "float-sub",
        Prim::FloatMul => "float-mul",
        Prim::FloatDiv => "float-div",
        Prim::FloatEq => "float-eq",
        Prim::FloatNe => "float-ne",
        Prim::FloatLt => "float-lt",
        Prim::FloatLe => "float-le",
        Prim::FloatGt => "float-gt",
        Prim::FloatGe => "float-ge",
        Prim::FloatNeg => "float-neg",
    }
}

fn shape_name(module: &Module, number: u32) -> String {
    match number {
        shape::RANGE => "range".to_owned(),
        shape::BOX_WORD => "box word".to_owned(),
        shape::BOX_REF => "box ref".to_owned(),
        shape::LIST_WORD => "list word".to_owned(),
        shape::LIST_REF => "list ref".to_owned(),
        other => {
            let index = other.checked_sub(shape::FIRST_OF_MODULE).map(|i| i as usize);
            index.and_then(|i| module.shapes.get(i)).map_or(format!("shape {other}"), |s| s.name.clone())
        }
    }
}
