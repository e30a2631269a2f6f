//! All functions of a module, on as many threads as it is worth.
//!
//! Invariant: the result does not depend on how many threads took part.

use crate::compiler::Compiler;
use crate::literals::Literals;
use crate::memory::Code;
use cranelift_codegen::isa::TargetIsa;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use weir_abi::code::FrameInfo;
use weir_ir::ir::{FuncId, Module};

/// Functions that take about as long to compile (0.1 ms each) as a thread takes to start, several times over.
const FUNCTIONS_PER_THREAD: usize = 4;
/// More threads than this wait for memory rather than compile.
const MAX_THREADS: usize = 8;

/// The code and frames of every function, in the module's order.
pub(crate) fn compile_all(
    module: &Module,
    literals: &Literals,
    isa: &dyn TargetIsa,
) -> Vec<(Code, FrameInfo)> {
    let count = module.functions.len();
    let next = AtomicUsize::new(0);
    // Threads take the next function that nobody took yet: functions differ in size.
    let work = || {
        let mut compiler = Compiler::new(module, literals, isa);
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, compiler.function(FuncId(index as u32))));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads(count))
            .map_while(|_| thread::Builder::new().name("compiler".to_owned()).spawn_scoped(scope, work).ok())
            .collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, compiled)| compiled).collect()
}

fn threads(functions: usize) -> usize {
    let worth = (functions / FUNCTIONS_PER_THREAD).clamp(1, MAX_THREADS);
    if worth == 1 { 1 } else { worth.min(thread::available_parallelism().map_or(1, std::num::NonZero::get)) }
}
