//! Several changes of one place in a row: what was made unique is so still, and what was put into a list's slot need not be
//! taken out again.
//!
//! ```text
//! a = unique xs; x = take a[i]; y = unique x; store y + 8 = u; set a[i] = y          this stays, but for the last
//! z = get a[i]; v = load z + 16                                                      z = y
//! b = unique a;  w = take b[i]; q = unique w; store q + 16 = v; set b[i] = q         b = a; w = y; q = w; store, set
//! ```
//! Within a block. A variable counts as the only holder of its object from `Unique` on until an operation that may give
//! somebody else a count; if it is read again after it was moved, it is none.

use super::facts::{Facts, Set};
use crate::ir::{Block, Function, Op, Var};
use std::collections::HashMap;

/// An element that was put into a list, by the only holder of both.
struct Slot {
    list: Var,
    index: Var,
    word: Var,
    /// Where it was put.
    at: usize,
    /// The list was looked into since, so that it must have been put.
    is_seen: bool,
    /// Other names of the element since then.
    names: Vec<Var>,
}

/// Whether anything changed.
pub(super) fn merge(f: &mut Function) -> bool {
    let facts = Facts::of(f);
    let mut changed = false;
    for (b, block) in f.blocks.iter_mut().enumerate() {
        if block.ops.iter().any(|inst| matches!(inst.op, Op::Unique(..))) {
            changed |= Walk::new(&facts, b, block).run(block);
        }
    }
    changed
}

struct Walk<'a> {
    facts: &'a Facts,
    block: u32,
    /// By variable that this block reads, the last place, when it reads it as often as the function does.
    last: HashMap<Var, usize>,
    /// Variables that alone hold their objects.
    sole: Vec<Var>,
    slots: Vec<Slot>,
    removed: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn new(facts: &'a Facts, block: usize, of: &Block) -> Self {
        let mut reads = HashMap::new();
        let mut read = |v: Var, at: usize| {
            let entry = reads.entry(v).or_insert((0, at));
            *entry = (entry.0 + 1, at);
        };
        for (at, inst) in of.ops.iter().enumerate() {
            inst.op.operands(|v| read(v, at));
        }
        of.end.uses(|v, _| read(v, of.ops.len()));
        let all =
            |(v, (count, at)): (Var, (u32, usize))| (facts.reads[v.0 as usize] == count).then_some((v, at));
        let last = reads.into_iter().filter_map(all).collect();
        Self { facts, block: block as u32, last, sole: Vec::new(), slots: Vec::new(), removed: Vec::new() }
    }

    /// Whether the variable is set in this block, once, and not read behind that place.
    fn ends_at(&self, v: Var, at: usize) -> bool {
        let is_here = matches!(self.facts.set[v.0 as usize], Set::Once(b, _) if b == self.block);
        is_here && self.last.get(&v).is_none_or(|last| *last <= at)
    }

    fn run(mut self, block: &mut Block) -> bool {
        let mut changed = false;
        for at in 0..block.ops.len() {
            if let Some(op) = self.better(&block.ops[at].op, at) {
                block.ops[at].op = op;
                changed = true;
            }
            self.step(&block.ops[at].op, at);
        }
        let mut at = 0;
        block.ops.retain(|_| {
            at += 1;
            !self.removed.contains(&(at - 1))
        });
        changed
    }

    fn better(&mut self, op: &Op, at: usize) -> Option<Op> {
        match *op {
            Op::Unique(d, s) if self.sole.contains(&s) && self.ends_at(s, at) => Some(Op::Move(d, s)),
            Op::ListGetUnchecked(d, list, index) => {
                let slot = self.slots.iter_mut().find(|s| s.list == list && s.index == index)?;
                slot.names.push(d);
                Some(Op::Move(d, slot.word))
            }
            Op::ListTake(d, list, index) => {
                let found = self.slots.iter().position(|s| s.list == list && s.index == index)?;
                let slot = &self.slots[found];
                // Who has it under another name must be done with it before it changes.
                let is_done = slot.names.iter().all(|name| self.ends_at(*name, at));
                if slot.is_seen || !is_done || !self.ends_at(slot.word, slot.at) {
                    return None;
                }
                let slot = self.slots.swap_remove(found);
                self.removed.push(slot.at);
                self.sole.push(slot.word);
                Some(Op::Move(d, slot.word))
            }
            _ => None,
        }
    }

    fn step(&mut self, op: &Op, at: usize) {
        match *op {
            Op::Unique(d, _) => {
                self.forget_operands(op);
                self.sole.push(d);
            }
            Op::Move(d, s) if self.sole.contains(&s) && self.ends_at(s, at) => {
                self.sole.retain(|v| *v != s);
                self.sole.push(d);
                for slot in self.slots.iter_mut().filter(|slot| slot.list == s) {
                    slot.list = d;
                }
            }
            Op::Move(d, s) if self.slots.iter().any(|slot| slot.word == s && slot.names.contains(&d)) => {}
            Op::ListSet(list, index, word) => {
                // Another slot may be the same.
                self.slots.retain(|slot| slot.list != list);
                let both = self.sole.contains(&list) && self.sole.contains(&word);
                self.sole.retain(|v| *v != word);
                if both {
                    self.slots.push(Slot { list, index, word, at, is_seen: false, names: Vec::new() });
                }
            }
            Op::ListGet(_, list, _) | Op::ListGetUnchecked(_, list, _) | Op::ListTake(_, list, _) => {
                self.see(list);
            }
            // These look at an object or change it and give nobody a count.
            Op::Store(_, _, word) | Op::GiveSecond(word) => self.sole.retain(|v| *v != word),
            Op::Load(..)
            | Op::Take(..)
            | Op::ListCheck(..)
            | Op::IsNull(..)
            | Op::Prim(..)
            | Op::Step(..) => {}
            _ => self.forget_operands(op),
        }
        if let Some(d) = op.result() {
            if !matches!(op, Op::Unique(..) | Op::Move(..)) {
                self.sole.retain(|v| *v != d);
            }
            self.slots.retain(|s| s.list != d || matches!(op, Op::Move(..)));
            self.slots.retain(|s| s.index != d && s.word != d);
        }
    }

    fn see(&mut self, list: Var) {
        self.slots.iter_mut().filter(|slot| slot.list == list).for_each(|slot| slot.is_seen = true);
    }

    fn forget_operands(&mut self, op: &Op) {
        let (sole, slots) = (&mut self.sole, &mut self.slots);
        op.operands(|v| {
            sole.retain(|of| *of != v);
            slots.retain(|slot| slot.list != v && slot.word != v && !slot.names.contains(&v));
        });
    }
}
