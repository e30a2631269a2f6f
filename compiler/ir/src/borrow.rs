//! Parameter modes: which references a direct function only looks at, so that its callers keep them.
//!
//! Out: `Param::mode` of every direct function but those that the runtime calls with an owned request. Closures
//! own their parameters, since their callers do not know them.
//! A parameter starts as a borrow, unless its memory can be used again (`reuse`), and becomes owned when some use takes it over; callers are then looked at again, as
//! passing it on to an owning parameter is such a use ("Counting Immutable Beans", section 5.2).

use crate::ir::{FuncId, Function, FunctionKind, Module, Op};
use crate::ownership::Facts;
use crate::reuse;
use std::collections::HashSet;
use weir_abi::native::Mode;

/// Infers the modes of a module.
pub(crate) fn infer(module: &mut Module) {
    let served: HashSet<FuncId> = module.served().collect();
    let shapes = &module.shapes;
    let is_open =
        |i: usize, f: &Function| f.kind == FunctionKind::Direct && !served.contains(&FuncId(i as u32));
    for (i, f) in module.functions.iter_mut().enumerate() {
        if is_open(i, f) {
            let kept = reuse::wanted_params(f, shapes);
            let lent = f.params.iter_mut().filter(|p| p.mode == Mode::Own && !kept.contains(&p.var));
            lent.for_each(|p| p.mode = Mode::Borrow);
        }
    }
    let callers = callers(&module.functions);
    let mut queue: Vec<usize> = (0..module.functions.len()).rev().collect();
    let mut queued = vec![true; module.functions.len()];
    while let Some(i) = queue.pop() {
        queued[i] = false;
        let f = &module.functions[i];
        if !is_open(i, f) || f.params.iter().all(|p| p.mode != Mode::Borrow) {
            continue;
        }
        let facts = Facts::of(f, &module.functions);
        let mut changed = false;
        for p in &mut module.functions[i].params {
            if p.mode == Mode::Borrow && facts.is_consumed(p.var) {
                p.mode = Mode::Own;
                changed = true;
            }
        }
        if changed {
            for &caller in &callers[i] {
                if !std::mem::replace(&mut queued[caller], true) {
                    queue.push(caller);
                }
            }
        }
    }
}

fn callers(functions: &[Function]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new(); functions.len()];
    for (i, f) in functions.iter().enumerate() {
        for inst in f.blocks.iter().flat_map(|b| &b.ops) {
            if let Op::Call(_, callee, _) = inst.op {
                let callers: &mut Vec<usize> = &mut all[callee.0 as usize];
                if callers.last() != Some(&i) {
                    callers.push(i);
                }
            }
        }
    }
    all
}
