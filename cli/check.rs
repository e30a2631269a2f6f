//! `weir check`: says what is wrong with scripts, or shows a stage of the compiler.

use crate::script::{REJECTED, Script, each, read_used, rejected, show};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use weir_driver::Emit;

/// Check scripts without running them
#[derive(Args)]
pub struct Check {
    /// Script files; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write diagnostics as JSON to standard output
    #[arg(long)]
    json: bool,
    /// Write a stage of the compiler to standard output instead
    #[arg(long, value_name = "STAGE", conflicts_with = "json")]
    emit: Option<Stage>,
}

/// What `--emit` takes.
#[derive(Clone, Copy, ValueEnum)]
enum Stage {
    Tokens,
    Ast,
    Typed,
    Ir,
    Clif,
    Asm,
}

impl From<Stage> for Emit {
    fn from(stage: Stage) -> Emit {
        match stage {
            Stage::Tokens => Emit::Tokens,
            Stage::Ast => Emit::Ast,
            Stage::Typed => Emit::Typed,
            Stage::Ir => Emit::Ir,
            Stage::Clif => Emit::Clif,
            Stage::Asm => Emit::Asm,
        }
    }
}

/// Runs the command.
pub fn run(command: Check) -> Result<(), u8> {
    each(&command.files, |file| one(&command, file))
}

fn one(command: &Check, file: &Path) -> Result<(), u8> {
    let script = Script::from_file(file)?;
    if let Some(stage) = command.emit {
        let text = weir_driver::emit(&script.name, &script.text, &read_used, stage.into())
            .map_err(|r| rejected(&r))?;
        print!("{text}");
        return Ok(());
    }
    let (diagnostics, sources, result) = match weir_driver::check(&script.name, &script.text, &read_used) {
        Ok((warnings, sources)) => (warnings, sources, Ok(())),
        Err(r) => (r.diagnostics, r.sources, Err(REJECTED)),
    };
    if command.json {
        println!("{}", weir_syntax::render::to_json(&diagnostics, &sources));
    } else {
        show(&diagnostics, &sources);
    }
    result
}
