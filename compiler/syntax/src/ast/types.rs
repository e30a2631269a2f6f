//! Types as written.

use super::{FieldDecl, Name};
use crate::span::Span;

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeExprKind,
    /// Where.
    pub span: Span,
}

/// The forms of a written type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeExprKind {
    /// `Name` or `Name[Args]`
    Name(Name, Vec<TypeExpr>),
    /// `T?`
    Option(Box<TypeExpr>),
    /// `T!`: a result whose error is an `Error`.
    Result(Box<TypeExpr>),
    /// `(A, B)`, at least two.
    Tuple(Vec<TypeExpr>),
    /// `{name: Type, ...}`: a record without a name; its fields have no defaults.
    Record(Vec<FieldDecl>),
    /// `fn(A, B) -> C`
    Fn(Vec<TypeExpr>, Box<TypeExpr>),
    /// `()`
    Unit,
    /// Not understood.
    Error,
}
