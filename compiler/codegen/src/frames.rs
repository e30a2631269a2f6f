//! What the compiled form of a function tells about its frames: which place each address comes from, and where owned
//! references lie in each suspended call.

use crate::emitter::{place_number, place_of};
use cranelift_codegen::CompiledCode;
use weir_abi::code::{Inlined, Line, Place, StackMap};
use weir_ir::ir::{Function, Site, SiteId};

/// Offsets from which on a place holds, ascending; code without one is marked `None`.
pub(crate) fn lines(code: &CompiledCode, places: &[(Place, Option<SiteId>)]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut from = |start: u32, at: Option<(Place, Option<SiteId>)>| {
        let (place, inlined) = (at.map(|(place, _)| place), at.and_then(|(_, site)| site).map(|s| s.0));
        if lines.last().is_none_or(|last| (last.place, last.inlined) != (place, inlined)) {
            lines.push(Line { start, place, inlined });
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

/// The calls that were inlined into a function.
pub(crate) fn inlined(function: &Function) -> Vec<Inlined> {
    let inlined = |site: &Site| Inlined {
        callee: site.callee.clone(),
        call: place_of(site.call),
        within: site.within.map(|s| s.0),
    };
    function.sites.iter().map(inlined).collect()
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
