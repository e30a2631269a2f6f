//! Operators: an instruction for operands of one word, a native for the others.
//!
//! In: the operator, its operands and the term of their type. Out: the expression.

use super::Zonk;
use crate::typed::{Expr, ExprKind, Prim};
use crate::types::{Ty, TyKind};
use crate::unify::T;
use weir_syntax::ast::BinaryOp;
use weir_syntax::span::Span;

impl Zonk<'_, '_> {
    /// Arithmetic or a comparison, now that the operands' types are known.
    pub(super) fn operator(
        &mut self,
        op: BinaryOp,
        of: T,
        left: Expr,
        right: Expr,
        ty: Ty,
        span: Span,
    ) -> Expr {
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
        let frame = &mut self.c.frames[self.frame];
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
