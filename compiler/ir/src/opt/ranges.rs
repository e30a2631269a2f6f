//! Checks that cannot fail go: of an index that was just compared with the list's length or used as an index before, and of
//! overflow when 1 is added to what is less than something.
//!
//! Facts hold within a block and through the blocks that alone lead to it, until one of their variables is set.

use super::facts::Facts;
use crate::flow;
use crate::ir::{Function, Op, Prim, Repr, Terminator, Var};
use weir_abi::layout::LEN;

/// How many facts are kept at a time; keeps the pass linear.
const KEPT: usize = 16;

/// What is known at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    /// The first is less than the second.
    Less(Var, Var),
    /// The first is an index of the second, a list.
    Inside(Var, Var),
    /// The first is 1 when the second is less than the third, else 0.
    Compared(Var, Var, Var),
    /// The first is 0 when the second is less than the third, else 1.
    NotCompared(Var, Var, Var),
}

impl Fact {
    fn names(self, v: Var) -> bool {
        match self {
            Fact::Less(a, b) | Fact::Inside(a, b) => a == v || b == v,
            Fact::Compared(c, a, b) | Fact::NotCompared(c, a, b) => [a, b, c].contains(&v),
        }
    }
}

/// Whether anything changed. Blocks must be in reverse postorder.
pub(super) fn narrow(f: &mut Function) -> bool {
    let facts = Facts::of(f);
    let at_least_0 = at_least_0(f);
    let predecessors = flow::predecessors(&f.blocks);
    let mut ends: Vec<Vec<Fact>> = Vec::with_capacity(f.blocks.len());
    let mut found = Vec::new();
    for (b, from) in predecessors.iter().enumerate() {
        let mut known = match from[..] {
            [from] if (from.0 as usize) < b => on_edge(f, &ends[from.0 as usize], from.0 as usize, b),
            _ => Vec::new(),
        };
        for (i, inst) in f.blocks[b].ops.iter().enumerate() {
            let is_inside = |index: Var, list: Var| {
                known.iter().any(|fact| match *fact {
                    Fact::Inside(a, l) => a == index && l == list,
                    Fact::Less(a, len) => {
                        a == index
                            && at_least_0[a.0 as usize]
                            && facts.is_constant(list)
                            && matches!(facts.definition(f, len), Some(Op::Load(_, l, LEN)) if *l == list)
                    }
                    _ => false,
                })
            };
            match inst.op {
                Op::ListGet(d, list, index) if is_inside(index, list) => {
                    found.push((b, i, Some(Op::ListGetUnchecked(d, list, index))));
                }
                Op::ListCheck(list, index) if is_inside(index, list) => found.push((b, i, None)),
                Op::Prim(Prim::Add, d, a, Some(one))
                    if facts.word(f, one) == Some(1)
                        && known.iter().any(|fact| matches!(*fact, Fact::Less(x, _) if x == a)) =>
                {
                    found.push((b, i, Some(Op::Step(d, a))));
                }
                _ => {}
            }
            step(&mut known, &inst.op);
        }
        ends.push(known);
    }
    let changed = !found.is_empty();
    // From behind, so that the places of those before stay as they are.
    for (b, i, op) in found.into_iter().rev() {
        match op {
            Some(op) => f.blocks[b].ops[i].op = op,
            None => {
                f.blocks[b].ops.remove(i);
            }
        }
    }
    changed
}

/// What holds behind an operation.
fn step(known: &mut Vec<Fact>, op: &Op) {
    let learnt = match *op {
        Op::Prim(Prim::Lt, c, a, Some(b)) | Op::Prim(Prim::Gt, c, b, Some(a)) => {
            Some(Fact::Compared(c, a, b))
        }
        Op::Prim(Prim::Ge, c, a, Some(b)) | Op::Prim(Prim::Le, c, b, Some(a)) => {
            Some(Fact::NotCompared(c, a, b))
        }
        Op::ListGet(_, list, index) | Op::ListCheck(list, index) => Some(Fact::Inside(index, list)),
        _ => None,
    };
    if let Op::Store(list, LEN, _) = *op {
        known.retain(|fact| !matches!(*fact, Fact::Inside(_, l) if l == list));
    }
    // The same list under another name has the same length.
    let mut renamed = Vec::new();
    if let Op::Move(d, s) | Op::Unique(d, s) = *op {
        renamed.extend(known.iter().filter_map(|fact| match *fact {
            Fact::Inside(i, l) if l == s && i != d => Some(Fact::Inside(i, d)),
            _ => None,
        }));
    }
    if let Some(d) = op.result() {
        known.retain(|fact| !fact.names(d));
    }
    let about_itself = |fact: &Fact| {
        op.result().is_some_and(|d| match *fact {
            Fact::Compared(_, a, b) | Fact::NotCompared(_, a, b) => d == a || d == b,
            Fact::Inside(i, l) => matches!(op, Op::ListGet(..)) && (d == i || d == l),
            Fact::Less(..) => false,
        })
    };
    renamed.extend(learnt.filter(|fact| !about_itself(fact)));
    for fact in renamed {
        if known.len() == KEPT {
            known.remove(0);
        }
        known.push(fact);
    }
}

/// What is known on the way from a block to one that nothing else leads to.
fn on_edge(f: &Function, end: &[Fact], from: usize, to: usize) -> Vec<Fact> {
    let mut known = end.to_vec();
    if let Terminator::Branch(condition, yes, no) = f.blocks[from].end
        && yes != no
    {
        let way = yes.0 as usize == to;
        known.extend(end.iter().filter_map(|fact| match *fact {
            Fact::Compared(c, a, b) if c == condition && way => Some(Fact::Less(a, b)),
            Fact::NotCompared(c, a, b) if c == condition && !way => Some(Fact::Less(a, b)),
            _ => None,
        }));
    }
    known
}

/// The variables that are never below 0, wherever they are set: counters and what is computed of them.
fn at_least_0(f: &Function) -> Vec<bool> {
    let mut holds: Vec<bool> = f.vars.iter().map(|v| v.repr == Repr::Word).collect();
    f.params.iter().for_each(|p| holds[p.var.0 as usize] = false);
    loop {
        let mut changed = false;
        for inst in f.blocks.iter().flat_map(|b| &b.ops) {
            let Some(d) = inst.op.result().filter(|d| holds[d.0 as usize]) else { continue };
            let is = |v: Var| holds[v.0 as usize];
            holds[d.0 as usize] = match inst.op {
                Op::Const(_, n) => n >= 0,
                Op::Step(_, a) | Op::Move(_, a) => is(a),
                Op::Prim(Prim::Add | Prim::Mul | Prim::Div, _, a, Some(b)) => is(a) && is(b),
                Op::Prim(Prim::Rem, _, a, _) => is(a),
                _ => false,
            };
            changed |= !holds[d.0 as usize];
        }
        if !changed {
            return holds;
        }
    }
}
