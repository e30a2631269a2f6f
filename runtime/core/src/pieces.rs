//! Texts that are written piece by piece, in steps.
//!
//! ```text
//! made     put into a spare buffer ──▶ all in a step: copied
//!                                 └──▶ more: put once more, measured only ──▶ filled
//! filled   a new text of known length ──▶ put, step by step
//! ```
//! In: [`Pieces`], which put out the bytes of a text, so many at a time. Out: the text, for the native's caller.
//! Invariants: a text is allocated once its length is known, at that length; nobody sees it before it is whole, and it is given up
//! when nobody waits for it any more. Bytes are UTF-8 as a whole, not by pieces; what is used as Bytes may be anything.
//! Not here: what takes longer than a step may (`steps`).

use crate::heap::Word;
use crate::natives::Flow;
use crate::scope::Scope;
use crate::steps::{STEP, Work, in_steps};
use crate::value::{Filler, Gives, Own, Text};
use std::mem;
use weir_abi::trap::Trap;

/// What a piece costs besides its bytes, in bytes: finding it, and a call.
pub const PIECE: usize = 32;

/// Takes bytes, front to back.
pub trait Sink {
    /// It takes any number of bytes in no time.
    const MEASURES: bool = false;

    /// Takes these.
    fn push(&mut self, bytes: &[u8]);
}

impl Sink for Filler {
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        Filler::push(self, bytes);
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// How many bytes were put.
struct Length(usize);

impl Sink for Length {
    const MEASURES: bool = true;

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}

/// How far putting came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// There is more.
    More,
    /// That was all.
    All,
    /// There is no such text: the native gives `None`.
    Nothing,
}

/// Puts out the bytes of a text. It owns no references, unless it gives them up in `close`.
pub trait Pieces {
    /// Puts the next bytes: about as many as make `step`, read or written.
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put;

    /// The text that it was made from, where all that was put is no other.
    fn same(&self) -> Option<Text> {
        None
    }

    /// Gives up what it owns.
    fn close(&mut self, _: &mut Scope) {}
}

/// The text of pieces whose length is not known before they are put.
#[inline]
pub fn made<P: Pieces + Clone + 'static>(scope: &mut Scope, pieces: P) -> Result<Flow, Trap> {
    let mut out = mem::take(&mut scope.scratch);
    out.clear();
    let mut at = pieces.clone();
    let flow = match at.put(&mut out, STEP) {
        Put::More => {
            in_steps(scope, Making { start: Some(pieces), pieces: at, len: Length(out.len()), text: None })
        }
        Put::All => match at.same() {
            Some(text) => Ok(Flow::Done(scope.dup(text).into_word())),
            None => match scope.text_with(out.len(), |filler| filler.push(&out)) {
                Ok(text) => Ok(Flow::Done(text.into_word())),
                Err(full) => Err(full.into()),
            },
        },
        Put::Nothing => Ok(Flow::Done(0)),
    };
    scope.scratch = out;
    flow
}

/// The text of `len` bytes that pieces put out.
#[inline]
pub fn filled<P: Pieces + 'static>(scope: &mut Scope, len: usize, mut pieces: P) -> Result<Flow, Trap> {
    match scope.text_unfilled(len) {
        Ok(text) => in_steps(scope, Making { start: None, pieces, len: Length(0), text: Some(text) }),
        Err(full) => {
            pieces.close(scope);
            Err(full.into())
        }
    }
}

/// A text in the making.
struct Making<P> {
    /// The pieces before any was put, until they are measured.
    start: Option<P>,
    pieces: P,
    /// How many bytes were measured.
    len: Length,
    /// The text, and what of it is still to be written.
    text: Option<(Own<Text>, Filler)>,
}

impl<P: Pieces> Work for Making<P> {
    #[inline]
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        if self.text.is_none() && !self.measure(scope)? {
            return Ok(None);
        }
        let Some((_, filler)) = &mut self.text else {
            self.pieces.close(scope);
            return Ok(Some(self.pieces.same().map(|text| scope.dup(text)).into_word()));
        };
        let put = self.pieces.put(filler, STEP);
        if put == Put::More {
            return Ok(None);
        }
        let (text, filler) = self.text.take().expect("there is one, see above");
        self.pieces.close(scope);
        if put == Put::Nothing {
            scope.give_up(text);
            return Ok(Some(0));
        }
        assert!(filler.left() == 0, "a text is written whole");
        Ok(Some(text.into_word()))
    }

    fn close(mut self, scope: &mut Scope) {
        self.pieces.close(scope);
        if let Some((text, _)) = self.text {
            scope.give_up(text);
        }
    }
}

impl<P: Pieces> Making<P> {
    /// Measures on; whether that is over: there is a text then, unless none is to be made.
    #[cold]
    fn measure(&mut self, scope: &mut Scope) -> Result<bool, Trap> {
        match self.pieces.put(&mut self.len, STEP) {
            Put::More => return Ok(false),
            Put::All if self.pieces.same().is_none() => {
                self.pieces = self.start.take().expect("pieces are measured once");
                self.text = Some(scope.text_unfilled(self.len.0)?);
            }
            Put::All | Put::Nothing => {}
        }
        Ok(true)
    }
}

/// The bytes of texts in a row.
#[derive(Clone)]
pub struct InRow<const N: usize> {
    row: [Text; N],
    /// The text that is being put, and how many of its bytes were.
    at: usize,
    from: usize,
}

impl<const N: usize> InRow<N> {
    /// Those of a row.
    pub fn of(row: [Text; N]) -> Self {
        Self { row, at: 0, from: 0 }
    }
}

impl<const N: usize> Pieces for InRow<N> {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let mut left = step;
        while let Some(text) = self.row.get(self.at) {
            if left == 0 {
                return Put::More;
            }
            if put_some(text.as_bytes(), &mut self.from, sink, &mut left) {
                (self.at, self.from) = (self.at + 1, 0);
            }
        }
        Put::All
    }
}

/// Up to `step` bytes from `at` on, which moves behind them, and how far putting them out comes.
#[inline]
pub fn taken<'a>(bytes: &'a [u8], at: &mut usize, step: usize) -> (&'a [u8], Put) {
    let rest = &bytes[*at..];
    let window = &rest[..rest.len().min(step)];
    *at += window.len();
    (window, if window.len() == rest.len() { Put::All } else { Put::More })
}

/// Puts what follows the first `from` bytes as far as `left` goes; whether that was all. A [`PIECE`] is taken off besides.
#[inline]
pub fn put_some(bytes: &[u8], from: &mut usize, sink: &mut impl Sink, left: &mut usize) -> bool {
    let rest = &bytes[*from..];
    let most = if is_measure(sink) { usize::MAX } else { *left };
    let piece = &rest[..rest.len().min(most)];
    sink.push(piece);
    *from += piece.len();
    let cost = if is_measure(sink) { 0 } else { piece.len() };
    *left = left.saturating_sub(cost + PIECE);
    piece.len() == rest.len()
}

#[inline(always)]
fn is_measure<S: Sink>(_: &S) -> bool {
    S::MEASURES
}

/// Bytes that Rust made. What is large goes back to the system bit by bit.
pub struct Given {
    bytes: Vec<u8>,
    at: usize,
}

/// A text of bytes that Rust made, which are UTF-8.
pub fn given(scope: &mut Scope, bytes: Vec<u8>) -> Result<Flow, Trap> {
    filled(scope, bytes.len(), Given { bytes, at: 0 })
}

impl Pieces for Given {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let mut left = step;
        if self.at < self.bytes.len() && !put_some(&self.bytes, &mut self.at, sink, &mut left) {
            return Put::More;
        }
        if shrink(&mut self.bytes) {
            return Put::All;
        }
        self.at = self.bytes.len();
        Put::More
    }
}

/// Gives some of a vector's memory back, from its end; whether the rest is small.
pub fn shrink<T>(bytes: &mut Vec<T>) -> bool {
    /// So many bytes are unmapped in about a step.
    const FREED: usize = 2 * 1024 * 1024;
    let freed = FREED / size_of::<T>();
    if bytes.capacity() > freed {
        bytes.truncate(bytes.len().saturating_sub(freed));
        bytes.shrink_to_fit();
    }
    bytes.capacity() <= freed
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::testing;

    /// What pieces put when they go in steps of these sizes, again and again; measured likewise.
    pub fn all_put<P: Pieces + Clone>(pieces: &P, steps: &[usize]) -> Option<Vec<u8>> {
        let (mut out, mut len) = (Vec::new(), Length(0));
        let (mut written, mut measured) = (pieces.clone(), pieces.clone());
        let end = all(steps, |step| written.put(&mut out, step));
        assert_eq!(all(steps, |step| measured.put(&mut len, step)), end);
        assert!(end == Put::Nothing || len.0 == out.len(), "measured {} for {}", len.0, out.len());
        (end == Put::All).then_some(out)
    }

    /// Puts until there is no more, in steps of these sizes.
    pub fn all(steps: &[usize], mut put: impl FnMut(usize) -> Put) -> Put {
        let mut sizes = steps.iter().cycle();
        loop {
            match put(*sizes.next().expect("there are sizes")) {
                Put::More => {}
                end => return end,
            }
        }
    }

    #[test]
    fn rows_are_cut_anywhere() {
        let s = &mut testing::scope();
        let row = ["", "abc", "", "d", "efghijklmnop", ""].map(|text| s.text(text).expect("room").get());
        for step in 1..20 {
            assert_eq!(all_put(&InRow::of(row), &[step]).as_deref(), Some("abcdefghijklmnop".as_bytes()));
        }
    }

    #[test]
    fn what_rust_made_is_given_back_bit_by_bit() {
        let bytes: Vec<u8> = (0..7 * 1024 * 1024).map(|at| (at % 251) as u8).collect();
        let mut given = Given { bytes: bytes.clone(), at: 0 };
        let mut out = Vec::new();
        assert_eq!(all(&[1_000_003], |step| given.put(&mut out, step)), Put::All);
        assert!(out == bytes && given.bytes.len() < bytes.len() / 2);
    }
}
