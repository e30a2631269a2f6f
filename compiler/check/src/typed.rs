//! The typed tree: every function instance of a program, every name resolved, every type solved.
//!
//! Invariants: no inference variable and no `Unknown` is left in a program without errors; arguments stand in parameter
//! order and are evaluated left to right; every implicit conversion is a node of its own (`Respond`, `Some`); patterns of a
//! `Match` are exhaustive. Only instances that the program uses are there.
//! Not here: ownership and layout (`weir-ir`).

use crate::types::{Ty, Types};
use std::rc::Rc;
use weir_syntax::ast::Format;
use weir_syntax::span::Span;

/// A function instance: an index into [`Program::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FnId(pub u32);

/// A variable of one function: an index into [`Function::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(pub u32);

/// A top-level `let` that functions may see: an index into [`Program::globals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GlobalId(pub u32);

/// A checked program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The types that everything refers to.
    pub types: Types,
    /// All instances.
    pub functions: Vec<Function>,
    /// Top-level `let`s in text order.
    pub globals: Vec<Global>,
    /// The main file's statements as a function without parameters that gives unit; sets the globals.
    pub main: FnId,
    /// `handle`: one parameter of type Request, result Response (every result position is wrapped in `Respond`).
    pub handler: Option<FnId>,
    /// What stands around the routes and `handle`, of the same form: it calls `around` with a function that finds out which
    /// of them the request is for.
    pub around: Option<FnId>,
    /// The routes in text order; each is a function of the form of `handle`.
    pub routes: Vec<Route>,
    /// The main file's tests in text order; none unless they were asked for.
    pub tests: Vec<Test>,
}

/// A route: which requests it answers, and with what.
#[derive(Clone, Debug)]
pub struct Route {
    /// `GET`, or `ANY` for each method that has no route of its own.
    pub method: String,
    /// What the path has to be, from slash to slash.
    pub pattern: Vec<Segment>,
    /// What answers.
    pub function: FnId,
}

/// What a part of a path has to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// These characters, perhaps none.
    Literal(String),
    /// Anything that can be read as that, and is not empty.
    Param(ParamKind),
    /// Whatever comes, slashes too; the last one.
    Rest,
}

/// What a parameter of a path is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// Its characters.
    Text,
    /// A number that fits 64 bits.
    Int,
    /// A number with or without a fraction and exponent.
    Float,
    /// `true` or `false`.
    Bool,
}

/// A top-level `let`.
#[derive(Clone, Debug)]
pub struct Global {
    /// Its name.
    pub name: String,
    /// Its type; holds no stream.
    pub ty: Ty,
    /// Where it is bound.
    pub span: Span,
}

/// One instance of a function, or a lambda.
#[derive(Clone, Debug)]
pub struct Function {
    /// What stack traces call it: `fib`, `list.map`, `lambda in handle`, `main`.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// Parameters, in order.
    pub params: Vec<LocalId>,
    /// Captured values of a lambda, as variables of its own, in the order of `Closure::captures`. Empty for others.
    pub captures: Vec<LocalId>,
    /// Whether it is a lambda: then it is only ever used by `Closure`.
    pub is_lambda: bool,
    /// Whether it changes its first parameter (`var name`): then it is only ever used by `Call`, with a `Place` in front.
    pub is_mutating: bool,
    /// All variables: parameters, captures and those bound within.
    pub locals: Vec<Local>,
    /// The result's type.
    pub result: Ty,
    /// What it does. Of type `result`, or Never.
    pub body: Expr,
}

/// A `test "name" { ... }`.
#[derive(Clone, Debug)]
pub struct Test {
    /// What it shows.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// What it does: no parameters, unit.
    pub function: FnId,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name; made-up ones start with `$`.
    pub name: String,
    /// Its type.
    pub ty: Ty,
    /// Where it is bound.
    pub span: Span,
}

/// A typed expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Ty,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a typed expression.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `()`
    Unit,
    /// An Int, a Duration or Time in nanoseconds, or a Float's bits.
    Int(i64),
    /// `true`, `false`
    Bool(bool),
    /// A text without interpolation.
    Text(String),
    /// A text made of parts; parts of any type that has a text form.
    Interpolate(Vec<Part>),
    /// The Text that a value with a text form is by a format, which fits its type.
    Formatted(Box<Expr>, Format),
    /// A variable's value.
    Local(LocalId),
    /// A top-level `let`'s value.
    Global(GlobalId),
    /// Binds a variable for the rest of the enclosing block. Unit.
    Let(LocalId, Box<Expr>),
    /// Gives a `var` a new value. Unit.
    Assign(LocalId, Box<Expr>),
    /// Sets a slot of a `var`. Unit.
    Put(Place, Box<Expr>),
    /// The slot of a `var` that a mutating function changes: only as the first argument of a call of one.
    Place(Place),
    /// Gives a top-level `let` its value; in `main` only. Unit.
    SetGlobal(GlobalId, Box<Expr>),
    /// A direct call.
    Call(FnId, Vec<Expr>),
    /// A call of a native.
    CallNative {
        /// Its name in the native table, such as `text-upper`.
        name: String,
        /// What its type variables stand for, in declared order.
        types: Vec<Ty>,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// A call of a function value.
    CallValue(Box<Expr>, Vec<Expr>),
    /// A function value: a lambda with what it captures (variables of the enclosing function), or a named function.
    Closure(FnId, Vec<LocalId>),
    /// A record or tuple, its fields in the order of its type.
    Record(Vec<Expr>),
    /// A value of an enum: the index of its case, the case's fields in declared order.
    Case(u32, Vec<Expr>),
    /// The field with that index of a record or tuple.
    Field(Box<Expr>, u32),
    /// A list.
    List(Vec<Expr>),
    /// A Map of these keys and values.
    Map(Vec<(Expr, Expr)>),
    /// A Set of these elements.
    Set(Vec<Expr>),
    /// A Bytes literal.
    Bytes(Vec<u8>),
    /// A list's element; traps when there is none.
    Index(Box<Expr>, Box<Expr>),
    /// `low..high` or `low..=high`, a Range.
    Range {
        /// First value.
        low: Box<Expr>,
        /// End.
        high: Box<Expr>,
        /// Whether the end belongs to it.
        inclusive: bool,
    },
    /// An operation on words.
    Prim(Prim, Vec<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// `if`; without `else` it is unit.
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// The first arm whose pattern takes the subject; also what `if let`, `while let` and `??` become.
    Match(Box<Expr>, Vec<Arm>),
    /// `Some(x)`, also where a `T` was lifted to a `T?`.
    Some(Box<Expr>),
    /// `None`
    None,
    /// In order; the value of the last, unit when empty. Values of the others are dropped.
    Block(Vec<Expr>),
    /// `for` over a Range, a List or a Set: the variable, what is walked over, the body.
    For(LocalId, Box<Expr>, Box<Expr>),
    /// `while`
    While(Box<Expr>, Box<Expr>),
    /// `loop`; Never unless a `break` leaves it.
    Loop(Box<Expr>),
    /// `break` of the innermost loop.
    Break,
    /// `continue` of the innermost loop.
    Continue,
    /// `return`
    Return(Box<Expr>),
    /// The value as a Response, by its type: Text, Stream of Text, Response, unit, or an option of one of these.
    Respond(Box<Expr>),
}

/// A variable, or a slot within its value.
#[derive(Clone, Debug)]
pub struct Place {
    /// The variable.
    pub root: LocalId,
    /// From the outside in; none for the variable itself.
    pub steps: Vec<Step>,
}

/// A step from a container to a slot within it.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which slot.
    pub kind: StepKind,
    /// The type of what it holds.
    pub ty: Ty,
    /// With all before it.
    pub span: Span,
}

/// Which slot of a container.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// The field with that index of a record.
    Field(u32),
    /// The element of a list at an index; traps when there is none.
    Element(Box<Expr>),
    /// The value of a key in a map; where there is none it traps when it is looked into, or becomes the second expression if
    /// there is one. It is made when it is assigned to.
    Entry(Box<Expr>, Option<Box<Expr>>),
}

impl StepKind {
    /// The expressions that say which slot it is, in the order in which they are evaluated.
    pub fn keys(&self) -> impl Iterator<Item = &Expr> + Clone {
        let (first, second) = match self {
            StepKind::Field(_) => (None, None),
            StepKind::Element(index) => (Some(&**index), None),
            StepKind::Entry(key, default) => (Some(&**key), default.as_deref()),
        };
        first.into_iter().chain(second)
    }
}

/// A piece of an interpolated text.
#[derive(Clone, Debug)]
pub enum Part {
    /// Characters.
    Literal(String),
    /// A value's text form.
    Value(Expr),
}

/// An arm of a `Match`.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What it takes.
    pub pattern: Pattern,
    /// A further condition, a Bool.
    pub guard: Option<Expr>,
    /// What it gives.
    pub body: Expr,
}

/// A typed pattern.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Takes anything.
    Wildcard,
    /// Takes anything and binds it.
    Bind(LocalId),
    /// Takes that Int or Duration.
    Int(i64),
    /// Takes the Ints of a range, both ends included.
    IntRange(i64, i64),
    /// Takes that Bool.
    Bool(bool),
    /// Takes that Text.
    Text(String),
    /// Takes the Somes whose value the inner pattern takes.
    Some(Box<Pattern>),
    /// Takes `None`.
    None,
    /// Takes the values of the case with that index whose fields the inner patterns take.
    Case(Rc<Cases>, u32, Vec<Pattern>),
    /// Takes the tuples whose parts the inner patterns take, one for each.
    Tuple(Vec<Pattern>),
    /// Takes the records whose fields, of these names, the inner patterns take: one for each field of the type, in order.
    Record(Rc<[String]>, Vec<Pattern>),
    /// Takes the lists that begin with what the inner patterns take. Those with further elements only when there is a
    /// pattern for the list of these, which takes any: `Wildcard` or `Bind`.
    List(Vec<Pattern>, Option<Box<Pattern>>),
    /// Takes what one of them takes; all of them bind the same variables.
    Or(Vec<Pattern>),
}

/// The cases of an enum as patterns see them: their names and how many fields they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cases(pub Vec<(String, usize)>);

/// Operations on words. Int also stands for Duration and Time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prim {
    /// Traps on overflow.
    Add,
    /// Traps on overflow.
    Sub,
    /// Traps on overflow.
    Mul,
    /// Truncates; traps on 0 and on min / -1.
    Div,
    /// Sign of the dividend; traps on 0 and on min / -1.
    Rem,
    /// Traps on min.
    Neg,
    /// Of a Bool.
    Not,
    /// Of words (Int, Bool, Duration, Time, unit). Other types compare by the native `value-equal` or `text-equal`.
    Eq,
    /// See `Eq`.
    Ne,
    /// Of words.
    Lt,
    /// Of words.
    Le,
    /// Of words.
    Gt,
    /// Of words.
    Ge,
    /// Of Floats, like the others of that prefix; IEEE, none traps.
    FloatAdd,
    /// Of Floats.
    FloatSub,
    /// Of Floats.
    FloatMul,
    /// Of Floats.
    FloatDiv,
    /// Of Floats.
    FloatNeg,
    /// Of Floats; false for NaN.
    FloatEq,
    /// Of Floats; true for NaN.
    FloatNe,
    /// Of Floats; false for NaN.
    FloatLt,
    /// Of Floats; false for NaN.
    FloatLe,
    /// Of Floats; false for NaN.
    FloatGt,
    /// Of Floats; false for NaN.
    FloatGe,
}
