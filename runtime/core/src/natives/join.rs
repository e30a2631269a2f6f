//! `join` of `list.weir`: texts in a row, with another between each two.

use super::Flow;
use crate::pieces::{PIECE, Pieces, Put, Sink, made};
use crate::scope::Scope;
use crate::steps::STEP;
use crate::value::{Gives, List, Text};
use weir_abi::trap::Trap;

/// So many texts are measured first, so that they are put where they stay.
const SHORT: usize = 64;

/// Texts in a row, with another between each two.
pub fn list_join(scope: &mut Scope, list: List, separator: Text) -> Result<Flow, Trap> {
    let words = list.words();
    if words.len() <= SHORT {
        let between = separator.len() * words.len().saturating_sub(1);
        let len = list.texts().fold(between, |len, text| len.saturating_add(text.len()));
        if len <= STEP {
            let joined = scope.text_with(len, |filler| {
                for (at, text) in list.texts().enumerate() {
                    if at > 0 {
                        filler.push(separator.as_bytes());
                    }
                    filler.push(text.as_bytes());
                }
            })?;
            return Ok(Flow::Done(joined.into_word()));
        }
    }
    made(scope, Joined { list, separator, at: 0, from: 0 })
}

/// The elements of a list, and between them what separates them.
#[derive(Clone)]
struct Joined {
    list: List,
    separator: Text,
    /// The element that is being put, and how many bytes of it and of the separator in front of it were.
    at: usize,
    from: usize,
}

impl Pieces for Joined {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let count = self.list.len();
        let mut left = step;
        while self.at < count {
            if left == 0 {
                return Put::More;
            }
            let text: Text = self.list.item(self.at).as_arg();
            let (text, separator) = (text.as_bytes(), self.separator.as_bytes());
            let separator = if self.at > 0 { separator } else { &[] };
            let len = separator.len() + text.len();
            if self.from == 0 && len <= left {
                sink.push(separator);
                sink.push(text);
                left = left.saturating_sub(len + PIECE);
                self.at += 1;
                continue;
            }
            let rest = match separator.get(self.from..) {
                Some(rest) if !rest.is_empty() => rest,
                _ => &text[self.from - separator.len()..],
            };
            let put = rest.len().min(left);
            sink.push(&rest[..put]);
            left -= put;
            self.from += put;
            if self.from == len {
                (self.at, self.from) = (self.at + 1, 0);
            }
        }
        Put::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::tests::all_put;
    use crate::testing;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_step_joins(
            texts in prop::collection::vec("[a-z\u{e9}]{0,9}", 0..12),
            by in "[,; ]{0,3}",
            steps in prop::collection::vec(1usize..100, 1..4),
        ) {
            let s = &mut testing::scope();
            let list = s.text_list(texts.iter().map(String::as_str)).expect("room").get();
            let separator = s.text(&by).expect("room").get();
            let put = all_put(&Joined { list, separator, at: 0, from: 0 }, &steps);
            prop_assert_eq!(put, Some(texts.join(&by).into_bytes()));
        }
    }
}
