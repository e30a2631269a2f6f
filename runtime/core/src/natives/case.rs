//! Natives of `text.weir` that change the case of letters (the Unicode Standard, section 3.13).
//!
//! In: a text, read window by window. Out: as `str::to_uppercase` and `str::to_lowercase` of the whole.
//! One letter's lower case depends on its neighbours: the Greek sigma is `ς` where a word ends, that is behind a cased letter and
//! not in front of one, whatever *case-ignorable* characters (apostrophes, accents) stand between. Those may be any number, so that
//! what was found out about them is kept from step to step.

use super::Flow;
use crate::pieces::{Pieces, Put, Sink, made};
use crate::scope::Scope;
use crate::value::{Gives, Text};
use weir_abi::trap::Trap;

const SIGMA: char = 'Σ';
/// What finding out about characters around a sigma costs, in bytes that are read.
const LOOK: usize = 1024;
/// So many bytes may be looked at once more.
const SHORT: usize = 4096;
/// How many bytes of them are looked at together.
const RUN: usize = 64;

/// In upper case.
pub fn text_upper(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    cased(scope, text, true)
}

/// In lower case.
pub fn text_lower(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    cased(scope, text, false)
}

#[inline]
fn cased(scope: &mut Scope, text: Text, is_upper: bool) -> Result<Flow, Trap> {
    let bytes = text.as_bytes();
    // As long as it was, so that it is put where it stays.
    if bytes.len() <= SHORT && bytes.is_ascii() {
        let made = scope.text_with(bytes.len(), |filler| put_ascii(bytes, is_upper, filler))?;
        return Ok(Flow::Done(made.into_word()));
    }
    made(scope, Cased::of(text, is_upper))
}

/// What the characters next to a sigma are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Around {
    /// Case-ignorable ones only.
    Nothing,
    /// Behind or in front of such, a cased letter.
    Letter,
    /// Another character.
    Other,
}

/// A text in another case.
#[derive(Clone)]
struct Cased {
    text: Text,
    is_upper: bool,
    /// How far it is put.
    at: usize,
    /// What is in front of `at` ends in a cased letter, but for case-ignorable characters.
    behind_letter: bool,
    /// Between the sigma at `at` and this offset everything is case-ignorable.
    ahead: usize,
}

impl Cased {
    fn of(text: Text, is_upper: bool) -> Self {
        Self { text, is_upper, at: 0, behind_letter: false, ahead: 0 }
    }

    /// Puts the characters of a window; whether it came to its end.
    fn put_chars(&mut self, window: &str, sink: &mut impl Sink, step: usize) -> bool {
        let mut left = step.max(1);
        for (at, c) in window.char_indices() {
            let mut put = |c: char| sink.push(c.encode_utf8(&mut [0; 4]).as_bytes());
            if self.is_upper {
                c.to_uppercase().for_each(&mut put);
            } else if c != SIGMA {
                c.to_lowercase().for_each(&mut put);
            } else {
                let is_final =
                    if left > 0 { self.is_final(&window[..at], at, &mut left, step) } else { None };
                let Some(is_final) = is_final else {
                    self.behind_letter = ends_in_letter(&window[..at], self.behind_letter, &mut left);
                    self.at += at;
                    return false;
                };
                put(if is_final { 'ς' } else { 'σ' });
            }
        }
        true
    }

    /// Whether the sigma at `at` of the window, behind `before` in it, ends a word; `None` when that takes longer than a step.
    fn is_final(&mut self, before: &str, at: usize, left: &mut usize, step: usize) -> Option<bool> {
        if !ends_in_letter(before, self.behind_letter, left) {
            return Some(false);
        }
        let begin = self.at + at + SIGMA.len_utf8();
        let rest = &self.text.as_str()[begin..];
        let mut seen = self.ahead.saturating_sub(begin);
        let mut looks = (step / LOOK).max(1);
        while seen < rest.len() {
            match quickly(rest[seen..].chars().next()) {
                Some(around) => return Some(around != Around::Letter),
                None if looks == 0 => {
                    self.ahead = begin + seen;
                    return None;
                }
                None => {}
            }
            let end = rest.floor_char_boundary(seen + RUN);
            match in_front(&rest[seen..end]) {
                Around::Nothing => seen = end,
                around => return Some(around != Around::Letter),
            }
            looks -= 1;
            *left = left.saturating_sub(LOOK);
        }
        Some(true)
    }
}

impl Pieces for Cased {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let text = self.text;
        let window = text.window(self.at, step);
        let end = self.at + window.len();
        if window.is_ascii() {
            put_ascii(window.as_bytes(), self.is_upper, sink);
        } else if !self.put_chars(window, sink, step) {
            return Put::More;
        }
        self.at = end;
        if end == text.len() {
            return Put::All;
        }
        if !self.is_upper {
            self.behind_letter = ends_in_letter(window, self.behind_letter, &mut 0);
        }
        Put::More
    }
}

fn put_ascii(bytes: &[u8], is_upper: bool, sink: &mut impl Sink) {
    let mut block = [0; 64];
    for bytes in bytes.chunks(block.len()) {
        let block = &mut block[..bytes.len()];
        block.copy_from_slice(bytes);
        if is_upper {
            block.make_ascii_uppercase();
        } else {
            block.make_ascii_lowercase();
        }
        sink.push(block);
    }
}

/// What a character is, for those that are often found around a sigma; `None` for others.
#[inline]
fn quickly(c: Option<char>) -> Option<Around> {
    match c? {
        'a'..='z' | 'A'..='Z' | 'Α'..='Ρ' | 'Σ'..='Ω' | 'α'..='ω' => Some(Around::Letter),
        '\'' | '.' | ':' | '^' | '`' => None,
        '\0'..='\x7F' => Some(Around::Other),
        _ => None,
    }
}

/// Whether a text ends in a cased letter, but for case-ignorable characters; `before` says so of what is in front of it.
fn ends_in_letter(text: &str, before: bool, left: &mut usize) -> bool {
    let mut end = text.len();
    while end > 0 {
        if let Some(around) = quickly(text[..end].chars().next_back()) {
            return around == Around::Letter;
        }
        let start = text.ceil_char_boundary(end.saturating_sub(RUN));
        *left = left.saturating_sub(LOOK);
        match behind(&text[start..end]) {
            Around::Nothing => end = start,
            around => return around == Around::Letter,
        }
    }
    before
}

// The standard library knows which characters are cased and which are ignored, and shows it by what becomes of a sigma.

/// What a sigma behind this text is behind.
fn behind(text: &str) -> Around {
    let is_final = |first: &str| [first, text, "Σ"].concat().to_lowercase().ends_with('ς');
    match (is_final(""), is_final("A")) {
        (true, _) => Around::Letter,
        (false, true) => Around::Nothing,
        (false, false) => Around::Other,
    }
}

/// What a sigma in front of this text is in front of.
fn in_front(text: &str) -> Around {
    let is_final = |last: &str| ["AΣ", text, last].concat().to_lowercase().starts_with("aς");
    match (is_final(""), is_final("A")) {
        (false, _) => Around::Letter,
        (true, false) => Around::Nothing,
        (true, true) => Around::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::tests::all_put;
    use crate::testing;
    use proptest::prelude::*;

    fn check(text: &str, steps: &[usize]) {
        let s = &mut testing::scope();
        let source = s.text(text).expect("room").get();
        for (is_upper, expected) in [(true, text.to_uppercase()), (false, text.to_lowercase())] {
            let put = all_put(&Cased::of(source, is_upper), steps).expect("a text");
            assert_eq!(String::from_utf8(put).as_ref(), Ok(&expected), "{text:?} by {steps:?}");
        }
    }

    proptest! {
        #[test]
        fn any_step_gives_what_std_does(
            text in "[aZΣΣßİʰ'. \u{301}漢]{0,40}|\\PC{0,40}|[ -~]{0,80}",
            steps in prop::collection::vec(1usize..40, 1..4),
        ) {
            check(&text, &steps);
        }
    }

    #[test]
    fn a_sigma_is_far_from_its_neighbours() {
        let ignored = "'\u{301}".repeat(300);
        for (before, after) in
            [("a", "b"), ("a", " b"), (" ", "b"), ("a", ""), ("", "b"), ("漢", "b"), ("é", "漢")]
        {
            check(&format!("{before}{ignored}Σ{ignored}{after}"), &[1]);
            check(&format!("{before}{ignored}Σ{ignored}{after}"), &[100]);
            check(&format!("{before}{ignored}Σ{ignored}{after}"), &[100_000]);
        }
    }

    #[test]
    fn quick_answers_are_right() {
        for c in ('\0'..='\u{2FFF}').filter(|c| quickly(Some(*c)).is_some()) {
            let text = c.to_string();
            assert_eq!((quickly(Some(c)), in_front(&text)), (Some(behind(&text)), behind(&text)), "{c:?}");
        }
    }
}
