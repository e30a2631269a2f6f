//! Natives of `prelude.weir`: output, environment, waiting.

use super::Flow;
use crate::form::write_form;
use crate::heap::{Full, Word};
use crate::output::{Output, STDERR, STDOUT};
use crate::scope::{Operation, Scope};
use crate::value::{Any, Gives, List, Own, Text};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// Writes a value's text form and a newline, as far as there is room for both in the heap; whether the output takes more.
fn write_line(scope: &Scope, output: &'static Output, ty: TypeId, value: Any) -> Result<bool, Full> {
    let mut fits = Ok(());
    let takes_more = output.write(|out| {
        let (start, most) = (out.len(), out.len().saturating_add(scope.heap().room()));
        fits = write_form(&scope.app().module().types, ty, value, out, most);
        match fits {
            Ok(()) => out.push(b'\n'),
            Err(Full) => out.truncate(start),
        }
    });
    fits.map(|()| takes_more)
}

/// Prints a value. Waits while a server's output has more than enough to write.
pub fn print(scope: &mut Scope, ty: TypeId, value: Any) -> Result<Flow, Trap> {
    if write_line(scope, &STDOUT, ty, value)? {
        return Ok(Flow::Done(0));
    }
    scope.pending = Some(Box::new(Room));
    Ok(Flow::Wait)
}

/// Waits until standard output takes more.
struct Room;

impl Operation for Room {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        scope.note_work();
        STDOUT.poll_room(cx).map(|()| Ok(0))
    }
}

/// Writes a value to standard error. What was printed before it comes first.
pub fn warn(scope: &mut Scope, ty: TypeId, value: Any) -> Result<(), Trap> {
    STDOUT.flush_own();
    write_line(scope, &STDERR, ty, value)?;
    Ok(())
}

/// An environment variable. One that is not UTF-8 is as good as none.
pub fn env(scope: &mut Scope, name: Text) -> Result<Option<Own<Text>>, Trap> {
    let name = name.as_str();
    // `std::env::var` panics for these.
    if name.is_empty() || name.contains(['=', '\0']) {
        return Ok(None);
    }
    match std::env::var(name) {
        Ok(value) => Ok(Some(scope.text(&value)?)),
        Err(_) => Ok(None),
    }
}

/// All environment variables that are UTF-8: names and values in turn, sorted by name.
pub fn env_all(scope: &mut Scope) -> Result<Own<List>, Trap> {
    let texts =
        std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
    let mut all: Vec<(String, String)> = texts.collect();
    all.sort_unstable();
    Ok(scope.text_list(all.iter().flat_map(|(name, value)| [name.as_str(), value]))?)
}

/// The program's arguments.
pub fn args(scope: &mut Scope) -> Result<Own<List>, Trap> {
    let app = scope.app().clone();
    Ok(scope.text_list(app.args().iter().map(String::as_str))?)
}

/// A trap with a message of the script's.
pub fn panic(_: &mut Scope, why: Text) -> Result<(), Trap> {
    Err(Trap::native(why.as_str()))
}

/// Waits for so many nanoseconds; not at all for a negative number.
pub fn sleep(scope: &mut Scope, nanos: i64) -> Result<Flow, Trap> {
    match u64::try_from(nanos) {
        Ok(nanos) if nanos > 0 => {
            scope.pending = Some(Box::new(Nap { time: Duration::from_nanos(nanos), timer: None }));
            Ok(Flow::Wait)
        }
        _ => Ok(Flow::Done(().into_word())),
    }
}

/// A sleep. Its timer is made on the worker's stack.
struct Nap {
    time: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Operation for Nap {
    fn poll(&mut self, _: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        let timer =
            self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + self.time)));
        timer.as_mut().poll(cx).map(|()| Ok(0))
    }
}
