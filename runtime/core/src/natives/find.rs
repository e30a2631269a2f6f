//! Natives of `text.weir` and `bytes.weir` that look for a part: window by window in what is long (`seek`).

use super::Flow;
use crate::heap::{Full, Word};
use crate::pieces::{PIECE, Pieces, Put, Sink, made, put_some};
use crate::scope::Scope;
use crate::seek::{FOUND, LONG, Seek, SeekLast};
use crate::steps::{STEP, Work, in_steps};
use crate::value::{Bytes, Gives, Ref, Text};
use weir_abi::trap::Trap;

/// What is made of a place.
trait Give: Fn(&mut Scope, Option<usize>) -> Result<Word, Full> + 'static {}

impl<F: Fn(&mut Scope, Option<usize>) -> Result<Word, Full> + 'static> Give for F {}

#[inline]
fn give_whether(_: &mut Scope, at: Option<usize>) -> Result<Word, Full> {
    Ok(at.is_some().into_word())
}

#[inline]
fn give_place(scope: &mut Scope, at: Option<usize>) -> Result<Word, Full> {
    at.map_or(Ok(0), |at| scope.some_word(at as u64).map(Gives::into_word))
}

/// Whether `part` occurs in it.
pub fn text_contains(scope: &mut Scope, text: Text, part: Text) -> Result<Flow, Trap> {
    find(scope, text, part, give_whether)
}

/// Where `part` occurs first.
pub fn text_find(scope: &mut Scope, text: Text, part: Text) -> Result<Flow, Trap> {
    find(scope, text, part, give_place)
}

/// Where `part` occurs first.
pub fn bytes_find(scope: &mut Scope, bytes: Bytes, part: Bytes) -> Result<Flow, Trap> {
    find(scope, Text::of(bytes.object()), Text::of(part.object()), give_place)
}

#[inline(always)]
fn find(scope: &mut Scope, text: Text, part: Text, give: impl Give) -> Result<Flow, Trap> {
    if text.len() <= STEP || part.len() == 0 {
        let at = scope.searches.find(text.as_bytes(), part.as_bytes());
        return Ok(Flow::Done(give(scope, at)?));
    }
    in_steps(scope, Finding { seek: Seek::new(text, part), give })
}

struct Finding<G> {
    seek: Seek,
    give: G,
}

impl<G: Give> Work for Finding<G> {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        let at = match self.seek.run(STEP, Err::<(), usize>) {
            Ok(false) => return Ok(None),
            Ok(true) => None,
            Err(at) => Some(at),
        };
        Ok(Some((self.give)(scope, at)?))
    }
}

/// Where `part` occurs last.
pub fn text_find_last(scope: &mut Scope, text: Text, part: Text) -> Result<Flow, Trap> {
    if part.len() == 0 {
        return Ok(Flow::Done(give_place(scope, Some(text.len()))?));
    }
    in_steps(scope, SeekLast::new(text, part))
}

impl Work for SeekLast {
    fn step(&mut self, scope: &mut Scope) -> Result<Option<Word>, Trap> {
        match self.run(STEP) {
            Some(at) => Ok(Some(give_place(scope, at)?)),
            None => Ok(None),
        }
    }
}

/// How many times `part` occurs, without overlaps.
pub fn text_count(scope: &mut Scope, text: Text, part: Text) -> Result<Flow, Trap> {
    if part.len() == 0 {
        return Err(Trap::native("the text to count is empty"));
    }
    in_steps(scope, Counting { seek: Seek::new(text, part), count: 0 })
}

struct Counting {
    seek: Seek,
    count: i64,
}

impl Work for Counting {
    fn step(&mut self, _: &mut Scope) -> Result<Option<Word>, Trap> {
        let is_end = self.seek.run(STEP, |_| {
            self.count += 1;
            Ok::<_, Full>(())
        });
        Ok(is_end?.then(|| self.count.into_word()))
    }
}

/// With another text in place of each occurrence.
pub fn text_replace(scope: &mut Scope, text: Text, old: Text, new: Text) -> Result<Flow, Trap> {
    if old.len() == 0 {
        return Err(Trap::native("the text to replace is empty"));
    }
    made(scope, Replaced::of(text, old, new))
}

/// A text with another in place of each occurrence of a part.
#[derive(Clone)]
struct Replaced {
    text: Text,
    old: Text,
    new: Text,
    seek: Seek,
    /// Up to where it is put, or stands another text instead.
    from: usize,
    /// How much is put of what stands for the occurrence in front of `from`, unless all of it is.
    of_new: Option<usize>,
    /// There was an occurrence.
    is_found: bool,
}

impl Replaced {
    fn of(text: Text, old: Text, new: Text) -> Self {
        let seek = Seek::new(text, old);
        Self { text, old, new, seek, from: 0, of_new: None, is_found: false }
    }
}

impl Pieces for Replaced {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let (bytes, new, old) = (self.text.as_bytes(), self.new.as_bytes(), self.old.len());
        let mut left = step;
        if let Some(at) = &mut self.of_new {
            if put_some(new, at, sink, &mut left) {
                self.of_new = None;
            }
            if left == 0 || self.of_new.is_some() {
                return Put::More;
            }
        }
        let from = &mut self.from;
        let (mut is_found, mut is_cut) = (self.is_found, false);
        let ran = self.seek.run(left, |at| {
            sink.push(&bytes[*from..at]);
            *from = at + old;
            is_found = true;
            left = left.saturating_sub(FOUND + PIECE);
            is_cut = left < new.len();
            if is_cut {
                return Err(());
            }
            sink.push(new);
            left -= new.len();
            Ok(())
        });
        (self.is_found, self.of_new) = (is_found, is_cut.then_some(0));
        if is_cut {
            return Put::More;
        }
        // What is searched and has nothing in it; the last occurrence may reach behind that.
        let end = if ran == Ok(true) { bytes.len() } else { self.seek.at() };
        sink.push(&bytes[self.from..end]);
        self.from = end;
        if ran == Ok(true) { Put::All } else { Put::More }
    }

    fn same(&self) -> Option<Text> {
        (!self.is_found).then_some(self.text)
    }
}

const _: () = assert!(LONG <= STEP, "the bytes behind a window are no more than those in it");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::tests::all_put;
    use crate::testing;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_step_replaces_as_std_does(
            text in "[ab]{0,60}|[abc\u{e9}]{0,80}",
            old in "[ab]{1,4}|[ab]{8,12}|\u{e9}",
            new in "[xy]{0,3}|x{70}",
            steps in prop::collection::vec(1usize..300, 1..4),
        ) {
            let s = &mut testing::scope();
            let [t, o, n] = [&text, &old, &new].map(|text| s.text(text).expect("room").get());
            let put = all_put(&Replaced::of(t, o, n), &steps).expect("a text");
            prop_assert_eq!(String::from_utf8(put), Ok(text.replace(&old, &new)));
        }
    }
}
