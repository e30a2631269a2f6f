//! Natives of `url.weir` (RFC 3986).

use crate::scope::Scope;
use crate::value::{Gives, List, Own, Text};
use fluent_uri::{Uri, UriRef};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use weir_abi::layout::shape;
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

/// Scheme, user, host, port, path, query and fragment, `None` for each that it does not have.
pub fn url_parts(scope: &mut Scope, text: Text) -> Result<Option<Own<List>>, Trap> {
    let url = match Uri::parse(text.as_str()) {
        Ok(url) => url,
        Err(error) => return Ok(scope.fail("invalid", format!("{:?} is not a URL: {error}", text.as_str()))),
    };
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
    let list = scope.list(shape::LIST_REF, parts.len())?;
    for part in parts {
        match part.map(|part| scope.text(part)).transpose() {
            Ok(part) => list.get().append(&[part.into_word()]),
            Err(full) => {
                scope.give_up(list);
                return Err(full.into());
            }
        }
    }
    Ok(Some(list))
}

/// What a reference means where `base` is (RFC 3986, section 5).
pub fn url_resolve(scope: &mut Scope, base: Text, reference: Text) -> Result<Option<Own<Text>>, Trap> {
    let refused =
        |text: Text, why: &dyn std::fmt::Display| format!("{:?} is not a URL: {why}", text.as_str());
    let resolved = match (Uri::parse(base.as_str()), UriRef::parse(reference.as_str())) {
        (Ok(uri), Ok(target)) => target.resolve_against(&uri).map_err(|error| refused(base, &error)),
        (Err(error), _) => Err(refused(base, &error)),
        (_, Err(error)) => Err(refused(reference, &error)),
    };
    match resolved {
        Ok(resolved) => Ok(Some(scope.text(resolved.as_str())?)),
        Err(message) => Ok(scope.fail("invalid", message)),
    }
}
