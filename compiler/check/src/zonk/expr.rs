//! Expressions: drafts to typed ones.
//!
//! In: a draft with solved types. Out: the same as the typed tree has it: what only its type decides is decided, and a
//! branch whose value nobody takes gives unit.
//! Not here: operators (`operator`), markup, assertions and what a `defer` does (files of their own).

use super::{Place, STACK_LEFT, STACK_PIECE, Work, Zonk};
use crate::draft::{Draft, DraftArm, DraftPart, DraftPlace, DraftStepKind, FrameId, Kind};
use crate::infer::OK;
use crate::typed::{self, Arm, Expr, ExprKind, GlobalId, Part, Prim, Step, StepKind};
use crate::types::{Ty, TyKind};
use weir_syntax::span::Span;

impl Zonk<'_, '_> {
    pub(super) fn expr(&mut self, draft: Draft) -> Expr {
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
            Kind::Global(id) => self.global(id),
            Kind::Let(local, value) => ExprKind::Let(local, self.boxed(*value)),
            Kind::Assign(local, value) => ExprKind::Assign(local, self.boxed(*value)),
            Kind::Put(place, value) => ExprKind::Put(self.place(place), self.boxed(*value)),
            Kind::Place(place) => ExprKind::Place(self.place(place)),
            Kind::SetGlobal(id, value) => self.set_global(id, *value),
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
            Kind::CallValue(callee, args) => ExprKind::CallValue(self.boxed(*callee), self.all(args)),
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
            Kind::Index(list, index) => ExprKind::Index(self.boxed(*list), self.boxed(*index)),
            Kind::Range(low, high, inclusive) => {
                ExprKind::Range { low: self.boxed(*low), high: self.boxed(*high), inclusive }
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
            Kind::And(left, right) => ExprKind::And(self.boxed(*left), self.boxed(*right)),
            Kind::Or(left, right) => ExprKind::Or(self.boxed(*left), self.boxed(*right)),
            Kind::If(cond, then, otherwise) => {
                let (cond, then) = (self.boxed(*cond), Box::new(self.branch(*then, unit)));
                ExprKind::If(cond, then, otherwise.map(|otherwise| Box::new(self.branch(*otherwise, unit))))
            }
            Kind::Match(subject, arms) => ExprKind::Match(self.boxed(*subject), self.arms(arms, unit)),
            Kind::Some(value) => ExprKind::Some(self.boxed(*value)),
            Kind::None => ExprKind::None,
            Kind::Block(stmts) => self.block(stmts, unit, span),
            Kind::For(local, walked, body) => {
                ExprKind::For(local, self.boxed(*walked), Box::new(self.branch(*body, true)))
            }
            Kind::While(cond, body) => ExprKind::While(self.boxed(*cond), Box::new(self.branch(*body, true))),
            Kind::Loop(body) => ExprKind::Loop(Box::new(self.branch(*body, true))),
            Kind::Turns(stream, ty, body) => self.turns(stream, ty, *body, span),
            Kind::Break => ExprKind::Break,
            Kind::Continue => ExprKind::Continue,
            Kind::Return(value) => {
                let value = self.expr(*value);
                self.returned(value)
            }
            Kind::Lift(value) => return self.lifted(*value, ty, span),
            Kind::Absent(error) => match self.types.kind(ty) {
                TyKind::Option(_) => ExprKind::None,
                _ => return self.expr(*error),
            },
            Kind::Try(subject, of_option, of_result) => {
                let subject = self.boxed(*subject);
                let is_option = matches!(self.types.kind(subject.ty), TyKind::Option(_));
                ExprKind::Match(subject, self.arms(if is_option { of_option } else { of_result }, unit))
            }
            Kind::Respond(value) => ExprKind::Respond(self.boxed(*value)),
            Kind::Html(parts) => return self.markup(parts, draft.ty, span),
            Kind::Assert(condition, written) => return self.assertion(*condition, &written, span),
        };
        Expr { kind, ty, span }
    }

    /// A top-level `let`, wherever it came to stand.
    fn global(&self, id: GlobalId) -> ExprKind {
        match self.globals[id.0 as usize] {
            Some(Place::Global(id)) => ExprKind::Global(id),
            Some(Place::Local(local)) => ExprKind::Local(local),
            None => ExprKind::Unit,
        }
    }

    fn set_global(&mut self, id: GlobalId, value: Draft) -> ExprKind {
        let value = self.boxed(value);
        match self.globals[id.0 as usize] {
            Some(Place::Global(id)) => ExprKind::SetGlobal(id, value),
            Some(Place::Local(local)) => ExprKind::Let(local, value),
            None => value.kind,
        }
    }

    /// A value where an option or result of it is wanted, unless it is one itself.
    fn lifted(&mut self, value: Draft, ty: Ty, span: Span) -> Expr {
        let value = self.expr(value);
        if value.ty == ty || *self.types.kind(value.ty) == TyKind::Never {
            return value;
        }
        let kind = match self.types.kind(ty) {
            TyKind::Option(_) => ExprKind::Some(Box::new(value)),
            _ => ExprKind::Case(OK, vec![value]),
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
        let captures = self.c.frames[frame].captures.iter().map(|(outer, _)| *outer).collect();
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

    fn arms(&mut self, arms: Vec<DraftArm>, unit: bool) -> Vec<Arm> {
        let arms = arms.into_iter().map(|arm| Arm {
            pattern: arm.pattern,
            guard: arm.guard.map(|guard| self.expr(guard)),
            body: self.branch(arm.body, unit),
        });
        arms.collect()
    }

    /// A branch whose value is dropped when its construct gives unit.
    pub(super) fn branch(&mut self, draft: Draft, unit: bool) -> Expr {
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

    pub(super) fn unit(&mut self, span: Span) -> Expr {
        Expr { kind: ExprKind::Unit, ty: self.types.intern(TyKind::Unit), span: span.after() }
    }

    /// The expression with its value dropped.
    pub(super) fn as_unit(&mut self, expr: Expr) -> Expr {
        if self.is_unit(&expr) {
            return expr;
        }
        let span = expr.span;
        let unit = self.unit(span);
        let ty = unit.ty;
        Expr { kind: ExprKind::Block(vec![expr, unit]), ty, span }
    }
}
