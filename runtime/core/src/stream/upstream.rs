//! The lines of an upstream's answer.
//!
//! Started at the first pull. The connection is polled together with the answer, on the reader's task: dropping the stream
//! closes the socket at once.
//! Invariants: a body that breaks off is a failure, never an end; at most one piece of it is held.
//! Not here: TLS, redirections, a pool of connections.

use super::line_texts::LineTexts;
use super::lines::Lines;
use crate::counters::Counters;
use crate::failure::{BAD_GATEWAY, Failure, GATEWAY_TIMEOUT};
use crate::heap::Word;
use crate::scope::{Scope, Source};
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::Empty;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the head of the answer may take.
const FIRST_BYTE: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("weir/", env!("CARGO_PKG_VERSION"));

/// The lines that a GET answers with.
pub struct Upstream {
    state: State,
    lines: Lines,
    texts: LineTexts,
    limit: usize,
}

/// Names and values of header fields.
type Fields = Vec<(String, String)>;

type Opening = Pin<Box<dyn Future<Output = Result<Answer, Failure>>>>;

enum State {
    /// Nothing was asked for.
    Idle(String, Fields),
    Opening(Opening),
    Reading(Answer),
    /// The body was read to its end.
    Ended,
}

/// An answer with the connection that it comes over.
struct Answer {
    url: String,
    body: Incoming,
    connection: Pin<Box<Connection<TokioIo<TcpStream>, Empty<Bytes>>>>,
    /// Whether the connection came to its end.
    is_closed: bool,
    /// Keeps hyper from closing the connection while the body comes.
    _sender: SendRequest<Empty<Bytes>>,
    _counted: Counted,
}

struct Counted(&'static Counters);

impl Counted {
    fn new(counters: &'static Counters) -> Self {
        counters.upstreams.add(1);
        Self(counters)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.upstreams.add(-1);
    }
}

impl Upstream {
    /// The lines, of at most `limit` bytes, that `url` answers with when it is asked with these header fields.
    pub fn new(url: &str, fields: Fields, limit: usize) -> Self {
        Self {
            state: State::Idle(url.to_owned(), fields),
            lines: Lines::default(),
            texts: LineTexts::default(),
            limit,
        }
    }

    /// Moves on to another piece, or the end.
    fn poll_piece(&mut self, scope: &Scope, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        loop {
            match &mut self.state {
                State::Idle(url, fields) => {
                    let counted = Counted::new(scope.worker().counters);
                    let (url, fields) = (std::mem::take(url), std::mem::take(fields));
                    self.state = State::Opening(Box::pin(open(url, fields, counted)));
                }
                State::Opening(opening) => {
                    let answer = ready!(opening.as_mut().poll(cx))?;
                    self.state = State::Reading(answer);
                }
                State::Reading(answer) => {
                    match ready!(answer.poll_piece(cx))? {
                        Some(piece) => self.lines.feed(piece),
                        None => {
                            self.lines.end();
                            self.state = State::Ended;
                        }
                    }
                    return Poll::Ready(Ok(()));
                }
                State::Ended => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Source for Upstream {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        loop {
            if let Some(line) = self.texts.next(scope, &mut self.lines, self.limit) {
                return Poll::Ready(Some(line));
            }
            if self.lines.has_ended() {
                return Poll::Ready(None);
            }
            if let Err(failure) = ready!(self.poll_piece(scope, cx)) {
                return Poll::Ready(Some(Err(failure)));
            }
        }
    }

    fn ready_next(&mut self, scope: &mut Scope) -> Option<Result<Word, Failure>> {
        self.texts.next(scope, &mut self.lines, self.limit)
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.texts.forget(scope);
    }
}

impl Answer {
    /// The next bytes of the body.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        let mut is_driven = self.is_closed;
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Ok(Some(data))),
                    // Trailers or an empty piece.
                    _ => is_driven = self.is_closed,
                },
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(broken(&self.url, "broke off", &error)));
                }
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending if is_driven => return Poll::Pending,
                // The body waits for what the connection reads. An error of the connection comes out of the body.
                Poll::Pending => {
                    self.is_closed = self.connection.as_mut().poll(cx).is_ready();
                    is_driven = true;
                }
            }
        }
    }
}

/// Connects, asks, and reads the head of the answer.
async fn open(url: String, fields: Fields, counted: Counted) -> Result<Answer, Failure> {
    let (uri, host, port) = target(&url)?;
    let asked = request(&uri, &fields)?;
    let connecting = timeout(CONNECT, TcpStream::connect((host.as_str(), port)));
    let socket = match connecting.await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return Err(broken(&url, "cannot be reached", &error)),
        Err(_) => {
            return Err(Failure::new(
                GATEWAY_TIMEOUT,
                format!("upstream {url} could not be connected to in time"),
            ));
        }
    };
    // Only requests of one write are sent: without it the answer to them may be late, but comes.
    let _ = socket.set_nodelay(true);
    let (mut sender, connection) = match http1::handshake(TokioIo::new(socket)).await {
        Ok(both) => both,
        Err(error) => return Err(broken(&url, "cannot be asked", &error)),
    };
    let mut connection = Box::pin(connection);
    let mut is_closed = false;
    let mut asking = std::pin::pin!(sender.send_request(asked));
    let answering = std::future::poll_fn(|cx| {
        // The connection first: it is what makes the answer ready.
        if !is_closed && connection.as_mut().poll(cx).is_ready() {
            is_closed = true;
        }
        asking.as_mut().poll(cx)
    });
    let response = match timeout(FIRST_BYTE, answering).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(broken(&url, "did not answer", &error)),
        Err(_) => {
            return Err(Failure::new(GATEWAY_TIMEOUT, format!("upstream {url} did not answer in time")));
        }
    };
    let status = response.status();
    if !status.is_success() {
        let mut message = format!("upstream {url} answered {status}");
        if let Some(location) = response.headers().get(header::LOCATION) {
            message.push_str(&format!(" to {}", String::from_utf8_lossy(location.as_bytes())));
        }
        return Err(Failure::new(BAD_GATEWAY, message));
    }
    let body = response.into_body();
    Ok(Answer { url, body, connection, is_closed, _sender: sender, _counted: counted })
}

/// The URL taken apart: itself, its host without brackets, its port.
fn target(url: &str) -> Result<(Uri, String, u16), Failure> {
    let refuse = |why: &str| Failure::new(BAD_GATEWAY, format!("{url} cannot be fetched: {why}"));
    let uri: Uri = url.parse().map_err(|_| refuse("it is not a URL"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(refuse("https upstreams are not supported yet")),
        _ => return Err(refuse("a URL begins with http://")),
    }
    let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
    if authority.as_str().contains('@') {
        return Err(refuse("a URL must not hold a user name or password"));
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(refuse("it names no host"));
    }
    let port = authority.port_u16().unwrap_or(80);
    Ok((uri, host, port))
}

fn request(uri: &Uri, fields: &Fields) -> Result<Request<Empty<Bytes>>, Failure> {
    let refuse = |why: String| Failure::of_kind("invalid", format!("{uri} cannot be fetched: {why}"));
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::get(path)
        .header(header::HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "*/*")
        .body(Empty::new())
        .map_err(|error| refuse(error.to_string()))?;
    for (name, value) in fields {
        let wrong = || refuse(format!("{name:?} is no header field with that value"));
        let of: header::HeaderName = name.parse().map_err(|_| wrong())?;
        // How the body is framed is not the program's to say; there is none.
        if matches!(of, header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::CONNECTION) {
            return Err(refuse(format!("the header field {of} is set by Weir")));
        }
        request.headers_mut().insert(of, value.parse().map_err(|_| wrong())?);
    }
    Ok(request)
}

fn broken(url: &str, what: &str, error: &dyn std::error::Error) -> Failure {
    let mut message = format!("upstream {url} {what}: {error}");
    if let Some(cause) = error.source() {
        message.push_str(&format!(": {cause}"));
    }
    Failure::new(BAD_GATEWAY, message)
}
