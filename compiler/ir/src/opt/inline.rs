//! Calls of small functions, and of closures that are known where they are called, become the callee's operations.
//!
//! A known closure whose function does not fit is at least called directly.
//!
//! Callees are finished before their callers. A function that may call itself is left alone. What comes from a function of
//! the caller's own file keeps its places and is marked with a `Site`, so that a stack trace shows the call as if it were
//! there; what comes from another file (the standard library) stands at the call's place.

use super::facts::Facts;
use super::simplify;
use crate::ir::{Block, BlockId, FuncId, Function, Inst, Module, Op, Site, SiteId, Terminator, Var};
use weir_syntax::span::Span;

/// The most operations of a function that is inlined. Arbitrary: a loop over a list with a little in it.
const SMALL: usize = 25;
/// The same for one that is handed a closure known at the call, whose calls then become direct.
const SMALL_WITH_CLOSURE: usize = 50;
/// The most blocks of a function that is inlined.
const FEW_BLOCKS: usize = 16;
/// What a function may grow to by inlining, in operations.
const LARGE: usize = 2_000;
/// How often what was inlined is looked through for further calls.
const ROUNDS: usize = 4;

/// Inlines in all functions of a module.
pub(super) fn inline(module: &mut Module) {
    let (order, recursive) = callees_first(module);
    for id in order {
        // The function is out of the table meanwhile; it is not recursive if it is to be found there.
        let i = id.0 as usize;
        let mut f = module.functions[i].clone();
        let mut changed = false;
        for _ in 0..ROUNDS {
            if !inline_into(&mut f, id, &module.functions, &recursive) {
                break;
            }
            simplify(&mut f);
            changed = true;
        }
        if changed {
            module.functions[i] = f;
        }
    }
}

/// All functions, callees before callers, and which of them may call themselves.
fn callees_first(module: &Module) -> (Vec<FuncId>, Vec<bool>) {
    let n = module.functions.len();
    let callees: Vec<Vec<u32>> = module
        .functions
        .iter()
        .map(|f| {
            let ops = f.blocks.iter().flat_map(|b| &b.ops);
            ops.filter_map(|i| match i.op {
                Op::Call(_, callee, _) | Op::NewClosure(_, _, _, callee, _) => Some(callee.0),
                _ => None,
            })
            .collect()
        })
        .collect();
    // Tarjan's strongly connected components, with a stack of its own; components come out callees first.
    let mut state =
        Components { index: vec![u32::MAX; n], low: vec![0; n], on_stack: vec![false; n], stack: vec![] };
    let (mut order, mut recursive, mut next) = (Vec::with_capacity(n), vec![false; n], 0);
    for root in 0..n {
        if state.index[root] != u32::MAX {
            continue;
        }
        let mut path = vec![(root, 0)];
        state.enter(root, &mut next);
        while let Some((v, at)) = path.last_mut() {
            let v = *v;
            if let Some(&w) = callees[v].get(*at) {
                *at += 1;
                let w = w as usize;
                if state.index[w] == u32::MAX {
                    state.enter(w, &mut next);
                    path.push((w, 0));
                } else if state.on_stack[w] {
                    state.low[v] = state.low[v].min(state.index[w]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                state.low[*parent] = state.low[*parent].min(state.low[v]);
            }
            if state.low[v] == state.index[v] {
                let from =
                    state.stack.iter().position(|w| *w == v).expect("it was pushed when it was entered");
                let component: Vec<usize> = state.stack.drain(from..).collect();
                let is_cycle = component.len() > 1 || callees[v].contains(&(v as u32));
                for w in component {
                    state.on_stack[w] = false;
                    recursive[w] = is_cycle;
                    order.push(FuncId(w as u32));
                }
            }
        }
    }
    (order, recursive)
}

struct Components {
    index: Vec<u32>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
}

impl Components {
    fn enter(&mut self, v: usize, next: &mut u32) {
        self.index[v] = *next;
        self.low[v] = *next;
        *next += 1;
        self.stack.push(v);
        self.on_stack[v] = true;
    }
}

/// A call that is to be replaced: result, callee, arguments.
type Found = (Var, FuncId, Vec<Var>);

/// Replaces calls of `f` once; whether there were any.
fn inline_into(f: &mut Function, own: FuncId, functions: &[Function], recursive: &[bool]) -> bool {
    let mut size: usize = f.blocks.iter().map(|b| b.ops.len()).sum();
    let facts = Facts::of(f);
    let known = |v: Var| match facts.definition(f, v) {
        Some(Op::NewClosure(_, _, _, code, _)) => Some(*code),
        _ => None,
    };
    let mut sites: Vec<Vec<(usize, Found)>> = vec![Vec::new(); f.blocks.len()];
    let mut direct = Vec::new();
    for (b, block) in f.blocks.iter().enumerate() {
        for (i, inst) in block.ops.iter().enumerate() {
            let (d, callee, args, is_lambda) = match &inst.op {
                Op::Call(d, callee, args) => (*d, *callee, args.clone(), false),
                Op::CallClosure(d, closure, args) => match known(*closure) {
                    Some(code) => {
                        (*d, code, std::iter::once(*closure).chain(args.iter().copied()).collect(), true)
                    }
                    None => continue,
                },
                _ => continue,
            };
            let body = &functions[callee.0 as usize];
            let with_closure = is_lambda || args.iter().any(|a| known(*a).is_some());
            let ops: usize = body.blocks.iter().map(|b| b.ops.len()).sum();
            let limit = if with_closure { SMALL_WITH_CLOSURE } else { SMALL };
            let fits = ops <= limit && body.blocks.len() <= FEW_BLOCKS && size + ops <= LARGE;
            if callee == own || recursive[callee.0 as usize] || !fits {
                if is_lambda {
                    direct.push((b, i, Op::Call(d, callee, args)));
                }
                continue;
            }
            size += ops;
            sites[b].push((i, (d, callee, args)));
        }
    }
    let mut any = !direct.is_empty();
    for (b, i, call) in direct {
        f.blocks[b].ops[i].op = call;
    }
    for (b, sites) in sites.into_iter().enumerate() {
        // From behind, so that the places of those before stay as they are.
        for (i, site) in sites.into_iter().rev() {
            splice(f, b, i, site, functions);
            any = true;
        }
    }
    any
}

/// Whether a function only calls another one, under its name.
fn is_thunk(f: &Function) -> bool {
    let only =
        |b: &Block| matches!(&b.ops[..], [call] if matches!(call.op, Op::Call(..)) && call.span == f.span);
    f.blocks.len() == 1 && only(&f.blocks[0])
}

/// Puts the callee's blocks in the place of the operation `at` of block `b`.
fn splice(f: &mut Function, b: usize, at: usize, (d, callee, args): Found, functions: &[Function]) {
    let body = &functions[callee.0 as usize];
    let (first_var, first_block) = (f.vars.len() as u32, f.blocks.len() as u32);
    f.vars.extend(body.vars.iter().cloned());
    let mut tail = f.blocks[b].ops.split_off(at);
    let Inst { span: call, site: within, .. } = tail.remove(0);
    // What the function gives besides is moved to where the operation behind the call would have put it.
    let second = body.second.and_then(|_| {
        let at = tail.iter().position(|inst| matches!(inst.op, Op::Second(_)))?;
        tail.remove(at).op.result()
    });
    let behind = BlockId(first_block + body.blocks.len() as u32);
    let end = std::mem::replace(&mut f.blocks[b].end, Terminator::Jump(BlockId(first_block)));
    let end_span = std::mem::replace(&mut f.blocks[b].span, call);
    let end_site = std::mem::replace(&mut f.blocks[b].site, within);
    let renamed = |v: Var| Var(v.0 + first_var);
    for (p, arg) in body.params.iter().zip(args) {
        f.blocks[b].ops.push(Inst { op: Op::Move(renamed(p.var), arg), span: call, site: within });
    }
    let is_foreign = body.span.file != f.span.file || is_thunk(body);
    let first_site = f.sites.len() as u32 + 1;
    if !is_foreign {
        let own = SiteId(first_site - 1);
        f.sites.push(Site { callee: body.name.clone(), call, within });
        let moved = |site: SiteId| SiteId(site.0 + first_site);
        f.sites.extend(
            body.sites.iter().map(|s| Site { within: Some(s.within.map_or(own, moved)), ..s.clone() }),
        );
    }
    let place = |span: Span, site: Option<SiteId>| match site {
        _ if is_foreign => (call, within),
        Some(site) => (span, Some(SiteId(site.0 + first_site))),
        None => (span, Some(SiteId(first_site - 1))),
    };
    for block in &body.blocks {
        let mut ops = block.ops.to_vec();
        for inst in &mut ops {
            inst.op.operands_mut(|v| *v = renamed(*v));
            inst.op.result_mut().into_iter().for_each(|v| *v = renamed(*v));
            (inst.span, inst.site) = place(inst.span, inst.site);
            if let (Op::GiveSecond(v), Some(second)) = (&inst.op, second) {
                inst.op = Op::Move(second, *v);
            }
        }
        let mut end = block.end.clone();
        end.operands_mut(|v| *v = renamed(*v));
        end.targets_mut(|to| to.0 += first_block);
        if let Terminator::Return(v) = end {
            ops.push(Inst { op: Op::Move(d, v), span: call, site: within });
            end = Terminator::Jump(behind);
        }
        let (span, site) = place(block.span, block.site);
        f.blocks.push(Block { ops, end, span, site });
    }
    f.blocks.push(Block { ops: tail, end, span: end_span, site: end_site });
}
