//! Asks whether a module is well-formed; a pass that leaves one that is not has a bug.
//!
//! Always: variables, blocks, functions and natives that are mentioned exist, reprs agree, every variable is set before it
//! is read on all paths, nothing leads to the entry. After the counting pass also what [`counts`] says.
//! Not here: whether the module does what the program says (the tests run both).

mod counts;
mod forms;
mod seconds;

use crate::flow::{self, BitSet};
use crate::ir::{Function, FunctionKind, Module, Op, Var};
use crate::print::Operation;
use std::fmt;
use weir_abi::native::Mode;

/// Whether `Dup` and `Drop` are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before the counting pass.
    Uncounted,
    /// After it.
    Counted,
}

/// A module that is not well-formed: a bug of the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// What is wrong, where, with the function's text.
    pub message: String,
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Where in a function something is wrong, and what.
struct Wrong {
    block: usize,
    /// The operation's index; behind the last one for the terminator.
    op: usize,
    what: String,
}

/// Looks at every function of a module.
pub fn verify(module: &Module, stage: Stage) -> Result<(), Bug> {
    for (i, f) in module.functions.iter().enumerate() {
        let checked =
            forms::check(module, f, stage).and_then(|()| seconds::check(module, f)).and_then(|()| {
                check_set_before_read(f)?;
                match stage {
                    Stage::Uncounted => Ok(()),
                    Stage::Counted => counts::check(module, f),
                }
            });
        checked.map_err(|wrong| Bug { message: describe(module, i, &wrong) })?;
    }
    for id in module.tests.iter().chain([&module.main]) {
        let entry = &module.functions[id.0 as usize];
        if !entry.params.is_empty() || entry.kind != FunctionKind::Direct {
            return Err(Bug { message: "main or a test takes parameters".to_owned() });
        }
    }
    for served in module.served() {
        let served = &module.functions[served.0 as usize];
        if !matches!(&served.params[..], [p] if p.mode == Mode::Own) {
            return Err(Bug { message: format!("{} does not take one owned request", served.name) });
        }
    }
    Ok(())
}

/// In debug builds, panics with what is wrong with the module that `pass` left.
pub(crate) fn check(pass: &str, module: &Module, stage: Stage) {
    if cfg!(debug_assertions)
        && let Err(bug) = verify(module, stage)
    {
        panic!("compiler bug behind `{pass}`: {bug}");
    }
}

fn describe(module: &Module, function: usize, wrong: &Wrong) -> String {
    let f = &module.functions[function];
    let place = match f.blocks.get(wrong.block).and_then(|b| b.ops.get(wrong.op)) {
        Some(inst) => format!("`{}`", Operation { module, f, op: &inst.op }),
        None => "the end".to_owned(),
    };
    let text = crate::print::print_function(module, crate::ir::FuncId(function as u32));
    format!(
        "{} in `{}`, block b{}, at {place} (operation {}):\n{text}",
        wrong.what, f.name, wrong.block, wrong.op
    )
}

/// Each variable is set on every path before it is read.
fn check_set_before_read(f: &Function) -> Result<(), Wrong> {
    let mut ins: Vec<Option<BitSet>> = vec![None; f.blocks.len()];
    let mut entry = BitSet::new(f.vars.len());
    f.params.iter().for_each(|p| {
        entry.insert(p.var.0 as usize);
    });
    ins[0] = Some(entry);
    let order = flow::reverse_postorder(&f.blocks);
    let mut changed = true;
    while changed {
        changed = false;
        for &b in &order {
            let block = &f.blocks[b.0 as usize];
            let Some(mut set) = ins[b.0 as usize].clone() else { continue };
            block.ops.iter().filter_map(|i| i.op.result()).for_each(|d| {
                set.insert(d.0 as usize);
            });
            for to in block.end.successors() {
                let into = &mut ins[to.0 as usize];
                changed |= match into {
                    Some(known) => known.intersect(&set),
                    None => {
                        *into = Some(set.clone());
                        true
                    }
                };
            }
        }
    }
    for &b in &order {
        let block = &f.blocks[b.0 as usize];
        let mut set = ins[b.0 as usize].clone().expect("the order holds reachable blocks");
        for (i, inst) in block.ops.iter().enumerate() {
            let mut unset: Option<Var> = None;
            inst.op.operands(|v| unset = unset.or((!set.has(v.0 as usize)).then_some(v)));
            if let Some(v) = unset {
                return Err(Wrong {
                    block: b.0 as usize,
                    op: i,
                    what: format!("%{} is read before it is set", v.0),
                });
            }
            // A borrowed result may be set again by a move only; the counts' check asks that.
            if let Some(d) = inst.op.result() {
                set.insert(d.0 as usize);
            }
        }
        let mut unset: Option<Var> = None;
        block.end.uses(|v, _| unset = unset.or((!set.has(v.0 as usize)).then_some(v)));
        if let Some(v) = unset {
            let op = block.ops.len();
            return Err(Wrong {
                block: b.0 as usize,
                op,
                what: format!("%{} is read before it is set", v.0),
            });
        }
    }
    Ok(())
}

/// Whether an operation belongs behind the counting pass.
fn is_of_counts(op: &Op) -> bool {
    matches!(op, Op::Dup(_) | Op::Drop(_) | Op::Alias(..) | Op::Hollow(..) | Op::NewIn(..))
}
