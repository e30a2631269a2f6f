//! The body of an upstream's answer in pieces.
//!
//! A stream of a URL asks at the first pull, and takes 2xx answers only; one of an answer goes on reading it. Dropping the
//! stream closes the socket at once.
//! Not here: connections (`client`).

use super::pieces::Pieces;
use crate::client::{Asking, Head, Order, ReplyBody, Upload};
use crate::failure::{BAD_GATEWAY, Failure};
use crate::scope::Scope;
use crate::trace::Trace;
use bytes::Bytes;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// The pieces of a body.
pub struct UpstreamPieces {
    state: State,
}

enum State {
    /// Nothing was asked for.
    Idle(Box<Order>, Option<Upload>),
    /// There is nothing to read.
    Failed(Failure),
    Asking(Asking),
    Reading(ReplyBody),
    /// The body was read to its end, or failed.
    Ended,
}

impl UpstreamPieces {
    /// Those that an order is answered with, which is carried out at the first pull.
    pub fn of_order(order: Order, upload: Option<Upload>) -> Self {
        Self { state: State::Idle(Box::new(order), upload) }
    }

    /// Those of an answer's body.
    pub fn of_body(body: ReplyBody) -> Self {
        Self { state: State::Reading(body) }
    }

    /// None, for that reason.
    pub fn failed(failure: Failure) -> Self {
        Self { state: State::Failed(failure) }
    }
}

/// Whether an answer is what was asked for: a 2xx whose body can be read as text.
fn delivered(head: &Head) -> Result<(), Failure> {
    let (url, status) = (&head.url, head.status);
    if status.is_success() {
        return readable(head);
    }
    let mut message = format!("upstream {url} answered {status}");
    if let Some(location) = head.fields.get(http::header::LOCATION) {
        message.push_str(&format!(" to {}", String::from_utf8_lossy(location.as_bytes())));
    }
    Err(Failure::new(BAD_GATEWAY, message))
}

/// Whether the bytes of an answer's body are its text: nobody asked for a coding.
pub fn readable(head: &Head) -> Result<(), Failure> {
    match head.coding() {
        None => Ok(()),
        Some(coding) => {
            let url = &head.url;
            let message = format!("upstream {url} coded its answer with {coding}, which nobody asked for");
            Err(Failure::new(BAD_GATEWAY, message))
        }
    }
}

impl Pieces for UpstreamPieces {
    fn poll_piece(
        &mut self,
        scope: &mut Scope,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            match &mut self.state {
                State::Idle(..) => {
                    let State::Idle(order, upload) = std::mem::replace(&mut self.state, State::Ended) else {
                        unreachable!("it was looked at just now");
                    };
                    match Asking::new(*order, upload, scope) {
                        Ok(asking) => self.state = State::Asking(asking),
                        Err(full) => {
                            return Poll::Ready(Err(Failure::of_trap(&full.into(), Trace::default())));
                        }
                    }
                }
                State::Asking(asking) => match ready!(asking.poll(scope, cx)) {
                    Ok(mut body) => {
                        let head = Rc::clone(body.head());
                        if let Err(failure) = delivered(&head) {
                            body.close(scope);
                            self.state = State::Ended;
                            return Poll::Ready(Err(failure));
                        }
                        self.state = State::Reading(body);
                    }
                    Err(failure) => {
                        self.state = State::Ended;
                        return Poll::Ready(Err(failure));
                    }
                },
                State::Reading(body) => match ready!(body.poll_piece(scope, cx)) {
                    Ok(Some(piece)) => return Poll::Ready(Ok(Some(piece))),
                    Ok(None) => self.state = State::Ended,
                    Err(failure) => {
                        body.close(scope);
                        self.state = State::Ended;
                        return Poll::Ready(Err(failure));
                    }
                },
                State::Failed(_) => {
                    let State::Failed(failure) = std::mem::replace(&mut self.state, State::Ended) else {
                        unreachable!("it was looked at just now");
                    };
                    return Poll::Ready(Err(failure));
                }
                State::Ended => return Poll::Ready(Ok(None)),
            }
        }
    }

    /// `line_texts` tells it as an upstream's already.
    fn blamed(failure: Failure) -> Failure {
        failure
    }

    fn close(self, scope: &mut Scope) {
        match self.state {
            State::Idle(_, Some(mut upload)) => upload.close(scope),
            State::Asking(mut asking) => asking.close(scope),
            State::Reading(mut body) => body.close(scope),
            State::Idle(_, None) | State::Failed(_) | State::Ended => {}
        }
    }
}
