//! Calls: of declared functions, of instances, of function values.

use super::arguments::{Callee, Given, count};
use super::expr::is_int_constant;
use super::name::Meaning;
use super::{Checker, Origin, Want, Why};
use crate::draft::{DeclId, Draft, Kind, Target};
use crate::frames::Frames;
use crate::goals::Ability;
use crate::modules::{FnEntry, ModuleId};
use crate::unify::{T, Term};
use weir_syntax::ast::{self, Arg, ExprKind, FnBody};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// The native that gives the place of a call. In a default of one that the program makes, it is known here.
pub(super) const CALL_PLACE: &str = "call-place";
/// Natives that need something of the type that their first type variable stands for.
const NEEDS: [(&str, Ability); 11] = [
    ("print", Ability::TextForm),
    ("warn", Ability::TextForm),
    ("value-compare", Ability::Order),
    ("value-hash", Ability::Key),
    ("list-sort", Ability::Order),
    ("list-order", Ability::Order),
    ("list-sum", Ability::Sum),
    ("fetch-ask", Ability::Sent),
    ("fetch-lines", Ability::Sent),
    ("repl-keep", Ability::Carried),
    ("repl-show", Ability::TextForm),
];

/// What a native needs of the type that its first type variable stands for.
pub(super) fn needed(native: &str) -> Option<Ability> {
    NEEDS.iter().find(|(name, _)| *name == native).map(|(_, ability)| *ability)
}

/// Natives that read or write JSON of their first type.
const JSON: [&str; 5] = ["json-encode", "json-decode", "respond-json", "request-json", "answer-json"];

/// Natives that open what all requests share, for values of their first type.
const OPENS: [&str; 3] = ["store-open", "topic-open", "share-open"];

/// Whether a function is the library's `share`.
fn is_shared(function: FnEntry<'_>) -> bool {
    matches!(&function.decl.body, FnBody::Native(native) if native.text == "share-open")
}

impl<'a> Checker<'a> {
    /// `callee(args)`
    pub fn call(&mut self, callee: &'a ast::Expr, args: &'a [Arg], span: Span, want: Want) -> Draft {
        let ExprKind::Name(name) = &callee.kind else {
            let callee = self.expr(callee, Want::Any);
            return self.call_value(callee, args, span);
        };
        if name.text == "Some" {
            return self.some(args, span, want);
        }
        match self.meaning(&name.text) {
            Meaning::Variable(binding) => {
                let callee = self.variable(binding, name.span);
                self.call_value(callee, args, span)
            }
            Meaning::Global(id) => {
                let callee = self.global(id, name);
                self.call_value(callee, args, span)
            }
            Meaning::Function(decl) => {
                let module = self.modules.function(decl).module;
                let failing = match self.modules.is_own(module) {
                    true => None,
                    false => self.failing_combinator(module, &name.text, args),
                };
                self.call_function(failing.unwrap_or(decl), None, args, span)
            }
            Meaning::Nothing if self.case_in_scope(&name.text).is_some() => {
                self.construct_case(name, args, span, want)
            }
            Meaning::Nothing if name.text == super::collection::SET => self.set(args, span, want),
            Meaning::Nothing if self.is_type_name(&name.text) => self.construct(name, args, span, want),
            Meaning::Nothing => {
                self.unknown_name(name, true);
                self.infer_anyway(args);
                Draft::error(span)
            }
        }
    }

    /// `Some(value)`
    fn some(&mut self, args: &'a [Arg], span: Span, want: Want) -> Draft {
        let params = [("value", false)];
        let callee = Callee { name: "Some", declared: None, params: &params, noun: "argument" };
        let Some(given) = self.place_arguments(callee, None, args, span) else {
            self.infer_anyway(args);
            return Draft::error(span);
        };
        let inner = match want {
            Want::Type(ty, origin) => match *self.terms.head(ty) {
                Term::Option(item) => Want::Type(item, origin),
                _ => Want::Any,
            },
            _ => Want::Any,
        };
        let Some(Given::Expr(value)) = given.into_iter().next() else { return Draft::error(span) };
        let value = self.expr(value, inner);
        let item = match inner {
            Want::Type(item, _) => item,
            _ => value.ty,
        };
        let ty = self.terms.add(Term::Option(item));
        Draft::new(Kind::Some(Box::new(value)), ty, span)
    }

    /// The function `name` of the library module `module`, whether public or not.
    pub fn library_fn(&mut self, module: &str, name: &str) -> Option<DeclId> {
        let module = self.modules.library(module, &mut self.terms)?;
        self.modules.find_fn(module, name)
    }

    /// The types that stand for a declaration's type variables in one use of it.
    pub fn fresh_vars(&mut self, function: FnEntry<'a>) -> Vec<(&'a str, T)> {
        function.decl.vars.iter().map(|v| (v.text.as_str(), self.terms.var())).collect()
    }

    /// The declared type of each parameter; `None` where none is written.
    pub fn param_types(&mut self, function: FnEntry<'a>, vars: &[(&'a str, T)]) -> Vec<Option<T>> {
        let params = function.decl.params.iter();
        params.map(|p| p.ty.as_ref().map(|ty| self.annotation(ty, function.module, vars))).collect()
    }

    /// The declared result; unit for a native without one.
    pub fn result_type(&mut self, function: FnEntry<'a>, vars: &[(&'a str, T)]) -> Option<T> {
        match &function.decl.result {
            Some(ty) => Some(self.annotation(ty, function.module, vars)),
            None => matches!(function.decl.body, FnBody::Native(_)).then_some(T::UNIT),
        }
    }

    /// A call of a function, with a receiver when it is called as a method.
    pub fn call_function(
        &mut self,
        decl: DeclId,
        receiver: Option<Draft>,
        args: &'a [Arg],
        span: Span,
    ) -> Draft {
        let function = self.modules.function(decl);
        let params: Vec<(&str, bool)> =
            function.decl.params.iter().map(|p| (p.name.text.as_str(), p.default.is_some())).collect();
        let own = self.modules.is_own(function.module);
        let callee = Callee {
            name: &function.decl.name.text,
            declared: own.then_some(function.decl.name.span),
            params: &params,
            noun: "argument",
        };
        let vars = self.fresh_vars(function);
        let types = self.param_types(function, &vars);
        let is_method = receiver.is_some();
        let Some(given) = self.place_arguments(callee, receiver, args, span) else {
            self.infer_anyway(args);
            let result = self.result_type(function, &vars).filter(|r| self.terms.is_closed(*r));
            return Draft { ty: result.unwrap_or(T::UNKNOWN), ..Draft::error(span) };
        };
        let (fitted, types) = self.fit_arguments(function, given, types, &vars, span);
        let mut stmts = Vec::new();
        let fitted = self.in_written_order(fitted, args, &params, is_method, &mut stmts);
        let call = self.call_fitted(decl, fitted, types, vars, span);
        self.behind(stmts, call)
    }

    /// A call with arguments that the checker made itself, one for each parameter.
    pub fn call_with(&mut self, decl: DeclId, args: Vec<Draft>, span: Span) -> Draft {
        let function = self.modules.function(decl);
        let vars = self.fresh_vars(function);
        let types = self.param_types(function, &vars);
        let mut fitted = Vec::with_capacity(args.len());
        let mut solved = Vec::with_capacity(args.len());
        for (arg, ty) in args.into_iter().zip(types) {
            let ty = ty.unwrap_or(arg.ty);
            fitted.push(self.coerce(arg, ty, Origin::of(Why::Operand)));
            solved.push(ty);
        }
        self.call_fitted(decl, fitted, solved, vars, span)
    }

    /// Infers the arguments against the parameters: lambdas last, since the others decide what they are given.
    fn fit_arguments(
        &mut self,
        function: FnEntry<'a>,
        given: Vec<Given<'a>>,
        types: Vec<Option<T>>,
        vars: &[(&'a str, T)],
        span: Span,
    ) -> (Vec<Draft>, Vec<T>) {
        let own = self.modules.is_own(function.module);
        let mut args: Vec<Option<Draft>> = given.iter().map(|_| None).collect();
        // A literal Int is what the other arguments make of its type, which may be a Float.
        let waits_for = |i: usize, given: &Given<'a>| match given {
            Given::Expr(ast::Expr { kind: ExprKind::Lambda { .. }, .. }) => 2,
            Given::Expr(e) if is_int_constant(e) && types[i].is_some_and(|t| self.terms.is_var(t)) => 1,
            _ => 0,
        };
        let mut order: Vec<(usize, Given<'a>)> = given.into_iter().enumerate().collect();
        order.sort_by_key(|(i, given)| waits_for(*i, given));
        for (i, given) in order {
            let param = &function.decl.params[i];
            let origin = Origin { why: Why::Parameter, span: own.then_some(param.name.span) };
            let want = types[i].map_or(Want::Any, |ty| Want::Type(ty, origin));
            args[i] = Some(match given {
                Given::Expr(expr) if param.mutable => {
                    let argument = self.expr(expr, Want::Any);
                    self.changed_argument(argument, types[i], origin, &function.decl.name.text)
                }
                Given::Draft(draft) if param.mutable => {
                    self.changed_argument(draft, types[i], origin, &function.decl.name.text)
                }
                // What is shared is evaluated when it is wanted.
                Given::Expr(expr) if is_shared(function) && !matches!(expr.kind, ExprKind::Lambda { .. }) => {
                    self.lambda(&[], expr, expr.span, want)
                }
                Given::Expr(expr) => self.expr(expr, want),
                Given::Draft(draft) => self.finish(draft, want),
                Given::Default => {
                    let default =
                        param.default.as_ref().expect("only a parameter with a default may be left out");
                    self.default_value(default, function.module, vars, want, span)
                }
            });
        }
        let args: Vec<Draft> =
            args.into_iter().map(|a| a.expect("each parameter was given something")).collect();
        let types = types.into_iter().zip(&args).map(|(ty, arg)| ty.unwrap_or(arg.ty)).collect();
        (args, types)
    }

    /// A default, inferred at the call at `span`: it sees what its declaration sees, and no variables.
    pub fn default_value(
        &mut self,
        default: &'a ast::Expr,
        module: ModuleId,
        vars: &[(&'a str, T)],
        want: Want,
        span: Span,
    ) -> Draft {
        let own = self.modules.is_own(self.here.module);
        let outer = std::mem::replace(&mut self.defaulted, own.then_some(span));
        let scope = std::mem::take(&mut self.here.scope);
        let own = std::mem::replace(&mut self.here.module, module);
        let type_vars = std::mem::replace(&mut self.frame().type_vars, vars.to_vec());
        let draft = self.expr(default, want);
        self.frame().type_vars = type_vars;
        self.here.module = own;
        self.here.scope = scope;
        self.defaulted = outer;
        draft
    }

    fn call_fitted(
        &mut self,
        decl: DeclId,
        args: Vec<Draft>,
        types: Vec<T>,
        vars: Vec<(&'a str, T)>,
        span: Span,
    ) -> Draft {
        let function = self.modules.function(decl);
        if let FnBody::Native(native) = &function.decl.body {
            if let Some(ability) = needed(&native.text)
                && let Some(arg) = args.first()
                && !matches!(arg.kind, Kind::Error)
                && let Some((_, ty)) = vars.first()
            {
                self.need(ability, *ty, arg.span);
            }
            if JSON.contains(&native.text.as_str())
                && let Some((_, ty)) = vars.first()
            {
                self.need(Ability::Json, *ty, span);
            }
            if OPENS.contains(&native.text.as_str())
                && let Some((_, ty)) = vars.first()
                && !self.opens(&function.decl.name.text, *ty, span)
            {
                return Draft::error(span);
            }
            let result = self.result_type(function, &vars).unwrap_or(T::UNIT);
            if native.text == CALL_PLACE
                && let Some(call) = self.defaulted
            {
                return Draft::new(Kind::Text(self.modules.place(call)), result, span);
            }
            let types = vars.into_iter().map(|(_, t)| t).collect();
            return Draft::new(Kind::CallNative(native.text.clone(), types, args), result, span);
        }
        if function.is_declared() {
            let result = self.result_type(function, &vars).unwrap_or(T::UNIT);
            let target = Target::Declared(decl, vars.into_iter().map(|(_, t)| t).collect());
            return Draft::new(Kind::Call(target, self.here.chain, args), result, span);
        }
        let types: Vec<T> =
            types.into_iter().zip(&args).map(|(ty, arg)| self.settled_param(ty, arg)).collect();
        match self.instance(decl, types, &vars, span) {
            Some(instance) => {
                let result = self.instance_result(instance);
                Draft::new(Kind::Call(Target::Instance(instance), self.here.chain, args), result, span)
            }
            None => Draft::error(span),
        }
    }

    /// `store(...)` and its like, for values of type `ty`; whether it stands among the statements of the main program.
    fn opens(&mut self, name: &str, ty: T, span: Span) -> bool {
        let is_main = self.here.frame == Frames::MAIN;
        if is_main {
            self.need(Ability::Carried, ty, span);
        } else {
            let message = format!("`{name}(...)` stands in a top-level `let` only");
            let error = Diagnostic::error("E0630", message, span, "would be opened by each request");
            self.report(error.help(format!("Open it once, at the top of the file, `let name = {name}(...)`, and use it here by that name.")));
        }
        is_main
    }

    /// A parameter that is given what does not come back has no type of its own.
    fn settled_param(&self, ty: T, arg: &Draft) -> T {
        if self.terms.is_never(arg.ty) && self.terms.is_never(ty) { T::UNIT } else { ty }
    }

    /// `f(args)` of a function value.
    pub fn call_value(&mut self, callee: Draft, args: &'a [Arg], span: Span) -> Draft {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                Arg::Positional(value) => values.push(value),
                Arg::Named(name, value) => {
                    let error = Diagnostic::error(
                        "E0402",
                        "A function value's parameters have no names",
                        name.span,
                        "named here",
                    )
                    .help("Give the arguments in order, without names.");
                    self.report(error);
                    values.push(value);
                }
                Arg::Spread(value) => values.push(value),
            }
        }
        let (params, result) = match self.known(callee.ty) {
            Term::Fn(params, result) => (params.to_vec(), result),
            Term::Var => {
                let params: Vec<T> = values.iter().map(|_| self.terms.var()).collect();
                let result = self.terms.var();
                let function = self.terms.function(&params, result);
                self.terms.unify(callee.ty, function);
                (params, result)
            }
            Term::Unknown | Term::Never => {
                self.infer_anyway(args);
                return Draft { ty: callee.ty, ..Draft::error(span) };
            }
            _ => {
                let shown = self.terms.show(callee.ty);
                let error = Diagnostic::error(
                    "E0404",
                    format!("This is `{shown}`, which cannot be called"),
                    callee.span,
                    "not a function",
                )
                .help("Only functions are called with parentheses.");
                self.report(error);
                self.infer_anyway(args);
                return Draft::error(span);
            }
        };
        if params.len() != values.len() {
            let (takes, gets) = (count(params.len(), "argument"), values.len());
            let message = format!(
                "This function takes {takes}, and {gets} {} given",
                if gets == 1 { "is" } else { "are" }
            );
            self.report(Diagnostic::error(
                "E0401",
                message,
                span,
                format!("it is `{}`", self.terms.show(callee.ty)),
            ));
            self.infer_anyway(args);
            return Draft { ty: result, ..Draft::error(span) };
        }
        let origin = Origin::of(Why::Parameter);
        let drafts: Vec<Draft> =
            values.iter().zip(&params).map(|(v, p)| self.expr(v, Want::Type(*p, origin))).collect();
        if !self.goals.is_empty() {
            self.solve(false);
        }
        Draft::new(Kind::CallValue(Box::new(callee), drafts), result, span)
    }
}
