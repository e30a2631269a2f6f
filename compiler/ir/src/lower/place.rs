//! Places: slots of variables that are set or changed where they are.
//!
//! ```text
//! x.items[i].count = n        x' = unique x; items = take x'.items; items' = unique items; check items'[i]
//!                             item = take items'[i]; item' = unique item; store item'.count = n
//!                             store items'[i] = item'; store x'.items = items'; x = x'
//! ```
//! Keys, the value and the other arguments are evaluated first, each once, from left to right. Then each container is taken
//! out of its slot, made unique, changed and put back: nothing is copied that only the variable holds.
//! A kind of container plugs in with [`open_slot`], which makes it unique and finds the slot, and [`take`] and [`put`].
//! A map's value lies in its list of values, which is taken out and put back like any other container.

use super::build::FunctionBuilder;
use super::expr::{give, native, snapshot, unit, values};
use crate::ir::{FuncId, Op, Repr, Terminator, Var};
use weir_abi::layout::{LEN, field, map};
use weir_abi::native::Gives;
use weir_abi::types::TypeId;
use weir_check::typed::{Expr, ExprKind, Place, Prim, Step, StepKind};
use weir_check::types::{Ty, TyKind};
use weir_syntax::span::Span;

/// A step on the way to a slot, its key evaluated.
#[derive(Clone, Copy)]
struct Slot {
    way: Way,
    /// What the slot holds.
    ty: Ty,
    repr: Repr,
    span: Span,
}

#[derive(Clone, Copy)]
enum Way {
    /// A record's field at that byte offset.
    Field(i32),
    /// A list's element at that index.
    Element(Var),
    /// A map's value of that key, which is of that type; what is put there when there is none, else that traps.
    Entry(Var, Ty, Option<Var>),
}

/// A word of an object.
#[derive(Clone, Copy)]
enum At {
    /// At that byte offset.
    Offset(i32),
    /// A list's element at that index, which is known to be inside.
    Element(Var),
}

/// A slot whose container is unique, so that the slot can be read and set.
#[derive(Clone, Copy)]
struct Open {
    /// What goes back to where the container was taken from.
    container: Var,
    /// The object that has the slot: the container, or for a map its list of values.
    holder: Var,
    /// Where in `holder`.
    at: At,
    slot: Slot,
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
    let root = Var(place.root.0);
    let (open, container) = open_all(b, root, before)?;
    let changed = if let Way::Entry(key, key_ty, _) = last.way {
        insert(b, container, [key, values[0]], [key_ty, last.ty], last.span)
    } else {
        let open = open_slot(b, container, *last)?;
        if last.repr.is_ref() {
            // What was there goes with the variable it is taken into, which nobody reads.
            take(b, open);
        }
        put(b, open, values[0]);
        open.container
    };
    close(b, root, &open, changed, span);
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
    let (open, old) = open_all(b, root, &slots)?;
    let new = b.temp(slots[slots.len() - 1].repr);
    args.insert(0, old);
    let given = call(b, callee, new, args, result, span)?;
    close(b, root, &open, new, span);
    give_result(b, dst, given, span)
}

/// The slots on the way to a place, and the values of `others`.
fn evaluate(
    b: &mut FunctionBuilder<'_, '_>,
    place: &Place,
    others: &[Expr],
) -> Option<(Vec<Slot>, Vec<Var>)> {
    let keys = place.steps.iter().flat_map(|step| step.kind.keys());
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
    let mut next = || keys.next().expect("each key was evaluated");
    let slots = place
        .steps
        .iter()
        .map(|Step { kind, ty, span }| {
            let way = match kind {
                StepKind::Field(index) => Way::Field(field(*index)),
                StepKind::Element(_) => Way::Element(next()),
                StepKind::Entry(key, default) => Way::Entry(next(), key.ty, default.as_ref().map(|_| next())),
            };
            Slot { way, ty: *ty, repr: b.tables.repr(*ty), span: *span }
        })
        .collect();
    Some((slots, rest))
}

/// Opens each of `slots` in turn, from the outside in, and takes out what the last one holds.
fn open_all(b: &mut FunctionBuilder<'_, '_>, root: Var, slots: &[Slot]) -> Option<(Vec<Open>, Var)> {
    let (mut all, mut inner) = (Vec::with_capacity(slots.len()), root);
    for slot in slots {
        let open = open_slot(b, inner, *slot)?;
        inner = take(b, open);
        all.push(open);
    }
    Some((all, inner))
}

/// Makes a container unique and sees to it that it has the slot.
fn open_slot(b: &mut FunctionBuilder<'_, '_>, container: Var, slot: Slot) -> Option<Open> {
    let span = slot.span;
    if let Way::Entry(key, key_ty, default) = slot.way {
        let (whole, entry) = entry(b, container, key, default, [key_ty, slot.ty], span)?;
        let container = unique(b, whole, span);
        let values = b.temp(Repr::Ref);
        b.emit(Op::Take(values, container, map::VALUES), span);
        let holder = unique(b, values, span);
        return Some(Open { container, holder, at: At::Element(entry), slot });
    }
    let container = unique(b, container, span);
    let at = match slot.way {
        Way::Element(index) => {
            b.emit(Op::ListCheck(container, index), span);
            At::Element(index)
        }
        Way::Field(offset) => At::Offset(offset),
        Way::Entry(..) => unreachable!("compiler bug: an entry is opened above"),
    };
    Some(Open { container, holder: container, at, slot })
}

fn unique(b: &mut FunctionBuilder<'_, '_>, v: Var, span: Span) -> Var {
    let d = b.temp(Repr::Ref);
    b.emit(Op::Unique(d, v), span);
    d
}

/// Puts `inner` into the innermost of the open slots, and the containers back, from the inside out.
fn close(b: &mut FunctionBuilder<'_, '_>, root: Var, open: &[Open], inner: Var, span: Span) {
    let mut inner = inner;
    for open in open.iter().rev() {
        put(b, *open, inner);
        inner = open.container;
    }
    b.emit(Op::Move(root, inner), span);
}

/// What a slot holds; a reference is moved out of it.
fn take(b: &mut FunctionBuilder<'_, '_>, open: Open) -> Var {
    let d = b.temp(open.slot.repr);
    let op = match (open.at, open.slot.repr.is_ref()) {
        (At::Offset(offset), true) => Op::Take(d, open.holder, offset),
        (At::Offset(offset), false) => Op::Load(d, open.holder, offset),
        (At::Element(index), true) => Op::ListTake(d, open.holder, index),
        (At::Element(index), false) => Op::ListGetUnchecked(d, open.holder, index),
    };
    b.emit(op, open.slot.span);
    d
}

/// Sets a slot from which was taken what it held.
fn put(b: &mut FunctionBuilder<'_, '_>, open: Open, value: Var) {
    let span = open.slot.span;
    match open.at {
        At::Offset(offset) => b.emit(Op::Store(open.holder, offset, value), span),
        At::Element(index) => b.emit(Op::ListSet(open.holder, index, value), span),
    }
    if open.holder != open.container {
        b.emit(Op::Store(open.container, map::VALUES, open.holder), span);
    }
}

/// The map that has an entry of `key`, and the entry's number: with a default the entry may be new, else it must be there.
fn entry(
    b: &mut FunctionBuilder<'_, '_>,
    of: Var,
    key: Var,
    default: Option<Var>,
    types: [Ty; 2],
    span: Span,
) -> Option<(Var, Var)> {
    let (whole, number) = (b.temp(Repr::Ref), b.temp(Repr::Word));
    let (none, zero, missing, there, join) =
        (b.temp(Repr::Word), b.word(0, span), b.block(), b.block(), b.block());
    let found = b.temp(Repr::Word);
    call_typed(b, found, "map-find", &types, vec![of, key], span);
    b.emit(Op::Prim(Prim::Lt, none, found, Some(zero)), span);
    b.end(Terminator::Branch(none, missing, there), span);

    b.enter(missing).expect("the branch leads here");
    if let Some(default) = default {
        let with = insert(b, of, [key, default], types, span);
        // A new entry is the last one.
        let (values, len, one) = (b.temp(Repr::Ref), b.temp(Repr::Word), b.word(1, span));
        b.emit(Op::Load(values, with, map::VALUES), span);
        b.emit(Op::Load(len, values, LEN), span);
        b.emit(Op::Prim(Prim::Sub, number, len, Some(one)), span);
        b.emit(Op::Move(whole, with), span);
        b.jump(join, span);
    } else {
        let never = b.temp(Repr::Word);
        call_typed(b, never, "map-missing", &types[..1], vec![key], span);
        b.end(Terminator::Unreachable, span);
    }

    b.enter(there).expect("the branch leads here");
    b.emit(Op::Move(number, found), span);
    b.emit(Op::Move(whole, of), span);
    b.jump(join, span);
    b.enter(join)?;
    Some((whole, number))
}

/// The map with that key and value.
fn insert(
    b: &mut FunctionBuilder<'_, '_>,
    of: Var,
    [key, value]: [Var; 2],
    types: [Ty; 2],
    span: Span,
) -> Var {
    let with = b.temp(Repr::Ref);
    call_typed(b, with, "map-insert", &types, vec![of, key, value], span);
    with
}

fn call_typed(
    b: &mut FunctionBuilder<'_, '_>,
    dst: Var,
    name: &str,
    types: &[Ty],
    args: Vec<Var>,
    span: Span,
) {
    let types = types.iter().map(|t| TypeId(t.0)).collect();
    b.emit(Op::CallNative { dst, native: native(name), types, args }, span);
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
    b.emit(Op::ListCheck(list, last), span);
    let at = At::Element(last);
    let slot = Slot { way: Way::Element(last), ty: item, repr: b.tables.repr(item), span };
    let taken = take(b, Open { container: list, holder: list, at, slot });
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
