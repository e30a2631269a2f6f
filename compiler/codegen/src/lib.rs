//! The IR to machine code, with Cranelift. The only crate that names it.
//!
//! ```text
//! ir::Module -> function::build -> Cranelift -> memory::place -> code::Module
//!                 arith calls      (isa)          literals         frames thunks
//!                 counts objects   epilogue
//! ```
//! Invariants: ownership is the IR's, nothing is counted here that it does not say; compiled code refers to nothing by
//! name; every call that may suspend has a stack map of the counts its frame holds.
//!
//! Not here: what natives do, who frees a module when, how frames are walked.

mod arith;
mod calls;
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
mod thunks;

pub use emit::{Emit, emit_text};

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CompiledCode, Context};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::ModuleReloc;
use emitter::Env;
use facts::Facts;
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
    natives: &dyn Fn(NativeId) -> *const u8,
    show_place: Box<dyn Fn(Place) -> String + Send + Sync>,
    _options: Options,
) -> code::Module {
    let isa = isa::host();
    let literals = Literals::new(&module.texts);
    let mut compiler = Compiler::new(module, natives, &literals, &*isa);
    let (codes, mut frames): (Vec<Code>, Vec<FrameInfo>) =
        (0..module.functions.len()).map(|i| compiler.function(FuncId(i as u32))).unzip();
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
        globals: module.globals.len() as u32,
        global_refs: module.globals.iter().map(|g| g.repr.is_ref()).collect(),
        shapes: module.shapes.clone(),
        types: module.types.clone(),
        frames,
        show_place,
        memory: Box::new(memory),
    }
}

/// Compiles one function after the other with the same working memory.
struct Compiler<'a> {
    env: Env<'a>,
    isa: &'a dyn TargetIsa,
    context: Context,
    scratch: FunctionBuilderContext,
}

impl<'a> Compiler<'a> {
    fn new(
        module: &'a Module,
        natives: &'a dyn Fn(NativeId) -> *const u8,
        literals: &'a Literals,
        isa: &'a dyn TargetIsa,
    ) -> Self {
        let facts = module.functions.iter().map(Facts::of).collect();
        let env = Env { module, natives, literals, facts, call_conv: isa.default_call_conv() };
        Self { env, isa, context: Context::new(), scratch: FunctionBuilderContext::new() }
    }

    /// The machine code of a function, and what is known of its frames; it has no address yet.
    fn function(&mut self, id: FuncId) -> (Code, FrameInfo) {
        let places = self.build(id);
        let code = self.compiled(id);
        let frame = FrameInfo {
            start: 0,
            size: code.buffer.total_size(),
            name: String::new(),
            lines: frames::lines(code, &places),
            stack_maps: frames::stack_maps(code),
        };
        let (bytes, align) = (epilogue::bytes(code), u64::from(code.buffer.alignment));
        let relocs = self.relocs(id);
        let name = self.env.module.functions[id.0 as usize].name.clone();
        (Code { bytes, align, relocs }, FrameInfo { name, ..frame })
    }

    fn relocs(&self, id: FuncId) -> Vec<ModuleReloc> {
        let code = self.context.compiled_code().expect("it was just compiled");
        let id = cranelift_module::FuncId::from_u32(id.0);
        code.buffer.relocs().iter().map(|r| ModuleReloc::from_mach_reloc(r, &self.context.func, id)).collect()
    }

    fn clif(&mut self, id: FuncId) -> String {
        self.build(id);
        self.context.func.display().to_string()
    }

    fn asm(&mut self, id: FuncId) -> String {
        self.build(id);
        self.context.set_disasm(true);
        self.compiled(id).vcode.clone().expect("a listing was asked for")
    }

    fn build(&mut self, id: FuncId) -> Vec<Place> {
        self.context.clear();
        let target = self.isa.frontend_config();
        function::build(&self.env, id, &mut self.context.func, &mut self.scratch, target)
    }

    fn compiled(&mut self, id: FuncId) -> &CompiledCode {
        let name = &self.env.module.functions[id.0 as usize].name;
        match self.context.compile(self.isa, &mut ControlPlane::default()) {
            Ok(code) => code,
            Err(error) => panic!("`{name}` does not compile: {:?}", error.inner),
        }
    }
}
