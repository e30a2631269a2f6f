//! The typed tree lowered to a monomorphic IR in which every ownership transfer is explicit.
//!
//! ```text
//! typed::Program -> lower -> optimise -> infer borrows -> count -> reuse -> ir::Module
//! ```
//! Invariant: `verify` accepts what every pass leaves behind; it is asked after each of them in debug builds.
//! Not here: machine code (`weir-codegen`) and layouts (`weir-abi`).

mod borrow;
mod count;
mod flow;
pub mod ir;
mod lower;
mod operands;
mod opt;
mod ownership;
mod print;
mod reuse;
mod verify;

#[cfg(test)]
mod tests;

pub use count::count;
pub use lower::lower;
pub use opt::optimise;
pub use print::print;
pub use reuse::reuse;
pub use verify::{Bug, Stage, verify};

use weir_check::typed;

/// All passes in order.
pub fn compile_to_ir(program: &typed::Program, optimise: bool) -> ir::Module {
    let mut module = lower(program);
    verify::check("lower", &module, Stage::Uncounted);
    if optimise {
        opt::optimise(&mut module);
    }
    borrow::infer(&mut module);
    count(&mut module);
    verify::check("count", &module, Stage::Counted);
    if optimise {
        reuse(&mut module);
        verify::check("reuse", &module, Stage::Counted);
    }
    module
}
