//! Variables: which names are visible where, and the frames that own them.
//!
//! A frame is one function body under inference: main, an instance, or a lambda. Names are looked up innermost first; a
//! variable of an enclosing frame is captured by every lambda on the way in.
//! Not here: functions, types and top-level `let`s (`modules`, `infer::name`).

use crate::draft::{DeclId, Draft, FrameId};
use crate::infer::{Kept, Origin, Why};
use crate::typed::LocalId;
use crate::unify::T;
use weir_syntax::span::Span;

/// A visible variable.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// Its name.
    pub name: &'a str,
    /// Which block bound it; a block binds a name once.
    pub block: u32,
    /// The frame that owns it.
    pub frame: FrameId,
    /// Which of its variables.
    pub local: LocalId,
}

/// A variable of a frame.
#[derive(Clone, Debug)]
pub struct Variable<'a> {
    /// Its name; made-up ones start with `$`.
    pub name: &'a str,
    /// Its type.
    pub ty: T,
    /// Where it was bound.
    pub span: Span,
    /// Whether it is a `var`.
    pub mutable: bool,
}

/// What `return` and the tail of a body give.
#[derive(Clone, Copy, Debug)]
pub enum Returns {
    /// The main file's statements: nothing.
    Top,
    /// A test: nothing.
    Test,
    /// A value of that type.
    Value(T, Origin),
    /// A response, of a value of any type or of that declared one.
    Respond(Option<(T, Origin)>),
}

/// What the result of a body without a declared one is besides a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Not known yet.
    Open,
    /// Nothing: the values as they are.
    Plain,
    /// An option, as long as no `?` on a result comes.
    Option,
    /// A result.
    Result,
}

/// What is known of the result of a body without a declared one that has ways out without a value.
#[derive(Clone, Debug)]
pub struct Failing {
    /// What the result holds.
    pub item: T,
    /// In what.
    pub carrier: Carrier,
    /// The types of values that it gives which may be the whole result or what it holds.
    pub gives: Vec<(T, Span)>,
    /// It has no `?` and no `fail`; a loop over a stream would make it fail.
    pub only_loops: bool,
    /// `?`s on recursive calls of its own.
    pub own_tries: Vec<Span>,
}

/// What a body is of, which decides what may stand in it.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// A function, a lambda, a test, or the main file.
    Function,
    /// `stream { }` with items of that type, and where that comes from.
    Stream {
        /// Their type.
        item: T,
        /// Who wants it; without a place before the first item.
        origin: Origin,
    },
    /// `spawn { }`
    Spawn,
    /// `background { }`
    Background,
    /// `defer { }`
    Defer,
}

impl Role {
    /// The word it begins with; what stack traces call it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Function => "lambda",
            Role::Stream { .. } => "stream",
            Role::Spawn => "spawn",
            Role::Background => "background",
            Role::Defer => "defer",
        }
    }
}

/// What a body with a `defer` needs on its ways out.
#[derive(Clone, Copy, Debug)]
pub struct Deferring {
    /// The variable that holds how much was put off before it began.
    pub depth: LocalId,
    /// The function of the library that does what was put off since.
    pub run: DeclId,
}

/// A function body under inference.
#[derive(Debug)]
pub struct Frame<'a> {
    /// What stack traces call it.
    pub name: String,
    /// The declaration.
    pub span: Span,
    /// The frame that a lambda was written in.
    pub parent: Option<FrameId>,
    /// Parameters in order.
    pub params: Vec<LocalId>,
    /// Captured variables: those of the parent and those that hold them here.
    pub captures: Vec<(LocalId, LocalId)>,
    /// Variables that a `for` binds.
    pub walked: Vec<LocalId>,
    /// Whether it is a function that changes its first parameter.
    pub is_mutating: bool,
    /// What it is of.
    pub role: Role,
    /// What its ways out do, once a `defer` stands in it.
    pub deferring: Option<Deferring>,
    /// All variables.
    pub variables: Vec<Variable<'a>>,
    /// Declared type variables.
    pub type_vars: Vec<(&'a str, T)>,
    /// What `return` gives.
    pub returns: Returns,
    /// The result's type.
    pub result: T,
    /// How the result is found out, for a body that may be left without a value and declares none.
    pub failing: Option<Failing>,
    /// The body, once inferred.
    pub body: Option<Draft>,
}

impl<'a> Frame<'a> {
    /// A frame without variables.
    pub fn new(name: String, span: Span, returns: Returns, result: T) -> Self {
        Self {
            name,
            span,
            parent: None,
            params: Vec::new(),
            captures: Vec::new(),
            walked: Vec::new(),
            is_mutating: false,
            role: Role::Function,
            deferring: None,
            variables: Vec::new(),
            type_vars: Vec::new(),
            returns,
            result,
            failing: None,
            body: None,
        }
    }

    /// A frame written within another, which gives a value of that type.
    pub fn within(parent: FrameId, name: String, span: Span, result: T) -> Self {
        let returns = Returns::Value(result, Origin::of(Why::Same));
        Self { parent: Some(parent), ..Self::new(name, span, returns, result) }
    }

    /// Adds a parameter behind the others.
    pub fn param(&mut self, name: &'a str, ty: T, span: Span, mutable: bool) -> LocalId {
        let local = self.add(name, ty, span, mutable);
        self.params.push(local);
        local
    }

    /// Adds a variable.
    pub fn add(&mut self, name: &'a str, ty: T, span: Span, mutable: bool) -> LocalId {
        self.variables.push(Variable { name, ty, span, mutable });
        LocalId(self.variables.len() as u32 - 1)
    }

    /// The variable `id`.
    pub fn variable(&self, id: LocalId) -> &Variable<'a> {
        &self.variables[id.0 as usize]
    }

    /// Why a variable that is no `var` keeps its value.
    pub fn kept(&self, id: LocalId) -> Kept {
        match self.params.iter().position(|p| *p == id) {
            Some(at) => Kept::Parameter { first: at == 0 && self.parent.is_none() },
            None if self.walked.contains(&id) => Kept::Walked,
            None => Kept::Let,
        }
    }

    /// The variable here that holds the parent's `outer`, added at the first use.
    pub fn capture(&mut self, outer: LocalId, variable: &Variable<'a>) -> LocalId {
        if let Some((_, inner)) = self.captures.iter().find(|(o, _)| *o == outer) {
            return *inner;
        }
        let inner = self.add(variable.name, variable.ty, variable.span, false);
        self.captures.push((outer, inner));
        inner
    }
}
