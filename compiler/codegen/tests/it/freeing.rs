//! Compiled modules give back all memory when they are dropped.

use crate::build::{Fun, module};
use crate::host::Host;
use weir_ir::ir::{Op, TextId};

#[cfg(target_os = "linux")]
#[test]
fn modules_are_freed_whole() {
    let mut f = Fun::new("main");
    let text = f.owned();
    f.op(Op::Text(text, TextId(0))).ret(text);
    let mut ir = module(vec![f.done()]);
    ir.texts = vec!["x".repeat(10_000)];
    let rounds = |n| (0..n).for_each(|_| drop(Host::new(&ir)));
    rounds(200);
    let before = resident_pages();
    rounds(if cfg!(debug_assertions) { 1_000 } else { 10_000 });
    let grown = resident_pages().saturating_sub(before);
    // A thousand modules that stayed would be 4,000 pages and more.
    assert!(grown < 1_000, "{grown} pages more");
}

#[cfg(target_os = "linux")]
fn resident_pages() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    statm.split_whitespace().nth(1).expect("the second field").parse().expect("a number")
}
