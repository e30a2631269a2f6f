//! Zonking: draft trees, whose types are solved by now, to the typed tree.
//!
//! In: a checker without errors, all bodies inferred. Out: `typed::Program` with only the instances that main and the
//! handler reach, each once per solved types. Functions with a declared signature are inferred here, once for each set of
//! type arguments, which is where a type that lacks an ability its generic function needs comes to light.

mod assertion;
mod deferring;
mod markup;
mod served;

use crate::draft::{
    ChainId, DeclId, Draft, DraftArm, DraftPart, DraftPlace, DraftStepKind, FrameId, Kind, Target,
};
use crate::goals::type_not_known;
use crate::infer::{Checker, OK};
use crate::json;
use crate::report::Call;
use crate::served::Served;
use crate::typed::{
    self, Arm, Expr, ExprKind, FnId, Function, Global, GlobalId, Local, LocalId, Part, Prim, Program, Step,
    StepKind,
};
use crate::types::{Case, Enum, Record, Ty, TyKind, Types};
use crate::unify::{T, Term, TypeId};
use std::collections::HashMap;
use weir_syntax::ast::BinaryOp;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// See `infer::expr`: pieces of stack for deep trees.
const STACK_LEFT: usize = 128 * 1024;
const STACK_PIECE: usize = 2 * 1024 * 1024;
/// A record type that is found in itself with so many different arguments grows without end.
const RECORD_DEPTH: usize = 64;

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
        span: checker.frames[main.0 as usize].span,
        c: checker,
    };
    let globals = zonk.place_globals(main);
    let main = zonk.enqueue(Work::Frame(main, false));
    let served = zonk.served(served);
    let tests = tests.iter().map(|(name, frame)| typed::Test {
        name: name.clone(),
        span: zonk.c.frames[frame.0 as usize].span,
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
                let frame = &mut self.c.frames[main.0 as usize];
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
        let span = self.c.frames[frame.0 as usize].span;
        let body = self.c.frames[frame.0 as usize].body.take().unwrap_or_else(|| Draft::error(span));
        let body = self.expr(body);
        let result = self.c.frames[frame.0 as usize].result;
        let result = self.ty(result);
        let body = if *self.types.kind(result) == TyKind::Unit { self.as_unit(body) } else { body };
        let body = self.with_deferred(body);
        let variables = {
            let frame = &self.c.frames[frame.0 as usize];
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
        let frame = &self.c.frames[frame.0 as usize];
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

    /// The solved type of `t`; reports one that nothing decided.
    fn ty(&mut self, t: T) -> Ty {
        let t = self.c.terms.resolve(t);
        if let Some(&ty) = self.solved.get(&t) {
            return ty;
        }
        let kind = match self.c.terms.head(t).clone() {
            Term::Var => {
                self.c.reports.add(type_not_known(self.span), None, &self.c.terms);
                self.c.terms.bind(t, T::UNKNOWN);
                TyKind::Unknown
            }
            Term::Unknown | Term::Rigid(_) | Term::Link(_) => TyKind::Unknown,
            Term::Never => TyKind::Never,
            Term::Unit => TyKind::Unit,
            Term::Int => TyKind::Int,
            Term::Float => TyKind::Float,
            Term::Bool => TyKind::Bool,
            Term::Text => TyKind::Text,
            Term::Bytes => TyKind::Bytes,
            Term::Duration => TyKind::Duration,
            Term::Time => TyKind::Time,
            Term::Range => TyKind::Range,
            Term::List(t) => TyKind::List(self.ty(t)),
            Term::Map(k, v) => TyKind::Map(self.ty(k), self.ty(v)),
            Term::Set(t) => TyKind::Set(self.ty(t)),
            Term::Stream(t) => TyKind::Stream(self.ty(t)),
            Term::Option(t) => TyKind::Option(self.ty(t)),
            Term::Fn(params, result) => {
                TyKind::Fn(params.iter().map(|p| self.ty(*p)).collect(), self.ty(result))
            }
            Term::Record(id, args) => return self.record(t, id, &args),
            Term::Tuple(parts) => TyKind::Tuple(parts.iter().map(|p| self.ty(*p)).collect()),
            Term::Anonymous(names, types) => {
                let fields = names.iter().zip(types.iter());
                TyKind::Anonymous(fields.map(|(name, ty)| (name.to_string(), self.ty(*ty))).collect())
            }
            Term::Native(id) => TyKind::Native(self.c.modules.ty(id).decl.name.text.clone()),
        };
        let ty = self.types.intern(kind);
        self.solved.insert(t, ty);
        ty
    }

    fn record(&mut self, t: T, id: TypeId, args: &[T]) -> Ty {
        let key = (id, args.iter().map(|a| self.ty(*a)).collect::<Vec<Ty>>());
        if let Some(&ty) = self.records.get(&key) {
            return ty;
        }
        if self.endless {
            return self.types.intern(TyKind::Unknown);
        }
        if self.open.iter().filter(|&&open| open == id).count() >= RECORD_DEPTH {
            self.endless = true;
            let decl = self.c.modules.ty(id).decl;
            let error = Diagnostic::error(
                "E0213",
                format!("The type `{}` contains itself with a new type each time", decl.name.text),
                decl.name.span,
                "grows without end",
            )
            .help("Let the fields use the type's variables as they are.");
            self.c.reports.add(error, None, &self.c.terms);
            return self.types.intern(TyKind::Unknown);
        }
        if self.c.is_enum(id) {
            return self.enumeration(t, id, args, key);
        }
        if self.c.is_native(id) {
            let name = self.c.modules.ty(id).decl.name.text.clone();
            let ty = self.types.intern(TyKind::Handle(name, key.1.clone()));
            self.records.insert(key, ty);
            return ty;
        }
        let record = self.types.add_record(Record { name: self.c.terms.show(t), fields: Vec::new() });
        let ty = self.types.intern(TyKind::Record(record));
        self.types.set_json(ty, json::names(self.c.modules.ty(id).decl));
        self.records.insert(key, ty);
        self.open.push(id);
        let fields = self.c.field_types(id, args);
        let fields = fields.into_iter().map(|(name, field)| (name.to_string(), self.ty(field)));
        let fields = stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || fields.collect());
        self.open.pop();
        self.types.set_fields(record, fields);
        ty
    }

    fn enumeration(&mut self, t: T, id: TypeId, args: &[T], key: (TypeId, Vec<Ty>)) -> Ty {
        let of = self.types.add_enum(Enum { name: self.c.terms.show(t), cases: Vec::new() });
        let ty = self.types.intern(TyKind::Enum(of));
        self.types.set_json(ty, json::names(self.c.modules.ty(id).decl));
        self.records.insert(key, ty);
        self.open.push(id);
        let cases = stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || self.solved_cases(id, args));
        self.open.pop();
        self.types.set_cases(of, cases);
        ty
    }

    fn solved_cases(&mut self, id: TypeId, args: &[T]) -> Vec<Case> {
        let mut cases = Vec::new();
        for at in 0..self.c.cases_of(id).0.len() {
            let fields = self.c.case_types(id, at, args);
            let fields = fields.into_iter().map(|(name, field)| (name.to_string(), self.ty(field))).collect();
            cases.push(Case { name: self.c.cases_of(id).0[at].0.clone(), fields });
        }
        cases
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

    fn expr(&mut self, draft: Draft) -> Expr {
        stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || self.convert(draft))
    }

    fn boxed(&mut self, draft: Draft) -> Box<Expr> {
        Box::new(self.expr(draft))
    }

    fn entries(&mut self, drafts: Vec<(Draft, Draft)>) -> Vec<(Expr, Expr)> {
        drafts.into_iter().map(|(key, value)| (self.expr(key), self.expr(value))).collect()
    }

    fn all(&mut self, drafts: Vec<Draft>) -> Vec<Expr> {
        drafts.into_iter().map(|d| self.expr(d)).collect()
    }

    fn convert(&mut self, draft: Draft) -> Expr {
        let span = draft.span;
        self.span = span;
        let ty = self.ty(draft.ty);
        let unit = *self.types.kind(ty) == TyKind::Unit;
        let kind = match draft.kind {
            Kind::Error | Kind::Unit => ExprKind::Unit,
            Kind::Int(n) => ExprKind::Int(n),
            Kind::Bool(b) => ExprKind::Bool(b),
            Kind::Text(text) => ExprKind::Text(text),
            Kind::Interpolate(parts) => {
                ExprKind::Interpolate(parts.into_iter().map(|p| self.part(p)).collect())
            }
            Kind::Formatted(value, format) => ExprKind::Formatted(self.boxed(*value), format),
            Kind::Local(local) => ExprKind::Local(local),
            Kind::Global(id) => match self.globals[id.0 as usize] {
                Some(Place::Global(id)) => ExprKind::Global(id),
                Some(Place::Local(local)) => ExprKind::Local(local),
                None => ExprKind::Unit,
            },
            Kind::Let(local, value) => ExprKind::Let(local, self.boxed(*value)),
            Kind::Assign(local, value) => ExprKind::Assign(local, self.boxed(*value)),
            Kind::Put(place, value) => {
                let place = self.place(place);
                ExprKind::Put(place, self.boxed(*value))
            }
            Kind::Place(place) => ExprKind::Place(self.place(place)),
            Kind::SetGlobal(id, value) => {
                let value = self.boxed(*value);
                match self.globals[id.0 as usize] {
                    Some(Place::Global(id)) => ExprKind::SetGlobal(id, value),
                    Some(Place::Local(local)) => ExprKind::Let(local, value),
                    None => value.kind,
                }
            }
            Kind::Call(target, chain, args) => {
                let args = self.all(args);
                ExprKind::Call(self.target(target, span, chain), args)
            }
            Kind::CallNative(name, types, args) => {
                let args = self.all(args);
                self.span = span;
                let types = types.into_iter().map(|t| self.ty(t)).collect();
                ExprKind::CallNative { name, types, args }
            }
            Kind::CallValue(callee, args) => {
                let callee = self.boxed(*callee);
                ExprKind::CallValue(callee, self.all(args))
            }
            Kind::Closure(frame) => self.closure(frame),
            Kind::FnValue(value) => match self.c.values[value.0 as usize].clone() {
                Some(target) => ExprKind::Closure(self.target(target, span, None), Vec::new()),
                None => ExprKind::Unit,
            },
            Kind::Record(fields) => ExprKind::Record(self.all(fields)),
            Kind::Case(index, fields) => ExprKind::Case(index, self.all(fields)),
            Kind::Field(value, at) => ExprKind::Field(self.boxed(*value), at),
            Kind::List(items) => ExprKind::List(self.all(items)),
            Kind::Map(entries) => ExprKind::Map(self.entries(entries)),
            Kind::Set(items) => ExprKind::Set(self.all(items)),
            Kind::Bytes(bytes) => ExprKind::Bytes(bytes),
            Kind::Index(list, index) => {
                let list = self.boxed(*list);
                ExprKind::Index(list, self.boxed(*index))
            }
            Kind::Range(low, high, inclusive) => {
                let low = self.boxed(*low);
                ExprKind::Range { low, high: self.boxed(*high), inclusive }
            }
            Kind::Operator(op, left, right) => {
                let operands = left.ty;
                let (left, right) = (self.expr(*left), self.expr(*right));
                return self.operator(op, operands, left, right, ty, span);
            }
            Kind::Neg(value) => ExprKind::Prim(
                if *self.types.kind(ty) == TyKind::Float { Prim::FloatNeg } else { Prim::Neg },
                vec![self.expr(*value)],
            ),
            Kind::Not(value) => ExprKind::Prim(Prim::Not, vec![self.expr(*value)]),
            Kind::And(left, right) => {
                let left = self.boxed(*left);
                ExprKind::And(left, self.boxed(*right))
            }
            Kind::Or(left, right) => {
                let left = self.boxed(*left);
                ExprKind::Or(left, self.boxed(*right))
            }
            Kind::If(cond, then, otherwise) => {
                let cond = self.boxed(*cond);
                let then = self.branch(*then, unit);
                let otherwise = otherwise.map(|o| Box::new(self.branch(*o, unit)));
                ExprKind::If(cond, Box::new(then), otherwise)
            }
            Kind::Match(subject, arms) => {
                let subject = self.boxed(*subject);
                ExprKind::Match(subject, arms.into_iter().map(|a| self.arm(a, unit)).collect())
            }
            Kind::Some(value) => ExprKind::Some(self.boxed(*value)),
            Kind::None => ExprKind::None,
            Kind::Block(stmts) => self.block(stmts, unit, span),
            Kind::For(local, walked, body) => {
                let walked = self.boxed(*walked);
                let body = self.branch(*body, true);
                ExprKind::For(local, walked, Box::new(body))
            }
            Kind::While(cond, body) => {
                let cond = self.boxed(*cond);
                let body = self.branch(*body, true);
                ExprKind::While(cond, Box::new(body))
            }
            Kind::Loop(body) => ExprKind::Loop(Box::new(self.branch(*body, true))),
            Kind::Break => ExprKind::Break,
            Kind::Continue => ExprKind::Continue,
            Kind::Return(value) => {
                let value = self.expr(*value);
                self.returned(value)
            }
            Kind::Lift(value) => {
                let value = self.expr(*value);
                if value.ty == ty || *self.types.kind(value.ty) == TyKind::Never {
                    return value;
                }
                match self.types.kind(ty) {
                    TyKind::Option(_) => ExprKind::Some(Box::new(value)),
                    _ => ExprKind::Case(OK, vec![value]),
                }
            }
            Kind::Absent(error) => match self.types.kind(ty) {
                TyKind::Option(_) => ExprKind::None,
                _ => return self.expr(*error),
            },
            Kind::Try(subject, of_option, of_result) => {
                let subject = self.boxed(*subject);
                let arms = match self.types.kind(subject.ty) {
                    TyKind::Option(_) => of_option,
                    _ => of_result,
                };
                ExprKind::Match(subject, arms.into_iter().map(|a| self.arm(a, unit)).collect())
            }
            Kind::Respond(value) => ExprKind::Respond(self.boxed(*value)),
            Kind::Html(parts) => return self.markup(parts, draft.ty, span),
            Kind::Assert(condition, written) => return self.assertion(*condition, &written, span),
        };
        Expr { kind, ty, span }
    }

    fn place(&mut self, place: DraftPlace) -> typed::Place {
        let mut steps = Vec::with_capacity(place.steps.len());
        for step in place.steps {
            let kind = match step.kind {
                DraftStepKind::Field(at) => StepKind::Field(at),
                DraftStepKind::Element(index) => StepKind::Element(self.boxed(*index)),
                DraftStepKind::Entry(key, default) => {
                    let key = self.boxed(*key);
                    StepKind::Entry(key, default.map(|default| self.boxed(*default)))
                }
            };
            self.span = step.span;
            steps.push(Step { kind, ty: self.ty(step.ty), span: step.span });
        }
        typed::Place { root: place.root, steps }
    }

    fn part(&mut self, part: DraftPart) -> Part {
        match part {
            DraftPart::Literal(text) => Part::Literal(text),
            DraftPart::Value(value) => Part::Value(self.expr(value)),
        }
    }

    fn closure(&mut self, frame: FrameId) -> ExprKind {
        let captures = self.c.frames[frame.0 as usize].captures.iter().map(|(outer, _)| *outer).collect();
        let id = match self.lambdas.get(&frame) {
            Some(&id) => id,
            None => {
                let id = self.enqueue(Work::Frame(frame, true));
                self.lambdas.insert(frame, id);
                id
            }
        };
        ExprKind::Closure(id, captures)
    }

    fn arm(&mut self, arm: DraftArm, unit: bool) -> Arm {
        let guard = arm.guard.map(|g| self.expr(g));
        Arm { pattern: arm.pattern, guard, body: self.branch(arm.body, unit) }
    }

    /// A branch whose value is dropped when its construct gives unit.
    fn branch(&mut self, draft: Draft, unit: bool) -> Expr {
        let expr = self.expr(draft);
        if unit { self.as_unit(expr) } else { expr }
    }

    fn block(&mut self, stmts: Vec<Draft>, unit: bool, span: Span) -> ExprKind {
        let mut stmts = self.all(stmts);
        if unit && stmts.last().is_some_and(|last| !self.is_unit(last)) {
            stmts.push(self.unit(span));
        }
        ExprKind::Block(stmts)
    }

    fn is_unit(&self, expr: &Expr) -> bool {
        matches!(self.types.kind(expr.ty), TyKind::Unit | TyKind::Never)
    }

    fn unit(&mut self, span: Span) -> Expr {
        Expr { kind: ExprKind::Unit, ty: self.types.intern(TyKind::Unit), span: span.after() }
    }

    /// The expression with its value dropped.
    fn as_unit(&mut self, expr: Expr) -> Expr {
        if self.is_unit(&expr) {
            return expr;
        }
        let span = expr.span;
        let unit = self.unit(span);
        let ty = unit.ty;
        Expr { kind: ExprKind::Block(vec![expr, unit]), ty, span }
    }

    /// Arithmetic or a comparison, now that the operands' types are known.
    fn operator(&mut self, op: BinaryOp, of: T, left: Expr, right: Expr, ty: Ty, span: Span) -> Expr {
        let operands = self.types.kind(left.ty).clone();
        let words = match &operands {
            TyKind::Int
            | TyKind::Bool
            | TyKind::Duration
            | TyKind::Time
            | TyKind::Unit
            | TyKind::Never
            | TyKind::Unknown => true,
            // Without fields a value is its case's index.
            TyKind::Enum(of) => self.types.enumeration(*of).cases.iter().all(|case| case.fields.is_empty()),
            _ => false,
        };
        if let Some(prim) = prim(op).filter(|_| words) {
            return Expr { kind: ExprKind::Prim(prim, vec![left, right]), ty, span };
        }
        let native = |name: &str, types: Vec<Ty>, args: Vec<Expr>| {
            let kind = ExprKind::CallNative { name: name.to_string(), types, args };
            Expr { kind, ty, span }
        };
        if operands == TyKind::Float {
            return match float_prim(op) {
                Some(prim) => Expr { kind: ExprKind::Prim(prim, vec![left, right]), ty, span },
                None => native("float-rem", Vec::new(), vec![left, right]),
            };
        }
        let not = |expr: Expr| Expr { kind: ExprKind::Prim(Prim::Not, vec![expr]), ty, span };
        match (op, operands) {
            (BinaryOp::Eq, TyKind::Text) => native("text-equal", Vec::new(), vec![left, right]),
            (BinaryOp::Ne, TyKind::Text) => not(native("text-equal", Vec::new(), vec![left, right])),
            (BinaryOp::Eq, _) => native("value-equal", vec![left.ty], vec![left, right]),
            (BinaryOp::Ne, _) => not(native("value-equal", vec![left.ty], vec![left, right])),
            (BinaryOp::Lt, TyKind::Text) => native("text-less", Vec::new(), vec![left, right]),
            (BinaryOp::Ge, TyKind::Text) => not(native("text-less", Vec::new(), vec![left, right])),
            (BinaryOp::Lt, _) => native("value-less", vec![left.ty], vec![left, right]),
            (BinaryOp::Le, operands) if operands != TyKind::Text => {
                native("value-less-equal", vec![left.ty], vec![left, right])
            }
            (_, operands) => {
                // The sides change places: a > b is b < a.
                let (bind, left) = self.evaluated_first(of, left);
                let args = vec![right, left];
                let value = match (op, operands) {
                    (BinaryOp::Gt, TyKind::Text) => native("text-less", Vec::new(), args),
                    (_, TyKind::Text) => not(native("text-less", Vec::new(), args)),
                    (BinaryOp::Gt, _) => native("value-less", vec![args[0].ty], args),
                    _ => native("value-less-equal", vec![args[0].ty], args),
                };
                match bind {
                    Some(bind) => Expr { kind: ExprKind::Block(vec![bind, value]), ty, span },
                    None => value,
                }
            }
        }
    }

    /// A value that is evaluated before the one that stands before it: bound to a variable unless it is plain.
    fn evaluated_first(&mut self, of: T, expr: Expr) -> (Option<Expr>, Expr) {
        if matches!(expr.kind, ExprKind::Local(_) | ExprKind::Text(_) | ExprKind::Global(_)) {
            return (None, expr);
        }
        let (span, ty) = (expr.span, expr.ty);
        let frame = &mut self.c.frames[self.frame.0 as usize];
        let local = frame.add("$value", of, span, false);
        let unit = self.types.intern(TyKind::Unit);
        let bind = Expr { kind: ExprKind::Let(local, Box::new(expr)), ty: unit, span };
        (Some(bind), Expr { kind: ExprKind::Local(local), ty, span })
    }
}

/// The operation on Floats; the remainder is a native.
fn float_prim(op: BinaryOp) -> Option<Prim> {
    Some(match op {
        BinaryOp::Add => Prim::FloatAdd,
        BinaryOp::Sub => Prim::FloatSub,
        BinaryOp::Mul => Prim::FloatMul,
        BinaryOp::Div => Prim::FloatDiv,
        BinaryOp::Eq => Prim::FloatEq,
        BinaryOp::Ne => Prim::FloatNe,
        BinaryOp::Lt => Prim::FloatLt,
        BinaryOp::Le => Prim::FloatLe,
        BinaryOp::Gt => Prim::FloatGt,
        BinaryOp::Ge => Prim::FloatGe,
        _ => return None,
    })
}

fn prim(op: BinaryOp) -> Option<Prim> {
    Some(match op {
        BinaryOp::Add => Prim::Add,
        BinaryOp::Sub => Prim::Sub,
        BinaryOp::Mul => Prim::Mul,
        BinaryOp::Div => Prim::Div,
        BinaryOp::Rem => Prim::Rem,
        BinaryOp::Eq => Prim::Eq,
        BinaryOp::Ne => Prim::Ne,
        BinaryOp::Lt => Prim::Lt,
        BinaryOp::Le => Prim::Le,
        BinaryOp::Gt => Prim::Gt,
        BinaryOp::Ge => Prim::Ge,
        BinaryOp::And | BinaryOp::Or | BinaryOp::In | BinaryOp::Coalesce => return None,
    })
}
