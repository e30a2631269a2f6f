//! How Rust enters compiled code: sets the pinned register, loads the words, calls, restores.
//!
//! Written by hand rather than compiled with each module: they depend on nothing but the platform's C convention, and so
//! cost a script's start nothing. They keep the frame pointer chain whole; their own frames belong to no module, which is
//! where a walk over compiled frames ends.

use std::arch::naked_asm;
use weir_abi::code::Enter;
use weir_abi::context::Ctx;

/// One thunk per number of words passed.
pub(crate) const ENTER: [Enter; 4] = [enter0, enter1, enter2, enter3];

/// On entry: rdi = ctx, rsi = code, rdx = words. The second push of r15, the pinned register, keeps the stack aligned to 16
/// at the call.
#[cfg(target_arch = "x86_64")]
macro_rules! enter {
    ($name:ident, [$($x86_64:literal),*], [$($aarch64:literal),*]) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(_ctx: *mut Ctx, _code: *const u8, _words: *const u64) -> u64 {
            naked_asm!(
                "push rbp",
                "mov rbp, rsp",
                "push r15",
                "push r15",
                "mov r15, rdi",
                "mov rax, rsi",
                "mov r10, rdx",
                $($x86_64,)*
                "call rax",
                "pop r15",
                "pop r15",
                "pop rbp",
                "ret",
            )
        }
    };
}

/// On entry: x0 = ctx, x1 = code, x2 = words. x21 is the pinned register.
#[cfg(target_arch = "aarch64")]
macro_rules! enter {
    ($name:ident, [$($x86_64:literal),*], [$($aarch64:literal),*]) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(_ctx: *mut Ctx, _code: *const u8, _words: *const u64) -> u64 {
            naked_asm!(
                "stp x29, x30, [sp, #-32]!",
                "mov x29, sp",
                "str x21, [sp, #16]",
                "mov x21, x0",
                "mov x9, x1",
                "mov x10, x2",
                $($aarch64,)*
                "blr x9",
                "ldr x21, [sp, #16]",
                "ldp x29, x30, [sp], #32",
                "ret",
            )
        }
    };
}

enter!(enter0, [], []);
enter!(enter1, ["mov rdi, [r10]"], ["ldr x0, [x10]"]);
enter!(enter2, ["mov rdi, [r10]", "mov rsi, [r10 + 8]"], ["ldp x0, x1, [x10]"]);
enter!(
    enter3,
    ["mov rdi, [r10]", "mov rsi, [r10 + 8]", "mov rdx, [r10 + 16]"],
    ["ldp x0, x1, [x10]", "ldr x2, [x10, #16]"]
);
