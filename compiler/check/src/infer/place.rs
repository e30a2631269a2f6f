//! Fields, elements and slices.

use super::{Checker, Origin, Want, Why};
use crate::draft::{Draft, Kind};
use crate::report::article;
use crate::unify::{T, Term};
use weir_syntax::ast::{self, ExprKind, Name};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

impl<'a> Checker<'a> {
    /// `receiver.name`
    pub fn field(&mut self, receiver: &'a ast::Expr, name: &'a Name, span: Span) -> Draft {
        if let ExprKind::Name(module) = &receiver.kind
            && let Some(id) = self.module_name(receiver)
        {
            if let Some(global) =
                self.global_named(id, &name.text).filter(|g| self.globals[g.0 as usize].public)
            {
                return self.global(global, name);
            }
            if let Some(global) = self.global_named(id, &name.text) {
                let bound = self.globals[global.0 as usize].span;
                let message = format!("`{}` is private to the module `{}`", name.text, module.text);
                let error = Diagnostic::error("E0412", message, name.span, "not for use from outside")
                    .label(bound, "bound here")
                    .help("Write `pub` in front of its `let` to let other files use it.");
                self.report(error);
                return Draft::error(span);
            }
            if self.modules.is_own(id)
                && let Some(decl) = self.modules.find_fn(id, &name.text)
                && self.modules.function(decl).decl.public
            {
                return self.function_value(decl, span, Want::Any);
            }
            let mut error = Diagnostic::error(
                "E0210",
                format!("`{}` is a module, and what it offers is called", module.text),
                name.span,
                "a function of the module",
            );
            if self.modules.find_fn(id, &name.text).is_some() {
                error = error.help(format!("Call it: `{}.{}(...)`.", module.text, name.text));
            }
            self.report(error);
            return Draft::error(span);
        }
        let receiver = self.expr(receiver, Want::Any);
        match self.known(receiver.ty) {
            Term::Unknown | Term::Never => return Draft { ty: receiver.ty, ..Draft::error(span) },
            Term::Var => {
                self.not_known(&receiver);
                return Draft::error(span);
            }
            Term::Record(id, args) => {
                let fields = self.field_types(id, &args);
                if let Some(at) = fields.iter().position(|(field, _)| *field == name.text) {
                    let ty = fields[at].1;
                    return Draft::new(Kind::Field(Box::new(receiver), at as u32), ty, span);
                }
            }
            Term::Anonymous(names, types) => {
                if let Some(at) = names.iter().position(|field| **field == *name.text) {
                    return Draft::new(Kind::Field(Box::new(receiver), at as u32), types[at], span);
                }
            }
            Term::Native(id) => {
                let type_name = self.modules.ty(id).decl.name.text.as_str();
                let fields = self.field_types(id, &[]);
                if let Some((field, ty)) = fields.into_iter().find(|(field, _)| *field == name.text) {
                    return self.native_field(receiver, type_name, field, ty, span);
                }
            }
            _ => {}
        }
        self.no_field(&receiver, name);
        Draft::error(span)
    }

    fn no_field(&mut self, receiver: &Draft, name: &Name) {
        let (shown, text) = (self.terms.show(receiver.ty), name.text.as_str());
        let error = Diagnostic::error(
            "E0308",
            format!("There is no field `{text}` in {}", article(&shown)),
            name.span,
            "not known",
        )
        .label(receiver.span, format!("this is `{shown}`"));
        let fields = self.field_names(receiver.ty);
        let error = if self.is_method(receiver.ty, text) {
            error.help(format!("It is a method; call it with `.{text}()`.")).fix(name.span.after(), "()")
        } else if let Some(best) = closest(text, fields.iter().map(String::as_str)) {
            error.meant(name.span, best)
        } else if let Term::Tuple(parts) = self.terms.head(receiver.ty) {
            let names =
                ["a", "b", "c", "d"].get(..parts.len()).map_or("a, b, ...".into(), |names| names.join(", "));
            error.help(format!(
                "The parts of a tuple have no names. Take it apart with a pattern: `let ({names}) = ...`."
            ))
        } else if let Term::Option(_) = self.terms.head(receiver.ty) {
            error.help("The value may be missing: give a fallback with `??`, or look into it with `match` or `if let`.")
        } else if let Some(best) = closest(text, self.methods_of(receiver.ty)) {
            error.help(format!("Did you mean `.{best}()`?")).fix(name.span, format!("{best}()"))
        } else if fields.is_empty() && self.has_keys(receiver.ty) {
            error.help(format!("Look it up: `.get(\"{text}\")` gives the value, or `None`."))
        } else if fields.is_empty() {
            error
        } else {
            error.help(format!(
                "It has {}.",
                fields.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ")
            ))
        };
        self.report(error);
    }

    /// `receiver[index]`
    pub fn index(&mut self, receiver: &'a ast::Expr, index: &'a ast::Expr, span: Span) -> Draft {
        let receiver = self.expr(receiver, Want::Any);
        let head = self.known(receiver.ty);
        if let Term::Map(key, _) = head {
            return self.map_index(receiver, key, index, span);
        }
        if let ExprKind::Range { low, high, inclusive } = &index.kind {
            return self.slice(receiver, &head, low.as_deref(), high.as_deref(), *inclusive, span);
        }
        let index = self.expr(index, Want::Any);
        let shown = self.terms.show(receiver.ty);
        match head {
            Term::List(item) => {
                if matches!(self.terms.head(index.ty), Term::Range) {
                    let error = Diagnostic::error(
                        "E0309",
                        "A slice has its range written in the brackets",
                        index.span,
                        "a Range",
                    )
                    .help("Write the ends here, as in `xs[a..b]`.");
                    self.report(error);
                    return Draft { ty: receiver.ty, ..Draft::error(span) };
                }
                let index = self.coerce(index, T::INT, Origin::of(Why::Index));
                Draft::new(Kind::Index(Box::new(receiver), Box::new(index)), item, span)
            }
            Term::Unknown | Term::Never => Draft::error(span),
            Term::Var => {
                self.not_known(&receiver);
                Draft::error(span)
            }
            Term::Bytes => {
                let index = self.coerce(index, T::INT, Origin::of(Why::Index));
                match self.library_fn("bytes", "index") {
                    Some(byte) => self.call_with(byte, vec![receiver, index], span),
                    None => Draft::error(span),
                }
            }
            Term::Text => {
                let error = Diagnostic::error(
                    "E0309",
                    "A Text has no `[index]`",
                    span,
                    "a character's place is not known in advance",
                )
                .help("`.byte(i)` gives a byte, `t[a..b]` a part, and `.chars()` a list of the characters.");
                self.report(error);
                Draft::error(span)
            }
            _ => {
                let message = format!("There is nothing to index in {}", article(&shown));
                let mut error =
                    Diagnostic::error("E0309", message, receiver.span, format!("this is `{shown}`"));
                let fields = self.field_names(receiver.ty);
                if let Term::Tuple(_) = self.terms.head(receiver.ty) {
                    error = error.help("A tuple is taken apart by a pattern: `let (a, b) = ...`.");
                } else if let Some(first) = fields.first() {
                    error = error.help(format!("Its fields are read by their names, such as `.{first}`."));
                } else if self.has_keys(receiver.ty) {
                    error = error.help("`.get(key)` gives the value of a key, or `None`.");
                }
                self.report(error);
                Draft::error(span)
            }
        }
    }

    /// `receiver[low..high]`: the private `slice` of its module, missing ends filled in.
    fn slice(
        &mut self,
        receiver: Draft,
        head: &Term,
        low: Option<&'a ast::Expr>,
        high: Option<&'a ast::Expr>,
        inclusive: bool,
        span: Span,
    ) -> Draft {
        let int = Want::Type(T::INT, Origin::of(Why::Index));
        let home = match head {
            Term::Text => "text",
            Term::Bytes => "bytes",
            Term::List(_) => "list",
            _ => {
                for end in [low, high].into_iter().flatten() {
                    self.expr(end, int);
                }
                if !matches!(head, Term::Unknown | Term::Never) {
                    let shown = self.terms.show(receiver.ty);
                    self.report(Diagnostic::error(
                        "E0309",
                        format!("There are no slices of {}", article(&shown)),
                        receiver.span,
                        format!("this is `{shown}`"),
                    ));
                }
                return Draft::error(span);
            }
        };
        let (Some(slice), Some(len)) = (self.library_fn(home, "slice"), self.library_fn(home, "len")) else {
            return Draft::error(span);
        };
        let (mut stmts, ty) = (Vec::new(), receiver.ty);
        let receiver = if high.is_none() { self.bind_once(receiver, &mut stmts) } else { receiver };
        let again = receiver.again();
        let low = low.map_or_else(|| Draft::new(Kind::Int(0), T::INT, span), |low| self.expr(low, int));
        let high = match (high, again) {
            (Some(high), _) => {
                let high = self.expr(high, int);
                if inclusive { self.add_one(high) } else { high }
            }
            (None, Some(again)) => self.call_with(len, vec![again], span),
            (None, None) => Draft::error(span),
        };
        let mut call = self.call_with(slice, vec![receiver, low, high], span);
        call.ty = ty;
        self.behind(stmts, call)
    }
}
