//! Natives of `response.weir`: what a Response holds, and Responses with something changed.
//!
//! Names and values of header fields are checked here, where the script can be told: nothing that ends a line gets into one.

use super::response::{check_status, check_value};
use crate::heap::Word;
use crate::map::Map;
use crate::scope::Scope;
use crate::value::{List, Own, Ref, Response, Text};
use weir_abi::layout::response;
use weir_abi::trap::Trap;

const CONTENT_TYPE: &str = "Content-Type";

/// The status.
pub fn response_status(_: &mut Scope, answer: Response) -> Result<i64, Trap> {
    Ok(answer.object().get(response::STATUS) as i64)
}

/// The first value of a field.
pub fn response_header(scope: &mut Scope, answer: Response, name: Text) -> Result<Option<Own<Text>>, Trap> {
    let value = answer.fields().find(|(field, _)| field.as_str().eq_ignore_ascii_case(name.as_str()));
    Ok(value.map(|(_, value)| scope.dup(value)))
}

/// All values of a field.
pub fn response_header_all(scope: &mut Scope, answer: Response, name: Text) -> Result<Own<List>, Trap> {
    let fields: Vec<(Text, Text)> = answer.fields().collect();
    let of_name = fields.iter().filter(|(field, _)| field.as_str().eq_ignore_ascii_case(name.as_str()));
    Ok(scope.text_list(of_name.map(|(_, value)| value.as_str()))?)
}

/// With that field instead of those of its name.
pub fn response_with_header(
    scope: &mut Scope,
    answer: Own<Response>,
    name: Text,
    value: Text,
) -> Result<Own<Response>, Trap> {
    with_field(scope, answer, &[name.as_str()], (name.as_str(), value.as_str()))
}

/// With that field besides those of its name.
pub fn response_add_header(
    scope: &mut Scope,
    answer: Own<Response>,
    name: Text,
    value: Text,
) -> Result<Own<Response>, Trap> {
    with_field(scope, answer, &[], (name.as_str(), value.as_str()))
}

/// Without the fields of that name.
pub fn response_without_header(
    scope: &mut Scope,
    answer: Own<Response>,
    name: Text,
) -> Result<Own<Response>, Trap> {
    change(scope, answer, |scope, answer| replace(scope, answer, &[name.as_str()], &[]))
}

/// With another status.
pub fn response_with_status(
    scope: &mut Scope,
    answer: Own<Response>,
    status: i64,
) -> Result<Own<Response>, Trap> {
    change(scope, answer, |_, answer| set_status(answer, status))
}

/// With another status, unless that is -1, these fields, and that content type, unless it is empty.
pub fn response_made(
    scope: &mut Scope,
    answer: Own<Response>,
    status: i64,
    content_type: Text,
    headers: Map,
) -> Result<Own<Response>, Trap> {
    change(scope, answer, |scope, answer| {
        if status != -1 {
            set_status(answer, status)?;
        }
        let texts: Vec<(Text, Text)> =
            headers.entries().map(|at| (headers.key(at).as_arg(), headers.value(at).as_arg())).collect();
        let mut fields: Vec<(&str, &str)> = Vec::with_capacity(texts.len() + 1);
        if content_type.len() > 0 {
            fields.push((CONTENT_TYPE, content_type.as_str()));
        }
        let is_free = |name: &str| content_type.len() == 0 || !name.eq_ignore_ascii_case(CONTENT_TYPE);
        fields.extend(texts.iter().map(|(n, v)| (n.as_str(), v.as_str())).filter(|(name, _)| is_free(name)));
        for (name, value) in &fields {
            check_field(name, value)?;
        }
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        if fields.is_empty() { Ok(()) } else { replace(scope, answer, &names, &fields) }
    })
}

/// `name=value` of a cookie. What cannot stand in its value (RFC 6265, section 4.1.1), and `%`, is percent-encoded.
pub fn cookie_pair(scope: &mut Scope, name: Text, value: Text) -> Result<Own<Text>, Trap> {
    check_name("cookie", name.as_str())?;
    let mut pair = format!("{}=", name.as_str());
    for byte in value.as_str().bytes() {
        match byte {
            0x21 | 0x23..=0x24 | 0x26..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e => {
                pair.push(byte.into())
            }
            other => pair.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(scope.text(&pair)?)
}

/// Changes a response that nobody else holds: this one, or a copy of it. On a trap it is given up.
fn change(
    scope: &mut Scope,
    answer: Own<Response>,
    change: impl FnOnce(&mut Scope, Response) -> Result<(), Trap>,
) -> Result<Own<Response>, Trap> {
    let own = scope.own_copy(answer)?;
    match change(scope, own.get()) {
        Ok(()) => Ok(own),
        Err(trap) => {
            scope.give_up(own);
            Err(trap)
        }
    }
}

fn set_status(answer: Response, status: i64) -> Result<(), Trap> {
    check_status(status, 200..=599)?;
    answer.object().set(response::STATUS, status as Word);
    Ok(())
}

/// With a field instead of those with one of these names.
fn with_field(
    scope: &mut Scope,
    answer: Own<Response>,
    instead_of: &[&str],
    field: (&str, &str),
) -> Result<Own<Response>, Trap> {
    change(scope, answer, |scope, answer| {
        check_field(field.0, field.1)?;
        replace(scope, answer, instead_of, &[field])
    })
}

/// Takes the fields with one of these names away, and adds others behind what is left.
fn replace(scope: &mut Scope, answer: Response, names: &[&str], fields: &[(&str, &str)]) -> Result<(), Trap> {
    let is_kept = |name: &str| !names.iter().any(|other| other.eq_ignore_ascii_case(name));
    let old: Vec<(Text, Text)> = answer.fields().filter(|(name, _)| is_kept(name.as_str())).collect();
    let old = old.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let list = scope.text_list(old.chain(fields.iter().copied()).flat_map(|(name, value)| [name, value]))?;
    scope.set_fields(answer, list);
    Ok(())
}

/// What the engine would refuse is refused where the script can be told.
fn check_field(name: &str, value: &str) -> Result<(), Trap> {
    check_name("header", name)?;
    check_value(name, value)
}

/// Names of fields and of cookies are tokens (RFC 9110, section 5.6.2).
fn check_name(what: &str, name: &str) -> Result<(), Trap> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_token) {
        return Ok(());
    }
    let message =
        format!("{name:?} cannot be the name of a {what}: it has letters, digits and !#$%&'*+-.^_`|~ only");
    Err(Trap::native(message))
}
