//! Objects that never leave the function become variables, one for each word that is read, and one that says whether an
//! option is there.
//!
//! A variable's objects stay when it is only ever set to new records, tuples, boxes, cases and ranges, to none or to another
//! such variable, and is only looked into, changed in place, asked whether it is there, or copied to another such variable.
//! Not here: objects that one variable refers to from one place (`copies` forwards their words anyway).

use crate::ir::{Function, Inst, Op, Repr, Var, VarInfo};
use std::collections::BTreeMap;
use weir_abi::layout::{CASE_INDEX, HEADER};

/// Whether anything changed.
pub(super) fn replace(f: &mut Function) -> bool {
    let stay = staying(f);
    let parts = Parts::of(f, &stay);
    if parts.made == 0 {
        return false;
    }
    for block in &mut f.blocks {
        if !block.ops.iter().any(|inst| parts.concerns(&stay, &inst.op)) {
            continue;
        }
        let mut ops = Vec::with_capacity(block.ops.len() + 8);
        for inst in std::mem::take(&mut block.ops) {
            if parts.concerns(&stay, &inst.op) {
                parts.rewrite(&mut f.vars, inst, &mut ops);
            } else {
                ops.push(inst);
            }
        }
        block.ops = ops;
    }
    true
}

/// The variables whose objects stay, by their representative; `None` for all others.
fn staying(f: &Function) -> Vec<Option<Var>> {
    let n = f.vars.len();
    let mut parents: Vec<u32> = (0..n as u32).collect();
    let mut leaves: Vec<bool> = f.vars.iter().map(|v| !v.repr.is_ref()).collect();
    let mut is_made = vec![false; n];
    f.params.iter().for_each(|p| leaves[p.var.0 as usize] = true);
    for block in &f.blocks {
        for inst in &block.ops {
            match &inst.op {
                // A unique object is a copy that is changed; what was copied stays as it was.
                Op::Move(d, s) | Op::Unique(d, s) if f.vars[d.0 as usize].repr.is_ref() => {
                    let (a, b) = (find(&mut parents, *d), find(&mut parents, *s));
                    parents[a as usize] = b;
                    continue;
                }
                Op::Load(d, _, _) | Op::Take(d, _, _) => leaves[d.0 as usize] = true,
                Op::Store(_, _, word) => leaves[word.0 as usize] = true,
                Op::IsNull(..) => {}
                Op::Null(_) | Op::Case(..) => {}
                Op::New(d, _, _, words) => {
                    words.iter().for_each(|w| leaves[w.0 as usize] = true);
                    is_made[d.0 as usize] = true;
                }
                op => {
                    op.operands(|v| leaves[v.0 as usize] = true);
                    op.result().into_iter().for_each(|d| leaves[d.0 as usize] = true);
                }
            }
        }
        block.end.uses(|v, _| leaves[v.0 as usize] = true);
    }
    let mut group_leaves = vec![false; n];
    let mut group_made = vec![false; n];
    for v in 0..n as u32 {
        let group = find(&mut parents, Var(v)) as usize;
        group_leaves[group] |= leaves[v as usize];
        group_made[group] |= is_made[v as usize];
    }
    (0..n as u32)
        .map(|v| {
            let group = find(&mut parents, Var(v));
            let stays = group_made[group as usize] && !group_leaves[group as usize];
            stays.then_some(Var(group))
        })
        .collect()
}

fn find(parents: &mut [u32], v: Var) -> u32 {
    let mut at = v.0;
    while parents[at as usize] != at {
        parents[at as usize] = parents[parents[at as usize] as usize];
        at = parents[at as usize];
    }
    at
}

/// What a word of an object is: words of one offset in different cases may be of different kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Word,
    Float,
    Ref,
}

fn kind(repr: Repr) -> Kind {
    match repr {
        Repr::Word => Kind::Word,
        Repr::Float => Kind::Float,
        Repr::Ref | Repr::NullableRef => Kind::Ref,
    }
}

/// The variables that stand for the parts of objects.
struct Parts {
    /// By group, the offsets and kinds that are read from its objects.
    read: BTreeMap<Var, Vec<(i32, Kind)>>,
    /// By variable, those for its parts, in the order of `read`, behind the one that says whether it is none.
    vars: BTreeMap<Var, Vec<Var>>,
    groups: BTreeMap<Var, Var>,
    /// How many objects are not made any more.
    made: usize,
}

impl Parts {
    fn of(f: &mut Function, stay: &[Option<Var>]) -> Self {
        let mut parts =
            Self { read: BTreeMap::new(), vars: BTreeMap::new(), groups: BTreeMap::new(), made: 0 };
        for (v, group) in stay.iter().enumerate() {
            if let Some(group) = group {
                parts.groups.insert(Var(v as u32), *group);
                parts.read.entry(*group).or_default();
            }
        }
        for inst in f.blocks.iter().flat_map(|b| &b.ops) {
            match inst.op {
                Op::Load(d, from, offset) | Op::Take(d, from, offset) => {
                    if let Some(group) = stay[from.0 as usize] {
                        let read = parts.read.entry(group).or_default();
                        let part = (offset, kind(f.vars[d.0 as usize].repr));
                        if !read.contains(&part) {
                            read.push(part);
                        }
                    }
                }
                Op::New(d, ..) => parts.made += usize::from(stay[d.0 as usize].is_some()),
                _ => {}
            }
        }
        let new = |f: &mut Function, repr| {
            f.vars.push(VarInfo { name: String::new(), repr, owned: false });
            Var(f.vars.len() as u32 - 1)
        };
        for (&v, group) in &parts.groups {
            let mut vars = vec![new(f, Repr::Word)];
            for (_, kind) in &parts.read[group] {
                vars.push(match kind {
                    Kind::Word => new(f, Repr::Word),
                    Kind::Float => new(f, Repr::Float),
                    // An object without that word, or none at all, leaves it 0.
                    Kind::Ref => new(f, Repr::NullableRef),
                });
            }
            parts.vars.insert(v, vars);
        }
        parts
    }

    /// Whether an operation makes, copies or looks at an object that stays.
    fn concerns(&self, stay: &[Option<Var>], op: &Op) -> bool {
        match op {
            Op::Move(v, _)
            | Op::Unique(v, _)
            | Op::Store(v, ..)
            | Op::Take(_, v, _)
            | Op::New(v, ..)
            | Op::Null(v)
            | Op::Case(v, _)
            | Op::Load(_, v, _)
            | Op::IsNull(_, v) => stay.get(v.0 as usize).is_some_and(Option::is_some),
            _ => false,
        }
    }

    fn rewrite(&self, vars: &mut [VarInfo], inst: Inst, ops: &mut Vec<Inst>) {
        let Inst { op, span, site } = inst;
        let mut push = |op| ops.push(Inst { op, span, site });
        match op {
            Op::Move(d, s) | Op::Unique(d, s) => {
                for (d, s) in self.vars[&d].iter().zip(&self.vars[&s]) {
                    push(Op::Move(*d, *s));
                }
            }
            Op::New(d, _, _, words) => self.set(d, false, &words, vars, &mut push),
            Op::Null(d) => self.set(d, true, &[], vars, &mut push),
            Op::Case(d, index) => {
                let parts = &self.vars[&d];
                push(Op::Const(parts[0], 0));
                for (part, read) in parts[1..].iter().zip(&self.read[&self.groups[&d]]) {
                    let is_index = *read == (CASE_INDEX, Kind::Word);
                    push(if is_index { Op::Const(*part, i64::from(index)) } else { nothing(*part, read.1) });
                }
            }
            Op::Store(object, offset, word) => {
                let part = (offset, kind(vars[word.0 as usize].repr));
                // A word that nobody reads has no variable.
                if let Some(at) = self.read[&self.groups[&object]].iter().position(|r| *r == part) {
                    push(Op::Move(self.vars[&object][1 + at], word));
                }
            }
            // The object's own mention ends when the word is set anew, as it is before it is read again.
            Op::Load(d, from, offset) | Op::Take(d, from, offset) => {
                let read = &self.read[&self.groups[&from]];
                let part = (offset, kind(vars[d.0 as usize].repr));
                let at = read.iter().position(|r| *r == part).expect("the part was seen to be read");
                push(Op::Move(d, self.vars[&from][1 + at]));
            }
            Op::IsNull(d, v) => push(Op::Move(d, self.vars[&v][0])),
            other => unreachable!("compiler bug: {other:?} is of no concern"),
        }
    }

    fn set(&self, d: Var, none: bool, words: &[Var], vars: &[VarInfo], push: &mut impl FnMut(Op)) {
        let parts = &self.vars[&d];
        push(Op::Const(parts[0], i64::from(none)));
        for (part, (offset, of_kind)) in parts[1..].iter().zip(&self.read[&self.groups[&d]]) {
            let word = usize::try_from((offset - HEADER) / 8).ok().and_then(|at| words.get(at));
            let word = word.filter(|w| kind(vars[w.0 as usize].repr) == *of_kind);
            push(word.map_or_else(|| nothing(*part, *of_kind), |w| Op::Move(*part, *w)));
        }
    }
}

/// Sets a part that an object does not have and nobody reads.
fn nothing(part: Var, kind: Kind) -> Op {
    if kind == Kind::Ref { Op::Null(part) } else { Op::Const(part, 0) }
}
