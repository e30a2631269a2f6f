//! Operations whose result nobody wants, and that do nothing else, go.

use crate::flow::{self, Live};
use crate::ir::{Function, Op};

/// Whether anything went. Puts the blocks in order.
pub(super) fn remove(f: &mut Function) -> bool {
    flow::order_blocks(f);
    let live = Live::new(f, |op, each| op.operands(each), |end, each| end.uses(|v, _| each(v)));
    let mut wanted = vec![false; f.vars.len()];
    let mut touched = Vec::new();
    let mut changed = false;
    for (b, block) in f.blocks.iter_mut().enumerate() {
        for v in live.live_out(b) {
            wanted[v.0 as usize] = true;
            touched.push(v);
        }
        block.end.uses(|v, _| {
            wanted[v.0 as usize] = true;
            touched.push(v);
        });
        let mut kept = Vec::with_capacity(block.ops.len());
        for inst in std::mem::take(&mut block.ops).into_iter().rev() {
            let same = matches!(inst.op, Op::Move(d, s) if d == s);
            if let Some(d) = inst.op.result()
                && (same || (!wanted[d.0 as usize] && inst.op.is_removable()))
            {
                changed = true;
                continue;
            }
            if let Some(d) = inst.op.result() {
                wanted[d.0 as usize] = false;
            }
            inst.op.operands(|v| {
                wanted[v.0 as usize] = true;
                touched.push(v);
            });
            kept.push(inst);
        }
        kept.reverse();
        block.ops = kept;
        touched.drain(..).for_each(|v| wanted[v.0 as usize] = false);
    }
    changed
}
