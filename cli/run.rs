//! `weir FILE`, `weir -e CODE`, `weir -`: runs a script's statements from top to bottom.
//!
//! SIGINT and SIGTERM end the program with what it put off done and its children ended; a second one ends the process at once.

use crate::script::{FAILED, Script, ended, fail};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use weir_core::{App, Limits};

/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: u8 = 128;

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
    let signal = attend_signals().map_err(|e| fail(FAILED, &format!("cannot attend to signals: {e}")))?;
    let result = App::perform(Arc::new(compiled.module), arguments, Limits::of_program());
    match signal.load(SeqCst) {
        0 => result.map(drop).map_err(|failure| ended(&failure)),
        signal => Err(SIGNALLED + signal),
    }
}

/// A thread of its own takes the signals. The number of the first one that came, or 0.
fn attend_signals() -> std::io::Result<Arc<AtomicU8>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let first = Arc::new(AtomicU8::new(0));
    let seen = Arc::clone(&first);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if seen.swap(signal as u8, SeqCst) != 0 {
                weir_core::kill_children();
                // Should that fail, the program goes on to its own end.
                let _ = emulate_default_handler(signal);
            }
            weir_core::interrupt();
        }
    })?;
    Ok(first)
}

fn text(argument: OsString) -> Result<String, u8> {
    argument.into_string().map_err(|argument| {
        fail(FAILED, &format!("the argument `{}` is not UTF-8", argument.to_string_lossy()))
    })
}
