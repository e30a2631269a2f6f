//! A runtime just big enough for compiled code: a `Ctx`, natives that record what they are called with, and a walk over
//! suspended frames.

use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::arch::naked_asm;
use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::atomic::AtomicUsize;
use weir_abi::code;
use weir_abi::context::Ctx;
use weir_abi::layout;
use weir_abi::native::{Gives, NATIVES, NativeId};
use weir_abi::size;
use weir_abi::trap::TrapKind;
use weir_codegen::Options;
use weir_ir::ir::Module;

/// What a native was called with: its name and its words, without the context.
pub type Call = (&'static str, Vec<u64>);

/// A module that can be called.
pub struct Host {
    pub module: code::Module,
    pub ctx: Box<Ctx>,
    pub globals: Vec<u64>,
    state: Box<State>,
}

/// What natives reach through `Ctx::scope`.
#[derive(Default)]
struct State {
    calls: Vec<Call>,
    /// Suspend in the native of this name.
    suspend_in: Option<&'static str>,
    trap: Option<(TrapKind, i64, i64)>,
    /// Frames innermost first, where execution was suspended.
    frames: Vec<Frame>,
    module: *const code::Module,
    quick: [*mut u8; size::QUICK_CLASSES],
}

/// A frame of a suspended fiber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub name: String,
    pub place: Option<u32>,
    /// Owned references, sorted.
    pub refs: Vec<u64>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Value(u64),
    Trap(TrapKind, i64, i64),
    Suspended,
}

impl Host {
    pub fn new(module: &Module) -> Self {
        let show = Box::new(|place: code::Place| format!("test:{}", place.start));
        let compiled = weir_codegen::compile(module, &address, show, Options::default());
        let mut globals = vec![0; module.globals.len()];
        let mut state = Box::<State>::default();
        let ctx = Box::new(Ctx {
            limit: AtomicUsize::new(0),
            globals: globals.as_mut_ptr(),
            quick: state.quick.as_mut_ptr(),
            scope: std::ptr::null_mut(),
            fiber: std::ptr::null_mut(),
            exit_fp: 0,
            exit_pc: 0,
            exit_sp: 0,
            second: 0,
        });
        Self { module: compiled, ctx, globals, state }
    }

    /// The code of a function.
    pub fn code(&self, name: &str) -> *const u8 {
        let frame = self.module.frames.iter().find(|f| f.name == name).expect("there is such a function");
        frame.start as *const u8
    }

    /// Calls a function on a stack of its own, up to its end, a trap, or the native to suspend in.
    pub fn run(&mut self, name: &str, words: &[u64]) -> Outcome {
        let (enter, code) = (self.module.enter[words.len()], self.code(name));
        self.state.module = &self.module;
        self.ctx.scope = (&raw mut *self.state).cast();
        let (ctx, words) = (&raw mut *self.ctx, words.as_ptr());
        let mut fiber = Coroutine::<(), (), u64>::new(move |yielder, ()| {
            // SAFETY: `ctx` and `words` outlive the coroutine, which ends or is reset before `run` returns.
            unsafe {
                (*ctx).fiber = (&raw const *yielder).cast_mut().cast();
                enter(ctx, code, words)
            }
        });
        match fiber.resume(()) {
            CoroutineResult::Return(value) => Outcome::Value(value),
            CoroutineResult::Yield(()) => {
                // SAFETY: below the suspension lie compiled frames and natives that own nothing.
                unsafe { fiber.force_reset() };
                let trap = self.state.trap.take();
                trap.map_or(Outcome::Suspended, |(kind, a, b)| Outcome::Trap(kind, a, b))
            }
        }
    }

    /// The value of a call that ends.
    pub fn value(&mut self, name: &str, words: &[u64]) -> u64 {
        match self.run(name, words) {
            Outcome::Value(value) => value,
            other => panic!("{name}{words:?} ended with {other:?}"),
        }
    }

    pub fn suspend_in(&mut self, native: &'static str) {
        self.state.suspend_in = Some(native);
    }

    /// The natives called since the last look.
    pub fn calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.state.calls)
    }

    /// The frames at the last suspension, innermost first.
    pub fn frames(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.state.frames)
    }

    /// The place where compiled code was last left for a native.
    pub fn last_place(&self) -> Option<u32> {
        let frame = self.module.frame(self.ctx.exit_pc)?;
        frame.place(self.ctx.exit_pc).map(|p| p.start)
    }
}

/// A new object as `alloc` gives it; never given back.
pub fn object(size: usize, header: u64) -> *mut u64 {
    let words = size.next_multiple_of(16) / 8;
    let block = Box::leak(vec![[0u64; 2]; words.div_ceil(2) + 1].into_boxed_slice());
    let at = (block.as_mut_ptr() as usize).next_multiple_of(16) as *mut u64;
    // SAFETY: the block is one unit longer than the object, so it is still inside after aligning.
    unsafe { at.write(header) };
    at
}

/// The count of an object.
pub fn count(object: u64) -> u32 {
    // SAFETY: tests only ask for objects of theirs, which live forever, or for literals of a live module.
    unsafe { *((object as usize + layout::COUNT as usize) as *const u32) }
}

/// A word of an object.
pub fn field(object: u64, offset: i32) -> u64 {
    // SAFETY: as above.
    unsafe { *((object as usize + offset as usize) as *const u64) }
}

macro_rules! entries {
    ($($rust:ident $name:literal $types:tt ($($mode:ident)*) $gives:ident, $effect:ident, $cost:ident;)*) => {
        /// One entry per native: notes where compiled code was left, then goes on in `body` with the native's number
        /// behind the words.
        fn address(native: NativeId) -> *const u8 {
            const ENTRIES: &[unsafe extern "C" fn()] = &[$({
                #[unsafe(naked)]
                unsafe extern "C" fn $rust() {
                    #[cfg(target_arch = "x86_64")]
                    naked_asm!(
                        "mov [rdi + {fp}], rbp",
                        "mov rax, [rsp]",
                        "mov [rdi + {pc}], rax",
                        "lea rax, [rsp + 8]",
                        "mov [rdi + {sp}], rax",
                        "mov r9, {name}",
                        "jmp {body}",
                        fp = const offset_of!(Ctx, exit_fp),
                        pc = const offset_of!(Ctx, exit_pc),
                        sp = const offset_of!(Ctx, exit_sp),
                        name = const number($name),
                        body = sym body,
                    );
                    #[cfg(target_arch = "aarch64")]
                    naked_asm!(
                        "str x29, [x0, {fp}]",
                        "str x30, [x0, {pc}]",
                        "mov x9, sp",
                        "str x9, [x0, {sp}]",
                        "mov x5, {name}",
                        "b {body}",
                        fp = const offset_of!(Ctx, exit_fp),
                        pc = const offset_of!(Ctx, exit_pc),
                        sp = const offset_of!(Ctx, exit_sp),
                        name = const number($name),
                        body = sym body,
                    );
                }
                $rust
            }),*];
            match native.row().name {
                "stop" => stop as *const u8,
                "refill" => refill as *const u8,
                _ => ENTRIES[native.0 as usize] as *const u8,
            }
        }

        const NAMES: &[&str] = &[$($name),*];
    };
}
weir_abi::for_each_native!(entries);

/// The position of a name in the table.
const fn number(name: &str) -> usize {
    let mut at = 0;
    while at < NAMES.len() {
        let (a, b) = (NAMES[at].as_bytes(), name.as_bytes());
        let mut same = 0;
        while same < a.len() && same < b.len() && a[same] == b[same] {
            same += 1;
        }
        if same == a.len() && same == b.len() {
            return at;
        }
        at += 1;
    }
    panic!("no such native")
}

weir_abi::preserving_entry!(refill, refill_body);

/// Makes room for one object in a quick list.
extern "C" fn refill_body(ctx: *mut Ctx, class: u64) {
    let cell = object(size::SIZES[class as usize] as usize, 0);
    // SAFETY: `ctx` is the host's; its quick list of that class is empty.
    unsafe {
        *cell.byte_add(size::QUICK_NEXT as usize) = 0;
        *(*ctx).quick.add(class as usize) = cell.cast();
    }
    body(ctx, class, 0, 0, 0, const { number("refill") });
}

weir_abi::preserving_entry!(stop, stop_body);

extern "C" fn stop_body(ctx: *mut Ctx) {
    body(ctx, 0, 0, 0, 0, const { number("stop") });
}

/// What every native does: records its words, gives a new object where it gives a reference, else the sum of its words.
extern "C" fn body(ctx: *mut Ctx, a: u64, b: u64, c: u64, d: u64, native: usize) -> u64 {
    // SAFETY: `ctx` is the host's, whose state nothing else refers to while compiled code runs.
    let (ctx, state) = unsafe { (&mut *ctx, &mut *(*ctx).scope.cast::<State>()) };
    let row = &NATIVES[native];
    let words = [a, b, c, d][..row.params.len() + usize::from(row.types)].to_vec();
    if row.name == "text-concat" {
        // SAFETY: compiled code passes the address and number of pairs.
        let parts = unsafe { std::slice::from_raw_parts(a as *const u64, 2 * b as usize) };
        state.calls.push((row.name, parts.to_vec()));
    } else {
        state.calls.push((row.name, words.clone()));
    }
    if row.name == "trap" {
        state.trap = Some((TrapKind::from_number(a).expect("a kind"), b as i64, c as i64));
    }
    if row.gives == Gives::Never || state.suspend_in == Some(row.name) {
        // SAFETY: `module` is the host's; `exit_*` were just written.
        state.frames = unsafe { walk(&*state.module, ctx) };
        suspend(ctx.fiber);
    }
    match row.gives {
        Gives::Word => words.iter().sum(),
        Gives::Owned if row.name == "alloc" => object(a as usize, b) as u64,
        Gives::Owned => object(32, layout::header(layout::shape::TEXT)) as u64,
        Gives::Both => {
            ctx.second = words.iter().skip(1).sum();
            object(32, layout::header(layout::shape::TEXT)) as u64
        }
        Gives::Never => unreachable!("the fiber is reset"),
    }
}

fn suspend(fiber: *mut c_void) {
    // SAFETY: `run` put the running coroutine's yielder there.
    unsafe { (*fiber.cast::<Yielder<(), ()>>()).suspend(()) };
}

/// The compiled frames from the one that called a native outward.
///
/// # Safety
/// `exit_*` tell where compiled code of `module` was left, and its frames are still there.
unsafe fn walk(module: &code::Module, ctx: &Ctx) -> Vec<Frame> {
    let mut frames = Vec::new();
    let (mut fp, mut pc, mut sp) = (ctx.exit_fp, ctx.exit_pc, ctx.exit_sp);
    while let Some(info) = module.frame(pc) {
        let slots = info.stack_map(pc).map_or(&[][..], |m| &m.slots);
        // SAFETY: a map's slots lie in its frame; behind a frame pointer lie the caller's and the return address.
        unsafe {
            let mut refs: Vec<u64> = slots.iter().map(|&s| *((sp + s as usize) as *const u64)).collect();
            refs.sort_unstable();
            frames.push(Frame { name: info.name.clone(), place: info.place(pc).map(|p| p.start), refs });
            (pc, sp, fp) = (*((fp + 8) as *const usize), fp + 16, *(fp as *const usize));
        }
    }
    frames
}
