//! Natives of routes, which compiled code calls by itself: the number of the request's route and its parameters.

use crate::heap::Word;
use crate::percent;
use crate::router::Param;
use crate::scope::Scope;
use crate::value::{Own, Response, Text};
use weir_abi::trap::Trap;

/// The number of the request's route; -1 when none matches, -2 when `respond-unrouted` knows the answer.
pub fn request_route(scope: &mut Scope) -> Result<i64, Trap> {
    Ok(scope.matched.number())
}

/// A parameter that is an Int.
pub fn route_int(scope: &mut Scope, at: i64) -> Result<i64, Trap> {
    Ok(word(scope, at) as i64)
}

/// A parameter that is a Float.
pub fn route_float(scope: &mut Scope, at: i64) -> Result<f64, Trap> {
    Ok(f64::from_bits(word(scope, at)))
}

/// A parameter that is a Bool.
pub fn route_bool(scope: &mut Scope, at: i64) -> Result<bool, Trap> {
    Ok(word(scope, at) != 0)
}

/// A parameter that is a Text.
pub fn route_text(scope: &mut Scope, at: i64) -> Result<Own<Text>, Trap> {
    let Some((head, Param::Text(range))) = scope.matched.param(at) else {
        unreachable!("the pattern has a Text at {at}");
    };
    let head = head.clone();
    let text = percent::decode(&head.path()[range.clone()], false);
    Ok(scope.text(&text)?)
}

fn word(scope: &Scope, at: i64) -> Word {
    match scope.matched.param(at) {
        Some((_, Param::Word(word))) => *word,
        _ => unreachable!("the pattern has a word at {at}"),
    }
}

/// The answer to a request that no route and no `handle` takes.
pub fn respond_unrouted(scope: &mut Scope) -> Result<Own<Response>, Trap> {
    let (status, allow) = scope.matched.answer();
    super::response::bodiless(scope, status, allow.as_deref().map(|allow| ("Allow", allow)))
}
