//! The syntax tree: what the user wrote, with a span on every node and nothing decided yet.
//!
//! An error node (`Error`) stands where the parser could not make sense of the text; a diagnostic was given for it, and
//! later passes accept it silently.

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

/// What stands at the top level of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `fn name(params) -> Type { ... }`
    Fn(FnDecl),
    /// `type Name = { ... }`
    Type(TypeDecl),
    /// A statement of a main file; a top-level `let` is one too.
    Stmt(Stmt),
}

/// A function declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct FnDecl {
    /// Its `##` documentation, lines joined with LF, without the marks.
    pub doc: Option<String>,
    /// Whether other modules may use it.
    pub public: bool,
    /// Its name.
    pub name: Name,
    /// Type variables, `fn f[A, B](...)`.
    pub vars: Vec<Name>,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// The declared result type.
    pub result: Option<TypeExpr>,
    /// What it does.
    pub body: FnBody,
    /// The whole declaration.
    pub span: Span,
}

/// A function's body.
#[derive(Clone, Debug, PartialEq)]
pub enum FnBody {
    /// `{ ... }`
    Block(Block),
    /// `= expr`
    Expr(Box<Expr>),
    /// `= native "name"`: a native of the runtime; in the standard library only.
    Native(Name),
}

/// A parameter of a function or lambda.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name; `_` when unused.
    pub name: Name,
    /// Its annotation.
    pub ty: Option<TypeExpr>,
    /// Its default, evaluated at the call.
    pub default: Option<Expr>,
}

/// A type declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDecl {
    /// Its `##` documentation.
    pub doc: Option<String>,
    /// Whether other modules may use it.
    pub public: bool,
    /// Its name.
    pub name: Name,
    /// Type variables, `type Pair[A] = ...`.
    pub vars: Vec<Name>,
    /// What it is.
    pub body: TypeBody,
    /// The whole declaration.
    pub span: Span,
}

/// The right side of a type declaration.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeBody {
    /// `{ field: Type, ... }`
    Record(Vec<FieldDecl>),
    /// `Case(field: Type, ...) | Case | ...`
    Enum(Vec<CaseDecl>),
    /// `native { field: Type, ... }`: a type of the runtime whose fields are read by natives named `TYPE-FIELD`; in the
    /// standard library only. No fields for an opaque type.
    Native(Vec<FieldDecl>),
    /// Another name for a type.
    Alias(TypeExpr),
}

/// A case of an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseDecl {
    /// Its name.
    pub name: Name,
    /// What it holds; empty for a case without parentheses.
    pub fields: Vec<FieldDecl>,
    /// With the parentheses.
    pub span: Span,
}

/// A field of a record type, or of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDecl {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// Its default, evaluated at each construction.
    pub default: Option<Expr>,
}

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
    /// `fn(A, B) -> C`
    Fn(Vec<TypeExpr>, Box<TypeExpr>),
    /// `()`
    Unit,
    /// Not understood.
    Error,
}

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
    /// `let pattern: Type = value` or `var ...`
    Let {
        /// `var` instead of `let`.
        mutable: bool,
        /// What is bound.
        pattern: Pattern,
        /// The annotation.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
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
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// An expression for its effect, or a block's value.
    Expr(Expr),
    /// Not understood.
    Error,
}

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
    /// `()`
    Unit,
    /// `name` or `Name`
    Name(Name),
    /// `[a, b]`
    List(Vec<Expr>),
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
    /// Not understood.
    Error,
}

/// A condition: a Bool, or `let pattern = value`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cond {
    /// An expression of type Bool.
    Expr(Expr),
    /// Holds when the value matches.
    Let(Pattern, Expr),
}

/// A piece of a text literal.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters, escapes resolved.
    Literal(String),
    /// `{expr}`
    Expr(Expr),
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
    /// `a | b`
    Or(Vec<Pattern>),
    /// Not understood.
    Error,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `not`
    Not,
}

/// Infix operators, loosest first; comparisons do not chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `??`
    Coalesce,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl BinaryOp {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::In => "in",
            BinaryOp::Coalesce => "??",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }
}
