//! The syntax tree: what the user wrote, with a span on every node and nothing decided yet.
//!
//! An error node (`Error`) stands where the parser could not make sense of the text; a diagnostic was given for it, and
//! later passes accept it silently.

mod expr;
mod item;
mod operator;
mod pattern;
mod stmt;
mod text;
mod types;

pub use expr::{Arg, Arm, Cond, Expr, ExprKind, Form};
pub use item::{
    CaseDecl, FieldDecl, FnBody, FnDecl, Item, Param, RouteDecl, TestDecl, TypeBody, TypeDecl, UseDecl, Used,
};
pub use operator::{BinaryOp, UnaryOp};
pub use pattern::{Pattern, PatternKind};
pub use stmt::{Block, Stmt, StmtKind};
pub use text::{Align, Format, TextPart};
pub use types::{TypeExpr, TypeExprKind};

use crate::span::Span;

/// A name as written, without its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The characters.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// One source file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Declarations and statements in text order.
    pub items: Vec<Item>,
}
