//! Natives of `json.weir`.

use super::Flow;
use super::response::answer;
use crate::building::Building;
use crate::failure::Failure;
use crate::heap::Word;
use crate::json::{Fault, Reader, Step, Writer};
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::value::{Any, Gives, Text};
use std::mem;
use weir_abi::trap::Trap;
use weir_abi::types::TypeId;

/// The content type of JSON.
const JSON: &str = "application/json";

/// The JSON of a value; `None` when it has none.
pub fn json_encode(scope: &mut Scope, ty: TypeId, value: Any, is_pretty: Word) -> Result<Flow, Trap> {
    scope.failure = None;
    start(scope, ty, value, is_pretty != 0, None)
}

/// A response with that status and the JSON of a value.
pub fn respond_json(scope: &mut Scope, ty: TypeId, value: Any, status: i64) -> Result<Flow, Trap> {
    start(scope, ty, value, false, Some(status))
}

fn start(
    scope: &mut Scope,
    ty: TypeId,
    value: Any,
    is_pretty: bool,
    status: Option<i64>,
) -> Result<Flow, Trap> {
    let buffer = mem::take(&mut scope.scratch);
    let writer = Writer::new(ty, value, is_pretty, buffer);
    in_steps(scope, Writing { writer, building: Building::default(), status })
}

/// A value that is being written; whoever waits holds it.
struct Writing {
    writer: Writer,
    building: Building,
    /// That of the response which it becomes; `None` for a Text.
    status: Option<i64>,
}

impl Work for Writing {
    /// Writes a piece; gives the text when it was the last one.
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let app = scope.app().clone();
        match self.writer.step(app.module()) {
            Ok(is_whole) => {
                self.building.push(scope, self.writer.piece())?;
                if !is_whole {
                    return Ok(None);
                }
                let text = self.end(scope).finish(scope)?;
                Ok(Some(match self.status {
                    Some(status) => answer(scope, status, text, JSON)?.into_word(),
                    None => text.into_word(),
                }))
            }
            Err(fault) => {
                self.end(scope).close(scope);
                match fault {
                    Fault::Wrong(message) if self.status.is_some() => Err(Trap::native(message)),
                    fault => failed(scope, fault, Of::Text).map(Some),
                }
            }
        }
    }

    fn close(mut self, scope: &mut Scope) {
        self.end(scope).close(scope);
    }
}

impl Writing {
    /// Gives the buffer back; what was made so far.
    fn end(&mut self, scope: &mut Scope) -> Building {
        scope.scratch = self.writer.take_buffer();
        mem::take(&mut self.building)
    }
}

/// The value of a type that a text holds; `None` when it holds none.
pub fn json_decode(scope: &mut Scope, ty: TypeId, text: Text, is_strict: Word) -> Result<Flow, Trap> {
    decode(scope, ty, text, is_strict != 0, Of::Text)
}

/// The value of a type that the text of a request's body holds; `None` when it holds none. Then the failure has the status for
/// the client.
pub fn request_json(scope: &mut Scope, ty: TypeId, text: Text, is_strict: Word) -> Result<Flow, Trap> {
    decode(scope, ty, text, is_strict != 0, Of::Body)
}

/// The value of a type that the text of an upstream's answer holds; `None` when it holds none. Then the upstream is to blame.
pub fn answer_json(scope: &mut Scope, ty: TypeId, text: Text, is_strict: Word) -> Result<Flow, Trap> {
    decode(scope, ty, text, is_strict != 0, Of::Answer)
}

fn decode(scope: &mut Scope, ty: TypeId, text: Text, is_strict: bool, of: Of) -> Result<Flow, Trap> {
    scope.failure = None;
    in_steps(scope, Reading { reader: Reader::new(ty, is_strict), ty, text, of })
}

/// Whose fault wrong JSON is.
#[derive(Clone, Copy)]
enum Of {
    /// Any text's.
    Text,
    /// A request's.
    Body,
    /// An upstream's.
    Answer,
}

/// A text that is being read; whoever waits holds it.
struct Reading {
    reader: Reader,
    ty: TypeId,
    text: Text,
    of: Of,
}

impl Work for Reading {
    /// Reads a piece; gives the option of the value when it was the last one.
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        match self.reader.step(scope, self.text.as_str()) {
            Ok(Step::More) => Ok(None),
            Ok(Step::Done(word)) => Ok(Some(scope.some(self.ty, word)?)),
            Err(fault) => failed(scope, fault, self.of).map(Some),
        }
    }

    fn close(mut self, scope: &mut Scope) {
        self.reader.give_back(scope);
    }
}

/// `None`, with the reason recorded; or a trap.
fn failed(scope: &mut Scope, fault: Fault, of: Of) -> Result<Word, Trap> {
    /// The status of a request whose body is JSON, but not that of the type (RFC 9110 section 15.5.21).
    const UNPROCESSABLE: u16 = 422;
    let failure = match fault {
        Fault::Trap(trap) => return Err(trap),
        Fault::Wrong(message) if matches!(of, Of::Body) => {
            Failure::new(UNPROCESSABLE, message).with_kind("invalid")
        }
        Fault::Wrong(message) | Fault::Malformed(message) if matches!(of, Of::Answer) => {
            Failure::of_kind("upstream", message)
        }
        Fault::Wrong(message) | Fault::Malformed(message) => Failure::of_kind("invalid", message),
    };
    scope.failure = Some(failure);
    Ok(0)
}
