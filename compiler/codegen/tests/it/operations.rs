//! Each operation and terminator by itself.

use crate::build::{Fun, module};
use crate::host::{self, Host, Outcome, count, field};
use std::sync::atomic::{AtomicUsize, Ordering};
use weir_abi::layout::{self, shape};
use weir_abi::native::{Mode, part};
use weir_abi::size::class_of;
use weir_abi::trap::TrapKind;
use weir_abi::types::TypeId;
use weir_ir::ir::{
    BlockId, FuncId, Global, GlobalId, Module, Op, PartKind, Prim, Repr, Terminator, TextId, Var,
};

fn host(f: Fun) -> Host {
    Host::new(&module(vec![f.done()]))
}

/// A text object with that count.
fn text(count: u64) -> u64 {
    host::object(32, layout::header(shape::TEXT) - 1 + count) as u64
}

fn immortal() -> u64 {
    host::object(32, layout::immortal_header(shape::TEXT)) as u64
}

fn names(host: &mut Host) -> Vec<&'static str> {
    host.calls().iter().map(|c| c.0).collect()
}

#[test]
fn constants_and_null() {
    let mut f = Fun::new("f");
    let (n, null, is) = (f.constant(-7), f.var(Repr::NullableRef, true), f.word());
    f.op(Op::Null(null)).op(Op::IsNull(is, null));
    let sum = f.word();
    f.op(Op::Prim(Prim::Add, sum, n, Some(is))).ret(sum);
    assert_eq!(host(f).value("f", &[]) as i64, -6);
}

#[test]
fn text_literals_are_immortal_and_never_counted() {
    let mut f = Fun::new("f");
    let t = f.owned();
    f.op(Op::Text(t, TextId(1))).op(Op::Dup(t)).op(Op::Drop(t)).ret(t);
    let mut ir = module(vec![f.done()]);
    ir.texts = vec!["no".into(), "grün".into()];
    let mut host = Host::new(&ir);
    let object = host.value("f", &[]);
    assert_eq!(field(object, 0), layout::immortal_header(shape::TEXT));
    assert_eq!((field(object, layout::LEN), field(object, layout::TEXT_PTR)), (5, object + 24));
    assert_eq!(host.calls(), []);
}

fn with_globals(functions: Vec<weir_ir::ir::Function>) -> Module {
    let mut ir = module(functions);
    ir.globals =
        [Repr::Word, Repr::Ref, Repr::NullableRef].map(|repr| Global { name: "g".into(), repr }).into();
    ir
}

#[test]
fn globals_are_set_and_read_owned() {
    let mut set = Fun::new("set");
    let (n, t) = (set.word_param(), set.param(Repr::Ref, Mode::Own));
    set.op(Op::SetGlobal(GlobalId(0), n)).op(Op::SetGlobal(GlobalId(1), t)).ret(n);
    let get = |name: &str, index, repr| {
        let mut get = Fun::new(name);
        let var = get.var(repr, repr != Repr::Word);
        get.op(Op::Global(var, GlobalId(index))).ret(var);
        get.done()
    };
    let (word, reference) = (get("word", 0, Repr::Word), get("ref", 1, Repr::Ref));
    let nullable = get("nullable", 2, Repr::NullableRef);
    let mut host = Host::new(&with_globals(vec![set.done(), word, reference, nullable]));
    assert_eq!((host.module.globals, &host.module.global_refs[..]), (3, &[false, true, true][..]));
    let object = text(1);
    host.value("set", &[42, object]);
    assert_eq!(host.globals[0], 42);
    assert_eq!(
        (host.value("word", &[]), host.value("ref", &[]), host.value("nullable", &[])),
        (42, object, 0)
    );
    assert_eq!(count(object), 2);
    host.globals[2] = object;
    assert_eq!(host.value("nullable", &[]), object);
    assert_eq!(count(object), 3);
}

#[test]
fn moves_and_aliases_are_the_same_value() {
    let mut f = Fun::new("f");
    let p = f.param(Repr::Ref, Mode::Own);
    let (moved, alias) = (f.owned(), f.borrowed());
    let seen = f.word();
    f.op(Op::Move(moved, p)).op(Op::Alias(alias, moved)).op(Op::Load(seen, alias, layout::LEN));
    f.op(Op::Drop(moved)).ret(seen);
    let mut host = host(f);
    let object = text(1);
    assert_eq!(host.value("f", &[object]), 0);
    assert_eq!(host.calls(), [("free", vec![object])]);
}

#[test]
fn counting_skips_null_and_the_immortal() {
    for repr in [Repr::Ref, Repr::NullableRef] {
        let (mut dup, mut drop) = (Fun::new("dup"), Fun::new("drop"));
        let p = dup.param(repr, Mode::Borrow);
        let unit = dup.constant(0);
        dup.op(Op::Dup(p)).ret(unit);
        let p = drop.param(repr, Mode::Own);
        let unit = drop.constant(0);
        drop.op(Op::Drop(p)).ret(unit);
        let mut host = Host::new(&module(vec![dup.done(), drop.done()]));
        let (object, forever) = (text(1), immortal());
        host.value("dup", &[object]);
        assert_eq!(count(object), 2);
        host.value("drop", &[object]);
        assert_eq!((count(object), host.calls()), (1, vec![]));
        host.value("drop", &[object]);
        assert_eq!((count(object), host.calls()), (0, vec![("free", vec![object])]));
        host.value("dup", &[forever]);
        host.value("drop", &[forever]);
        assert_eq!((count(forever), host.calls()), (layout::IMMORTAL, vec![]));
        if repr == Repr::NullableRef {
            host.value("dup", &[0]);
            host.value("drop", &[0]);
            assert_eq!(host.calls(), []);
        }
    }
}

#[test]
fn calls_pass_words_in_order() {
    let mut f = Fun::new("main");
    let words: Vec<Var> = (1..=9).map(|n| f.constant(n)).collect();
    let result = f.word();
    f.op(Op::Call(result, FuncId(1), words)).ret(result);
    let mut callee = Fun::new("digits");
    let params: Vec<Var> = (0..9).map(|_| callee.word_param()).collect();
    let ten = callee.constant(10);
    let number = callee.word();
    callee.op(Op::Const(number, 0));
    for param in params {
        callee.op(Op::Prim(Prim::Mul, number, number, Some(ten)));
        callee.op(Op::Prim(Prim::Add, number, number, Some(param)));
    }
    callee.ret(number);
    let mut host = Host::new(&module(vec![f.done(), callee.done()]));
    assert_eq!(host.value("main", &[]), 123_456_789);
}

#[test]
fn closures_get_their_object_and_captures() {
    let mut main = Fun::new("main");
    let (captured, given) = (main.constant(40), main.constant(2));
    let (closure, result) = (main.owned(), main.word());
    main.op(Op::NewClosure(closure, 32, 24, FuncId(1), vec![captured]));
    main.op(Op::CallClosure(result, closure, vec![given])).op(Op::Drop(closure)).ret(result);
    let mut lambda = Fun::new("lambda").closure();
    let (this, arg) = (lambda.param(Repr::Ref, Mode::Borrow), lambda.word_param());
    let (captured, sum) = (lambda.word(), lambda.word());
    lambda.op(Op::Load(captured, this, layout::CLOSURE_CAPTURES));
    lambda.op(Op::Prim(Prim::Add, sum, captured, Some(arg))).ret(sum);
    let mut host = Host::new(&module(vec![main.done(), lambda.done()]));
    assert_eq!(host.value("main", &[]), 42);
    let calls = host.calls();
    assert_eq!(calls[0], ("refill", vec![class_of(24) as u64]));
    assert_eq!((calls[1].0, calls.len()), ("free", 2));
    assert_eq!(field(calls[1].1[0], 0) >> 32, 32);
    assert_eq!(field(calls[1].1[0], layout::CLOSURE_CODE), host.code("lambda") as u64);
}

#[test]
fn natives_get_types_before_arguments() {
    let mut f = Fun::new("f");
    let p = f.param(Repr::Ref, Mode::Borrow);
    let (a, b, r) = (f.constant(2), f.constant(10), f.word());
    f.native(r, "print", &[p]).native(r, "int-pow", &[a, b]).ret(r);
    let mut host = host(f);
    assert_eq!(host.value("f", &[77]), 12);
    assert_eq!(host.calls(), [("print", vec![5, 77]), ("int-pow", vec![2, 10])]);
}

#[test]
fn small_natives_are_not_called() {
    for (name, a, b, expected) in
        [("int-bit-and", 12, 10, 8), ("int-bit-or", 12, 10, 14), ("int-bit-xor", 12, 10, 6)]
    {
        let mut f = Fun::new("f");
        let (p, q, r) = (f.word_param(), f.word_param(), f.word());
        f.native(r, name, &[p, q]).ret(r);
        let mut host = host(f);
        assert_eq!(host.value("f", &[a, b]), expected);
        assert_eq!(host.calls(), []);
    }
    for name in ["text-len", "list-len"] {
        let mut f = Fun::new("f");
        let (p, r) = (f.param(Repr::Ref, Mode::Borrow), f.word());
        f.native(r, name, &[p]).ret(r);
        let object = host::object(32, layout::header(shape::TEXT));
        // SAFETY: the object has 32 bytes.
        unsafe { object.add(1).write(9) };
        let mut host = host(f);
        assert_eq!((host.value("f", &[object as u64]), host.calls()), (9, vec![]));
    }
}

#[test]
fn joined_texts_are_passed_as_pairs() {
    let mut f = Fun::new("f");
    let p = f.param(Repr::Ref, Mode::Borrow);
    let (n, r) = (f.constant(-3), f.owned());
    f.op(Op::Concat(r, vec![(PartKind::Text, p), (PartKind::Int, n), (PartKind::Typed(TypeId(4)), p)]))
        .ret(r);
    let mut host = host(f);
    host.value("f", &[99]);
    let parts = vec![part::TEXT, 99, part::INT, -3i64 as u64, part::TYPE + 4, 99];
    assert_eq!(host.calls(), [("text-concat", parts)]);
}

#[test]
fn objects_and_lists_are_laid_out() {
    let mut f = Fun::new("object");
    let (a, b, r) = (f.constant(11), f.constant(12), f.owned());
    f.op(Op::New(r, 33, 24, vec![a, b])).ret(r);
    let list = |name: &str, n| {
        let mut f = Fun::new(name);
        let words: Vec<Var> = (0..n).map(|i| f.constant(20 + i)).collect();
        let r = f.owned();
        f.op(Op::NewList(r, shape::LIST_WORD, words)).ret(r);
        f.done()
    };
    let mut host = Host::new(&module(vec![f.done(), list("list0", 0), list("list3", 3), list("list4", 4)]));
    let object = host.value("object", &[]);
    assert_eq!(host.calls(), [("refill", vec![class_of(24) as u64])]);
    assert_eq!([0, 8, 16].map(|o| field(object, o)), [layout::header(33), 11, 12]);
    for (name, len, capacity) in [("list0", 0, 1), ("list3", 3, 3), ("list4", 4, 5)] {
        let list = host.value(name, &[]);
        let header = layout::header(shape::LIST_WORD);
        assert_eq!(host.calls(), [("refill", vec![class_of(24 + 8 * capacity as usize) as u64])]);
        let head = [0, layout::LEN, layout::LIST_CAPACITY].map(|o| field(list, o));
        assert_eq!(head, [header, len, capacity]);
        for i in 0..len {
            assert_eq!(field(list, layout::LIST_DATA + 8 * i as i32), 20 + i);
        }
    }
}

#[test]
fn large_objects_are_not_taken_from_quick_lists() {
    let mut f = Fun::new("f");
    let words: Vec<Var> = (0..16).map(|i| f.constant(i)).collect();
    let r = f.owned();
    f.op(Op::New(r, 33, 136, words)).ret(r);
    let mut host = host(f);
    let object = host.value("f", &[]);
    assert_eq!(host.calls(), [("alloc", vec![136, layout::header(33)])]);
    assert_eq!(field(object, 128), 15);
}

#[test]
fn list_elements_are_checked() {
    let get = |name: &str, op: fn(Var, Var, Var) -> Op| {
        let mut f = Fun::new(name);
        let (list, at) = (f.param(Repr::Ref, Mode::Borrow), f.word_param());
        let r = f.word();
        f.op(op(r, list, at)).ret(r);
        f.done()
    };
    let mut host = Host::new(&module(vec![get("get", Op::ListGet), get("unchecked", Op::ListGetUnchecked)]));
    let list = host::object(40, layout::header(shape::LIST_WORD));
    // SAFETY: the object has 40 bytes.
    unsafe { [2, 2, 70, 71].iter().enumerate().for_each(|(i, &w)| list.add(1 + i).write(w)) };
    let list = list as u64;
    assert_eq!((host.value("get", &[list, 0]), host.value("get", &[list, 1])), (70, 71));
    assert_eq!(host.value("unchecked", &[list, 1]), 71);
    for outside in [2, -1, i64::MIN, i64::MAX] {
        let trap = Outcome::Trap(TrapKind::IndexOutOfBounds, outside, 2);
        assert_eq!(host.run("get", &[list, outside as u64]), trap);
    }
}

/// Sum of 1 to n, with a stop check on the back-edge.
fn sum() -> Fun {
    let mut f = Fun::new("sum");
    let n = f.word_param();
    let (i, total, one, more) = (f.word(), f.word(), f.word(), f.word());
    let (head, body, done) = (f.block(), f.block(), f.block());
    f.op(Op::Const(i, 0)).op(Op::Const(total, 0)).end(Terminator::Jump(head));
    f.at(head).op(Op::Prim(Prim::Lt, more, i, Some(n))).end(Terminator::Branch(more, body, done));
    f.at(body).op(Op::Const(one, 1)).op(Op::Prim(Prim::Add, i, i, Some(one)));
    f.op(Op::Prim(Prim::Add, total, total, Some(i))).op(Op::Stop).end(Terminator::Jump(head));
    f.at(done).ret(total);
    f
}

#[test]
fn loops_branch_and_stop() {
    let mut host = host(sum());
    assert_eq!(host.value("sum", &[100]), 5050);
    assert_eq!(host.calls(), []);
    *host.ctx.limit.get_mut() = usize::MAX;
    assert_eq!(host.value("sum", &[3]), 6);
    assert_eq!(names(&mut host), ["stop"; 3]);
}

/// The limit is read in every round, also where the loop calls nothing.
#[test]
fn another_thread_stops_a_loop() {
    let mut host = host(sum());
    host.suspend_in("stop");
    let limit = &raw const host.ctx.limit as usize;
    let other = std::thread::spawn(move || {
        // SAFETY: the host, joined with below, keeps the cell.
        let limit = unsafe { &*(limit as *const AtomicUsize) };
        limit.store(usize::MAX, Ordering::Relaxed);
    });
    assert_eq!(host.run("sum", &[1 << 32]), Outcome::Suspended);
    assert_eq!(names(&mut host), ["stop"]);
    other.join().expect("it only stores");
}

#[test]
fn prologues_check_unless_nothing_is_called() {
    let mut caller = Fun::new("caller");
    let r = caller.word();
    caller.op(Op::Call(r, FuncId(1), vec![])).ret(r);
    let mut leaf = Fun::new("leaf");
    let r = leaf.constant(5);
    leaf.ret(r);
    let mut host = Host::new(&module(vec![caller.done(), leaf.done()]));
    *host.ctx.limit.get_mut() = usize::MAX;
    assert_eq!((host.value("leaf", &[]), host.calls()), (5, vec![]));
    assert_eq!((host.value("caller", &[]), names(&mut host)), (5, vec!["stop"]));
}

#[test]
fn deep_recursion_reaches_the_limit() {
    let mut f = Fun::new("f");
    let n = f.word_param();
    let (one, next, r) = (f.constant(1), f.word(), f.word());
    f.op(Op::Prim(Prim::Add, next, n, Some(one))).op(Op::Call(r, FuncId(0), vec![next])).ret(r);
    let mut host = host(f);
    // The first look at the stack pointer: `stop` is called at once, and notes it.
    *host.ctx.limit.get_mut() = usize::MAX;
    host.suspend_in("stop");
    assert_eq!(host.run("f", &[0]), Outcome::Suspended);
    assert_eq!(host.frames().len(), 1);
    let top = host.ctx.exit_sp;
    *host.ctx.limit.get_mut() = top - 10_000;
    assert_eq!(host.run("f", &[0]), Outcome::Suspended);
    assert!(host.ctx.exit_sp < top - 10_000 && host.ctx.exit_sp > top - 20_000);
    assert!(host.frames().len() > 50);
}

#[test]
fn traps_carry_kind_words_and_place() {
    let mut f = Fun::new("f");
    let (a, b, add) = (f.word_param(), f.word_param(), f.word());
    f.op(Op::Prim(Prim::Add, add, a, Some(b)));
    f.op(Op::Prim(Prim::Mul, add, add, Some(b)));
    f.end(Terminator::Trap(TrapKind::BadSlice, Some(add), None));
    let mut host = host(f);
    assert_eq!(host.run("f", &[3, 4]), Outcome::Trap(TrapKind::BadSlice, 28, 0));
    assert_eq!(host.last_place(), Some(3));
    assert_eq!(host.run("f", &[i64::MAX as u64, 1]), Outcome::Trap(TrapKind::Overflow, 0, 0));
    assert_eq!(host.last_place(), Some(1));
    assert_eq!(host.run("f", &[1 << 62, 2]), Outcome::Trap(TrapKind::Overflow, 0, 0));
    assert_eq!(host.last_place(), Some(2));
    assert_eq!((host.module.show_place)(weir_abi::code::Place { file: 0, start: 2 }), "test:2");
}

#[test]
fn natives_that_never_return_end_a_path() {
    let mut f = Fun::new("f");
    let (p, r) = (f.param(Repr::Ref, Mode::Borrow), f.word());
    f.native(r, "panic", &[p]).end(Terminator::Unreachable);
    let mut host = host(f);
    assert_eq!(host.run("f", &[8]), Outcome::Suspended);
    assert_eq!(host.calls(), [("panic", vec![8])]);
}

#[test]
fn unreachable_blocks_and_loops_to_the_entry_compile() {
    let mut f = Fun::new("f");
    let n = f.word_param();
    let (one, stop) = (f.word(), f.word());
    let (again, done, dead) = (f.block(), f.block(), f.block());
    f.op(Op::Const(one, 1))
        .op(Op::Prim(Prim::Le, stop, n, Some(one)))
        .end(Terminator::Branch(stop, done, again));
    f.at(again).op(Op::Prim(Prim::Sub, n, n, Some(one))).op(Op::Stop).end(Terminator::Jump(BlockId(0)));
    f.at(done).ret(n);
    f.at(dead).end(Terminator::Jump(done));
    assert_eq!(host(f).value("f", &[50]), 1);
}

#[test]
fn each_number_of_words_can_be_passed() {
    let functions = (0..=3).map(|n| {
        let mut f = Fun::new(&n.to_string());
        let result = f.constant(100);
        for _ in 0..n {
            let p = f.word_param();
            let two = f.constant(2);
            f.op(Op::Prim(Prim::Mul, result, result, Some(two))).op(Op::Prim(
                Prim::Sub,
                result,
                result,
                Some(p),
            ));
        }
        f.ret(result);
        f.done()
    });
    let mut host = Host::new(&module(functions.collect()));
    assert_eq!(host.value("0", &[]), 100);
    assert_eq!(host.value("1", &[1]), 199);
    assert_eq!(host.value("2", &[1, 2]), 396);
    assert_eq!(host.value("3", &[1, 2, 3]), 789);
}

#[test]
fn both_readable_forms_name_every_function() {
    use weir_codegen::{Emit, emit_text};
    let ir = module(vec![sum().done()]);
    let clif = emit_text(&ir, Emit::Clif);
    assert!(clif.starts_with("; sum\nfunction") && clif.contains("sadd_overflow"), "{clif}");
    let asm = emit_text(&ir, Emit::Asm);
    assert!(asm.starts_with("; sum\n") && asm.contains("ret"), "{asm}");
}

#[test]
fn a_lone_object_is_unique_and_a_shared_one_is_copied() {
    let mut f = Fun::new("f");
    let p = f.param(Repr::Ref, Mode::Own);
    let u = f.owned();
    f.op(Op::Unique(u, p)).ret(u);
    let mut host = host(f);
    let (alone, shared, forever) = (text(1), text(2), immortal());
    assert_eq!(host.value("f", &[alone]), alone);
    assert_eq!(host.calls(), []);
    for object in [shared, forever] {
        assert_ne!(host.value("f", &[object]), object);
        assert_eq!(host.calls(), [("object-copy", vec![object])]);
    }
}

#[test]
fn words_are_taken_and_put_in_place() {
    let mut f = Fun::new("f");
    let (p, n) = (f.param(Repr::Ref, Mode::Own), f.word_param());
    let (u, taken) = (f.owned(), f.owned());
    f.op(Op::Unique(u, p)).op(Op::Take(taken, u, 16)).op(Op::Store(u, 8, n));
    f.op(Op::Drop(u)).ret(taken);
    let mut host = host(f);
    let (object, part) = (host::object(32, layout::header(32)), text(1));
    // SAFETY: the third word of a new object of four.
    unsafe { object.add(2).write(part) };
    let object = object as u64;
    assert_eq!(host.value("f", &[object, 7]), part);
    assert_eq!((field(object, 8), field(object, 16)), (7, 0));
    assert_eq!((host.calls(), count(part)), (vec![("free", vec![object])], 1));
}

#[test]
fn elements_are_checked_taken_and_put_in_place() {
    let mut f = Fun::new("f");
    let (p, at, n) = (f.param(Repr::Ref, Mode::Own), f.word_param(), f.word_param());
    let u = f.owned();
    f.op(Op::Unique(u, p)).op(Op::ListCheck(u, at)).op(Op::ListSet(u, at, n)).ret(u);
    let mut host = host(f);
    let list = host::object(64, layout::header(shape::LIST_WORD));
    // SAFETY: the second word of a new object of eight, a list's length.
    unsafe { list.add(1).write(2) };
    let list = list as u64;
    assert_eq!(host.value("f", &[list, 1, 9]), list);
    assert_eq!(field(list, layout::LIST_DATA + 8), 9);
    assert_eq!(host.run("f", &[list, 2, 9]), Outcome::Trap(TrapKind::IndexOutOfBounds, 2, 2));
}

#[test]
fn a_function_gives_two_results() {
    let mut main = Fun::new("main");
    let n = main.word_param();
    let (first, second, sum) = (main.word(), main.word(), main.word());
    main.op(Op::Call(first, FuncId(1), vec![n])).op(Op::Second(second));
    main.op(Op::Prim(Prim::Sub, sum, second, Some(first))).ret(sum);
    let mut callee = Fun::new("both");
    let (n, one, more) = (callee.word_param(), callee.constant(1), callee.word());
    callee.op(Op::Prim(Prim::Add, more, n, Some(one))).op(Op::GiveSecond(n)).ret(more);
    let mut callee = callee.done();
    callee.second = Some(Repr::Word);
    let mut host = Host::new(&module(vec![main.done(), callee]));
    assert_eq!(host.value("main", &[41]) as i64, -1);
}

#[test]
fn only_the_last_count_of_that_shape_leaves_a_hollow_object() {
    let mut f = Fun::new("f");
    let p = f.param(Repr::NullableRef, Mode::Own);
    let token = f.var(Repr::NullableRef, true);
    let (n, made) = (f.constant(5), f.owned());
    f.op(Op::Hollow(token, p, shape::BOX_WORD));
    f.op(Op::NewIn(made, token, shape::BOX_WORD, 16, vec![n])).ret(made);
    let mut host = host(f);
    let last = host::object(32, layout::header(shape::BOX_WORD)) as u64;
    assert_eq!(host.value("f", &[last]), last);
    assert_eq!((field(last, 0), field(last, 8)), (layout::header(shape::BOX_WORD), 5));
    assert_eq!(host.calls(), []);
    let shared = text(2);
    for other in [0, shared, immortal()] {
        let made = host.value("f", &[other]);
        assert_eq!((made != other, field(made, 8)), (true, 5));
    }
    assert_eq!(count(shared), 1);
}
