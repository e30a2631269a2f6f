//! `weir test`: runs the tests of scripts.

use crate::script::{FAILED, REJECTED, Script, TESTS_FAILED, fail, read_used, rejected, show};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use weir_core::{App, Failure, Limits};

/// Run the tests of scripts
///
/// Each `test "name" { ... }` runs by itself, behind the script's top-level `let`s. One that traps or whose assertion does not
/// hold has failed; the others still run.
#[derive(Args)]
pub struct Test {
    /// Script files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Run only the tests with this text in their names
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// How the tests came out.
#[derive(Default)]
struct Count {
    passed: usize,
    failed: usize,
    /// Files that could not be tested, by exit code.
    code: Option<u8>,
}

/// Runs the tests of each file; what they print goes to standard output, as does the outcome of each.
pub fn run(command: Test) -> Result<(), u8> {
    let mut count = Count::default();
    let filter = command.filter.as_deref().unwrap_or("");
    for file in &command.files {
        if command.files.len() > 1 {
            println!("{}", file.display());
        }
        if let Err(code) = Script::from_file(file).and_then(|script| test(&script, filter, &mut count)) {
            count.code = Some(count.code.map_or(code, |earlier| earlier.max(code)));
        }
    }
    if count.code.is_none() || count.passed + count.failed > 0 {
        println!("{} passed, {} failed", count.passed, count.failed);
    }
    match count {
        Count { code: Some(code), .. } => Err(code),
        Count { failed: 0, .. } => Ok(()),
        Count { .. } => Err(TESTS_FAILED),
    }
}

fn test(script: &Script, filter: &str, count: &mut Count) -> Result<(), u8> {
    let compiled = weir_driver::compile_tests(&script.name, &script.text, &read_used);
    let compiled = compiled.map_err(|mistakes| {
        rejected(&mistakes);
        REJECTED
    })?;
    show(&compiled.warnings, &compiled.sources);
    let started = App::start(Arc::new(compiled.module), Vec::new(), Limits::default());
    let app = started.map_err(|failure| {
        fail(FAILED, &format!("{} failed before its tests could run: {failure}", script.name))
    })?;
    for (index, name) in compiled.tests.iter().enumerate().filter(|(_, name)| name.contains(filter)) {
        match app.test(index) {
            Ok(()) => {
                count.passed += 1;
                println!("ok {name}");
            }
            Err(failure) => {
                count.failed += 1;
                println!("FAILED {name}\n{}", reason(&failure));
            }
        }
    }
    Ok(())
}

/// Why a test failed, indented below its name.
fn reason(failure: &Failure) -> String {
    let lines = failure.to_string();
    let lines: Vec<String> = lines.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}
