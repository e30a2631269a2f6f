//! Bodies with a `defer`: what was put off is done on each way out, behind the value that is given.
//!
//! In: a body, and the values of its `return`s, solved. Out: the same with a note of how much was put off before it began, and
//! on each way out a call of the library's function that does what was put off since.
//! Not here: ways out that compiled code does not take, such as traps; the runtime does what is left then.

use super::Zonk;
use crate::draft::Target;
use crate::scope::Deferring;
use crate::typed::{Expr, ExprKind, LocalId};
use crate::types::TyKind;
use weir_syntax::span::Span;

impl Zonk<'_, '_> {
    /// What the body being made needs for its `defer`s, if it has some.
    fn deferring(&self) -> Option<Deferring> {
        self.c.frames[self.frame.0 as usize].deferring
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
        if self.deferring().is_none() || *self.types.kind(value.ty) == TyKind::Never {
            return ExprKind::Return(Box::new(value));
        }
        let [bind, run, value] = self.behind(value);
        let never = self.types.intern(TyKind::Never);
        let leave = Expr { kind: ExprKind::Return(Box::new(value)), ty: never, span };
        ExprKind::Block(vec![bind, run, leave])
    }

    /// The value, behind what was put off.
    fn behind(&mut self, value: Expr) -> [Expr; 3] {
        let (ty, span) = (value.ty, value.span);
        let frame = &mut self.c.frames[self.frame.0 as usize];
        let result = frame.result;
        let local = frame.add("$given", result, span, false);
        let given = Expr { kind: ExprKind::Local(local), ty, span };
        [self.bound(local, value), self.run_deferred(span), given]
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
