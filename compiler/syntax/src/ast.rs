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
    /// `use "path"`
    Use(UseDecl),
    /// `test "name" { ... }`
    Test(TestDecl),
    /// `route GET "/path/{name}" { ... }`
    Route(RouteDecl),
    /// A statement of a main file; a top-level `let` is one too.
    Stmt(Stmt),
}

/// `use "path"`, `use "path" as name`, `use "path" {a, B}`: declarations of another file.
#[derive(Clone, Debug, PartialEq)]
pub struct UseDecl {
    /// The file, relative to this one.
    pub path: Name,
    /// What is made visible.
    pub what: Used,
    /// The whole declaration.
    pub span: Span,
}

/// What a `use` makes visible.
#[derive(Clone, Debug, PartialEq)]
pub enum Used {
    /// The module, under the name of its file.
    Module,
    /// The module under that name: `as name`.
    As(Name),
    /// Single declarations: `{a, B}`.
    Names(Vec<Name>),
}

/// `test "name" { ... }`, run by `weir test`.
#[derive(Clone, Debug, PartialEq)]
pub struct TestDecl {
    /// What it shows.
    pub name: Name,
    /// What it does.
    pub body: Block,
    /// The whole declaration.
    pub span: Span,
}

/// `route GET "/users/{id: Int}" { ... }`, a declaration of what answers some requests.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteDecl {
    /// The method, as it was written.
    pub method: Name,
    /// The pattern of paths as it was written, without its quotes; what is in it is not looked at yet.
    pub pattern: Name,
    /// What answers.
    pub body: Block,
    /// The whole declaration.
    pub span: Span,
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
    /// `var name`: the function changes the variable that is passed. The first parameter of a function only.
    pub mutable: bool,
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
    /// `with json: snake`: how the fields without a name of their own are called in JSON.
    pub json: Option<Name>,
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
    /// `as "name"`: what JSON calls it.
    pub external: Option<Name>,
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

/// A piece of a text literal.
#[derive(Clone, Debug, PartialEq)]
pub enum TextPart {
    /// Characters, escapes resolved.
    Literal(String),
    /// `{expr}`, `{expr:.2}`
    Expr(Expr, Option<Format>),
}

/// How an interpolated value is written: `[[fill]align][+][0][width][,][.precision][kind]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    /// What stands where the text is narrower than the width; a space by default.
    pub fill: char,
    /// `<`, `^` or `>`; by default numbers stand at the right, all else at the left.
    pub align: Option<Align>,
    /// `+`: a positive number has a sign as well.
    pub plus: bool,
    /// `0`: zeros fill between sign and digits.
    pub zero: bool,
    /// The least number of characters.
    pub width: u32,
    /// `,`: thousands are separated.
    pub thousands: bool,
    /// `.2`: digits behind the point of a Float; the most characters of any other value.
    pub precision: Option<u32>,
    /// `x X b o` for Ints, `e f` for Floats.
    pub kind: Option<char>,
    /// Behind the colon.
    pub span: Span,
}

/// Where a text stands within its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// `<`
    Left,
    /// `^`
    Center,
    /// `>`
    Right,
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
