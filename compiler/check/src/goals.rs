//! Goals: what inference cannot decide yet, retried when more is known.
//!
//! `settle` tries a goal and keeps it when stuck; `solve` retries all; `conclude` ends an outermost inference: what is still
//! open then is decided by default (arithmetic on unknown types is arithmetic on Int). Demands on types that only hold or
//! fail when the type is known (`==`, a text form) are looked at in `conclude`, never earlier.

use crate::draft::{ChainId, DeclId, Draft, Kind, ValueId};
use crate::infer::{Asked, Checker, Here, Origin, Why};
use crate::report::article;
use crate::unify::{T, Term, TypeId};
use std::collections::VecDeque;
use weir_syntax::ast::{self, BinaryOp};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// So many declared types within a type are looked into for an ability.
const MOST_PARTS: usize = 64;
/// Types of the runtime with arguments that belong to one request.
const OF_ONE_REQUEST: [&str; 6] = ["Task", "Channel", "Request", "Query", "Headers", "Answer"];

/// Something to decide.
#[derive(Debug)]
pub enum Goal<'a> {
    /// Arithmetic, or an ordering.
    Operation(Operation),
    /// A lambda whose parameter types are not known.
    Lambda(LambdaBody<'a>),
    /// A function named as a value whose instance is not known.
    Value(FunctionValue),
    /// A result of a handler whose type is not known.
    Respond(T, Span, Option<ChainId>),
}

/// `left op right`.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Which operator.
    pub op: BinaryOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// The left side.
    pub left: (T, Span),
    /// The right side.
    pub right: (T, Span),
    /// The result's type.
    pub result: T,
    /// The calls that led here.
    pub chain: Option<ChainId>,
}

/// A lambda's body, not inferred yet.
#[derive(Debug)]
pub struct LambdaBody<'a> {
    /// What it sees, from within its frame.
    pub here: Here<'a>,
    /// The body.
    pub body: &'a ast::Expr,
    /// Parameter types.
    pub params: Vec<T>,
}

/// A function generic by use that stands for a value.
#[derive(Debug)]
pub struct FunctionValue {
    /// Which value.
    pub value: ValueId,
    /// The function.
    pub decl: DeclId,
    /// Parameter types.
    pub params: Vec<T>,
    /// Its declared type variables.
    pub vars: Vec<T>,
    /// The result's type.
    pub result: T,
    /// Where it is named.
    pub span: Span,
    /// The calls that led here.
    pub chain: Option<ChainId>,
}

/// A demand on a type, looked at when it is known.
#[derive(Clone, Copy, Debug)]
struct Demand {
    ability: Ability,
    ty: T,
    span: Span,
    chain: Option<ChainId>,
}

/// What a type may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// `==`
    Equality,
    /// Is the key of a Map, or in a Set.
    Key,
    /// Stands in a text.
    TextForm,
    /// `<`
    Order,
    /// Adds up to one value of the same type.
    Sum,
    /// Is read and written as JSON.
    Json,
    /// Is kept in a top-level `let`.
    Kept,
    /// Is copied from scope to scope: into a store, to the subscribers of a topic.
    Carried,
    /// Is sent as an item of a request's body.
    Sent,
    /// Is written by a format that asks for that.
    Format(Asked),
}

/// How far a retry may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Force {
    No,
    Operations,
}

/// Goals and demands of the inference under way.
#[derive(Debug, Default)]
pub struct Goals<'a> {
    stuck: VecDeque<Goal<'a>>,
    demands: Vec<Demand>,
    /// How many frames belong to inferences that are over.
    concluded: usize,
}

impl Goals<'_> {
    /// Whether nothing waits to be decided.
    pub fn is_empty(&self) -> bool {
        self.stuck.is_empty()
    }
}

impl<'a> Checker<'a> {
    /// Decides a goal, now or later.
    pub fn settle(&mut self, goal: Goal<'a>) {
        if let Some(stuck) = self.attempt(goal, Force::No) {
            self.goals.stuck.push_back(stuck);
        }
    }

    /// Retries every goal until nothing moves; by default rules too when `force`.
    pub fn solve(&mut self, force: bool) {
        let force = if force { Force::Operations } else { Force::No };
        while self.round(force) {}
    }

    /// Tries each waiting goal once. Whether one was decided.
    fn round(&mut self, force: Force) -> bool {
        let mut moved = false;
        for _ in 0..self.goals.stuck.len() {
            let Some(goal) = self.goals.stuck.pop_front() else { break };
            match self.attempt(goal, force) {
                Some(stuck) => self.goals.stuck.push_back(stuck),
                None => moved = true,
            }
        }
        moved
    }

    /// Ends an outermost inference: decides everything that is left, then looks at the demands.
    pub fn conclude(&mut self) {
        loop {
            self.solve(false);
            if self.force_lambda() {
                continue;
            }
            if self.goals.is_empty() || !self.round(Force::Operations) {
                break;
            }
        }
        for goal in std::mem::take(&mut self.goals.stuck) {
            self.give_up(goal);
        }
        self.decide_results();
        for demand in std::mem::take(&mut self.goals.demands) {
            self.look_at(demand);
        }
    }

    /// Decides the results of bodies that never give one: a function's is Never; a lambda's, which is handed to code that
    /// expects a value, is unit.
    fn decide_results(&mut self) {
        for frame in self.frames.since(self.goals.concluded) {
            // What no end of a body that may fail gives but recursive calls is nothing.
            if let Some(item) = frame.failing.as_ref().map(|f| f.item).filter(|item| self.terms.is_var(*item))
                && !self.terms.is_var(frame.result)
            {
                self.terms.bind(item, T::UNIT);
            }
            let (result, is_lambda) = (frame.result, frame.parent.is_some());
            let Some(body) = frame.body.as_ref().map(|b| b.ty).filter(|_| self.terms.is_var(result)) else {
                continue;
            };
            if self.terms.is_never(body) || (!is_lambda && self.terms.same(body, result)) {
                self.terms.bind(result, if is_lambda { T::UNIT } else { T::NEVER });
            }
        }
        self.goals.concluded = self.frames.count();
    }

    /// Infers the body of the first lambda whose parameters nobody decided.
    fn force_lambda(&mut self) -> bool {
        let Some(at) = self.goals.stuck.iter().position(|g| matches!(g, Goal::Lambda(_))) else {
            return false;
        };
        let Some(Goal::Lambda(lambda)) = self.goals.stuck.remove(at) else { return false };
        self.lambda_body(lambda);
        true
    }

    fn give_up(&mut self, goal: Goal<'a>) {
        let (span, chain) = match goal {
            Goal::Operation(o) => (o.op_span, o.chain),
            Goal::Lambda(lambda) => (lambda.body.span, lambda.here.chain),
            Goal::Value(value) => (value.span, value.chain),
            Goal::Respond(_, span, chain) => (span, chain),
        };
        self.reports.add(type_not_known(span), chain, &self.terms);
    }

    fn attempt(&mut self, goal: Goal<'a>, force: Force) -> Option<Goal<'a>> {
        match goal {
            Goal::Operation(operation) => (!self.try_operation(operation, force == Force::Operations))
                .then_some(Goal::Operation(operation)),
            Goal::Lambda(lambda) => {
                if lambda.params.iter().any(|p| self.terms.is_var(*p)) {
                    return Some(Goal::Lambda(lambda));
                }
                self.lambda_body(lambda);
                None
            }
            Goal::Value(value) => {
                if value.params.iter().any(|p| self.terms.is_var(*p)) {
                    return Some(Goal::Value(value));
                }
                self.value_instance(value);
                None
            }
            Goal::Respond(ty, span, chain) => {
                if self.terms.is_var(ty) && force == Force::No {
                    return Some(Goal::Respond(ty, span, chain));
                }
                self.check_response(ty, span, chain);
                None
            }
        }
    }

    /// Decides an operation; false when its types are not known.
    fn try_operation(&mut self, o: Operation, force: bool) -> bool {
        if self.terms.is_never(o.left.0) || self.terms.is_never(o.right.0) {
            return self.gives(o, T::NEVER);
        }
        if self.terms.is_unknown(o.left.0) || self.terms.is_unknown(o.right.0) {
            return self.gives(o, T::UNKNOWN);
        }
        if matches!(o.op, BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge) {
            return self.try_ordering(o, force);
        }
        let (l, r) = (self.terms.head(o.left.0).clone(), self.terms.head(o.right.0).clone());
        use BinaryOp::{Add, Div, Mul, Rem, Sub};
        match (o.op, l, r) {
            (_, Term::Int, Term::Int) => self.gives(o, T::INT),
            (_, Term::Int, Term::Var) => self.with(o.right.0, T::INT, o, T::INT),
            (Add | Sub | Rem, Term::Var, Term::Int) => self.with(o.left.0, T::INT, o, T::INT),
            (_, Term::Float, Term::Float) => self.gives(o, T::FLOAT),
            (_, Term::Float, Term::Var) => self.with(o.right.0, T::FLOAT, o, T::FLOAT),
            (_, Term::Var, Term::Float) => self.with(o.left.0, T::FLOAT, o, T::FLOAT),
            (Add | Sub, Term::Duration, Term::Duration) => self.gives(o, T::DURATION),
            (Add | Sub, Term::Duration, Term::Var) => self.with(o.right.0, T::DURATION, o, T::DURATION),
            (Mul | Div, Term::Duration, Term::Int) => self.gives(o, T::DURATION),
            (Mul | Div, Term::Duration, Term::Var) => self.with(o.right.0, T::INT, o, T::DURATION),
            (Add | Sub, Term::Time, Term::Duration) => self.gives(o, T::TIME),
            (Sub, Term::Time, Term::Time) => self.gives(o, T::DURATION),
            (Add, Term::Time, Term::Var) => self.with(o.right.0, T::DURATION, o, T::TIME),
            (Sub, Term::Var, Term::Time) => self.with(o.left.0, T::TIME, o, T::DURATION),
            (Mul | Div, Term::Var, Term::Int) if force => self.with(o.left.0, T::INT, o, T::INT),
            (Add | Sub, Term::Var, Term::Duration) if force => {
                self.with(o.left.0, T::DURATION, o, T::DURATION)
            }
            (_, Term::Var, Term::Var) if force => {
                self.terms.unify(o.left.0, T::INT);
                self.with(o.right.0, T::INT, o, T::INT)
            }
            (Mul | Div, Term::Var, Term::Int)
            | (Add | Sub, Term::Var, Term::Duration)
            | (Sub, Term::Time, Term::Var)
            | (_, Term::Var, Term::Var) => false,
            _ => {
                let error = operation_error(&self.terms, o);
                self.reports.add(error, o.chain, &self.terms);
                self.gives(o, T::UNKNOWN)
            }
        }
    }

    fn gives(&mut self, o: Operation, result: T) -> bool {
        self.terms.unify(o.result, result);
        true
    }

    fn with(&mut self, side: T, is: T, o: Operation, result: T) -> bool {
        self.terms.unify(side, is);
        self.gives(o, result)
    }

    fn try_ordering(&mut self, o: Operation, force: bool) -> bool {
        let chain = std::mem::replace(&mut self.here.chain, o.chain);
        let agreed = self.demand(o.right.0, o.left.0, o.right.1, Origin::new(Why::Operand, o.left.1));
        self.here.chain = chain;
        if !agreed {
            return true;
        }
        match self.terms.head(o.left.0) {
            Term::Var if force => self.terms.unify(o.left.0, T::INT),
            Term::Var => false,
            _ => {
                let demand =
                    Demand { ability: Ability::Order, ty: o.left.0, span: o.op_span, chain: o.chain };
                self.goals.demands.push(demand);
                true
            }
        }
    }

    /// Demands that values of `ty` can be compared with `==`.
    pub fn need_equality(&mut self, ty: T, span: Span) {
        self.need(Ability::Equality, ty, span);
    }

    /// Demands that values of `ty` can be keys of a Map.
    pub fn need_key(&mut self, ty: T, span: Span) {
        self.need(Ability::Key, ty, span);
    }

    /// Demands that a value can stand in a text.
    pub fn need_text_form(&mut self, value: &Draft) {
        if !matches!(value.kind, Kind::Error) {
            self.need(Ability::TextForm, value.ty, value.span);
        }
    }

    /// Demands an ability of a type.
    pub fn need(&mut self, ability: Ability, ty: T, span: Span) {
        self.goals.demands.push(Demand { ability, ty, span, chain: self.here.chain });
    }

    fn look_at(&mut self, demand: Demand) {
        let mut culprit = None;
        if let Ability::Format(asked) = demand.ability {
            return self.look_at_format(asked, demand.ty, demand.span, demand.chain);
        }
        if demand.ability == Ability::Sum {
            culprit = Some(demand.ty).filter(|ty| !self.adds_up(*ty));
        } else if demand.ability == Ability::Sent {
            let is_sent = matches!(self.terms.head(demand.ty), Term::Text | Term::Bytes | Term::Unknown);
            culprit = Some(demand.ty).filter(|_| !is_sent);
        } else {
            self.search(demand.ability, demand.ty, &mut Vec::new(), &mut culprit);
        }
        let Some(culprit) = culprit else { return };
        let (whole, part) = (self.terms.show(demand.ty), self.terms.show(culprit));
        let inside =
            if whole == part { String::new() } else { format!(", because {} is in it", article(&part)) };
        let error = match demand.ability {
            Ability::Equality => Diagnostic::error(
                "E0304",
                format!("Values of type `{whole}` cannot be compared with `==`{inside}"),
                demand.span,
                "compared here",
            ),
            Ability::Sum => {
                let help = match self.terms.head(demand.ty) {
                    Term::Text => "Texts are joined: `xs.join()`.",
                    _ => "Ints, Floats and Durations have a sum. Take the numbers out first: `xs.map(x => x.size).sum()`.",
                };
                let message = format!("Values of type `{whole}` cannot be added up");
                Diagnostic::error("E0302", message, demand.span, "has no sum").help(help)
            }
            Ability::Order => Diagnostic::error(
                "E0305",
                format!("Values of type `{whole}` have no order{inside}"),
                demand.span,
                "needs an order",
            )
            .help("Functions, streams and values of the server have none. Compare a part that has one."),
            Ability::Key => Diagnostic::error(
                "E0331",
                format!("A value of type `{whole}` cannot be a key{inside}"),
                demand.span,
                "looked up by this",
            )
            .help("Keys of a Map and elements of a Set are found by `==`; use a number, a text or what is made of such."),
            Ability::TextForm => Diagnostic::error(
                "E0306",
                format!("A value of type `{whole}` has no text form{inside}"),
                demand.span,
                "this would have to become text",
            )
            .help(match self.terms.head(demand.ty) {
                Term::Fn(..) => "Call the function, `f(...)`, and print its result.",
                _ => "Functions, streams and values of the server have none. Take a part that has one.",
            }),
            Ability::Format(_) => return,
            Ability::Sent => Diagnostic::error(
                "E0650",
                format!("A stream of `{whole}` cannot be the body of a request"),
                demand.span,
                "sent here",
            )
            .help("Its items are Texts, sent as lines, or Bytes. Make texts of them first: `.map(x => \"{x}\")`."),
            Ability::Json => Diagnostic::error(
                "E0351",
                format!("{} has no JSON form{inside}", capital(&article(&whole))),
                demand.span,
                "this would have to be JSON",
            ),
            Ability::Carried => Diagnostic::error(
                "E0631",
                format!("{} cannot be shared by requests{inside}", capital(&article(&whole))),
                demand.span,
                "would be copied from one request to others",
            )
            .help("Functions, streams and values of the server belong to one request. Share the data that they are made of."),
            Ability::Kept => Diagnostic::error(
                "E0313",
                format!("A top-level `let` cannot hold {}{inside}", article(&whole)),
                demand.span,
                "kept for the whole program",
            )
            .help(match self.terms.head(culprit) {
                Term::Record(..) => "Tasks and channels belong to one request, and a top-level `let` is shared by all of them. Make it in a function.",
                Term::Native(_) => "It lives as long as the request or program that made it, and a top-level `let` is shared by all requests. Keep what is read of it, as in `let text = fetch(url)?.text()?`, or write `var`, which functions do not see.",
                _ => "A stream is read once, and a top-level `let` is shared by all requests. Make the stream in a function.",
            }),
        };
        self.reports.add(error, demand.chain, &self.terms);
    }

    fn adds_up(&mut self, ty: T) -> bool {
        if self.terms.is_var(ty) {
            self.terms.unify(ty, T::INT);
        }
        matches!(
            self.terms.head(ty),
            Term::Int | Term::Float | Term::Duration | Term::Rigid(_) | Term::Unknown
        )
    }

    /// Whether a type of the runtime is one of what belongs to a request.
    fn is_of_one_request(&self, id: TypeId) -> bool {
        OF_ONE_REQUEST.contains(&self.modules.ty(id).decl.name.text.as_str())
    }

    /// The first part of `ty` that lacks the ability. Each declared type is looked into once, and no more of them than an
    /// honest type has.
    pub fn search(&mut self, ability: Ability, ty: T, seen: &mut Vec<T>, culprit: &mut Option<T>) {
        if culprit.is_some() {
            return;
        }
        match self.terms.head(ty).clone() {
            Term::Stream(_) => *culprit = Some(ty),
            Term::Fn(..) | Term::Native(_) if ability != Ability::Kept => *culprit = Some(ty),
            Term::Native(id) if self.is_of_one_request(id) => *culprit = Some(ty),
            Term::Record(id, _) if self.is_native(id) => {
                *culprit = Some(ty).filter(|_| ability != Ability::Kept || self.is_of_one_request(id));
            }
            Term::List(t) | Term::Set(t) | Term::Option(t) => self.search(ability, t, seen, culprit),
            Term::Tuple(parts) | Term::Anonymous(_, parts) => {
                for part in parts.iter() {
                    self.search(ability, *part, seen, culprit);
                }
            }
            Term::Map(key, value) => {
                self.search(ability, key, seen, culprit);
                self.search(ability, value, seen, culprit);
            }
            Term::Record(id, args) => {
                if seen.len() >= MOST_PARTS || seen.iter().any(|s| self.terms.same(*s, ty)) {
                    return;
                }
                seen.push(ty);
                for (_, field) in self.field_types(id, &args) {
                    self.search(ability, field, seen, culprit);
                }
                for at in 0..self.cases_of(id).0.len() {
                    for (_, field) in self.case_types(id, at, &args) {
                        self.search(ability, field, seen, culprit);
                    }
                }
            }
            _ => {}
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default() + chars.as_str()
}

/// The diagnostic for a type that nothing decides.
pub fn type_not_known(span: Span) -> Diagnostic {
    Diagnostic::error("E0310", "The type of this is not known", span, "nothing here says what it is")
        .help("Write the type down, as in `let xs: List[Int] = []` or `(n: Int) => n`.")
}

fn operation_error(terms: &crate::unify::Terms, o: Operation) -> Diagnostic {
    let (left, right) = (terms.show(o.left.0), terms.show(o.right.0));
    let sign = o.op.symbol();
    let is_text = |t: T| matches!(terms.head(t), Term::Text);
    if o.op == BinaryOp::Add && (is_text(o.left.0) || is_text(o.right.0)) {
        return Diagnostic::error("E0303", "Texts are not joined with `+`", o.op_span, "not for Text")
            .label(o.left.1, format!("this is `{left}`"))
            .label(o.right.1, format!("this is `{right}`"))
            .help("Put the values into one text: `\"{a}{b}\"`.");
    }
    let error = Diagnostic::error(
        "E0302",
        format!("`{sign}` does not work on `{left}` and `{right}`"),
        o.op_span,
        "",
    )
    .label(o.left.1, format!("this is `{left}`"))
    .label(o.right.1, format!("this is `{right}`"));
    match (o.op, terms.head(o.left.0), terms.head(o.right.0)) {
        (_, Term::Int, Term::Float) | (_, Term::Float, Term::Int) => {
            error.help("Int and Float do not mix; make the Int a Float with `.to-float()`.")
        }
        (BinaryOp::Mul, Term::Int, Term::Duration) => error.help("Write the duration first: `1s * count`."),
        (BinaryOp::Add, Term::Duration, Term::Time) => error.help("Write the time first: `now + 5s`."),
        (BinaryOp::Div, Term::Duration, Term::Duration) => error.help("Divide their `.nanoseconds()`."),
        _ if terms.as_result(o.left.0).is_some() || terms.as_result(o.right.0).is_some() => {
            error.help("It may fail: hand the failure on with `?`, or give a fallback with `??`.")
        }
        (_, Term::Option(_), _) | (_, _, Term::Option(_)) => error.help("Give the option a fallback first: `(x ?? 0)`."),
        (_, Term::Rigid(name), _) | (_, _, Term::Rigid(name)) => {
            error.help(format!("`{name}` stands for any type. Leave the parameter's type away, and each call is checked by itself."))
        }
        (BinaryOp::Add, Term::List(_), _) => error.help("Lists are joined with `.concat(other)`, and grow with `.push(item)`."),
        _ => error,
    }
}
