//! Lists of parts of a text, made in steps.
//!
//! In: a [`Split`], which tells where parts lie, so many at a time. Out: the list of them as Texts. They are counted first, so that
//! the list is allocated once; where they lie is kept only of as many as a step finds.
//! Invariants: a part of up to a step's bytes is copied; a longer one shares the storage of the whole. The list is given up when
//! nobody waits for it any more.

use crate::heap::{Full, Word};
use crate::natives::Flow;
use crate::scope::Scope;
use crate::steps::{STEP, Work, in_steps};
use crate::value::{Gives, Handle, List, Own, Text};
use std::mem;
use std::ops::Range;
use weir_abi::layout::shape;
use weir_abi::trap::Trap;

/// What a part costs besides its bytes, in bytes: it becomes an object.
pub const PART: usize = 64;

/// What is done with each part, which lies there.
pub trait Each: FnMut(Range<usize>) -> Result<(), Full> {}

impl<F: FnMut(Range<usize>) -> Result<(), Full>> Each for F {}

/// Tells where the parts of a text lie.
pub trait Split: Clone {
    /// Gives the next ones to `each`, first to last, until it has read about `step` bytes, a part for [`PART`] more; whether there are
    /// no others.
    fn split(&mut self, step: usize, each: &mut impl Each) -> Result<bool, Full>;
}

/// The list of a text's parts.
#[inline]
pub fn listed<S: Split + 'static>(scope: &mut Scope, text: Text, split: S) -> Result<Flow, Trap> {
    let mut parts = mem::take(&mut scope.parts);
    parts.clear();
    let mut at = split.clone();
    let is_whole = at.split(STEP, &mut |range| {
        parts.push(range);
        Ok(())
    });
    let flow = match is_whole {
        Ok(true) => listed_parts(scope, text, &parts).map(|list| Flow::Done(list.into_word())),
        Ok(false) => {
            in_steps(scope, Listing { start: Some(split), split: at, text, count: parts.len(), list: None })
        }
        Err(full) => Err(full.into()),
    };
    scope.parts = parts;
    flow
}

/// The list of a few parts.
fn listed_parts(scope: &mut Scope, text: Text, parts: &[Range<usize>]) -> Result<Own<List>, Trap> {
    let list = scope.list(shape::LIST_REF, parts.len())?;
    for range in parts {
        match part(scope, text, range.clone()) {
            Ok(part) => list.get().append(&[part.get().word()]),
            Err(full) => {
                scope.give_up(list);
                return Err(full.into());
            }
        }
    }
    Ok(list)
}

struct Listing<S> {
    /// As it was before the first part, until they are counted.
    start: Option<S>,
    split: S,
    text: Text,
    count: usize,
    /// The parts so far.
    list: Option<Own<List>>,
}

impl<S: Split> Work for Listing<S> {
    #[inline]
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let (text, count) = (self.text, &mut self.count);
        let list = match &self.list {
            Some(list) => list.get(),
            None => {
                let counted = self.split.split(STEP, &mut |_| {
                    *count += 1;
                    Ok(())
                });
                if !counted? {
                    return Ok(None);
                }
                self.split = self.start.take().expect("parts are counted once");
                self.list.insert(scope.list(shape::LIST_REF, *count)?).get()
            }
        };
        let is_whole = self.split.split(STEP, &mut |range| {
            let part = part(scope, text, range)?;
            list.append(&[part.get().word()]);
            Ok(())
        });
        match is_whole {
            Ok(true) => Ok(self.list.take().map(Gives::into_word)),
            Ok(false) => Ok(None),
            Err(full) => {
                if let Some(list) = self.list.take() {
                    scope.give_up(list);
                }
                Err(full.into())
            }
        }
    }

    fn close(self, scope: &mut Scope) {
        if let Some(list) = self.list {
            scope.give_up(list);
        }
    }
}

/// The bytes `range` of a text, on character boundaries.
#[inline]
fn part(scope: &mut Scope, text: Text, range: Range<usize>) -> Result<Own<Text>, Full> {
    if range.len() > STEP {
        let whole = scope.dup(text);
        return scope.text_slice(whole, range);
    }
    scope.text_with(range.len(), |filler| filler.push(&text.as_bytes()[range]))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The parts that are told in steps of these sizes, again and again.
    pub fn all_parts<'t>(mut split: impl Split, text: &'t str, steps: &[usize]) -> Vec<&'t str> {
        let mut parts = Vec::new();
        for step in steps.iter().cycle() {
            let is_whole = split.split(*step, &mut |range| {
                parts.push(&text[range]);
                Ok(())
            });
            if is_whole.expect("room") {
                break;
            }
        }
        parts
    }
}
