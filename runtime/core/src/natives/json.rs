//! Natives of `json.weir`.
//!
//! What is small is done at once; the rest goes in pieces on the worker's stack, with others between them.

use super::Flow;
use super::response::answer;
use crate::failure::Failure;
use crate::heap::Word;
use crate::json::{Fault, PIECE, Reader, Step, Writer};
use crate::scope::{Operation, Scope};
use crate::value::{Any, Gives, Text};
use std::task::{Context, Poll, ready};
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
    let mut buffer = std::mem::take(&mut scope.scratch);
    buffer.clear();
    let mut writing = Writing { writer: Some(Writer::new(ty, value, is_pretty, buffer)), status };
    if let Some(word) = writing.step(scope)? {
        return Ok(Flow::Done(word));
    }
    scope.pending = Some(Box::new(writing));
    Ok(Flow::Wait)
}

/// A value that is being written; whoever waits holds it.
struct Writing {
    /// Until it is done.
    writer: Option<Writer>,
    /// That of the response which it becomes; `None` for a Text.
    status: Option<i64>,
}

impl Writing {
    /// Writes a piece; gives the text when it was the last one.
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let limit = scope.app().limits().mem_limit;
        let writer = self.writer.as_mut().expect("an operation is ready once");
        match writer.step(scope.app().clone().module(), limit) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let bytes = self.writer.take().map(Writer::into_bytes).unwrap_or_default();
                let text = scope.text_with(bytes.len(), |filler| filler.push(&bytes))?;
                if bytes.capacity() <= PIECE {
                    scope.scratch = bytes;
                }
                Ok(Some(match self.status {
                    Some(status) => answer(scope, status, text, JSON)?.into_word(),
                    None => text.into_word(),
                }))
            }
            Err(Fault::Wrong(message)) if self.status.is_some() => Err(Trap::native(message)),
            Err(fault) => failed(scope, fault, Of::Text).map(Some),
        }
    }
}

impl Operation for Writing {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        loop {
            if let Some(result) = self.step(scope).transpose() {
                return Poll::Ready(result);
            }
            ready!(scope.poll_turn(cx));
        }
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
    let mut reading = Reading { reader: Reader::new(ty, is_strict), ty, text, of };
    if let Some(word) = reading.step(scope)? {
        return Ok(Flow::Done(word));
    }
    scope.pending = Some(Box::new(reading));
    Ok(Flow::Wait)
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

impl Reading {
    /// Reads a piece; gives the option of the value when it was the last one.
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        match self.reader.step(scope, self.text.as_str()) {
            Ok(Step::More) => Ok(None),
            Ok(Step::Done(word)) => Ok(Some(scope.some(self.ty, word)?)),
            Err(fault) => failed(scope, fault, self.of).map(Some),
        }
    }
}

impl Operation for Reading {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        loop {
            if let Some(result) = self.step(scope).transpose() {
                return Poll::Ready(result);
            }
            ready!(scope.poll_turn(cx));
        }
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
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
