//! Patterns of `let`, `for`, `match` and `if let`.

use super::{Expr, Name};
use crate::span::Span;

/// A pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// The forms of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// `_`
    Wildcard,
    /// A name that is bound.
    Bind(Name),
    /// A literal: Int (a leading minus is folded in), Bool, Text without interpolation, Duration, Unit.
    Literal(Box<Expr>),
    /// `a..b`, `a..=b` with literal ends.
    Range {
        /// First value.
        low: i64,
        /// End.
        high: i64,
        /// `..=`
        inclusive: bool,
    },
    /// `Name(p, ...)` or `Name`: a case, such as `Some(p)` or `None`.
    Case(Name, Vec<Pattern>),
    /// `(a, b)`, at least two.
    Tuple(Vec<Pattern>),
    /// `{name, other: pattern}`: fields of a record; the others may be anything.
    Record(Vec<(Name, Option<Pattern>)>),
    /// `[a, b]`, `[first, ..rest]`, `[a, ..]`
    List {
        /// The first elements.
        items: Vec<Pattern>,
        /// `..` or `..name`: any number of further ones, as a list.
        rest: Option<Option<Name>>,
    },
    /// `a | b`
    Or(Vec<Pattern>),
    /// Not understood.
    Error,
}
