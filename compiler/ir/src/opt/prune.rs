//! Functions that nothing calls any more go.

use crate::ir::{FuncId, Module, Op};

/// Keeps what the functions reach that the runtime calls, in the order it had.
pub(super) fn prune(module: &mut Module) {
    let mut kept = vec![false; module.functions.len()];
    let mut queue: Vec<FuncId> = module.entries_mut().map(|id| *id).collect();
    while let Some(id) = queue.pop() {
        if std::mem::replace(&mut kept[id.0 as usize], true) {
            continue;
        }
        for inst in module.functions[id.0 as usize].blocks.iter().flat_map(|b| &b.ops) {
            if let Op::Call(_, callee, _) | Op::NewClosure(_, _, _, callee, _) = inst.op {
                queue.push(callee);
            }
        }
    }
    let mut next = 0;
    let new_ids: Vec<FuncId> = kept
        .iter()
        .map(|kept| {
            next += u32::from(*kept);
            FuncId(next.wrapping_sub(1))
        })
        .collect();
    let mut keep = kept.iter();
    module.functions.retain(|_| *keep.next().expect("one answer per function"));
    let rename = |id: &mut FuncId| *id = new_ids[id.0 as usize];
    module.entries_mut().for_each(rename);
    for inst in module.functions.iter_mut().flat_map(|f| &mut f.blocks).flat_map(|b| &mut b.ops) {
        if let Op::Call(_, callee, _) | Op::NewClosure(_, _, _, callee, _) = &mut inst.op {
            rename(callee);
        }
    }
}
