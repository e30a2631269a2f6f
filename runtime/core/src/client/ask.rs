//! Asks an upstream until it answers: connects, sends, follows redirections.
//!
//! In: an [`Order`]. Out: the head of an answer, and its body. Any status is an answer.
//! Invariants: a request is sent a second time only on a connection that had rested and closed before any of the answer came,
//! and only one that may be repeated. Each step has its deadline.

use super::address::{self, Unreached};
use super::broken;
use super::link::{BUFFER, Link};
use super::pool::{Counted, Key};
use super::redirect::{self, Next};
use super::reply::{Head, ReplyBody};
use super::sent::Slot;
use super::target::Target;
use super::tls;
use super::upload::{Content, Upload};
use super::wire::Wire;
use crate::failure::{Failure, GATEWAY_TIMEOUT};
use crate::heap::Full;
use crate::scope::Scope;
use crate::worker::Worker;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("weir/", env!("CARGO_PKG_VERSION")));

/// What a program asks for, not looked at yet.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where.
    pub url: String,
    /// How.
    pub method: String,
    /// Names and values of header fields.
    pub fields: Vec<(String, String)>,
    /// The content type of the body unless a field says it; empty when nothing does.
    pub media_type: String,
    /// A body that is all there.
    pub content: Bytes,
    /// Under what conditions.
    pub terms: Terms,
}

/// How an order is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long a connection may take.
    pub connect: Duration,
    /// How long the head of an answer may take once nothing more is sent.
    pub first_byte: Duration,
    /// How long all until the head of the last answer may take; the place of `first_byte`, where there is one.
    pub timeout: Option<Duration>,
    /// How many redirections are followed; 0 makes answers of them.
    pub redirects: u32,
    /// Only public addresses are connected to.
    pub public_only: bool,
}

type Answering = Pin<Box<dyn Future<Output = Result<ReplyBody, Failure>>>>;

/// An order that is being carried out.
pub struct Asking {
    future: Answering,
    upload: Option<Upload>,
    /// What is charged to the heap: the body that is sent, and the buffer of the connection.
    held: usize,
}

impl Asking {
    /// Begins with it. Called within a tokio runtime. Fails when the heap has no room for its buffers.
    pub fn new(order: Order, mut upload: Option<Upload>, scope: &mut Scope) -> Result<Self, Full> {
        let held = order.content.len() + BUFFER;
        if let Err(full) = scope.heap_mut().charge(held) {
            if let Some(upload) = &mut upload {
                upload.close(scope);
            }
            return Err(full);
        }
        let worker = Rc::clone(scope.worker());
        let content = match &upload {
            Some(upload) => Content::Pieces(upload.slot()),
            None => Content::Whole(order.content.clone()),
        };
        Ok(Self { future: Box::pin(carry_out(order, content, worker)), upload, held })
    }

    /// The answer, once its head is there.
    pub fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<ReplyBody, Failure>> {
        loop {
            if let Poll::Ready(result) = self.future.as_mut().poll(cx) {
                return Poll::Ready(match result {
                    Ok(mut body) => {
                        scope.heap_mut().uncharge(std::mem::take(&mut self.held) - BUFFER);
                        body.adopt(self.upload.take(), BUFFER);
                        body.settle(scope, cx);
                        Ok(body)
                    }
                    Err(failure) => {
                        self.close(scope);
                        Err(failure)
                    }
                });
            }
            match &mut self.upload {
                Some(upload) => match upload.feed(scope, cx) {
                    Ok(true) => {}
                    Ok(false) => return Poll::Pending,
                    Err(failure) => {
                        self.close(scope);
                        return Poll::Ready(Err(failure));
                    }
                },
                None => return Poll::Pending,
            }
        }
    }

    /// Gives it up, for a scope that goes on.
    pub fn close(&mut self, scope: &mut Scope) {
        scope.heap_mut().uncharge(std::mem::take(&mut self.held));
        if let Some(mut upload) = self.upload.take() {
            upload.close(scope);
        }
    }
}

async fn carry_out(order: Order, content: Content, worker: Rc<Worker>) -> Result<ReplyBody, Failure> {
    let (terms, url) = (order.terms, order.url.clone());
    let mut errand = Errand::of(order, content)?;
    let counted = Counted::new(&worker.counters.upstreams);
    let going = errand.run(worker, counted);
    match terms.timeout {
        None => going.await,
        Some(time) => match timeout(time, going).await {
            Ok(result) => result,
            Err(_) => Err(late(&url, "did not answer")),
        },
    }
}

fn late(url: &str, what: &str) -> Failure {
    Failure::new(GATEWAY_TIMEOUT, format!("upstream {url} {what} in time"))
}

/// A request that goes from URL to URL.
struct Errand {
    target: Target,
    method: Method,
    fields: HeaderMap,
    content: Content,
    terms: Terms,
}

/// Why there is no answer on a connection.
enum Silence {
    Late,
    Broken(hyper::Error),
}

impl Errand {
    /// Looks at an order.
    fn of(order: Order, content: Content) -> Result<Self, Failure> {
        let refuse =
            |why: String| Failure::of_kind("invalid", format!("{:?} cannot be fetched: {why}", order.url));
        let target = Target::parse(&order.url).map_err(|why| refuse(why.to_owned()))?;
        let method = known(&order.method).map_or_else(|| Method::from_bytes(order.method.as_bytes()), Ok);
        let method = method.map_err(|_| refuse(format!("{:?} is no method", order.method)))?;
        if method == Method::CONNECT {
            return Err(refuse("CONNECT is for proxies".to_owned()));
        }
        let mut fields = HeaderMap::new();
        fields.insert(header::USER_AGENT, USER_AGENT);
        fields.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        // Bodies are passed on and split as they come.
        fields.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let has_content = !matches!(&content, Content::Whole(bytes) if bytes.is_empty());
        if has_content && let Ok(media_type) = HeaderValue::from_str(&order.media_type) {
            fields.insert(header::CONTENT_TYPE, media_type);
        }
        for (name, value) in &order.fields {
            let wrong = || refuse(format!("{name:?} is no header field with that value"));
            let of: HeaderName = name.parse().map_err(|_| wrong())?;
            if is_own(&of) {
                return Err(refuse(format!("the header field {of} is set by Weir")));
            }
            fields.insert(of, HeaderValue::from_str(value).map_err(|_| wrong())?);
        }
        Ok(Self { target, method, fields, content, terms: order.terms })
    }

    async fn run(&mut self, worker: Rc<Worker>, counted: Counted) -> Result<ReplyBody, Failure> {
        let mut left = self.terms.redirects;
        loop {
            let key = Key { origin: self.target.origin.clone(), public_only: self.terms.public_only };
            let (response, link) = self.ask(&key, &worker).await?;
            let (parts, incoming) = response.into_parts();
            let url = self.target.url();
            let next = redirect::next(parts.status, &self.method);
            let location = parts.headers.get(header::LOCATION).map(|v| v.as_bytes().to_vec());
            let head = Rc::new(Head { status: parts.status, fields: parts.headers, url });
            let own = Counted::new(&worker.counters.upstreams);
            let mut body = ReplyBody::new(Rc::clone(&head), incoming, link, key, Rc::clone(&worker), own);
            let (Some(location), true) = (location, next != Next::Stay && self.terms.redirects > 0) else {
                drop(counted);
                return Ok(body);
            };
            if left == 0 {
                let most = self.terms.redirects;
                return Err(upstream(&head.url, format!("redirects once more after {most} redirections")));
            }
            left -= 1;
            self.turn(&head, &String::from_utf8_lossy(&location), next)?;
            let skipping = poll_fn(|cx| body.poll_skip(cx));
            if timeout(self.terms.first_byte, skipping).await.is_err() {
                return Err(late(&head.url, "did not end its redirection"));
            }
        }
    }

    /// Makes the next request of an answer that redirects.
    fn turn(&mut self, head: &Head, location: &str, next: Next) -> Result<(), Failure> {
        let target = redirect::follow(&self.target, location).map_err(|why| upstream(&head.url, why))?;
        match next {
            Next::Get(method) => {
                self.method = method;
                self.content = Content::Whole(Bytes::new());
                redirect::drop_body(&mut self.fields);
            }
            _ if !self.content.can_repeat() => {
                let why = format!("redirects to {location}, and a streamed body cannot be sent again");
                return Err(upstream(&head.url, why));
            }
            _ => {}
        }
        if target.origin != self.target.origin {
            redirect::drop_credentials(&mut self.fields);
        }
        self.target = target;
        Ok(())
    }

    /// Asks the target on a connection that rested, or on a new one.
    async fn ask(&self, key: &Key, worker: &Rc<Worker>) -> Result<(Response<Incoming>, Link), Failure> {
        let url = self.target.url();
        if let Some(mut link) = worker.client.take(key) {
            match self.exchange(&mut link).await {
                Ok(response) => return Ok((response, link)),
                Err(Silence::Broken(_)) if self.may_repeat(&link) => {}
                Err(silence) => return Err(silence.told(&url)),
            }
        }
        let mut link = self.connect(worker).await?;
        match self.exchange(&mut link).await {
            Ok(response) => Ok((response, link)),
            Err(silence) => Err(silence.told(&url)),
        }
    }

    /// Whether a request that broke off on a connection that had rested may be sent on another one (RFC 9110, section 9.2.2).
    fn may_repeat(&self, link: &Link) -> bool {
        let is_idempotent = self.method.is_idempotent();
        link.is_used() && !link.has_received() && is_idempotent && self.content.can_repeat()
    }

    async fn connect(&self, worker: &Rc<Worker>) -> Result<Link, Failure> {
        let (url, origin) = (self.target.url(), &self.target.origin);
        let connecting = async {
            let socket = match address::connect(origin, self.terms.public_only).await {
                Ok(socket) => socket,
                Err(Unreached::Io(error)) => return Err(broken(&url, "cannot be reached", &error)),
                Err(refused) => {
                    return Err(Failure::of_kind("invalid", format!("{url} cannot be fetched: {refused}")));
                }
            };
            let wire = if origin.is_tls {
                let secured = async {
                    let config = worker.client.trusted().await?;
                    tls::connect(config, origin, socket).await
                };
                Wire::Tls(Box::new(secured.await.map_err(|e| broken(&url, "cannot be trusted", &e))?))
            } else {
                Wire::Plain(socket)
            };
            Link::new(wire).await.map_err(|error| broken(&url, "cannot be asked", &error))
        };
        match timeout(self.terms.connect, connecting).await {
            Ok(result) => result,
            Err(_) => Err(late(&url, "could not be connected to")),
        }
    }

    /// Sends the request and waits for the head of its answer.
    async fn exchange(&self, link: &mut Link) -> Result<Response<Incoming>, Silence> {
        let mut asking = pin!(link.send(self.request()));
        let mut patience = Patience::new(&self.content, self.terms);
        poll_fn(|cx| {
            // The connection first: it is what makes the answer ready.
            link.poll(cx);
            match asking.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(result.map_err(Silence::Broken)),
                Poll::Pending => patience.poll(cx).map(|()| Err(Silence::Late)),
            }
        })
        .await
    }

    fn request(&self) -> Request<super::sent::Sent> {
        let mut request = Request::new(self.content.to_send());
        *request.method_mut() = self.method.clone();
        // A path of a URI that was parsed is one.
        *request.uri_mut() = self.target.path().parse().unwrap_or_default();
        let fields = request.headers_mut();
        *fields = self.fields.clone();
        if !fields.contains_key(header::HOST)
            && let Ok(host) = HeaderValue::from_str(self.target.authority())
        {
            fields.insert(header::HOST, host);
        }
        request
    }
}

impl Silence {
    fn told(self, url: &str) -> Failure {
        match self {
            Self::Late => late(url, "did not answer"),
            Self::Broken(error) => broken(url, "did not answer", &error),
        }
    }
}

/// An upstream that answered what cannot be taken.
fn upstream(url: &str, what: String) -> Failure {
    Failure::of_kind("upstream", format!("upstream {url} {what}"))
}

/// The method that is written so in whatever case; others are taken as they are, for methods have a case.
fn known(method: &str) -> Option<Method> {
    use http::Method as M;
    let all = [M::GET, M::HEAD, M::POST, M::PUT, M::PATCH, M::DELETE, M::OPTIONS];
    all.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(method))
}

/// Fields that frame a message or belong to the connection: how a body is framed is not the program's to say.
fn is_own(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "content-length"
            | "transfer-encoding"
            | "connection"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "upgrade"
            | "expect"
    )
}

/// The deadline of an answer's head. It begins anew with each piece that is sent and stands still while the program's stream
/// is waited for, which is not the upstream's fault.
struct Patience {
    time: Option<Duration>,
    slot: Option<Arc<Slot>>,
    deadline: Pin<Box<tokio::time::Sleep>>,
}

impl Patience {
    fn new(content: &Content, terms: Terms) -> Self {
        let slot = match content {
            Content::Pieces(slot) => Some(Arc::clone(slot)),
            Content::Whole(_) => None,
        };
        let time = terms.timeout.is_none().then_some(terms.first_byte);
        Self { time, slot, deadline: Box::pin(sleep(terms.first_byte)) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(time) = self.time else { return Poll::Pending };
        if let Some(slot) = &self.slot {
            if slot.take_progress() {
                self.deadline.as_mut().reset(Instant::now() + time);
            }
            if slot.is_wanted() {
                return Poll::Pending;
            }
        }
        self.deadline.as_mut().poll(cx)
    }
}
