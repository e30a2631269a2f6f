//! How often each variable of a function is set and read, and by what it is set if only once.

use crate::ir::{Function, Op, Var};

/// Where a variable that is set once gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// It is never set.
    Never,
    /// As a parameter.
    Param,
    /// By the operation at that block and index.
    Once(u32, u32),
    /// In several places.
    Often,
}

/// What is known of the variables of one function at one time.
pub(super) struct Facts {
    pub(super) set: Vec<Set>,
    pub(super) reads: Vec<u32>,
}

impl Facts {
    pub(super) fn of(f: &Function) -> Self {
        let mut set = vec![Set::Never; f.vars.len()];
        let mut reads = vec![0; f.vars.len()];
        f.params.iter().for_each(|p| set[p.var.0 as usize] = Set::Param);
        for (b, block) in f.blocks.iter().enumerate() {
            for (i, inst) in block.ops.iter().enumerate() {
                inst.op.operands(|v| reads[v.0 as usize] += 1);
                if let Some(d) = inst.op.result() {
                    let slot = &mut set[d.0 as usize];
                    *slot = if *slot == Set::Never { Set::Once(b as u32, i as u32) } else { Set::Often };
                }
            }
            block.end.uses(|v, _| reads[v.0 as usize] += 1);
        }
        Self { set, reads }
    }

    /// Whether the variable has one value wherever it is set before it is read.
    pub(super) fn is_constant(&self, v: Var) -> bool {
        matches!(self.set[v.0 as usize], Set::Param | Set::Once(..))
    }

    /// The only operation that sets the variable.
    pub(super) fn definition<'f>(&self, f: &'f Function, v: Var) -> Option<&'f Op> {
        match self.set[v.0 as usize] {
            Set::Once(b, i) => Some(&f.blocks[b as usize].ops[i as usize].op),
            _ => None,
        }
    }

    /// The word that the variable always is.
    pub(super) fn word(&self, f: &Function, v: Var) -> Option<i64> {
        match self.definition(f, v) {
            Some(Op::Const(_, n)) => Some(*n),
            _ => None,
        }
    }
}
