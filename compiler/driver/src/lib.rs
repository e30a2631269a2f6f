//! The passes in order: source text to a compiled module, linked with the runtime's natives.
//!
//! This is the only crate that knows both the compiler and the runtime. It reads no files: the command line hands it the
//! script, and a way to read the files that it uses.

mod follow;
mod library;
mod session;
mod units;

pub use library::MODULES;
use library::Modules;
pub use session::{Binding, Entry, News, Session, is_complete};
use std::sync::Arc;
pub use units::Read;
pub use weir_abi::code::Module;
use weir_abi::code::Place;
use weir_check::typed::Program;
use weir_check::{Library, Unit, check_tests, check_units};
use weir_syntax::codes::Code;
use weir_syntax::diag::{Diagnostic, Severity};
use weir_syntax::span::{FileId, Source, Sources};
use weir_syntax::{lexer, parser};

/// The longest script in bytes.
pub const MAX_SOURCE: usize = 64 << 20;

/// A script that can run.
#[derive(Debug)]
pub struct Compiled {
    /// Its machine code.
    pub module: Module,
    /// The names of its tests, in the order the module has them; none unless they were asked for.
    pub tests: Vec<String>,
    /// Warnings; never errors.
    pub warnings: Vec<Diagnostic>,
    /// What spans point into.
    pub sources: Arc<Sources>,
}

/// A script with mistakes.
#[derive(Debug)]
pub struct Rejected {
    /// At least one error, and warnings, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// What spans point into.
    pub sources: Arc<Sources>,
}

/// What `weir check --emit` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// The lexer's tokens.
    Tokens,
    /// The syntax tree.
    Ast,
    /// The typed tree.
    Typed,
    /// The intermediate representation, after counting.
    Ir,
    /// Cranelift's input.
    Clif,
    /// Machine code as assembly.
    Asm,
}

/// A script that was checked and has no errors.
struct Checked {
    program: Program,
    warnings: Vec<Diagnostic>,
    sources: Arc<Sources>,
}

/// Compiles a script. `name` is its path, and what diagnostics and stack traces call it; `read` reads the files it uses.
pub fn compile(name: &str, text: &str, read: Read<'_>) -> Result<Compiled, Rejected> {
    checked(name, text, read, check_units).map(link)
}

/// Compiles a script's tests, with its top-level `let`s for their main program.
pub fn compile_tests(name: &str, text: &str, read: Read<'_>) -> Result<Compiled, Rejected> {
    checked(name, text, read, check_tests).map(link)
}

/// Compiles the tests of a module of the standard library, one of [`MODULES`].
pub fn compile_library_tests(module: &'static str) -> Result<Compiled, Rejected> {
    let mut sources = Sources::new();
    sources.add(Source::new(String::new(), String::new()));
    let modules = Modules::new(sources);
    let (program, diagnostics) = weir_check::check_library_tests(module, &modules);
    let sources = Arc::new(modules.into_sources());
    match program {
        Some(program) => Ok(link(Checked { program, warnings: diagnostics, sources })),
        None => Err(Rejected { diagnostics, sources }),
    }
}

fn link(checked: Checked) -> Compiled {
    let Checked { program, warnings, sources } = checked;
    let ir = weir_ir::compile_to_ir(&program, true);
    let places = Arc::clone(&sources);
    let mut module = weir_codegen::compile(
        &ir,
        &weir_core::address,
        Box::new(move |place| show_place(&places, place)),
        weir_codegen::Options::default(),
    );
    let places = Arc::clone(&sources);
    module.is_library = Box::new(move |file| library::is_library(places.get(FileId(file))));
    let tests = program.tests.into_iter().map(|test| test.name).collect();
    Compiled { module, tests, warnings, sources }
}

/// Checks a script without compiling it; gives its warnings.
pub fn check(name: &str, text: &str, read: Read<'_>) -> Result<(Vec<Diagnostic>, Arc<Sources>), Rejected> {
    checked(name, text, read, check_units).map(|c| (c.warnings, c.sources))
}

/// Shows one stage of a script's way to machine code.
pub fn emit(name: &str, text: &str, read: Read<'_>, what: Emit) -> Result<String, Rejected> {
    if matches!(what, Emit::Tokens | Emit::Ast) {
        let (sources, file) = one_source(name, text);
        return Ok(match what {
            Emit::Tokens => weir_syntax::print::tokens(text, &lexer::lex(file, text).0),
            _ => weir_syntax::print::file(&parser::parse(file, &sources.get(file).text).file),
        });
    }
    let Checked { program, .. } = checked(name, text, read, check_units)?;
    if what == Emit::Typed {
        return Ok(weir_check::print::program(&program));
    }
    let ir = weir_ir::compile_to_ir(&program, true);
    Ok(match what {
        Emit::Clif => weir_codegen::emit_text(&ir, weir_codegen::Emit::Clif),
        Emit::Asm => weir_codegen::emit_text(&ir, weir_codegen::Emit::Asm),
        _ => weir_ir::print(&ir),
    })
}

/// The explanation of a diagnostic code, for `weir explain`.
pub fn explain(code: &str) -> Option<&'static Code> {
    codes().find(|c| c.code.eq_ignore_ascii_case(code))
}

/// All diagnostic codes.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    weir_syntax::codes::SYNTAX.iter().chain(weir_check::codes::CODES)
}

fn one_source(name: &str, text: &str) -> (Sources, FileId) {
    let mut sources = Sources::new();
    let file = sources.add(Source::new(name, text));
    (sources, file)
}

/// The pass that checks, for running a script or its tests.
type Check = fn(&[Unit<'_>], &dyn Library) -> (Option<Program>, Vec<Diagnostic>);

/// Parses and checks: both always run, so that one look shows all mistakes.
fn checked(name: &str, text: &str, read: Read<'_>, check: Check) -> Result<Checked, Rejected> {
    let mut sources = Sources::new();
    let (loaded, diagnostics) = units::load(name, text, read, &mut sources);
    check_loaded(loaded, diagnostics, sources, check)
}

/// Checks files in which the parser found what `diagnostics` say.
fn check_loaded(
    loaded: units::Loaded,
    mut diagnostics: Vec<Diagnostic>,
    sources: Sources,
    check: Check,
) -> Result<Checked, Rejected> {
    let modules = Modules::new(sources);
    let (program, mut found) = check(&loaded.units(), &modules);
    let sources = Arc::new(modules.into_sources());
    follow::drop_consequences(&diagnostics, &mut found, &sources);
    diagnostics.extend(found);
    diagnostics.sort_by_key(Diagnostic::span);
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    match program {
        Some(program) if !failed => Ok(Checked { program, warnings: diagnostics, sources }),
        _ => Err(Rejected { diagnostics, sources }),
    }
}

fn show_place(sources: &Sources, place: Place) -> String {
    let source = sources.get(FileId(place.file));
    let (line, column) = source.line_column(place.start);
    format!("{}:{line}:{column}", source.name)
}
