//! Lowering: the typed tree becomes blocks of operations on one-word variables.
//!
//! In: a checked program without errors. Out: a module without `Dup` and `Drop` in which every mention of a reference is
//! a use of its value. Function `i` of the module is function `i` of the program; thunks for functions that are used as
//! values stand behind them.
//!
//! An expression is lowered towards the variable that wants its value, which is set as the last thing on each path;
//! what cannot be reached is not lowered at all.
//! Not here: who counts what (`count`), layouts (`weir-abi`).

mod build;
mod collection;
mod control;
mod expr;
mod format;
mod json;
mod pattern;
mod place;
mod tables;
mod walk;

use crate::flow;
use crate::ir::{
    Block, FuncId, Function, FunctionKind, Global, Inst, Module, Op, Param, Repr, Route, Terminator, Var,
    VarInfo,
};
use build::FunctionBuilder;
use tables::Tables;
use weir_abi::layout::CLOSURE_CAPTURES;
use weir_abi::native::Mode;
use weir_abi::route::{Pattern, Segment};
use weir_check::typed::{self, FnId, ParamKind, Program};

/// The module of a program.
pub fn lower(program: &Program) -> Module {
    let mut tables = Tables::new(program);
    let mut functions: Vec<Function> =
        program.functions.iter().map(|f| lower_function(&mut tables, program, f)).collect();
    let mut next = 0;
    while let Some(&wrapped) = tables.thunks().get(next) {
        let function = thunk(&functions[wrapped.0 as usize], FuncId(wrapped.0));
        functions.push(function);
        next += 1;
    }
    let globals =
        program.globals.iter().map(|g| Global { name: g.name.clone(), repr: tables.repr(g.ty) }).collect();
    let id = |f: FnId| FuncId(f.0);
    let (texts, shapes, types, json) = tables.finish();
    Module {
        functions,
        main: id(program.main),
        handler: program.handler.map(id),
        around: program.around.map(id),
        routes: program.routes.iter().map(|route| lower_route(route, id(route.function))).collect(),
        tests: program.tests.iter().map(|test| id(test.function)).collect(),
        globals,
        texts,
        shapes,
        types,
        json,
    }
}

fn lower_route(route: &typed::Route, function: FuncId) -> Route {
    let segments = route.pattern.iter().map(|segment| match segment {
        typed::Segment::Literal(text) => Segment::Literal(text.clone()),
        typed::Segment::Param(ParamKind::Text) => Segment::Text,
        typed::Segment::Param(ParamKind::Int) => Segment::Int,
        typed::Segment::Param(ParamKind::Float) => Segment::Float,
        typed::Segment::Param(ParamKind::Bool) => Segment::Bool,
        typed::Segment::Rest => Segment::Rest,
    });
    Route { pattern: Pattern { method: route.method.clone(), segments: segments.collect() }, function }
}

fn lower_function<'p>(tables: &mut Tables<'p>, program: &'p Program, f: &'p typed::Function) -> Function {
    let result = tables.repr(f.result);
    let mut b = FunctionBuilder::new(tables, program, f);
    let mut params: Vec<Param> = Vec::with_capacity(f.params.len() + 1);
    if f.is_lambda {
        let env = b.temp(Repr::Ref);
        params.push(Param { var: env, mode: Mode::Borrow });
        for (i, capture) in f.captures.iter().enumerate() {
            let offset = CLOSURE_CAPTURES + 8 * i as i32;
            b.emit(Op::Load(Var(capture.0), env, offset), f.span);
        }
    }
    for p in &f.params {
        let mode = if b.vars[p.0 as usize].repr.is_ref() { Mode::Own } else { Mode::Word };
        params.push(Param { var: Var(p.0), mode });
    }
    if f.is_mutating {
        b.gives_back = f.params.first().map(|p| Var(p.0));
        b.second = place::has_value(&b, f.result).then_some(result);
    }
    if let Some(value) = expr::value(&mut b, &f.body) {
        b.end_with(value, f.body.span);
    }
    let kind = if f.is_lambda { FunctionKind::Closure } else { FunctionKind::Direct };
    let result = b.gives_back.map_or(result, |v| b.vars[v.0 as usize].repr);
    let (second, vars, blocks) = (b.second, b.vars, b.blocks);
    let (name, span) = (f.name.clone(), f.span);
    let mut function = Function { name, span, kind, params, result, second, vars, blocks, sites: Vec::new() };
    flow::order_blocks(&mut function);
    function
}

/// A function of closure kind that calls a direct one.
fn thunk(of: &Function, id: FuncId) -> Function {
    let unnamed = |repr| VarInfo { name: String::new(), repr, owned: false };
    let mut vars = vec![unnamed(Repr::Ref)];
    let mut params = vec![Param { var: Var(0), mode: Mode::Borrow }];
    for p in &of.params {
        let repr = of.vars[p.var.0 as usize].repr;
        params.push(Param {
            var: Var(vars.len() as u32),
            mode: if repr.is_ref() { Mode::Own } else { Mode::Word },
        });
        vars.push(unnamed(repr));
    }
    let args = params[1..].iter().map(|p| p.var).collect();
    let result = Var(vars.len() as u32);
    vars.push(unnamed(of.result));
    let ops = vec![Inst { op: Op::Call(result, id, args), span: of.span, site: None }];
    let blocks = vec![Block { ops, end: Terminator::Return(result), span: of.span, site: None }];
    Function {
        name: of.name.clone(),
        span: of.span,
        kind: FunctionKind::Closure,
        params,
        result: of.result,
        second: of.second,
        vars,
        blocks,
        sites: Vec::new(),
    }
}
