//! What stands at the top level of a file.

use super::{Block, Expr, Name, Stmt, TypeExpr};
use crate::span::Span;

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
