//! `weir FILE`, `weir -e CODE`, `weir -`: runs a script's statements from top to bottom.

use crate::script::{FAILED, Script, ended, fail};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use weir_core::{App, Limits};

/// Runs the file named first with the other words as its arguments.
pub fn file(mut words: Vec<OsString>) -> Result<(), u8> {
    let file = PathBuf::from(words.remove(0));
    let script = Script::from_file(&file)?;
    program(&script, words)
}

/// Runs code from the command line.
pub fn code(text: String, arguments: Vec<OsString>) -> Result<(), u8> {
    program(&Script { name: "-e".to_owned(), text }, arguments)
}

fn program(script: &Script, arguments: Vec<OsString>) -> Result<(), u8> {
    let arguments = arguments.into_iter().map(text).collect::<Result<Vec<_>, u8>>()?;
    let compiled = script.compile()?;
    App::start(Arc::new(compiled.module), arguments, Limits::of_program())
        .map(drop)
        .map_err(|failure| ended(&failure))
}

fn text(argument: OsString) -> Result<String, u8> {
    argument.into_string().map_err(|argument| {
        fail(FAILED, &format!("the argument `{}` is not UTF-8", argument.to_string_lossy()))
    })
}
