//! Solved types: terms to the types of the program, each made once.
//!
//! In: a term. Out: its type; of a record or enum one for each set of type arguments, with its fields or cases.
//! Invariant: a record is known before its fields are converted, so that a type may contain itself.

use super::{STACK_LEFT, STACK_PIECE, Zonk};
use crate::goals::type_not_known;
use crate::json;
use crate::types::{Case, Enum, Record, Ty, TyKind};
use crate::unify::{T, Term, TypeId};
use weir_syntax::diag::Diagnostic;

/// A record type that is found in itself with so many different arguments grows without end.
const RECORD_DEPTH: usize = 64;

impl Zonk<'_, '_> {
    /// The solved type of `t`; reports one that nothing decided.
    pub(super) fn ty(&mut self, t: T) -> Ty {
        let t = self.c.terms.resolve(t);
        if let Some(&ty) = self.solved.get(&t) {
            return ty;
        }
        let kind = match self.c.terms.head(t).clone() {
            Term::Var => {
                self.c.reports.add(type_not_known(self.span), None, &self.c.terms);
                self.c.terms.bind(t, T::UNKNOWN);
                TyKind::Unknown
            }
            Term::Unknown | Term::Rigid(_) | Term::Link(_) => TyKind::Unknown,
            Term::Never => TyKind::Never,
            Term::Unit => TyKind::Unit,
            Term::Int => TyKind::Int,
            Term::Float => TyKind::Float,
            Term::Bool => TyKind::Bool,
            Term::Text => TyKind::Text,
            Term::Bytes => TyKind::Bytes,
            Term::Duration => TyKind::Duration,
            Term::Time => TyKind::Time,
            Term::Range => TyKind::Range,
            Term::List(t) => TyKind::List(self.ty(t)),
            Term::Map(k, v) => TyKind::Map(self.ty(k), self.ty(v)),
            Term::Set(t) => TyKind::Set(self.ty(t)),
            Term::Stream(t) => TyKind::Stream(self.ty(t)),
            Term::Option(t) => TyKind::Option(self.ty(t)),
            Term::Fn(params, result) => {
                TyKind::Fn(params.iter().map(|p| self.ty(*p)).collect(), self.ty(result))
            }
            Term::Record(id, args) => return self.record(t, id, &args),
            Term::Tuple(parts) => TyKind::Tuple(parts.iter().map(|p| self.ty(*p)).collect()),
            Term::Anonymous(names, types) => {
                let fields = names.iter().zip(types.iter());
                TyKind::Anonymous(fields.map(|(name, ty)| (name.to_string(), self.ty(*ty))).collect())
            }
            Term::Native(id) => TyKind::Native(self.c.modules.ty(id).decl.name.text.clone()),
        };
        let ty = self.types.intern(kind);
        self.solved.insert(t, ty);
        ty
    }

    fn record(&mut self, t: T, id: TypeId, args: &[T]) -> Ty {
        let key = (id, args.iter().map(|a| self.ty(*a)).collect::<Vec<Ty>>());
        if let Some(&ty) = self.records.get(&key) {
            return ty;
        }
        if self.endless {
            return self.types.intern(TyKind::Unknown);
        }
        if self.open.iter().filter(|&&open| open == id).count() >= RECORD_DEPTH {
            self.endless = true;
            let decl = self.c.modules.ty(id).decl;
            let error = Diagnostic::error(
                "E0213",
                format!("The type `{}` contains itself with a new type each time", decl.name.text),
                decl.name.span,
                "grows without end",
            )
            .help("Let the fields use the type's variables as they are.");
            self.c.reports.add(error, None, &self.c.terms);
            return self.types.intern(TyKind::Unknown);
        }
        if self.c.is_enum(id) {
            return self.enumeration(t, id, args, key);
        }
        if self.c.is_native(id) {
            let name = self.c.modules.ty(id).decl.name.text.clone();
            let ty = self.types.intern(TyKind::Handle(name, key.1.clone()));
            self.records.insert(key, ty);
            return ty;
        }
        let record = self.types.add_record(Record { name: self.c.terms.show(t), fields: Vec::new() });
        let ty = self.types.intern(TyKind::Record(record));
        self.types.set_json(ty, json::names(self.c.modules.ty(id).decl));
        self.records.insert(key, ty);
        self.open.push(id);
        let fields = self.c.field_types(id, args);
        let fields = fields.into_iter().map(|(name, field)| (name.to_string(), self.ty(field)));
        let fields = stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || fields.collect());
        self.open.pop();
        self.types.set_fields(record, fields);
        ty
    }

    fn enumeration(&mut self, t: T, id: TypeId, args: &[T], key: (TypeId, Vec<Ty>)) -> Ty {
        let of = self.types.add_enum(Enum { name: self.c.terms.show(t), cases: Vec::new() });
        let ty = self.types.intern(TyKind::Enum(of));
        self.types.set_json(ty, json::names(self.c.modules.ty(id).decl));
        self.records.insert(key, ty);
        self.open.push(id);
        let cases = stacker::maybe_grow(STACK_LEFT, STACK_PIECE, || self.solved_cases(id, args));
        self.open.pop();
        self.types.set_cases(of, cases);
        ty
    }

    fn solved_cases(&mut self, id: TypeId, args: &[T]) -> Vec<Case> {
        let mut cases = Vec::new();
        for at in 0..self.c.cases_of(id).0.len() {
            let fields = self.c.case_types(id, at, args);
            let fields = fields.into_iter().map(|(name, field)| (name.to_string(), self.ty(field))).collect();
            cases.push(Case { name: self.c.cases_of(id).0[at].0.clone(), fields });
        }
        cases
    }
}
