//! Reads of a copy become reads of what was copied; parts of an object that was just made become what they were made of.
//!
//! A variable that is set once and copied from one that is set once stands for it everywhere: the source's place
//! dominates the copy's, so it cannot be set again between the copy and a read of it. Copies of variables that are set
//! several times are followed inside a block. Records, boxes, ranges and closures never change, so a load from one gives
//! the word it was made with.

use super::facts::{Facts, Set};
use crate::ir::{Function, Op, Var};
use weir_abi::layout::{CLOSURE_CAPTURES, HEADER};

/// Whether anything changed.
pub(super) fn propagate(f: &mut Function) -> bool {
    let mut changed = forward_loads(f);
    changed |= rename_everywhere(f);
    changed |= rename_in_blocks(f);
    changed | merge_backwards(f)
}

/// Loads from objects whose making is known.
fn forward_loads(f: &mut Function) -> bool {
    let facts = Facts::of(f);
    let mut found = Vec::new();
    for (b, block) in f.blocks.iter().enumerate() {
        for (i, inst) in block.ops.iter().enumerate() {
            let Op::Load(d, from, offset) = inst.op else { continue };
            let Some((word, at)) = facts.definition(f, from).and_then(|made| word_of(made, offset)) else {
                continue;
            };
            // In the block that made the object a word must only stay as it is up to here.
            let same_block = facts.set[at.0 as usize];
            let is_same = facts.is_constant(word)
                || matches!(same_block, Set::Once(made_in, n) if made_in as usize == b
                    && block.ops[n as usize..i].iter().all(|later| later.op.result() != Some(word)));
            if is_same {
                found.push((b, i, Op::Move(d, word)));
            }
        }
    }
    let changed = !found.is_empty();
    for (b, i, op) in found {
        f.blocks[b].ops[i].op = op;
    }
    changed
}

/// The word at an offset of an object that `made` makes, and the object.
fn word_of(made: &Op, offset: i32) -> Option<(Var, Var)> {
    let (object, first, words) = match made {
        Op::New(d, _, _, words) => (d, HEADER, words),
        Op::NewClosure(d, _, _, _, words) => (d, CLOSURE_CAPTURES, words),
        _ => return None,
    };
    let index = usize::try_from((offset - first) / 8).ok()?;
    words.get(index).map(|w| (*w, *object))
}

fn rename_everywhere(f: &mut Function) -> bool {
    let facts = Facts::of(f);
    let mut copy_of: Vec<Option<Var>> = vec![None; f.vars.len()];
    for inst in f.blocks.iter().flat_map(|b| &b.ops) {
        if let Op::Move(d, s) = inst.op
            && matches!(facts.set[d.0 as usize], Set::Once(..))
            && facts.is_constant(s)
            && f.vars[d.0 as usize].repr == f.vars[s.0 as usize].repr
        {
            copy_of[d.0 as usize] = Some(s);
        }
    }
    if copy_of.iter().all(Option::is_none) {
        return false;
    }
    // Copies of copies: each chain ends, as a variable's only setting dominates its copies.
    let original = |mut v: Var| {
        while let Some(s) = copy_of[v.0 as usize] {
            v = s;
        }
        v
    };
    for block in &mut f.blocks {
        block.ops.retain(|inst| !matches!(inst.op, Op::Move(d, _) if copy_of[d.0 as usize].is_some()));
        block.ops.iter_mut().for_each(|inst| inst.op.operands_mut(|v| *v = original(*v)));
        block.end.operands_mut(|v| *v = original(*v));
    }
    true
}

/// How many copies are followed at a time inside a block; keeps the pass linear.
const FOLLOWED: usize = 8;

fn rename_in_blocks(f: &mut Function) -> bool {
    let mut changed = false;
    let mut copies: Vec<(Var, Var)> = Vec::new();
    for block in &mut f.blocks {
        copies.clear();
        let mut rename = |v: &mut Var, copies: &[(Var, Var)]| {
            if let Some((_, s)) = copies.iter().find(|(d, _)| d == v) {
                *v = *s;
                changed = true;
            }
        };
        for inst in &mut block.ops {
            inst.op.operands_mut(|v| rename(v, &copies));
            if let Some(d) = inst.op.result() {
                copies.retain(|(copy, of)| *copy != d && *of != d);
            }
            if let Op::Move(d, s) = inst.op
                && d != s
                && f.vars[d.0 as usize].repr == f.vars[s.0 as usize].repr
            {
                if copies.len() == FOLLOWED {
                    copies.remove(0);
                }
                copies.push((d, s));
            }
        }
        block.end.operands_mut(|v| rename(v, &copies));
    }
    changed
}

/// How far back from a copy the operation may be that can set the copy itself.
const REACH: usize = 16;

/// `%t = op; x = %t`, with no other read of `%t`, becomes `x = op`.
fn merge_backwards(f: &mut Function) -> bool {
    let facts = Facts::of(f);
    let mut changed = false;
    for (b, block) in f.blocks.iter_mut().enumerate() {
        let mut removed = false;
        for i in 0..block.ops.len() {
            let Op::Move(x, t) = block.ops[i].op else { continue };
            let Set::Once(set_in, at) = facts.set[t.0 as usize] else { continue };
            let at = at as usize;
            let once = facts.reads[t.0 as usize] == 1 && x != t;
            if !once || set_in as usize != b || at >= i || i - at > REACH {
                continue;
            }
            let narrows = f.vars[x.0 as usize].repr != f.vars[t.0 as usize].repr;
            let mut mentioned = narrows;
            for later in &block.ops[at + 1..i] {
                later.op.operands(|v| mentioned |= v == x);
                mentioned |= later.op.result() == Some(x);
            }
            if mentioned || block.ops[at].op.result() != Some(t) {
                continue;
            }
            *block.ops[at].op.result_mut().expect("it sets the variable") = x;
            // Marked for removal: a copy onto itself.
            block.ops[i].op = Op::Move(x, x);
            removed = true;
        }
        if removed {
            changed = true;
            block.ops.retain(|inst| !matches!(inst.op, Op::Move(d, s) if d == s));
            // The facts of this block are stale now, and they are looked at for no other block.
        }
    }
    changed
}
