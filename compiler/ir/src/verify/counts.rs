//! Whether counts are right: each owned reference is consumed exactly once on every path, and nothing is used after that.
//!
//! Walks the blocks forward with the number of counts that each variable is responsible for. A borrowing variable holds
//! none of its own and is good until its owner gives away its last count or is set anew. What was found to be 0 on the way
//! here counts as either. Where control never comes back anything may be left.

use super::Wrong;
use crate::flow;
use crate::ir::{Function, Module, Op, Result as Gives, Terminator, Use, Var};
use std::result::Result;
use weir_abi::native::Mode;

/// What is known of a variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    /// Counts that it is responsible for.
    counts: u8,
    /// It is 0: it may be dropped or not.
    null: bool,
    /// It borrows, and its owner is still there.
    borrows: bool,
    /// Its count is the object's only one: it may be changed in place.
    unique: bool,
}

impl State {
    fn is_good(self) -> bool {
        self.counts > 0 || self.null || self.borrows
    }
}

struct Check<'a> {
    module: &'a Module,
    f: &'a Function,
    /// The borrowing variables of each owner.
    borrowers: Vec<Vec<Var>>,
    states: Vec<State>,
    /// The owned variable that the last operation loaded and that has no count yet.
    fresh: Option<Var>,
}

pub(super) fn check(module: &Module, f: &Function) -> Result<(), Wrong> {
    let owners = owners(f).map_err(|what| Wrong { block: 0, op: 0, what })?;
    let mut borrowers = vec![Vec::new(); f.vars.len()];
    for (i, owner) in owners.iter().enumerate() {
        if let Some(owner) = owner {
            borrowers[owner.0 as usize].push(Var(i as u32));
        }
    }
    let mut check = Check { module, f, borrowers, states: Vec::new(), fresh: None };
    let mut ins: Vec<Option<Vec<State>>> = vec![None; f.blocks.len()];
    ins[0] = Some(check.entry());
    let order = flow::reverse_postorder(&f.blocks);
    let mut changed = true;
    while changed {
        changed = false;
        for b in order.iter().map(|b| b.0 as usize) {
            let Some(states) = ins[b].clone() else { continue };
            check.states = states;
            check.block(b).map_err(|(op, what)| Wrong { block: b, op, what })?;
            let null = flow::null_on_first_edge(&f.blocks[b]);
            for (side, to) in f.blocks[b].end.successors().enumerate() {
                let mut states = check.states.clone();
                if let (0, Some(v)) = (side, null) {
                    let state = &mut states[v.0 as usize];
                    *state = State { counts: 0, null: true, ..*state };
                }
                let is_end = f.blocks[to.0 as usize].end.is_end_of_all();
                changed |= merge(&mut ins[to.0 as usize], states, is_end).map_err(|what| {
                    let op = f.blocks[b].ops.len();
                    Wrong { block: b, op, what: format!("{what}, going to b{}", to.0) }
                })?;
            }
        }
    }
    Ok(())
}

/// The owned variable behind each borrowing one; `None` for those that borrow from outside.
fn owners(f: &Function) -> Result<Vec<Option<Var>>, String> {
    let mut from: Vec<Option<Option<Var>>> = vec![None; f.vars.len()];
    for inst in f.blocks.iter().flat_map(|b| &b.ops) {
        let Some(d) = inst.op.result().filter(|d| is_borrowing(f, *d)) else { continue };
        let source = match inst.op.gives() {
            Gives::Borrowed(_, source) => Some(source),
            _ => None,
        };
        if from[d.0 as usize].replace(source).is_some() {
            return Err(format!("%{} borrows and is set twice", d.0));
        }
    }
    let owner = |v: usize| {
        let mut at = Var(v as u32);
        // As many steps as there are variables at most, unless they borrow from each other in a circle.
        for _ in 0..=f.vars.len() {
            if !is_borrowing(f, at) {
                return Ok((at.0 as usize != v).then_some(at));
            }
            match from[at.0 as usize] {
                Some(Some(next)) => at = next,
                _ => return Ok(None),
            }
        }
        Err(format!("%{v} borrows from itself"))
    };
    (0..f.vars.len()).map(owner).collect()
}

fn is_borrowing(f: &Function, v: Var) -> bool {
    let info = &f.vars[v.0 as usize];
    info.repr.is_ref() && !info.owned
}

/// Joins what is known on one more way into a block; whether that changed anything.
fn merge(into: &mut Option<Vec<State>>, states: Vec<State>, is_end: bool) -> Result<bool, String> {
    let Some(known) = into else {
        *into = Some(states);
        return Ok(true);
    };
    let mut changed = false;
    for (i, (known, new)) in known.iter_mut().zip(states).enumerate() {
        let counts = match (known.null, new.null) {
            (true, false) => new.counts,
            (false, true) => known.counts,
            _ if known.counts == new.counts => known.counts,
            _ if is_end => known.counts.min(new.counts),
            _ => {
                return Err(format!(
                    "%{i} holds {} counts on one way and {} on another",
                    known.counts, new.counts
                ));
            }
        };
        let joined = State {
            counts,
            null: known.null && new.null,
            borrows: known.borrows && new.borrows,
            unique: known.unique && new.unique,
        };
        changed |= *known != joined;
        *known = joined;
    }
    Ok(changed)
}

impl Check<'_> {
    fn entry(&self) -> Vec<State> {
        let mut states = vec![State::default(); self.f.vars.len()];
        for p in &self.f.params {
            let owned = self.f.vars[p.var.0 as usize].owned;
            states[p.var.0 as usize] = match p.mode {
                Mode::Own if owned => State { counts: 1, ..State::default() },
                Mode::Borrow if !owned => State { borrows: true, ..State::default() },
                // A parameter whose mode and variable disagree has nothing: its first use is wrong.
                _ => State::default(),
            };
        }
        states
    }

    fn block(&mut self, b: usize) -> Result<(), (usize, String)> {
        let f = self.f;
        let block = &f.blocks[b];
        self.fresh = None;
        for (i, inst) in block.ops.iter().enumerate() {
            self.op(&inst.op).map_err(|what| (i, what))?;
        }
        let end = block.ops.len();
        if let Terminator::Return(v) = block.end {
            if f.vars[v.0 as usize].repr.is_ref() {
                self.consume(v).map_err(|what| (end, what))?;
            }
            if let Some(left) = self.states.iter().position(|s| s.counts > 0 && !s.null) {
                return Err((end, format!("%{left} is never dropped")));
            }
        }
        Ok(())
    }

    fn state(&mut self, v: Var) -> &mut State {
        &mut self.states[v.0 as usize]
    }

    fn op(&mut self, op: &Op) -> Result<(), String> {
        let f = self.f;
        let fresh = self.fresh.take();
        if let Op::Dup(v) = *op {
            if !self.state(v).is_good() && fresh != Some(v) {
                return Err(format!("%{} is not there", v.0));
            }
            let state = self.state(v);
            state.unique = false;
            if !state.null {
                state.counts += 1;
            }
            return Ok(());
        }
        let mut consumed = Vec::new();
        let mut looked_at = Vec::new();
        op.uses(&self.module.functions, |v, how| {
            if f.vars[v.0 as usize].repr.is_ref() {
                if how == Use::Consume { consumed.push(v) } else { looked_at.push(v) }
            }
        });
        let is_unique = match *op {
            Op::Unique(..) => true,
            Op::Move(_, s) if f.vars[s.0 as usize].repr.is_ref() => self.state(s).unique,
            _ => false,
        };
        // What is taken over may be gone before the rest is looked at.
        consumed.into_iter().try_for_each(|v| self.consume(v))?;
        if let Some(v) = looked_at.into_iter().find(|v| !self.state(*v).is_good()) {
            return Err(format!("%{} is not there", v.0));
        }
        if let Some(changed) = op.changes() {
            if !self.state(changed).unique {
                return Err(format!("%{} may be held by others and is changed in place", changed.0));
            }
            self.end_borrows(changed);
        }
        let Some(d) = op.result().filter(|d| f.vars[d.0 as usize].repr.is_ref()) else { return Ok(()) };
        let before = *self.state(d);
        if before.counts > 0 && !before.null {
            return Err(format!("%{} is set while it holds a count", d.0));
        }
        self.end_borrows(d);
        let owned = f.vars[d.0 as usize].owned;
        *self.state(d) = match op.gives() {
            Gives::Owned(_) if owned => State { counts: 1, unique: is_unique, ..State::default() },
            Gives::Borrowed(..) if owned => {
                self.fresh = Some(d);
                State::default()
            }
            Gives::Borrowed(..) => State { borrows: true, ..State::default() },
            Gives::Owned(_) if matches!(op, Op::Text(..) | Op::Case(..) | Op::Global(..)) => {
                State { borrows: true, ..State::default() }
            }
            _ => return Err(format!("nobody owns %{}", d.0)),
        };
        Ok(())
    }

    fn consume(&mut self, v: Var) -> Result<(), String> {
        let state = self.state(v);
        if state.null {
            return Ok(());
        }
        if state.counts == 0 {
            return Err(format!("%{} holds no count to give away", v.0));
        }
        state.counts -= 1;
        state.unique = false;
        if state.counts == 0 && self.f.vars[v.0 as usize].owned {
            self.end_borrows(v);
        }
        Ok(())
    }

    /// What borrows from `v` is not there any more.
    fn end_borrows(&mut self, v: Var) {
        for borrower in &self.borrowers[v.0 as usize] {
            self.states[borrower.0 as usize].borrows = false;
        }
    }
}
