//! Records: building them, and what fields a type has.

use super::arguments::{Callee, Given};
use super::{Checker, Origin, Want, Why};
use crate::draft::{Draft, Kind};
use crate::modules::{ModuleId, TypeEntry};
use crate::unify::{T, Term, TypeId};
use weir_syntax::ast::{Arg, FieldDecl, Name, TypeBody, TypeExprKind};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// Types that need no declaration.
pub const BUILT_IN: [&str; 14] = [
    "Int", "Float", "Bool", "Text", "Bytes", "Duration", "Time", "Range", "Never", "List", "Map", "Set",
    "Stream", "Option",
];

impl<'a> Checker<'a> {
    /// Whether `name` names a type here.
    pub fn is_type_name(&mut self, name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && (BUILT_IN.contains(&name) || self.type_in_scope(name).is_some())
    }

    pub(super) fn declared_fields(entry: TypeEntry<'a>) -> &'a [FieldDecl] {
        match &entry.decl.body {
            TypeBody::Record(fields) | TypeBody::Native(fields) => fields,
            TypeBody::Enum(_) | TypeBody::Alias(_) => &[],
        }
    }

    /// The fields of a declared type with these arguments.
    pub fn field_types(&mut self, id: TypeId, args: &[T]) -> Vec<(&'a str, T)> {
        let entry = self.modules.ty(id);
        let vars = type_args(entry, args);
        let fields = Self::declared_fields(entry).iter();
        fields.map(|f| (f.name.text.as_str(), self.annotation(&f.ty, entry.module, &vars))).collect()
    }

    /// The type of a field, when `ty` has one of that name.
    pub fn field_type(&mut self, ty: T, field: &str) -> Option<T> {
        let (id, args) = match self.terms.head(ty) {
            Term::Record(id, args) => (*id, args.to_vec()),
            Term::Native(id) => (*id, Vec::new()),
            Term::Anonymous(names, types) => {
                return names.iter().position(|name| **name == *field).map(|at| types[at]);
            }
            _ => return None,
        };
        self.field_types(id, &args).into_iter().find(|(name, _)| *name == field).map(|(_, ty)| ty)
    }

    /// The names of the fields of `ty`.
    pub fn field_names(&self, ty: T) -> Vec<String> {
        match self.terms.head(ty) {
            Term::Record(id, _) | Term::Native(id) => {
                Self::declared_fields(self.modules.ty(*id)).iter().map(|f| f.name.text.clone()).collect()
            }
            Term::Anonymous(names, _) => names.iter().map(|name| name.to_string()).collect(),
            _ => Vec::new(),
        }
    }

    /// `Name(args)`: a record.
    pub fn construct(&mut self, name: &'a Name, args: &'a [Arg], span: Span, want: Want) -> Draft {
        let Some(of) = self.record_named(name) else {
            let help = match self.is_tuple_alias(name) {
                true => "It is another name for a tuple, which is written in parentheses alone: `(a, b)`.",
                false => constructor_help(&name.text),
            };
            let error = Diagnostic::error(
                "E0413",
                format!("`{}` is not a record, so it is not built with parentheses", name.text),
                name.span,
                "",
            )
            .help(help);
            self.report(error);
            self.infer_anyway(args);
            return Draft::error(span);
        };
        let ty = self.terms.add(Term::Record(of.0, of.1.clone().into()));
        // What is expected decides the arguments before the fields do, so that they are lifted where needed.
        self.expect(ty, want);
        self.build_record(&name.text, of, ty, args, span)
    }

    /// A record of the declared type `ty`, which is `of`, from the fields that are written.
    pub(super) fn build_record(
        &mut self,
        name: &'a str,
        of: (TypeId, Vec<T>),
        ty: T,
        args: &'a [Arg],
        span: Span,
    ) -> Draft {
        match args.split_first() {
            Some((Arg::Spread(value), rest)) => {
                let base = self.expr(value, Want::Type(ty, Origin::of(Why::Field)));
                self.build_copy(name, of, ty, Some(base), rest, span)
            }
            _ => self.build_copy(name, of, ty, None, args, span),
        }
    }

    /// As `build_record`; fields that are not written are those of `base`.
    pub(super) fn build_copy(
        &mut self,
        name: &'a str,
        (id, vars): (TypeId, Vec<T>),
        ty: T,
        base: Option<Draft>,
        rest: &'a [Arg],
        span: Span,
    ) -> Draft {
        let entry = self.modules.ty(id);
        let mut stmts = Vec::new();
        let base = base.map(|base| self.bind_once(base, &mut stmts));
        let fields = Self::declared_fields(entry);
        let params: Vec<(&str, bool)> =
            fields.iter().map(|f| (f.name.text.as_str(), base.is_some() || f.default.is_some())).collect();
        let own = self.modules.is_own(entry.module);
        let declared = own.then_some(entry.decl.name.span);
        let callee = Callee { name, declared, params: &params, noun: "field" };
        let Some(given) = self.place_arguments(callee, None, rest, span) else {
            self.infer_anyway(rest);
            return Draft { ty, ..Draft::error(span) };
        };
        let vars = type_args(entry, &vars);
        let values = self.field_values(given, fields, entry.module, &vars, base.as_ref(), span);
        let values = self.in_written_order(values, rest, &params, false, &mut stmts);
        let record = Draft::new(Kind::Record(values), ty, span);
        self.behind(stmts, record)
    }

    /// The values of the fields of a record or case, of which `base` has those that are not given.
    pub(super) fn field_values(
        &mut self,
        given: Vec<Given<'a>>,
        fields: &'a [FieldDecl],
        module: ModuleId,
        vars: &[(&'a str, T)],
        base: Option<&Draft>,
        span: Span,
    ) -> Vec<Draft> {
        let own = self.modules.is_own(module);
        let mut values = Vec::with_capacity(fields.len());
        for (i, (given, field)) in given.into_iter().zip(fields).enumerate() {
            let field_ty = self.annotation(&field.ty, module, vars);
            let want = Want::Type(field_ty, Origin { why: Why::Field, span: own.then_some(field.name.span) });
            values.push(match (given, base, &field.default) {
                (Given::Expr(value), ..) => self.expr(value, want),
                (_, Some(base), _) => {
                    let base = base.again().unwrap_or_else(|| Draft::error(base.span));
                    Draft::new(Kind::Field(Box::new(base), i as u32), field_ty, span)
                }
                (_, None, Some(default)) => self.default_value(default, module, vars, want, span),
                (_, None, None) => Draft::error(span),
            });
        }
        values
    }

    /// Fills in the arguments of the generic type `ty` from what is expected.
    pub(super) fn expect(&mut self, ty: T, want: Want) {
        let Want::Type(expected, _) = want else { return };
        let expected = match self.terms.payload(expected) {
            // `Ok` itself is wanted to be the result, anything else what is in it.
            Some(item) if !self.terms.agree(expected, ty) => item,
            _ => expected,
        };
        if !self.terms.is_closed(ty) && self.terms.agree(expected, ty) && !self.terms.is_var(expected) {
            self.terms.unify(expected, ty);
        }
    }

    /// The record type that a name stands for, through aliases, with fresh arguments.
    pub(super) fn record_named(&mut self, name: &Name) -> Option<(TypeId, Vec<T>)> {
        let id = self.type_in_scope(&name.text)?;
        let entry = self.modules.ty(id);
        match &entry.decl.body {
            TypeBody::Record(_) => Some((id, entry.decl.vars.iter().map(|_| self.terms.var()).collect())),
            TypeBody::Enum(_) | TypeBody::Native(_) => None,
            TypeBody::Alias(target) => {
                let vars: Vec<(&str, T)> =
                    entry.decl.vars.iter().map(|v| (v.text.as_str(), self.terms.var())).collect();
                let target = self.annotation(target, entry.module, &vars);
                match self.terms.head(target) {
                    Term::Record(id, args) => Some((*id, args.to_vec())),
                    _ => None,
                }
            }
        }
    }

    fn is_tuple_alias(&mut self, name: &Name) -> bool {
        let Some(entry) = self.type_in_scope(&name.text).map(|id| self.modules.ty(id)) else { return false };
        matches!(&entry.decl.body, TypeBody::Alias(target) if matches!(target.kind, TypeExprKind::Tuple(_)))
    }

    /// Whether `ty` has a method of that name in its own module.
    pub fn is_method(&mut self, ty: T, name: &str) -> bool {
        self.methods_of(ty).contains(&name)
    }

    /// The names of a type's methods.
    pub fn methods_of(&mut self, ty: T) -> Vec<&'a str> {
        let head = self.terms.head(ty).clone();
        let Some(home) = self.home(&head).and_then(|home| self.modules.library(&home, &mut self.terms))
        else {
            return Vec::new();
        };
        let methods = self.modules.fns_of(home).filter(|f| f.decl.public && f.has_self());
        methods.map(|f| f.decl.name.text.as_str()).collect()
    }

    /// Whether values of a type are looked up in it by a Text.
    pub fn has_keys(&mut self, ty: T) -> bool {
        matches!(self.terms.head(ty), Term::Native(_)) && self.is_method(ty, "get")
    }
}

/// The type variables of a declaration with what they stand for.
pub(super) fn type_args<'a>(entry: TypeEntry<'a>, args: &[T]) -> Vec<(&'a str, T)> {
    entry.decl.vars.iter().map(|v| v.text.as_str()).zip(args.iter().copied()).collect()
}

fn constructor_help(name: &str) -> &'static str {
    match name {
        "Int" => "A Text becomes an Int with `.to-int()`.",
        "Text" => "Any value becomes a Text inside one: `\"{value}\"`.",
        "List" => "A list is written in brackets: `[1, 2]`.",
        "Option" => "An option is `Some(value)` or `None`.",
        "Response" => "A response is made with `respond(status: 200, body: \"...\")`.",
        _ => "Values of this type come from functions only.",
    }
}
