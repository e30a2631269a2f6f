//! Benchmark of compiled code and of compiling: `cargo run --release -p weir-codegen --example speed`.
//!
//! Prints for `fib(35)` (calls), a sum over a list with several values alive (loops with a stop check), and a text passed
//! through counted calls, the best of five runs; then what compiling a three-function script costs. `--asm` prints the
//! code instead.

use std::hint::black_box;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};
use weir_abi::code;
use weir_abi::context::Ctx;
use weir_abi::layout::{self, shape};
use weir_abi::native::{Mode, NativeId};
use weir_codegen::{Emit, Options};
use weir_ir::ir::{
    Block, BlockId, FuncId, Function, FunctionKind, Inst, Module, Op, Param, Prim, Repr, Terminator, Var,
    VarInfo,
};
use weir_syntax::span::Span;

fn main() {
    let module = module();
    if std::env::args().any(|a| a == "--asm") {
        return println!("{}", weir_codegen::emit_text(&module, Emit::Asm));
    }
    let first = Instant::now();
    let compiled = compile(&module);
    println!("compile, first in the process  {:>10.1?}", first.elapsed());
    let compiles = best(|| (0..200).for_each(|_| drop(black_box(compile(&module)))));
    println!("compile, best                  {:>10.1?}", compiles / 200);
    println!(
        "fib(35)                        {:>10.1?}",
        best(|| assert_eq!(call(&compiled, "fib", &[35]), 9_227_465))
    );
    let list = list(1000);
    let sums = best(|| {
        for _ in 0..10_000 {
            black_box(call(&compiled, "sum", &[list.as_ptr() as u64, 3]));
        }
    });
    println!("list loop, one round           {:>10.2?} ns", sums.as_nanos() as f64 / 10_000_000.0);
    let text = list.as_ptr() as u64;
    let counted = best(|| {
        black_box(call(&compiled, "counted", &[text, 10_000_000]));
    });
    println!("dup, call, drop                {:>10.2?} ns", counted.as_nanos() as f64 / 10_000_000.0);
}

fn best(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..5).map(|_| time(&mut run)).min().expect("five runs")
}

fn compile(module: &Module) -> code::Module {
    weir_codegen::compile(module, &native, Box::new(|_| String::new()), Options::default())
}

/// No native is reached: no limit, no overflow, no count that falls to 0.
extern "C" fn unexpected() {
    std::process::abort();
}

fn native(_: NativeId) -> *const u8 {
    unexpected as *const u8
}

fn call(module: &code::Module, name: &str, words: &[u64]) -> u64 {
    let frame = module.frames.iter().find(|f| f.name == name).expect("it is compiled");
    let mut ctx = Ctx {
        limit: AtomicUsize::new(0),
        globals: std::ptr::null_mut(),
        quick: std::ptr::null_mut(),
        scope: std::ptr::null_mut(),
        fiber: std::ptr::null_mut(),
        exit_fp: 0,
        exit_pc: 0,
        exit_sp: 0,
        second: 0,
    };
    // SAFETY: the functions of `module()` take that many words, and objects only where they are given one.
    unsafe { module.enter[words.len()](&mut ctx, frame.start as *const u8, words.as_ptr()) }
}

/// A list of 0 to n.
fn list(n: u64) -> Vec<u64> {
    let head = [layout::header(shape::LIST_WORD), n, n];
    head.into_iter().chain(0..n).collect()
}

fn module() -> Module {
    Module {
        functions: vec![fib(), sum(), counted(), length()],
        main: FuncId(0),
        handler: None,
        around: None,
        routes: Vec::new(),
        tests: Vec::new(),
        globals: Vec::new(),
        texts: Vec::new(),
        shapes: Vec::new(),
        types: Vec::new(),
        json: Default::default(),
    }
}

/// `fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }`
fn fib() -> Function {
    let [n, one, two, small, a, b, x, y] = [0, 1, 2, 3, 4, 5, 6, 7].map(Var);
    let entry = vec![Op::Const(two, 2), Op::Prim(Prim::Lt, small, n, Some(two))];
    let rest = vec![
        Op::Const(one, 1),
        Op::Prim(Prim::Sub, a, n, Some(one)),
        Op::Call(x, FuncId(0), vec![a]),
        Op::Prim(Prim::Sub, b, n, Some(two)),
        Op::Call(y, FuncId(0), vec![b]),
        Op::Prim(Prim::Add, x, x, Some(y)),
    ];
    let blocks = vec![
        (entry, Terminator::Branch(small, BlockId(1), BlockId(2))),
        (vec![], Terminator::Return(n)),
        (rest, Terminator::Return(x)),
    ];
    function("fib", &[Mode::Word], &[Repr::Word; 8], blocks)
}

/// `fn sum(xs, k) { for x in xs { total += x * k; least = total - i ... } }`: seven values live around the loop.
fn sum() -> Function {
    let [xs, k, i, total, x, len, one, more, odd, even, all] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(Var);
    let entry = vec![
        Op::Const(i, 0),
        Op::Const(total, 0),
        Op::Const(odd, 1),
        Op::Const(even, 2),
        Op::Load(len, xs, layout::LEN),
    ];
    let body = vec![
        Op::ListGet(x, xs, i),
        Op::Prim(Prim::Mul, x, x, Some(k)),
        Op::Prim(Prim::Add, total, total, Some(x)),
        Op::Prim(Prim::Add, odd, odd, Some(i)),
        Op::Prim(Prim::Sub, even, total, Some(odd)),
        Op::Const(one, 1),
        Op::Prim(Prim::Add, i, i, Some(one)),
        Op::Stop,
    ];
    let done = vec![Op::Prim(Prim::Add, all, odd, Some(even)), Op::Prim(Prim::Add, all, all, Some(total))];
    let blocks = vec![
        (entry, Terminator::Jump(BlockId(1))),
        (vec![Op::Prim(Prim::Lt, more, i, Some(len))], Terminator::Branch(more, BlockId(2), BlockId(3))),
        (body, Terminator::Jump(BlockId(1))),
        (done, Terminator::Return(all)),
    ];
    let mut reprs = [Repr::Word; 11];
    reprs[0] = Repr::Ref;
    function("sum", &[Mode::Borrow, Mode::Word], &reprs, blocks)
}

/// `while n > 0 { length(text); n -= 1 }` with `text` passed owned.
fn counted() -> Function {
    let [text, n, zero, one, more, r] = [0, 1, 2, 3, 4, 5].map(Var);
    let head = vec![Op::Const(zero, 0), Op::Prim(Prim::Gt, more, n, Some(zero))];
    let body = vec![
        Op::Dup(text),
        Op::Call(r, FuncId(3), vec![text]),
        Op::Const(one, 1),
        Op::Prim(Prim::Sub, n, n, Some(one)),
        Op::Stop,
    ];
    let blocks = vec![
        (vec![], Terminator::Jump(BlockId(1))),
        (head, Terminator::Branch(more, BlockId(2), BlockId(3))),
        (body, Terminator::Jump(BlockId(1))),
        (vec![], Terminator::Return(n)),
    ];
    let mut reprs = [Repr::Word; 6];
    reprs[0] = Repr::Ref;
    function("counted", &[Mode::Borrow, Mode::Word], &reprs, blocks)
}

fn length() -> Function {
    let [text, len] = [0, 1].map(Var);
    let ops = vec![Op::Load(len, text, layout::LEN), Op::Drop(text)];
    function("length", &[Mode::Own], &[Repr::Ref, Repr::Word], vec![(ops, Terminator::Return(len))])
}

fn function(name: &str, modes: &[Mode], reprs: &[Repr], blocks: Vec<(Vec<Op>, Terminator)>) -> Function {
    let span = Span::default();
    let mode = |i: usize| modes.get(i).copied();
    Function {
        name: name.into(),
        span,
        kind: FunctionKind::Direct,
        params: modes.iter().enumerate().map(|(i, &mode)| Param { var: Var(i as u32), mode }).collect(),
        result: Repr::Word,
        second: None,
        vars: reprs
            .iter()
            .enumerate()
            .map(|(i, &repr)| VarInfo { name: String::new(), repr, owned: mode(i) == Some(Mode::Own) })
            .collect(),
        blocks: blocks
            .into_iter()
            .map(|(ops, end)| Block {
                ops: ops.into_iter().map(|op| Inst { op, span, site: None }).collect(),
                end,
                span,
                site: None,
            })
            .collect(),
        sites: Vec::new(),
    }
}
