//! Methods: `x.f(y)` is a function of the module of `x`'s type, else the function `f(x, y)`; and `module.f(y)`.

use super::name::{InLibrary, Meaning};
use super::{Checker, Want};
use crate::draft::{Draft, Kind};
use crate::modules::ModuleId;
use crate::report::article;
use crate::unify::{T, Term};
use weir_syntax::ast::{self, Arg, ExprKind, Name};
use weir_syntax::diag::Diagnostic;
use weir_syntax::naming::kebab_case;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

/// A type with more methods than this is not explained by their names.
const MOST_NAMED: usize = 16;

/// What makes an event of an item, where the library sends an event stream.
const AS_EVENT: &str = "as-event";

impl<'a> Checker<'a> {
    /// `receiver.name(args)`
    pub fn method(&mut self, receiver: &'a ast::Expr, name: &'a Name, args: &'a [Arg], span: Span) -> Draft {
        if let Some(module) = self.module_name(receiver) {
            return self.qualified(module, name, args, span);
        }
        let written = receiver;
        let receiver = self.expr(receiver, Want::Any);
        let head = self.known(receiver.ty);
        match head {
            Term::Unknown | Term::Never => {
                self.infer_anyway(args);
                return Draft { ty: receiver.ty, ..Draft::error(span) };
            }
            Term::Var => {
                self.not_known(&receiver);
                self.infer_anyway(args);
                return Draft::error(span);
            }
            _ => {}
        }
        let home = self.home(&head).and_then(|home| self.modules.library(&home, &mut self.terms));
        if let Some(home) = home
            && let Some(decl) = self.modules.find_fn(home, &name.text)
            && self.modules.function(decl).has_self()
            && (self.modules.function(decl).decl.public || self.here.module == home)
        {
            let failing = match head {
                Term::Stream(_) | Term::List(_) | Term::Record(..) => {
                    self.failing_combinator(home, &name.text, args)
                }
                _ => None,
            };
            let decl = failing.unwrap_or(decl);
            return self.call_function(decl, Some(receiver), args, span);
        }
        if let Some(decl) = self.function_in_scope(&name.text)
            && !self.modules.function(decl).decl.params.is_empty()
        {
            return self.call_function(decl, Some(receiver), args, span);
        }
        let hidden = self.hidden_module(written, name);
        self.no_method(&receiver, name, home, hidden);
        self.infer_anyway(args);
        Draft::error(span)
    }

    /// The module that an expression names, when it is the name of one and of no variable. A function of the prelude may
    /// have a module's name (`env` and `env.all`).
    pub fn module_name(&mut self, receiver: &'a ast::Expr) -> Option<ModuleId> {
        let ExprKind::Name(name) = &receiver.kind else { return None };
        match self.meaning(&name.text) {
            Meaning::Nothing => self.module_called(&name.text),
            Meaning::Function(decl) if Some(self.modules.function(decl).module) == self.prelude() => {
                self.module_called(&name.text)
            }
            _ => None,
        }
    }

    /// The module that is called `name` here: one that this file uses, else one of the library.
    pub fn module_called(&mut self, name: &str) -> Option<ModuleId> {
        let used = self.modules.used_as(self.here.module, name);
        used.or_else(|| self.modules.library(name, &mut self.terms))
    }

    /// `module.name(args)`
    fn qualified(&mut self, module: ModuleId, name: &'a Name, args: &'a [Arg], span: Span) -> Draft {
        let found = self.modules.find_fn(module, &name.text);
        if let Some(decl) = found.filter(|d| self.modules.function(*d).decl.public) {
            return self.call_function(decl, None, args, span);
        }
        if let Some(global) =
            self.global_named(module, &name.text).filter(|g| self.globals[g.0 as usize].public)
        {
            let callee = self.global(global, name);
            return self.call_value(callee, args, span);
        }
        let module_text = self.modules.get(module).name.clone();
        let mut error = match found {
            Some(decl) => {
                let message = format!("`{}` is private to the module `{module_text}`", name.text);
                let error = Diagnostic::error("E0412", message, name.span, "not for use from outside");
                match self.modules.is_own(module) {
                    true => error
                        .label(self.modules.function(decl).decl.name.span, "declared here")
                        .help("Write `pub` in front of its declaration to let other files use it."),
                    false => error,
                }
            }
            None => {
                let message = format!("The module `{module_text}` has no function `{}`", name.text);
                Diagnostic::error("E0210", message, name.span, "not known")
            }
        };
        let names: Vec<&str> = self
            .modules
            .fns_of(module)
            .filter(|f| f.decl.public)
            .map(|f| f.decl.name.text.as_str())
            .collect();
        if let Some(best) = closest(&name.text, names.iter().copied()) {
            error = error.meant(name.span, best);
        }
        self.report(error);
        self.infer_anyway(args);
        Draft::error(span)
    }

    /// The name of the module that holds the methods of a type.
    pub fn home(&self, head: &Term) -> Option<String> {
        let name = match head {
            Term::Int => "int",
            Term::Float => "float",
            Term::Bool => "bool",
            Term::Text => "text",
            Term::Duration => "duration",
            Term::Time => "time",
            Term::Range => "range",
            Term::List(_) => "list",
            Term::Map(..) => "map",
            Term::Set(_) => "set",
            Term::Bytes => "bytes",
            Term::Stream(_) => "stream",
            Term::Option(_) => "option",
            // A declared type of the library has a module of that name where it has methods.
            Term::Record(id, _) if self.modules.is_own(self.modules.ty(*id).module) => return None,
            Term::Record(id, _) | Term::Native(id) => {
                return Some(kebab_case(&self.modules.ty(*id).decl.name.text));
            }
            _ => return None,
        };
        Some(name.to_string())
    }

    /// The module that was meant when a variable of its name hides it: one that has the function.
    fn hidden_module(&mut self, receiver: &'a ast::Expr, name: &Name) -> Option<&'a str> {
        let ExprKind::Name(hidden) = &receiver.kind else { return None };
        let module = self.modules.library(&hidden.text, &mut self.terms)?;
        let decl = self.modules.find_fn(module, &name.text)?;
        self.modules.function(decl).decl.public.then_some(hidden.text.as_str())
    }

    fn no_method(&mut self, receiver: &Draft, name: &'a Name, home: Option<ModuleId>, hidden: Option<&str>) {
        let (shown, text) = (self.terms.show(receiver.ty), name.text.as_str());
        if let Some(field) = self.field_type(receiver.ty, text) {
            let error = if matches!(self.terms.head(field), Term::Fn(..)) {
                Diagnostic::error(
                    "E0406",
                    format!("`{text}` is a field that holds a function, not a method"),
                    name.span,
                    "a field",
                )
                .help(format!("Take the function out of the field with parentheses: `(x.{text})(...)`."))
            } else {
                Diagnostic::error("E0406", format!("`{text}` is a field, not a method"), name.span, "a field")
                    .help(format!("Read it without parentheses: `.{text}`."))
            };
            self.report(error);
            return;
        }
        if text == AS_EVENT && !self.modules.is_own(self.here.module) {
            let message =
                format!("The items of an event stream are events or Texts, not {}", article(&shown));
            let error = Diagnostic::error("E0608", message, name.span, "not an event");
            return self.report(error.help("Make events of them first: `.map(x => event(\"{x}\"))`."));
        }
        let mut error = Diagnostic::error(
            "E0405",
            format!("There is no method `{text}` for {}", article(&shown)),
            name.span,
            "not known",
        )
        .label(receiver.span, format!("this is `{shown}`"));
        if let Some(module) = hidden {
            let help = format!(
                "`{module}` is a variable here, which hides the module `{module}`. Give it another name."
            );
            self.report(error.help(help));
            return;
        }
        let elsewhere = self.place_in_library(text);
        let mut names: Vec<&str> = Vec::new();
        if let Some(home) = home {
            let methods = self.modules.fns_of(home).filter(|f| f.decl.public && f.has_self());
            names.extend(methods.map(|f| f.decl.name.text.as_str()));
        }
        let own = self.modules.fns_of(self.here.module).filter(|f| !f.decl.params.is_empty());
        let own: Vec<&str> = own.map(|f| f.decl.name.text.as_str()).collect();
        let fields = self.field_names(receiver.ty);
        let all = names.iter().chain(&own).copied().chain(fields.iter().map(String::as_str));
        if let Some(best) = closest(text, all) {
            error = error.meant(name.span, best);
        } else if let Some(InLibrary::Function(module)) = elsewhere {
            let help =
                format!("The module `{module}` has such a function: it is called as `{module}.{text}(...)`.");
            error = error.help(help);
        } else if let Term::Option(item) = *self.terms.head(receiver.ty) {
            let item = self.terms.show(item);
            error = error.help(format!("The `{item}` may be missing: give a fallback with `??`, or look into it with `match` or `if let`."));
        } else if matches!(self.terms.head(receiver.ty), Term::Rigid(_)) {
            error = error.help(format!("`{shown}` stands for any type. Leave the parameter's type away, and each call is checked by itself."));
        } else if names.len() > MOST_NAMED {
            error = error.help(format!("What `{shown}` can do stands in the specification, section 11."));
        } else if !names.is_empty() {
            error = error.help(format!(
                "It has {}.",
                names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
            ));
        } else {
            error = error.help(format!("A function `fn {text}(self, ...)` of your own can be called so."));
        }
        if matches!(self.meaning(text), Meaning::Variable(_)) {
            error = error.help(format!("`{text}` is a variable here; call it as `{text}(...)`."));
        }
        self.report(error);
    }

    /// `value.name` of a type of the runtime: the native that reads the field.
    pub fn native_field(
        &mut self,
        receiver: Draft,
        type_name: &str,
        field: &str,
        ty: T,
        span: Span,
    ) -> Draft {
        let native = format!("{}-{field}", kebab_case(type_name));
        Draft::new(Kind::CallNative(native, Vec::new(), vec![receiver]), ty, span)
    }
}
