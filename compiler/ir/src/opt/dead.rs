//! Operations whose result nobody wants, and that do nothing else, go.

use crate::flow::{self, Live, Wanted};
use crate::ir::{Function, Op};

/// Whether anything went. Puts the blocks in order.
pub(super) fn remove(f: &mut Function) -> bool {
    flow::order_blocks(f);
    let live = Live::new(f, |op, each| op.operands(each), |end, each| end.uses(|v, _| each(v)));
    let mut wanted = Wanted::new(&live);
    let mut changed = false;
    for (b, block) in f.blocks.iter_mut().enumerate() {
        wanted.start(b);
        block.end.uses(|v, _| wanted.set(v, true));
        let mut kept = Vec::with_capacity(block.ops.len());
        for inst in std::mem::take(&mut block.ops).into_iter().rev() {
            let same = matches!(inst.op, Op::Move(d, s) if d == s);
            if let Some(d) = inst.op.result()
                && (same || (!wanted.has(d) && inst.op.is_removable()))
            {
                changed = true;
                continue;
            }
            if let Some(d) = inst.op.result() {
                wanted.set(d, false);
            }
            inst.op.operands(|v| wanted.set(v, true));
            kept.push(inst);
        }
        kept.reverse();
        block.ops = kept;
    }
    changed
}
