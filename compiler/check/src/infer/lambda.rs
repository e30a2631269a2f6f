//! Function values: lambdas, and functions named as values.

use super::arguments::count;
use super::{Checker, Origin, Want, Why};
use crate::draft::{DeclId, Draft, FrameId, Kind, Target, ValueId};
use crate::goals::{FunctionValue, Goal, LambdaBody};
use crate::modules::FnEntry;
use crate::scope::Frame;
use crate::unify::{T, Term};
use crate::ways;
use weir_syntax::ast::{self, FnBody, Param};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

impl<'a> Checker<'a> {
    /// `(params) => body`. The body is inferred as soon as the parameters' types are known.
    pub fn lambda(&mut self, params: &'a [Param], body: &'a ast::Expr, span: Span, want: Want) -> Draft {
        let (fits, types, result) = self.lambda_types(params, span, want);
        for (param, ty) in params.iter().zip(&types) {
            if let Some(written) = &param.ty {
                let annotated = self.annotation_here(written);
                self.demand(annotated, *ty, written.span, Origin::of(Why::Parameter));
            }
        }
        let name = format!("lambda in {}", self.outer_name());
        let id = self.frames.open(Frame::within(self.here.frame, name, span, result));
        let here = self.inside(id);
        let outside = std::mem::replace(&mut self.here, here);
        for (param, ty) in params.iter().zip(&types) {
            let local = self.declare(&param.name.text, *ty, param.name.span, false);
            self.frame().params.push(local);
        }
        let here = std::mem::replace(&mut self.here, outside);
        self.settle(Goal::Lambda(LambdaBody { here, body, params: types.clone() }));
        if !fits {
            return Draft::error(span);
        }
        let ty = self.terms.function(&types, result);
        Draft::new(Kind::Closure(id), ty, span)
    }

    /// The types of a lambda's parameters and result as far as they are expected, else variables; and whether it has the
    /// expected number of parameters.
    fn lambda_types(&mut self, params: &'a [Param], span: Span, want: Want) -> (bool, Vec<T>, T) {
        if let Want::Type(ty, origin) = want {
            match self.terms.head(ty).clone() {
                Term::Fn(types, result) if types.len() == params.len() => {
                    return (true, types.to_vec(), result);
                }
                Term::Fn(types, _) => {
                    let (takes, gets) = (count(params.len(), "parameter"), count(types.len(), "argument"));
                    let mut error = Diagnostic::error(
                        "E0415",
                        format!("This lambda has {takes}, and it is called with {gets}"),
                        span,
                        format!("`{}` is expected", self.terms.show(ty)),
                    );
                    if let Some(place) = origin.span {
                        error = error.label(place, "expected because of this");
                    }
                    let apart = match types.as_ref() {
                        [one] => {
                            matches!(self.terms.head(*one), Term::Tuple(parts) if parts.len() == params.len())
                        }
                        _ => false,
                    };
                    self.report(if apart {
                        let names: Vec<&str> = params.iter().map(|p| p.name.text.as_str()).collect();
                        let names = names.join(", ");
                        error.help(format!("It is given a tuple. Take that apart in the body: `it => {{ let ({names}) = it; ... }}`."))
                    } else {
                        error.help("Write `_` for a parameter that is not needed.")
                    });
                    return (false, vec![T::UNKNOWN; params.len()], T::UNKNOWN);
                }
                Term::Unknown => return (true, vec![T::UNKNOWN; params.len()], T::UNKNOWN),
                _ => {}
            }
        }
        (true, params.iter().map(|_| self.terms.var()).collect(), self.terms.var())
    }

    /// The name of the function that what stands here belongs to.
    pub(super) fn outer_name(&self) -> String {
        let mut frame = &self.frames[self.here.frame];
        while let Some(parent) = frame.parent {
            frame = &self.frames[parent];
        }
        frame.name.clone()
    }

    /// Infers a lambda's body.
    pub fn lambda_body(&mut self, lambda: LambdaBody<'a>) {
        self.fill(lambda.here, |c| {
            let result = c.frame().result;
            if c.terms.is_var(result) {
                c.begin_result(c.here.frame, ways::of_expr(lambda.body));
            }
            let want = match c.terms.head(result) {
                Term::Unit => Want::Effect,
                _ => c.want_given(),
            };
            let body = match want {
                Want::Effect => c.effect(lambda.body),
                want => c.expr(lambda.body, want),
            };
            let never = c.terms.is_never(body.ty);
            c.settle_result(never);
            body
        });
    }

    /// A function named as a value.
    pub fn function_value(&mut self, decl: DeclId, span: Span, want: Want) -> Draft {
        let function = self.modules.function(decl);
        if function.is_mutating() {
            self.changes_no_value(&function.decl.name.text, span);
            return Draft::error(span);
        }
        let vars = self.fresh_vars(function);
        let types = self.param_types(function, &vars);
        let types: Vec<T> = types.into_iter().map(|t| t.unwrap_or_else(|| self.terms.var())).collect();
        let declared = self.result_type(function, &vars);
        let result = declared.unwrap_or_else(|| self.terms.var());
        let ty = self.terms.function(&types, result);
        let value = ValueId(self.values.len() as u32);
        self.values.push(None);
        if let Want::Type(expected, _) = want
            && self.terms.agree(expected, ty)
        {
            self.terms.unify(expected, ty);
        }
        let vars: Vec<T> = vars.into_iter().map(|(_, t)| t).collect();
        if let FnBody::Native(native) = &function.decl.body {
            if let (Some(ability), Some(of)) = (super::call::needed(&native.text), vars.first()) {
                self.need(ability, *of, span);
            }
            let frame = self.native_wrapper(function, &native.text, &types, vars, result);
            return Draft::new(Kind::Closure(frame), ty, span);
        }
        if function.is_declared() {
            self.values[value.0 as usize] = Some(Target::Declared(decl, vars));
        } else {
            let chain = self.here.chain;
            self.settle(Goal::Value(FunctionValue { value, decl, params: types, vars, result, span, chain }));
        }
        Draft::new(Kind::FnValue(value), ty, span)
    }

    /// Finds the instance that a function value is, now that its parameter types are known.
    pub fn value_instance(&mut self, value: FunctionValue) {
        let function = self.modules.function(value.decl);
        let vars: Vec<(&str, T)> =
            function.decl.vars.iter().map(|v| v.text.as_str()).zip(value.vars).collect();
        let chain = std::mem::replace(&mut self.here.chain, value.chain);
        if let Some(instance) = self.instance(value.decl, value.params, &vars, value.span) {
            let result = self.instance_result(instance);
            self.demand(result, value.result, value.span, Origin::of(Why::Same));
            self.values[value.value.0 as usize] = Some(Target::Instance(instance));
        }
        self.here.chain = chain;
    }

    /// A lambda that calls a native, since a native is no function value itself.
    fn native_wrapper(
        &mut self,
        function: FnEntry<'a>,
        native: &str,
        types: &[T],
        vars: Vec<T>,
        result: T,
    ) -> FrameId {
        let decl = function.decl;
        let name = qualified_name(self.modules.get(function.module).name.as_str(), &decl.name.text);
        let span = decl.name.span;
        let mut frame = Frame::within(self.here.frame, name, span, result);
        let mut args = Vec::new();
        for (param, ty) in decl.params.iter().zip(types) {
            let local = frame.param(&param.name.text, *ty, param.name.span, false);
            args.push(Draft::new(Kind::Local(local), *ty, param.name.span));
        }
        frame.body = Some(Draft::new(Kind::CallNative(native.to_string(), vars, args), result, span));
        self.frames.open(frame)
    }
}

/// What stack traces call a function: `list.map`, or `fib` for one of the main file or the prelude.
pub fn qualified_name(module: &str, function: &str) -> String {
    match module {
        "" | crate::modules::PRELUDE => function.to_string(),
        _ => format!("{module}.{function}"),
    }
}
