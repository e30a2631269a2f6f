//! Cases of enums: building them, and what a type's cases are.

use super::arguments::Callee;
use super::record::type_args;
use super::{Checker, Want};
use crate::draft::{Draft, Kind};
use crate::typed::Cases;
use crate::unify::{T, Term, TypeId};
use weir_syntax::ast::{Arg, CaseDecl, Name, TypeBody};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;

/// The cases of options, which need no declaration.
pub const OPTION_CASES: [&str; 2] = ["Some", "None"];

impl<'a> Checker<'a> {
    /// The case `name` of an enum of this file, of one it uses by name, else of the prelude: the enum, and which of its cases.
    pub fn case_in_scope(&mut self, name: &str) -> Option<(TypeId, u32)> {
        if let Some(own) = self.modules.find_case(self.here.module, name) {
            return Some(own);
        }
        if let Some(imported) = self.modules.imported_case(self.here.module, name) {
            return Some(imported);
        }
        let prelude = self.prelude()?;
        self.modules.find_case(prelude, name)
    }

    /// The names of the cases that this file declares.
    pub fn visible_cases(&self) -> Vec<String> {
        let types = self.modules.types_of(self.here.module);
        types.flat_map(|(id, _)| self.cases_of(id).0).map(|(name, _)| name).collect()
    }

    fn case_decls(&self, id: TypeId) -> &'a [CaseDecl] {
        match &self.modules.ty(id).decl.body {
            TypeBody::Enum(cases) => cases,
            TypeBody::Record(_) | TypeBody::Native(_) | TypeBody::Alias(_) => &[],
        }
    }

    /// Whether a declared type is an enum.
    pub fn is_enum(&self, id: TypeId) -> bool {
        matches!(self.modules.ty(id).decl.body, TypeBody::Enum(_))
    }

    /// Whether a declared type is one of the runtime.
    pub fn is_native(&self, id: TypeId) -> bool {
        matches!(self.modules.ty(id).decl.body, TypeBody::Native(_))
    }

    /// The cases of a declared type; none when it is no enum.
    pub fn cases_of(&self, id: TypeId) -> Cases {
        Cases(self.case_decls(id).iter().map(|c| (c.name.text.clone(), c.fields.len())).collect())
    }

    /// The fields of a case of an enum with these arguments.
    pub fn case_types(&mut self, id: TypeId, at: usize, args: &[T]) -> Vec<(&'a str, T)> {
        let entry = self.modules.ty(id);
        let vars = type_args(entry, args);
        let fields = self.case_decls(id)[at].fields.iter();
        fields.map(|f| (f.name.text.as_str(), self.annotation(&f.ty, entry.module, &vars))).collect()
    }

    /// An enum with fresh arguments.
    pub fn fresh_type(&mut self, id: TypeId) -> (T, Vec<T>) {
        let vars: Vec<T> = self.modules.ty(id).decl.vars.iter().map(|_| self.terms.var()).collect();
        (self.terms.add(Term::Record(id, vars.clone().into())), vars)
    }

    /// `Name`: a case without fields.
    pub fn case_alone(&mut self, name: &'a Name) -> Draft {
        let Some((id, at)) = self.case_in_scope(&name.text) else { return Draft::error(name.span) };
        let case = &self.case_decls(id)[at as usize];
        let (ty, _) = self.fresh_type(id);
        if !case.fields.is_empty() {
            let fields: Vec<&str> = case.fields.iter().map(|f| f.name.text.as_str()).collect();
            let message = format!("`{}` is built with what it holds", name.text);
            let error = Diagnostic::error("E0409", message, name.span, "fields missing").help(format!(
                "Write `{}({})`.",
                name.text,
                fields.join(", ")
            ));
            self.report(error);
            return Draft { ty, ..Draft::error(name.span) };
        }
        Draft::new(Kind::Case(at, Vec::new()), ty, name.span)
    }

    /// `Name(args)`: a case with fields.
    pub fn construct_case(&mut self, name: &'a Name, args: &'a [Arg], span: Span, want: Want) -> Draft {
        let Some((id, at)) = self.case_in_scope(&name.text) else { return Draft::error(span) };
        let case = &self.case_decls(id)[at as usize];
        let entry = self.modules.ty(id);
        let (ty, vars) = self.fresh_type(id);
        if case.fields.is_empty() {
            let error =
                Diagnostic::error("E0401", format!("`{}` holds nothing", name.text), span, "not called")
                    .help(format!("Write `{}` alone.", name.text))
                    .fix(span, name.text.clone());
            self.report(error);
            self.infer_anyway(args);
            return Draft { ty, ..Draft::error(span) };
        }
        self.expect(ty, want);
        let params: Vec<(&str, bool)> =
            case.fields.iter().map(|f| (f.name.text.as_str(), f.default.is_some())).collect();
        let declared = self.modules.is_own(entry.module).then_some(case.name.span);
        let callee = Callee { name: &name.text, declared, params: &params, noun: "field" };
        let Some(given) = self.place_arguments(callee, None, args, span) else {
            self.infer_anyway(args);
            return Draft { ty, ..Draft::error(span) };
        };
        let vars = type_args(entry, &vars);
        let values = self.field_values(given, &case.fields, entry.module, &vars, None, span);
        let mut stmts = Vec::new();
        let values = self.in_written_order(values, args, &params, false, &mut stmts);
        let value = Draft::new(Kind::Case(at, values), ty, span);
        self.behind(stmts, value)
    }
}
