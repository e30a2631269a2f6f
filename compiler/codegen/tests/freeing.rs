//! Compiled modules give back all memory when they are dropped. A process of its own: it watches its size.
#![cfg(target_os = "linux")]

use weir_abi::types::TypeDesc;
use weir_codegen::Options;
use weir_ir::ir::{
    Block, FuncId, Function, FunctionKind, Inst, Module, Op, Repr, Terminator, TextId, Var, VarInfo,
};
use weir_syntax::span::Span;

#[test]
fn modules_are_freed_whole() {
    let module = module();
    let rounds = |n| {
        for _ in 0..n {
            let show = Box::new(|_| String::new());
            drop(weir_codegen::compile(&module, &|_| std::ptr::null(), show, Options::default()));
        }
    };
    rounds(200);
    let before = resident_pages();
    rounds(if cfg!(debug_assertions) { 2_000 } else { 10_000 });
    let grown = resident_pages().saturating_sub(before);
    // Each module has a page of code and three of literals.
    assert!(grown < 400, "{grown} pages more");
}

/// `fn main() { "xxx..." }`
fn module() -> Module {
    let text = VarInfo { name: "text".into(), repr: Repr::Ref, owned: true };
    let ops = vec![Inst { op: Op::Text(Var(0), TextId(0)), span: Span::default(), site: None }];
    let main = Function {
        name: "main".into(),
        span: Span::default(),
        kind: FunctionKind::Direct,
        params: Vec::new(),
        result: Repr::Ref,
        second: None,
        vars: vec![text],
        blocks: vec![Block { ops, end: Terminator::Return(Var(0)), span: Span::default(), site: None }],
        sites: Vec::new(),
    };
    Module {
        functions: vec![main],
        main: FuncId(0),
        handler: None,
        around: None,
        routes: Vec::new(),
        tests: Vec::new(),
        globals: Vec::new(),
        texts: vec!["x".repeat(10_000).into()],
        shapes: Vec::new(),
        types: vec![TypeDesc::Unit],
        json: Default::default(),
    }
}

fn resident_pages() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    statm.split_whitespace().nth(1).expect("the second field").parse().expect("a number")
}
