//! Natives that compiled code itself needs.

use super::Flow;
use crate::building::Building;
use crate::form::{Digits, FormWriter};
use crate::heap::{Full, Word};
use crate::lists::{Nothing, change};
use crate::scope::Scope;
use crate::steps::{Work, in_steps};
use crate::value::{Any, Arg, Filler, Gives, List, Own, Parts, Text};
use std::mem;
use weir_abi::native::part;
use weir_abi::trap::{Trap, TrapKind};
use weir_abi::types::{TypeDesc, TypeId};

/// The trap that compiled code says.
pub fn trap(_: &mut Scope, kind: i64, a: i64, b: i64) -> Result<(), Trap> {
    let kind = TrapKind::from_number(kind as u64).unwrap_or(TrapKind::Native);
    Err(Trap { kind, a, b, message: None })
}

/// How many bytes of parts are put together at once.
const PIECE: usize = if cfg!(feature = "stress") { 16 } else { 32 * 1024 };

/// The parts in a row.
pub fn text_concat(scope: &mut Scope, parts: Parts) -> Result<Flow, Trap> {
    let building = match plain_len(parts.pairs()) {
        Some(len) if len <= PIECE => {
            let text = scope.text_with(len, |filler| push_plain(parts.pairs(), filler))?;
            return Ok(Flow::Done(text.into_word()));
        }
        Some(len) => Building::sized(scope, len)?,
        None => Building::default(),
    };
    in_steps(scope, Joining { parts, at: 0, part: FormWriter::empty(), building, first: None })
}

/// A text with the parts behind it, in place when nobody else holds it.
pub fn text_append(scope: &mut Scope, text: Own<Text>, parts: Parts) -> Result<Flow, Trap> {
    let is_own = scope.is_own_text(text.get());
    let len = plain_len(parts.pairs());
    if let Some(len) = len.filter(|len| *len <= PIECE && (is_own || text.get().len() <= PIECE)) {
        let text = scope.text_longer(text, len, |filler| push_plain(parts.pairs(), filler))?;
        return Ok(Flow::Done(text.into_word()));
    }
    let (building, part, first) = match is_own {
        true => (Building::behind(text), FormWriter::empty(), None),
        false => (Building::default(), FormWriter::plain(text.get()), Some(text)),
    };
    in_steps(scope, Joining { parts, at: 0, part, building, first })
}

/// Parts on their way into a text, which the suspended caller holds.
struct Joining {
    parts: Parts,
    /// The next of them.
    at: usize,
    /// The one before, as far as it is still to be written.
    part: FormWriter,
    building: Building,
    /// What stands before all parts, if that is not to be changed.
    first: Option<Own<Text>>,
}

impl Joining {
    /// Writes a piece; whether it was the last one.
    fn write(&mut self, types: &[TypeDesc], out: &mut Vec<u8>) -> bool {
        loop {
            if !self.part.step(types, out, PIECE) {
                return false;
            }
            let Some([kind, word]) = self.parts.pairs().get(self.at) else { return true };
            self.at += 1;
            match *kind {
                part::TEXT => self.part = FormWriter::plain(as_text(*word)),
                part::INT => out.extend_from_slice(Digits::of(*word as i64).as_bytes()),
                kind => {
                    let ty = TypeId((kind - part::TYPE) as u32);
                    self.part = FormWriter::new(types, ty, as_any(*word), out);
                }
            }
        }
    }
}

impl Work for Joining {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let app = scope.app().clone();
        let mut out = mem::take(&mut scope.scratch);
        out.clear();
        let is_whole = self.write(&app.module().types, &mut out);
        let pushed = self.building.push(scope, &out);
        scope.scratch = out;
        pushed?;
        if !is_whole {
            return Ok(None);
        }
        if let Some(first) = self.first.take() {
            scope.give_up(first);
        }
        Ok(Some(mem::take(&mut self.building).finish(scope)?.into_word()))
    }

    fn close(self, scope: &mut Scope) {
        self.building.close(scope);
        if let Some(first) = self.first {
            scope.give_up(first);
        }
    }
}

/// How many bytes parts have together; `None` when some have a text form of any length.
fn plain_len(pairs: &[[u64; 2]]) -> Option<usize> {
    let mut len = 0usize;
    for [kind, word] in pairs {
        len = len.saturating_add(match *kind {
            part::TEXT => as_text(*word).len(),
            part::INT => Digits::count(*word as i64),
            _ => return None,
        });
    }
    Some(len)
}

fn push_plain(pairs: &[[u64; 2]], filler: &mut Filler) {
    for [kind, word] in pairs {
        match *kind {
            part::TEXT => filler.push(as_text(*word).as_bytes()),
            _ => filler.push(Digits::of(*word as i64).as_bytes()),
        }
    }
}

fn as_text(word: u64) -> Text {
    as_any(word).as_arg()
}

fn as_any(word: u64) -> Any {
    // SAFETY: compiled code passes each part as a word of the type that its kind says, and holds it.
    unsafe { Any::from_word(word) }
}

/// The object as one that nobody else holds.
pub fn object_copy(scope: &mut Scope, object: Own<Any>) -> Result<Flow, Trap> {
    if let Some(list) = scope.as_list(&object) {
        let len = list.get().len();
        return change(scope, list, 0..len, 0, Nothing);
    }
    Ok(Flow::Done(scope.unique(object)?.into_word()))
}

/// Whether two texts are the same characters.
pub fn text_equal(_: &mut Scope, a: Text, b: Text) -> bool {
    a.as_bytes() == b.as_bytes()
}

/// Whether `a` comes before `b`, by code points.
pub fn text_less(_: &mut Scope, a: Text, b: Text) -> bool {
    a.as_bytes() < b.as_bytes()
}

/// An empty list.
pub fn list_new(scope: &mut Scope, shape: i64, capacity: i64) -> Result<Own<List>, Trap> {
    let capacity = usize::try_from(capacity).map_err(|_| Trap::from(Full))?;
    Ok(scope.list(shape as u32, capacity)?)
}
