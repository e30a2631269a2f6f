//! Where a script comes from (a file, `-e CODE`, standard input), and what happens when it has mistakes.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weir_core::Failure;
use weir_driver::{Compiled, MAX_SOURCE, Module, Rejected};
use weir_syntax::diag::Diagnostic;
use weir_syntax::render::render;
use weir_syntax::span::Sources;

/// Exit code: the program failed.
pub const FAILED: u8 = 1;
/// Exit code: the command line was wrong.
pub const USAGE: u8 = 2;
/// Exit code: the script does not compile.
pub const REJECTED: u8 = 3;
/// Exit code: a test failed.
pub const TESTS_FAILED: u8 = 4;
/// Exit code: a file is not formatted.
pub const UNFORMATTED: u8 = 5;
/// Exit code: the address is in use.
pub const ADDRESS_IN_USE: u8 = 98;

/// A script's text and the name it goes by.
pub struct Script {
    /// The path as given, `-e` or `stdin`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Script {
    /// From `-e CODE` if given, else from `file`, where `-` is standard input. The error is an exit code; it was reported.
    pub fn read(file: Option<&Path>, code: Option<String>) -> Result<Script, u8> {
        match (file, code) {
            (None, Some(text)) => Ok(Script { name: "-e".to_owned(), text }),
            (Some(file), None) => Script::from_file(file),
            (Some(_), Some(_)) => Err(usage("give a script file or -e CODE, not both")),
            (None, None) => Err(usage("give a script file or -e CODE")),
        }
    }

    /// Reads a file, or standard input for `-`.
    pub fn from_file(file: &Path) -> Result<Script, u8> {
        let stdin = file == Path::new("-");
        let name = if stdin { "stdin".to_owned() } else { file.display().to_string() };
        let read = if stdin {
            let mut bytes = Vec::new();
            std::io::stdin().lock().take(MAX_SOURCE as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
        } else {
            read_bounded(file)
        };
        let bytes = read.map_err(|error| fail(FAILED, &format!("cannot read {name}: {error}")))?;
        let text = source(bytes).map_err(|unfit| match unfit {
            Unfit::TooLong => fail(FAILED, &format!("{name} {unfit}")),
            Unfit::NotUtf8(_) => fail(REJECTED, &format!("{name} {unfit}")),
        })?;
        Ok(Script { name, text })
    }

    /// Compiles it; mistakes and warnings go to standard error.
    pub fn compile(&self) -> Result<Compiled, u8> {
        self.compile_with(&read_used)
    }

    /// Likewise, with another way to read the files that it uses.
    pub fn compile_with(&self, read: weir_driver::Read<'_>) -> Result<Compiled, u8> {
        let compiled = weir_driver::compile(&self.name, &self.text, read).map_err(|r| rejected(&r))?;
        show(&compiled.warnings, &compiled.sources);
        Ok(compiled)
    }

    /// The module of a script that can answer requests; says so if it cannot.
    pub fn serving(&self, compiled: Compiled) -> Result<Module, u8> {
        if compiled.module.handler.is_some() || !compiled.module.routes.is_empty() {
            return Ok(compiled.module);
        }
        let hint = "write `route GET \"/\" { \"Hello!\\n\" }` or `fn handle(req) { ... }`, or run it with `weir FILE`";
        let message =
            format!("{} has neither a route nor `handle`, so there is nothing to serve; {hint}", self.name);
        Err(fail(REJECTED, &message))
    }
}

/// Reads a file that a script uses.
pub fn read_used(file: &Path) -> Result<String, String> {
    let bytes = read_bounded(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        kind => kind.to_string(),
    })?;
    source(bytes).map_err(|unfit| format!("it {unfit}"))
}

/// Why bytes are no script.
enum Unfit {
    TooLong,
    /// The offset of the first byte that is wrong.
    NotUtf8(usize),
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unfit::TooLong => write!(f, "is longer than {} MiB", MAX_SOURCE >> 20),
            Unfit::NotUtf8(at) => write!(f, "is not UTF-8: the byte at offset {at} is wrong"),
        }
    }
}

/// A script's text; a byte order mark is no part of it.
fn source(bytes: Vec<u8>) -> Result<String, Unfit> {
    if bytes.len() > MAX_SOURCE {
        return Err(Unfit::TooLong);
    }
    let text = String::from_utf8(bytes).map_err(|e| Unfit::NotUtf8(e.utf8_error().valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(MAX_SOURCE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Shows why a script was rejected and gives the exit code for it.
pub fn rejected(rejected: &Rejected) -> u8 {
    show(&rejected.diagnostics, &rejected.sources);
    REJECTED
}

/// Shows diagnostics on standard error.
pub fn show(diagnostics: &[Diagnostic], sources: &Arc<Sources>) {
    if !diagnostics.is_empty() {
        eprint!("{}", render(diagnostics, sources, colour_stderr()));
    }
}

/// Says why the command line is wrong and gives the exit code for it.
pub fn usage(message: &str) -> u8 {
    fail(USAGE, &format!("{message}\nTry `weir --help`."))
}

/// Says why the command failed and gives back the exit code.
pub fn fail(code: u8, message: &str) -> u8 {
    eprintln!("weir: {message}");
    code
}

/// Reports why a program ended: a trap, or an error that it did not look at.
pub fn ended(failure: &Failure) -> u8 {
    if failure.trace.is_some() {
        return fail(FAILED, &format!("trap: {failure}"));
    }
    eprintln!("error: {failure}");
    FAILED
}

/// Whether standard error is a terminal that wants colours (NO_COLOR, CLICOLOR_FORCE).
pub fn colour_stderr() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !set("NO_COLOR") && (set("CLICOLOR_FORCE") || std::io::stderr().is_terminal())
}

/// Script files named on a command line that does something with each of them.
pub fn each(files: &[PathBuf], mut action: impl FnMut(&Path) -> Result<(), u8>) -> Result<(), u8> {
    let mut result = Ok(());
    for file in files {
        if let Err(code) = action(file) {
            result = Err(code);
        }
    }
    result
}
