//! The two sides of every native agree: its row in the native table and its declaration in the standard library.

use std::collections::HashSet;
use weir_abi::native::{Effect, Gives, Mode, NATIVES, Native, NativeId};
use weir_driver::MODULES;
use weir_syntax::ast::{FieldDecl, File, FnBody, FnDecl, Item, TypeBody, TypeExpr, TypeExprKind};
use weir_syntax::parser::parse_library;
use weir_syntax::span::FileId;

/// Rows that compiled code calls by itself; no declaration names them.
const BUILT_IN: &[&str] = &[
    "alloc",
    "free",
    "stop",
    "refill",
    "value-shown",
    "assert-failed",
    "format-int",
    "format-float",
    "format-value",
    "trap",
    "object-copy",
    "text-concat",
    "text-append",
    "text-equal",
    "text-less",
    "value-equal",
    "value-less",
    "value-less-equal",
    "float-rem",
    "list-new",
    "map-new",
    "respond",
    "respond-text",
    "respond-lines",
    "respond-bytes",
    "respond-chunks",
    "respond-empty",
    "respond-error",
    "respond-unrouted",
    "request-route",
    "route-int",
    "route-float",
    "route-bool",
    "route-text",
];

fn modules() -> impl Iterator<Item = (&'static str, File)> {
    MODULES.iter().map(|(name, text)| {
        let parsed = parse_library(FileId(0), text);
        assert_eq!(parsed.diagnostics, [], "stdlib/{name}.weir");
        (*name, parsed.file)
    })
}

fn row(name: &str) -> &'static Native {
    NativeId::named(name).unwrap_or_else(|| panic!("`{name}` is not in the native table")).row()
}

/// Whether values of a written type are references; `None` for a type variable.
fn is_reference(ty: &TypeExpr, vars: &[&str]) -> Option<bool> {
    match &ty.kind {
        TypeExprKind::Name(name, _) if vars.contains(&name.text.as_str()) => None,
        TypeExprKind::Name(name, _) => {
            Some(!matches!(name.text.as_str(), "Int" | "Float" | "Bool" | "Duration" | "Time" | "Never"))
        }
        TypeExprKind::Unit => Some(false),
        _ => Some(true),
    }
}

fn check_function(module: &str, decl: &FnDecl, native: &Native) {
    let at = format!("{module}.{} = native \"{}\"", decl.name.text, native.name);
    assert!(decl.doc.is_some(), "{at} is not documented");
    let vars: Vec<&str> = decl.vars.iter().map(|v| v.text.as_str()).collect();
    assert_eq!(decl.params.len(), native.params.len(), "{at}: parameters");
    for (param, mode) in decl.params.iter().zip(native.params) {
        let ty = param.ty.as_ref().unwrap_or_else(|| panic!("{at}: {} has no type", param.name.text));
        match is_reference(ty, &vars) {
            Some(reference) => assert_eq!(reference, *mode != Mode::Word, "{at}: {}", param.name.text),
            None => assert_ne!(*mode, Mode::Word, "{at}: {} may be a reference", param.name.text),
        }
    }
    let gives = match decl.result.as_ref().map(|ty| (ty, is_reference(ty, &vars))) {
        None => Gives::Word,
        Some((TypeExpr { kind: TypeExprKind::Name(name, _), .. }, _)) if name.text == "Never" => Gives::Never,
        Some((_, Some(false))) => Gives::Word,
        Some(_) => Gives::Owned,
    };
    // One that changes its first argument gives the new value of that, and its own result besides.
    let changes = decl.params.first().is_some_and(|p| p.mutable);
    let gives = match (changes, gives) {
        (true, _) if decl.result.is_none() => Gives::Owned,
        (true, _) => Gives::Both,
        (false, gives) => gives,
    };
    assert!(!changes || native.params[0] == Mode::Own, "{at} changes what it does not own");
    assert_eq!(gives, native.gives, "{at}: result");
    assert!(!native.types || !vars.is_empty(), "{at} takes types but has no type variable");
    let allocates = matches!(native.gives, Gives::Owned | Gives::Both);
    assert!(!allocates || native.effect >= Effect::Traps, "{at} allocates, so it may run out of memory");
}

fn check_field(ty: &str, field: &FieldDecl) -> String {
    let name = format!("{}-{}", ty.to_lowercase(), field.name.text);
    let native = row(&name);
    assert_eq!(native.params, [Mode::Borrow], "{name}");
    let reference = is_reference(&field.ty, &[]).expect("native types have no variables");
    assert_eq!(native.gives == Gives::Owned, reference, "{name}");
    name
}

#[test]
fn declarations_and_rows_agree() {
    let mut declared: HashSet<String> = BUILT_IN.iter().map(|name| (*name).to_owned()).collect();
    for (module, file) in modules() {
        for item in &file.items {
            match item {
                Item::Fn(decl) => {
                    if let FnBody::Native(name) = &decl.body {
                        check_function(module, decl, row(&name.text));
                        assert!(declared.insert(name.text.clone()), "`{}` is declared twice", name.text);
                    }
                }
                Item::Type(decl) => {
                    if let TypeBody::Native(fields) = &decl.body {
                        declared.extend(fields.iter().map(|field| check_field(&decl.name.text, field)));
                    }
                }
                Item::Test(_) => {}
                Item::Use(_) | Item::Route(_) | Item::Stmt(_) => {
                    panic!("stdlib/{module}.weir has a statement")
                }
            }
        }
    }
    for native in NATIVES {
        assert!(declared.contains(native.name), "`{}` is in the table, but nothing declares it", native.name);
    }
}

#[test]
fn the_runtime_knows_the_fields_of_an_error() {
    let prelude = modules().find(|(name, _)| *name == "prelude").expect("there is a prelude").1;
    let error = prelude.items.iter().find_map(|item| match item {
        Item::Type(decl) if decl.name.text == "Error" => Some(decl),
        _ => None,
    });
    let TypeBody::Record(fields) = &error.expect("the prelude declares Error").body else {
        panic!("Error is a record")
    };
    let names: Vec<&str> = fields.iter().map(|f| f.name.text.as_str()).collect();
    assert_eq!(names, weir_abi::layout::error::FIELDS);
}

#[test]
fn every_public_function_is_documented() {
    for (module, file) in modules() {
        for item in &file.items {
            if let Item::Fn(decl) = item {
                assert!(!decl.public || decl.doc.is_some(), "{module}.{} has no `##` line", decl.name.text);
            }
        }
    }
}

#[test]
fn every_library_file_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../stdlib");
    let files = std::fs::read_dir(folder).expect("the library's folder is there").map(|entry| {
        let path = entry.expect("its entries can be read").path();
        path.file_stem().and_then(|stem| stem.to_str()).expect("module names are UTF-8").to_owned()
    });
    let built_in: HashSet<String> = MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files.collect::<HashSet<_>>(), built_in);
}
