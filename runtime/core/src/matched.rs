//! What is known of a request's route while it is answered.

use crate::router::{Param, Routed};
use weir_http::RequestHead;

/// The route of the request that a scope answers, and what it takes out of the path. Of a scope without one, nothing.
#[derive(Debug, Default)]
pub struct Matched(Option<(RequestHead, Routed)>);

impl Matched {
    /// Where the request with that head goes.
    pub fn new(head: RequestHead, routed: Routed) -> Self {
        Self(Some((head, routed)))
    }

    /// The route's number; -1 where none matches, -2 where that is a method's or the path's fault.
    pub fn number(&self) -> i64 {
        match &self.0 {
            Some((_, Routed::Route(number, _))) => *number as i64,
            Some((_, Routed::Free)) | None => -1,
            Some((_, Routed::NotAllowed(_) | Routed::Options(_) | Routed::Malformed)) => -2,
        }
    }

    /// A parameter, and the head whose path its text is in.
    pub fn param(&self, at: i64) -> Option<(&RequestHead, &Param)> {
        match &self.0 {
            Some((head, Routed::Route(_, params))) => Some((head, params.get(usize::try_from(at).ok()?)?)),
            _ => None,
        }
    }

    /// The answer where no route matches: its status, and the methods that do.
    pub fn answer(&self) -> (u16, Option<String>) {
        self.0.as_ref().map_or((404, None), |(_, routed)| answer(routed))
    }
}

/// The answer where no route and no `handle` takes a request.
pub fn answer(routed: &Routed) -> (u16, Option<String>) {
    match routed {
        Routed::NotAllowed(allow) => (405, Some(allow.names())),
        Routed::Options(allow) => (204, Some(allow.names())),
        Routed::Malformed => (400, None),
        Routed::Free | Routed::Route(..) => (404, None),
    }
}
