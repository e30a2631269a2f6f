//! Tests whose answer is known on the way to them: a block that only computes a few words and then branches is done again
//! at the end of a block that leads to it, when that decides the branch. What made an option, a result or a case and what
//! asks which it is then stand on one path, and the object may go.
//!
//! A loop's head is left alone: the loop would have two entries.
//! Not here: tests that are known wherever they come from (`fold`).

use super::fold;
use crate::flow;
use crate::ir::{Block, BlockId, Function, Op, Prim, Terminator, Var};
use std::rc::Rc;
use weir_abi::layout::{CASE_INDEX, HEADER};

/// The most operations of a block that is done again. Arbitrary: the index of a case loaded and compared, twice.
const FEW: usize = 8;
/// How many operations may be added to a function this way at a time.
const BUDGET: usize = 400;
/// How many variables are known at a time; the oldest are forgotten first.
const KNOWN: usize = 32;

/// What is known of a variable's value.
#[derive(Clone, Debug)]
enum Fact {
    /// It is that word.
    Word(i64),
    /// It is a word that is not 0.
    NotZero,
    /// It is the reference 0.
    Null,
    /// It is a reference, not 0.
    Object,
    /// It is an object with these words, as far as they are known.
    Words(Rc<[Option<Fact>]>),
    /// It is 1 when that variable is 0, else 0.
    IsNull(Var),
    /// It is 1 when that variable is that word (or is not, when the flag is false), else 0.
    Equals(Var, i64, bool),
}

impl Fact {
    /// It, when it says nothing of a variable, which may be set again.
    fn lasting(&self) -> Option<Self> {
        (!matches!(self, Fact::IsNull(_) | Fact::Equals(..))).then(|| self.clone())
    }
}

/// What is known at a place.
#[derive(Clone, Debug, Default)]
struct Facts(Vec<(Var, Fact)>);

impl Facts {
    fn get(&self, v: Var) -> Option<&Fact> {
        self.0.iter().rev().find(|(of, _)| *of == v).map(|(_, fact)| fact)
    }

    fn word(&self, v: Var) -> Option<i64> {
        match self.get(v)? {
            Fact::Word(n) => Some(*n),
            _ => None,
        }
    }

    fn know(&mut self, v: Var, fact: Fact) {
        if self.0.len() == KNOWN {
            self.0.remove(0);
        }
        self.0.push((v, fact));
    }

    fn forget(&mut self, v: Var) {
        self.0.retain(|(of, fact)| {
            *of != v && !matches!(fact, Fact::IsNull(on) | Fact::Equals(on, ..) if *on == v)
        });
    }

    /// What holds behind an operation.
    fn step(&mut self, op: &Op) {
        let Some(d) = op.result() else { return };
        let fact = self.result(op);
        self.forget(d);
        let about_itself = matches!(&fact, Some(Fact::IsNull(v) | Fact::Equals(v, ..)) if *v == d);
        if let Some(fact) = fact.filter(|_| !about_itself) {
            self.know(d, fact);
        }
    }

    fn result(&self, op: &Op) -> Option<Fact> {
        match op {
            Op::Const(_, n) => Some(Fact::Word(*n)),
            Op::Null(_) => Some(Fact::Null),
            Op::Case(_, index) => Some(Fact::Words([Some(Fact::Word(i64::from(*index)))].into())),
            Op::New(_, _, _, words) => {
                Some(Fact::Words(words.iter().map(|w| self.get(*w).and_then(Fact::lasting)).collect()))
            }
            made if fold::is_object(made) => Some(Fact::Object),
            Op::Move(_, s) => self.get(*s).cloned(),
            Op::IsNull(_, v) => match self.get(*v) {
                Some(Fact::Null) => Some(Fact::Word(1)),
                Some(Fact::Object | Fact::Words(_)) => Some(Fact::Word(0)),
                _ => Some(Fact::IsNull(*v)),
            },
            Op::Load(_, from, offset) => match self.get(*from)? {
                Fact::Words(words) => {
                    let at = usize::try_from((offset - HEADER) / 8).ok()?;
                    words.get(at)?.clone()
                }
                _ => None,
            },
            Op::Prim(prim, _, a, b) => self.prim(*prim, *a, *b),
            _ => None,
        }
    }

    fn prim(&self, prim: Prim, a: Var, b: Option<Var>) -> Option<Fact> {
        let Some(b) = b else {
            return match (prim, self.get(a)?) {
                (_, Fact::Word(n)) => fold::unary(prim, *n).map(Fact::Word),
                (Prim::Not, Fact::NotZero) => Some(Fact::Word(0)),
                (Prim::Not, Fact::Equals(v, n, holds)) => Some(Fact::Equals(*v, *n, !holds)),
                _ => None,
            };
        };
        match (prim, self.word(a), self.word(b)) {
            (_, Some(a), Some(b)) => fold::binary(prim, a, b).map(Fact::Word),
            (Prim::Eq | Prim::Ne, None, Some(n)) => Some(Fact::Equals(a, n, prim == Prim::Eq)),
            (Prim::Eq | Prim::Ne, Some(n), None) => Some(Fact::Equals(b, n, prim == Prim::Eq)),
            _ => None,
        }
    }

    /// Where a branch on the variable goes.
    fn decides(&self, condition: Var) -> Option<bool> {
        match self.get(condition)? {
            Fact::Word(n) => Some(*n != 0),
            Fact::NotZero => Some(true),
            _ => None,
        }
    }

    /// Learns from a branch that went that way.
    fn learn(&mut self, condition: Var, way: bool) {
        let fact = self.get(condition).cloned();
        match fact {
            Some(Fact::IsNull(v)) => self.know(v, if way { Fact::Null } else { Fact::Object }),
            Some(Fact::Equals(v, n, holds)) if way == holds => self.know(v, Fact::Word(n)),
            _ => {}
        }
        self.know(condition, if way { Fact::NotZero } else { Fact::Word(0) });
    }
}

/// Whether anything changed. Blocks must be in reverse postorder; they are not, afterwards.
pub(super) fn decide(f: &mut Function) -> bool {
    let predecessors = flow::predecessors(&f.blocks);
    let mut ends: Vec<Facts> = Vec::with_capacity(f.blocks.len());
    let mut budget = BUDGET;
    let mut changed = false;
    for (b, from) in predecessors.iter().enumerate() {
        let mut facts = match from[..] {
            [from] if (from.0 as usize) < b => on_edge(&ends[from.0 as usize], f, from, b),
            _ => Facts::default(),
        };
        f.blocks[b].ops.iter().for_each(|inst| facts.step(&inst.op));
        ends.push(facts);
    }
    for (b, end) in ends.iter().enumerate() {
        // One more step each time: the block that was reached may lead to another test.
        let mut facts = end.clone();
        while let Terminator::Jump(to) = f.blocks[b].end {
            let Some(next) = decided(f, &mut facts, to, b, &predecessors, &mut budget) else { break };
            let again = f.blocks[to.0 as usize].ops.to_vec();
            f.blocks[b].ops.extend(again);
            f.blocks[b].end = Terminator::Jump(next);
            changed = true;
        }
        let Terminator::Branch(condition, yes, no) = f.blocks[b].end else { continue };
        let mut targets = [yes, no];
        for (target, way) in targets.iter_mut().zip([true, false]) {
            let mut facts = end.clone();
            facts.learn(condition, way);
            if yes == no
                || target.0 as usize >= predecessors.len()
                || predecessors[target.0 as usize].len() < 2
            {
                continue;
            }
            let Some(next) = decided(f, &mut facts, *target, b, &predecessors, &mut budget) else { continue };
            let Block { ops, span, site, .. } = f.blocks[target.0 as usize].clone();
            f.blocks.push(Block { ops, end: Terminator::Jump(next), span, site });
            *target = BlockId(f.blocks.len() as u32 - 1);
            changed = true;
        }
        f.blocks[b].end = Terminator::Branch(condition, targets[0], targets[1]);
    }
    changed
}

/// What is known on the way from a block to the only one of the two.
fn on_edge(end: &Facts, f: &Function, from: BlockId, to: usize) -> Facts {
    let mut facts = end.clone();
    if let Terminator::Branch(condition, yes, no) = f.blocks[from.0 as usize].end
        && yes != no
    {
        facts.learn(condition, yes.0 as usize == to);
    }
    facts
}

/// Where block `to` goes when it is reached from block `from` with these facts, which are those behind it then.
fn decided(
    f: &Function,
    facts: &mut Facts,
    to: BlockId,
    from: usize,
    predecessors: &[Vec<BlockId>],
    budget: &mut usize,
) -> Option<BlockId> {
    let block = &f.blocks[to.0 as usize];
    let Terminator::Branch(condition, yes, no) = block.end else { return None };
    let is_own = to.0 as usize >= predecessors.len();
    let is_head = || predecessors[to.0 as usize].iter().any(|p| p.0 >= to.0);
    let few = block.ops.len() <= FEW.min(*budget) && block.ops.iter().all(|i| is_cheap(&i.op));
    if !few || is_own || to.0 as usize <= from || is_head() {
        return None;
    }
    block.ops.iter().for_each(|inst| facts.step(&inst.op));
    let way = facts.decides(condition)?;
    *budget -= block.ops.len();
    Some(if way { yes } else { no })
}

/// Whether an operation may be there twice.
fn is_cheap(op: &Op) -> bool {
    matches!(
        op,
        Op::Const(..)
            | Op::Null(_)
            | Op::Text(..)
            | Op::Case(..)
            | Op::Move(..)
            | Op::Prim(..)
            | Op::Step(..)
            | Op::IsNull(..)
            | Op::Load(..)
    )
}

const _: () = assert!(CASE_INDEX == HEADER);
