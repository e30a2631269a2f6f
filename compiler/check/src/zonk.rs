//! Zonking: draft trees, whose types are solved by now, to the typed tree.
//!
//! In: a checker without errors, all bodies inferred. Out: `typed::Program` with only the instances that main and the
//! handler reach, each once per solved types. Functions with a declared signature are inferred here, once for each set of
//! type arguments, which is where a type that lacks an ability its generic function needs comes to light.

mod assertion;
mod deferring;
mod expr;
mod markup;
mod operator;
mod served;
mod types;

use crate::draft::{ChainId, DeclId, Draft, FrameId, Target};
use crate::infer::Checker;
use crate::report::Call;
use crate::served::Served;
use crate::typed::{self, FnId, Function, Global, GlobalId, Local, LocalId, Program};
use crate::types::{Ty, TyKind, Types};
use crate::unify::{T, TypeId};
use std::collections::HashMap;
use weir_syntax::span::Span;

/// See `infer::expr`: pieces of stack for deep trees.
const STACK_LEFT: usize = 128 * 1024;
const STACK_PIECE: usize = 2 * 1024 * 1024;

/// A function that is named but not made yet.
enum Work {
    /// An inferred body.
    Frame(FrameId, bool),
    /// A function with a declared signature, for these type arguments.
    Declared(DeclId, Vec<T>, Span, Option<ChainId>),
}

struct Zonk<'c, 'a> {
    c: &'c mut Checker<'a>,
    types: Types,
    solved: HashMap<T, Ty>,
    records: HashMap<(TypeId, Vec<Ty>), Ty>,
    /// The records whose fields are being converted, from the outside in.
    open: Vec<TypeId>,
    /// A record without end was found: no further one is opened, because they may be exponentially many.
    endless: bool,
    functions: Vec<Option<Function>>,
    declared: HashMap<(DeclId, Vec<Ty>), FnId>,
    by_use: HashMap<(DeclId, Vec<Ty>, Ty), FnId>,
    lambdas: HashMap<FrameId, FnId>,
    queue: Vec<(FnId, Work)>,
    /// What a top-level `let` becomes: a global when a function mentions it, else a variable of main.
    /// `None` for a `var`, which is a variable of main from the start.
    globals: Vec<Option<Place>>,
    /// The body being made.
    frame: FrameId,
    /// The streams that it walks over at the present place, innermost last.
    walked: Vec<(LocalId, Ty)>,
    span: Span,
}

#[derive(Clone, Copy)]
enum Place {
    Global(GlobalId),
    Local(LocalId),
}

/// The program of a checker without errors, from the frames of main and the handler. Errors may still come up.
pub fn program(
    checker: &mut Checker<'_>,
    main: FrameId,
    served: Served,
    tests: &[(String, FrameId)],
) -> Program {
    let mut zonk = Zonk {
        types: Types::new(),
        solved: HashMap::new(),
        records: HashMap::new(),
        open: Vec::new(),
        endless: false,
        functions: Vec::new(),
        declared: HashMap::new(),
        by_use: HashMap::new(),
        lambdas: HashMap::new(),
        queue: Vec::new(),
        globals: Vec::new(),
        frame: main,
        walked: Vec::new(),
        span: checker.frames[main].span,
        c: checker,
    };
    let globals = zonk.place_globals(main);
    let main = zonk.enqueue(Work::Frame(main, false));
    let served = zonk.served(served);
    let tests = tests.iter().map(|(name, frame)| typed::Test {
        name: name.clone(),
        span: zonk.c.frames[*frame].span,
        function: zonk.enqueue(Work::Frame(*frame, false)),
    });
    let tests = tests.collect();
    while let Some((id, work)) = zonk.queue.pop() {
        zonk.work(id, work);
    }
    let functions = zonk.functions.into_iter().map(|f| f.expect("every queued function was made")).collect();
    let served::Entries { handler, around, routes } = served;
    Program { types: zonk.types, functions, globals, main, handler, around, routes, tests }
}

impl Zonk<'_, '_> {
    fn place_globals(&mut self, main: FrameId) -> Vec<Global> {
        let mut globals = Vec::new();
        for top in self.c.globals.clone() {
            self.span = top.span;
            let place = if top.mutable {
                None
            } else if top.shared {
                let ty = self.ty(top.ty);
                globals.push(Global { name: top.name.to_string(), ty, span: top.span });
                Some(Place::Global(GlobalId(globals.len() as u32 - 1)))
            } else {
                let frame = &mut self.c.frames[main];
                Some(Place::Local(frame.add(top.name, top.ty, top.span, false)))
            };
            self.globals.push(place);
        }
        globals
    }

    fn enqueue(&mut self, work: Work) -> FnId {
        let id = FnId(self.functions.len() as u32);
        self.functions.push(None);
        self.queue.push((id, work));
        id
    }

    fn work(&mut self, id: FnId, work: Work) {
        let (frame, is_lambda) = match work {
            Work::Frame(frame, is_lambda) => (frame, is_lambda),
            Work::Declared(decl, args, span, parent) => {
                (self.declared_frame(decl, &args, span, parent), false)
            }
        };
        let function = self.function(frame, is_lambda);
        self.functions[id.0 as usize] = Some(function);
    }

    /// Infers a declared function for its type arguments, unless the check of its definition did already.
    fn declared_frame(&mut self, decl: DeclId, args: &[T], span: Span, parent: Option<ChainId>) -> FrameId {
        if let Some(frame) = self.c.checked.remove(&decl).filter(|_| args.is_empty()) {
            return frame;
        }
        let function = self.c.modules.function(decl);
        let vars: Vec<(&str, T)> =
            function.decl.vars.iter().map(|v| v.text.as_str()).zip(args.iter().copied()).collect();
        let params: Vec<T> =
            self.c.param_types(function, &vars).into_iter().map(|t| t.unwrap_or(T::UNKNOWN)).collect();
        let decided = function.decl.vars.iter().map(|v| v.text.clone()).zip(args.iter().copied()).collect();
        let call = Call { name: function.decl.name.text.clone(), params: decided, span, parent };
        let chain = self.c.reports.call(call);
        let frame = self.c.open_frame(decl, &params, vars);
        self.c.fill_frame(decl, frame, Some(chain));
        self.c.conclude();
        frame
    }

    fn function(&mut self, frame: FrameId, is_lambda: bool) -> Function {
        self.frame = frame;
        let span = self.c.frames[frame].span;
        let body = self.c.frames[frame].body.take().unwrap_or_else(|| Draft::error(span));
        let body = self.expr(body);
        let result = self.c.frames[frame].result;
        let result = self.ty(result);
        let body = if *self.types.kind(result) == TyKind::Unit { self.as_unit(body) } else { body };
        let body = self.with_deferred(body);
        let variables = {
            let frame = &self.c.frames[frame];
            frame.variables.clone()
        };
        let mut locals = Vec::with_capacity(variables.len());
        for variable in variables {
            self.span = variable.span;
            locals.push(Local {
                name: variable.name.to_string(),
                ty: self.ty(variable.ty),
                span: variable.span,
            });
        }
        let frame = &self.c.frames[frame];
        Function {
            name: frame.name.clone(),
            span,
            params: frame.params.clone(),
            captures: frame.captures.iter().map(|(_, inner)| *inner).collect(),
            is_lambda,
            is_mutating: frame.is_mutating,
            locals,
            result,
            body,
        }
    }

    fn target(&mut self, target: Target, span: Span, chain: Option<ChainId>) -> FnId {
        match target {
            Target::Declared(decl, args) => {
                let key = (decl, args.iter().map(|a| self.ty(*a)).collect::<Vec<Ty>>());
                if let Some(&id) = self.declared.get(&key) {
                    return id;
                }
                let id = self.enqueue(Work::Declared(decl, args, span, chain));
                self.declared.insert(key, id);
                id
            }
            Target::Instance(id) => {
                let instance = self.c.instances.get(id).clone();
                let params: Vec<Ty> = instance.params.iter().map(|p| self.ty(*p)).collect();
                let result = self.c.instance_result(id);
                let key = (instance.decl, params, self.ty(result));
                if let Some(&id) = self.by_use.get(&key) {
                    return id;
                }
                let id = self.enqueue(Work::Frame(instance.frame, false));
                self.by_use.insert(key, id);
                id
            }
        }
    }
}
