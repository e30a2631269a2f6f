//! Names as values: variables, top-level `let`s, functions, `None`; and what a name could have meant.

use super::{Checker, Want};
use crate::draft::{DeclId, Draft, FrameId, Kind};
use crate::modules::ModuleId;
use crate::scope::{Binding, Returns};
use crate::typed::GlobalId;
use crate::unify::{Term, TypeId};
use weir_syntax::ast::Name;
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::Span;
use weir_syntax::suggest::closest;

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub enum Meaning<'a> {
    /// A variable.
    Variable(Binding<'a>),
    /// A top-level `let` or `var`.
    Global(GlobalId),
    /// A function.
    Function(DeclId),
    /// Nothing that is visible here.
    Nothing,
}

/// What the library has under a name that stands for nothing here.
pub(super) enum InLibrary {
    /// A method of a type.
    Method,
    /// A function of the module of that name.
    Function(String),
}

impl<'a> Checker<'a> {
    /// What `name` stands for here: variables first, then top-level `let`s and functions of this file, what it uses by name,
    /// the prelude.
    pub fn meaning(&mut self, name: &str) -> Meaning<'a> {
        if let Some(binding) = self.here.scope.iter().rev().find(|b| b.name == name) {
            return Meaning::Variable(*binding);
        }
        if let Some(global) = self.global_named(self.here.module, name) {
            return Meaning::Global(global);
        }
        if let Some(from) = self.modules.imported_from(self.here.module, name)
            && let Some(global) = self.global_named(from, name)
        {
            return Meaning::Global(global);
        }
        self.function_in_scope(name).map_or(Meaning::Nothing, Meaning::Function)
    }

    /// The top-level `let` or `var` of a file by name.
    pub fn global_named(&self, module: ModuleId, name: &str) -> Option<GlobalId> {
        let at = self.globals.iter().position(|g| g.module == module && g.name == name)?;
        Some(GlobalId(at as u32))
    }

    /// The function `name` of this file, of one it uses by name, else of the prelude.
    pub fn function_in_scope(&mut self, name: &str) -> Option<DeclId> {
        if let Some(own) = self.modules.find_fn(self.here.module, name) {
            return Some(own);
        }
        if let Some(from) = self.modules.imported_from(self.here.module, name)
            && let Some(imported) = self.modules.find_fn(from, name)
        {
            return Some(imported);
        }
        let prelude = self.prelude()?;
        self.modules.find_fn(prelude, name).filter(|f| self.modules.function(*f).decl.public)
    }

    /// The type `name` of this file, of one it uses by name, else of the prelude or the request module.
    pub fn type_in_scope(&mut self, name: &str) -> Option<TypeId> {
        if let Some(own) = self.modules.find_type(self.here.module, name) {
            return Some(own);
        }
        if let Some(from) = self.modules.imported_from(self.here.module, name)
            && let Some(imported) = self.modules.find_type(from, name)
        {
            return Some(imported);
        }
        if super::BUILT_IN.contains(&name) {
            return None;
        }
        for module in [crate::modules::PRELUDE, crate::modules::REQUEST] {
            let module = self.modules.library(module, &mut self.terms);
            if let Some(found) = module.and_then(|m| self.modules.find_type(m, name)) {
                return Some(found);
            }
        }
        None
    }

    /// A name used as a value.
    pub fn name_value(&mut self, name: &'a Name, want: Want) -> Draft {
        let span = name.span;
        if name.text == "None" {
            let item = self.terms.var();
            let ty = self.terms.add(Term::Option(item));
            return Draft::new(Kind::None, ty, span);
        }
        if name.text == "Some" {
            return self.some_value(span);
        }
        match self.meaning(&name.text) {
            Meaning::Variable(binding) => self.variable(binding, span),
            Meaning::Global(id) => self.global(id, name),
            Meaning::Function(decl) => self.function_value(decl, span, want),
            Meaning::Nothing => {
                if let Some(value) = self.constructor_value(name, want) {
                    return value;
                }
                if self.case_in_scope(&name.text).is_some() {
                    return self.case_alone(name);
                }
                self.unknown_name(name, false);
                Draft::error(span)
            }
        }
    }

    /// A variable's value.
    pub fn variable(&mut self, binding: Binding<'a>, span: Span) -> Draft {
        let frame = self.here.frame;
        let local = self.reach(binding, frame);
        let ty = self.frame().variable(local).ty;
        Draft::new(Kind::Local(local), ty, span)
    }

    /// Whether this is one of main's statements, or a lambda in them.
    pub fn in_main(&self) -> bool {
        let mut frame: FrameId = self.here.frame;
        while let Some(parent) = self.frames[frame].parent {
            frame = parent;
        }
        matches!(self.frames[frame].returns, Returns::Top)
    }

    /// A top-level `let`'s value.
    pub fn global(&mut self, id: GlobalId, name: &Name) -> Draft {
        let global = self.globals[id.0 as usize].clone();
        let (span, in_main) = (name.span, self.in_main());
        if global.mutable && !in_main {
            let message = format!("A function cannot see the top-level `var` `{}`", name.text);
            let error = Diagnostic::error("E0206", message, span, "used here")
                .label(global.span, "bound with `var` here")
                .help("Functions see top-level `let`s only. Bind it with `let`, or hand the value over as an argument.");
            self.report(error);
            return Draft::error(span);
        }
        if !global.defined {
            self.report(use_before_definition(&name.text, span, global.span));
            return Draft::error(span);
        }
        if global.mutable {
            // Its variable is in scope wherever main's statements can see it; only its definition failed.
            return Draft::error(span);
        }
        if !matches!(self.frame().returns, Returns::Top) {
            self.globals[id.0 as usize].shared = true;
        }
        Draft::new(Kind::Global(id), global.ty, span)
    }

    /// Reports a name that means nothing here.
    pub fn unknown_name(&mut self, name: &Name, called: bool) {
        let text = name.text.as_str();
        if self.modules.is_lost(self.here.module, text) {
            return;
        }
        let kind = if called { "function" } else { "name" };
        let mut error =
            Diagnostic::error("E0201", format!("There is no {kind} `{text}` here"), name.span, "not known");
        if text.starts_with(|c: char| c.is_ascii_uppercase()) && self.type_in_scope(text).is_some() {
            error = error.help(format!("`{text}` is a type; build a value with `{text}(...)`."));
        } else if let Some(parts) = self.subtraction(text) {
            let spaced = parts.join(" - ");
            error = error
                .help(format!(
                    "A hyphen between letters belongs to the name. For a subtraction write `{spaced}`."
                ))
                .fix(name.span, spaced);
        } else {
            let mut names = self.visible_names();
            if text.starts_with(|c: char| c.is_ascii_uppercase()) {
                names.extend(self.visible_cases());
            }
            if let Some(best) = closest(text, names.iter().map(String::as_str)) {
                error = error.meant(name.span, best);
            } else if called && let Some(place) = self.place_in_library(text) {
                error = match place {
                    InLibrary::Method => error.help(format!("It is a method: call it as `value.{text}()`.")),
                    InLibrary::Function(module) => {
                        let whole = format!("{module}.{text}");
                        error
                            .help(format!("The module `{module}` has it: call it as `{whole}(...)`."))
                            .fix(name.span, whole)
                    }
                };
            }
        }
        self.report(error);
    }

    /// Where the library has a public function of that name.
    pub(super) fn place_in_library(&mut self, name: &str) -> Option<InLibrary> {
        self.modules.library_names().into_iter().find_map(|home| {
            let module = self.modules.library(&home, &mut self.terms)?;
            let found = self.modules.function(self.modules.find_fn(module, name)?);
            found.decl.public.then(|| match found.has_self() {
                true => InLibrary::Method,
                false => InLibrary::Function(home),
            })
        })
    }

    /// The parts of `a-b` when each of them means something.
    fn subtraction(&mut self, name: &str) -> Option<Vec<String>> {
        let parts: Vec<String> = name.split('-').map(str::to_string).collect();
        let known = parts.len() > 1 && parts.iter().all(|p| !matches!(self.meaning(p), Meaning::Nothing));
        known.then_some(parts)
    }

    fn visible_names(&mut self) -> Vec<String> {
        let mut names: Vec<String> = self.here.scope.iter().rev().map(|b| b.name.to_string()).collect();
        let globals = self.globals.iter().filter(|g| g.module == self.here.module);
        names.extend(globals.map(|g| g.name.to_string()));
        names.extend(self.modules.imported_names(self.here.module));
        names.extend(self.modules.fns_of(self.here.module).map(|f| f.decl.name.text.clone()));
        if let Some(prelude) = self.prelude() {
            names.extend(self.modules.fns_of(prelude).map(|f| f.decl.name.text.clone()));
        }
        names
    }
}

/// The diagnostic for a top-level `let` that is used before its statement ran.
pub fn use_before_definition(name: &str, used: Span, bound: Span) -> Diagnostic {
    Diagnostic::error("E0205", format!("`{name}` is used before it is bound"), used, "used here")
        .label(bound, "bound only here")
        .help(format!("Top-level statements run from top to bottom; move the `let {name}` up."))
}
