//! Written types: from what the user wrote to types under inference.

use crate::infer::Checker;
use crate::modules::ModuleId;
use crate::unify::{T, Term};
use std::collections::HashMap;
use weir_syntax::ast::{FieldDecl, Name, TypeBody, TypeExpr, TypeExprKind};
use weir_syntax::diag::Diagnostic;
use weir_syntax::suggest::closest;

/// Aliases of aliases deeper than this are a cycle.
const ALIAS_DEPTH: u32 = 64;

impl<'a> Checker<'a> {
    /// The type written in `module`, where `vars` are the type variables in scope.
    pub fn annotation(&mut self, ty: &'a TypeExpr, module: ModuleId, vars: &[(&'a str, T)]) -> T {
        match &ty.kind {
            TypeExprKind::Name(name, args) => self.named_type(name, args, module, vars),
            TypeExprKind::Option(inner) => {
                let inner = self.annotation(inner, module, vars);
                self.terms.add(Term::Option(inner))
            }
            TypeExprKind::Fn(params, result) => {
                let params: Vec<T> = params.iter().map(|p| self.annotation(p, module, vars)).collect();
                let result = self.annotation(result, module, vars);
                self.terms.function(&params, result)
            }
            TypeExprKind::Tuple(parts) => {
                let parts: Vec<T> = parts.iter().map(|p| self.annotation(p, module, vars)).collect();
                self.terms.add(Term::Tuple(parts.into()))
            }
            TypeExprKind::Record(fields) => self.anonymous_type(fields, module, vars),
            TypeExprKind::Result(value) => {
                let value = self.annotation(value, module, vars);
                self.result_of(value)
            }
            TypeExprKind::Unit => T::UNIT,
            TypeExprKind::Error => T::UNKNOWN,
        }
    }

    /// `{a: A, b: B}`
    fn anonymous_type(&mut self, fields: &'a [FieldDecl], module: ModuleId, vars: &[(&'a str, T)]) -> T {
        let mut seen = HashMap::new();
        for field in fields {
            self.once(&mut seen, &field.name, "among the fields");
        }
        let names = fields.iter().map(|f| f.name.text.as_str().into()).collect();
        let types = fields.iter().map(|f| self.annotation(&f.ty, module, vars)).collect();
        self.terms.add(Term::Anonymous(names, types))
    }

    /// A type written in the body being inferred.
    pub fn annotation_here(&mut self, ty: &'a TypeExpr) -> T {
        let mut vars = Vec::new();
        let mut frame = Some(self.here.frame);
        while let Some(id) = frame {
            vars.extend_from_slice(&self.frames[id].type_vars);
            frame = self.frames[id].parent;
        }
        self.annotation(ty, self.here.module, &vars)
    }

    fn named_type(
        &mut self,
        name: &'a Name,
        args: &'a [TypeExpr],
        module: ModuleId,
        vars: &[(&'a str, T)],
    ) -> T {
        if let Some((_, var)) = vars.iter().find(|(v, _)| *v == name.text) {
            return if self.arity(name, args, 0) { *var } else { T::UNKNOWN };
        }
        let here = std::mem::replace(&mut self.here.module, module);
        let declared = self.type_in_scope(&name.text);
        self.here.module = here;
        if let Some(id) = declared {
            let entry = self.modules.ty(id);
            if !self.arity(name, args, entry.decl.vars.len()) {
                return T::UNKNOWN;
            }
            let args: Vec<T> = args.iter().map(|a| self.annotation(a, module, vars)).collect();
            return match &entry.decl.body {
                TypeBody::Record(_) | TypeBody::Enum(_) => self.terms.add(Term::Record(id, args.into())),
                // One with arguments is told apart by them, as a record is.
                TypeBody::Native(_) if !args.is_empty() => self.terms.add(Term::Record(id, args.into())),
                TypeBody::Native(_) => self.terms.add(Term::Native(id)),
                TypeBody::Alias(target) => {
                    let names = entry.decl.vars.iter().map(|v| v.text.as_str());
                    let inner: Vec<(&str, T)> = names.zip(args).collect();
                    self.alias(name, target, entry.module, &inner)
                }
            };
        }
        self.built_in(name, args, module, vars)
    }

    fn alias(&mut self, name: &Name, target: &'a TypeExpr, module: ModuleId, vars: &[(&'a str, T)]) -> T {
        if self.aliases >= ALIAS_DEPTH {
            let error = Diagnostic::error("E0213", format!("The type `{}` is defined by itself", name.text), name.span, "leads back here")
                .help("An alias is another name for a type that exists without it. A record may contain itself, in a list or an option.");
            self.report(error);
            return T::UNKNOWN;
        }
        self.aliases += 1;
        let ty = self.annotation(target, module, vars);
        self.aliases -= 1;
        ty
    }

    fn built_in(
        &mut self,
        name: &'a Name,
        args: &'a [TypeExpr],
        module: ModuleId,
        vars: &[(&'a str, T)],
    ) -> T {
        let plain = match name.text.as_str() {
            "Int" => T::INT,
            "Bool" => T::BOOL,
            "Text" => T::TEXT,
            "Float" => T::FLOAT,
            "Bytes" => T::BYTES,
            "Duration" => T::DURATION,
            "Time" => T::TIME,
            "Range" => T::RANGE,
            "Never" => T::NEVER,
            "List" | "Map" | "Set" | "Stream" | "Option" => return self.container(name, args, module, vars),
            _ => {
                self.unknown_type(name, vars);
                return T::UNKNOWN;
            }
        };
        if self.arity(name, args, 0) { plain } else { T::UNKNOWN }
    }

    fn container(
        &mut self,
        name: &'a Name,
        args: &'a [TypeExpr],
        module: ModuleId,
        vars: &[(&'a str, T)],
    ) -> T {
        let is_map = name.text == "Map";
        if !self.arity(name, args, if is_map { 2 } else { 1 }) {
            return T::UNKNOWN;
        }
        let item = self.annotation(&args[0], module, vars);
        if is_map {
            let value = self.annotation(&args[1], module, vars);
            return self.terms.add(Term::Map(item, value));
        }
        self.terms.add(match name.text.as_str() {
            "List" => Term::List(item),
            "Set" => Term::Set(item),
            "Stream" => Term::Stream(item),
            _ => Term::Option(item),
        })
    }

    fn arity(&mut self, name: &Name, args: &[TypeExpr], want: usize) -> bool {
        if args.len() == want {
            return true;
        }
        let text = &name.text;
        let message = match want {
            0 => format!("`{text}` takes no types in brackets"),
            1 => format!("`{text}` needs one type in brackets"),
            _ => format!("`{text}` needs {want} types in brackets"),
        };
        let example = vec!["Int"; want].join(", ");
        let mut error = Diagnostic::error("E0204", message, name.span, format!("{} given", args.len()));
        if want > 0 {
            error = error.help(format!("Such as `{text}[{example}]`."));
        }
        self.report(error);
        false
    }

    fn unknown_type(&mut self, name: &Name, vars: &[(&'a str, T)]) {
        let text = name.text.as_str();
        if self.modules.is_lost(self.here.module, text) {
            return;
        }
        let mut error =
            Diagnostic::error("E0203", format!("There is no type `{text}`"), name.span, "not known");
        let mut names: Vec<String> = vars.iter().map(|(v, _)| v.to_string()).collect();
        names.extend(self.modules.types_of(ModuleId::MAIN).map(|(_, t)| t.decl.name.text.clone()));
        names.extend(crate::infer::BUILT_IN.map(str::to_string));
        names.extend(["Request", "Response"].map(str::to_string));
        let usual = match text {
            "String" | "Str" | "string" | "str" => Some("Text"),
            "Integer" | "int" | "i64" => Some("Int"),
            "Boolean" | "bool" => Some("Bool"),
            "Array" | "Vec" => Some("List"),
            "Void" | "void" | "Unit" => Some("()"),
            _ => None,
        };
        if let Some(best) = usual.or_else(|| closest(text, names.iter().map(String::as_str))) {
            error = error.meant(name.span, best);
        }
        self.report(error);
    }
}
