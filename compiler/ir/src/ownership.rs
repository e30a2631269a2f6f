//! Decides for each variable of a function who is responsible for the value that it names.
//!
//! In: uncounted IR and the parameter modes of all functions. Out: a [`Holder`] per variable.
//! A variable that is set once, by a load or a move, and only ever looked at, may borrow: from the variable that it was
//! taken from, or from whatever that one borrows from (a part that is returned gets its count there). It may not when that owner is passed on or set anew while the
//! borrower is live: then one count on the small thing is better than a copy of the container.
//! Not here: where counts go up and down (`count`), parameter modes (`borrow`).

use crate::flow::Live;
use crate::ir::{Function, Op, Result, Terminator, Use, Var};
use weir_abi::native::Mode;

/// Who is responsible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody: it is no reference.
    Word,
    /// The variable itself.
    Owned,
    /// Somebody outside: the caller of a borrowed parameter, or the module for a literal.
    Outside,
    /// That variable, which is `Owned`.
    Var(Var),
}

/// Where the value of a variable that is set once comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// It cannot borrow.
    Fresh,
    /// A literal, or what a slot of the module holds for good: it needs no owner.
    Literal,
    /// A borrowed parameter.
    Lent,
    /// Part of that object.
    Part(Var),
    /// That value under another name.
    Same(Var),
}

/// What one look at a function's operations tells.
pub(crate) struct Facts {
    source: Vec<Source>,
    /// Whether a use takes the value over; a move into a variable that is not taken over does not count.
    consumed: Vec<bool>,
    /// Whether it is the function's result somewhere, or moves into a variable with a count of its own. A part of an
    /// object may borrow nevertheless: it gets its count on that way only, where it would else have had one from the start.
    returned: Vec<bool>,
    moves: Vec<(Var, Var)>,
}

impl Facts {
    /// Looks at `f`.
    pub(crate) fn of(f: &Function, functions: &[Function]) -> Self {
        let mut source: Vec<Option<Source>> = vec![None; f.vars.len()];
        let mut consumed = vec![false; f.vars.len()];
        let mut returned = vec![false; f.vars.len()];
        let mut moves = Vec::new();
        for p in &f.params {
            source[p.var.0 as usize] =
                Some(if p.mode == Mode::Borrow { Source::Lent } else { Source::Fresh });
        }
        for block in &f.blocks {
            for inst in &block.ops {
                let from = match &inst.op {
                    Op::Move(d, s) => {
                        moves.push((*d, *s));
                        Source::Same(*s)
                    }
                    Op::Text(..) | Op::Case(..) | Op::Global(..) => Source::Literal,
                    op => {
                        op.uses(functions, |v, how| consumed[v.0 as usize] |= how == Use::Consume);
                        // What is changed in place has its only count: to move there takes it over.
                        op.changes().into_iter().for_each(|v| consumed[v.0 as usize] = true);
                        match op.gives() {
                            Result::Borrowed(_, from) => Source::Part(from),
                            _ => Source::Fresh,
                        }
                    }
                };
                if let Some(d) = inst.op.result() {
                    let slot = &mut source[d.0 as usize];
                    // Set twice: it cannot borrow, and a parameter's first value would be lost.
                    consumed[d.0 as usize] |= *slot == Some(Source::Lent);
                    *slot = Some(if slot.is_none() { from } else { Source::Fresh });
                }
            }
            if let Terminator::Return(v) = block.end {
                returned[v.0 as usize] = true;
            }
        }
        let source = source.into_iter().map(|s| s.unwrap_or(Source::Fresh)).collect();
        let mut facts = Self { source, consumed, returned, moves };
        facts.spread();
        facts
    }

    /// Whether some use takes the value of `v` over.
    pub(crate) fn is_consumed(&self, v: Var) -> bool {
        self.consumed[v.0 as usize] || self.returned[v.0 as usize]
    }

    fn borrows(&self, v: Var) -> bool {
        match self.source[v.0 as usize] {
            Source::Fresh => false,
            Source::Lent => true,
            Source::Part(_) => !self.consumed[v.0 as usize],
            Source::Literal | Source::Same(_) => !self.is_consumed(v),
        }
    }

    /// A move into a variable that does not borrow takes its operand over.
    fn spread(&mut self) {
        loop {
            let mut changed = false;
            for i in (0..self.moves.len()).rev() {
                let (d, s) = self.moves[i];
                let is_taken = !self.borrows(d);
                let is_part = matches!(self.source[s.0 as usize], Source::Part(_));
                let taken = if is_part { &mut self.returned } else { &mut self.consumed };
                changed |= is_taken && !taken[s.0 as usize];
                taken[s.0 as usize] |= is_taken;
            }
            if !changed {
                return;
            }
        }
    }

    /// The holders if everything that may borrow does.
    fn holders(&self, f: &Function) -> Vec<Holder> {
        let mut holders: Vec<Option<Holder>> = vec![None; f.vars.len()];
        let mut path = Vec::new();
        for i in 0..f.vars.len() {
            let mut v = Var(i as u32);
            let holder = loop {
                if let Some(known) = holders[v.0 as usize] {
                    break if known == Holder::Owned && v.0 as usize != i { Holder::Var(v) } else { known };
                }
                path.push(v);
                break match self.source[v.0 as usize] {
                    _ if !f.vars[v.0 as usize].repr.is_ref() => Holder::Word,
                    _ if !self.borrows(v) => Holder::Owned,
                    Source::Part(from) | Source::Same(from) => {
                        v = from;
                        continue;
                    }
                    _ => Holder::Outside,
                };
            };
            // The last of the path is where the answer was found; those before it borrow from it.
            let found = v;
            for v in path.drain(..) {
                let own = if v == found || holder != Holder::Owned { holder } else { Holder::Var(found) };
                holders[v.0 as usize] = Some(own);
            }
        }
        holders.into_iter().map(|h| h.expect("each variable was visited")).collect()
    }
}

/// How often to look again after some borrowers became owners before all others become owners too. Arbitrary; two rounds
/// do for nearly all functions.
const ROUNDS: usize = 6;

/// The holder of each variable. Blocks must be in reverse postorder.
pub(crate) fn holders(f: &Function, functions: &[Function]) -> Vec<Holder> {
    let mut facts = Facts::of(f, functions);
    for round in 0.. {
        let holders = facts.holders(f);
        let unsafe_borrowers = if round < ROUNDS {
            conflicts(f, functions, &holders)
        } else {
            let borrowers = (0..f.vars.len()).filter(|&i| matches!(holders[i], Holder::Var(_)));
            borrowers.map(|i| Var(i as u32)).collect()
        };
        if unsafe_borrowers.is_empty() {
            return holders;
        }
        for v in unsafe_borrowers {
            facts.source[v.0 as usize] = Source::Fresh;
        }
        facts.spread();
    }
    unreachable!("the last round leaves no borrower to object to")
}

/// The borrowers that are live where their owner is passed on or set anew.
fn conflicts(f: &Function, functions: &[Function], holders: &[Holder]) -> Vec<Var> {
    let owner = |v: Var| match holders[v.0 as usize] {
        Holder::Var(owner) => Some(owner),
        _ => None,
    };
    if holders.iter().all(|h| !matches!(h, Holder::Var(_))) {
        return Vec::new();
    }
    let borrowers_of = |v: Var, each: &mut dyn FnMut(Var)| {
        if owner(v).is_some() {
            each(v);
        }
    };
    let live = Live::new(
        f,
        |op, each| op.operands(|v| borrowers_of(v, each)),
        |end, each| end.uses(|v, _| borrowers_of(v, each)),
    );
    let mut found = Vec::new();
    // The borrowers live at the present place, and how many of them each owner has.
    let mut now: Vec<Var> = Vec::new();
    let mut counts = vec![0u32; f.vars.len()];
    for (i, block) in f.blocks.iter().enumerate() {
        now.extend(live.live_out(i));
        now.iter().filter_map(|v| owner(*v)).for_each(|o| counts[o.0 as usize] += 1);
        let enter = |v: Var, now: &mut Vec<Var>, counts: &mut Vec<u32>| {
            if let Some(o) = owner(v)
                && !now.contains(&v)
            {
                now.push(v);
                counts[o.0 as usize] += 1;
            }
        };
        block.end.uses(|v, _| enter(v, &mut now, &mut counts));
        for inst in block.ops.iter().rev() {
            let blame = |o: Var, now: &[Var], counts: &[u32], found: &mut Vec<Var>| {
                if counts[o.0 as usize] > 0 {
                    found.extend(now.iter().filter(|v| owner(**v) == Some(o)));
                }
            };
            let result = inst.op.result();
            if let Some(d) = result {
                if let Some(o) = owner(d)
                    && let Some(at) = now.iter().position(|v| *v == d)
                {
                    now.swap_remove(at);
                    counts[o.0 as usize] -= 1;
                }
                blame(d, &now, &counts, &mut found);
            }
            inst.op.operands(|v| enter(v, &mut now, &mut counts));
            let is_alias = matches!(inst.op, Op::Move(d, _) if holders[d.0 as usize] != Holder::Owned);
            if let Some(changed) = inst.op.changes() {
                blame(changed, &now, &counts, &mut found);
            }
            if !is_alias {
                inst.op.uses(functions, |v, how| {
                    if how == Use::Consume {
                        blame(v, &now, &counts, &mut found);
                    }
                });
            }
        }
        now.drain(..).filter_map(owner).for_each(|o| counts[o.0 as usize] = 0);
    }
    found
}
