//! Places: slots of variables that are set or changed where they are.
//!
//! ```text
//! x.items[i].count = n        x' = unique x; items = take x'.items; items' = unique items; check items'[i]
//!                             item = take items'[i]; item' = unique item; store item'.count = n
//!                             store items'[i] = item'; store x'.items = items'; x = x'
//! ```
//! Keys, the value and the other arguments are evaluated first, each once, from left to right. Then each container is taken
//! out of its slot, made unique, changed and put back: nothing is copied that only the variable holds.
//! A kind of container plugs in with the two functions [`take`] and [`put`].

use super::build::FunctionBuilder;
use super::expr::{give, native, snapshot, unit, values};
use crate::ir::{FuncId, Op, Repr, Terminator, Var};
use weir_abi::layout::{LEN, field};
use weir_abi::native::Gives;
use weir_abi::types::TypeId;
use weir_check::typed::{Expr, ExprKind, Place, Prim, Step, StepKind};
use weir_check::types::{Ty, TyKind};
use weir_syntax::span::Span;

/// A step on the way to a slot, its key evaluated.
#[derive(Clone, Copy)]
struct Slot {
    at: At,
    /// Whether what the slot holds is a reference.
    repr: Repr,
    span: Span,
}

#[derive(Clone, Copy)]
enum At {
    /// A byte offset of an object.
    Offset(i32),
    /// A list's element at that index.
    Element(Var),
}

/// What a mutating call calls.
pub(super) enum Callee<'e> {
    Function(FuncId),
    Native(&'e str, &'e [Ty]),
}

/// `place = value`
pub(super) fn lower_put(
    b: &mut FunctionBuilder<'_, '_>,
    place: &Place,
    value: &Expr,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let (slots, values) = evaluate(b, place, std::slice::from_ref(value))?;
    let (last, before) = slots.split_last().expect("a variable by itself is assigned");
    let open = open(b, Var(place.root.0), before, span);
    let container = *open.last().expect("the variable is the outermost container");
    if last.repr.is_ref() {
        // What was there goes with the variable it is taken into, which nobody reads.
        take(b, container, *last);
    } else {
        check(b, container, *last);
    }
    put(b, container, *last, values[0]);
    close(b, Var(place.root.0), before, &open, span);
    unit(b, dst, span)
}

/// A call of a mutating function on a place. `result` is the type of what it gives besides the place's new value.
pub(super) fn lower_change(
    b: &mut FunctionBuilder<'_, '_>,
    callee: &Callee<'_>,
    place: &Place,
    others: &[Expr],
    result: Ty,
    dst: Option<Var>,
    span: Span,
) -> Option<()> {
    let (slots, mut args) = evaluate(b, place, others)?;
    let root = Var(place.root.0);
    if slots.is_empty() {
        args.insert(0, root);
        let given = call(b, callee, root, args, result, span)?;
        return give_result(b, dst, given, span);
    }
    let (last, before) = slots.split_last().expect("there is a slot");
    let open = open(b, root, before, span);
    let container = *open.last().expect("the variable is the outermost container");
    let old = take(b, container, *last);
    let new = b.temp(last.repr);
    args.insert(0, old);
    let given = call(b, callee, new, args, result, span)?;
    put(b, container, *last, new);
    close(b, root, before, &open, span);
    give_result(b, dst, given, span)
}

/// The slots on the way to a place, and the values of `others`.
fn evaluate(
    b: &mut FunctionBuilder<'_, '_>,
    place: &Place,
    others: &[Expr],
) -> Option<(Vec<Slot>, Vec<Var>)> {
    let keys = place.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Field(_) => None,
        StepKind::Element(index) => Some(&**index),
    });
    let all = keys.chain(others);
    let mut vars = values(b, all.clone())?;
    // The variable is taken apart before these are used.
    for (var, e) in vars.iter_mut().zip(all) {
        if matches!(e.kind, ExprKind::Local(local) if local == place.root) && var.0 == place.root.0 {
            *var = snapshot(b, *var, e.span);
        }
    }
    let rest = vars.split_off(vars.len() - others.len());
    let mut keys = vars.into_iter();
    let slots = place
        .steps
        .iter()
        .map(|Step { kind, ty, span }| {
            let at = match kind {
                StepKind::Field(index) => At::Offset(field(*index)),
                StepKind::Element(_) => At::Element(keys.next().expect("each key was evaluated")),
            };
            Slot { at, repr: b.tables.repr(*ty), span: *span }
        })
        .collect();
    Some((slots, rest))
}

/// Makes the variable unique, and what each of `slots` holds in turn; the containers from the outside in.
fn open(b: &mut FunctionBuilder<'_, '_>, root: Var, slots: &[Slot], span: Span) -> Vec<Var> {
    let mut open = vec![unique(b, root, span)];
    for slot in slots {
        let container = open[open.len() - 1];
        let inner = take(b, container, *slot);
        open.push(unique(b, inner, slot.span));
    }
    open
}

fn unique(b: &mut FunctionBuilder<'_, '_>, v: Var, span: Span) -> Var {
    let d = b.temp(Repr::Ref);
    b.emit(Op::Unique(d, v), span);
    d
}

/// Puts the containers back, from the inside out.
fn close(b: &mut FunctionBuilder<'_, '_>, root: Var, slots: &[Slot], open: &[Var], span: Span) {
    for (i, slot) in slots.iter().enumerate().rev() {
        put(b, open[i], *slot, open[i + 1]);
    }
    b.emit(Op::Move(root, open[0]), span);
}

/// Sees to it that the container has the slot.
fn check(b: &mut FunctionBuilder<'_, '_>, container: Var, slot: Slot) {
    match slot.at {
        At::Offset(_) => {}
        At::Element(index) => b.emit(Op::ListCheck(container, index), slot.span),
    }
}

/// What a slot of a unique container holds; a reference is moved out of it.
fn take(b: &mut FunctionBuilder<'_, '_>, container: Var, slot: Slot) -> Var {
    check(b, container, slot);
    let d = b.temp(slot.repr);
    let op = match (slot.at, slot.repr.is_ref()) {
        (At::Offset(offset), true) => Op::Take(d, container, offset),
        (At::Offset(offset), false) => Op::Load(d, container, offset),
        (At::Element(index), true) => Op::ListTake(d, container, index),
        (At::Element(index), false) => Op::ListGetUnchecked(d, container, index),
    };
    b.emit(op, slot.span);
    d
}

/// Sets a slot of a unique container from which was taken what it held.
fn put(b: &mut FunctionBuilder<'_, '_>, container: Var, slot: Slot, value: Var) {
    let op = match slot.at {
        At::Offset(offset) => Op::Store(container, offset, value),
        At::Element(index) => Op::ListSet(container, index, value),
    };
    b.emit(op, slot.span);
}

/// Calls with the place's value in front of `args`, sets `new` to the value that goes back; what the function gives besides.
fn call(
    b: &mut FunctionBuilder<'_, '_>,
    callee: &Callee<'_>,
    new: Var,
    args: Vec<Var>,
    result: Ty,
    span: Span,
) -> Option<Option<Var>> {
    let second = match callee {
        Callee::Function(id) => {
            b.emit(Op::Call(new, *id, args), span);
            has_value(b, result)
        }
        Callee::Native("list-take-last", _) => return Some(Some(take_last(b, new, args[0], result, span))),
        Callee::Native(name, types) => {
            let native = native(name);
            let row = native.row();
            let types = if row.types { types.iter().map(|t| TypeId(t.0)).collect() } else { Vec::new() };
            b.emit(Op::CallNative { dst: new, native, types, args }, span);
            row.gives == Gives::Both
        }
    };
    if matches!(b.tables.kind(result), TyKind::Never) {
        b.end(Terminator::Unreachable, span);
        return None;
    }
    if !second {
        return Some(None);
    }
    let given = b.temp_of(result);
    b.emit(Op::Second(given), span);
    Some(Some(given))
}

/// Whether a mutating function with that result gives something besides the new value of its first parameter.
pub(super) fn has_value(b: &FunctionBuilder<'_, '_>, result: Ty) -> bool {
    !matches!(b.tables.kind(result), TyKind::Unit | TyKind::Never)
}

/// The last element, moved out of a list: sets `new` to the rest.
fn take_last(b: &mut FunctionBuilder<'_, '_>, new: Var, list: Var, item: Ty, span: Span) -> Var {
    let list = unique(b, list, span);
    let (len, last) = (b.temp(Repr::Word), b.temp(Repr::Word));
    b.emit(Op::Load(len, list, LEN), span);
    let one = b.word(1, span);
    b.emit(Op::Prim(Prim::Sub, last, len, Some(one)), span);
    let slot = Slot { at: At::Element(last), repr: b.tables.repr(item), span };
    let taken = take(b, list, slot);
    b.emit(Op::Store(list, LEN, last), span);
    b.emit(Op::Move(new, list), span);
    taken
}

fn give_result(
    b: &mut FunctionBuilder<'_, '_>,
    dst: Option<Var>,
    given: Option<Var>,
    span: Span,
) -> Option<()> {
    match given {
        Some(given) => give(b, dst, span, |d| Op::Move(d, given)),
        None => unit(b, dst, span),
    }
}
