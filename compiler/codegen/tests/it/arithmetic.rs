//! Arithmetic and comparisons against Rust's own, over edges and arbitrary words, with and without known operands.

use crate::build::{Fun, module};
use crate::host::{Host, Outcome};
use proptest::prelude::*;
use std::cell::RefCell;
use weir_abi::trap::TrapKind::{self, DivisionByZero, Overflow};
use weir_ir::ir::{Function, Op, Prim};

const BINARY: [Prim; 11] = [
    Prim::Add,
    Prim::Sub,
    Prim::Mul,
    Prim::Div,
    Prim::Rem,
    Prim::Eq,
    Prim::Ne,
    Prim::Lt,
    Prim::Le,
    Prim::Gt,
    Prim::Ge,
];
const EDGES: [i64; 12] =
    [0, 1, -1, 2, -2, 10, i64::MAX, i64::MIN, i64::MIN + 1, i64::MAX - 1, 1 << 32, -(1 << 31)];

fn expected(prim: Prim, a: i64, b: i64) -> Outcome {
    let divided = |result: Option<i64>| match result {
        None if b == 0 => Err(DivisionByZero),
        result => result.ok_or(Overflow),
    };
    let result: Result<i64, TrapKind> = match prim {
        Prim::Add => a.checked_add(b).ok_or(Overflow),
        Prim::Sub => a.checked_sub(b).ok_or(Overflow),
        Prim::Mul => a.checked_mul(b).ok_or(Overflow),
        Prim::Div => divided(a.checked_div(b)),
        Prim::Rem => divided(a.checked_rem(b)),
        Prim::Neg => a.checked_neg().ok_or(Overflow),
        Prim::Not => Ok(i64::from(a == 0)),
        Prim::Eq => Ok(i64::from(a == b)),
        Prim::Ne => Ok(i64::from(a != b)),
        Prim::Lt => Ok(i64::from(a < b)),
        Prim::Le => Ok(i64::from(a <= b)),
        Prim::Gt => Ok(i64::from(a > b)),
        Prim::Ge => Ok(i64::from(a >= b)),
        other => unreachable!("{other:?} is not among the operations on Ints"),
    };
    match result {
        Ok(value) => Outcome::Value(value as u64),
        Err(kind) => Outcome::Trap(kind, 0, 0),
    }
}

/// `fn(a, b) = a prim b`, or with a known operand in its place.
fn function(prim: Prim, a: Option<i64>, b: Option<i64>) -> Function {
    let mut f = Fun::new(&name(prim, a, b));
    let params = [f.word_param(), f.word_param()];
    let [a, b] = [(a, params[0]), (b, params[1])].map(|(word, param)| word.map_or(param, |w| f.constant(w)));
    let result = f.word();
    let unary = matches!(prim, Prim::Neg | Prim::Not);
    f.op(Op::Prim(prim, result, a, (!unary).then_some(b))).ret(result);
    f.done()
}

fn name(prim: Prim, a: Option<i64>, b: Option<i64>) -> String {
    format!("{prim:?} {a:?} {b:?}")
}

fn word() -> impl Strategy<Value = i64> {
    prop_oneof![proptest::sample::select(&EDGES[..]), -4i64..4, any::<i64>()]
}

#[test]
fn operations_agree_with_rust() {
    let unary = [Prim::Neg, Prim::Not];
    let all = BINARY.iter().chain(&unary).map(|&p| function(p, None, None)).collect();
    let host = RefCell::new(Host::new(&module(all)));
    proptest!(ProptestConfig::with_cases(400), |(a in word(), b in word())| {
        for &prim in BINARY.iter().chain(&unary) {
            let got = host.borrow_mut().run(&name(prim, None, None), &[a as u64, b as u64]);
            prop_assert_eq!(got, expected(prim, a, b), "{:?} {} {}", prim, a, b);
        }
    });
}

#[test]
fn known_operands_change_nothing() {
    let mut functions = Vec::new();
    for prim in BINARY {
        for edge in EDGES {
            functions.push(function(prim, Some(edge), None));
            functions.push(function(prim, None, Some(edge)));
        }
    }
    let mut host = Host::new(&module(functions));
    for prim in BINARY {
        for known in EDGES {
            for other in EDGES {
                let other_word = [other as u64; 2];
                let left = host.run(&name(prim, Some(known), None), &other_word);
                assert_eq!(left, expected(prim, known, other), "{known} {prim:?} {other}");
                let right = host.run(&name(prim, None, Some(known)), &other_word);
                assert_eq!(right, expected(prim, other, known), "{other} {prim:?} {known}");
            }
        }
    }
}

#[test]
fn two_known_operands_fold() {
    let pairs = EDGES.iter().flat_map(|&a| EDGES.iter().map(move |&b| (a, b)));
    for prim in BINARY {
        let functions = pairs.clone().map(|(a, b)| function(prim, Some(a), Some(b))).collect();
        let mut host = Host::new(&module(functions));
        for (a, b) in pairs.clone() {
            assert_eq!(
                host.run(&name(prim, Some(a), Some(b)), &[0, 0]),
                expected(prim, a, b),
                "{a} {prim:?} {b}"
            );
        }
    }
}
