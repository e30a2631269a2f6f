//! A function under construction: variables, blocks, the loops around the current place.
//!
//! Invariant: operations are only emitted into a block that something leads to and that has not ended.

use super::tables::Tables;
use super::walk;
use crate::ir::{Block, BlockId, Inst, Op, Repr, Terminator, Var, VarInfo};
use weir_check::typed::{self, LocalId, Program};
use weir_check::types::Ty;
use weir_syntax::span::Span;

/// Where `break` and `continue` go.
#[derive(Clone, Copy)]
pub(super) struct LoopTargets {
    pub(super) next: BlockId,
    pub(super) exit: BlockId,
}

/// One function.
pub(super) struct FunctionBuilder<'m, 'p> {
    pub(super) tables: &'m mut Tables<'p>,
    pub(super) program: &'p Program,
    /// Variable `i` is local `i`; temporaries stand behind them.
    pub(super) vars: Vec<VarInfo>,
    pub(super) blocks: Vec<Block>,
    /// Whether anything leads to a block.
    reached: Vec<bool>,
    current: BlockId,
    pub(super) loops: Vec<LoopTargets>,
    /// The parameter whose value is given back, of a function that changes it.
    pub(super) gives_back: Option<Var>,
    /// What such a function gives besides.
    pub(super) second: Option<Repr>,
    assigned: Vec<bool>,
}

impl<'m, 'p> FunctionBuilder<'m, 'p> {
    /// An empty function whose current block is the entry.
    pub(super) fn new(tables: &'m mut Tables<'p>, program: &'p Program, f: &'p typed::Function) -> Self {
        let mut assigned = vec![false; f.locals.len()];
        walk::mark_assigned(&f.body, &mut assigned);
        let name = |n: &str| if n.starts_with('$') { String::new() } else { n.to_owned() };
        let vars = f
            .locals
            .iter()
            .map(|l| VarInfo { name: name(&l.name), repr: tables.repr(l.ty), owned: false })
            .collect();
        let entry = Block { ops: Vec::new(), end: Terminator::Unreachable, span: f.span, site: None };
        Self {
            tables,
            program,
            vars,
            blocks: vec![entry],
            reached: vec![true],
            current: BlockId(0),
            loops: Vec::new(),
            gives_back: None,
            second: None,
            assigned,
        }
    }

    pub(super) fn temp(&mut self, repr: Repr) -> Var {
        self.vars.push(VarInfo { name: String::new(), repr, owned: false });
        Var(self.vars.len() as u32 - 1)
    }

    /// A temporary for a value of that type.
    pub(super) fn temp_of(&mut self, ty: Ty) -> Var {
        let repr = self.tables.repr(ty);
        self.temp(repr)
    }

    /// Whether the local keeps the value that it is bound to.
    pub(super) fn is_constant(&self, local: LocalId) -> bool {
        !self.assigned[local.0 as usize]
    }

    pub(super) fn emit(&mut self, op: Op, span: Span) {
        self.blocks[self.current.0 as usize].ops.push(Inst { op, span, site: None });
    }

    /// A new temporary set to a word.
    pub(super) fn word(&mut self, value: i64, span: Span) -> Var {
        let v = self.temp(Repr::Word);
        self.emit(Op::Const(v, value), span);
        v
    }

    /// A block that nothing leads to yet.
    pub(super) fn block(&mut self) -> BlockId {
        let span = self.blocks[self.current.0 as usize].span;
        self.blocks.push(Block { ops: Vec::new(), end: Terminator::Unreachable, span, site: None });
        self.reached.push(false);
        BlockId(self.blocks.len() as u32 - 1)
    }

    /// Ends the current block.
    pub(super) fn end(&mut self, end: Terminator, span: Span) {
        end.successors().for_each(|to| self.reached[to.0 as usize] = true);
        let block = &mut self.blocks[self.current.0 as usize];
        block.end = end;
        block.span = span;
    }

    /// Ends the function with its value.
    pub(super) fn end_with(&mut self, value: Var, span: Span) {
        let Some(changed) = self.gives_back else { return self.end(Terminator::Return(value), span) };
        if self.second.is_some() {
            self.emit(Op::GiveSecond(value), span);
        }
        self.end(Terminator::Return(changed), span);
    }

    pub(super) fn jump(&mut self, to: BlockId, span: Span) {
        self.end(Terminator::Jump(to), span);
    }

    /// Goes on in `block`; `None` when nothing leads there.
    pub(super) fn enter(&mut self, block: BlockId) -> Option<()> {
        self.current = block;
        self.reached[block.0 as usize].then_some(())
    }
}
