//! What was computed before from the same operands is not computed again: arithmetic, parts of objects, elements of lists.
//!
//! Looks back within a block and through the blocks that alone lead to it. A variable's value never changes while nobody
//! sets it, whatever it refers to, unless an operation says that it changes it ([`Op::changes`]).

use super::facts::Facts;
use crate::flow;
use crate::ir::{Function, Op, Prim, Repr, Var};

/// How many operations are looked back on; keeps the pass linear.
const REACH: usize = 32;

/// Whether anything changed. Blocks must be in reverse postorder.
pub(super) fn replace(f: &mut Function) -> bool {
    let facts = Facts::of(f);
    let predecessors = flow::predecessors(&f.blocks);
    let mut ends: Vec<Vec<Op>> = Vec::with_capacity(f.blocks.len());
    let mut changed = false;
    for (b, from) in predecessors.iter().enumerate() {
        let mut known = match from[..] {
            [from] if (from.0 as usize) < b => ends[from.0 as usize].clone(),
            _ => Vec::new(),
        };
        let Function { blocks, vars, .. } = f;
        for inst in &mut blocks[b].ops {
            let Some(d) = inst.op.result() else {
                if let Some(object) = inst.op.changes() {
                    known.retain(|op| !looks_into(op, object));
                }
                continue;
            };
            let repr = vars[d.0 as usize].repr;
            // A variable that starts as some constant is not to be tied to another.
            let is_start = matches!(inst.op, Op::Const(..)) && !facts.is_constant(d);
            let is_kept = !is_start && is_repeatable(&inst.op, repr);
            if is_kept
                && let Some(before) = known.iter().find(|op| is_same(op, &inst.op))
                && let Some(s) = before.result()
                && vars[s.0 as usize].repr == repr
                && s != d
            {
                inst.op = Op::Move(d, s);
                changed = true;
            }
            if let Some(object) = inst.op.changes() {
                known.retain(|op| !looks_into(op, object));
            }
            known.retain(|op| op.result() != Some(d) && !reads(op, d));
            if is_kept && !matches!(inst.op, Op::Move(..)) && !reads(&inst.op, d) {
                if known.len() == REACH {
                    known.remove(0);
                }
                known.push(inst.op.clone());
            }
        }
        ends.push(known);
    }
    changed
}

fn reads(op: &Op, v: Var) -> bool {
    let mut found = false;
    op.operands(|of| found |= of == v);
    found
}

/// Whether the operation's result is a part of the object.
fn looks_into(op: &Op, object: Var) -> bool {
    matches!(op, Op::Load(_, from, _) | Op::ListGet(_, from, _) | Op::ListGetUnchecked(_, from, _) if *from == object)
}

/// Natives that give the same for the same arguments each time: not all that only compute do, a clock does not.
const STEADY: &[&str] = &["int-to-float", "math-sqrt", "text-equal", "text-starts-with", "text-contains"];

/// Whether an operation gives the same for the same operands each time.
fn is_repeatable(op: &Op, repr: Repr) -> bool {
    match op {
        Op::Const(..)
        | Op::Prim(..)
        | Op::Step(..)
        | Op::IsNull(..)
        | Op::Load(..)
        | Op::ListGet(..)
        | Op::ListGetUnchecked(..)
        | Op::Global(..) => true,
        Op::CallNative { native, .. } => !repr.is_ref() && STEADY.contains(&native.row().name),
        _ => false,
    }
}

/// Whether two operations do the same, apart from the variable that they set.
fn is_same(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Const(_, a), Op::Const(_, b)) => a == b,
        (Op::Prim(p, _, a, b), Op::Prim(q, _, c, d)) => {
            p == q && ((a == c && b == d) || (commutes(*p) && Some(*a) == *d && *b == Some(*c)))
        }
        (Op::Step(_, a), Op::Step(_, b)) | (Op::IsNull(_, a), Op::IsNull(_, b)) => a == b,
        (Op::Load(_, a, x), Op::Load(_, b, y)) => a == b && x == y,
        (
            Op::ListGet(_, a, i) | Op::ListGetUnchecked(_, a, i),
            Op::ListGet(_, b, j) | Op::ListGetUnchecked(_, b, j),
        ) => a == b && i == j,
        (Op::Global(_, a), Op::Global(_, b)) => a == b,
        (
            Op::CallNative { native: m, types: s, args: a, .. },
            Op::CallNative { native: n, types: t, args: b, .. },
        ) => m == n && s == t && a == b,
        _ => false,
    }
}

fn commutes(prim: Prim) -> bool {
    matches!(prim, Prim::Add | Prim::Mul | Prim::Eq | Prim::Ne | Prim::FloatAdd | Prim::FloatMul)
}
