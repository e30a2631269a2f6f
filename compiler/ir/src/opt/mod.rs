//! Optimisation of uncounted IR: small passes, each of which leaves a well-formed module.
//!
//! Functions are improved callees first, so that what is inlined is already small. Counts come later: a pass here may copy,
//! move and drop mentions of references freely.
//! Not here: what Cranelift does well by itself (registers, instruction choice, common subexpressions of words).

mod append;
mod blocks;
mod copies;
mod dead;
mod decide;
mod facts;
mod fold;
mod inline;
mod places;
mod prune;
mod ranges;
mod repeated;
mod scalars;
mod webs;

use crate::ir::{Function, Module};
use crate::verify::{self, Stage};

/// Improves all functions of a module and takes those away that nothing calls any more.
pub fn optimise(module: &mut Module) {
    for f in &mut module.functions {
        simplify(f);
    }
    verify::check("simplify", module, Stage::Uncounted);
    inline::inline(module);
    verify::check("inline", module, Stage::Uncounted);
    prune::prune(module);
    module.functions.iter_mut().for_each(append::append);
    verify::check("prune", module, Stage::Uncounted);
}

/// How often the passes over one function feed each other. Arbitrary; most functions stop changing after two rounds.
const ROUNDS: usize = 4;

/// Improves one function without looking at others.
fn simplify(f: &mut Function) {
    for _ in 0..ROUNDS {
        let mut changed = copies::propagate(f);
        changed |= fold::fold(f);
        changed |= blocks::thread(f);
        changed |= decide::decide(f);
        changed |= dead::remove(f);
        changed |= repeated::replace(f);
        changed |= ranges::narrow(f);
        changed |= places::merge(f);
        changed |= webs::split(f);
        changed |= scalars::replace(f);
        if !changed {
            return;
        }
    }
}
