//! Declared types without values: a record that holds itself, an enum each of whose cases does.
//!
//! In: the declarations. Out: a diagnostic for each such type, one for types that hold each other.
//! A type has values when one can be built from those that were found before it: lists, options and functions always can, a
//! record and a tuple need all their parts, an enum one of its cases. What has not been found when nothing more is found has
//! none. A type with variables is looked at for each combination of arguments that have values or not, as it is used.

use crate::infer::Checker;
use crate::modules::ModuleId;
use crate::unify::TypeId;
use std::collections::HashMap;
use weir_syntax::ast::{FieldDecl, Name, TypeBody, TypeExpr, TypeExprKind};
use weir_syntax::diag::Diagnostic;

/// Aliases of aliases are followed so far; those that lead back are reported elsewhere.
const ALIAS_DEPTH: u32 = 64;

/// A declared type, and which of its arguments have values.
type Use = (TypeId, Vec<bool>);

/// What was found so far.
#[derive(Default)]
struct Found {
    /// In the order in which they came up.
    uses: Vec<Use>,
    has_values: HashMap<Use, bool>,
}

impl Found {
    fn ask(&mut self, of: Use) -> bool {
        if let Some(&known) = self.has_values.get(&of) {
            return known;
        }
        self.uses.push(of.clone());
        self.has_values.insert(of, false);
        false
    }
}

impl<'a> Checker<'a> {
    /// Reports the types of the program that no value can have.
    pub fn endless_types(&mut self) {
        let own: Vec<TypeId> = self.modules.own_types().collect();
        let whole = |checker: &Self, id: TypeId| (id, vec![true; checker.modules.ty(id).decl.vars.len()]);
        let mut found = Found::default();
        for id in &own {
            found.ask(whole(self, *id));
        }
        self.find_values(&mut found);
        for id in own {
            let of = whole(self, id);
            if found.has_values[&of] {
                continue;
            }
            let name = &self.modules.ty(id).decl.name;
            let text = &name.text;
            let message = format!("A value of type `{text}` would hold another one, without end");
            let error = Diagnostic::error("E0213", message, name.span, "cannot be built");
            self.report(error.help(format!("Let it hold itself in an option or a list, such as `{text}?`.")));
            // Types that hold this one are no mistake of their own.
            found.has_values.insert(of, true);
            self.find_values(&mut found);
        }
    }

    fn find_values(&self, found: &mut Found) {
        loop {
            let mut more = false;
            // Types mostly name those that are declared before or those behind them: there and back again.
            let count = found.uses.len();
            for at in (0..count).rev().chain(0..count) {
                let of = found.uses[at].clone();
                if !found.has_values[&of] && self.can_be_built(&of, found) {
                    found.has_values.insert(of, true);
                    more = true;
                }
            }
            if !more && found.uses.len() == count {
                return;
            }
        }
    }

    fn can_be_built(&self, (id, args): &Use, found: &mut Found) -> bool {
        let entry = self.modules.ty(*id);
        let vars: Vec<(&str, bool)> =
            entry.decl.vars.iter().map(|v| v.text.as_str()).zip(args.iter().copied()).collect();
        let mut fields = |fields: &[FieldDecl]| {
            fields.iter().all(|field| self.has_values(&field.ty, entry.module, &vars, 0, found))
        };
        match &entry.decl.body {
            TypeBody::Record(of) => fields(of),
            TypeBody::Enum(cases) => cases.iter().any(|case| fields(&case.fields)),
            TypeBody::Native(_) => true,
            TypeBody::Alias(target) => self.has_values(target, entry.module, &vars, 1, found),
        }
    }

    fn has_values(
        &self,
        ty: &TypeExpr,
        module: ModuleId,
        vars: &[(&str, bool)],
        aliases: u32,
        found: &mut Found,
    ) -> bool {
        match &ty.kind {
            TypeExprKind::Name(name, args) => self.name_has_values(name, args, module, vars, aliases, found),
            TypeExprKind::Tuple(parts) => {
                parts.iter().all(|part| self.has_values(part, module, vars, aliases, found))
            }
            TypeExprKind::Record(fields) => {
                fields.iter().all(|field| self.has_values(&field.ty, module, vars, aliases, found))
            }
            TypeExprKind::Option(_)
            | TypeExprKind::Result(_)
            | TypeExprKind::Fn(..)
            | TypeExprKind::Unit
            | TypeExprKind::Error => true,
        }
    }

    fn name_has_values(
        &self,
        name: &Name,
        args: &[TypeExpr],
        module: ModuleId,
        vars: &[(&str, bool)],
        aliases: u32,
        found: &mut Found,
    ) -> bool {
        if let Some((_, known)) = vars.iter().find(|(var, _)| *var == name.text) {
            return *known;
        }
        let Some(id) = self.modules.find_type(module, &name.text) else { return true };
        let entry = self.modules.ty(id);
        if entry.decl.vars.len() != args.len() {
            return true;
        }
        let args: Vec<bool> =
            args.iter().map(|arg| self.has_values(arg, module, vars, aliases, found)).collect();
        match &entry.decl.body {
            TypeBody::Alias(_) if aliases >= ALIAS_DEPTH => true,
            TypeBody::Alias(target) => {
                let names = entry.decl.vars.iter().map(|v| v.text.as_str());
                let inner: Vec<(&str, bool)> = names.zip(args).collect();
                self.has_values(target, entry.module, &inner, aliases + 1, found)
            }
            _ => found.ask((id, args)),
        }
    }
}
