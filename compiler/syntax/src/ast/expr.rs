//! Expressions.

use super::{BinaryOp, Block, Name, Param, Pattern, Stmt, TextPart, UnaryOp};
use crate::span::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where, without surrounding parentheses.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `42`, `0xff`, `1_000`, `64kb`; a literal above 2^63 - 1 is `None` and was reported (`-9223372036854775808` is
    /// written with a unary minus and arrives as one literal).
    Int(Option<i64>),
    /// `1.5`, `2e10`
    Float(f64),
    /// `true` or `false`
    Bool(bool),
    /// `250ms`; nanoseconds.
    Duration(i64),
    /// `"a {x} b"`, `"""..."""`, `r"..."`: adjacent literal parts are merged.
    Text(Vec<TextPart>),
    /// `html"a {x} b"`: what is interpolated is escaped.
    Html(Vec<TextPart>),
    /// `b"..."`
    Bytes(Vec<u8>),
    /// `()`
    Unit,
    /// `name` or `Name`
    Name(Name),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `["a": 1]`, `[:]`
    Map(Vec<(Expr, Expr)>),
    /// `(a, b)`, at least two.
    Tuple(Vec<Expr>),
    /// `{name: value, ...}`; a field alone, `{name}`, is short for `{name: name}` and stands here as that, both with one span; `..value` gives the other fields.
    Record(Vec<Arg>),
    /// `x?`: the value, or the way out of the function.
    Try(Box<Expr>),
    /// `return x`, `break`, `continue`, `fail x` or `yield x` where a value is expected, behind `??` or `=>`.
    Leave(Box<Stmt>),
    /// `f(args)` or `Record(args)`
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// In text order.
        args: Vec<Arg>,
    },
    /// `x.name(args)`
    Method {
        /// `x`
        receiver: Box<Expr>,
        /// `name`
        name: Name,
        /// In text order, without the receiver.
        args: Vec<Arg>,
    },
    /// `x.name`
    Field {
        /// `x`
        receiver: Box<Expr>,
        /// `name`
        name: Name,
    },
    /// `x[i]`
    Index {
        /// `x`
        receiver: Box<Expr>,
        /// `i`; a range slices.
        index: Box<Expr>,
    },
    /// `-x`, `not x`
    Unary {
        /// Which.
        op: UnaryOp,
        /// `x`
        operand: Box<Expr>,
    },
    /// `a op b`
    Binary {
        /// Which.
        op: BinaryOp,
        /// The operator itself.
        op_span: Span,
        /// `a`
        left: Box<Expr>,
        /// `b`
        right: Box<Expr>,
    },
    /// `a..b`, `a..=b`, and in an index also `a..`, `..b`
    Range {
        /// First value.
        low: Option<Box<Expr>>,
        /// End.
        high: Option<Box<Expr>>,
        /// `..=`
        inclusive: bool,
    },
    /// `if cond { } else { }`
    If {
        /// The condition.
        cond: Box<Cond>,
        /// When it holds.
        then: Block,
        /// When not: a block or another `if`.
        otherwise: Option<Box<Expr>>,
    },
    /// `match subject { arms }`
    Match {
        /// What is looked at.
        subject: Box<Expr>,
        /// In text order.
        arms: Vec<Arm>,
    },
    /// `{ ... }`
    Block(Block),
    /// `for pattern in iterable { }`
    For {
        /// What each item is bound to.
        pattern: Pattern,
        /// What is walked over.
        iterable: Box<Expr>,
        /// For each item.
        body: Block,
    },
    /// `while cond { }`
    While {
        /// Asked before each turn.
        cond: Box<Cond>,
        /// Each turn.
        body: Block,
    },
    /// `loop { }`
    Loop(Block),
    /// `x => body`, `(x, y) => body`
    Lambda {
        /// In order; none has a default.
        params: Vec<Param>,
        /// What it gives.
        body: Box<Expr>,
    },
    /// `stream { ... }`, `spawn { ... }`, `background { ... }`: a body of its own, which captures values as a lambda does.
    Form(Form, Block),
    /// Not understood.
    Error,
}

/// The words that make a body of its own of the block behind them. Elsewhere they are names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// The items that the block yields, one by one as they are asked for.
    Stream,
    /// A task of the request or program, which runs beside it and ends with it.
    Spawn,
    /// Work of the server, which outlives the request.
    Background,
}

impl Form {
    /// The form of that word.
    pub fn named(word: &str) -> Option<Self> {
        [Form::Stream, Form::Spawn, Form::Background].into_iter().find(|form| form.word() == word)
    }

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Form::Stream => "stream",
            Form::Spawn => "spawn",
            Form::Background => "background",
        }
    }
}

/// A condition: a Bool, or `let pattern = value`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cond {
    /// An expression of type Bool.
    Expr(Expr),
    /// Holds when the value matches.
    Let(Pattern, Expr),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// `value`
    Positional(Expr),
    /// `name: value`
    Named(Name, Expr),
    /// `..value`: the record whose other fields are taken.
    Spread(Expr),
}

/// One arm of a `match`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// What it takes.
    pub pattern: Pattern,
    /// `if guard`
    pub guard: Option<Expr>,
    /// What it gives.
    pub body: Expr,
}
