//! Where compiled code meets the natives: C entries around the safe bodies, and the table of their addresses.
//!
//! ```text
//! compiled code ──▶ entry (naked; notes where compiled code was left) ──▶ shim ──▶ body
//! ```
//! An entry takes the context and up to five words in registers. It is needed only by natives that may trap or wait; the
//! others begin at the shim. Those of `stop` and `refill` keep every register. A body that traps or waits suspends its fiber here, below compiled code's frames and with
//! nothing on the stack that would have to be dropped. A panic of a body is a bug, and becomes a trap.

use crate::fiber::{self, Stop, Suspend};
use crate::heap::{Full, Word};
use crate::natives::{self, Flow};
use crate::scope::Scope;
use crate::trace;
use crate::value::{Arg, Gives, Own, Parts};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use weir_abi::code::CodePtr;
use weir_abi::context::Ctx;
use weir_abi::for_each_native;
use weir_abi::native::NativeId;
use weir_abi::trap::{Trap, TrapKind};

/// The address that compiled code calls for a native.
pub fn address(id: NativeId) -> *const u8 {
    ADDRESSES[id.0 as usize].0
}

/// A body of any number of arguments.
trait Body<Args> {
    type Out;

    /// # Safety
    /// The words are arguments of the body's types.
    unsafe fn call(self, scope: &mut Scope, words: [Word; 5]) -> Self::Out;
}

impl<F, R> Body<()> for F
where
    F: FnOnce(&mut Scope) -> R,
{
    type Out = R;

    #[inline(always)]
    unsafe fn call(self, scope: &mut Scope, _: [Word; 5]) -> R {
        self(scope)
    }
}

macro_rules! bodies {
    ($(($($arg:ident $at:literal),*);)*) => {$(
        impl<F, R, $($arg: Arg),*> Body<($($arg,)*)> for F
        where
            F: FnOnce(&mut Scope, $($arg),*) -> R,
        {
            type Out = R;

            #[inline(always)]
            unsafe fn call(self, scope: &mut Scope, words: [Word; 5]) -> R {
                // SAFETY: the caller's promise.
                unsafe { self(scope, $($arg::from_word(words[$at])),*) }
            }
        }
    )*};
}
bodies! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
}

/// How a body ended. A trap is in the scope then, so that what passes through here fits into registers.
enum End {
    Done(Word),
    Wait,
    Trap,
}

impl End {
    fn of_word(_: &mut Scope, out: impl Gives) -> Self {
        Self::Done(out.into_word())
    }

    fn of_result(scope: &mut Scope, out: Result<impl Gives, Trap>) -> Self {
        match out {
            Ok(out) => Self::Done(out.into_word()),
            Err(trap) => Self::of_trap(scope, trap),
        }
    }

    #[cold]
    fn of_trap(scope: &mut Scope, trap: Trap) -> Self {
        scope.trap = Some(trap);
        Self::Trap
    }

    fn of_flow(scope: &mut Scope, out: Result<Flow, Trap>) -> Self {
        match out {
            Ok(Flow::Done(word)) => Self::Done(word),
            Ok(Flow::Wait) => Self::Wait,
            Err(trap) => Self::of_trap(scope, trap),
        }
    }
}

/// Runs a body and catches its panics.
///
/// # Safety
/// Called by compiled code through an entry: `ctx` has a scope that nobody else uses.
#[inline(always)]
unsafe fn run(ctx: *mut Ctx, body: impl FnOnce(&mut Scope) -> End) -> Result<End, Box<dyn Any + Send>> {
    // SAFETY: the caller's promise.
    catch_unwind(AssertUnwindSafe(|| body(unsafe { &mut *(*ctx).scope.cast::<Scope>() })))
}

/// The trap that a panic of a native's body is.
#[cold]
pub fn panicked(payload: Box<dyn Any + Send>) -> Trap {
    // What a body far below could not give back as a result.
    let payload = match payload.downcast::<Trap>() {
        Ok(trap) => return *trap,
        Err(payload) => payload,
    };
    let text =
        payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    Trap::native(format!("a native panicked, which is a bug of Weir: {}", text.unwrap_or("no message")))
}

/// Ends the running fiber with a trap.
///
/// # Safety
/// As for [`fiber::suspend`].
#[cold]
unsafe fn leave(ctx: *mut Ctx, trap: Trap) -> ! {
    // SAFETY: the caller's promise; the trap moves into the scope, so nothing stays here.
    unsafe {
        (*(*ctx).scope.cast::<Scope>()).trap = Some(trap);
        abandoned(ctx)
    }
}

/// Ends the running fiber, whose trap is in its scope.
///
/// # Safety
/// As for [`fiber::suspend`].
#[cold]
unsafe fn abandoned(ctx: *mut Ctx) -> ! {
    // SAFETY: the caller's promise.
    unsafe { fiber::suspend(ctx, Suspend::Trap) };
    // A fiber that trapped is not resumed.
    std::process::abort()
}

/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn pure<A, F: Body<A>>(body: F, ctx: *mut Ctx, words: [Word; 5]) -> Word
where
    F::Out: Gives,
{
    // SAFETY: the caller's promise. A body without an entry panics without a place.
    unsafe {
        let end = run(ctx, |scope| {
            let out = body.call(scope, words);
            End::of_word(scope, out)
        });
        if end.is_err() {
            ((*ctx).exit_fp, (*ctx).exit_pc) = (0, 0);
        }
        ended(ctx, end)
    }
}

/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn traps<A, G: Gives, F: Body<A, Out = Result<G, Trap>>>(
    body: F,
    ctx: *mut Ctx,
    words: [Word; 5],
) -> Word {
    // SAFETY: the caller's promise.
    unsafe {
        let end = run(ctx, |scope| {
            let out = body.call(scope, words);
            End::of_result(scope, out)
        });
        ended(ctx, end)
    }
}

/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn waits<A, F: Body<A, Out = Result<Flow, Trap>>>(body: F, ctx: *mut Ctx, words: [Word; 5]) -> Word {
    // SAFETY: the caller's promise.
    unsafe {
        let end = run(ctx, |scope| {
            let out = body.call(scope, words);
            End::of_flow(scope, out)
        });
        ended(ctx, end)
    }
}

/// Goes on behind a body.
///
/// # Safety
/// As for [`fiber::suspend`].
#[inline(always)]
unsafe fn ended(ctx: *mut Ctx, end: Result<End, Box<dyn Any + Send>>) -> Word {
    // SAFETY: the caller's promise; an `End` owns nothing, and what a panic left is taken apart before.
    unsafe {
        match end {
            Ok(End::Done(word)) => word,
            Ok(End::Wait) => fiber::suspend(ctx, Suspend::Wait),
            Ok(End::Trap) => abandoned(ctx),
            Err(payload) => leave(ctx, panicked(payload)),
        }
    }
}

/// Natives whose shims are written out below: the hot ones without catching panics, and what is no plain call.
mod special {
    use super::*;

    pub(super) unsafe extern "C" fn alloc(ctx: *mut Ctx, size: Word, header: Word) -> Word {
        // SAFETY: compiled code calls with its scope; an allocation does not panic.
        unsafe {
            match (*(*ctx).scope.cast::<Scope>()).raw(size, header) {
                Ok(object) => object.word(),
                Err(full) => leave(ctx, full.into()),
            }
        }
    }

    pub(super) unsafe extern "C" fn refill(ctx: *mut Ctx, class: Word) {
        // SAFETY: compiled code calls with its scope, for a class whose quick list is empty; refilling does not panic.
        unsafe {
            if let Err(full) = (*(*ctx).scope.cast::<Scope>()).heap_mut().refill(class as usize) {
                leave(ctx, full.into());
            }
        }
    }

    pub(super) unsafe extern "C" fn free(ctx: *mut Ctx, object: Word) -> Word {
        // SAFETY: compiled code saw the object's count fall to 0.
        unsafe { (*(*ctx).scope.cast::<Scope>()).free_word(object) };
        0
    }

    pub(super) unsafe extern "C" fn stop(ctx: *mut Ctx) {
        // SAFETY: called by compiled code, on its fiber.
        unsafe {
            let heap = (*(*ctx).scope.cast::<Scope>()).heap_mut();
            match fiber::stop(ctx, heap) {
                Stop::Go if !heap.has_late() => {}
                Stop::Go | Stop::Yield => {
                    fiber::suspend(ctx, Suspend::Yield);
                }
                Stop::Overflow => leave(ctx, Trap::new(TrapKind::StackOverflow)),
                Stop::Full => leave(ctx, Full.into()),
            }
        }
    }

    /// Gives an item to whoever pulls the generator that the fiber runs.
    pub(super) unsafe extern "C" fn stream_yield(ctx: *mut Ctx, item: Word) -> Word {
        // SAFETY: called by compiled code with its scope, on its fiber, through an entry; the item moves into the scope.
        unsafe {
            (*(*ctx).scope.cast::<Scope>()).given = item;
            fiber::suspend(ctx, Suspend::Give)
        }
    }

    pub(super) unsafe extern "C" fn call_place(ctx: *mut Ctx) -> Word {
        // SAFETY: called by compiled code with its scope, on its fiber, through an entry.
        unsafe {
            let scope = &mut *(*ctx).scope.cast::<Scope>();
            let (exit, stack) = fiber::left(ctx);
            let made = {
                let app = scope.app().clone();
                let place = trace::own_place(exit, stack, app.module());
                scope.text(&place)
            };
            match made {
                Ok(text) => text.into_word(),
                Err(full) => leave(ctx, full.into()),
            }
        }
    }

    pub(super) unsafe extern "C" fn text_append(ctx: *mut Ctx, text: Word, first: Word, count: Word) -> Word {
        // SAFETY: compiled code passes an owned text, and the address and number of parts that stay while the native runs.
        unsafe {
            let end = run(ctx, |scope| {
                let out = natives::text_append(scope, Own::from_word(text), Parts::at(first, count));
                End::of_flow(scope, out)
            });
            ended(ctx, end)
        }
    }

    pub(super) unsafe extern "C" fn text_concat(ctx: *mut Ctx, first: Word, count: Word) -> Word {
        // SAFETY: compiled code passes the address and number of parts that stay while the native runs.
        unsafe {
            let end = run(ctx, |scope| {
                let out = natives::text_concat(scope, Parts::at(first, count));
                End::of_flow(scope, out)
            });
            ended(ctx, end)
        }
    }
}

/// Notes in the context where compiled code was left, and goes on in a shim with all registers as they are.
macro_rules! entry {
    ($name:ident, $shim:path) => {
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name() {
            #[cfg(target_arch = "x86_64")]
            std::arch::naked_asm!(
                "mov [rdi + {fp}], rbp",
                "mov rax, [rsp]",
                "mov [rdi + {pc}], rax",
                "lea rax, [rsp + 8]",
                "mov [rdi + {sp}], rax",
                "jmp {shim}",
                fp = const weir_abi::context::EXIT_FP,
                pc = const weir_abi::context::EXIT_PC,
                sp = const weir_abi::context::EXIT_SP,
                shim = sym $shim,
            );
            #[cfg(target_arch = "aarch64")]
            std::arch::naked_asm!(
                "str x29, [x0, #{fp}]",
                "str x30, [x0, #{pc}]",
                "mov x9, sp",
                "str x9, [x0, #{sp}]",
                "b {shim}",
                fp = const weir_abi::context::EXIT_FP,
                pc = const weir_abi::context::EXIT_PC,
                sp = const weir_abi::context::EXIT_SP,
                shim = sym $shim,
            );
        }
    };
}

macro_rules! shim {
    // The special ones have theirs.
    (alloc $effect:ident) => {};
    (refill $effect:ident) => {};
    (free $effect:ident) => {};
    (stop $effect:ident) => {};
    (text_concat $effect:ident) => {};
    (text_append $effect:ident) => {};
    (call_place $effect:ident) => {};
    (stream_yield $effect:ident) => {};
    ($name:ident $effect:ident) => {
        pub(super) unsafe extern "C" fn $name(
            ctx: *mut Ctx,
            a: Word,
            b: Word,
            c: Word,
            d: Word,
            e: Word,
        ) -> Word {
            // SAFETY: compiled code calls with its scope and the words of the native's row in the table, the first ones;
            // the body's types are those of the row's declaration.
            unsafe { $effect(natives::$name, ctx, [a, b, c, d, e]) }
        }
    };
}

macro_rules! entered {
    (alloc $effect:ident) => {
        entry!(alloc, super::special::alloc);
    };
    (refill $effect:ident) => {
        weir_abi::preserving_entry!(pub(super) refill, super::special::refill);
    };
    (free $effect:ident) => {};
    (stop $effect:ident) => {
        weir_abi::preserving_entry!(pub(super) stop, super::special::stop);
    };
    (text_append $effect:ident) => {
        entry!(text_append, super::special::text_append);
    };
    (text_concat $effect:ident) => {
        entry!(text_concat, super::special::text_concat);
    };
    (call_place $effect:ident) => {
        entry!(call_place, super::special::call_place);
    };
    (stream_yield $effect:ident) => {
        entry!(stream_yield, super::special::stream_yield);
    };
    ($name:ident pure) => {};
    ($name:ident $effect:ident) => {
        entry!($name, super::shims::$name);
    };
}

macro_rules! address_of {
    (free $effect:ident) => {
        CodePtr(special::free as *const u8)
    };
    ($name:ident pure) => {
        CodePtr(shims::$name as *const u8)
    };
    ($name:ident $effect:ident) => {
        CodePtr(entries::$name as *const u8)
    };
}

macro_rules! link {
    ($($rust:ident $name:literal $types:tt ($($mode:ident)*) $gives:ident, $effect:ident, $cost:ident;)*) => {
        mod shims {
            use super::*;
            $(shim!($rust $effect);)*
        }

        mod entries {
            $(entered!($rust $effect);)*
        }

        static ADDRESSES: [CodePtr; NATIVES_LEN] = [$(address_of!($rust $effect)),*];
        const NATIVES_LEN: usize = [$($name),*].len();
    };
}
for_each_native!(link);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use weir_abi::native::NATIVES;

    #[test]
    fn every_native_has_an_address_of_its_own() {
        let addresses: HashSet<_> = (0..NATIVES.len()).map(|at| address(NativeId(at as u16))).collect();
        // Shims of equal bodies may be merged, but not all.
        assert!(addresses.len() > NATIVES.len() / 2 && !addresses.contains(&std::ptr::null()));
        assert_eq!(NATIVES.len(), ADDRESSES.len());
    }
}
