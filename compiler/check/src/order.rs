//! Order of top-level statements: no function may be reached from main before the top-level `let`s it reads are bound.
//!
//! In: the typed program. Inference finds direct uses; here are those behind functions whose bodies it had no need to
//! enter at the call.

use crate::infer::use_before_definition;
use crate::typed::{Expr, ExprKind, FnId, Part, Place, Program};
use std::collections::HashSet;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// Calls `visit` for each direct part of an expression, in order of evaluation.
pub fn parts<'p>(expr: &'p Expr, visit: &mut dyn FnMut(&'p Expr)) {
    match &expr.kind {
        ExprKind::Interpolate(parts) => {
            for part in parts {
                if let Part::Value(value) = part {
                    visit(value);
                }
            }
        }
        ExprKind::Place(place) => keys(place, visit),
        ExprKind::Put(place, value) => {
            keys(place, visit);
            visit(value);
        }
        ExprKind::Let(_, v)
        | ExprKind::Assign(_, v)
        | ExprKind::SetGlobal(_, v)
        | ExprKind::Field(v, _)
        | ExprKind::Loop(v)
        | ExprKind::Return(v)
        | ExprKind::Some(v)
        | ExprKind::Formatted(v, _)
        | ExprKind::Respond(v) => visit(v),
        ExprKind::Call(_, args)
        | ExprKind::CallNative { args, .. }
        | ExprKind::Record(args)
        | ExprKind::Case(_, args)
        | ExprKind::List(args)
        | ExprKind::Set(args)
        | ExprKind::Prim(_, args)
        | ExprKind::Block(args) => args.iter().for_each(visit),
        ExprKind::Map(entries) => {
            for (key, value) in entries {
                visit(key);
                visit(value);
            }
        }
        ExprKind::CallValue(callee, args) => {
            visit(callee);
            args.iter().for_each(visit);
        }
        ExprKind::Index(a, b)
        | ExprKind::And(a, b)
        | ExprKind::Or(a, b)
        | ExprKind::While(a, b)
        | ExprKind::For(_, a, b) => {
            visit(a);
            visit(b);
        }
        ExprKind::Range { low, high, .. } => {
            visit(low);
            visit(high);
        }
        ExprKind::If(cond, then, otherwise) => {
            visit(cond);
            visit(then);
            if let Some(otherwise) = otherwise {
                visit(otherwise);
            }
        }
        ExprKind::Match(subject, arms) => {
            visit(subject);
            for arm in arms {
                if let Some(guard) = &arm.guard {
                    visit(guard);
                }
                visit(&arm.body);
            }
        }
        ExprKind::Unit
        | ExprKind::Int(_)
        | ExprKind::Bool(_)
        | ExprKind::Text(_)
        | ExprKind::Bytes(_)
        | ExprKind::Local(_)
        | ExprKind::Global(_)
        | ExprKind::Closure(..)
        | ExprKind::None
        | ExprKind::Break
        | ExprKind::Continue => {}
    }
}

fn keys<'p>(place: &'p Place, visit: &mut dyn FnMut(&'p Expr)) {
    place.steps.iter().flat_map(|step| step.kind.keys()).for_each(visit);
}

/// What an expression mentions: top-level `let`s and functions, with where.
#[derive(Default)]
struct Mentions {
    globals: Vec<(u32, Span)>,
    functions: Vec<(FnId, Span)>,
    /// The top-level `let`s that it gives a value.
    sets: Vec<u32>,
}

fn mentions(expr: &Expr) -> Mentions {
    let mut found = Mentions::default();
    let mut rest = vec![expr];
    while let Some(expr) = rest.pop() {
        match &expr.kind {
            ExprKind::SetGlobal(id, _) => found.sets.push(id.0),
            ExprKind::Global(id) => found.globals.push((id.0, expr.span)),
            ExprKind::Call(id, _) | ExprKind::Closure(id, _) => found.functions.push((*id, expr.span)),
            _ => {}
        }
        parts(expr, &mut |part| rest.push(part));
    }
    found
}

/// The mistakes of order in a program.
pub fn check(program: &Program) -> Vec<Diagnostic> {
    if program.globals.is_empty() {
        return Vec::new();
    }
    let ExprKind::Block(stmts) = &program.functions[program.main.0 as usize].body.kind else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut bound: HashSet<u32> = HashSet::new();
    let mut entered: HashSet<FnId> = HashSet::new();
    for stmt in stmts {
        let found = mentions(stmt);
        for (function, span) in found.functions {
            reach(program, function, span, &bound, &mut entered, &mut out);
        }
        // What was fine with fewer bound stays fine; what was entered need not be entered again.
        bound.extend(found.sets);
    }
    out
}

fn reach(
    program: &Program,
    from: FnId,
    call: Span,
    bound: &HashSet<u32>,
    entered: &mut HashSet<FnId>,
    out: &mut Vec<Diagnostic>,
) {
    let mut rest = vec![from];
    while let Some(id) = rest.pop() {
        if !entered.insert(id) {
            continue;
        }
        let found = mentions(&program.functions[id.0 as usize].body);
        rest.extend(found.functions.into_iter().map(|(id, _)| id));
        for (global, span) in found.globals {
            if !bound.contains(&global) {
                let global = &program.globals[global as usize];
                let name = &program.functions[id.0 as usize].name;
                let error = use_before_definition(&global.name, span, global.span);
                out.push(error.label(call, format!("`{name}` runs because of this")));
            }
        }
    }
}
