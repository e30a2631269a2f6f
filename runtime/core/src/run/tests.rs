//! Fibers as runs see them: results, waits, yields, traps, traces, abandoning.

use super::*;
use crate::testing::{self, make_text, native, nothing};
use crate::value::{Arg, Handle};
use std::future::poll_fn;
use std::task::Waker;
use weir_abi::code::{FrameInfo, Line, Place, StackMap};
use weir_abi::context::{self, Ctx};

extern "C" fn double(_: *mut Ctx, word: Word) -> Word {
    word * 2
}

extern "C" fn naps(ctx: *mut Ctx, word: Word) -> Word {
    native(ctx, "sleep", &[1_000_000 * word]);
    native(ctx, "sleep", &[0]);
    word + 1
}

extern "C" fn overflows(ctx: *mut Ctx, _: Word) -> Word {
    native(ctx, "trap", &[1, 0, 0])
}

extern "C" fn too_much(ctx: *mut Ctx, _: Word) -> Word {
    native(ctx, "alloc", &[1 << 40, 1 | 1 << 32])
}

/// Calls `stop` as compiled code does: with the context in the pinned register.
fn stop(ctx: *mut Ctx) {
    let id = weir_abi::native::NativeId::named("stop").expect("the table has it");
    let entry = crate::shim::address(id);
    // SAFETY: `stop` keeps all registers but the return address, and the pinned one is given back.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov r15, {ctx}", "call {entry}", ctx = in(reg) ctx, entry = in(reg) entry, out("r15") _);
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mov x21, {ctx}", "blr {entry}", ctx = in(reg) ctx, entry = in(reg) entry, out("x21") _, out("x30") _);
    }
}

/// Recursion without end, with the check that compiled code makes.
#[expect(unconditional_recursion, reason = "the stack check ends it")]
extern "C" fn recurses(ctx: *mut Ctx, word: Word) -> Word {
    let here = 0u64;
    let sp = &raw const here as usize;
    // SAFETY: the context of the running worker.
    let limit = unsafe { (*ctx).limit.load(std::sync::atomic::Ordering::Relaxed) };
    if sp < limit {
        stop(ctx);
    }
    std::hint::black_box(recurses(ctx, std::hint::black_box(word)) + word)
}

/// Checks for stops until somebody asked for one `left` times.
extern "C" fn spins(ctx: *mut Ctx, mut left: Word) -> Word {
    while left > 0 {
        // SAFETY: as above.
        if unsafe { (*ctx).limit.load(std::sync::atomic::Ordering::Relaxed) } == usize::MAX {
            stop(ctx);
            left -= 1;
        }
        std::hint::spin_loop();
    }
    7
}

fn poll_once(run: &mut Run, scope: &mut Scope) -> Poll<Result<Word, Failure>> {
    run.poll(scope, &mut Context::from_waker(Waker::noop()))
}

fn message(code: testing::Code1) -> String {
    let mut scope = testing::scope();
    let mut run = Run::new(&scope, code as *const u8, &[0]).expect("a stack");
    loop {
        match poll_once(&mut run, &mut scope) {
            Poll::Ready(result) => return result.map(|_| ()).expect_err("a trap").message,
            // In stress builds each check yields.
            Poll::Pending => {}
        }
    }
}

#[test]
fn results_and_traps_come_out() {
    let mut scope = testing::scope();
    let mut run = Run::new(&scope, double as *const u8, &[21]).expect("a stack");
    assert!(matches!(poll_once(&mut run, &mut scope), Poll::Ready(Ok(42))));
    assert_eq!(message(overflows), "integer overflow");
    assert_eq!(message(too_much), "out of memory: the heap limit is reached");
    assert_eq!(message(recurses), "stack overflow: the recursion is too deep");
}

#[test]
fn a_million_starts_leave_nothing() {
    let mut scope = testing::scope();
    for word in 0..1_000_000 {
        let mut run = Run::new(&scope, double as *const u8, &[word]).expect("a stack");
        assert!(matches!(poll_once(&mut run, &mut scope), Poll::Ready(Ok(twice)) if twice == word * 2));
    }
    assert_eq!(scope.worker().counters.stacks.get(), 64);
    assert_eq!(scope.worker().counters.fibers.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_runs_interleave() {
    let start = tokio::time::Instant::now();
    let mut scopes: Vec<_> = (1..=100u64).map(|_| testing::scope()).collect();
    let mut runs: Vec<_> = scopes
        .iter()
        .zip(1..)
        .map(|(scope, at)| Run::new(scope, naps as *const u8, &[at]).expect("a stack"))
        .collect();
    let mut done = vec![0; runs.len()];
    poll_fn(|cx| {
        for (at, run) in runs.iter_mut().enumerate() {
            if done[at] == 0
                && let Poll::Ready(result) = run.poll(&mut scopes[at], cx)
            {
                done[at] = result.expect("no trap");
            }
        }
        if done.contains(&0) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    assert_eq!(done, (2..=101).collect::<Vec<_>>());
    assert_eq!(start.elapsed().as_millis(), 100);
}

#[test]
fn a_requested_stop_lets_others_run() {
    if cfg!(feature = "stress") {
        return; // Every check yields there.
    }
    let mut scope = testing::scope();
    let handle = scope.worker().stop_handle();
    let mut run = Run::new(&scope, spins as *const u8, &[3]).expect("a stack");
    for _ in 0..3 {
        // Asked before it runs: the switch to the fiber must not lose it.
        handle.request_stop();
        assert!(poll_once(&mut run, &mut scope).is_pending());
    }
    assert!(matches!(poll_once(&mut run, &mut scope), Poll::Ready(Ok(7))));
}

#[test]
fn dropping_a_waiting_run_frees_its_stack() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _guard = runtime.enter();
    for _ in 0..1000 {
        let mut scope = testing::scope();
        let mut run = Run::new(&scope, naps as *const u8, &[1000]).expect("a stack");
        assert!(poll_once(&mut run, &mut scope).is_pending());
    }
    assert_eq!(testing::scope().worker().counters.stacks.get(), 64);
}

// Code with frames as compiled code has them.

/// Calls itself `word` times, then traps: `push rbp; mov rbp, rsp`, one owned reference or 0 at the stack pointer.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn descends(_: *mut Ctx, _: Word) -> Word {
    std::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 32",
        "mov [rsp + 8], rdi",
        "mov [rsp + 16], rsi",
        "call {text}",
        "mov [rsp], rax",
        "mov rdi, [rsp + 8]",
        "mov rsi, [rsp + 16]",
        "test rsi, rsi",
        "jz 2f",
        "dec rsi",
        "call {this}",
        "jmp 3f",
        "2:",
        "mov rdi, [rsp + 8]",
        "mov rsi, 1",
        "call {trap}",
        "3:",
        "leave",
        "ret",
        text = sym a_text,
        this = sym descends,
        trap = sym trap_entry,
    )
}

/// Goes on at the native `trap`, as a direct call of compiled code would.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn trap_entry() {
    std::arch::naked_asm!("jmp [rip + {slot}]", slot = sym TRAP)
}

#[cfg(target_arch = "x86_64")]
static TRAP: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

#[cfg(target_arch = "x86_64")]
extern "C" fn a_text(ctx: *mut Ctx) -> Word {
    make_text(ctx, "held by a frame")
}

#[cfg(target_arch = "x86_64")]
fn framed_module() -> weir_abi::code::Module {
    let trap = weir_abi::native::NativeId::named("trap").expect("a native");
    TRAP.store(crate::shim::address(trap) as usize, std::sync::atomic::Ordering::Relaxed);
    let start = descends as *const () as usize;
    let mut module = testing::module(nothing, None);
    // Return offsets: found by walking the code would take a disassembler, so every offset has a map.
    let stack_maps = (0..128).map(|return_offset| StackMap { return_offset, slots: [0].into() }).collect();
    module.frames = vec![FrameInfo {
        start,
        size: 128,
        name: "descends".into(),
        lines: vec![Line { start: 0, place: Some(Place { file: 0, start: 33 }), inlined: None }],
        inlined: Vec::new(),
        stack_maps,
    }];
    module
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_trace_tells_recursion_once() {
    let mut scope = testing::scope_of(testing::app(framed_module()));
    let mut run = Run::new(&scope, descends as *const u8, &[3000]).expect("a stack");
    let Poll::Ready(Err(failure)) = poll_once(&mut run, &mut scope) else { panic!("it traps") };
    let shown = failure.to_string();
    assert_eq!(
        shown,
        "integer overflow\n  at descends (test.weir:33)\n  at descends (test.weir:33)\n  at descends (test.weir:33)\n  \
         ... 2998 more of these"
    );
    let _ = context::LIMIT;
}

#[cfg(target_arch = "x86_64")]
#[test]
fn abandoning_gives_back_what_frames_own() {
    let mut scope = testing::scope_of(testing::app(framed_module()));
    for depth in [0, 1, 100] {
        let mut run = Run::new(&scope, descends as *const u8, &[depth]).expect("a stack");
        assert!(matches!(poll_once(&mut run, &mut scope), Poll::Ready(Err(_))));
        assert_eq!(scope.heap().live() as u64, depth + 1);
        run.abandon(&mut scope);
        scope.free_all_late();
        assert_eq!(scope.heap().live(), 0);
    }
}

#[test]
fn an_owned_word_is_taken_and_given_up() {
    extern "C" fn gives(ctx: *mut Ctx) -> Word {
        make_text(ctx, "given")
    }
    let mut scope = testing::scope();
    let mut run = Run::new(&scope, gives as *const u8, &[]).expect("a stack");
    let Poll::Ready(Ok(word)) = poll_once(&mut run, &mut scope) else { panic!("it returns") };
    // SAFETY: an owned Text.
    let text: crate::value::Own<crate::value::Text> = unsafe { Arg::from_word(word) };
    assert_eq!(text.get().as_str(), "given");
    assert_eq!(testing::take_text(&mut scope, text.get().word()), "given");
    scope.free_all_late();
    assert_eq!(scope.heap().live(), 0);
}
