//! `weir fmt`: rewrites scripts in their canonical form.

use crate::script::{FAILED, Script, UNFORMATTED, each, fail, rejected};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weir_driver::Rejected;
use weir_syntax::span::{Source, Sources};

/// Format scripts in place
#[derive(Args)]
pub struct Fmt {
    /// Script files; `-` formats standard input to standard output
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; exit with 5 when a file is not formatted
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(command: Fmt) -> Result<(), u8> {
    each(&command.files, |file| one(&command, file))
}

fn one(command: &Fmt, file: &Path) -> Result<(), u8> {
    let script = Script::from_file(file)?;
    let formatted = weir_fmt::format(&script.text).map_err(|diagnostics| {
        let mut sources = Sources::new();
        sources.add(Source::new(&script.name, &script.text));
        rejected(&Rejected { diagnostics, sources: Arc::new(sources) })
    })?;
    let to_stdout = file == Path::new("-");
    if command.check {
        return if formatted == script.text {
            Ok(())
        } else {
            Err(fail(UNFORMATTED, &format!("{} is not formatted; `weir fmt` mends it", script.name)))
        };
    }
    if to_stdout {
        print!("{formatted}");
        return Ok(());
    }
    if formatted == script.text {
        return Ok(());
    }
    replace(file, &formatted).map_err(|error| fail(FAILED, &format!("cannot write {}: {error}", script.name)))
}

/// Writes beside the file and renames, so that a full disk loses nothing.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    // A symbolic link stays one: what it points to is rewritten.
    let target = std::fs::canonicalize(file)?;
    let mut beside = target.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = (|| {
        let mut out = std::fs::File::create_new(&beside)?;
        out.set_permissions(std::fs::metadata(&target)?.permissions())?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        std::fs::rename(&beside, &target)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}
