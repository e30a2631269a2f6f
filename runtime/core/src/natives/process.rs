//! Natives of `process.weir`.

use crate::child::{self, Order, Outcome, Unfinished};
use crate::failure::{Failure, INTERNAL};
use crate::heap::Word;
use crate::natives::Flow;
use crate::scope::Scope;
use crate::value::{Gives, List, Own, Text};
use crate::waiting::on_future;
use std::time::Duration;
use weir_abi::trap::Trap;

/// Runs a program to its end. `command` is the program and its arguments; `setting` the folder, then names and values of
/// variables in turn; a `timeout` that is not above 0 is none.
pub fn process_run(
    scope: &mut Scope,
    command: List,
    input: Text,
    setting: List,
    timeout: i64,
) -> Result<Flow, Trap> {
    let owned = |text: Text| text.as_str().to_owned();
    let (mut command, mut setting) = (command.texts().map(owned), setting.texts().map(owned));
    let (program, dir) = (command.next().unwrap_or_default(), setting.next().unwrap_or_default());
    let mut env = Vec::new();
    while let (Some(name), Some(value)) = (setting.next(), setting.next()) {
        env.push((name, value));
    }
    let order = Order {
        program,
        args: command.collect(),
        input: input.as_bytes().to_vec(),
        dir,
        env,
        timeout: u64::try_from(timeout).ok().filter(|nanos| *nanos > 0).map(Duration::from_nanos),
        most: scope.heap().room(),
    };
    Ok(on_future(scope, child::run(order, scope.worker().counters), give))
}

fn give(scope: &mut Scope, ended: Result<Outcome, Unfinished>) -> Result<Word, Trap> {
    match ended {
        Ok(outcome) => Ok(texts(scope, &outcome)?.into_word()),
        Err(Unfinished { kind, message }) => {
            let failure = Failure::of_kind(kind, message);
            // A program that is missing here is nothing that a client asked for.
            let failure = if kind == "missing" { Failure { status: INTERNAL, ..failure } } else { failure };
            scope.failure = Some(failure);
            Ok(0)
        }
    }
}

/// Status, standard output and standard error.
fn texts(scope: &mut Scope, outcome: &Outcome) -> Result<Own<List>, Trap> {
    let status = outcome.status.to_string();
    let (out, err) = (String::from_utf8_lossy(&outcome.out), String::from_utf8_lossy(&outcome.err));
    Ok(scope.text_list([status.as_str(), &out, &err].into_iter())?)
}

/// The process's number.
pub fn process_id(_: &mut Scope) -> i64 {
    i64::from(std::process::id())
}

/// The folder it works in.
pub fn process_dir(scope: &mut Scope) -> Result<Option<Own<Text>>, Trap> {
    match std::env::current_dir() {
        Ok(dir) => Ok(Some(scope.text(&dir.to_string_lossy())?)),
        Err(error) => Ok(scope.fail("io", format!("the working folder: {}", crate::files::reason(&error)))),
    }
}
