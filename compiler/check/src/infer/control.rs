//! Control flow: blocks, `if`, `match`, loops. A want is handed to every position that gives the construct's value.

use super::{Checker, Origin, Want, Why};
use crate::draft::{Draft, DraftArm, Kind};
use crate::exhaustive;
use crate::report::article;
use crate::typed::Pattern;
use crate::unify::{T, Term};
use weir_syntax::ast::{self, Arm, Block, Cond, PatternKind, StmtKind};
use weir_syntax::diag::{Diagnostic, Severity};
use weir_syntax::span::Span;

/// What branches are asked for, and the type that they give together.
struct Branches {
    want: Want,
    ty: T,
    /// Whether no branch so far comes back.
    never: bool,
}

impl Branches {
    fn add(&mut self, never: bool) {
        self.never &= never;
    }

    fn result(&self) -> T {
        if self.never { T::NEVER } else { self.ty }
    }
}

impl<'a> Checker<'a> {
    fn branches(&mut self, want: Want) -> Branches {
        let (want, ty) = match want {
            Want::Any => {
                let ty = self.terms.var();
                (Want::Type(ty, Origin::of(Why::Same)), ty)
            }
            Want::Effect => (want, T::UNIT),
            Want::Type(ty, _) => (want, ty),
            Want::Give => (want, self.frame().result),
            Want::Respond(_) => (want, self.request_type("Response")),
        };
        Branches { want, ty, never: true }
    }

    /// A branch: an expression, or for its effect only.
    fn branch(&mut self, expr: &'a ast::Expr, branches: &mut Branches) -> Draft {
        let draft = match branches.want {
            Want::Effect => self.effect(expr),
            want => self.expr(expr, want),
        };
        branches.add(self.terms.is_never(draft.ty));
        draft
    }

    /// `{ ... }`
    pub fn block(&mut self, block: &'a Block, want: Want) -> Draft {
        self.in_block(|c| {
            let mut drafts = Vec::with_capacity(block.stmts.len() + 1);
            let mut never = false;
            let (last, before) = match block.stmts.split_last() {
                Some((last, before)) => (Some(last), before),
                None => (None, &block.stmts[..]),
            };
            for stmt in before {
                let draft = c.statement(stmt);
                never |= c.terms.is_never(draft.ty);
                drafts.push(draft);
            }
            let ty = match last.map(|s| (&s.kind, s)) {
                Some((StmtKind::Expr(value), _)) => {
                    let draft = match want {
                        Want::Effect => c.effect(value),
                        want => c.expr(value, want),
                    };
                    let ty = if matches!(want, Want::Effect) && !c.terms.is_never(draft.ty) {
                        T::UNIT
                    } else {
                        draft.ty
                    };
                    let ty = match want {
                        Want::Type(wanted, _) if !c.terms.is_never(ty) => wanted,
                        _ => ty,
                    };
                    drafts.push(draft);
                    ty
                }
                other => {
                    let mut end = block.span;
                    if let Some((_, stmt)) = other {
                        let draft = c.statement(stmt);
                        never |= c.terms.is_never(draft.ty);
                        end = if matches!(draft.kind, Kind::Error) { end } else { stmt.span };
                        if matches!(stmt.kind, StmtKind::Error) {
                            never = true;
                        }
                        drafts.push(draft);
                    }
                    if never {
                        T::NEVER
                    } else {
                        let unit = c.finish(Draft::unit(end), want);
                        let ty = unit.ty;
                        drafts.push(unit);
                        ty
                    }
                }
            };
            Draft::new(Kind::Block(drafts), ty, block.span)
        })
    }

    /// `if cond { } else { }`, and `if let`.
    pub fn if_expr(
        &mut self,
        cond: &'a Cond,
        then: &'a Block,
        otherwise: Option<&'a ast::Expr>,
        span: Span,
        want: Want,
    ) -> Draft {
        if otherwise.is_none() && !matches!(want, Want::Effect) {
            return self.if_without_else(cond, then, span, want);
        }
        let mut branches = self.branches(want);
        match cond {
            Cond::Expr(cond) => {
                let cond = self.condition(cond);
                let then = self.block(then, branches.want);
                branches.add(self.terms.is_never(then.ty));
                let otherwise = otherwise.map(|o| Box::new(self.branch(o, &mut branches)));
                if otherwise.is_none() {
                    branches.add(false);
                }
                Draft::new(Kind::If(Box::new(cond), Box::new(then), otherwise), branches.result(), span)
            }
            Cond::Let(pattern, value) => {
                let value = self.expr(value, Want::Any);
                let subject = self.subject_type(&value);
                let taken = self.in_block(|c| {
                    let pattern = c.pattern(pattern, subject);
                    let body = c.block(then, branches.want);
                    branches.add(c.terms.is_never(body.ty));
                    DraftArm { pattern, guard: None, body }
                });
                let body = match otherwise {
                    Some(otherwise) => self.branch(otherwise, &mut branches),
                    None => {
                        branches.add(false);
                        Draft::unit(span.after())
                    }
                };
                let other = DraftArm { pattern: Pattern::Wildcard, guard: None, body };
                Draft::new(Kind::Match(Box::new(value), vec![taken, other]), branches.result(), span)
            }
        }
    }

    fn if_without_else(&mut self, cond: &'a Cond, then: &'a Block, span: Span, want: Want) -> Draft {
        let wanted = match want {
            Want::Type(ty, origin) if !self.terms.is_var(ty) => Some((ty, origin)),
            _ => None,
        };
        if let Some((ty, origin)) = wanted
            && !matches!(self.terms.head(ty), Term::Unit | Term::Unknown)
        {
            // `()` is what it gives, and may be lifted.
            if self.terms.lifts(ty, T::UNIT) {
                let draft = self.if_expr(cond, then, None, span, Want::Effect);
                return self.finish(draft, want);
            }
            let shown = self.terms.show(ty);
            let mut error = Diagnostic::error(
                "E0307",
                format!("This `if` has no `else`, and {} is expected of it", article(&shown)),
                span,
                "gives nothing when the condition does not hold",
            )
            .help("Add an `else` with a value of the same type.");
            if let Some(place) = origin.span {
                error = error.label(place, format!("`{shown}` is expected because of this"));
            }
            self.report(error);
            self.if_expr(cond, then, None, span, Want::Effect);
            return Draft::error(span);
        }
        let draft = self.if_expr(cond, then, None, span, Want::Effect);
        if matches!(want, Want::Respond(_)) && self.drops_value(&draft) {
            let label = "answers nothing when the condition does not hold";
            let error =
                Diagnostic::error("E0307", "This `if` has no `else`, and it gives the answer", span, label)
                    .help("Add an `else`; `None` answers 404, `not-found()` says so too.");
            self.report(error);
            return Draft::error(span);
        }
        self.finish(draft, want)
    }

    /// Whether an `if` without `else` has a value when its condition holds.
    pub fn drops_value(&self, draft: &Draft) -> bool {
        let then = match &draft.kind {
            Kind::If(_, then, None) => &then.kind,
            Kind::Match(_, arms) => &arms[0].body.kind,
            _ => return false,
        };
        let Kind::Block(stmts) = then else { return false };
        let no_value = |d: &Draft| matches!(self.terms.head(d.ty), Term::Unit | Term::Never | Term::Unknown);
        stmts.last().is_some_and(|last| !no_value(last))
    }

    fn condition(&mut self, cond: &'a ast::Expr) -> Draft {
        self.expr(cond, Want::Type(T::BOOL, Origin::of(Why::Condition)))
    }

    /// `match subject { arms }`
    pub fn match_expr(&mut self, subject: &'a ast::Expr, arms: &'a [Arm], span: Span, want: Want) -> Draft {
        let subject = self.expr(subject, Want::Any);
        let subject_type = self.subject_type(&subject);
        let mut branches = self.branches(want);
        let errors = self.reports.errors();
        let mut drafts = Vec::with_capacity(arms.len());
        let mut patterns_fit = true;
        for arm in arms {
            let draft = self.in_block(|c| {
                let before = c.reports.errors();
                let pattern = c.pattern(&arm.pattern, subject_type);
                patterns_fit &= c.reports.errors() == before;
                let guard = arm.guard.as_ref().map(|g| c.condition(g));
                let body = c.branch(&arm.body, &mut branches);
                DraftArm { pattern, guard, body }
            });
            drafts.push(draft);
        }
        if patterns_fit && !self.terms.is_unknown(subject_type) {
            self.check_arms(arms, &drafts, subject.span, &subject);
        }
        if arms.is_empty() && self.reports.errors() > errors {
            return Draft::error(span);
        }
        Draft::new(Kind::Match(Box::new(subject), drafts), branches.result(), span)
    }

    /// The type that patterns for a value are checked against: any, where the value never comes about.
    pub(super) fn subject_type(&mut self, subject: &Draft) -> T {
        match self.known(subject.ty) {
            Term::Never => T::UNKNOWN,
            _ => subject.ty,
        }
    }

    fn check_arms(&mut self, arms: &'a [Arm], drafts: &[DraftArm], at: Span, subject: &Draft) {
        if arms.iter().any(|a| matches!(a.pattern.kind, PatternKind::Error)) {
            return;
        }
        let rows: Vec<(&Pattern, bool)> = drafts.iter().map(|d| (&d.pattern, d.guard.is_some())).collect();
        for unreachable in exhaustive::unreachable(&rows) {
            let mut warning = Diagnostic::error(
                "E0502",
                "This arm is never taken",
                arms[unreachable].pattern.span,
                "the arms above take all of it",
            );
            warning.severity = Severity::Warning;
            self.report(warning.help("Move it up, or take it away."));
        }
        let missing = exhaustive::missing(&rows).unwrap_or_else(|exhaustive::TooLarge| {
            self.too_large(at);
            None
        });
        if let Some(case) = missing {
            let shown = self.terms.show(subject.ty);
            let (message, help) = if case == "_" {
                let message = format!("This `match` does not take every `{shown}`");
                (message, "Add an arm `_ => ...` for all others.".to_string())
            } else {
                let message = format!("This `match` does not say what to do with `{case}`");
                (message, format!("Add an arm `{case} => ...`, or `_ => ...` for everything else."))
            };
            let label = if case == "_" {
                "others are possible".to_string()
            } else {
                format!("{} may be that", article(&shown))
            };
            self.report(Diagnostic::error("E0501", message, at, label).help(help));
        }
    }

    /// `for pattern in iterable { }`
    pub fn for_loop(
        &mut self,
        pattern: &'a ast::Pattern,
        iterable: &'a ast::Expr,
        body: &'a Block,
        span: Span,
    ) -> Draft {
        let iterable = self.expr(iterable, Want::Any);
        let item = match self.known(iterable.ty) {
            Term::Stream(item) => return self.for_stream(pattern, iterable, item, body, span),
            Term::Map(key, value) => return self.for_map(pattern, iterable, [key, value], body, span),
            Term::Range => T::INT,
            Term::List(item) | Term::Set(item) => item,
            Term::Unknown | Term::Never => T::UNKNOWN,
            _ => {
                self.not_iterable(&iterable);
                T::UNKNOWN
            }
        };
        self.in_block(|c| {
            let (local, apart) = c.item_pattern(pattern, item);
            c.frame().walked.push(local);
            let body = c.loop_body(body);
            let body = c.behind(apart.into_iter().collect(), body);
            Draft::new(Kind::For(local, Box::new(iterable), Box::new(body)), T::UNIT, span)
        })
    }

    fn not_iterable(&mut self, iterable: &Draft) {
        let shown = self.terms.show(iterable.ty);
        let error = Diagnostic::error(
            "E0312",
            format!("`for` cannot walk over {}", article(&shown)),
            iterable.span,
            format!("this is `{shown}`"),
        );
        let error = match self.terms.head(iterable.ty) {
            Term::Text => error.help("Walk over its `.chars()` or its `.lines()`."),
            Term::Bytes => error.help("Walk over its `.list()`, or over its indexes: `for i in 0..b.len()`."),
            Term::Int => error.help("Count with a range: `for i in 0..n`."),
            Term::Option(_) => error.help("Look into an option with `if let Some(x) = ...`."),
            _ => error.help("It walks over a Range, such as `0..n`, a List, a Map, a Set or a Stream."),
        };
        self.report(error);
    }

    pub(super) fn loop_body(&mut self, body: &'a Block) -> Draft {
        self.here.loops += 1;
        let body = self.block(body, Want::Effect);
        self.here.loops -= 1;
        body
    }

    /// `while cond { }`, and `while let`.
    pub fn while_loop(&mut self, cond: &'a Cond, body: &'a Block, span: Span) -> Draft {
        match cond {
            Cond::Expr(cond) => {
                let cond = self.condition(cond);
                let body = self.loop_body(body);
                Draft::new(Kind::While(Box::new(cond), Box::new(body)), T::UNIT, span)
            }
            Cond::Let(pattern, value) => {
                self.here.loops += 1;
                let value = self.expr(value, Want::Any);
                let subject = self.subject_type(&value);
                let taken = self.in_block(|c| {
                    let pattern = c.pattern(pattern, subject);
                    let body = c.block(body, Want::Effect);
                    DraftArm { pattern, guard: None, body }
                });
                self.here.loops -= 1;
                let leave = Draft::new(Kind::Break, T::NEVER, span);
                let other = DraftArm { pattern: Pattern::Wildcard, guard: None, body: leave };
                let turn = Draft::new(Kind::Match(Box::new(value), vec![taken, other]), T::UNIT, span);
                Draft::new(Kind::Loop(Box::new(turn)), T::UNIT, span)
            }
        }
    }

    /// `loop { }`: comes back only when a `break` leaves it.
    pub fn loop_forever(&mut self, body: &'a Block, span: Span) -> Draft {
        let draft = self.loop_body(body);
        let ty = if breaks(&draft) { T::UNIT } else { T::NEVER };
        Draft::new(Kind::Loop(Box::new(draft)), ty, span)
    }
}

/// Whether a `break` in `draft` leaves the loop around it.
fn breaks(draft: &Draft) -> bool {
    match &draft.kind {
        Kind::Break => true,
        Kind::Block(stmts) => stmts.iter().any(breaks),
        Kind::If(cond, then, otherwise) => {
            breaks(cond) || breaks(then) || otherwise.as_deref().is_some_and(breaks)
        }
        Kind::Match(subject, arms) | Kind::Try(subject, arms, _) => {
            breaks(subject) || arms.iter().any(|a| breaks(&a.body) || a.guard.as_ref().is_some_and(breaks))
        }
        Kind::Let(_, v)
        | Kind::Assign(_, v)
        | Kind::SetGlobal(_, v)
        | Kind::Some(v)
        | Kind::Return(v)
        | Kind::Lift(v)
        | Kind::Respond(v) => breaks(v),
        Kind::Put(place, v) => place.keys().any(breaks) || breaks(v),
        Kind::Place(place) => place.keys().any(breaks),
        Kind::Neg(v) | Kind::Not(v) | Kind::Field(v, _) => breaks(v),
        Kind::Operator(_, a, b)
        | Kind::And(a, b)
        | Kind::Or(a, b)
        | Kind::Index(a, b)
        | Kind::Range(a, b, _) => breaks(a) || breaks(b),
        Kind::Call(_, _, args)
        | Kind::CallNative(_, _, args)
        | Kind::Record(args)
        | Kind::Case(_, args)
        | Kind::List(args) => args.iter().any(breaks),
        Kind::CallValue(f, args) => breaks(f) || args.iter().any(breaks),
        Kind::For(_, walked, _) => breaks(walked),
        _ => false,
    }
}
