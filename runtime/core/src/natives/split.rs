//! Natives of `text.weir` that give lists of its parts, found window by window (`splitting`).

use super::Flow;
use crate::heap::Full;
use crate::scope::Scope;
use crate::seek::Seek;
use crate::splitting::{Each, PART, Split, listed};
use crate::value::Text;
use weir_abi::trap::Trap;

/// The pieces between separators.
pub fn text_split(scope: &mut Scope, text: Text, separator: Text) -> Result<Flow, Trap> {
    if separator.len() == 0 {
        return Err(Trap::native("the separator of split is empty"));
    }
    listed(scope, text, Between { text, separator, seek: Seek::new(text, separator), from: 0 })
}

/// Its lines.
pub fn text_lines(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    listed(scope, text, Lines { text, at: 0, from: 0 })
}

/// Its characters.
pub fn text_chars(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    listed(scope, text, Chars { text, at: 0 })
}

/// The pieces between white space.
pub fn text_words(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    listed(scope, text, Words { text, at: 0, from: None })
}

/// Gives parts as long as there is something left for them.
macro_rules! give {
    ($each:ident, $left:ident, $range:expr) => {{
        $each($range)?;
        $left = $left.saturating_sub(PART);
        $left == 0
    }};
}

/// What lies between separators.
#[derive(Clone)]
struct Between {
    text: Text,
    separator: Text,
    seek: Seek,
    /// Where the next piece begins.
    from: usize,
}

impl Split for Between {
    fn split(&mut self, step: usize, each: &mut impl Each) -> Result<bool, Full> {
        /// Why the search stops.
        enum Why {
            Full,
            Enough,
        }
        let (from, separator, mut left) = (&mut self.from, self.separator.len(), step);
        let ran = self.seek.run(step, |at| {
            each(*from..at).map_err(|Full| Why::Full)?;
            *from = at + separator;
            left = left.saturating_sub(PART);
            if left == 0 { Err(Why::Enough) } else { Ok(()) }
        });
        match ran {
            Ok(true) => each(self.from..self.text.len()).map(|()| true),
            Ok(false) | Err(Why::Enough) => Ok(false),
            Err(Why::Full) => Err(Full),
        }
    }
}

/// Lines without LF or CRLF.
#[derive(Clone)]
struct Lines {
    text: Text,
    /// There is no LF from `from` up to here.
    at: usize,
    /// Where the next line begins.
    from: usize,
}

impl Split for Lines {
    fn split(&mut self, step: usize, each: &mut impl Each) -> Result<bool, Full> {
        let bytes = self.text.as_bytes();
        let (base, mut left) = (self.at, step);
        let end = bytes.len().min(base.saturating_add(step));
        for at in memchr::memchr_iter(b'\n', &bytes[base..end]) {
            let at = base + at;
            let is_crlf = at > self.from && bytes[at - 1] == b'\r';
            let line = self.from..at - usize::from(is_crlf);
            (self.at, self.from) = (at + 1, at + 1);
            if give!(each, left, line) {
                return Ok(false);
            }
        }
        self.at = end;
        if end < bytes.len() {
            return Ok(false);
        }
        if self.from < end {
            each(self.from..end)?;
        }
        Ok(true)
    }
}

/// Characters.
#[derive(Clone)]
struct Chars {
    text: Text,
    at: usize,
}

impl Split for Chars {
    fn split(&mut self, step: usize, each: &mut impl Each) -> Result<bool, Full> {
        let mut left = step;
        for c in self.text.as_str()[self.at..].chars() {
            let start = self.at;
            self.at += c.len_utf8();
            if give!(each, left, start..self.at) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Words between white space.
#[derive(Clone)]
struct Words {
    text: Text,
    at: usize,
    /// Where the word began that `at` is in.
    from: Option<usize>,
}

impl Split for Words {
    fn split(&mut self, step: usize, each: &mut impl Each) -> Result<bool, Full> {
        let mut left = step;
        for c in self.text.as_str()[self.at..].chars() {
            let start = self.at;
            self.at += c.len_utf8();
            left = left.saturating_sub(1);
            if !c.is_whitespace() {
                self.from.get_or_insert(start);
            } else if let Some(from) = self.from.take()
                && give!(each, left, from..start)
            {
                return Ok(false);
            }
            if left == 0 {
                return Ok(false);
            }
        }
        if let Some(from) = self.from.take() {
            each(from..self.at)?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitting::tests::all_parts;
    use crate::testing;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_step_gives_what_std_does(
            text in "[a\u{e9} \t\r\n,;]{0,60}|\\PC{0,30}",
            steps in prop::collection::vec(1usize..200, 1..4),
        ) {
            let s = &mut testing::scope();
            let t = s.text(&text).expect("room").get();
            let steps = &steps[..];
            for separator in [",", ",;", "\u{e9}", "aa", "  ", ", , , , , "] {
                let by = s.text(separator).expect("room").get();
                let between = Between { text: t, separator: by, seek: Seek::new(t, by), from: 0 };
                let expected: Vec<&str> = text.split(separator).collect();
                prop_assert_eq!(all_parts(between, &text, steps), expected, "by {:?}", separator);
            }
            let expected: Vec<&str> = text.lines().collect();
            prop_assert_eq!(all_parts(Lines { text: t, at: 0, from: 0 }, &text, steps), expected);
            let expected: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(all_parts(Words { text: t, at: 0, from: None }, &text, steps), expected);
            let expected: Vec<String> = text.chars().map(String::from).collect();
            prop_assert_eq!(all_parts(Chars { text: t, at: 0 }, &text, steps), expected);
        }
    }
}
