//! Control flow: order of blocks, predecessors, and which variables are live where.
//!
//! Liveness keeps bits only for variables that are live into some block; temporaries of one block cost nothing, so that
//! long straight code stays linear. Not here: what liveness means for counts (`count`).

use crate::ir::{Block, BlockId, Function, Op, Terminator, Var};

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BitSet(Vec<u64>);

impl BitSet {
    pub(crate) fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    pub(crate) fn has(&self, i: usize) -> bool {
        self.0[i / 64] >> (i % 64) & 1 != 0
    }

    /// Puts `i` in; whether it was not there.
    pub(crate) fn insert(&mut self, i: usize) -> bool {
        let bit = 1 << (i % 64);
        let new = self.0[i / 64] & bit == 0;
        self.0[i / 64] |= bit;
        new
    }

    pub(crate) fn union(&mut self, other: &BitSet) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    /// Leaves what is also in `other`; whether that changed anything.
    pub(crate) fn intersect(&mut self, other: &BitSet) -> bool {
        let mut changed = false;
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            changed |= *a & !b != 0;
            *a &= b;
        }
        changed
    }

    /// Its members, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(w, &word)| bits_of(word).map(move |bit| w * 64 + bit))
    }
}

/// The places of the ones in a word, ascending.
fn bits_of(word: u64) -> impl Iterator<Item = usize> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let bit = rest.trailing_zeros() as usize;
        (rest != 0).then(|| {
            rest &= rest - 1;
            bit
        })
    })
}

/// The blocks reachable from the entry in an order where each comes after those that lead to it, back-edges aside.
pub(crate) fn reverse_postorder(blocks: &[Block]) -> Vec<BlockId> {
    let mut order = Vec::with_capacity(blocks.len());
    let mut seen = BitSet::new(blocks.len());
    // Successors are visited last first, so that the first stands nearest behind its block.
    let children = |b: usize| blocks[b].end.successors().collect::<Vec<_>>();
    let mut stack = vec![(0, children(0))];
    seen.insert(0);
    while let Some((block, rest)) = stack.last_mut() {
        match rest.pop() {
            Some(next) if seen.insert(next.0 as usize) => {
                let next = next.0 as usize;
                stack.push((next, children(next)));
            }
            Some(_) => {}
            None => {
                order.push(BlockId(*block as u32));
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}

/// Puts the blocks in reverse postorder and takes those away that nothing reaches.
pub(crate) fn order_blocks(f: &mut Function) {
    let order = reverse_postorder(&f.blocks);
    if order.len() == f.blocks.len() && order.iter().enumerate().all(|(i, b)| b.0 as usize == i) {
        return;
    }
    let mut new_ids = vec![BlockId(u32::MAX); f.blocks.len()];
    for (new, old) in order.iter().enumerate() {
        new_ids[old.0 as usize] = BlockId(new as u32);
    }
    let mut old: Vec<Option<Block>> = std::mem::take(&mut f.blocks).into_iter().map(Some).collect();
    for id in order {
        let mut block = old[id.0 as usize].take().expect("each block stands once in the order");
        block.end.targets_mut(|to| *to = new_ids[to.0 as usize]);
        f.blocks.push(block);
    }
}

/// The blocks that lead to each block; one that branches there twice stands there twice.
pub(crate) fn predecessors(blocks: &[Block]) -> Vec<Vec<BlockId>> {
    let mut all = vec![Vec::new(); blocks.len()];
    for (i, block) in blocks.iter().enumerate() {
        block.end.successors().for_each(|to| all[to.0 as usize].push(BlockId(i as u32)));
    }
    all
}

/// The nullable variable that a block's branch has just found to be 0 on the way to its first target.
pub(crate) fn null_on_first_edge(block: &Block) -> Option<Var> {
    let Terminator::Branch(condition, yes, no) = block.end else { return None };
    if yes == no {
        return None;
    }
    let mut set_since = Vec::new();
    for inst in block.ops.iter().rev() {
        match inst.op {
            Op::IsNull(d, v) if d == condition => return (!set_since.contains(&v)).then_some(v),
            Op::Stop | Op::Drop(_) | Op::Dup(_) => {}
            _ if inst.op.result() == Some(condition) => return None,
            _ => set_since.extend(inst.op.result()),
        }
        if set_since.len() > 4 {
            return None;
        }
    }
    None
}

const NOT_ACROSS: u32 = u32::MAX;

/// Which variables are live at the ends of each block.
pub(crate) struct Live {
    /// The bit of a variable that is live into some block.
    bits: Vec<u32>,
    /// The variable of each bit.
    vars: Vec<Var>,
    ins: Vec<BitSet>,
    outs: Vec<BitSet>,
}

impl Live {
    /// Computes it. `each_use` calls back with every variable that an operation reads as far as it is of interest.
    /// Blocks must be in reverse postorder.
    pub(crate) fn new(
        f: &Function,
        reads_of_op: impl Fn(&Op, &mut dyn FnMut(Var)),
        reads_of_end: impl Fn(&Terminator, &mut dyn FnMut(Var)),
    ) -> Self {
        let (bits, vars, exposed) = across(f, &reads_of_op, &reads_of_end);
        let mut ins: Vec<BitSet> = Vec::with_capacity(f.blocks.len());
        let mut kills = Vec::with_capacity(f.blocks.len());
        for (block, exposed) in f.blocks.iter().zip(&exposed) {
            let mut set = BitSet::new(vars.len());
            exposed.iter().for_each(|v| {
                set.insert(bits[v.0 as usize] as usize);
            });
            ins.push(set);
            let mut kill = BitSet::new(vars.len());
            for d in block.ops.iter().filter_map(|i| i.op.result()) {
                if bits[d.0 as usize] != NOT_ACROSS {
                    kill.insert(bits[d.0 as usize] as usize);
                }
            }
            kills.push(kill);
        }
        let mut outs = vec![BitSet::new(vars.len()); f.blocks.len()];
        let mut changed = !vars.is_empty();
        while changed {
            changed = false;
            for i in (0..f.blocks.len()).rev() {
                for to in f.blocks[i].end.successors() {
                    outs[i].union(&ins[to.0 as usize]);
                }
                let ((out, kill), into) = ((&outs[i].0, &kills[i].0), &mut ins[i].0);
                for ((into, out), kill) in into.iter_mut().zip(out).zip(kill) {
                    let new = *into | (out & !kill);
                    changed |= new != *into;
                    *into = new;
                }
            }
        }
        Self { bits, vars, ins, outs }
    }

    /// The variables live where the block ends.
    pub(crate) fn live_out(&self, block: usize) -> impl Iterator<Item = Var> + '_ {
        self.outs[block].iter().map(|i| self.vars[i])
    }

    /// The variables live where the block ends but not where `next` begins.
    pub(crate) fn ending_before(&self, block: usize, next: usize) -> impl Iterator<Item = Var> + '_ {
        let words = self.outs[block].0.iter().zip(&self.ins[next].0).map(|(out, into)| out & !into);
        words.enumerate().flat_map(move |(w, word)| bits_of(word).map(move |bit| self.vars[w * 64 + bit]))
    }

    /// Whether the variable is live where the block begins.
    pub(crate) fn is_live_in(&self, block: usize, v: Var) -> bool {
        let bit = self.bits[v.0 as usize];
        bit != NOT_ACROSS && self.ins[block].has(bit as usize)
    }
}

/// The variables that are live at a place which moves backwards through one block after another.
pub(crate) struct Wanted<'a> {
    live: &'a Live,
    block: usize,
    /// What was said since the end of which block, by variable. What was not said is as it is at the end of the block.
    said: Vec<(u32, bool)>,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(live: &'a Live) -> Self {
        Self { live, block: 0, said: vec![(u32::MAX, false); live.bits.len()] }
    }

    /// Goes to the end of a block; not twice to that of the same one.
    pub(crate) fn start(&mut self, block: usize) {
        self.block = block;
    }

    pub(crate) fn has(&self, v: Var) -> bool {
        match self.said.get(v.0 as usize) {
            Some((block, wanted)) if *block as usize == self.block => *wanted,
            Some(_) => {
                let bit = self.live.bits[v.0 as usize];
                bit != NOT_ACROSS && self.live.outs[self.block].has(bit as usize)
            }
            // A variable that a pass made since.
            None => false,
        }
    }

    pub(crate) fn set(&mut self, v: Var, wanted: bool) {
        if let Some(said) = self.said.get_mut(v.0 as usize) {
            *said = (self.block as u32, wanted);
        }
    }
}

/// Numbers the variables that some block reads before it sets them, and lists them by block.
fn across(
    f: &Function,
    reads_of_op: &impl Fn(&Op, &mut dyn FnMut(Var)),
    reads_of_end: &impl Fn(&Terminator, &mut dyn FnMut(Var)),
) -> (Vec<u32>, Vec<Var>, Vec<Vec<Var>>) {
    let mut bits = vec![NOT_ACROSS; f.vars.len()];
    let mut vars = Vec::new();
    // The block that last set, or first read, the variable.
    let mut settled = vec![u32::MAX; f.vars.len()];
    let mut exposed = Vec::with_capacity(f.blocks.len());
    for (i, block) in f.blocks.iter().enumerate() {
        let mut mine = Vec::new();
        let mut read = |v: Var, settled: &mut Vec<u32>| {
            if settled[v.0 as usize] != i as u32 {
                settled[v.0 as usize] = i as u32;
                mine.push(v);
                if bits[v.0 as usize] == NOT_ACROSS {
                    bits[v.0 as usize] = vars.len() as u32;
                    vars.push(v);
                }
            }
        };
        for inst in &block.ops {
            reads_of_op(&inst.op, &mut |v| read(v, &mut settled));
            if let Some(d) = inst.op.result() {
                settled[d.0 as usize] = i as u32;
            }
        }
        reads_of_end(&block.end, &mut |v| read(v, &mut settled));
        exposed.push(mine);
    }
    (bits, vars, exposed)
}
