//! Searching large texts for texts, window by window.
//!
//! ```text
//! whole  .............[ step bytes | part - 1 ].........    where may it begin here?
//!                     at
//! ```
//! In: a text and a part, and how many bytes may be looked at. Out: where the part occurs, one place after the other, without
//! overlaps. A window is searched by `memchr`. For a part that is itself long a window would be too: such a part is compared by a
//! hash that rolls over the whole (Karp and Rabin, 1987), modulo 2^61 - 1 and with a random base, so that nobody can prepare texts
//! whose hashes agree; whatever agrees is compared byte by byte.
//! Not here: searches of short texts (`search`).

use crate::value::Text;
use memchr::memmem::{self, Finder};
use std::hash::{BuildHasher, RandomState};

/// What a find costs besides the bytes that were looked at, in bytes.
pub const FOUND: usize = 32;
/// The longest part that windows are searched for.
pub const LONG: usize = if cfg!(feature = "stress") { 8 } else { 16 * 1024 };

/// A search that goes on where it was.
#[derive(Clone)]
pub struct Seek {
    whole: Text,
    part: Text,
    /// No other occurrence begins in front of it.
    at: usize,
    /// What is known of hashes, for a long part.
    rolling: Rolling,
}

impl Seek {
    /// A search from the start on. The part is not empty.
    pub fn new(whole: Text, part: Text) -> Self {
        Self { whole, part, at: 0, rolling: Rolling::default() }
    }

    /// Up to where it has searched: what it finds from now on begins there or later.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Tells `found` where the next occurrences begin, as far as some `step` bytes go; whether there are no others. When `found` refuses to
    /// go on, the search can: behind that occurrence.
    #[inline]
    pub fn run<E>(&mut self, step: usize, mut found: impl FnMut(usize) -> Result<(), E>) -> Result<bool, E> {
        if self.part.len() > LONG {
            return self.roll_on(step, found);
        }
        let (whole, part) = (self.whole.as_bytes(), self.part.as_bytes());
        let base = self.at;
        let end = whole.len().min(base.saturating_add(step + part.len() - 1));
        let window = &whole[base..end];
        let mut left = step;
        let (next, len) = (&mut self.at, part.len());
        let mut take = |at: usize| {
            *next = base + at + len;
            left = left.saturating_sub(FOUND);
            found(base + at).map(|()| left == 0)
        };
        if let [byte] = *part {
            for at in memchr::memchr_iter(byte, window) {
                if take(at)? {
                    return Ok(false);
                }
            }
        } else {
            for at in Finder::new(part).find_iter(window) {
                if take(at)? {
                    return Ok(false);
                }
            }
        }
        self.at = self.at.max(whole.len().min(base.saturating_add(step)));
        Ok(end == whole.len())
    }

    fn roll_on<E>(&mut self, step: usize, mut found: impl FnMut(usize) -> Result<(), E>) -> Result<bool, E> {
        let (whole, part) = (self.whole.as_bytes(), self.part.as_bytes());
        let mut left = step;
        loop {
            match self.rolling.next(whole, part, false, &mut self.at, &mut left) {
                Rolled::Found => {
                    let at = self.at;
                    self.at += part.len();
                    self.rolling = Rolling::default();
                    found(at)?;
                }
                Rolled::End => return Ok(true),
                Rolled::More => return Ok(false),
            }
        }
    }
}

/// A search for the last occurrence, from the end.
pub struct SeekLast {
    whole: Text,
    part: Text,
    /// No occurrence begins in the last so many bytes.
    at: usize,
    rolling: Rolling,
}

impl SeekLast {
    /// A search from the end. The part is not empty.
    pub fn new(whole: Text, part: Text) -> Self {
        Self { whole, part, at: 0, rolling: Rolling::default() }
    }

    /// Looks at some `step` bytes more; where the part occurs, once that is known.
    pub fn run(&mut self, step: usize) -> Option<Option<usize>> {
        let (whole, part) = (self.whole.as_bytes(), self.part.as_bytes());
        if part.len() > LONG {
            let mut left = step;
            return match self.rolling.next(whole, part, true, &mut self.at, &mut left) {
                Rolled::Found => Some(Some(whole.len() - self.at - part.len())),
                Rolled::End => Some(None),
                Rolled::More => None,
            };
        }
        let (begin, end) = (whole.len() - self.at, whole.len().min(whole.len() - self.at + part.len() - 1));
        let start = begin.saturating_sub(step);
        self.at = whole.len() - start;
        match memmem::rfind(&whole[start..end], part) {
            Some(at) => Some(Some(start + at)),
            None if start == 0 => Some(None),
            None => None,
        }
    }
}

/// How far rolling came.
enum Rolled {
    Found,
    /// There is no occurrence any more.
    End,
    More,
}

/// Hashes of the part and of as many bytes of the whole, both from the end for a search from there.
#[derive(Clone, Default)]
struct Rolling {
    /// How many bytes were hashed so far, up to the length of the part.
    hashed: usize,
    base: u64,
    /// The hash of a 1 in front of the part.
    power: u64,
    part: u64,
    window: u64,
    /// How many bytes were compared of what has the same hash.
    same: usize,
}

const MODULUS: u64 = (1 << 61) - 1;

/// `a * b + c` modulo [`MODULUS`]; all three below it.
#[inline]
fn mix(a: u64, b: u64, c: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) + u128::from(c);
    let sum = (product as u64 & MODULUS) + (product >> 61) as u64;
    if sum >= MODULUS { sum - MODULUS } else { sum }
}

impl Rolling {
    /// Rolls `at` on to the next occurrence, as long as something is left.
    fn next(
        &mut self,
        whole: &[u8],
        part: &[u8],
        from_end: bool,
        at: &mut usize,
        left: &mut usize,
    ) -> Rolled {
        let byte = |bytes: &[u8], at: usize| {
            u64::from(if from_end { bytes[bytes.len() - 1 - at] } else { bytes[at] })
        };
        let len = part.len();
        if whole.len() - *at < len {
            return Rolled::End;
        }
        if self.hashed == 0 {
            self.base = RandomState::new().hash_one(0) % (MODULUS - 256) + 256;
            self.power = 1;
        }
        while self.hashed < len {
            if *left == 0 {
                return Rolled::More;
            }
            self.part = mix(self.part, self.base, byte(part, self.hashed));
            self.window = mix(self.window, self.base, byte(whole, *at + self.hashed));
            self.power = mix(self.power, self.base, 0);
            self.hashed += 1;
            *left -= 1;
        }
        loop {
            let start = if from_end { whole.len() - *at - len } else { *at };
            while self.part == self.window {
                if self.same == len {
                    return Rolled::Found;
                }
                if *left == 0 {
                    return Rolled::More;
                }
                let end = len.min(self.same + *left);
                if part[self.same..end] != whole[start + self.same..start + end] {
                    break;
                }
                *left -= end - self.same;
                self.same = end;
            }
            if whole.len() - *at == len {
                return Rolled::End;
            }
            if *left == 0 {
                return Rolled::More;
            }
            let gone = mix(self.power, byte(whole, *at), 0);
            let window = mix(self.window, self.base, byte(whole, *at + len));
            self.window = if window >= gone { window - gone } else { window + MODULUS - gone };
            self.same = 0;
            *at += 1;
            *left -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scope;
    use crate::testing;
    use proptest::prelude::*;

    fn all(s: &mut Scope, whole: &str, part: &str, steps: &[usize], refused: bool) -> Vec<usize> {
        let (whole, part) = (s.text(whole).expect("room").get(), s.text(part).expect("room").get());
        let (mut seek, mut all) = (Seek::new(whole, part), Vec::new());
        for step in steps.iter().cycle() {
            let from = seek.at();
            let ran = seek.run(*step, |at| {
                assert!(at >= from);
                all.push(at);
                if refused { Err(()) } else { Ok(()) }
            });
            if ran == Ok(true) {
                break;
            }
        }
        all
    }

    fn last(s: &mut Scope, whole: &str, part: &str, steps: &[usize]) -> Option<usize> {
        let (whole, part) = (s.text(whole).expect("room").get(), s.text(part).expect("room").get());
        let mut seek = SeekLast::new(whole, part);
        steps.iter().cycle().find_map(|step| seek.run(*step)).expect("a search ends")
    }

    proptest! {
        #[test]
        fn any_step_finds_what_std_does(
            whole in "[ab]{0,60}|[abc\u{e9}]{0,80}",
            part in "[ab]{1,4}|[ab]{8,12}|\u{e9}",
            steps in prop::collection::vec(1usize..40, 1..4),
        ) {
            let s = &mut testing::scope();
            let expected: Vec<usize> = whole.match_indices(&part).map(|(at, _)| at).collect();
            prop_assert_eq!(&all(s, &whole, &part, &steps, false), &expected);
            prop_assert_eq!(&all(s, &whole, &part, &steps, true), &expected);
            prop_assert_eq!(last(s, &whole, &part, &steps), whole.rfind(&part));
        }
    }

    #[test]
    fn long_parts_are_found_by_their_hash() {
        let s = &mut testing::scope();
        let word = "abcdefghij".repeat(LONG / 10 + 1);
        let almost = format!("{}x", &word[..word.len() - 1]);
        let whole = format!("{almost}{word}{almost}{word}{word}{almost}");
        let len = word.len();
        for step in [7, 1000, 100_000_000] {
            assert_eq!(all(s, &whole, &word, &[step], false), [len, 3 * len, 4 * len]);
            assert_eq!(all(s, &whole, &word, &[step], true), [len, 3 * len, 4 * len]);
            assert_eq!(last(s, &whole, &word, &[step]), whole.rfind(&word));
            assert_eq!(all(s, &almost, &word, &[step], false), []);
            assert_eq!(last(s, &almost, &word, &[step]), None);
            assert_eq!(all(s, "short", &word, &[step], false), []);
        }
        let same = "a".repeat(3 * LONG);
        assert_eq!(all(s, &same, &same[..LONG + 1], &[5000], false), [0, LONG + 1]);
        assert_eq!(last(s, &same, &same[..LONG + 1], &[5000]), Some(2 * LONG - 1));
    }
}
