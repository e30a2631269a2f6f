//! Shorter ways between blocks: past empty ones, past tests whose answer is known on the way, to
//! returns, and chains made one block.

use super::facts::Facts;
use super::fold::is_object;
use crate::flow;
use crate::ir::{Block, BlockId, Function, Op, Terminator, Var};

/// Whether anything changed. Leaves the blocks in reverse postorder.
pub(super) fn thread(f: &mut Function) -> bool {
    let mut changed = skip_empty(f);
    changed |= skip_known_tests(f);
    flow::order_blocks(f);
    changed | join_chains(f)
}

/// Whatever leads to an empty block that only goes on leads to where that goes.
fn skip_empty(f: &mut Function) -> bool {
    let destination = |i: usize| {
        let mut at = BlockId(i as u32);
        // As many steps as there are blocks at most: empty blocks may lead in a circle.
        for _ in 0..f.blocks.len() {
            match &f.blocks[at.0 as usize] {
                Block { ops, end: Terminator::Jump(next), .. } if ops.is_empty() && *next != at => at = *next,
                _ => break,
            }
        }
        at
    };
    let goes_to: Vec<BlockId> = (0..f.blocks.len()).map(destination).collect();
    let returns: Vec<Option<Var>> = f
        .blocks
        .iter()
        .map(|block| match block.end {
            Terminator::Return(v) if block.ops.is_empty() => Some(v),
            _ => None,
        })
        .collect();
    let mut changed = false;
    for block in &mut f.blocks {
        block.end.targets_mut(|to| {
            let target = goes_to[to.0 as usize];
            // The entry has no predecessors, so it is never a target.
            changed |= target != *to;
            *to = target;
        });
        match block.end {
            Terminator::Branch(_, yes, no) if yes == no => {
                block.end = Terminator::Jump(yes);
                changed = true;
            }
            // Each way to a bare return is one of its own: what it gives is then known there.
            Terminator::Jump(to) => {
                if let Some(v) = returns[to.0 as usize] {
                    block.end = Terminator::Return(v);
                    changed = true;
                }
            }
            _ => {}
        }
    }
    changed
}

/// A block that does nothing but test a variable which the block before it has just set to something known.
fn skip_known_tests(f: &mut Function) -> bool {
    let reads = Facts::of(f).reads;
    let mut changed = false;
    for b in 0..f.blocks.len() {
        let Terminator::Jump(to) = f.blocks[b].end else { continue };
        let Some(test) = test_of(f, &reads, to) else { continue };
        let answer =
            f.blocks[b].ops.iter().rev().find(|i| i.op.result() == Some(test.variable())).and_then(|set| {
                match (&test, &set.op) {
                    (Test::Word(_), Op::Const(_, n)) => Some(*n != 0),
                    (Test::Null(_), Op::Null(_)) => Some(true),
                    (Test::Null(_), made) if is_object(made) => Some(false),
                    _ => None,
                }
            });
        if let (Some(answer), Terminator::Branch(_, yes, no)) = (answer, &f.blocks[to.0 as usize].end) {
            f.blocks[b].end = Terminator::Jump(if answer { *yes } else { *no });
            changed = true;
        }
    }
    changed
}

enum Test {
    /// Whether the word is not 0.
    Word(Var),
    /// Whether the reference is 0.
    Null(Var),
}

impl Test {
    fn variable(&self) -> Var {
        match self {
            Test::Word(v) | Test::Null(v) => *v,
        }
    }
}

fn test_of(f: &Function, reads: &[u32], block: BlockId) -> Option<Test> {
    let block = &f.blocks[block.0 as usize];
    let Terminator::Branch(condition, ..) = block.end else { return None };
    match &block.ops[..] {
        [] => Some(Test::Word(condition)),
        [inst] => match inst.op {
            // The condition is a temporary of this test: nothing behind it reads it.
            Op::IsNull(c, v) if c == condition && reads[c.0 as usize] == 1 => Some(Test::Null(v)),
            _ => None,
        },
        _ => None,
    }
}

/// A block with one way out to a block with one way in: one block.
fn join_chains(f: &mut Function) -> bool {
    let mut ways_in: Vec<u32> = flow::predecessors(&f.blocks).iter().map(|p| p.len() as u32).collect();
    let mut changed = false;
    for b in 0..f.blocks.len() {
        while let Terminator::Jump(to) = f.blocks[b].end
            && ways_in[to.0 as usize] == 1
            && to.0 as usize != b
        {
            let next = &mut f.blocks[to.0 as usize];
            let ops = std::mem::take(&mut next.ops);
            let end = std::mem::replace(&mut next.end, Terminator::Unreachable);
            let (span, site) = (next.span, next.site);
            ways_in[to.0 as usize] = 0;
            let block = &mut f.blocks[b];
            block.ops.extend(ops);
            block.end = end;
            (block.span, block.site) = (span, site);
            changed = true;
        }
    }
    flow::order_blocks(f);
    changed
}
