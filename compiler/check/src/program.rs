//! A whole program: the main file's statements, the handler, and every function whether used or not.

use crate::draft::{DeclId, Draft, FrameId, Kind};
use crate::frames::Frames;
use crate::goals::{Ability, Goals};
use crate::infer::{Checker, Here, TopLevel, Want, bound_names};
use crate::instances::Instances;
use crate::modules::{FnEntry, ModuleId, Modules, Shelf, module_name, uses_of};
use crate::report::Reports;
use crate::scope::{Frame, Returns};
use crate::typed::{GlobalId, Program};
use crate::unify::{T, Term, Terms};
use crate::{Library, Unit, Unusable};
use crate::{order, zonk};
use std::collections::HashMap;
use weir_syntax::ast::{self, FnBody, Item, Name, PatternKind, Stmt, StmtKind, TypeBody};
use weir_syntax::diag::Diagnostic;
use weir_syntax::span::{FileId, Span};
use weir_syntax::suggest::closest;

/// Checks a program of one file. It is there exactly when no diagnostic is an error; diagnostics come in source order.
pub fn check(file: &ast::File, library: &dyn Library) -> (Option<Program>, Vec<Diagnostic>) {
    check_units(&[Unit { name: String::new(), file, uses: Vec::new() }], library)
}

/// Checks a program: its main file first, then the files it uses, each behind those it uses itself. The files of spans into
/// them are the first ones, before those of library modules.
pub fn check_units(units: &[Unit<'_>], library: &dyn Library) -> (Option<Program>, Vec<Diagnostic>) {
    check_for(units, library, Purpose::Run)
}

/// As [`check_units`], for running the main file's tests: its top-level `let`s and `var`s are all that main does.
pub fn check_tests(units: &[Unit<'_>], library: &dyn Library) -> (Option<Program>, Vec<Diagnostic>) {
    check_for(units, library, Purpose::Test)
}

/// The tests of a module of the standard library as a program. Mistakes in the module are told as if it were the program's own.
pub fn check_library_tests(
    module: &'static str,
    library: &dyn Library,
) -> (Option<Program>, Vec<Diagnostic>) {
    let file = ast::File::default();
    let unit = Unit { name: String::new(), file: &file, uses: Vec::new() };
    check_for(&[unit], library, Purpose::Library(module))
}

/// What a program is checked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Run,
    Test,
    /// The tests of a module of the standard library, which the main file does not have to name.
    Library(&'static str),
}

fn check_for(
    units: &[Unit<'_>],
    library: &dyn Library,
    purpose: Purpose,
) -> (Option<Program>, Vec<Diagnostic>) {
    let file = units[0].file;
    let shelf = Shelf::default();
    let mut terms = Terms::new();
    let modules = Modules::new(units, library, &shelf, &mut terms);
    let start = file.items.first().map_or(Span::new(FileId(0), 0, 0), item_span);
    // The parts of a session's file come from several sources.
    let end = file.items.last().map(item_span).filter(|end| end.file == start.file).unwrap_or(start);
    let here = Here {
        frame: Frames::MAIN,
        module: ModuleId::MAIN,
        scope: Vec::new(),
        block: 0,
        loops: 0,
        chain: None,
    };
    let main = Frame::new("main".to_string(), start.to(end), Returns::Top, T::UNIT);
    let mut checker = Checker {
        terms,
        modules,
        frames: Frames::new(main),
        globals: Vec::new(),
        instances: Instances::default(),
        checked: HashMap::new(),
        values: Vec::new(),
        goals: Goals::default(),
        reports: Reports::new(match purpose {
            Purpose::Library(_) => usize::MAX,
            Purpose::Run | Purpose::Test => units.len(),
        }),
        here,
        blocks: 0,
        aliases: 0,
        defaulted: None,
        decided_at: HashMap::new(),
    };
    for (at, unit) in units.iter().enumerate() {
        checker.here.module = ModuleId(at as u16);
        checker.uses(unit);
        checker.declarations(unit.file);
    }
    checker.endless_types();
    checker.statements(units, purpose);
    let files: Vec<&ast::File> = units.iter().map(|unit| unit.file).collect();
    let served = checker.served(&files);
    let tests = checker.tests(units, purpose);
    checker.functions();
    checker.check_moves();
    let mut program = None;
    if checker.reports.errors() == 0 {
        let made = zonk::program(&mut checker, Frames::MAIN, served, &tests);
        if checker.reports.errors() == 0 {
            for error in order::check(&made) {
                checker.report(error);
            }
            program = Some(made).filter(|_| checker.reports.errors() == 0);
        }
    }
    (program, checker.reports.finish())
}

fn item_span(item: &Item) -> Span {
    match item {
        Item::Fn(f) => f.span,
        Item::Type(t) => t.span,
        Item::Use(u) => u.span,
        Item::Test(t) => t.span,
        Item::Route(r) => r.span,
        Item::Stmt(s) => s.span,
    }
}

impl<'a> Checker<'a> {
    /// Looks at what a file uses: whether it is there, and for it to use.
    fn uses(&mut self, unit: &'a Unit<'a>) {
        for (decl, target) in uses_of(unit) {
            match target {
                Ok(target) => self.used(decl, ModuleId(*target as u16)),
                Err(Unusable::File(why, help)) => {
                    let error = Diagnostic::error("E0224", why.clone(), decl.path.span, "used here");
                    self.report(error.help(help.clone()));
                }
                Err(Unusable::Cycle(names)) => {
                    let message = format!("`{}` uses itself", decl.path.text);
                    let way = names
                        .iter()
                        .map(|name| format!("`{name}`"))
                        .collect::<Vec<_>>()
                        .join(", which uses ");
                    let way = way.replacen(", which", "", 1);
                    let error = Diagnostic::error("E0225", message, decl.path.span, "leads back here");
                    self.report(error.help(format!(
                        "{way}. Move what they share into a file of its own that uses none of them."
                    )));
                }
            }
        }
    }

    fn used(&mut self, decl: &'a ast::UseDecl, module: ModuleId) {
        let ast::Used::Names(names) = &decl.what else {
            if matches!(decl.what, ast::Used::Module) && module_name(&decl.path.text).is_none() {
                let message = format!("The file name of `{}` is no name for a module", decl.path.text);
                let error = Diagnostic::error("E0224", message, decl.path.span, "not in kebab-case");
                self.report(error.help(format!("Give it one: `use \"{}\" as name`.", decl.path.text)));
            }
            return;
        };
        for name in names {
            let function =
                self.modules.find_fn(module, &name.text).map(|f| self.modules.function(f).decl.public);
            let ty = self.modules.find_type(module, &name.text).map(|t| self.modules.ty(t).decl.public);
            let global = declares_let(self.modules.file_of(module), &name.text);
            let path = &decl.path.text;
            let error = match function.or(ty).or(global) {
                Some(true) => continue,
                Some(false) => Diagnostic::error(
                    "E0412",
                    format!("`{}` is private to `{path}`", name.text),
                    name.span,
                    "not for use from outside",
                )
                .help("Write `pub` in front of its declaration to let other files use it."),
                None => {
                    let message = format!("`{path}` declares no `{}`", name.text);
                    let error = Diagnostic::error("E0210", message, name.span, "not known");
                    let public = self.public_names(module);
                    match closest(&name.text, public.iter().map(String::as_str)) {
                        Some(best) => error.meant(name.span, best),
                        None => error,
                    }
                }
            };
            self.report(error);
        }
    }

    /// Notes the names that a `use` binds.
    fn use_once(&mut self, seen: &mut HashMap<&'a str, Span>, decl: &'a ast::UseDecl) {
        match &decl.what {
            ast::Used::Module => {}
            ast::Used::As(name) => self.once(seen, name, "at the top level"),
            ast::Used::Names(names) => names.iter().for_each(|n| self.once(seen, n, "at the top level")),
        }
    }

    /// What other files may use of a module.
    fn public_names(&self, module: ModuleId) -> Vec<String> {
        let functions =
            self.modules.fns_of(module).filter(|f| f.decl.public).map(|f| f.decl.name.text.clone());
        let types = self.modules.types_of(module).filter(|(_, t)| t.decl.public);
        let mut names: Vec<String> = functions.chain(types.map(|(_, t)| t.decl.name.text.clone())).collect();
        names.extend(public_lets(self.modules.file_of(module)).map(|name| name.text.clone()));
        names
    }

    /// Looks at the declarations by themselves: names given twice, types of fields, natives out of place.
    fn declarations(&mut self, file: &'a ast::File) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for item in &file.items {
            match item {
                Item::Fn(decl) => {
                    self.once(&mut seen, &decl.name, "at the top level");
                    let mut params = HashMap::new();
                    for param in decl.params.iter().filter(|p| p.name.text != "_") {
                        self.once(&mut params, &param.name, "among the parameters");
                    }
                    self.var_parameters(decl);
                }
                Item::Type(decl) => {
                    self.once(&mut seen, &decl.name, "at the top level");
                    if let TypeBody::Enum(cases) = &decl.body {
                        // A case may be called like its own type: types and cases stand in different places.
                        let mut own = HashMap::new();
                        for case in cases {
                            let named_so = case.name.text == decl.name.text;
                            let seen = if named_so { &mut own } else { &mut seen };
                            self.once(seen, &case.name, "at the top level");
                            self.no_option_case(&case.name);
                        }
                    }
                    self.type_declaration(decl);
                }
                Item::Stmt(Stmt { kind: StmtKind::Let { public, mutable, pattern, .. }, .. }) => {
                    for name in bound_names(pattern) {
                        self.once(&mut seen, name, "at the top level");
                        let ty = self.terms.var();
                        let (name, span) = (name.text.as_str(), name.span);
                        self.globals.push(TopLevel {
                            name,
                            module: self.here.module,
                            public: *public,
                            ty,
                            span,
                            mutable: *mutable,
                            defined: false,
                            shared: false,
                        });
                    }
                }
                Item::Use(decl) => self.use_once(&mut seen, decl),
                Item::Test(_) | Item::Route(_) | Item::Stmt(_) => {}
            }
        }
    }

    pub(crate) fn once<'n>(&mut self, seen: &mut HashMap<&'n str, Span>, name: &'n Name, place: &str) {
        if let Some(first) = seen.insert(&name.text, name.span) {
            let error = Diagnostic::error(
                "E0202",
                format!("`{}` is declared twice {place}", name.text),
                name.span,
                "again here",
            )
            .label(first, "first declared here")
            .help("Give one of them another name.");
            self.report(error);
        }
    }

    fn no_option_case(&mut self, name: &Name) {
        if crate::infer::OPTION_CASES.contains(&name.text.as_str()) {
            let message = format!("`{}` is a case of options", name.text);
            let error = Diagnostic::error("E0202", message, name.span, "declared for all programs");
            self.report(error.help("Give the case another name."));
        }
    }

    fn type_declaration(&mut self, decl: &'a ast::TypeDecl) {
        let vars: Vec<(&str, T)> = decl.vars.iter().map(|v| (v.text.as_str(), self.rigid(&v.text))).collect();
        self.json_declaration(decl);
        match &decl.body {
            TypeBody::Record(fields) => {
                let mut seen = HashMap::new();
                for field in fields {
                    self.once(&mut seen, &field.name, "among the fields");
                    self.annotation(&field.ty, self.here.module, &vars);
                }
            }
            TypeBody::Enum(cases) => {
                for case in cases {
                    let mut seen = HashMap::new();
                    for field in &case.fields {
                        self.once(&mut seen, &field.name, "among the fields");
                        self.annotation(&field.ty, self.here.module, &vars);
                    }
                }
            }
            TypeBody::Native(_) => {}
            TypeBody::Alias(ty) => {
                self.annotation(ty, self.here.module, &vars);
            }
        }
    }

    fn rigid(&mut self, name: &str) -> T {
        self.terms.add(Term::Rigid(name.into()))
    }

    /// Infers the top-level `let`s of the files that are used, then the main file's statements.
    fn statements(&mut self, units: &'a [Unit<'a>], purpose: Purpose) {
        let mut drafts = Vec::new();
        for at in (1..units.len()).chain([0]) {
            self.here.module = ModuleId(at as u16);
            self.top_level(units[at].file, purpose, &mut drafts);
        }
        let span = self.frame().span;
        drafts.push(Draft::unit(span.after()));
        self.frame().body = Some(Draft::new(Kind::Block(drafts), T::UNIT, span));
        self.conclude();
    }

    fn top_level(&mut self, file: &'a ast::File, purpose: Purpose, drafts: &mut Vec<Draft>) {
        // A file's top-level names are in a row.
        let mut next = self.globals.iter().position(|g| g.module == self.here.module).unwrap_or(0);
        for item in &file.items {
            let Item::Stmt(stmt) = item else { continue };
            if self.here.module != ModuleId::MAIN
                && !matches!(stmt.kind, StmtKind::Let { mutable: false, .. })
            {
                self.not_a_declaration(stmt);
                continue;
            }
            let StmtKind::Let { mutable, pattern, ty, value, otherwise, .. } = &stmt.kind else {
                let draft = self.statement(stmt);
                if purpose == Purpose::Run {
                    drafts.push(draft);
                }
                continue;
            };
            let names = bound_names(pattern).len();
            let ids = next..next + names;
            next += names;
            if *mutable || names == 0 {
                drafts.push(self.statement(stmt));
            } else {
                let mut value = self.bound_value(ty.as_ref(), value);
                if self.gives_nothing(self.globals[ids.start].name, &value, stmt.span, false) {
                    value = Draft::error(value.span);
                }
                if !self.goals.is_empty() {
                    self.solve(false);
                }
                drafts.push(match &pattern.kind {
                    PatternKind::Bind(_) if otherwise.is_none() => {
                        self.set_global(ids.start, value, stmt.span)
                    }
                    _ => {
                        let visible = self.here.scope.len();
                        let apart = match otherwise {
                            Some(otherwise) => self.let_else(pattern, value, otherwise, false, stmt.span),
                            None => self.bind_parts(pattern, value, false, stmt.span),
                        };
                        self.set_globals(ids.clone(), visible, apart, stmt.span)
                    }
                });
            }
            self.globals[ids].iter_mut().for_each(|global| global.defined = true);
        }
    }

    /// Reports a statement of a file that another one uses.
    fn not_a_declaration(&mut self, stmt: &Stmt) {
        let (message, help) = match &stmt.kind {
            StmtKind::Error => return,
            StmtKind::Let { .. } => (
                "A file that others use has no `var`s",
                "Bind it with `let`; what changes belongs to a function, or to the program.",
            ),
            _ => (
                "A file that others use holds declarations only",
                "Put the statement into a function that the program calls; or run this file by itself.",
            ),
        };
        let error = Diagnostic::error("E0226", message, stmt.span, "would run by being used");
        self.report(error.help(help));
    }

    /// Gives a top-level `let` its value.
    fn set_global(&mut self, at: usize, value: Draft, span: Span) -> Draft {
        let global = self.globals[at].clone();
        self.terms.unify(global.ty, value.ty);
        self.need(Ability::Kept, value.ty, global.span);
        Draft::new(Kind::SetGlobal(GlobalId(at as u32), Box::new(value)), T::UNIT, span)
    }

    /// Gives the top-level `let`s of a pattern their values, of which `apart` made variables: those behind the `visible` ones.
    fn set_globals(
        &mut self,
        ids: std::ops::Range<usize>,
        visible: usize,
        apart: Draft,
        span: Span,
    ) -> Draft {
        let bound = self.here.scope.split_off(visible);
        let mut drafts = vec![apart];
        for at in ids {
            let Some(binding) = bound.iter().find(|b| b.name == self.globals[at].name) else { continue };
            let variable = self.frame().variable(binding.local).clone();
            let value = Draft::new(Kind::Local(binding.local), variable.ty, variable.span);
            drafts.push(self.set_global(at, value, span));
        }
        Draft::new(Kind::Block(drafts), T::UNIT, span)
    }

    /// Infers the tests of the program's own files; gives those that are to run.
    fn tests(&mut self, units: &'a [Unit<'a>], purpose: Purpose) -> Vec<(String, FrameId)> {
        if let Purpose::Library(name) = purpose {
            let Some(module) = self.modules.library(name, &mut self.terms) else { return Vec::new() };
            return self.tests_of(self.modules.file_of(module), module);
        }
        let mut tests = Vec::new();
        for (at, unit) in units.iter().enumerate() {
            let found = self.tests_of(unit.file, ModuleId(at as u16));
            if at == 0 && purpose == Purpose::Test {
                tests = found;
            }
        }
        tests
    }

    fn tests_of(&mut self, file: &'a ast::File, module: ModuleId) -> Vec<(String, FrameId)> {
        let mut seen = HashMap::new();
        let mut tests = Vec::new();
        for item in &file.items {
            let Item::Test(decl) = item else { continue };
            self.once(&mut seen, &decl.name, "among the tests");
            tests.push((decl.name.text.clone(), self.test(decl, module)));
        }
        tests
    }

    fn test(&mut self, decl: &'a ast::TestDecl, module: ModuleId) -> FrameId {
        let name = format!("test \"{}\"", decl.name.text);
        let frame = self.frames.open(Frame::new(name, decl.span, Returns::Test, T::UNIT));
        let here = self.apart(frame, module, None);
        self.fill(here, |c| c.block(&decl.body, Want::Effect));
        self.conclude();
        frame
    }

    /// Checks every function of the main file that no call has checked in full.
    fn functions(&mut self) {
        let failed = self.reports.errors() > 0;
        let own = (0..self.modules.function_count() as u32).map(DeclId);
        let own: Vec<DeclId> =
            own.take_while(|d| self.modules.is_own(self.modules.function(*d).module)).collect();
        for decl in own {
            let function = self.modules.function(decl);
            let served = self.is_served(function);
            if matches!(function.decl.body, FnBody::Native(_)) || (served && !failed) {
                continue;
            }
            // Where a mistake was found, the function as written tells whether the call's types have a part in it.
            let in_doubt = failed && self.reports.in_code(function.decl.span);
            if function.is_declared() || in_doubt || !self.instances.has(decl) {
                self.as_written(decl, function);
            }
        }
    }

    /// Infers a function for what its signature says: type variables for every type at once, the rest unknown.
    fn as_written(&mut self, decl: DeclId, function: FnEntry<'a>) {
        let vars: Vec<(&str, T)> =
            function.decl.vars.iter().map(|v| (v.text.as_str(), self.rigid(&v.text))).collect();
        let mut params: Vec<T> =
            self.param_types(function, &vars).into_iter().map(|t| t.unwrap_or(T::UNKNOWN)).collect();
        if function.decl.params.iter().all(|param| param.ty.is_none()) {
            params.iter_mut().zip(self.entry_params(function)).for_each(|(param, given)| *param = given);
        }
        for (param, ty) in function.decl.params.iter().zip(&params) {
            if let Some(default) = &param.default {
                let want = crate::infer::Want::Type(
                    *ty,
                    crate::infer::Origin::new(crate::infer::Why::Parameter, param.name.span),
                );
                self.default_value(default, function.module, &vars, want, param.name.span);
            }
        }
        let generic = !vars.is_empty();
        if function.is_declared() {
            let frame = self.open_frame(decl, &params, vars);
            self.fill_frame(decl, frame, None);
            if !generic {
                self.checked.insert(decl, frame);
            }
        } else {
            self.unused_instance(decl, params, vars);
        }
        self.conclude();
    }
}

/// Whether the top-level `let` or `var` of that name is public; `None` when there is none.
fn declares_let(file: &ast::File, name: &str) -> Option<bool> {
    file.items.iter().find_map(|item| match item {
        Item::Stmt(Stmt { kind: StmtKind::Let { public, pattern, .. }, .. }) => {
            bound_names(pattern).iter().any(|bound| bound.text == name).then_some(*public)
        }
        _ => None,
    })
}

/// The names of a file's public top-level `let`s.
fn public_lets(file: &ast::File) -> impl Iterator<Item = &Name> {
    let patterns = file.items.iter().filter_map(|item| match item {
        Item::Stmt(Stmt { kind: StmtKind::Let { public: true, pattern, .. }, .. }) => Some(pattern),
        _ => None,
    });
    patterns.flat_map(bound_names)
}
