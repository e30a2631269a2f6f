//! Statements and blocks.

use super::{Expr, Pattern, TypeExpr};
use crate::span::Span;

/// `{ statements }`. Its value is its last statement when that is an expression, else unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// In text order.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// Where.
    pub span: Span,
}

/// The forms of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// `let pattern: Type = value else { ... }` or `var ...`
    Let {
        /// `pub let`: other modules may use it. At the top level only.
        public: bool,
        /// `var` instead of `let`.
        mutable: bool,
        /// What is bound.
        pattern: Pattern,
        /// The annotation.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
        /// `else { ... }`, which does not come back: what happens when the pattern does not fit.
        otherwise: Option<Block>,
    },
    /// `place = value`
    Assign {
        /// The place; the parser accepts any expression, the checker only places.
        place: Expr,
        /// The new value.
        value: Expr,
    },
    /// `return value`
    Return(Option<Expr>),
    /// `fail value`: a Text or an error.
    Fail(Expr),
    /// `assert condition`, and the condition's characters, with blanks for comments.
    Assert(Expr, String),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `yield value`: the next item of the `stream { }` around it.
    Yield(Expr),
    /// `defer { ... }`: what is done on every way out of the function.
    Defer(Block),
    /// An expression for its effect, or a block's value.
    Expr(Expr),
    /// Not understood.
    Error,
}
