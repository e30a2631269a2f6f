//! One function after the other through Cranelift: building, optimising, register allocation, and what the result tells.
//!
//! Not here: where the code goes (`memory`).

use crate::emitter::Env;
use crate::facts::Facts;
use crate::literals::Literals;
use crate::memory::Code;
use crate::{epilogue, frames, function};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CompiledCode, Context};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::ModuleReloc;
use weir_abi::code::{FrameInfo, Place};
use weir_ir::ir::{FuncId, Module, SiteId};

/// The functions of a module, and the working memory that compiling them shares.
pub(crate) struct Compiler<'a> {
    env: Env<'a>,
    isa: &'a dyn TargetIsa,
    context: Context,
    scratch: FunctionBuilderContext,
}

impl<'a> Compiler<'a> {
    /// Nothing is compiled yet.
    pub(crate) fn new(module: &'a Module, literals: &'a Literals, isa: &'a dyn TargetIsa) -> Self {
        let facts = module.functions.iter().map(Facts::of).collect();
        let env = Env { module, literals, facts, call_conv: isa.default_call_conv() };
        Self { env, isa, context: Context::new(), scratch: FunctionBuilderContext::new() }
    }

    /// The machine code of a function, and what is known of its frames; it has no address yet.
    pub(crate) fn function(&mut self, id: FuncId) -> (Code, FrameInfo) {
        let places = self.build(id);
        let code = self.compiled(id);
        let frame = FrameInfo {
            start: 0,
            size: code.buffer.total_size(),
            name: String::new(),
            lines: frames::lines(code, &places),
            inlined: Vec::new(),
            stack_maps: frames::stack_maps(code),
        };
        let (bytes, align) = (epilogue::bytes(code), u64::from(code.buffer.alignment));
        let relocs = self.relocs(id);
        let function = &self.env.module.functions[id.0 as usize];
        let (name, inlined) = (function.name.clone(), frames::inlined(function));
        (Code { bytes, align, relocs }, FrameInfo { name, inlined, ..frame })
    }

    fn relocs(&self, id: FuncId) -> Vec<ModuleReloc> {
        let code = self.context.compiled_code().expect("it was just compiled");
        let id = cranelift_module::FuncId::from_u32(id.0);
        code.buffer.relocs().iter().map(|r| ModuleReloc::from_mach_reloc(r, &self.context.func, id)).collect()
    }

    /// A function as Cranelift's IR.
    pub(crate) fn clif(&mut self, id: FuncId) -> String {
        self.build(id);
        self.context.func.display().to_string()
    }

    /// A function as machine instructions.
    pub(crate) fn asm(&mut self, id: FuncId) -> String {
        self.build(id);
        self.context.set_disasm(true);
        self.compiled(id).vcode.clone().expect("a listing was asked for")
    }

    fn build(&mut self, id: FuncId) -> Vec<(Place, Option<SiteId>)> {
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
