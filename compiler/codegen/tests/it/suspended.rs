//! Stack maps: suspended frames give exactly the counts they hold.

use crate::build::{Fun, module};
use crate::host::{self, Frame, Host, Outcome};
use weir_abi::layout::{self, shape};
use weir_abi::native::Mode;
use weir_ir::ir::{FuncId, Op, Repr, Terminator};

fn text() -> u64 {
    host::object(32, layout::header(shape::TEXT)) as u64
}

fn frame(name: &str, place: u32, refs: &[u64]) -> Frame {
    let mut refs = refs.to_vec();
    refs.sort_unstable();
    Frame { name: name.into(), place: Some(place), refs }
}

/// `outer` keeps one reference, lends it, and gives another away; `inner` holds what it was given and a new one.
#[test]
fn nested_calls_hold_what_they_own() {
    let mut outer = Fun::new("outer");
    let (kept, given) = (outer.param(Repr::Ref, Mode::Own), outer.param(Repr::Ref, Mode::Own));
    let lent = outer.param(Repr::Ref, Mode::Borrow);
    let (alias, w, r) = (outer.borrowed(), outer.constant(0), outer.word());
    outer.op(Op::Alias(alias, kept));
    outer.op(Op::Call(r, FuncId(1), vec![given, kept, lent, alias, w, w, w, w]));
    outer.op(Op::Drop(kept)).ret(r);

    let mut inner = Fun::new("inner");
    let own = inner.param(Repr::Ref, Mode::Own);
    for _ in 0..3 {
        inner.param(Repr::Ref, Mode::Borrow);
    }
    // Words on the stack must not move the maps.
    for _ in 0..4 {
        inner.word_param();
    }
    let (more, passed, d, r) = (inner.owned(), inner.owned(), inner.constant(1), inner.word());
    inner.native(more, "text-upper", &[own]).native(passed, "text-lower", &[own]);
    inner.native(r, "respond-text", &[passed]).native(r, "sleep", &[d]);
    inner.op(Op::Drop(own)).op(Op::Drop(more)).ret(r);

    let mut host = Host::new(&module(vec![outer.done(), inner.done()]));
    host.suspend_in("sleep");
    let (kept, given, lent) = (text(), text(), text());
    assert_eq!(host.run("outer", &[kept, given, lent]), Outcome::Suspended);
    let frames = host.frames();
    let more = frames[0].refs.iter().copied().find(|&r| r != given).expect("two references");
    assert_eq!(frames, [frame("inner", 5, &[given, more]), frame("outer", 3, &[kept])]);
}

#[test]
fn prologues_hold_owned_parameters() {
    let mut f = Fun::new("f");
    let (own, lent) = (f.param(Repr::Ref, Mode::Own), f.param(Repr::Ref, Mode::Borrow));
    let none = f.param(Repr::NullableRef, Mode::Own);
    let r = f.word();
    f.native(r, "print", &[lent]).op(Op::Drop(own)).op(Op::Drop(none)).ret(r);
    let mut host = Host::new(&module(vec![f.done()]));
    *host.ctx.limit.get_mut() = usize::MAX;
    host.suspend_in("stop");
    let (own, lent) = (text(), text());
    assert_eq!(host.run("f", &[own, lent, 0]), Outcome::Suspended);
    assert_eq!(host.frames(), [frame("f", 0, &[0, own])]);
}

/// A borrowed variable that is dup'ed holds a count until something takes it.
#[test]
fn extra_counts_are_held_too() {
    let mut f = Fun::new("f");
    let (own, lent) = (f.param(Repr::Ref, Mode::Own), f.param(Repr::Ref, Mode::Borrow));
    let (copy, d, r) = (f.owned(), f.constant(0), f.word());
    f.op(Op::Dup(lent)).op(Op::Dup(own)).native(r, "sleep", &[d]);
    f.op(Op::Move(copy, lent)).op(Op::Drop(own)).native(r, "every", &[d]).native(r, "print", &[copy]);
    f.op(Op::Drop(own)).op(Op::Drop(copy)).ret(r);
    let mut host = Host::new(&module(vec![f.done()]));
    let (own, lent) = (text(), text());
    host.suspend_in("sleep");
    assert_eq!(host.run("f", &[own, lent]), Outcome::Suspended);
    assert_eq!(host.frames(), [frame("f", 4, &[own, own, lent])]);
    host.suspend_in("print");
    assert_eq!(host.run("f", &[own, lent]), Outcome::Suspended);
    assert_eq!(host.frames(), [frame("f", 8, &[own, lent])]);
}

/// One loop: the accumulator is replaced in each round, `kept` stays; slots must follow.
#[test]
fn loops_hold_the_value_of_their_round() {
    let mut f = Fun::new("f");
    let (kept, n) = (f.param(Repr::Ref, Mode::Own), f.word_param());
    let (acc, next, more, one, r) = (f.owned(), f.owned(), f.word(), f.word(), f.word());
    let (head, body, done) = (f.block(), f.block(), f.block());
    f.native(acc, "text-upper", &[kept]).end(Terminator::Jump(head));
    f.at(head).op(Op::IsNull(more, kept));
    f.op(Op::Const(one, 1)).op(Op::Prim(weir_ir::ir::Prim::Ge, more, n, Some(one)));
    f.end(Terminator::Branch(more, body, done));
    f.at(body).native(next, "text-lower", &[acc]).op(Op::Drop(acc)).op(Op::Move(acc, next));
    f.op(Op::Prim(weir_ir::ir::Prim::Sub, n, n, Some(one))).op(Op::Stop).native(r, "print", &[acc]);
    f.end(Terminator::Jump(head));
    f.at(done).native(r, "sleep", &[n]).op(Op::Drop(acc)).op(Op::Drop(kept)).ret(r);
    let mut host = Host::new(&module(vec![f.done()]));
    host.suspend_in("sleep");
    let kept = text();
    for rounds in 0..3 {
        assert_eq!(host.run("f", &[kept, rounds]), Outcome::Suspended);
        let calls = host.calls();
        let last = calls.iter().rfind(|c| c.0 == "print").map(|c| c.1[1]);
        let frames = host.frames();
        assert_eq!((frames[0].refs.len(), frames[0].refs.contains(&kept)), (2, true));
        assert!(last.is_none_or(|acc| frames[0].refs.contains(&acc)));
    }
    // At the stop check of the first round.
    *host.ctx.limit.get_mut() = usize::MAX;
    host.suspend_in("stop");
    assert_eq!(host.run("f", &[kept, 2]), Outcome::Suspended);
    assert_eq!(host.frames()[0].refs, [kept]);
}

/// Where paths meet, the count sits in different slots; the map of a later call names one that is current.
#[test]
fn paths_that_meet_agree() {
    let mut f = Fun::new("f");
    let (a, b, which) = (f.param(Repr::Ref, Mode::Own), f.param(Repr::Ref, Mode::Own), f.word_param());
    let (d, r) = (f.constant(1), f.word());
    let (yes, no, meet) = (f.block(), f.block(), f.block());
    f.native(r, "print", &[a]).end(Terminator::Branch(which, yes, no));
    f.at(yes).op(Op::Drop(a)).op(Op::Move(a, b)).native(r, "print", &[a]).end(Terminator::Jump(meet));
    f.at(no).op(Op::Drop(b)).end(Terminator::Jump(meet));
    f.at(meet).native(r, "sleep", &[d]).op(Op::Drop(a)).ret(r);
    let mut host = Host::new(&module(vec![f.done()]));
    host.suspend_in("sleep");
    for (which, expected) in [(1, 1), (0, 0)] {
        let words = [text(), text()];
        assert_eq!(host.run("f", &[words[0], words[1], which]), Outcome::Suspended);
        assert_eq!(host.frames(), [frame("f", 10, &[words[expected]])]);
    }
}

#[test]
fn calls_that_cannot_suspend_have_no_map() {
    let mut f = Fun::new("f");
    let (own, r) = (f.param(Repr::Ref, Mode::Own), f.word());
    f.op(Op::Call(r, FuncId(1), vec![])).native(r, "text-byte", &[own, r]).op(Op::Drop(own)).ret(r);
    let mut leaf = Fun::new("leaf");
    let r = leaf.constant(0);
    leaf.ret(r);
    let host = Host::new(&module(vec![f.done(), leaf.done()]));
    let maps: Vec<usize> = host.module.frames.iter().map(|f| f.stack_maps.len()).collect();
    // Only the prologue's stop check.
    assert_eq!(maps, [1, 0]);
}
