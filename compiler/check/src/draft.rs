//! The draft tree: what inference builds while types are still being solved. `zonk` makes the typed tree of it.
//!
//! It differs from the typed tree where a decision needs the solved types: operators stand as written, calls name a
//! declaration with its type arguments or an inferred instance, closures name the frame of their body.

use crate::typed::{GlobalId, LocalId, Pattern};
use crate::unify::T;
use weir_syntax::ast::{BinaryOp, Format};
use weir_syntax::span::Span;

/// A function body under inference: an index into the checker's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameId(pub u32);

/// A function declaration: an index into the checker's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeclId(pub u32);

/// An inferred instance of a function that is generic by use: an index into the checker's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceId(pub u32);

/// A function named as a value whose instance is found later: an index into the checker's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueId(pub u32);

/// Which instances were being inferred where something was written: an index into the checker's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChainId(pub u32);

/// An expression under inference.
#[derive(Debug)]
pub struct Draft {
    /// What it is.
    pub kind: Kind,
    /// Its type, perhaps still to be solved.
    pub ty: T,
    /// Where it stands.
    pub span: Span,
}

impl Draft {
    /// An expression of kind `kind`.
    pub fn new(kind: Kind, ty: T, span: Span) -> Self {
        Self { kind, ty, span }
    }

    /// What stands for an erroneous expression.
    pub fn error(span: Span) -> Self {
        Self { kind: Kind::Error, ty: T::UNKNOWN, span }
    }

    /// `()`
    pub fn unit(span: Span) -> Self {
        Self { kind: Kind::Unit, ty: T::UNIT, span }
    }

    /// The same once more, when evaluating it twice, or later, gives the same and costs next to nothing.
    pub fn again(&self) -> Option<Draft> {
        let kind = match &self.kind {
            Kind::Local(local) => Kind::Local(*local),
            Kind::Global(global) => Kind::Global(*global),
            Kind::Int(n) => Kind::Int(*n),
            Kind::Bool(b) => Kind::Bool(*b),
            Kind::Text(text) => Kind::Text(text.clone()),
            Kind::Unit => Kind::Unit,
            Kind::Error => Kind::Error,
            _ => return None,
        };
        Some(Draft { kind, ..*self })
    }
}

/// What a function value or a call of a function refers to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A function whose whole signature is declared, with its type arguments.
    Declared(DeclId, Vec<T>),
    /// An inferred instance.
    Instance(InstanceId),
}

/// The forms of a draft expression; see `typed::ExprKind` for those of the same name.
#[derive(Debug)]
pub enum Kind {
    /// A mistake was reported here.
    Error,
    Unit,
    Int(i64),
    Bool(bool),
    Text(String),
    Interpolate(Vec<DraftPart>),
    Formatted(Box<Draft>, Format),
    /// `html"..."`; `zonk::markup` escapes what the solved types say.
    Html(Vec<DraftPart>),
    Local(LocalId),
    Global(GlobalId),
    Let(LocalId, Box<Draft>),
    Assign(LocalId, Box<Draft>),
    Put(DraftPlace, Box<Draft>),
    Place(DraftPlace),
    SetGlobal(GlobalId, Box<Draft>),
    Call(Target, Option<ChainId>, Vec<Draft>),
    CallNative(String, Vec<T>, Vec<Draft>),
    CallValue(Box<Draft>, Vec<Draft>),
    /// A lambda, by the frame of its body.
    Closure(FrameId),
    /// A function named as a value.
    FnValue(ValueId),
    Record(Vec<Draft>),
    Case(u32, Vec<Draft>),
    Field(Box<Draft>, u32),
    List(Vec<Draft>),
    Map(Vec<(Draft, Draft)>),
    Set(Vec<Draft>),
    Bytes(Vec<u8>),
    Index(Box<Draft>, Box<Draft>),
    Range(Box<Draft>, Box<Draft>, bool),
    /// Arithmetic or a comparison as written; `zonk` chooses the operation by the solved types.
    Operator(BinaryOp, Box<Draft>, Box<Draft>),
    Neg(Box<Draft>),
    Not(Box<Draft>),
    And(Box<Draft>, Box<Draft>),
    Or(Box<Draft>, Box<Draft>),
    If(Box<Draft>, Box<Draft>, Option<Box<Draft>>),
    Match(Box<Draft>, Vec<DraftArm>),
    Some(Box<Draft>),
    None,
    Block(Vec<Draft>),
    For(LocalId, Box<Draft>, Box<Draft>),
    While(Box<Draft>, Box<Draft>),
    Loop(Box<Draft>),
    /// A loop over the stream in that variable of that type, which is closed on every way out.
    Turns(LocalId, T, Box<Draft>),
    Break,
    Continue,
    Return(Box<Draft>),
    /// A value that a body gives, to be put into what its result turned out to be.
    Lift(Box<Draft>),
    /// What a body gives when a value is missing: `None`, or that error where its result turned out to be a result.
    Absent(Box<Draft>),
    /// `?` on a recursive call: the arms for an option, and those for a result.
    Try(Box<Draft>, Vec<DraftArm>, Vec<DraftArm>),
    Respond(Box<Draft>),
    /// `assert`: the condition, and its characters. `zonk::assertion` makes tests and messages of it.
    Assert(Box<Draft>, String),
}

/// A place under inference; see `typed::Place`.
#[derive(Debug)]
pub struct DraftPlace {
    /// The variable.
    pub root: LocalId,
    /// From the outside in.
    pub steps: Vec<DraftStep>,
}

/// A step to a slot; see `typed::Step`.
#[derive(Debug)]
pub struct DraftStep {
    /// Which slot.
    pub kind: DraftStepKind,
    /// The type of what it holds.
    pub ty: T,
    /// With all before it.
    pub span: Span,
}

/// Which slot; see `typed::StepKind`.
#[derive(Debug)]
pub enum DraftStepKind {
    Field(u32),
    Element(Box<Draft>),
    Entry(Box<Draft>, Option<Box<Draft>>),
}

impl DraftPlace {
    /// The expressions that say which slots.
    pub fn keys(&self) -> impl Iterator<Item = &Draft> {
        self.steps.iter().flat_map(|step| {
            let (first, second) = match &step.kind {
                DraftStepKind::Field(_) => (None, None),
                DraftStepKind::Element(key) => (Some(&**key), None),
                DraftStepKind::Entry(key, default) => (Some(&**key), default.as_deref()),
            };
            first.into_iter().chain(second)
        })
    }

    /// The same, for putting others in their places.
    pub fn keys_mut(&mut self) -> impl Iterator<Item = &mut Draft> {
        self.steps.iter_mut().flat_map(|step| {
            let (first, second) = match &mut step.kind {
                DraftStepKind::Field(_) => (None, None),
                DraftStepKind::Element(key) => (Some(&mut **key), None),
                DraftStepKind::Entry(key, default) => (Some(&mut **key), default.as_deref_mut()),
            };
            first.into_iter().chain(second)
        })
    }
}

/// A piece of an interpolated text.
#[derive(Debug)]
pub enum DraftPart {
    /// Characters.
    Literal(String),
    /// A value.
    Value(Draft),
}

/// An arm of a match.
#[derive(Debug)]
pub struct DraftArm {
    /// What it takes.
    pub pattern: Pattern,
    /// A further condition.
    pub guard: Option<Draft>,
    /// What it gives.
    pub body: Draft,
}
