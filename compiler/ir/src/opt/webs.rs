//! Variables that are set several times for purposes that have nothing to do with each other become several variables,
//! most of which are set once then, and all that is known of those holds for them.
//!
//! A web is a set of settings that share reads. They are found by joining, for each variable that is live into a block,
//! what it is there with what it is at the end of every block that leads there.

use crate::flow::{self, Live};
use crate::ir::{Function, Var, VarInfo};
use std::collections::HashMap;

/// Whether anything changed. Puts the blocks in reverse postorder.
pub(super) fn split(f: &mut Function) -> bool {
    let mut sets = vec![0u32; f.vars.len()];
    let results = f.blocks.iter().flat_map(|b| &b.ops).filter_map(|i| i.op.result());
    f.params.iter().map(|p| p.var).chain(results).for_each(|v| sets[v.0 as usize] += 1);
    if sets.iter().all(|n| *n < 2) {
        return false;
    }
    flow::order_blocks(f);
    let often = |v: Var| sets[v.0 as usize] > 1;
    let live = Live::new(
        f,
        |op, each| {
            op.operands(|v| {
                if often(v) {
                    each(v)
                }
            })
        },
        |end, each| {
            end.uses(|v, _| {
                if often(v) {
                    each(v)
                }
            })
        },
    );
    let mut webs = Webs { parents: Vec::new(), vars: Vec::new(), entries: HashMap::new() };
    // Each mention in order, as the place that it belongs to.
    let mut mentions = Vec::new();
    let mut now: HashMap<Var, usize> = HashMap::new();
    for (b, block) in f.blocks.iter_mut().enumerate() {
        now.clear();
        if b == 0 {
            // A parameter is set before the first operation.
            for p in f.params.iter().filter(|p| often(p.var)) {
                let place = webs.entry(0, p.var);
                now.insert(p.var, place);
            }
        }
        for inst in &mut block.ops {
            inst.op.operands_mut(|v| {
                if often(*v) {
                    mentions.push(*now.entry(*v).or_insert_with(|| webs.entry(b, *v)));
                }
            });
            if let Some(d) = inst.op.result().filter(|d| often(*d)) {
                let place = webs.place(d);
                now.insert(d, place);
                mentions.push(place);
            }
        }
        block.end.operands_mut(|v| {
            if often(*v) {
                mentions.push(*now.entry(*v).or_insert_with(|| webs.entry(b, *v)));
            }
        });
        for to in block.end.successors() {
            let to = to.0 as usize;
            for v in live.live_out(b).filter(|v| live.is_live_in(to, *v)) {
                let here = *now.entry(v).or_insert_with(|| webs.entry(b, v));
                let there = webs.entry(to, v);
                webs.join(here, there);
            }
        }
    }
    rename(f, &sets, &mut webs, &mentions)
}

fn rename(f: &mut Function, sets: &[u32], webs: &mut Webs, mentions: &[usize]) -> bool {
    // The web that keeps the variable: a parameter's first, else whichever comes first.
    let mut names: HashMap<usize, Var> = HashMap::new();
    let mut kept: HashMap<Var, usize> = HashMap::new();
    for p in &f.params {
        if sets[p.var.0 as usize] > 1 {
            let place = webs.entry(0, p.var);
            let web = webs.find(place);
            names.insert(web, p.var);
            kept.insert(p.var, web);
        }
    }
    let mut changed = false;
    let mut next = mentions.iter();
    let vars = &mut f.vars;
    let mut name = |v: &mut Var| {
        if sets[v.0 as usize] < 2 {
            return;
        }
        let web = webs.find(*next.next().expect("mentions are the same in both passes"));
        let old = *v;
        *v = *names.entry(web).or_insert_with(|| {
            if *kept.entry(old).or_insert(web) == web {
                return old;
            }
            changed = true;
            let info: VarInfo = vars[old.0 as usize].clone();
            vars.push(info);
            Var(vars.len() as u32 - 1)
        });
    };
    for block in &mut f.blocks {
        for inst in &mut block.ops {
            inst.op.operands_mut(&mut name);
            inst.op.result_mut().into_iter().for_each(&mut name);
        }
        block.end.operands_mut(&mut name);
    }
    changed
}

/// Places where a variable has a value, joined to webs.
struct Webs {
    parents: Vec<usize>,
    vars: Vec<Var>,
    /// The value that a variable has at the start of a block.
    entries: HashMap<(usize, Var), usize>,
}

impl Webs {
    fn place(&mut self, v: Var) -> usize {
        self.vars.push(v);
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    fn entry(&mut self, block: usize, v: Var) -> usize {
        if let Some(&place) = self.entries.get(&(block, v)) {
            return place;
        }
        let place = self.place(v);
        self.entries.insert((block, v), place);
        place
    }

    fn find(&mut self, mut place: usize) -> usize {
        while self.parents[place] != place {
            self.parents[place] = self.parents[self.parents[place]];
            place = self.parents[place];
        }
        place
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        debug_assert_eq!(self.vars[a], self.vars[b], "a web is of one variable");
        self.parents[a.max(b)] = a.min(b);
    }
}
