//! The memory of a compiled module: one mapping for its code, one block for its literals.
//!
//! The mapping is reserved in one piece, so that calls between functions are always near; it becomes executable as a whole.

use crate::literals::Literals;
use cranelift_codegen::ir::{LibCall, Signature};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleReloc};
use std::sync::{Mutex, PoisonError};

/// The machine code of one function, not yet anywhere.
pub(crate) struct Code {
    pub(crate) bytes: Vec<u8>,
    /// In bytes.
    pub(crate) align: u64,
    /// They name functions of the module, and stubs, by number.
    pub(crate) relocs: Vec<ModuleReloc>,
}

/// Owns code and literals; whoever drops it has seen to it that neither is in use.
pub(crate) struct Memory {
    /// Behind a lock only because it is not `Sync` of itself: nobody reads it before the drop.
    code: Mutex<Option<JITModule>>,
    /// Only owned: compiled code has its addresses.
    _literals: Literals,
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(module) = self.code.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // SAFETY: a `code::Module` is dropped with its last reference, and each fiber that runs its code holds one.
            unsafe { module.free_memory() };
        }
    }
}

/// Puts the functions into executable memory, number `i` being function `i` of the module; gives their addresses.
///
/// # Panics
/// When the system has no memory for them.
pub(crate) fn place(isa: OwnedTargetIsa, functions: &[Code], literals: Literals) -> (Memory, Vec<*const u8>) {
    let arena =
        ArenaMemoryProvider::new_with_size(reserve(functions)).expect("there is address space for code");
    let mut builder = JITBuilder::with_isa(isa, Box::new(no_libcall));
    builder.memory_provider(Box::new(arena));
    let mut module = JITModule::new(builder);
    let signature = Signature::new(module.isa().default_call_conv());
    for index in 0..functions.len() {
        let id = module.declare_anonymous_function(&signature).expect("numbers are free");
        assert_eq!(id.as_u32() as usize, index, "functions are numbered in order");
    }
    for (index, code) in functions.iter().enumerate() {
        module
            .define_function_bytes(FuncId::from_u32(index as u32), code.align, &code.bytes, &code.relocs)
            .expect("each function is defined once, in memory that was reserved for it");
    }
    module.finalize_definitions().expect("the system makes the code executable");
    let addresses =
        (0..functions.len()).map(|i| module.get_finalized_function(FuncId::from_u32(i as u32))).collect();
    (Memory { code: Mutex::new(Some(module)), _literals: literals }, addresses)
}

/// Bytes of address space (untouched pages cost nothing). The arena grows by whole pages and a function never straddles
/// two growths, so the biggest function can be wasted once.
fn reserve(functions: &[Code]) -> usize {
    const PAGE: usize = 64 * 1024; // the largest in use on any supported machine
    const VENEER: usize = 24; // what cranelift-jit adds to a function per call whose target may be far
    let sizes = functions.iter().map(|f| f.bytes.len() + f.align as usize + VENEER * f.relocs.len());
    let biggest = sizes.clone().max().unwrap_or(0);
    sizes.sum::<usize>() + biggest + 2 * PAGE
}

fn no_libcall(call: LibCall) -> String {
    unreachable!("words need no library call, and yet {call} is called")
}
