//! Which variables a typed expression assigns.
//!
//! A variable that is assigned somewhere cannot stand for the value it had earlier; all others can.

use weir_check::typed::{Expr, ExprKind, LocalId, Part, Place};

/// Calls `each` with the direct parts of an expression.
fn for_each_part<'e>(e: &'e Expr, each: &mut dyn FnMut(&'e Expr)) {
    use ExprKind::*;
    match &e.kind {
        Unit | Int(_) | Bool(_) | Text(_) | Bytes(_) | Local(_) | Global(_) | Closure(..) | None | Break
        | Continue => {}
        Interpolate(parts) => {
            for part in parts {
                if let Part::Value(value) = part {
                    each(value);
                }
            }
        }
        Place(place) => for_each_key(place, each),
        Put(place, value) => {
            for_each_key(place, each);
            each(value);
        }
        Let(_, a)
        | Assign(_, a)
        | SetGlobal(_, a)
        | Field(a, _)
        | Some(a)
        | Loop(a)
        | Return(a)
        | Formatted(a, _)
        | Respond(a) => each(a),
        Call(_, all)
        | CallNative { args: all, .. }
        | Record(all)
        | Case(_, all)
        | List(all)
        | Set(all)
        | Prim(_, all)
        | Block(all) => {
            all.iter().for_each(each);
        }
        Map(entries) => {
            for (key, value) in entries {
                each(key);
                each(value);
            }
        }
        CallValue(callee, args) => {
            each(callee);
            args.iter().for_each(each);
        }
        Index(a, b) | And(a, b) | Or(a, b) | While(a, b) | For(_, a, b) | Range { low: a, high: b, .. } => {
            each(a);
            each(b);
        }
        If(condition, yes, no) => {
            each(condition);
            each(yes);
            if let Option::Some(no) = no {
                each(no);
            }
        }
        Match(subject, arms) => {
            each(subject);
            for arm in arms {
                arm.guard.iter().for_each(&mut *each);
                each(&arm.body);
            }
        }
    }
}

fn for_each_key<'e>(place: &'e Place, each: &mut dyn FnMut(&'e Expr)) {
    place.steps.iter().flat_map(|step| step.kind.keys()).for_each(each);
}

/// The variable that an expression itself gives a new value.
fn assigned_by(e: &Expr) -> Option<LocalId> {
    match &e.kind {
        ExprKind::Assign(local, _) => Some(*local),
        ExprKind::Put(place, _) | ExprKind::Place(place) => Some(place.root),
        _ => None,
    }
}

/// Marks the variables that are assigned within `e`.
pub(super) fn mark_assigned(e: &Expr, assigned: &mut [bool]) {
    if let Some(local) = assigned_by(e) {
        assigned[local.0 as usize] = true;
    }
    for_each_part(e, &mut |part| mark_assigned(part, assigned));
}

/// Whether `local` is assigned within `e`.
pub(super) fn assigns(e: &Expr, local: LocalId) -> bool {
    if assigned_by(e) == Some(local) {
        return true;
    }
    let mut found = false;
    for_each_part(e, &mut |part| found = found || assigns(part, local));
    found
}
