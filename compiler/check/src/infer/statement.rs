//! Statements: bindings, assignments, ways out, and values that nobody uses.

use super::change::{Deed, Kept, is_method_on};
use super::name::Meaning;
use super::{Checker, Origin, Want, Why};
use crate::draft::{Draft, Kind};
use crate::scope::{Returns, Role};
use crate::unify::{T, Term};
use weir_syntax::ast::{self, BinaryOp, ExprKind, Form, PatternKind, Stmt, StmtKind, TypeExpr};
use weir_syntax::diag::{Diagnostic, Severity};
use weir_syntax::span::Span;

impl<'a> Checker<'a> {
    /// A statement that is not the value of its block.
    pub fn statement(&mut self, stmt: &'a Stmt) -> Draft {
        let draft = match &stmt.kind {
            StmtKind::Let { mutable, pattern, ty, value, otherwise, .. } => {
                let value = self.bound_value(ty.as_ref(), value);
                match otherwise {
                    Some(otherwise) => self.let_else(pattern, value, otherwise, *mutable, stmt.span),
                    None => self.bind(pattern, value, *mutable, stmt.span),
                }
            }
            StmtKind::Assign { place, value } => self.assign(place, value, stmt.span),
            StmtKind::Return(value) => self.return_value(value.as_ref(), stmt.span),
            StmtKind::Break => self.leave(Kind::Break, "break", stmt.span),
            StmtKind::Continue => self.leave(Kind::Continue, "continue", stmt.span),
            StmtKind::Yield(value) => self.yield_item(value, stmt.span),
            StmtKind::Defer(block) => self.defer(block, stmt.span),
            StmtKind::Expr(expr) => self.effect(expr),
            StmtKind::Fail(value) => self.fail(value, stmt.span),
            StmtKind::Assert(condition, written) => {
                let want = Want::Type(T::BOOL, Origin::of(Why::Condition));
                let condition = self.expr(condition, want);
                Draft::new(Kind::Assert(Box::new(condition), written.clone()), T::UNIT, stmt.span)
            }
            StmtKind::Error => Draft::error(stmt.span),
        };
        if !self.goals.is_empty() {
            self.solve(false);
        }
        draft
    }

    /// The value of a `let`, of its written type where there is one.
    pub fn bound_value(&mut self, ty: Option<&'a TypeExpr>, value: &'a ast::Expr) -> Draft {
        match ty {
            Some(ty) => {
                let want = self.annotation_here(ty);
                let draft = self.expr(value, Want::Type(want, Origin::new(Why::Annotation, ty.span)));
                Draft { ty: want, ..draft }
            }
            None => {
                let draft = self.expr(value, Want::Any);
                let half = matches!(value.kind, ExprKind::If { otherwise: None, .. });
                if !half || !self.drops_value(&draft) {
                    return draft;
                }
                let label = "gives nothing when the condition does not hold";
                let error =
                    Diagnostic::error("E0307", "This `if` has no `else`, and it is bound", value.span, label);
                self.report(error.help("Add an `else` with a value of the same type."));
                Draft::error(value.span)
            }
        }
    }

    fn bind(&mut self, pattern: &'a ast::Pattern, value: Draft, mutable: bool, span: Span) -> Draft {
        match &pattern.kind {
            PatternKind::Bind(name) => {
                let value = match self.gives_nothing(&name.text, &value, span, false) {
                    true => Draft::error(value.span),
                    false => value,
                };
                let ty = if matches!(value.kind, Kind::Error) && self.terms.is_unknown(value.ty) {
                    T::UNKNOWN
                } else {
                    value.ty
                };
                let local = self.declare(&name.text, ty, name.span, mutable);
                let never = self.never_comes_back(&value);
                Draft::new(Kind::Let(local, Box::new(value)), if never { T::NEVER } else { T::UNIT }, span)
            }
            PatternKind::Wildcard | PatternKind::Error => value,
            _ => self.bind_parts(pattern, value, mutable, span),
        }
    }

    fn never_comes_back(&self, value: &Draft) -> bool {
        self.terms.is_never(value.ty)
    }

    /// Reports a pattern that may not take the value, such as `case`, where one is needed that always does.
    pub fn refutable(&mut self, pattern: &ast::Pattern, place: &str, case: &str) {
        let label = match case {
            "_" => "does not take every value".to_string(),
            case => format!("does not take `{case}`"),
        };
        let error = Diagnostic::error(
            "E0504",
            format!("This pattern may not fit, and {place} needs one that always does"),
            pattern.span,
            label,
        )
        .help("Use a name here, and look into the value with `match` or `if let`.");
        self.report(error);
    }

    fn assign(&mut self, place: &'a ast::Expr, value: &'a ast::Expr, span: Span) -> Draft {
        let ExprKind::Name(name) = &place.kind else {
            return self.assign_part(place, value, span);
        };
        match self.meaning(&name.text) {
            Meaning::Variable(binding) => {
                let variable = self.frames[binding.frame].variable(binding.local).clone();
                let want = Want::Type(variable.ty, Origin::new(Why::Variable, variable.span));
                let value = if is_method_on(value, &name.text) {
                    let value = self.expr(value, Want::Any);
                    let is_unit = matches!(self.terms.head(variable.ty), Term::Unit);
                    if !is_unit && self.gives_nothing(&name.text, &value, span, true) {
                        return Draft::error(span);
                    }
                    self.finish(value, want)
                } else {
                    self.expr(value, want)
                };
                if binding.frame != self.here.frame {
                    self.captured(&name.text, name.span, variable.span);
                    return Draft::error(span);
                }
                if !variable.mutable {
                    let kept = self.frame().kept(binding.local);
                    self.not_variable(&name.text, name.span, variable.span, Deed::Assign, &kept);
                    return Draft::error(span);
                }
                let never = self.terms.is_never(value.ty);
                let ty = if never { T::NEVER } else { T::UNIT };
                Draft::new(Kind::Assign(binding.local, Box::new(value)), ty, span)
            }
            Meaning::Global(id) => {
                let global = self.globals[id.0 as usize].clone();
                self.expr(value, Want::Any);
                if global.mutable {
                    self.global(id, name);
                } else {
                    self.not_variable(&name.text, name.span, global.span, Deed::Assign, &Kept::Let);
                }
                Draft::error(span)
            }
            Meaning::Function(decl) => {
                let function = self.modules.function(decl);
                let mut error = Diagnostic::error(
                    "E0208",
                    format!("`{}` is a function and cannot be assigned to", name.text),
                    name.span,
                    "assigned here",
                );
                if self.modules.is_own(function.module) {
                    error = error.label(function.decl.name.span, "declared here");
                }
                self.report(
                    error.help(format!("For a variable of that name write `var {} = ...` first.", name.text)),
                );
                self.expr(value, Want::Any);
                Draft::error(span)
            }
            Meaning::Nothing => {
                let error = Diagnostic::error(
                    "E0201",
                    format!("There is no variable `{}` here", name.text),
                    name.span,
                    "not known",
                )
                .help(format!(
                    "Bind a new variable with `var {} = ...`, or a name for good with `let`.",
                    name.text
                ));
                self.report(error);
                self.expr(value, Want::Any);
                // The name is meant to be a variable from here on.
                self.declare(&name.text, T::UNKNOWN, name.span, true);
                Draft::error(span)
            }
        }
    }

    fn return_value(&mut self, value: Option<&'a ast::Expr>, span: Span) -> Draft {
        if let Some(value) = value
            && self.returns_nothing(value)
        {
            self.expr(value, Want::Any);
            return Draft::new(Kind::Error, T::NEVER, span);
        }
        let want = match self.frame().returns {
            Returns::Value(..) | Returns::Respond(_) => self.want_given(),
            Returns::Test => Want::Type(T::UNIT, Origin::of(Why::Result)),
            Returns::Top => {
                let error = Diagnostic::error(
                    "E0212",
                    "`return` leaves a function, and this is none",
                    span,
                    "at the top level",
                )
                .help("Put the statements into a function, or into an `if`.");
                self.report(error);
                if let Some(value) = value {
                    self.expr(value, Want::Any);
                }
                return Draft::new(Kind::Error, T::NEVER, span);
            }
        };
        let value = match value {
            Some(value) => self.expr(value, want),
            None => self.finish(Draft::unit(span), want),
        };
        Draft::new(Kind::Return(Box::new(value)), T::NEVER, span)
    }

    fn leave(&mut self, kind: Kind, word: &str, span: Span) -> Draft {
        if self.here.loops == 0 {
            let mut error = Diagnostic::error(
                "E0211",
                format!("`{word}` stands in a loop, and there is none around it"),
                span,
                "no loop here",
            );
            let in_function = self.frame().parent.is_none();
            error = match self.frame().role {
                Role::Function if in_function => error,
                Role::Function => error.help("A lambda cannot leave a loop of the code around it. Use a `for` loop instead of the lambda."),
                role => error.help(format!("What stands in `{} {{ }}` runs by itself, and cannot leave a loop of the code around it.", role.word())),
            };
            self.report(error);
            return Draft::new(Kind::Error, T::NEVER, span);
        }
        Draft::new(kind, T::NEVER, span)
    }

    /// An expression for its effect. Warns when it has none.
    pub fn effect(&mut self, expr: &'a ast::Expr) -> Draft {
        if let ExprKind::Name(name) = &expr.kind
            && matches!(self.meaning(&name.text), Meaning::Function(_))
        {
            let help = format!("Call the function: `{}(...)`.", name.text);
            self.unused(expr.span, help);
            return Draft::unit(expr.span);
        }
        let draft = self.expr(expr, Want::Effect);
        if self.terms.as_result(draft.ty).is_some() && !matches!(draft.kind, Kind::Error) {
            self.unused_result(draft.ty, draft.span);
            return draft;
        }
        if let (ExprKind::Form(Form::Spawn, _), Term::Record(_, of)) = (&expr.kind, self.terms.head(draft.ty))
        {
            if of.first().is_some_and(|result| self.terms.as_result(*result).is_some()) {
                self.unused_task(draft.ty, draft.span);
            }
            return draft;
        }
        if matches!(self.terms.head(draft.ty), Term::Unit | Term::Never | Term::Unknown)
            || matches!(draft.kind, Kind::Error)
        {
            return draft;
        }
        let help = match &expr.kind {
            ExprKind::Binary { op: BinaryOp::Eq, .. } => {
                "To give a variable a new value write a single `=`.".to_string()
            }
            ExprKind::Method { name, .. } if self.gives_new_value(&draft, &name.text) => {
                format!(
                    "`.{}` changes nothing; it gives a new value. Keep it: `x = x.{}(...)`.",
                    name.text, name.text
                )
            }
            ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce, .. } => return draft,
            ExprKind::Binary { .. }
            | ExprKind::Unary { .. }
            | ExprKind::Int(_)
            | ExprKind::Bool(_)
            | ExprKind::Text(_)
            | ExprKind::Float(_)
            | ExprKind::Duration(_)
            | ExprKind::Name(_)
            | ExprKind::Field { .. }
            | ExprKind::Index { .. }
            | ExprKind::List(_)
            | ExprKind::Lambda { .. }
            | ExprKind::Form(Form::Stream, _)
            | ExprKind::Range { .. } => "Bind it with `let`, print it, or take it away.".to_string(),
            _ => return draft,
        };
        self.unused(expr.span, help);
        draft
    }

    fn unused(&mut self, span: Span, help: String) {
        let warning = Diagnostic::error("E0318", "This value is not used", span, "computed and dropped");
        self.report(Diagnostic { severity: Severity::Warning, ..warning.help(help) });
    }

    /// Whether a method call is one of the library's methods that only compute something.
    fn gives_new_value(&mut self, draft: &Draft, name: &str) -> bool {
        let (Kind::CallNative(_, _, args) | Kind::Call(_, _, args)) = &draft.kind else { return false };
        let Some(receiver) = args.first().filter(|r| !matches!(r.kind, Kind::Place(_))) else { return false };
        let head = self.terms.head(receiver.ty).clone();
        let home = self.home(&head).and_then(|home| self.modules.library(&home, &mut self.terms));
        let Some(decl) = home.and_then(|h| self.modules.find_fn(h, name)) else { return false };
        let function = self.modules.function(decl).decl;
        !function
            .params
            .iter()
            .any(|p| matches!(p.ty.as_ref().map(|t| &t.kind), Some(ast::TypeExprKind::Fn(..))))
    }
}
