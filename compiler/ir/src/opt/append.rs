//! A text that is joined with others and set to the result takes them in at its end: `s = "{s}..."` appends.

use crate::ir::{Function, Op, PartKind};

/// Finds them. The last pass: those before it need not know the operation.
pub(super) fn append(f: &mut Function) {
    for inst in f.blocks.iter_mut().flat_map(|b| &mut b.ops) {
        if let Op::Concat(d, parts) = &mut inst.op
            && let [(PartKind::Text, first), rest @ ..] = &parts[..]
            && first == d
            && rest.iter().all(|(_, v)| v != d)
        {
            inst.op = Op::Append(*d, *d, rest.to_vec());
        }
    }
}
