//! Modules: the main file, the files it uses and those of the standard library, their functions and types by name.
//!
//! In: parsed files. Library modules are asked for on first use and never twice; a program's own files come before them.
//! Not here: what a signature means (`annotate`), and variables (`scope`).

use crate::draft::DeclId;
use crate::unify::{Terms, TypeId};
use crate::{Library, Unit};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use weir_syntax::ast::{self, Used};
use weir_syntax::span::Span;

/// Keeps the library's files alive for as long as the check runs: a list that grows behind a shared reference.
#[derive(Default)]
pub struct Shelf {
    file: OnceCell<Rc<ast::File>>,
    next: OnceCell<Box<Shelf>>,
}

impl Shelf {
    /// Puts a file on the shelf.
    pub fn keep(&self, file: Rc<ast::File>) -> &ast::File {
        let mut shelf = self;
        while shelf.file.get().is_some() {
            shelf = shelf.next.get_or_init(Box::default);
        }
        shelf.file.get_or_init(|| file)
    }
}

/// A module: an index into [`Modules`]. The main file is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ModuleId(pub u16);

impl ModuleId {
    /// The main file.
    pub const MAIN: ModuleId = ModuleId(0);
}

/// The module whose functions are in scope everywhere.
pub const PRELUDE: &str = "prelude";
/// The module whose types, like those of the prelude, are in scope everywhere.
pub const REQUEST: &str = "request";

/// A file's declarations by name; the first wins where a name is declared twice.
pub struct Module<'a> {
    /// The tree they stand in.
    file: &'a ast::File,
    /// `list`; empty for the main file.
    pub name: String,
    fns: HashMap<&'a str, DeclId>,
    types: HashMap<&'a str, TypeId>,
    /// The cases of its enums: the type, and which of its cases.
    cases: HashMap<&'a str, (TypeId, u32)>,
    /// The modules it uses, by the names it gives them.
    uses: HashMap<&'a str, ModuleId>,
    /// Single declarations of other modules that it uses by their names.
    imports: HashMap<&'a str, ModuleId>,
    /// The names that a `use` would have bound that leads nowhere.
    lost: Vec<&'a str>,
}

/// A function and the module that declares it.
#[derive(Clone, Copy)]
pub struct FnEntry<'a> {
    /// What was written.
    pub decl: &'a ast::FnDecl,
    /// Where.
    pub module: ModuleId,
}

impl FnEntry<'_> {
    /// Whether parameters and result are all written down, so that a call need not look into the body.
    pub fn is_declared(&self) -> bool {
        let native = matches!(self.decl.body, ast::FnBody::Native(_));
        self.decl.params.iter().all(|p| p.ty.is_some()) && (native || self.decl.result.is_some())
    }

    /// Whether it changes its first parameter.
    pub fn is_mutating(&self) -> bool {
        self.decl.params.first().is_some_and(|p| p.mutable)
    }

    /// Whether it can be called as a method.
    pub fn has_self(&self) -> bool {
        self.decl.params.first().is_some_and(|p| p.name.text == "self")
    }
}

/// A type and the module that declares it.
#[derive(Clone, Copy)]
pub struct TypeEntry<'a> {
    /// What was written.
    pub decl: &'a ast::TypeDecl,
    /// Where.
    pub module: ModuleId,
}

/// All modules that a program named or used so far.
pub struct Modules<'a> {
    library: &'a dyn Library,
    shelf: &'a Shelf,
    modules: Vec<Module<'a>>,
    /// Library modules by name; `None` for a name that is no module.
    index: HashMap<String, Option<ModuleId>>,
    /// How many modules are the program's own: the first ones.
    own: u16,
    fns: Vec<FnEntry<'a>>,
    types: Vec<TypeEntry<'a>>,
}

impl<'a> Modules<'a> {
    /// The program's own files, the main one first.
    pub fn new(units: &'a [Unit<'a>], library: &'a dyn Library, shelf: &'a Shelf, terms: &mut Terms) -> Self {
        let mut modules = Self {
            library,
            shelf,
            modules: Vec::new(),
            index: HashMap::new(),
            own: units.len() as u16,
            fns: Vec::new(),
            types: Vec::new(),
        };
        for unit in units {
            modules.add(unit.name.clone(), unit.file, terms);
        }
        for (at, unit) in units.iter().enumerate() {
            modules.link(at, unit);
        }
        modules
    }

    /// Notes what the `use`s of a file make visible in it.
    fn link(&mut self, at: usize, unit: &'a Unit<'a>) {
        for (decl, target) in uses_of(unit) {
            let module = &mut self.modules[at];
            let Ok(target) = target else {
                match &decl.what {
                    Used::Names(names) => module.lost.extend(names.iter().map(|name| name.text.as_str())),
                    Used::As(name) => module.lost.push(&name.text),
                    Used::Module => module.lost.extend(module_name(&decl.path.text)),
                }
                continue;
            };
            let id = ModuleId(*target as u16);
            match &decl.what {
                Used::Names(names) => {
                    for name in names {
                        module.imports.entry(&name.text).or_insert(id);
                    }
                }
                Used::As(name) => {
                    module.uses.entry(&name.text).or_insert(id);
                }
                Used::Module => {
                    if let Some(name) = module_name(&decl.path.text) {
                        module.uses.entry(name).or_insert(id);
                    }
                }
            }
        }
    }

    /// The types that the program itself declares.
    pub fn own_types(&self) -> impl Iterator<Item = TypeId> + '_ {
        let all = (0..).map(TypeId).zip(&self.types);
        all.filter(|(_, ty)| self.is_own(ty.module)).map(|(id, _)| id)
    }

    /// The tree of a module.
    pub fn file_of(&self, module: ModuleId) -> &'a ast::File {
        self.get(module).file
    }

    /// Whether a module is a file of the program, not of the library.
    pub fn is_own(&self, id: ModuleId) -> bool {
        id.0 < self.own
    }

    /// The module that `module` calls `name` by a `use` of its own.
    pub fn used_as(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        self.get(module).uses.get(name).copied()
    }

    /// Whether `module` would know what `name` is, had it found the file that it uses.
    pub fn is_lost(&self, module: ModuleId, name: &str) -> bool {
        self.get(module).lost.contains(&name)
    }

    /// The module from which `module` uses the declaration `name`.
    pub fn imported_from(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        self.get(module).imports.get(name).copied()
    }

    /// The names that `module` has by its `use`s.
    pub fn imported_names(&self, module: ModuleId) -> Vec<String> {
        let module = self.get(module);
        let mut names: Vec<String> =
            module.imports.keys().chain(module.uses.keys()).map(|name| (*name).to_string()).collect();
        names.sort();
        names
    }

    fn add(&mut self, name: String, file: &'a ast::File, terms: &mut Terms) -> ModuleId {
        let id = ModuleId(self.modules.len() as u16);
        let mut module = Module {
            file,
            name,
            fns: HashMap::new(),
            types: HashMap::new(),
            cases: HashMap::new(),
            uses: HashMap::new(),
            imports: HashMap::new(),
            lost: Vec::new(),
        };
        for item in &file.items {
            match item {
                ast::Item::Fn(decl) => {
                    let fn_id = DeclId(self.fns.len() as u32);
                    self.fns.push(FnEntry { decl, module: id });
                    module.fns.entry(&decl.name.text).or_insert(fn_id);
                }
                ast::Item::Type(decl) => {
                    let type_id = TypeId(self.types.len() as u32);
                    self.types.push(TypeEntry { decl, module: id });
                    terms.name_type(&decl.name.text);
                    if let ast::TypeBody::Enum(cases) = &decl.body {
                        for (at, case) in (0..).zip(cases) {
                            module.cases.entry(&case.name.text).or_insert((type_id, at));
                        }
                    }
                    module.types.entry(&decl.name.text).or_insert(type_id);
                }
                ast::Item::Use(_) | ast::Item::Test(_) | ast::Item::Route(_) | ast::Item::Stmt(_) => {}
            }
        }
        if module.name == PRELUDE
            && let (Some(result), Some(error)) = (module.types.get("Result"), module.types.get("Error"))
        {
            terms.set_failing(*result, *error);
        }
        self.modules.push(module);
        id
    }

    /// A place in words; see [`Library::place`].
    pub fn place(&self, span: Span) -> String {
        self.library.place(span)
    }

    /// The library module `name`, loaded when this is its first use.
    pub fn library(&mut self, name: &str, terms: &mut Terms) -> Option<ModuleId> {
        if let Some(&known) = self.index.get(name) {
            return known;
        }
        let file = self.library.module(name).map(|file| self.shelf.keep(file));
        let id = file.map(|file| self.add(name.to_string(), file, terms));
        self.index.insert(name.to_string(), id);
        id
    }

    /// The names of all library modules.
    pub fn library_names(&self) -> Vec<String> {
        self.library.names()
    }

    /// The module `id`.
    pub fn get(&self, id: ModuleId) -> &Module<'a> {
        &self.modules[id.0 as usize]
    }

    /// The function `id`.
    pub fn function(&self, id: DeclId) -> FnEntry<'a> {
        self.fns[id.0 as usize]
    }

    /// The type `id`.
    pub fn ty(&self, id: TypeId) -> TypeEntry<'a> {
        self.types[id.0 as usize]
    }

    /// How many functions are known; their ids are `0..n`, those of the main file first.
    pub fn function_count(&self) -> usize {
        self.fns.len()
    }

    /// A function of a module by name.
    pub fn find_fn(&self, module: ModuleId, name: &str) -> Option<DeclId> {
        self.get(module).fns.get(name).copied()
    }

    /// A type of a module by name.
    pub fn find_type(&self, module: ModuleId, name: &str) -> Option<TypeId> {
        self.get(module).types.get(name).copied()
    }

    /// The type with that case in a module.
    pub fn case_of(&self, of: TypeId, name: &str) -> Option<u32> {
        match &self.ty(of).decl.body {
            ast::TypeBody::Enum(cases) => {
                (0..).zip(cases).find(|(_, c)| c.name.text == name).map(|(at, _)| at)
            }
            _ => None,
        }
    }

    /// A case of the enums that `module` uses by their names.
    pub fn imported_case(&self, module: ModuleId, name: &str) -> Option<(TypeId, u32)> {
        // Two enums with that case: the first by name, so that the choice does not depend on chance.
        let mut types: Vec<(&&str, &ModuleId)> = self.get(module).imports.iter().collect();
        types.sort_by_key(|(name, _)| **name);
        types.into_iter().find_map(|(ty, from)| {
            let id = self.find_type(*from, ty)?;
            self.case_of(id, name).map(|at| (id, at))
        })
    }

    /// A case of one of a module's enums by name.
    pub fn find_case(&self, module: ModuleId, name: &str) -> Option<(TypeId, u32)> {
        self.get(module).cases.get(name).copied()
    }

    /// The functions of a module in declared order.
    pub fn fns_of(&self, module: ModuleId) -> impl Iterator<Item = FnEntry<'a>> + '_ {
        self.fns.iter().copied().filter(move |f| f.module == module)
    }

    /// The types of a module in declared order.
    pub fn types_of(&self, module: ModuleId) -> impl Iterator<Item = (TypeId, TypeEntry<'a>)> + '_ {
        let all = self.types.iter().copied().enumerate();
        all.filter(move |(_, t)| t.module == module).map(|(i, t)| (TypeId(i as u32), t))
    }
}

/// The `use`s of a file and where each leads to.
pub fn uses_of<'u>(
    unit: &'u Unit<'u>,
) -> impl Iterator<Item = (&'u ast::UseDecl, &'u Result<usize, crate::Unusable>)> {
    let decls = unit.file.items.iter().filter_map(|item| match item {
        ast::Item::Use(decl) => Some(decl),
        _ => None,
    });
    decls.zip(&unit.uses)
}

/// What a file is called as a module: its name without folder and `.weir`; `None` when that is no name.
pub fn module_name(path: &str) -> Option<&str> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let name = file.strip_suffix(".weir").unwrap_or(file);
    weir_syntax::naming::is_name(name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_keeps_every_file() {
        let shelf = Shelf::default();
        let first = shelf.keep(Rc::new(ast::File::default()));
        let second = shelf.keep(Rc::new(ast::File::default()));
        assert!(!std::ptr::eq(first, second));
        assert_eq!(first, second);
    }
}
