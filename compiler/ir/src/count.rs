//! Reference counts: makes every ownership transfer in the IR explicit.
//!
//! In: IR without `Dup` and `Drop`, with parameter modes. Out: IR that `verify` accepts as counted; `VarInfo::owned` set;
//! moves into borrowing variables have become aliases.
//!
//! Blocks are walked backwards with the owned variables that are still wanted (Perceus: a count goes up before a value is
//! taken over that is wanted later, and down right after its last use). A use of a borrower is a use of its owner. A value
//! that is wanted on one way out of a block but not on the other is dropped on that edge.
//! A variable that is set anew lost its old value at that one's last use: `out = push(out, x)` moves.
//! Where control never comes back (a trap, a panic) nothing is dropped: the scope goes whole.

use crate::flow::{self, Live, Wanted};
use crate::ir::{Block, BlockId, Function, Inst, Module, Op, Result, SiteId, Terminator, Use, Var, VarInfo};
use crate::ownership::{self, Holder};
use weir_syntax::span::Span;

/// Counts all functions of a module.
pub fn count(module: &mut Module) {
    for i in 0..module.functions.len() {
        // The callees' parameters are read meanwhile, the function's own among them.
        let mut f = Function { params: module.functions[i].params.clone(), ..take(&mut module.functions[i]) };
        count_function(&mut f, &module.functions);
        module.functions[i] = f;
    }
}

/// The function, leaving its parameters in place.
fn take(f: &mut Function) -> Function {
    Function {
        name: std::mem::take(&mut f.name),
        params: Vec::new(),
        vars: std::mem::take(&mut f.vars),
        blocks: std::mem::take(&mut f.blocks),
        sites: std::mem::take(&mut f.sites),
        ..*f
    }
}

fn count_function(f: &mut Function, functions: &[Function]) {
    flow::order_blocks(f);
    let holders = ownership::holders(f, functions);
    let owner = |v: Var| match holders[v.0 as usize] {
        Holder::Owned => Some(v),
        Holder::Var(owner) => Some(owner),
        Holder::Word | Holder::Outside => None,
    };
    let live = Live::new(
        f,
        |op, each| op.operands(|v| owner(v).into_iter().for_each(&mut *each)),
        |end, each| end.uses(|v, _| owner(v).into_iter().for_each(&mut *each)),
    );
    for (var, holder) in f.vars.iter_mut().zip(&holders) {
        var.owned = *holder == Holder::Owned;
    }
    let mut counter = Counter {
        functions,
        vars: &mut f.vars,
        wanted: Wanted::new(&live),
        holders,
        done: Vec::new(),
        site: None,
        keeps_all: false,
        operands: Vec::new(),
    };
    for (i, block) in f.blocks.iter_mut().enumerate() {
        counter.wanted.start(i);
        counter.block(block);
    }
    let holders = counter.holders;
    let unwanted_params = f.params.iter().map(|p| p.var).filter(|v| holders[v.0 as usize] == Holder::Owned);
    let unwanted_params: Vec<Var> = unwanted_params.filter(|v| !live.is_live_in(0, *v)).collect();
    if !f.blocks[0].end.is_end_of_all() {
        drop_at_start(&mut f.blocks[0], unwanted_params);
    }
    drop_on_edges(f, &live);
}

/// An operand of one operation, by the variable that owns its value.
#[derive(Clone, Copy)]
struct Operand {
    owner: Var,
    consumed: u32,
    looked_at: bool,
}

struct Counter<'a> {
    functions: &'a [Function],
    vars: &'a mut Vec<VarInfo>,
    holders: Vec<Holder>,
    /// The owned variables whose value is wanted behind the present place.
    wanted: Wanted<'a>,
    /// The operations behind the present place, last first.
    done: Vec<Inst>,
    /// The inlined call that the present operation came with.
    site: Option<SiteId>,
    /// Whether the block ends where nothing has to be given back.
    keeps_all: bool,
    /// The operands of the present operation; kept for its storage.
    operands: Vec<Operand>,
}

impl Counter<'_> {
    fn block(&mut self, block: &mut Block) {
        self.keeps_all = block.end.is_end_of_all();
        self.site = block.site;
        if let Terminator::Return(v) = block.end {
            match self.holders[v.0 as usize] {
                Holder::Word => {}
                Holder::Owned => self.want(v),
                Holder::Outside => self.push(Op::Dup(v), block.span),
                Holder::Var(owner) => {
                    self.push(Op::Drop(owner), block.span);
                    self.push(Op::Dup(v), block.span);
                    self.want(owner);
                }
            }
        }
        for inst in std::mem::take(&mut block.ops).into_iter().rev() {
            self.inst(inst);
        }
        self.done.reverse();
        block.ops = std::mem::take(&mut self.done);
    }

    fn want(&mut self, v: Var) {
        self.wanted.set(v, true);
    }

    fn push(&mut self, op: Op, span: Span) {
        self.done.push(Inst { op, span, site: self.site });
    }

    /// Puts an operation before those done, with the counts that it needs around it.
    fn inst(&mut self, Inst { mut op, span, site }: Inst) {
        self.site = site;
        if let Op::Move(d, s) = op
            && matches!(self.holders[d.0 as usize], Holder::Outside | Holder::Var(_))
        {
            op = Op::Alias(d, s);
        }
        let owned_result = op.result().filter(|d| self.holders[d.0 as usize] == Holder::Owned);
        let is_wanted = owned_result.is_some_and(|d| self.wanted.has(d));
        owned_result.into_iter().for_each(|d| self.wanted.set(d, false));
        let lent = self.collect(&op);
        let clash = owned_result.is_some_and(|d| self.operands.iter().any(|o| o.owner == d && o.looked_at));

        let mut target = owned_result;
        if let (true, Some(d)) = (clash, owned_result) {
            // The old value must go behind the operation that sets the new one.
            let fresh = self.fresh(d);
            *op.result_mut().expect("it has a result") = fresh;
            target = Some(fresh);
            if is_wanted {
                self.push(Op::Move(d, fresh), span);
            }
        }
        for i in 0..self.operands.len() {
            let o = self.operands[i];
            let must_go = o.looked_at && !self.wanted.has(o.owner);
            if must_go && (!self.keeps_all || (clash && owned_result == Some(o.owner))) {
                self.push(Op::Drop(o.owner), span);
            }
        }
        if let Some(d) = target {
            match op.gives() {
                Result::Borrowed(..) if is_wanted => self.push(Op::Dup(d), span),
                Result::Owned(_) if !is_wanted && !self.keeps_all => self.push(Op::Drop(d), span),
                _ => {}
            }
        }
        self.push(op, span);
        for v in lent {
            self.push(Op::Dup(v), span);
        }
        for i in 0..self.operands.len() {
            let o = self.operands[i];
            let stays = o.looked_at || self.wanted.has(o.owner);
            for _ in u32::from(!stays)..o.consumed {
                self.push(Op::Dup(o.owner), span);
            }
            self.want(o.owner);
        }
    }

    /// Sets `operands`; gives the borrowing variables whose values are taken over.
    fn collect(&mut self, op: &Op) -> Vec<Var> {
        let mut lent = Vec::new();
        let (holders, operands) = (&self.holders, &mut self.operands);
        operands.clear();
        op.uses(self.functions, |v, how| {
            let consumes = how == Use::Consume;
            let owner = match holders[v.0 as usize] {
                Holder::Word => return,
                Holder::Owned => v,
                Holder::Outside => {
                    lent.extend(consumes.then_some(v));
                    return;
                }
                Holder::Var(owner) => {
                    lent.extend(consumes.then_some(v));
                    owner
                }
            };
            let at = operands.iter().position(|o| o.owner == owner).unwrap_or_else(|| {
                operands.push(Operand { owner, consumed: 0, looked_at: false });
                operands.len() - 1
            });
            if consumes && owner == v {
                operands[at].consumed += 1;
            } else {
                operands[at].looked_at = true;
            }
        });
        lent
    }

    /// A variable like `v` for one value.
    fn fresh(&mut self, v: Var) -> Var {
        let info = VarInfo { name: String::new(), repr: self.vars[v.0 as usize].repr, owned: true };
        self.vars.push(info);
        self.holders.push(Holder::Owned);
        Var(self.vars.len() as u32 - 1)
    }
}

fn drop_at_start(block: &mut Block, unwanted: Vec<Var>) {
    let (span, site) = block.ops.first().map_or((block.span, block.site), |i| (i.span, i.site));
    block.ops.splice(0..0, unwanted.into_iter().map(|v| Inst { op: Op::Drop(v), span, site }));
}

/// Drops what a block leaves for another successor only.
fn drop_on_edges(f: &mut Function, live: &Live) {
    let predecessors = flow::predecessors(&f.blocks);
    for from in 0..predecessors.len() {
        let Terminator::Branch(condition, yes, no) = f.blocks[from].end else { continue };
        let null = flow::null_on_first_edge(&f.blocks[from]);
        let mut targets = [yes, no];
        for (side, target) in targets.iter_mut().enumerate() {
            let to = target.0 as usize;
            if f.blocks[to].end.is_end_of_all() {
                continue;
            }
            let mut unwanted: Vec<Var> = live.ending_before(from, to).collect();
            unwanted.retain(|v| side == 1 || null != Some(*v));
            if unwanted.is_empty() {
                continue;
            }
            unwanted.sort_unstable();
            if predecessors[to].len() == 1 {
                drop_at_start(&mut f.blocks[to], unwanted);
                continue;
            }
            let Block { span, site, .. } = f.blocks[from];
            let mut block = Block { ops: Vec::new(), end: Terminator::Jump(*target), span, site };
            drop_at_start(&mut block, unwanted);
            *target = BlockId(f.blocks.len() as u32);
            f.blocks.push(block);
        }
        f.blocks[from].end = Terminator::Branch(condition, targets[0], targets[1]);
    }
}
