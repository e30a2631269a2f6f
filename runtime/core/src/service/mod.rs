//! Answers requests with a script's handler.
//!
//! In: the engine's requests. Out: its responses; a lazy body keeps the request's scope until it ends.
//! Invariants: a request's scope belongs to the exchange, then to its body, and dropping either cancels all that
//! the request does. What a client learns about a failure is its status.

use crate::afterwork;
use crate::app::Pinned;
use crate::background;
use crate::deadline::Deadline;
use crate::ending::{Rest, end_scope};
use crate::failure::{Failure, INTERNAL};
use crate::limits;
use crate::log::LogFormat;
use crate::matched::{self, Matched};
use crate::output;
use crate::router::Routed;
use crate::run::Run;
use crate::scope::Scope;
use crate::value::Handle;
use crate::versions::{Newest, Versions};
use crate::worker::Worker;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use weir_abi::code::{CodePtr, Module};
use weir_abi::trap::Trap;
use weir_http::{Access, Request, RequestHead, Service};

mod body;
mod file;
mod respond;

pub(crate) use body::Items;
use respond::{plain, respond, unrouted};

/// A worker's service.
pub struct HandlerService {
    newest: Newest,
    worker: Rc<Worker>,
    log: LogFormat,
}

impl HandlerService {
    /// A service of this thread that answers with the newest version's handler. Called where tasks can be spawned locally.
    pub fn new(versions: &Versions, log: LogFormat) -> Self {
        output::serve();
        Self { newest: Newest::of(versions, log), worker: Worker::current(), log }
    }

    /// Finds what answers a request, and begins it.
    fn start(&self, app: Pinned, request: Request) -> State {
        let routed = app.router().map(|router| router.find(request.head.method(), request.head.path()));
        let Some(entry) = entry(app.module(), routed.as_ref()) else {
            let (status, allow) = routed.as_ref().map_or((404, None), matched::answer);
            return State::Answered(unrouted(status, allow.as_deref()));
        };
        let cpu_limit = app.limits().cpu_limit;
        let mut scope = Box::new(Scope::new(app, Rc::clone(&self.worker)));
        scope.log = (self.log, Some(request.id));
        scope.client = request.client;
        scope.cpu.limit_to(cpu_limit);
        if let Some(routed) = routed {
            scope.matched = Matched::new(request.head.clone(), routed);
        }
        match begin(&mut scope, entry, request) {
            Ok(run) => State::Running(run, scope),
            Err(failure) => State::Failed(failure),
        }
    }
}

impl Service for HandlerService {
    type Future = Exchange;

    fn call(&self, request: Request) -> Exchange {
        let (id, head) = (request.id, request.head.clone());
        let app = self.newest.app();
        let deadline = Deadline::new(app.limits().request_timeout);
        let state = self.start(app, request);
        Exchange { state, id, head, log: self.log, deadline }
    }

    fn finished(&self, access: &Access<'_>) {
        self.log.access(access);
    }

    fn cut(&self) {
        background::cancel_all();
    }

    async fn drained(&self) {
        afterwork::finished().await;
    }
}

/// What answers a request; nothing for one that neither a route nor a handler takes.
fn entry(module: &Module, routed: Option<&Routed>) -> Option<CodePtr> {
    module.around.or_else(|| match routed {
        Some(Routed::Route(number, _)) => Some(module.routes[*number].code),
        Some(Routed::Free) | None => module.handler,
        Some(Routed::NotAllowed(_) | Routed::Options(_) | Routed::Malformed) => None,
    })
}

/// Prepares the call of what answers.
fn begin(scope: &mut Scope, entry: CodePtr, request: Request) -> Result<Run, Failure> {
    let request = scope
        .asked(request.head, request.body)
        .map_err(|_| Failure::new(INTERNAL, "no memory for the request"))?;
    Run::new(scope, entry.0, &[request.get().word()])
}

/// The work on one request.
pub struct Exchange {
    state: State,
    id: u64,
    /// What it asks for.
    head: RequestHead,
    log: LogFormat,
    /// When it must have given a response.
    deadline: Deadline,
}

enum State {
    /// The handler runs; its run is dropped before its scope.
    Running(Run, Box<Scope>),
    /// It could not be started.
    Failed(Failure),
    /// There was nothing to run.
    Answered(weir_http::Response),
    Over,
}

impl Future for Exchange {
    type Output = weir_http::Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<weir_http::Response> {
        let this = &mut *self;
        let polled = match &mut this.state {
            State::Running(run, scope) => {
                scope.begin_turn();
                let polled = scope.poll_all(run, cx);
                scope.end_turn();
                match polled {
                    Poll::Ready(result) => result.flatten(),
                    Poll::Pending => {
                        ready!(this.deadline.poll(cx));
                        Err(run.fail(scope, &late(scope)))
                    }
                }
            }
            State::Failed(_) | State::Answered(_) | State::Over => Ok(0),
        };
        let result = match std::mem::replace(&mut this.state, State::Over) {
            State::Running(run, scope) => match polled {
                Ok(word) => {
                    drop(run);
                    respond(scope, word, &this.head, this.id, this.log)
                }
                Err(failure) => {
                    end_scope(scope, Rest::Run(run));
                    Err(failure)
                }
            },
            State::Failed(failure) => Err(failure),
            State::Answered(response) => Ok(response),
            State::Over => Err(Failure::new(INTERNAL, "polled after its end")),
        };
        Poll::Ready(result.unwrap_or_else(|failure| {
            this.log.failure(this.id, &failure);
            plain(failure.status)
        }))
    }
}

/// The trap of a request that has taken too long.
#[cold]
fn late(scope: &Scope) -> Trap {
    let time = limits::duration(scope.app().limits().request_timeout);
    Trap::budget(format!("no response within {time} (--request-timeout)"))
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let State::Running(run, scope) = std::mem::replace(&mut self.state, State::Over) {
            end_scope(scope, Rest::Run(run));
        }
    }
}

#[cfg(test)]
mod tests;
