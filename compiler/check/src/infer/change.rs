//! Places: what may stand on the left of `=` and in front of a call that changes it.
//!
//! A place is a `var` of the function itself, or a field, an element or an entry of a place. It is read as an expression first, which
//! finds its type and whatever is wrong with its parts; here the expression becomes a place, or a message says why not.

use super::{Checker, Origin, Want, Why};
use crate::draft::{DeclId, Draft, DraftPlace, DraftStep, DraftStepKind, Kind, Target};
use crate::scope::Role;
use crate::typed::LocalId;
use crate::unify::{T, Term};
use weir_syntax::ast::{self, ExprKind};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// What is to be done to a place.
#[derive(Clone, Copy)]
pub enum Deed<'n> {
    /// It is assigned to.
    Assign,
    /// It is changed by the function of that name.
    Call(&'n str),
}

impl<'a> Checker<'a> {
    /// `place = value` for anything but a name.
    pub fn assign_part(&mut self, place: &'a ast::Expr, value: &'a ast::Expr, span: Span) -> Draft {
        let target = self.expr(place, Want::Any);
        let ty = target.ty;
        let Some(target) = self.place(target, Deed::Assign) else {
            self.expr(value, Want::Any);
            return Draft::error(span);
        };
        let value = self.expr(value, Want::Type(ty, Origin::new(Why::Slot, place.span)));
        let ty = if self.terms.is_never(value.ty) { T::NEVER } else { T::UNIT };
        Draft::new(Kind::Put(target, Box::new(value)), ty, span)
    }

    /// The first argument of a mutating function, which is of type `want`.
    pub fn changed_argument(
        &mut self,
        argument: Draft,
        want: Option<T>,
        origin: Origin,
        name: &str,
    ) -> Draft {
        let (ty, span) = (argument.ty, argument.span);
        if matches!(argument.kind, Kind::Error) {
            return argument;
        }
        if let Some(want) = want
            && !self.demand(ty, want, span, origin)
        {
            return Draft { ty, ..Draft::error(span) };
        }
        match self.place(argument, Deed::Call(name)) {
            Some(place) => Draft::new(Kind::Place(place), ty, span),
            None => Draft { ty, ..Draft::error(span) },
        }
    }

    /// The place that an expression stands for; `None` when it is none, which was reported.
    fn place(&mut self, draft: Draft, deed: Deed<'_>) -> Option<DraftPlace> {
        let Draft { kind, ty, span } = draft;
        let (inner, kind) = match kind {
            Kind::Error => return None,
            Kind::Local(local) => {
                return self
                    .may_change(local, span, deed)
                    .then(|| DraftPlace { root: local, steps: Vec::new() });
            }
            Kind::Global(id) => {
                let global = self.globals[id.0 as usize].clone();
                self.not_variable(global.name, span, global.span, deed, &Kept::Let);
                return None;
            }
            Kind::Field(inner, at) => (inner, DraftStepKind::Field(at)),
            Kind::Index(inner, index) => (inner, DraftStepKind::Element(index)),
            Kind::Call(Target::Declared(decl, _), _, args) if self.is_entry(decl) => {
                let mut args = args.into_iter().map(Box::new);
                let (Some(map), Some(key)) = (args.next(), args.next()) else { return None };
                (map, DraftStepKind::Entry(key, args.next()))
            }
            _ => {
                self.no_place(ty, span, deed);
                return None;
            }
        };
        let mut place = self.place(*inner, deed)?;
        place.steps.push(DraftStep { kind, ty, span });
        Some(place)
    }

    /// Whether the function looks a key up in a map: `m[k]` and `m.at(k, default)`.
    fn is_entry(&mut self, decl: DeclId) -> bool {
        ["index", "at"].iter().any(|name| self.library_fn("map", name) == Some(decl))
    }

    /// Whether the variable is one that this function may change; reports it when not.
    fn may_change(&mut self, local: LocalId, span: Span, deed: Deed<'_>) -> bool {
        let frame = &self.frames[self.here.frame];
        let variable = frame.variable(local).clone();
        if variable.mutable {
            return true;
        }
        if variable.name.starts_with('$') {
            self.no_place(variable.ty, span, deed);
        } else if frame.captures.iter().any(|(_, inner)| *inner == local) {
            self.captured(variable.name, span, variable.span);
        } else {
            let kept = frame.kept(local);
            self.not_variable(variable.name, span, variable.span, deed, &kept);
        }
        false
    }

    /// Reports a change of a variable of the code around a lambda.
    pub fn captured(&mut self, name: &str, span: Span, bound: Span) {
        let (what, help) = match self.frame().role {
            Role::Function => ("lambda".to_string(), "A lambda captures values, not variables. Use a `for` loop, or `.fold` to build a result step by step.".to_string()),
            role => {
                let block = format!("`{} {{ }}`", role.word());
                let help = format!("{block} captures values, not variables. Bind a `var` of its own inside of it.");
                (block, help)
            }
        };
        let message = format!("`{name}` belongs to the code around this {what}, which only has its value");
        let error = Diagnostic::error("E0207", message, span, "assigned here")
            .label(bound, format!("bound here, outside of the {what}"));
        self.report(error.help(help));
    }

    /// Reports a change of a name that keeps its value.
    pub fn not_variable(&mut self, name: &str, span: Span, bound: Span, deed: Deed<'_>, kept: &Kept) {
        let (message, help) = match kept {
            Kept::Let => (
                format!("`{name}` was not bound with `var`, so it keeps its value"),
                format!("Bind it with `var {name} = ...` to give it new values later."),
            ),
            Kept::Parameter { first } => (
                format!("`{name}` is a parameter, and parameters keep their values"),
                match first {
                    true => format!(
                        "Write `var {name}` in the parameters to change what is passed, or change a copy: `var changed = {name}`."
                    ),
                    false => format!(
                        "Change a copy: `var changed = {name}`. Only the first parameter may be `var`."
                    ),
                },
            ),
            Kept::Walked => (
                format!("`{name}` is the loop's own, and has a new value in each turn"),
                format!(
                    "Change a copy, `var changed = {name}`; to change a list walk over its indexes: `for i in 0..xs.len() {{ xs[i] = ... }}`."
                ),
            ),
        };
        let label = match deed {
            Deed::Assign => "assigned here".to_string(),
            Deed::Call(function) => format!("`{function}` changes it"),
        };
        self.report(Diagnostic::error("E0208", message, span, label).label(bound, "bound here").help(help));
    }

    fn no_place(&mut self, ty: T, span: Span, deed: Deed<'_>) {
        if matches!(self.terms.head(ty), Term::Unknown | Term::Never) {
            return;
        }
        let error = match deed {
            Deed::Assign => Diagnostic::error(
                "E0209",
                "This is not a variable, so it cannot be assigned to",
                span,
                "assigned here",
            )
            .help("On the left of `=` stands a `var`, or a field or element of one. To compare, write `==`."),
            Deed::Call(name) => Diagnostic::error(
                "E0214",
                format!("`{name}` changes a variable, and this is none"),
                span,
                "the changed value would be lost",
            )
            .help(format!("Bind it to a variable first: `var value = ...`, then `value.{name}(...)`.")),
        };
        self.report(error);
    }

    /// Reports a call that is only made for what it changes where its value is wanted, as in `xs = xs.push(1)`. Whether
    /// `value` is one.
    pub fn gives_nothing(&mut self, name: &str, value: &Draft, statement: Span, assigns: bool) -> bool {
        let (Kind::Call(_, _, args) | Kind::CallNative(_, _, args)) = &value.kind else { return false };
        let Some(Draft { kind: Kind::Place(place), span: changed, .. }) = args.first() else { return false };
        if !matches!(self.terms.head(value.ty), Term::Unit) {
            return false;
        }
        let root = self.frame().variable(place.root).name;
        let error = Diagnostic::error(
            "E0216",
            format!("This call changes `{root}` itself and gives nothing"),
            value.span,
            "gives no value",
        )
        .label(*changed, "changed in place");
        let error = if assigns {
            let before = Span { end: value.span.start, ..statement };
            error.help(format!("Leave the `{name} =` out.")).fix(before, String::new())
        } else {
            error.help(format!("Bind the value first, `var {name} = ...`, and change it then."))
        };
        self.report(error);
        true
    }

    /// Reports a mutating function that is named as a value.
    pub fn changes_no_value(&mut self, name: &str, span: Span) {
        let error = Diagnostic::error(
            "E0215",
            format!("`{name}` changes a variable, so it is no function value"),
            span,
            "named as a value",
        )
        .help("Call it on a variable, inside a `for` loop, or in a function that gives the new value.");
        self.report(error);
    }

    /// Looks at the `var` among the parameters of a declaration.
    pub fn var_parameters(&mut self, decl: &ast::FnDecl) {
        for (at, param) in decl.params.iter().enumerate().filter(|(_, p)| p.mutable) {
            let (message, help) = match () {
                () if at > 0 => (
                    "Only the first parameter of a function may be `var`",
                    "A function changes one variable, the one that it is called on. Put what changes together into a record, or give the other's new value back.",
                ),
                () if decl.name.text == crate::instances::HANDLER => (
                    "`handle` is called by the server, which has no variable to change",
                    "Leave the `var` out.",
                ),
                () if param.default.is_some() => (
                    "A `var` parameter has no default: it stands for a variable of the caller",
                    "Leave the default out.",
                ),
                () => continue,
            };
            self.report(Diagnostic::error("E0217", message, param.name.span, "`var` here").help(help));
        }
    }
}

/// Why a name keeps its value.
pub enum Kept {
    /// It was bound with `let`, or by a pattern.
    Let,
    /// It is a parameter; whether the first one, which could be `var`.
    Parameter {
        /// Whether it is the first one of a function.
        first: bool,
    },
    /// It is what a `for` binds in each turn.
    Walked,
}

/// Whether the value is a method call on the variable of that name, or a part of it.
pub fn is_method_on(value: &ast::Expr, name: &str) -> bool {
    let ExprKind::Method { receiver, .. } = &value.kind else { return false };
    let mut at = receiver;
    loop {
        match &at.kind {
            ExprKind::Name(found) => return found.text == name,
            ExprKind::Field { receiver, .. } | ExprKind::Index { receiver, .. } => at = receiver,
            _ => return false,
        }
    }
}
