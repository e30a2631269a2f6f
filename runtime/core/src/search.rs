//! Searching texts for texts.
//!
//! Preparing a search costs more than searching a line; a program looks for the same few texts in many lines, so the last
//! few searches are kept prepared.

use memchr::memmem::{self, Finder};

/// How many searches are kept. Arbitrary: what a loop over lines looks for.
const KEPT: usize = 4;
/// The longest text whose search is kept.
const LONGEST: usize = 64;
/// Below this many bytes nothing has to be prepared.
const SHORT: usize = 64;

/// The searches of one scope.
#[derive(Default)]
pub struct Searches {
    kept: Vec<Finder<'static>>,
    /// The one that goes next.
    oldest: usize,
}

impl Searches {
    /// Where `part` occurs first in `whole`.
    pub fn find(&mut self, whole: &[u8], part: &[u8]) -> Option<usize> {
        if whole.len() < SHORT || part.len() > LONGEST {
            return memmem::find(whole, part);
        }
        if let Some(kept) = self.kept.iter().find(|kept| kept.needle() == part) {
            return kept.find(whole);
        }
        let finder = Finder::new(part).into_owned();
        let found = finder.find(whole);
        if self.kept.len() < KEPT {
            self.kept.push(finder);
        } else {
            self.kept[self.oldest] = finder;
            self.oldest = (self.oldest + 1) % KEPT;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_finds_what_it_should() {
        let mut searches = Searches::default();
        let whole = "the quick brown fox jumps over the lazy dog and runs away from the other dog at once";
        for _ in 0..2 {
            for part in ["fox", "dog", "", "the", "cat", "once", "t", "quick brown", &whole[1..70], whole] {
                assert_eq!(searches.find(whole.as_bytes(), part.as_bytes()), whole.find(part), "{part}");
                assert_eq!(searches.find(&whole.as_bytes()[..9], part.as_bytes()), whole[..9].find(part));
            }
        }
        assert_eq!(searches.kept.len(), KEPT);
    }
}
