//! Natives of `url.weir` (RFC 3986).

use crate::scope::Scope;
use crate::value::{Own, Text};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use weir_abi::trap::Trap;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As a part of a URL.
pub fn url_encode(scope: &mut Scope, text: Text) -> Result<Own<Text>, Trap> {
    let pieces = utf8_percent_encode(text.as_str(), RESERVED);
    let len = pieces.clone().map(str::len).sum();
    Ok(scope.text_with(len, |filler| pieces.for_each(|piece| filler.push(piece.as_bytes())))?)
}

/// With its percent-encoding resolved.
pub fn url_decode(scope: &mut Scope, text: Text) -> Result<Option<Own<Text>>, Trap> {
    let text = text.as_str();
    let is_cut = |(at, _): (usize, &str)| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if text.match_indices('%').any(is_cut) {
        return Ok(None);
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(Some(scope.text(&decoded)?)),
        Err(_) => Ok(None),
    }
}
