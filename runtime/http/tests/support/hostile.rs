//! A client that sends anything, in any pieces, and looks closely at what it gets. Used by the properties in
//! `tests/hostile.rs` and by the fuzz target `connection`.
//!
//! In: bytes and where they are split. Out: the answers, taken apart by a strict reader of its own; it panics when they are not
//! what any client could read: a head without its end, a length that is wrong, an answer behind the last one, or more answers
//! than requests. Time is virtual: a connection that does not come to its end is found without waiting.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::task::{spawn_local, yield_now};
use tokio::time::timeout;

use weir_http::{
    Access, Failure, ItemSink, Limits, LocalServer, Outcome, Peer, Pull, PullBody, Request, RequestBody,
    Response, Service,
};

/// One answer as the client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body without framing.
    pub body: Vec<u8>,
    /// The body came to its end.
    pub is_whole: bool,
    /// The request was refused as none.
    pub is_refusal: bool,
}

/// How the client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Not before the server closes, or for [`PATIENCE`] said nothing.
    Waits,
    /// With a FIN behind its last byte.
    Fin,
    /// At once, without reading what is still to come.
    Drops,
}

/// Longer than every timeout of the limits.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the engine reported of an exchange.
struct Reported {
    /// `None` for a request that was refused as none.
    method: Option<String>,
    status: Option<u16>,
    is_refused: bool,
    /// All of the answer was sent.
    is_answered: bool,
}

/// Sends `input` in pieces of these lengths (again and again), leaves, and gives the answers that came.
pub fn converse(input: &[u8], pieces: &[usize], leave: Leave) -> Vec<Answer> {
    let runtime =
        Builder::new_current_thread().enable_all().start_paused(true).build_local(Default::default());
    runtime.expect("a runtime").block_on(async {
        let reports = Rc::new(RefCell::new(Vec::new()));
        let server = LocalServer::new(Reporting { reports: Rc::clone(&reports) }, limits());
        let (client, theirs) = UnixStream::pair().expect("descriptors");
        let socket = theirs.into_std().expect("a socket");
        let connection = spawn_local(server.serve(socket, Peer::Unix).expect("a free slot"));
        let received = send(client, input, pieces, leave).await;
        // Every timeout of the limits, several times over.
        let ended = timeout(Duration::from_secs(3600), connection).await;
        ended.expect("the connection comes to its end").expect("the engine does not panic");
        assert_eq!(server.counters().open_connections(), 0, "its slot is free again");
        let reports = reports.borrow();
        match leave {
            Leave::Drops => Vec::new(),
            Leave::Waits | Leave::Fin => answers(&received, &reports),
        }
    })
}

/// Small ones, so that any input reaches them.
fn limits() -> Limits {
    Limits { max_head: 512, max_fields: 8, max_target: 48, max_body: 64, ..Limits::default() }
}

async fn send(mut client: UnixStream, input: &[u8], pieces: &[usize], leave: Leave) -> Vec<u8> {
    let mut received = Vec::new();
    let mut lengths = pieces.iter().copied().filter(|length| *length > 0).cycle();
    let mut rest = input;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(lengths.next().unwrap_or(rest.len()).min(rest.len()));
        rest = behind;
        // The server may have closed already; what it said before can still be read.
        let is_taken = client.write_all(piece).await.is_ok();
        for _ in 0..4 {
            yield_now().await;
        }
        while client.try_read_buf(&mut received).is_ok_and(|count| count > 0) {}
        if !is_taken {
            break;
        }
    }
    match leave {
        Leave::Waits => {}
        Leave::Fin => drop(client.shutdown().await),
        Leave::Drops => return received,
    }
    // A reset may be the end, too: of an answer that was cut. An answer that is made of a body which does not come has none.
    while let Ok(Ok(1..)) = timeout(PATIENCE, client.read_buf(&mut received)).await {}
    received
}

/// The service: what it does is told by the first letter of the path.
struct Reporting {
    reports: Rc<RefCell<Vec<Reported>>>,
}

impl Service for Reporting {
    type Future = std::pin::Pin<Box<dyn Future<Output = Response>>>;

    fn call(&self, request: Request) -> Self::Future {
        Box::pin(answer(request))
    }

    fn finished(&self, access: &Access<'_>) {
        self.reports.borrow_mut().push(Reported {
            method: access.head.map(|head| head.method().to_owned()),
            status: access.status,
            is_refused: matches!(access.outcome, Outcome::Refused(_)),
            is_answered: matches!(access.outcome, Outcome::Refused(_) | Outcome::Answered),
        });
    }
}

async fn answer(request: Request) -> Response {
    let Request { head, mut body, .. } = request;
    match head.path().as_bytes().get(1) {
        // The whole body.
        Some(b'a'..=b'f') => match body.collect().await {
            Ok(bytes) => Response::new(200, bytes),
            Err(error) => Response::new(error.status(), "unreadable\n"),
        },
        // The body byte by byte, while it comes.
        Some(b'g'..=b'l') => {
            body.set_limit(None);
            body.keep_reading();
            Response::stream(200, Echo { body, piece: Bytes::new() })
        }
        // The first piece of it.
        Some(b'm'..=b'p') => {
            body.set_limit(None);
            match body.data().await {
                Some(Err(error)) => Response::new(error.status(), "unreadable\n"),
                _ => Response::new(201, "some\n"),
            }
        }
        // A stream that breaks behind its first item.
        Some(b'q' | b'r') => Response::stream(200, Breaks(false)),
        Some(b's') => Response::new(204, ""),
        Some(b't') => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Response::new(200, "late\n")
        }
        _ => Response::new(200, "ignored\n"),
    }
}

struct Echo {
    body: RequestBody,
    piece: Bytes,
}

impl PullBody for Echo {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        if self.piece.is_empty() {
            self.piece = match ready!(self.body.poll_data(cx)) {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => {
                    return Poll::Ready(Pull::Failed(Failure::new(error.to_string(), error.status())));
                }
                None => return Poll::Ready(Pull::End),
            };
        }
        out.item(&[&self.piece.split_to(1)]);
        Poll::Ready(Pull::Item)
    }
}

struct Breaks(bool);

impl PullBody for Breaks {
    fn poll_item(&mut self, _: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        if self.0 {
            return Poll::Ready(Pull::Failed(Failure::new("broke", 502)));
        }
        self.0 = true;
        out.item(&[b"item\n"]);
        Poll::Ready(Pull::Item)
    }
}

/// Takes what came apart and compares it with what the engine reported.
fn answers(received: &[u8], reports: &[Reported]) -> Vec<Answer> {
    let refused = reports.iter().position(|report| report.is_refused);
    assert!(refused.is_none_or(|at| at + 1 == reports.len()), "a refusal is the last exchange");
    let mut answered = reports.iter().filter(|report| report.status.is_some());
    let (mut found, mut rest, mut is_over) = (Vec::new(), received, false);
    while !rest.is_empty() {
        assert!(!is_over, "nothing follows the last answer: {:?}", String::from_utf8_lossy(rest));
        let (mut head, mut behind) = head(rest);
        if head.status == 100 {
            assert!(!behind.is_empty() || answered.clone().next().is_none(), "an answer follows 100");
            if behind.is_empty() {
                break;
            }
            (head, behind) = self::head(behind);
            assert!(head.status >= 200, "one 100 at most");
        }
        let report = answered.next().expect("every answer has its exchange");
        assert_eq!(report.status, Some(head.status));
        let has_body = report.method.as_deref() != Some("HEAD") && !matches!(head.status, 204 | 304);
        let (body, behind, is_whole) =
            if has_body { body(&head, behind) } else { (Vec::new(), behind, true) };
        // Whoever reads a body up to the close takes it for whole unless the close is a reset, which Unix sockets do not have.
        let is_open_ended = has_body && head.length.is_none() && !head.is_chunked;
        assert!(is_whole || !report.is_answered, "what is reported as whole arrived whole");
        let is_whole = is_whole && (report.is_answered || !is_open_ended);
        found.push(Answer { status: head.status, body, is_whole, is_refusal: report.is_refused });
        is_over = head.closes || !is_whole;
        rest = behind;
    }
    assert!(answered.all(|report| !report.is_answered), "what is reported as answered arrived");
    found
}

/// A response's head.
struct Head {
    status: u16,
    length: Option<usize>,
    is_chunked: bool,
    closes: bool,
}

fn head(bytes: &[u8]) -> (Head, &[u8]) {
    let end = find(bytes, b"\r\n\r\n").expect("a head has an end");
    let text = std::str::from_utf8(&bytes[..end]).expect("heads are ASCII");
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let status = status.unwrap_or_else(|| panic!("a status line: {text:?}"));
    let mut head = Head { status, length: None, is_chunked: false, closes: false };
    let mut has_date = false;
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("a field: {line:?}"));
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{line:?}");
        match name {
            "Content-Length" => {
                assert!(head.length.replace(value.parse().expect("a number")).is_none(), "one length");
            }
            "Transfer-Encoding" => {
                assert!(value == "chunked" && !head.is_chunked);
                head.is_chunked = true;
            }
            "Connection" => head.closes = value == "close",
            "Date" => has_date = true,
            _ => {}
        }
    }
    assert!(!(head.is_chunked && head.length.is_some()), "one framing");
    assert_eq!(has_date, status >= 200, "final answers have a date");
    (head, &bytes[end + 4..])
}

/// The body behind a head: its bytes, what follows it, and whether it is whole.
fn body<'a>(head: &Head, bytes: &'a [u8]) -> (Vec<u8>, &'a [u8], bool) {
    if let Some(length) = head.length {
        let (body, behind) = bytes.split_at_checked(length).expect("a sized body is whole");
        return (body.to_vec(), behind, true);
    }
    if !head.is_chunked {
        assert!(head.closes, "a body without a length ends with its connection");
        return (bytes.to_vec(), &[], true);
    }
    let (mut body, mut rest) = (Vec::new(), bytes);
    loop {
        let Some(end) = find(rest, b"\r\n") else { return (body, &[], false) };
        let digits = std::str::from_utf8(&rest[..end]).expect("a size is ASCII");
        let size = usize::from_str_radix(digits, 16).expect("a size is hexadecimal");
        rest = &rest[end + 2..];
        let Some((data, behind)) = rest.split_at_checked(size) else { return (body, &[], false) };
        let Some((line_end, behind)) = behind.split_at_checked(2) else { return (body, &[], false) };
        assert_eq!(line_end, b"\r\n", "behind a chunk");
        if size == 0 {
            return (body, behind, true);
        }
        body.extend_from_slice(data);
        rest = behind;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// What holds for any input, however it is split and whenever the client leaves. Where the client waits for no 100, the answers are
/// the same, too: a server that has not seen a body yet cannot know that it comes without being asked for.
pub fn check(input: &[u8], pieces: &[usize]) {
    let whole = converse(input, &[], Leave::Waits);
    let split = converse(input, pieces, Leave::Waits);
    let expects = input.windows(6).any(|window| window.eq_ignore_ascii_case(b"expect"));
    if !expects {
        assert_eq!(judged(whole), judged(split), "in pieces of {pieces:?}");
    }
    converse(input, pieces, Leave::Fin);
    converse(input, pieces, Leave::Drops);
}

/// What a refusal says may depend on how much of the head was there: one that is never completed comes too late.
fn judged(mut answers: Vec<Answer>) -> Vec<Answer> {
    for answer in answers.iter_mut().filter(|answer| answer.is_refusal) {
        (answer.status, answer.body) = (0, Vec::new());
    }
    answers
}
