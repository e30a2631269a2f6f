//! A Text that is made piece by piece, where it stays.
//!
//! In: pieces, which together are UTF-8. Out: the Text. Invariant: nobody else sees it before it is whole.

use crate::heap::Full;
use crate::scope::Scope;
use crate::value::{Filler, Own, Text};

/// A Text in the making.
#[derive(Debug, Default)]
pub struct Building {
    /// What was written and, as long as `room` is left, what is still to be.
    text: Option<Own<Text>>,
    /// The rest of a Text whose length was known before.
    room: Option<Filler>,
}

impl Building {
    /// One of `len` bytes.
    pub fn sized(scope: &mut Scope, len: usize) -> Result<Self, Full> {
        let (text, room) = scope.text_unfilled(len)?;
        Ok(Self { text: Some(text), room: Some(room) })
    }

    /// One that begins with `text`.
    pub fn behind(text: Own<Text>) -> Self {
        Self { text: Some(text), room: None }
    }

    /// Puts a piece behind the others. Without room for it everything is given up.
    pub fn push(&mut self, scope: &mut Scope, piece: &[u8]) -> Result<(), Full> {
        if let Some(room) = &mut self.room {
            room.push(piece);
            return Ok(());
        }
        self.text = Some(match self.text.take() {
            Some(text) => scope.text_longer(text, piece.len(), |room| room.push(piece))?,
            None => scope.text_with(piece.len(), |room| room.push(piece))?,
        });
        Ok(())
    }

    /// The whole Text.
    pub fn finish(self, scope: &mut Scope) -> Result<Own<Text>, Full> {
        assert!(self.room.is_none_or(|room| room.left() == 0), "a text is written whole");
        match self.text {
            Some(text) => Ok(text),
            None => scope.text(""),
        }
    }

    /// Gives up what was made.
    pub fn close(self, scope: &mut Scope) {
        if let Some(text) = self.text {
            scope.give_up(text);
        }
    }
}
