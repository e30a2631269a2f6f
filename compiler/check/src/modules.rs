//! Modules: the main file and those of the standard library, their functions and types by name.
//!
//! In: parsed files. Library modules are asked for on first use and never twice.
//! Not here: what a signature means (`annotate`), and variables (`scope`).

use crate::Library;
use crate::draft::DeclId;
use crate::unify::{Terms, TypeId};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use weir_syntax::ast;
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
    /// `list`; empty for the main file.
    pub name: String,
    fns: HashMap<&'a str, DeclId>,
    types: HashMap<&'a str, TypeId>,
    /// The cases of its enums: the type, and which of its cases.
    cases: HashMap<&'a str, (TypeId, u32)>,
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
    fns: Vec<FnEntry<'a>>,
    types: Vec<TypeEntry<'a>>,
}

impl<'a> Modules<'a> {
    /// The main file alone.
    pub fn new(main: &'a ast::File, library: &'a dyn Library, shelf: &'a Shelf, terms: &mut Terms) -> Self {
        let mut modules = Self {
            library,
            shelf,
            modules: Vec::new(),
            index: HashMap::new(),
            fns: Vec::new(),
            types: Vec::new(),
        };
        modules.add(String::new(), main, terms);
        modules
    }

    fn add(&mut self, name: String, file: &'a ast::File, terms: &mut Terms) -> ModuleId {
        let id = ModuleId(self.modules.len() as u16);
        let mut module = Module { name, fns: HashMap::new(), types: HashMap::new(), cases: HashMap::new() };
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
                ast::Item::Use(_) | ast::Item::Test(_) | ast::Item::Stmt(_) => {}
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
