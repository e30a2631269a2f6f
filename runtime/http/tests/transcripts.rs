//! Replays the HTTP transcripts of `tests/http`; their format and the application they talk to are described in
//! the README there.
//!
//! Server and client share one thread and a virtual clock, so a replay is deterministic: what "the server has
//! read the first part" means does not depend on timing.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::task::{spawn_local, yield_now};
use tokio::time::{sleep, timeout};

use weir_http::{
    Body, Failure, ItemSink, Limits, LocalServer, Peer, Pull, PullBody, Request, RequestBody, Response,
};

// ---- the application

/// A body made of a closure.
struct Items<F>(F);

impl<F: FnMut(&mut Context<'_>, &mut ItemSink<'_>) -> Poll<Pull>> PullBody for Items<F> {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        (self.0)(cx, out)
    }
}

fn stream(items: impl FnMut(&mut Context<'_>, &mut ItemSink<'_>) -> Poll<Pull> + 'static) -> Response {
    Response::stream(200, Items(items))
}

fn list(items: Vec<String>) -> Response {
    let mut items = items.into_iter();
    stream(move |_, out| match items.next() {
        Some(item) => {
            out.item(&[item.as_bytes()]);
            Poll::Ready(Pull::Item)
        }
        None => Poll::Ready(Pull::End),
    })
}

/// A body of `there` bytes, two an item, that is said to have `told`.
fn sized(told: u64, there: usize) -> Response {
    let mut left = there;
    let items = Items(move |_: &mut Context<'_>, out: &mut ItemSink<'_>| {
        let item = left.min(2);
        left -= item;
        out.item(&[&b"xx"[..item]]);
        Poll::Ready(if item == 0 { Pull::End } else { Pull::Item })
    });
    Response::new(200, Body::Sized(told, Box::new(items)))
}

fn upper(mut body: RequestBody) -> Response {
    let mut line = Vec::new();
    let mut rest = Bytes::new();
    stream(move |cx, out| {
        loop {
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                line.extend(rest.split_to(end + 1).to_ascii_uppercase());
                out.item(&[&std::mem::take(&mut line)]);
                return Poll::Ready(Pull::Item);
            }
            line.extend(std::mem::take(&mut rest).to_ascii_uppercase());
            rest = match std::task::ready!(body.poll_data(cx)) {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => {
                    return Poll::Ready(Pull::Failed(Failure::new(error.to_string(), error.status())));
                }
                None => return Poll::Ready(Pull::End),
            };
        }
    })
}

fn slow() -> Response {
    let mut clock = Box::pin(sleep(Duration::from_secs(60)));
    let mut told = false;
    stream(move |cx, out| {
        if told {
            return Poll::Ready(Pull::End);
        }
        std::task::ready!(clock.as_mut().poll(cx));
        told = true;
        out.item(&[b"late"]);
        Poll::Ready(Pull::Item)
    })
}

async fn collected(mut body: RequestBody) -> Response {
    match body.collect().await {
        Ok(bytes) => Response::new(200, bytes),
        Err(error) => Response::new(error.status(), "unreadable\n"),
    }
}

async fn answer(request: Request) -> Response {
    let Request { head, mut body, .. } = request;
    let path = head.path().to_owned();
    match path.as_str() {
        "/" => Response::new(200, "Hello, World!").with_header("Content-Type", "text/plain").expect("valid"),
        "/target" => {
            let (query, authority) = (head.query().unwrap_or(""), head.authority().unwrap_or(""));
            Response::new(200, format!("{}\n{path}\n{query}\n{authority}", head.method()))
        }
        "/echo" => collected(body).await,
        "/small" => {
            body.set_limit(Some(5));
            collected(body).await
        }
        "/ignore" => Response::new(200, "ignored"),
        "/upper" => upper(body),
        "/fields" => {
            let mut response = Response::new(200, "ok");
            for (name, value) in [
                ("Content-Length", "5"),
                ("Set-Cookie", "a=1"),
                ("Transfer-Encoding", "chunked"),
                ("Date", "now"),
                ("Connection", "keep-alive"),
                ("Set-Cookie", "b=2"),
            ] {
                response.push_header(name, value.as_bytes()).expect("valid");
            }
            response
        }
        "/close" => Response::new(200, "last\n").with_header("Connection", "close").expect("valid"),
        "/gaps" => list(vec!["a".into(), String::new(), "b".into()]),
        "/slow" => slow(),
        "/cut" => {
            let first = Cell::new(true);
            stream(move |_, out| {
                if !first.replace(false) {
                    return Poll::Ready(Pull::Failed(Failure::new("the source broke", 502)));
                }
                out.item(&[b"first"]);
                Poll::Ready(Pull::Item)
            })
        }
        "/wait" => {
            sleep(Duration::from_secs(60)).await;
            Response::new(200, "waited")
        }
        "/panic" => panic!("on purpose"),
        "/panic-stream" => stream(|_, _| panic!("on purpose")),
        _ => answer_number(&path),
    }
}

fn answer_number(path: &str) -> Response {
    let after = |prefix| path.strip_prefix(prefix).map(|n: &str| n.parse::<u16>().expect("a number"));
    if let Some(status) = after("/status/") {
        Response::new(status, "body")
    } else if let Some(count) = after("/lines/") {
        list((0..count).map(|n| format!("line {n}\n")).collect())
    } else if let Some((told, there)) = path.strip_prefix("/sized/").and_then(|rest| rest.split_once('/')) {
        sized(told.parse().expect("a number"), there.parse().expect("a number"))
    } else if let Some(status) = after("/early/") {
        stream(move |_, _| Poll::Ready(Pull::Failed(Failure::new("no source", status))))
    } else {
        Response::new(404, Body::Empty)
    }
}

// ---- the transcripts

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    /// `rest` stands for anything up to the end of the line.
    Expect {
        bytes: Vec<u8>,
        rest: bool,
        optional: bool,
    },
    Pass(Duration),
    SendFin,
    ExpectEnd,
}

struct Transcript {
    steps: Vec<Step>,
    limits: Limits,
    pipeline: bool,
    split: bool,
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next().expect("an escape") {
            'r' => out.push(b'\r'),
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            '0' => out.push(0),
            '\\' => out.push(b'\\'),
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                out.push(u8::from_str_radix(&digits, 16).expect("two hex digits"));
            }
            '(' => {
                let inside: String = chars.by_ref().take_while(|char| *char != ')').collect();
                let (piece, count) = inside.split_once('*').expect("\\(text*count)");
                out.extend(piece.as_bytes().repeat(count.parse().expect("a count")));
            }
            other => panic!("unknown escape \\{other}"),
        }
    }
    out
}

fn duration(text: &str) -> Duration {
    match text.strip_suffix("ms") {
        Some(ms) => Duration::from_millis(ms.parse().expect("milliseconds")),
        None => Duration::from_secs(text.strip_suffix('s').expect("a unit").parse().expect("seconds")),
    }
}

fn line(text: &str, end: &[u8]) -> Vec<u8> {
    [&unescape(text), end].concat()
}

impl Transcript {
    fn parse(text: &str) -> Transcript {
        let mut this =
            Transcript { steps: Vec::new(), limits: Limits::default(), pipeline: false, split: true };
        for text in text.lines() {
            // An editor may have removed the blank of an empty line.
            let (mark, rest) = text.split_once(' ').unwrap_or((text, ""));
            match mark {
                "" | "#" => {}
                "!" => this.set(rest),
                ">" => this.send(line(rest, b"\r\n")),
                ">-" => this.send(unescape(rest)),
                "<" | "<?" => {
                    let optional = mark == "<?";
                    this.steps.push(match rest.strip_suffix('*') {
                        Some(start) => Step::Expect { bytes: unescape(start), rest: true, optional },
                        None => Step::Expect { bytes: line(rest, b"\r\n"), rest: false, optional },
                    });
                }
                "<-" => this.steps.push(Step::Expect { bytes: unescape(rest), rest: false, optional: false }),
                "~" => this.steps.push(Step::Pass(duration(rest))),
                ">close" => this.steps.push(Step::SendFin),
                "<close" => this.steps.push(Step::ExpectEnd),
                _ => panic!("a line that starts with {mark:?}"),
            }
        }
        this
    }

    fn set(&mut self, setting: &str) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        match name {
            "pipeline" => self.pipeline = true,
            "nosplit" => self.split = false,
            "half_close" => self.limits.half_close = true,
            "max_target" => self.limits.max_target = value.parse().expect("a size"),
            "max_head" => self.limits.max_head = value.parse().expect("a size"),
            "max_fields" => self.limits.max_fields = value.parse().expect("a count"),
            "header_timeout" => self.limits.header_timeout = duration(value),
            _ => panic!("unknown setting {name}"),
        }
    }

    fn send(&mut self, bytes: Vec<u8>) {
        match self.steps.last_mut() {
            Some(Step::Send(before)) => before.extend(bytes),
            _ => self.steps.push(Step::Send(bytes)),
        }
    }

    /// Everything sent at once, everything expected after it.
    fn pipelined(&self) -> Vec<Step> {
        let sent = self.steps.iter().filter_map(|step| match step {
            Step::Send(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        let mut steps = vec![Step::Send(sent.collect::<Vec<_>>().concat())];
        steps.extend(self.steps.iter().filter(|step| !matches!(step, Step::Send(_))).cloned());
        steps
    }

    /// Every way to split one of the sends in two.
    fn splits(&self) -> impl Iterator<Item = Vec<Step>> {
        self.steps.iter().enumerate().flat_map(move |(index, step)| {
            let length = if let Step::Send(bytes) = step { bytes.len() } else { 0 };
            (1..length).map(move |at| {
                let Step::Send(bytes) = &self.steps[index] else { unreachable!("its length is above 0") };
                let mut steps = self.steps.clone();
                steps[index] = Step::Send(bytes[at..].to_vec());
                steps.insert(index, Step::Send(bytes[..at].to_vec()));
                steps
            })
        })
    }

    fn bytewise(&self) -> Vec<Step> {
        let each = |step: &Step| match step {
            Step::Send(bytes) => bytes.iter().map(|byte| Step::Send(vec![*byte])).collect(),
            other => vec![other.clone()],
        };
        self.steps.iter().flat_map(each).collect()
    }
}

// ---- the client

struct Client {
    socket: UnixStream,
    received: Vec<u8>,
}

/// Longer than any timeout of the engine, on the virtual clock.
const NEVER: Duration = Duration::from_secs(3600);

impl Client {
    /// Gives the server its turns until it has read everything.
    async fn settle() {
        for _ in 0..6 {
            yield_now().await;
        }
    }

    /// Reads more; false at the end.
    async fn more(&mut self) -> bool {
        let read = timeout(NEVER, self.socket.read_buf(&mut self.received)).await;
        // A reset ends the connection, too.
        read.expect("the server neither answers nor closes").unwrap_or(0) > 0
    }

    async fn expect(&mut self, bytes: &[u8], rest: bool, optional: bool) -> Result<(), String> {
        loop {
            let common = self.received.len().min(bytes.len());
            if self.received[..common] != bytes[..common] {
                return if optional { Ok(()) } else { Err(self.mismatch(bytes)) };
            }
            if self.received.len() >= bytes.len() {
                break;
            }
            if !self.more().await {
                return Err(self.mismatch(bytes));
            }
        }
        self.received.drain(..bytes.len());
        if !rest {
            return Ok(());
        }
        loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\r\n") {
                self.received.drain(..end + 2);
                return Ok(());
            }
            if !self.more().await {
                return Err(self.mismatch(b"the end of a line"));
            }
        }
    }

    fn mismatch(&self, expected: &[u8]) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        format!("expected {:?}, got {:?}", text(expected), text(&self.received))
    }

    async fn run(&mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            match step {
                Step::Send(bytes) => {
                    // The server may have refused and closed before it got all of it.
                    let _ = self.socket.write_all(bytes).await;
                    Client::settle().await;
                }
                Step::Expect { bytes, rest, optional } => self.expect(bytes, *rest, *optional).await?,
                Step::Pass(time) => sleep(*time).await,
                Step::SendFin => {
                    self.socket.shutdown().await.map_err(|error| error.to_string())?;
                    Client::settle().await;
                }
                Step::ExpectEnd => {
                    while self.more().await {}
                    return if self.received.is_empty() { Ok(()) } else { Err(self.mismatch(b"the end")) };
                }
            }
        }
        self.probe().await
    }

    /// One more request must work.
    async fn probe(&mut self) -> Result<(), String> {
        let request = b"GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
        self.socket.write_all(request).await.map_err(|error| error.to_string())?;
        while self.more().await {}
        if self.received.starts_with(b"HTTP/1.1 200 OK\r\n")
            && self.received.ends_with(b"\r\n\r\nHello, World!")
        {
            Ok(())
        } else {
            Err(self.mismatch(b"an answer to a further request"))
        }
    }
}

async fn replay<S: weir_http::Service>(server: &LocalServer<S>, steps: &[Step]) -> Result<(), String> {
    let (ours, theirs) = UnixStream::pair().expect("descriptors");
    let theirs = theirs.into_std().expect("a socket");
    spawn_local(server.serve(theirs, Peer::Unix).expect("a free slot"));
    let result = Client { socket: ours, received: Vec::new() }.run(steps).await;
    server.emptied().await;
    result
}

async fn check(name: &str, transcript: &Transcript) -> Result<(), String> {
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    let service = move |request| {
        counted.set(counted.get() + 1);
        answer(request)
    };
    let server = LocalServer::new(service, transcript.limits.clone());
    let told = |how: &str, result: Result<(), String>| result.map_err(|why| format!("{name}, {how}: {why}"));
    told("as written", replay(&server, &transcript.steps).await)?;
    if transcript.split {
        told("byte by byte", replay(&server, &transcript.bytewise()).await)?;
        for steps in transcript.splits() {
            let result = replay(&server, &steps).await;
            told(&format!("split as {steps:?}"), result)?;
        }
    }
    if transcript.pipeline {
        told("pipelined", replay(&server, &transcript.pipelined()).await)?;
    }
    assert_eq!(server.counters().open_connections(), 0);
    assert_eq!(server.counters().requests(), calls.get(), "{name}");
    Ok(())
}

fn transcripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/http");
    let files = std::fs::read_dir(folder).expect("the folder of transcripts");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "http"));
    paths.sort();
    paths
}

#[test]
fn every_transcript() {
    // The handlers that panic on purpose would fill the output with backtraces.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some("on purpose") {
            hook(info);
        }
    }));
    let paths = transcripts();
    assert!(paths.len() > 50, "the transcripts are missing");
    let mut failures = Vec::new();
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let transcript = Transcript::parse(&std::fs::read_to_string(&path).expect("UTF-8"));
        // A runtime each: its virtual clock starts anew.
        let mut builder = Builder::new_current_thread();
        let runtime =
            builder.enable_all().start_paused(true).build_local(Default::default()).expect("a runtime");
        failures.extend(runtime.block_on(check(&name, &transcript)).err());
    }
    assert!(failures.is_empty(), "{} transcripts failed:\n{}", failures.len(), failures.join("\n"));
}

/// The table names every transcript, and only what exists: transcripts, and tests of this crate.
#[test]
fn the_table_and_the_transcripts_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("../../tests/http/RFC9112.md")).expect("the table");
    let words: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    let mut names = Vec::new();
    for path in transcripts() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(words.contains(&name.as_str()), "the table lacks `{name}`");
        names.push(name);
    }
    let code = sources(&root.join("src")) + &sources(&root.join("tests"));
    // The last cell of each row holds names only.
    for row in table.lines().filter(|row| row.starts_with("| ") && !row.contains("! pipeline")) {
        let cell = row.trim_end_matches('|').rsplit('|').next().expect("a cell");
        for word in cell.split('`').skip(1).step_by(2).filter(|word| !word.ends_with('-')) {
            let known = names.iter().any(|name| name == word) || code.contains(&format!("fn {word}("));
            assert!(known, "the table names `{word}`, which does not exist");
        }
    }
}

/// All Rust code below a folder.
fn sources(folder: &Path) -> String {
    let mut code = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            code += &sources(&path);
        } else {
            code += &std::fs::read_to_string(&path).expect("UTF-8");
        }
    }
    code
}

/// Nothing of a connection survives its future.
#[test]
fn a_dropped_server_frees_its_service() {
    let runtime =
        Builder::new_current_thread().enable_all().build_local(Default::default()).expect("a runtime");
    let held = Rc::new(());
    let probe = Rc::downgrade(&held);
    runtime.block_on(async {
        let service = move |_| {
            let _held = &held;
            std::future::ready(Response::new(200, Body::Empty))
        };
        let server = LocalServer::new(service, Limits::default());
        let (_ours, theirs) = UnixStream::pair().expect("descriptors");
        let theirs = theirs.into_std().expect("a socket");
        let mut connection = Box::pin(server.serve(theirs, Peer::Unix).expect("a free slot"));
        poll_fn(|cx| Poll::Ready(Pin::as_mut(&mut connection).poll(cx).is_pending())).await;
    });
    assert!(probe.upgrade().is_none());
}
