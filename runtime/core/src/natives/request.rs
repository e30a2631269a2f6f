//! Natives of `request.weir`, `query.weir` and `headers.weir`: read from the head as it was sent, when asked for.

use crate::percent::decode;
use crate::scope::Scope;
use crate::value::{List, Own, Resource, Text};
use std::borrow::Cow;
use weir_abi::trap::Trap;
use weir_http::RequestHead;

/// The method.
pub fn request_method(scope: &mut Scope, request: Resource) -> Result<Own<Text>, Trap> {
    let head = scope.request_of(request);
    Ok(scope.text(head.method())?)
}

/// The path, percent-decoded.
pub fn request_path(scope: &mut Scope, request: Resource) -> Result<Own<Text>, Trap> {
    let head = scope.request_of(request);
    Ok(scope.text(&decode(head.path(), false))?)
}

/// The query.
pub fn request_query(scope: &mut Scope, request: Resource) -> Result<Own<Resource>, Trap> {
    let head = scope.request_of(request);
    Ok(scope.request(head)?)
}

/// The headers.
pub fn request_headers(scope: &mut Scope, request: Resource) -> Result<Own<Resource>, Trap> {
    request_query(scope, request)
}

/// The first value of a key.
pub fn query_get(scope: &mut Scope, query: Resource, key: Text) -> Result<Option<Own<Text>>, Trap> {
    let head = scope.request_of(query);
    match values(&head, key.as_str()).next() {
        Some(value) => Ok(Some(scope.text(&value)?)),
        None => Ok(None),
    }
}

/// All values of a key.
pub fn query_all(scope: &mut Scope, query: Resource, key: Text) -> Result<Own<List>, Trap> {
    let head = scope.request_of(query);
    let values: Vec<_> = values(&head, key.as_str()).collect();
    Ok(scope.text_list(values.iter().map(|value| &**value))?)
}

/// The first value of a header.
pub fn headers_get(scope: &mut Scope, headers: Resource, name: Text) -> Result<Option<Own<Text>>, Trap> {
    let value = match scope.answer_fields(headers) {
        Some(head) => head.fields.get(name.as_str()).map(|value| scope.text(&shown(value.as_bytes()))),
        None => scope.request_of(headers).header(name.as_str()).map(|value| scope.text(&shown(value))),
    };
    Ok(value.transpose()?)
}

/// All values of a header.
pub fn headers_all(scope: &mut Scope, headers: Resource, name: Text) -> Result<Own<List>, Trap> {
    let values: Vec<String> = match scope.answer_fields(headers) {
        Some(head) => head.fields.get_all(name.as_str()).iter().map(|v| shown(v.as_bytes()).into()).collect(),
        None => scope.request_of(headers).header_all(name.as_str()).map(|v| shown(v).into()).collect(),
    };
    Ok(scope.text_list(values.iter().map(String::as_str))?)
}

/// A header's value; what of it is not UTF-8 is replaced.
fn shown(value: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(value)
}

/// The values of a key, each decoded when it is reached.
fn values<'a>(head: &'a RequestHead, key: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
    let pairs = head.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
    pairs.filter_map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == key || decode(name, true) == key).then(|| decode(value, true))
    })
}
