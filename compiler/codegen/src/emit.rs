//! The two readable forms of a module's code, for `weir check --emit`.

use crate::compiler::Compiler;
use crate::isa;
use crate::literals::Literals;
use std::fmt::Write;
use weir_ir::ir::{FuncId, Module};

/// Which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// Cranelift's IR, before it is optimised.
    Clif,
    /// Machine instructions, before functions have addresses.
    Asm,
}

/// All functions of the module in that form, each under its name. Addresses of literals stand in it as they are in this
/// process.
pub fn emit_text(module: &Module, what: Emit) -> String {
    let literals = Literals::new(&module.texts, &module.types);
    let isa = isa::host();
    let mut compiler = Compiler::new(module, &literals, &*isa);
    let mut text = String::new();
    for (index, function) in module.functions.iter().enumerate() {
        let id = FuncId(index as u32);
        let body = match what {
            Emit::Clif => compiler.clif(id),
            Emit::Asm => compiler.asm(id),
        };
        write!(text, "; {}\n{}\n", function.name, body.trim_end()).expect("a String takes any text");
    }
    text
}
