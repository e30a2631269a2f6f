//! Natives of a request's cookies, and of what else it says besides method, path, query and headers.

use crate::percent;
use crate::scope::Scope;
use crate::value::{List, Own, Resource, Text};
use std::borrow::Cow;
use weir_abi::trap::Trap;
use weir_http::RequestHead;

/// The cookies.
pub fn request_cookies(scope: &mut Scope, request: Resource) -> Result<Own<Resource>, Trap> {
    super::request::request_query(scope, request)
}

/// Which event the client saw last before it connected again.
pub fn request_last_event_id(scope: &mut Scope, request: Resource) -> Result<Option<Own<Text>>, Trap> {
    let head = scope.request_of(request);
    let id = head.header("last-event-id").map(String::from_utf8_lossy).filter(|id| !id.is_empty());
    Ok(id.map(|id| scope.text(&id)).transpose()?)
}

/// The request's id, as the log writes it behind `#`.
pub fn request_id(scope: &mut Scope, _: Resource) -> Result<Own<Text>, Trap> {
    let id = scope.log.1.map_or_else(String::new, |id| format!("{id:x}"));
    Ok(scope.text(&id)?)
}

/// The address of who sent the request; `unix` for who came through a Unix socket, which has none.
pub fn request_ip(scope: &mut Scope, _: Resource) -> Result<Own<Text>, Trap> {
    let address = scope.client.map_or_else(|| "unix".to_owned(), |address| address.to_string());
    Ok(scope.text(&address)?)
}

/// The value of a cookie.
pub fn cookies_get(scope: &mut Scope, cookies: Resource, name: Text) -> Result<Option<Own<Text>>, Trap> {
    let head = scope.request_of(cookies);
    let value = pairs(&head).into_iter().find(|(known, _)| known == name.as_str());
    Ok(value.map(|(_, value)| scope.text(&value)).transpose()?)
}

/// Names and values in turn, in the order in which they were sent.
pub fn cookies_all(scope: &mut Scope, cookies: Resource) -> Result<Own<List>, Trap> {
    let head = scope.request_of(cookies);
    let pairs = pairs(&head);
    Ok(scope.text_list(pairs.iter().flat_map(|(name, value)| [&**name, &**value]))?)
}

/// The cookies of a request (RFC 6265, section 5.4): pairs between semicolons, values perhaps in quotes, percent-encoding
/// resolved.
fn pairs(head: &RequestHead) -> Vec<(String, String)> {
    let lines: Vec<Cow<'_, str>> = head.header_all("cookie").map(String::from_utf8_lossy).collect();
    let pairs = lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let unquoted = |value: &str| {
        let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        percent::decode(inner.unwrap_or(value), false).into_owned()
    };
    pairs.map(|(name, value)| (name.trim().to_owned(), unquoted(value.trim()))).collect()
}
