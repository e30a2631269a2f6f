//! What the compiled form of a function tells about its frames: which place each address comes from, and where owned
//! references lie in each suspended call.

use crate::emitter::place_number;
use cranelift_codegen::CompiledCode;
use weir_abi::code::{Place, StackMap};

/// Offsets from which on a place holds, ascending; code without one is marked `None`.
pub(crate) fn lines(code: &CompiledCode, places: &[Place]) -> Vec<(u32, Option<Place>)> {
    let mut lines: Vec<(u32, Option<Place>)> = Vec::new();
    let mut from = |offset: u32, place: Option<Place>| {
        if lines.last().is_none_or(|&(_, last)| last != place) {
            lines.push((offset, place));
        }
    };
    let mut end = 0;
    for range in code.buffer.get_srclocs_sorted() {
        if range.start > end {
            from(end, None);
        }
        from(range.start, place_number(range.loc).map(|n| places[n]));
        end = range.end;
    }
    if end < code.buffer.total_size() {
        from(end, None);
    }
    lines
}

/// The maps of all calls that hold something, by return offset.
pub(crate) fn stack_maps(code: &CompiledCode) -> Vec<StackMap> {
    code.buffer
        .user_stack_maps()
        .iter()
        .map(|(return_offset, _, map)| StackMap {
            return_offset: *return_offset,
            slots: map.entries().map(|(_, offset)| offset).collect(),
        })
        .collect()
}
