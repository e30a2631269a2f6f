//! Memory of objects that are given up, used again for new ones of the same shape ("Counting Immutable Beans", section 2.4).
//!
//! ```text
//! drop tree;  ...;  x = new Node [..]        t = hollow tree as Node;  ...;  x = new Node in t [..]
//! ```
//! In and out: counted IR that `verify` accepts. A token `t` is an owned reference: the object, all references taken out of
//! it, when its last count went and it has the shape that is wanted; else 0. So the pass need not know types: it asks for
//! objects that the function looks into, up to no word that the new one has not, and the code compares shape and count at
//! once.
//! Not here: lists, texts and closures.

use crate::ir::{Block, Function, Inst, Module, Op, Repr, Var, VarInfo};
use weir_abi::layout::{CASE_INDEX, HEADER, Shape, shape};

/// Lets new objects of all functions use what was given up before them in the same block.
pub fn reuse(module: &mut Module) {
    for f in &mut module.functions {
        let depths = depths(f);
        let Function { blocks, vars, .. } = f;
        for block in blocks {
            in_block(block, vars, &depths);
        }
    }
}

/// By variable, the offset of the last word that is read from its object; 0 for those that are no record, tuple, box or
/// case for sure, or that nobody looks into.
fn depths(f: &Function) -> Vec<i32> {
    let mut depths = vec![0; f.vars.len()];
    let mut others = vec![false; f.vars.len()];
    // Later blocks and operations look into what earlier ones made other names for.
    for inst in f.blocks.iter().rev().flat_map(|b| b.ops.iter().rev()) {
        match &inst.op {
            Op::Load(_, from, offset) | Op::Take(_, from, offset) => {
                let depth = &mut depths[from.0 as usize];
                *depth = (*depth).max(*offset);
            }
            Op::Alias(d, s) | Op::Move(d, s) => {
                depths[s.0 as usize] = depths[s.0 as usize].max(depths[d.0 as usize]);
                others[s.0 as usize] |= others[d.0 as usize];
            }
            Op::ListGet(_, list, _)
            | Op::ListGetUnchecked(_, list, _)
            | Op::ListTake(_, list, _)
            | Op::ListCheck(list, _) => others[list.0 as usize] = true,
            Op::Concat(_, parts) => parts.iter().for_each(|(_, v)| others[v.0 as usize] = true),
            _ => {}
        }
    }
    depths.into_iter().zip(others).map(|(depth, other)| if other { 0 } else { depth }).collect()
}

fn in_block(block: &mut Block, vars: &mut Vec<VarInfo>, depths: &[i32]) {
    // The drops that no object made since has taken up.
    let mut dropped: Vec<(usize, Var)> = Vec::new();
    for i in 0..block.ops.len() {
        match block.ops[i].op {
            Op::Drop(v) if depths.get(v.0 as usize).is_some_and(|depth| *depth > 0) => dropped.push((i, v)),
            Op::New(d, shape, size, _) if is_reusable(shape) => {
                let fits = |v: Var| {
                    let depth = depths[v.0 as usize];
                    // A look at the first word alone is also one at a length.
                    depth < size as i32 && (depth > CASE_INDEX || size as i32 == CASE_INDEX + 8)
                };
                let Some(at) = dropped.iter().rposition(|(_, v)| fits(*v)) else { continue };
                let (from, old) = dropped.remove(at);
                vars.push(VarInfo { name: String::new(), repr: Repr::NullableRef, owned: true });
                let token = Var(vars.len() as u32 - 1);
                block.ops[from].op = Op::Hollow(token, old, shape);
                let words = take_words(&mut block.ops[i]);
                block.ops[i].op = Op::NewIn(d, token, shape, size, words);
            }
            _ => {}
        }
    }
}

/// The parameters whose memory the function could use for an object that it makes: those that it takes apart like an object
/// of that shape. A caller that has no more use for its argument then hands the memory on ("Counting Immutable Beans",
/// section 5.2); one that has counts up and down once more.
pub(crate) fn wanted_params(f: &Function, shapes: &[Shape]) -> Vec<Var> {
    let made: Vec<&Shape> = ops(f)
        .filter_map(|op| match op {
            Op::New(_, number, ..) => shapes.get(number.checked_sub(shape::FIRST_OF_MODULE)? as usize),
            _ => None,
        })
        .collect();
    if made.is_empty() {
        return Vec::new();
    }
    let params = f.params.iter().map(|p| p.var).filter(|v| f.vars[v.0 as usize].repr == Repr::Ref);
    params.filter(|v| is_taken_apart_like(f, *v, &made)).collect()
}

/// Whether all that is read from the object are words of one of the shapes, and at least half of them.
fn is_taken_apart_like(f: &Function, object: Var, made: &[&Shape]) -> bool {
    let mut read: Vec<(u32, bool)> = ops(f)
        .filter_map(|op| match op {
            Op::Load(d, from, offset) if *from == object => {
                Some((*offset as u32, f.vars[d.0 as usize].repr.is_ref()))
            }
            _ => None,
        })
        .collect();
    read.sort_unstable();
    read.dedup();
    made.iter().any(|shape| {
        let fits =
            |(offset, is_ref): &(u32, bool)| *offset < shape.size && shape.refs.contains(offset) == *is_ref;
        read.iter().all(fits) && 2 * 8 * read.len() >= (shape.size - HEADER as u32) as usize
    })
}

fn ops(f: &Function) -> impl Iterator<Item = &Op> {
    f.blocks.iter().flat_map(|b| &b.ops).map(|inst| &inst.op)
}

fn is_reusable(number: u32) -> bool {
    number >= shape::FIRST_OF_MODULE || number == shape::BOX_WORD || number == shape::BOX_REF
}

fn take_words(inst: &mut Inst) -> Vec<Var> {
    match &mut inst.op {
        Op::New(_, _, _, words) => std::mem::take(words),
        other => unreachable!("compiler bug: {other:?} makes no object"),
    }
}
