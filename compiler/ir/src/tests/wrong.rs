//! What the verifier finds: one function with one mistake each.

use crate::ir::{
    Block, BlockId, FuncId, Function, FunctionKind, Inst, Module, Op, Param, Prim, Repr, Terminator, Var,
    VarInfo,
};
use crate::{Stage, verify};
use weir_abi::layout::shape;
use weir_abi::native::Mode;
use weir_syntax::span::Span;

/// A module of a main that does nothing and a function `f(own a: ref, n: word) -> word` of these blocks; `a` is `%0`, `n`
/// `%1`, and `%2` to `%4` are an owned reference, a borrowing one and a word.
fn module(blocks: Vec<(Vec<Op>, Terminator)>) -> Module {
    let span = Span::default();
    let var = |repr, owned| VarInfo { name: String::new(), repr, owned };
    let make = |name: &str, params, vars, blocks: Vec<(Vec<Op>, Terminator)>| Function {
        name: name.to_owned(),
        span,
        kind: FunctionKind::Direct,
        params,
        result: Repr::Word,
        second: None,
        vars,
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
    };
    let params = vec![Param { var: Var(0), mode: Mode::Own }, Param { var: Var(1), mode: Mode::Word }];
    let word = var(Repr::Word, false);
    let vars =
        vec![var(Repr::Ref, true), word.clone(), var(Repr::Ref, true), var(Repr::Ref, false), word.clone()];
    let nothing = vec![(vec![Op::Const(Var(0), 0)], Terminator::Return(Var(0)))];
    Module {
        functions: vec![make("main", vec![], vec![word], nothing), make("f", params, vars, blocks)],
        main: FuncId(0),
        handler: None,
        around: None,
        routes: Vec::new(),
        tests: Vec::new(),
        globals: vec![],
        texts: vec![],
        shapes: vec![],
        types: vec![],
        json: Default::default(),
    }
}

const A: Var = Var(0);
const N: Var = Var(1);
const OWNED: Var = Var(2);
const BORROWED: Var = Var(3);
const WORD: Var = Var(4);

#[track_caller]
fn finds(blocks: Vec<(Vec<Op>, Terminator)>, expected: &str) {
    let bug = verify(&module(blocks), Stage::Counted).expect_err("there is a mistake");
    assert!(bug.message.starts_with(expected), "{bug}");
}

fn returns(ops: Vec<Op>) -> Vec<(Vec<Op>, Terminator)> {
    vec![(ops, Terminator::Return(N))]
}

#[test]
fn a_balanced_function_is_accepted() {
    let ops = vec![Op::Load(BORROWED, A, 8), Op::IsNull(WORD, BORROWED), Op::Drop(A)];
    assert_eq!(verify(&module(returns(ops)), Stage::Counted), Ok(()));
}

#[test]
fn a_leak_is_found() {
    finds(returns(vec![]), "%0 is never dropped");
}

#[test]
fn a_second_drop_is_found() {
    finds(returns(vec![Op::Drop(A), Op::Drop(A)]), "%0 holds no count to give away");
}

#[test]
fn a_use_behind_the_drop_is_found() {
    finds(returns(vec![Op::Drop(A), Op::IsNull(WORD, A)]), "%0 is not there");
}

#[test]
fn a_borrow_that_outlives_its_owner_is_found() {
    let ops = vec![Op::Load(BORROWED, A, 8), Op::Drop(A), Op::IsNull(WORD, BORROWED)];
    finds(returns(ops), "%3 is not there");
}

#[test]
fn an_owner_passed_on_with_its_borrower_still_read_is_found() {
    let ops =
        vec![Op::Alias(BORROWED, A), Op::NewList(OWNED, shape::LIST_REF, vec![A, BORROWED]), Op::Drop(OWNED)];
    finds(returns(ops), "%3 holds no count to give away");
}

#[test]
fn a_load_without_its_count_is_found() {
    finds(
        returns(vec![Op::Load(OWNED, A, 8), Op::Drop(A), Op::Drop(OWNED)]),
        "%2 holds no count to give away",
    );
}

#[test]
fn a_value_overwritten_is_found() {
    let list = || Op::NewList(OWNED, shape::LIST_WORD, vec![]);
    finds(returns(vec![Op::Drop(A), list(), list(), Op::Drop(OWNED)]), "%2 is set while it holds a count");
}

#[test]
fn ways_that_disagree_are_found() {
    let blocks = vec![
        (vec![], Terminator::Branch(N, BlockId(1), BlockId(2))),
        (vec![Op::Drop(A)], Terminator::Jump(BlockId(2))),
        (vec![], Terminator::Return(N)),
    ];
    finds(blocks, "%0 holds 1 counts on one way and 0 on another");
}

#[test]
fn what_is_read_before_it_is_set_is_found() {
    let blocks = vec![
        (vec![Op::Drop(A)], Terminator::Branch(N, BlockId(1), BlockId(2))),
        (vec![Op::Const(WORD, 1)], Terminator::Jump(BlockId(2))),
        (vec![], Terminator::Return(WORD)),
    ];
    finds(blocks, "%4 is read before it is set");
}

#[test]
fn a_reference_in_arithmetic_is_found() {
    finds(returns(vec![Op::Prim(Prim::Add, WORD, A, Some(N)), Op::Drop(A)]), "%0 is Ref");
}

#[test]
fn a_way_back_to_the_entry_is_found() {
    finds(vec![(vec![], Terminator::Jump(BlockId(0)))], "leads to b0");
}

#[test]
fn a_count_before_the_counting_pass_is_found() {
    let bug = verify(&module(returns(vec![Op::Drop(A)])), Stage::Uncounted).expect_err("there is a mistake");
    assert!(bug.message.starts_with("a count before the counting pass"), "{bug}");
}

#[test]
fn nothing_is_owed_where_control_never_comes_back() {
    assert_eq!(verify(&module(vec![(vec![], Terminator::Unreachable)]), Stage::Counted), Ok(()));
}

#[test]
fn a_change_of_what_others_may_hold_is_found() {
    let ops = vec![Op::Store(A, 8, N), Op::Drop(A)];
    finds(returns(ops), "%0 may be held by others and is changed in place");
    let ops = vec![Op::Unique(OWNED, A), Op::Dup(OWNED), Op::Store(OWNED, 8, N)];
    finds(returns(ops), "%2 may be held by others and is changed in place");
    let ops = vec![Op::Unique(OWNED, A), Op::Store(OWNED, 8, N), Op::Drop(OWNED)];
    assert_eq!(verify(&module(returns(ops)), Stage::Counted), Ok(()));
}

#[test]
fn a_borrow_from_what_is_changed_is_found() {
    let ops = vec![
        Op::Unique(OWNED, A),
        Op::Load(BORROWED, OWNED, 8),
        Op::Store(OWNED, 16, N),
        Op::IsNull(WORD, BORROWED),
        Op::Drop(OWNED),
    ];
    finds(returns(ops), "%3 is not there");
}

#[test]
fn a_second_result_out_of_place_is_found() {
    finds(returns(vec![Op::Drop(A), Op::Second(WORD)]), "no call left a second result");
    finds(returns(vec![Op::Drop(A), Op::GiveSecond(N)]), "a second result of a function without one");
}
