//! What is known before the program runs: arithmetic on constants that does not trap, and branches on known conditions.

use super::facts::{Facts, Set};
use crate::ir::{Function, Op, Prim, Terminator, Var};

/// Whether anything changed.
pub(super) fn fold(f: &mut Function) -> bool {
    let facts = Facts::of(f);
    let mut found = Vec::new();
    for (b, block) in f.blocks.iter().enumerate() {
        for (i, inst) in block.ops.iter().enumerate() {
            if let Some(op) = fold_op(f, &facts, &inst.op) {
                found.push((b, i, op));
            }
        }
    }
    let mut changed = !found.is_empty();
    let mut ends = Vec::new();
    for (b, block) in f.blocks.iter().enumerate() {
        if let Some(end) = fold_end(f, &facts, &block.end) {
            ends.push((b, end));
        }
    }
    changed |= !ends.is_empty();
    for (b, i, op) in found {
        f.blocks[b].ops[i].op = op;
    }
    for (b, end) in ends {
        f.blocks[b].end = end;
    }
    changed
}

fn fold_op(f: &Function, facts: &Facts, op: &Op) -> Option<Op> {
    match op {
        Op::Prim(prim, d, a, b) => {
            let a = facts.word(f, *a);
            match b {
                None => unary(*prim, a?).map(|n| Op::Const(*d, n)),
                Some(b) => binary(*prim, a?, facts.word(f, *b)?).map(|n| Op::Const(*d, n)),
            }
        }
        Op::IsNull(d, v) => match facts.definition(f, *v)? {
            Op::Null(_) => Some(Op::Const(*d, 1)),
            made if is_object(made) => Some(Op::Const(*d, 0)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the operation gives a reference that is not 0.
pub(super) fn is_object(op: &Op) -> bool {
    matches!(
        op,
        Op::New(..) | Op::NewClosure(..) | Op::NewList(..) | Op::Text(..) | Op::Case(..) | Op::Concat(..)
    )
}

fn fold_end(f: &Function, facts: &Facts, end: &Terminator) -> Option<Terminator> {
    let Terminator::Branch(v, yes, no) = *end else { return None };
    if yes == no {
        return Some(Terminator::Jump(yes));
    }
    if let Some(n) = facts.word(f, v) {
        return Some(Terminator::Jump(if n != 0 { yes } else { no }));
    }
    match facts.definition(f, v) {
        Some(Op::Prim(Prim::Not, _, inner, _)) if is_steady(facts, *inner) => {
            Some(Terminator::Branch(*inner, no, yes))
        }
        _ => None,
    }
}

/// Whether the variable is what it was when another was computed from it.
fn is_steady(facts: &Facts, v: Var) -> bool {
    matches!(facts.set[v.0 as usize], Set::Param | Set::Once(..))
}

pub(super) fn unary(prim: Prim, a: i64) -> Option<i64> {
    match prim {
        Prim::Neg => a.checked_neg(),
        Prim::Not => Some(1 - a),
        _ => None,
    }
}

pub(super) fn binary(prim: Prim, a: i64, b: i64) -> Option<i64> {
    match prim {
        Prim::Add => a.checked_add(b),
        Prim::Sub => a.checked_sub(b),
        Prim::Mul => a.checked_mul(b),
        Prim::Div => a.checked_div(b),
        Prim::Rem => a.checked_rem(b),
        Prim::Eq => Some(i64::from(a == b)),
        Prim::Ne => Some(i64::from(a != b)),
        Prim::Lt => Some(i64::from(a < b)),
        Prim::Le => Some(i64::from(a <= b)),
        Prim::Gt => Some(i64::from(a > b)),
        Prim::Ge => Some(i64::from(a >= b)),
        // Floats are left to code generation, so that one place knows their arithmetic.
        _ => None,
    }
}
