//! `join` of `list.weir`: texts in a row, with another between each two.

use super::Flow;
use crate::pieces::{InRow, Row, made};
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
    made(scope, InRow::of(Separated { list, separator }))
}

/// The elements of a list and what separates them.
#[derive(Clone)]
struct Separated {
    list: List,
    separator: Text,
}

impl Row for Separated {
    #[inline]
    fn text(&self, at: usize) -> Option<Text> {
        let words = self.list.words();
        if at % 2 == 1 {
            return (at / 2 + 1 < words.len()).then_some(self.separator);
        }
        (at / 2 < words.len()).then(|| self.list.item(at / 2).as_arg())
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
            let put = all_put(&InRow::of(Separated { list, separator }), &steps);
            prop_assert_eq!(put, Some(texts.join(&by).into_bytes()));
        }
    }
}
