//! Natives of `url.weir` (RFC 3986).

use super::Flow;
use crate::heap::Word;
use crate::pieces::{Pieces, Put, Sink, given, made, taken};
use crate::scope::Scope;
use crate::steps::STEP;
use crate::value::{Gives, Own, Text};
use crate::waiting::copied_to_pool;
use fluent_uri::{Uri, UriRef};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::ops::Range;
use weir_abi::layout::shape;
use weir_abi::trap::Trap;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As a part of a URL.
pub fn url_encode(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    made(scope, Encoded { text, at: 0 })
}

/// A text in percent-encoding.
#[derive(Clone)]
struct Encoded {
    text: Text,
    at: usize,
}

impl Pieces for Encoded {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let (window, put) = taken(self.text.as_bytes(), &mut self.at, step);
        percent_encode(window, RESERVED).for_each(|piece| sink.push(piece.as_bytes()));
        put
    }
}

/// With its percent-encoding resolved.
pub fn url_decode(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    made(scope, Decoded { text, at: 0 })
}

/// A text without percent-encoding: a character may be some escapes in a row.
#[derive(Clone)]
struct Decoded {
    text: Text,
    at: usize,
}

impl Decoded {
    /// The character that the escapes at `at` stand for, and how many these are.
    fn character(&self) -> Option<([u8; 4], usize)> {
        let rest = &self.text.as_bytes()[self.at..];
        let digit = |digit: u8| (digit as char).to_digit(16).map(|value| value as u8);
        let mut character = [0; 4];
        for (at, escape) in rest.chunks(3).take(4).enumerate() {
            let [b'%', high, low] = *escape else { return None };
            character[at] = digit(high)? << 4 | digit(low)?;
            match str::from_utf8(&character[..=at]) {
                Ok(_) => return Some((character, at + 1)),
                Err(error) if error.error_len().is_some() => return None,
                Err(_) => {}
            }
        }
        None
    }
}

impl Pieces for Decoded {
    fn put(&mut self, sink: &mut impl Sink, step: usize) -> Put {
        let bytes = self.text.as_bytes();
        let end = bytes.len().min(self.at.saturating_add(step));
        while self.at < end {
            let plain = memchr::memchr(b'%', &bytes[self.at..end]).map_or(end, |at| self.at + at);
            sink.push(&bytes[self.at..plain]);
            self.at = plain;
            if plain < end {
                let Some((character, count)) = self.character() else { return Put::Nothing };
                sink.push(&character[..count]);
                self.at += 3 * count;
            }
        }
        if self.at == bytes.len() { Put::All } else { Put::More }
    }
}

/// Up to so many bytes of what is not a URL are shown.
const SHOWN: usize = 1000;

/// Why a text is no URL.
fn refused(text: &str, why: &dyn std::fmt::Display) -> String {
    let shown = &text[..text.floor_char_boundary(SHOWN)];
    let more = if shown.len() < text.len() { "..." } else { "" };
    format!("{shown:?}{more} is not a URL: {why}")
}

/// Where the parts of a URL lie, see [`url_parts`].
type Places = [Option<Range<usize>>; 7];

fn places(text: &str) -> Result<Places, String> {
    let url = Uri::parse(text).map_err(|error| refused(text, &error))?;
    let authority = url.authority();
    let parts = [
        Some(url.scheme().as_str()),
        authority.and_then(|authority| authority.userinfo()).map(|user| user.as_str()),
        authority.map(|authority| authority.host()),
        authority.and_then(|authority| authority.port()).map(|port| port.as_str()),
        Some(url.path().as_str()),
        url.query().map(|query| query.as_str()),
        url.fragment().map(|fragment| fragment.as_str()),
    ];
    let place = |part: &str| {
        let start = part.as_ptr().addr() - text.as_ptr().addr();
        start..start + part.len()
    };
    Ok(parts.map(|part| part.map(place)))
}

/// Scheme, user, host, port, path, query and fragment, `None` for each that it does not have.
pub fn url_parts(scope: &mut Scope, text: Text) -> Result<Flow, Trap> {
    if text.len() <= STEP {
        return give_parts(scope, text, places(text.as_str())).map(Flow::Done);
    }
    copied_to_pool(
        scope,
        [text],
        |[text]| places(&text),
        move |scope, places| give_parts(scope, text, places).map(Flow::Done),
    )
}

fn give_parts(scope: &mut Scope, text: Text, places: Result<Places, String>) -> Result<Word, Trap> {
    let places = match places {
        Ok(places) => places,
        Err(message) => return Ok(scope.fail::<Own<Text>>("invalid", message).into_word()),
    };
    let list = scope.list(shape::LIST_REF, places.len())?;
    for place in places {
        let part = place.map(|place| {
            let whole = scope.dup(text);
            scope.text_slice(whole, place)
        });
        match part.transpose() {
            Ok(part) => list.get().append(&[part.into_word()]),
            Err(full) => {
                scope.give_up(list);
                return Err(full.into());
            }
        }
    }
    Ok(list.into_word())
}

/// What a reference means where `base` is (RFC 3986, section 5).
pub fn url_resolve(scope: &mut Scope, base: Text, reference: Text) -> Result<Flow, Trap> {
    if base.len().max(reference.len()) <= STEP {
        return give_resolved(scope, resolved(base.as_str(), reference.as_str()));
    }
    copied_to_pool(scope, [base, reference], |[base, reference]| resolved(&base, &reference), give_resolved)
}

fn resolved(base: &str, reference: &str) -> Result<String, String> {
    let url = Uri::parse(base).map_err(|error| refused(base, &error))?;
    let target = UriRef::parse(reference).map_err(|error| refused(reference, &error))?;
    let resolved = target.resolve_against(&url).map_err(|error| refused(base, &error))?;
    Ok(resolved.into_string())
}

fn give_resolved(scope: &mut Scope, resolved: Result<String, String>) -> Result<Flow, Trap> {
    match resolved {
        Ok(resolved) => given(scope, resolved.into_bytes()),
        Err(message) => Ok(Flow::Done(scope.fail::<Own<Text>>("invalid", message).into_word())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::tests::all_put;
    use crate::testing;
    use percent_encoding::{percent_decode_str, utf8_percent_encode};
    use proptest::prelude::*;

    /// What percent-encoding stands for.
    fn decoded(text: &str) -> Option<Vec<u8>> {
        let is_cut = |(at, _): (usize, &str)| {
            let digits = text.as_bytes().get(at + 1..at + 3);
            !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        if text.match_indices('%').any(is_cut) {
            return None;
        }
        percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned().into_bytes())
    }

    proptest! {
        #[test]
        fn any_step_encodes_and_decodes(
            text in "(%[0-9a-fA-F]{2}|%C3%A9|%F0%9f%8C%8A|%E2|[a-z\u{e9}/ %]){0,30}",
            other in "\\PC{0,40}",
            steps in prop::collection::vec(1usize..40, 1..4),
        ) {
            let s = &mut testing::scope();
            let held = s.text(&text).expect("room").get();
            prop_assert_eq!(all_put(&Decoded { text: held, at: 0 }, &steps), decoded(&text), "{}", text);
            let held = s.text(&other).expect("room").get();
            let encoded = utf8_percent_encode(&other, RESERVED).to_string();
            prop_assert_eq!(all_put(&Encoded { text: held, at: 0 }, &steps), Some(encoded.clone().into_bytes()));
            let held = s.text(&encoded).expect("room").get();
            prop_assert_eq!(all_put(&Decoded { text: held, at: 0 }, &steps), Some(other.into_bytes()));
        }
    }
}
