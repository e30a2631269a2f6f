//! Bodies with a `defer`, and loops over streams: what was put off is done on each way out, behind the value that is given.
//!
//! In: a body, and the values of its `return`s, solved. Out: the same with a note of how much was put off before it began, and
//! on each way out a call of the library's function that does what was put off since. A loop's stream is closed behind it, or where
//! the body is left in it; that does what those who make its items put off.
//! Not here: ways out that compiled code does not take, such as traps; the runtime does what is left then.

use super::Zonk;
use crate::draft::{Draft, Target};
use crate::scope::Deferring;
use crate::typed::{Expr, ExprKind, LocalId};
use crate::types::{Ty, TyKind};
use crate::unify::T;
use weir_syntax::span::Span;

impl Zonk<'_, '_> {
    /// What the body being made needs for its `defer`s, if it has some.
    fn deferring(&self) -> Option<Deferring> {
        self.c.frames[self.frame].deferring
    }

    /// The body with its beginning and its end.
    pub(super) fn with_deferred(&mut self, body: Expr) -> Expr {
        let Some(Deferring { depth, .. }) = self.deferring() else { return body };
        let (ty, span) = (body.ty, body.span);
        let int = self.types.intern(TyKind::Int);
        let native = ExprKind::CallNative { name: "defer-depth".to_string(), types: vec![], args: vec![] };
        let before = Expr { kind: native, ty: int, span };
        let mut stmts = vec![self.bound(depth, before)];
        match *self.types.kind(ty) {
            TyKind::Never => stmts.push(body),
            TyKind::Unit => {
                // Main's statements stay side by side.
                match body.kind {
                    ExprKind::Block(own) => stmts.extend(own),
                    _ => stmts.push(body),
                }
                stmts.extend([self.run_deferred(span), self.unit(span)]);
            }
            _ => stmts.extend(self.behind(body)),
        }
        Expr { kind: ExprKind::Block(stmts), ty, span }
    }

    /// `return value`
    pub(super) fn returned(&mut self, value: Expr) -> ExprKind {
        let span = value.span;
        if self.deferring().is_none() && self.walked.is_empty() || *self.types.kind(value.ty) == TyKind::Never
        {
            return ExprKind::Return(Box::new(value));
        }
        let (bind, value) = self.given(value);
        let mut stmts = vec![bind];
        for at in (0..self.walked.len()).rev() {
            stmts.push(self.closed(self.walked[at], span));
        }
        if self.deferring().is_some() {
            stmts.push(self.run_deferred(span));
        }
        let never = self.types.intern(TyKind::Never);
        stmts.push(Expr { kind: ExprKind::Return(Box::new(value)), ty: never, span });
        ExprKind::Block(stmts)
    }

    /// A loop over the stream in that variable.
    pub(super) fn turns(&mut self, stream: LocalId, ty: T, body: Draft, span: Span) -> ExprKind {
        let walked = (stream, self.ty(ty));
        self.walked.push(walked);
        let body = self.branch(body, true);
        self.walked.pop();
        let unit = self.types.intern(TyKind::Unit);
        let turns = Expr { kind: ExprKind::Loop(Box::new(body)), ty: unit, span };
        ExprKind::Block(vec![turns, self.closed(walked, span)])
    }

    fn closed(&mut self, (stream, ty): (LocalId, Ty), span: Span) -> Expr {
        let handle = Expr { kind: ExprKind::Local(stream), ty, span };
        let (name, args) = ("stream-close".to_string(), vec![handle]);
        let kind = ExprKind::CallNative { name, types: vec![], args };
        Expr { kind, ty: self.types.intern(TyKind::Unit), span }
    }

    /// The value, behind what was put off.
    fn behind(&mut self, value: Expr) -> [Expr; 3] {
        let span = value.span;
        let (bind, given) = self.given(value);
        [bind, self.run_deferred(span), given]
    }

    /// The value in a variable of its own.
    fn given(&mut self, value: Expr) -> (Expr, Expr) {
        let (ty, span) = (value.ty, value.span);
        let frame = &mut self.c.frames[self.frame];
        let result = frame.result;
        let local = frame.add("$given", result, span, false);
        let given = Expr { kind: ExprKind::Local(local), ty, span };
        (self.bound(local, value), given)
    }

    fn bound(&mut self, local: LocalId, value: Expr) -> Expr {
        let span = value.span;
        Expr { kind: ExprKind::Let(local, Box::new(value)), ty: self.types.intern(TyKind::Unit), span }
    }

    fn run_deferred(&mut self, span: Span) -> Expr {
        let Deferring { depth, run } = self.deferring().expect("the caller saw that there are some");
        let depth = Expr { kind: ExprKind::Local(depth), ty: self.types.intern(TyKind::Int), span };
        let run = self.target(Target::Declared(run, Vec::new()), span, None);
        Expr {
            kind: ExprKind::Call(run, vec![depth]),
            ty: self.types.intern(TyKind::Unit),
            span: span.after(),
        }
    }
}
