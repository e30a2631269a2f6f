//! `join` of `list.weir`: texts in a row, with another between each two.

use super::Flow;
use crate::pieces::{InRow, Row, made};
use crate::scope::Scope;
use crate::value::{List, Text};
use weir_abi::trap::Trap;

/// Texts in a row, with another between each two.
pub fn list_join(scope: &mut Scope, list: List, separator: Text) -> Result<Flow, Trap> {
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
