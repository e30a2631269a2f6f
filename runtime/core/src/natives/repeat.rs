//! Natives of `text.weir` that repeat a text, a number of times or up to a number of characters. These are counted window by window, for
//! a text and what it is padded with may be long.

use super::Flow;
use crate::heap::{Full, Word};
use crate::pieces::{Pieces, Put, Sink, filled, put_some};
use crate::scope::Scope;
use crate::steps::{STEP, Work, in_steps};
use crate::value::{Filler, Gives, Own, Text};
use weir_abi::trap::Trap;

/// A text up to so many bytes is copied a few times together.
const TOGETHER: usize = 4096;

/// A text again and again, cut after so many bytes.
struct Cycle {
    text: Text,
    /// The text some times, where it is short and there are many: a copy has its price besides its bytes.
    many: Vec<u8>,
    /// How much of it was put the last time.
    from: usize,
    /// How many bytes are missing.
    left: usize,
}

impl Cycle {
    fn of(text: Text, len: usize) -> Self {
        let is_short = text.len() <= TOGETHER / 2 && len > TOGETHER;
        let many = if is_short { text.as_bytes().repeat(TOGETHER / text.len()) } else { Vec::new() };
        Self { text, many, from: 0, left: len }
    }
}

impl Pieces for Cycle {
    #[inline]
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let whole = if self.many.is_empty() { self.text.as_bytes() } else { &self.many };
        let mut left = step;
        while self.left > 0 {
            if left == 0 {
                return Put::More;
            }
            let (bytes, before) = (&whole[..whole.len().min(self.from + self.left)], self.from);
            let is_end = put_some(bytes, &mut self.from, sink, &mut left);
            self.left -= self.from - before;
            if is_end {
                self.from = 0;
            }
        }
        Put::All
    }
}

/// So many times in a row.
pub fn text_repeat(scope: &mut Scope, text: Text, count: i64) -> Result<Flow, Trap> {
    let Ok(count) = usize::try_from(count) else {
        return Err(Trap::native("the count of repeat is negative"));
    };
    let len = text.len().checked_mul(count).ok_or(Full)?;
    filled(scope, len, Cycle::of(text, len))
}

/// With `fill` before it.
pub fn text_pad_start(scope: &mut Scope, text: Text, width: i64, fill: Text) -> Result<Flow, Trap> {
    pad(scope, text, width, fill, true)
}

/// With `fill` behind it.
pub fn text_pad_end(scope: &mut Scope, text: Text, width: i64, fill: Text) -> Result<Flow, Trap> {
    pad(scope, text, width, fill, false)
}

fn pad(scope: &mut Scope, text: Text, width: i64, fill: Text, before: bool) -> Result<Flow, Trap> {
    let width = usize::try_from(width).unwrap_or(0);
    let stage = Stage::Text(Chars::default());
    in_steps(scope, Padding { text, fill, before, width, stage })
}

struct Padding {
    text: Text,
    fill: Text,
    before: bool,
    /// How many characters are wanted.
    width: usize,
    stage: Stage,
}

/// What is being done.
enum Stage {
    /// The characters of the text are counted.
    Text(Chars),
    /// Then those of the fill, unless `missing` is 0.
    Fill { missing: usize, chars: Chars },
    /// Then the end of its first `chars` characters is looked for, which stand behind it `times` times.
    Rest { times: usize, chars: usize, seen: Chars },
    /// Then all is written.
    Writing(Padded, (Own<Text>, Filler)),
}

/// How many characters there are up to an offset.
#[derive(Clone, Copy, Default)]
struct Chars {
    at: usize,
    count: usize,
}

impl Chars {
    /// Counts on; whether that was the end.
    fn count(&mut self, text: Text, step: usize) -> bool {
        let window = text.window(self.at, step);
        self.count += window.chars().count();
        self.at += window.len();
        self.at == text.len()
    }

    /// Goes on to the character with the index `wanted`, of which there are more; whether it is there.
    fn reach(&mut self, text: Text, wanted: usize, step: usize) -> bool {
        let window = text.window(self.at, step);
        match window.char_indices().nth(wanted - self.count) {
            Some((at, _)) => {
                (self.at, self.count) = (self.at + at, wanted);
                true
            }
            None => {
                self.count(text, step);
                false
            }
        }
    }
}

impl Work for Padding {
    #[inline]
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        loop {
            match &mut self.stage {
                Stage::Text(chars) => {
                    if !chars.count(self.text, STEP) {
                        return Ok(None);
                    }
                    let missing = self.width.saturating_sub(chars.count);
                    if missing == 0 {
                        return Ok(Some(scope.dup(self.text).into_word()));
                    }
                    self.stage = Stage::Fill { missing, chars: Chars::default() };
                }
                Stage::Fill { missing, chars } => {
                    if !chars.count(self.fill, STEP) {
                        return Ok(None);
                    }
                    if chars.count == 0 {
                        return Err(Trap::native("the text to pad with is empty"));
                    }
                    let (times, rest) = (*missing / chars.count, *missing % chars.count);
                    self.stage = Stage::Rest { times, chars: rest, seen: Chars::default() };
                }
                Stage::Rest { times, chars, seen } => {
                    if !seen.reach(self.fill, *chars, STEP) {
                        return Ok(None);
                    }
                    let padding =
                        self.fill.len().checked_mul(*times).and_then(|len| len.checked_add(seen.at));
                    let padding = padding.ok_or(Full)?;
                    let len = padding.checked_add(self.text.len()).ok_or(Full)?;
                    let text = scope.text_unfilled(len)?;
                    let cycle = Cycle::of(self.fill, padding);
                    let padded = Padded { text: self.text, at: 0, cycle, before: self.before };
                    self.stage = Stage::Writing(padded, text);
                }
                Stage::Writing(padded, (text, filler)) => {
                    return match padded.put(filler, STEP) {
                        Put::More => Ok(None),
                        Put::All | Put::Nothing => Ok(Some(Own::new(text.get()).into_word())),
                    };
                }
            }
        }
    }

    fn close(self, scope: &mut Scope) {
        if let Stage::Writing(_, (text, _)) = self.stage {
            scope.give_up(text);
        }
    }
}

/// A text behind its padding, or in front of it.
struct Padded {
    text: Text,
    /// How much of it is put.
    at: usize,
    cycle: Cycle,
    before: bool,
}

impl Pieces for Padded {
    #[inline]
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        if self.before && self.cycle.left > 0 && self.cycle.put(sink, step) == Put::More {
            return Put::More;
        }
        if self.at < self.text.len() && !put_some(self.text.as_bytes(), &mut self.at, sink, &mut { step }) {
            return Put::More;
        }
        self.cycle.put(sink, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::tests::all;
    use crate::testing;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_step_cycles(text in "[a-z\u{e9}]{1,30}", len in 0usize..20_000, step in 1usize..5000) {
            let s = &mut testing::scope();
            let text = s.text(&text).expect("room").get();
            let mut out = Vec::new();
            let mut cycle = Cycle::of(text, len);
            prop_assert_eq!(all(&[step], |step| cycle.put(&mut out, step)), Put::All);
            let expected: Vec<u8> = text.as_bytes().iter().copied().cycle().take(len).collect();
            prop_assert!(out == expected);
        }

        #[test]
        fn any_step_counts(text in "[a\u{e9}\u{1f30a}]{1,60}", step in 1usize..80, wanted in 0usize..60) {
            let s = &mut testing::scope();
            let held = s.text(&text).expect("room").get();
            let mut chars = Chars::default();
            while !chars.count(held, step) {}
            prop_assert_eq!(chars.count, text.chars().count());
            let mut seen = Chars::default();
            if let Some((at, _)) = text.char_indices().nth(wanted) {
                while !seen.reach(held, wanted, step) {}
                prop_assert_eq!(seen.at, at);
            }
        }
    }
}
