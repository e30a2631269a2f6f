//! The IR to machine code, with Cranelift. The only crate that names it.
//!
//! ```text
//! ir::Module -> parallel: compiler: function::build -> Cranelift -> epilogue, frames -> memory::place -> code::Module
//!                                   arith calls       (isa)                           literals         thunks
//!                                   counts objects
//! ```
//! Invariants: ownership is the IR's, nothing is counted here that it does not say; compiled code refers to nothing by
//! name; every call that may suspend has a stack map of the counts its frame holds.
//!
//! Not here: what natives do, who frees a module when, how frames are walked.

mod arith;
mod calls;
mod compiler;
mod counts;
mod emit;
mod emitter;
mod epilogue;
mod facts;
mod frames;
mod function;
mod held;
mod isa;
mod literals;
mod memory;
mod natives;
mod objects;
mod parallel;
mod places;
mod stubs;
mod thunks;

pub use emit::{Emit, emit_text};

use literals::Literals;
use memory::Code;
use weir_abi::code::{self, CodePtr, FrameInfo, Place};
use weir_abi::native::NativeId;
use weir_ir::ir::{FuncId, Module};

/// How to compile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {}

/// Compiles a module that the IR's verifier accepts. `natives` gives the address of each native it calls; `show_place`
/// becomes the module's. A violated assumption is a bug of the compiler and panics.
pub fn compile(
    module: &Module,
    natives: &(dyn Fn(NativeId) -> *const u8 + Sync),
    show_place: Box<dyn Fn(Place) -> String + Send + Sync>,
    _options: Options,
) -> code::Module {
    let isa = isa::host();
    let literals = Literals::new(&module.texts, &module.types);
    let (mut codes, mut frames): (Vec<Code>, Vec<FrameInfo>) =
        parallel::compile_all(module, &literals, &*isa).into_iter().unzip();
    stubs::add(&mut codes, natives);
    let (memory, addresses) = memory::place(isa, &codes, literals);
    for (frame, &address) in frames.iter_mut().zip(&addresses) {
        frame.start = address as usize;
    }
    frames.sort_by_key(|f| f.start);
    let address = |id: FuncId| CodePtr(addresses[id.0 as usize]);
    code::Module {
        enter: thunks::ENTER,
        main: address(module.main),
        handler: module.handler.map(address),
        around: module.around.map(address),
        routes: module
            .routes
            .iter()
            .map(|r| code::Route { pattern: r.pattern.clone(), code: address(r.function) })
            .collect(),
        tests: module.tests.iter().copied().map(address).collect(),
        globals: module.globals.len() as u32,
        global_refs: module.globals.iter().map(|g| g.repr.is_ref()).collect(),
        shapes: module.shapes.clone(),
        types: module.types.clone(),
        json: module.json.clone(),
        frames,
        show_place,
        is_library: Box::new(|_| false),
        memory: Box::new(memory),
    }
}
