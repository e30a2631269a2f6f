//! Makes Texts of lines.
//!
//! Invariant: short lines are copied, so that they do not keep the buffer they came in; a longer one that lies in one
//! piece points into it, and all of a piece's share one handle of it.

use super::lines::{Fault, Line, Lines};
use crate::failure::{BAD_GATEWAY, Failure};
use crate::heap::{Full, Word};
use crate::scope::Scope;
use crate::trace::Trace;
use crate::value::{Handle, Own, Resource, Text};

/// The longest line that is copied out of its piece.
const COPIED: usize = 256;

/// The handle of the piece that a reader's lines come from.
#[derive(Debug, Default)]
pub struct LineTexts {
    /// With the piece's number.
    piece: Option<(u64, Own<Resource>)>,
}

impl LineTexts {
    /// The next line as an owned Text; `None` when it takes another piece, or after the last.
    #[inline]
    pub fn next(
        &mut self,
        scope: &mut Scope,
        lines: &mut Lines,
        limit: usize,
    ) -> Option<Result<Word, Failure>> {
        let range = match lines.next(limit) {
            Ok(None) => return None,
            Ok(Some(Line::Joined(bytes))) => return Some(give(copy(scope, bytes))),
            Ok(Some(Line::InPiece(range))) => range,
            Err(fault) => return Some(Err(fail(fault))),
        };
        if range.len() <= COPIED {
            let bytes = &lines.piece().1[range];
            return Some(give(copy(scope, bytes)));
        }
        Some(give(self.slice(scope, lines, range)))
    }

    fn slice(
        &mut self,
        scope: &mut Scope,
        lines: &Lines,
        range: std::ops::Range<usize>,
    ) -> Result<Own<Text>, Full> {
        let (number, bytes) = lines.piece();
        match &self.piece {
            Some((known, foreign)) if *known == number => scope.foreign_text(foreign.get(), range),
            _ => {
                self.forget(scope);
                let foreign = scope.foreign(bytes.clone())?;
                let text = scope.foreign_text(foreign.get(), range);
                self.piece = Some((number, foreign));
                text
            }
        }
    }

    /// Gives up the handle of the piece.
    pub fn forget(&mut self, scope: &mut Scope) {
        if let Some((_, foreign)) = self.piece.take() {
            scope.give_up(foreign);
        }
    }
}

#[inline]
fn copy(scope: &mut Scope, line: &[u8]) -> Result<Own<Text>, Full> {
    // `Lines` gives valid UTF-8 only.
    scope.text_with(line.len(), |filler| filler.push(line))
}

#[inline]
fn give(text: Result<Own<Text>, Full>) -> Result<Word, Failure> {
    match text {
        Ok(text) => Ok(text.get().word()),
        Err(full) => Err(Failure::of_trap(&full.into(), Trace::default())),
    }
}

#[cold]
fn fail(fault: Fault) -> Failure {
    let kind = match fault {
        Fault::TooLong(_) => "limit",
        Fault::NotText(_) => "invalid",
    };
    Failure::new(BAD_GATEWAY, fault.to_string()).with_kind(kind)
}
