//! Streams of every kind, pulled as a body pulls them.

use super::*;
use crate::client::{Order, Terms};
use crate::heap::Word;
use crate::scope::{Scope, Source};
use crate::stream::stdin::Input;
use crate::testing::{self, make_closure, native};
use crate::value::{Arg, Ref};
use std::future::poll_fn;
use std::io::Read;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weir_abi::context::Ctx;
use weir_abi::layout::shape;

async fn pull(source: &mut dyn Source, scope: &mut Scope) -> Option<Result<Word, crate::Failure>> {
    poll_fn(|cx| source.poll_next(scope, cx)).await
}

async fn pull_text(source: &mut dyn Source, scope: &mut Scope) -> Option<Result<String, crate::Failure>> {
    let word = pull(source, scope).await?;
    Some(word.map(|word| testing::take_text(scope, word)))
}

async fn texts(source: &mut dyn Source, scope: &mut Scope) -> (Vec<String>, Option<crate::Failure>) {
    let mut out = Vec::new();
    loop {
        match pull_text(source, scope).await {
            Some(Ok(text)) => out.push(text),
            Some(Err(failure)) => return (out, Some(failure)),
            None => return (out, None),
        }
    }
}

async fn words(source: &mut dyn Source, scope: &mut Scope) -> Vec<Word> {
    let mut out = Vec::new();
    while let Some(word) = pull(source, scope).await {
        out.push(word.expect("no failure"));
    }
    out
}

fn poll_now(source: &mut dyn Source, scope: &mut Scope) -> Poll<Option<Result<Word, crate::Failure>>> {
    source.poll_next(scope, &mut Context::from_waker(Waker::noop()))
}

extern "C" fn plus_one(_: *mut Ctx, _: Word, item: Word) -> Word {
    item + 1
}

extern "C" fn is_even(ctx: *mut Ctx, _: Word, item: Word) -> Word {
    native(ctx, "sleep", &[1_000_000]);
    item.is_multiple_of(2) as Word
}

extern "C" fn upper(ctx: *mut Ctx, _: Word, item: Word) -> Word {
    let made = native(ctx, "text-upper", &[item]);
    // SAFETY: an owned object, of which one count is given up.
    unsafe {
        let count = (item as *mut u32).read() - 1;
        (item as *mut u32).write(count);
        if count == 0 {
            native(ctx, "free", &[item]);
        }
    }
    made
}

extern "C" fn traps(ctx: *mut Ctx, _: Word, item: Word) -> Word {
    native(ctx, "trap", &[2, item, 0])
}

#[tokio::test(start_paused = true)]
async fn stages_lie_upon_each_other() {
    let s = &mut testing::scope();
    let (f, keep) = (make_closure(s, plus_one), make_closure(s, is_even));
    let map = Map::new(Box::new(Ints::new(0, 1_000_000)), f, false);
    let filter = Filter::new(Box::new(map), Rule::Keep, keep, false);
    let mut take: Box<dyn Source> = Box::new(Take::new(Box::new(filter), 5, s));
    assert_eq!(take.depth(), 4);
    assert_eq!(words(&mut *take, s).await, [2, 4, 6, 8, 10]);
    s.free_all_late();
    assert_eq!(s.heap().live(), 0, "take closed its source with the last item");
    take.close(s);
}

#[tokio::test]
async fn elements_are_shared_with_the_list() {
    let s = &mut testing::scope();
    let list = s.text_list(["a", "b"].into_iter()).expect("room");
    let f = make_closure(s, upper);
    let mut source: Box<dyn Source> = Box::new(Elements::new(list));
    let first = pull_text(&mut *source, s).await.expect("an item").expect("no failure");
    assert_eq!(first, "a");
    source.close(s);
    let list = s.text_list(["x", "yz"].into_iter()).expect("room");
    let handle = s.stream(Box::new(Elements::new(list))).expect("room");
    let other = s.dup(handle.get());
    let source = s.take_stream(handle).expect("not read yet");
    assert!(s.take_stream(other).is_err(), "a stream is read once");
    let mut source: Box<dyn Source> = Box::new(Map::new(source, f, true));
    assert!(s.resources() == 0);
    assert_eq!(texts(&mut *source, s).await.0, ["X", "YZ"]);
    source.close(s);
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}

#[tokio::test]
async fn a_trap_in_a_closure_fails_the_stream() {
    let s = &mut testing::scope();
    let f = make_closure(s, traps);
    let mut map: Box<dyn Source> = Box::new(Map::new(Box::new(Ints::new(0, 9)), f, false));
    let failure = pull(&mut *map, s).await.expect("a failure").expect_err("a failure");
    assert_eq!((failure.status, failure.message.as_str()), (500, "division by zero"));
    map.close(s);
    s.free_all_late();
    assert_eq!(s.heap().live(), 0);
}

#[tokio::test]
async fn dropped_handles_close_their_streams() {
    let s = &mut testing::scope();
    for _ in 0..1000 {
        let list = s.list(shape::LIST_WORD, 3).expect("room");
        let stream = s.stream(Box::new(Elements::new(list))).expect("room");
        s.give_up(stream);
    }
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn ticks_keep_their_schedule_and_merge() {
    let s = &mut testing::scope();
    let start = tokio::time::Instant::now();
    let mut every = Every::new(Duration::from_secs(1));
    for (pause, at) in [(0, 1), (0, 2), (2500, 4500), (0, 5)] {
        tokio::time::advance(Duration::from_millis(pause)).await;
        pull(&mut every, s).await.expect("a tick").expect("no failure");
        let expected = if at > 100 { Duration::from_millis(at) } else { Duration::from_secs(at) };
        // tokio's timers are exact to the millisecond.
        let late = start.elapsed() - expected;
        assert!(late < Duration::from_millis(2), "{late:?} after {expected:?}");
    }
    let mut rare = Every::new(Duration::from_secs(u64::MAX / 1_000_000_000));
    assert!(poll_now(&mut rare, s).is_pending());
    assert_eq!(s.worker().counters.timers.get(), 2);
    drop((every, rare));
    assert_eq!(s.worker().counters.timers.get(), 0);
}

// ---- standard input

/// A reader whose reads the test answers one by one; it tells when it is asked.
struct Scripted {
    asked: tokio::sync::mpsc::UnboundedSender<()>,
    answers: mpsc::Receiver<Vec<u8>>,
}

impl Read for Scripted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let _ = self.asked.send(());
        // No more answers: the end.
        let answer = self.answers.recv().unwrap_or_default();
        buffer[..answer.len()].copy_from_slice(&answer);
        Ok(answer.len())
    }
}

fn scripted() -> (&'static Input, tokio::sync::mpsc::UnboundedReceiver<()>, mpsc::Sender<Vec<u8>>) {
    let (asked, was_asked) = tokio::sync::mpsc::unbounded_channel();
    let (answer, answers) = mpsc::channel();
    (Box::leak(Box::new(Input::new(Box::new(Scripted { asked, answers })))), was_asked, answer)
}

#[tokio::test]
async fn input_is_read_on_demand_and_left_to_the_next_reader() {
    let s = &mut testing::scope();
    let (input, mut was_asked, answer) = scripted();
    let mut first = Stdin::new(input, 100);
    let mut second = Stdin::new(input, 100);
    assert!(was_asked.try_recv().is_err());
    assert!(poll_now(&mut first, s).is_pending());
    was_asked.recv().await.expect("the thread reads");
    let failure = pull(&mut second, s).await.expect("a failure").expect_err("a failure");
    assert_eq!(failure.status, 503);
    answer.send(b"one\ntwo\nthr".to_vec()).expect("the thread listens");
    assert_eq!(pull_text(&mut first, s).await.expect("a line").expect("no failure"), "one");
    drop(first);
    assert!(was_asked.try_recv().is_err(), "nobody wants more yet");
    let mut third = Stdin::new(input, 100);
    assert_eq!(pull_text(&mut third, s).await.expect("a line").expect("no failure"), "two");
    answer.send(b"ee".to_vec()).expect("the thread listens");
    drop(answer);
    let (lines, failure) = texts(&mut third, s).await;
    assert_eq!((lines, failure.is_none()), (vec!["three".to_owned()], true));
    drop(third);
    assert!(pull(&mut Stdin::new(input, 100), s).await.is_none(), "the end stays");
}

#[tokio::test]
async fn long_lines_point_into_their_piece() {
    let s = &mut testing::scope();
    let (input, _was_asked, answer) = scripted();
    let (long, longer) = ("x".repeat(300), "é".repeat(400));
    answer.send(format!("{long}\n{longer}\nshort\n{long}").into_bytes()).expect("room");
    answer.send(b"y\n".to_vec()).expect("room");
    drop(answer);
    let mut source: Box<dyn Source> = Box::new(Stdin::new(input, 10_000));
    let held = pull(&mut *source, s).await.expect("a line").expect("no failure");
    // SAFETY: an owned Text.
    let text: crate::value::Text = unsafe { Arg::from_word(held) };
    assert_eq!((text.object().shape(), text.as_str()), (shape::TEXT_SLICE, long.as_str()));
    let (lines, _) = texts(&mut *source, s).await;
    assert_eq!(lines, [longer, "short".to_owned(), format!("{long}y")]);
    source.close(s);
    assert_eq!((text.as_str(), s.resources()), (long.as_str(), 1), "the buffer stays for the line");
    testing::take_text(s, held);
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
}

// ---- upstreams

/// A server that accepts one connection and hands it over with what it was sent up to the empty line.
async fn upstream() -> (String, tokio::task::JoinHandle<(TcpStream, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let accepting = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a head"));
        }
        (socket, String::from_utf8(head).expect("ASCII"))
    });
    (url, accepting)
}

/// The lines that a GET of `url` answers with.
fn lines_of(url: &str, fields: &[(&str, &str)]) -> LinesOf<UpstreamPieces> {
    let terms = Terms {
        connect: Duration::from_secs(10),
        first_byte: Duration::from_secs(30),
        timeout: None,
        redirects: 5,
        public_only: false,
    };
    let owned = |(name, value): &(&str, &str)| (String::from(*name), String::from(*value));
    let order = Order {
        url: url.to_owned(),
        method: "GET".to_owned(),
        fields: fields.iter().map(owned).collect(),
        media_type: String::new(),
        content: bytes::Bytes::new(),
        terms,
    };
    LinesOf::new(UpstreamPieces::of_order(order, None), 100)
}

/// What a stream gives of an upstream that answers with these bytes and closes.
async fn answered(bytes: &[u8]) -> (Vec<String>, Option<crate::Failure>) {
    let s = &mut testing::scope();
    let (url, accepting) = upstream().await;
    let answer = bytes.to_vec();
    let serving = tokio::spawn(async move {
        let (mut socket, _) = accepting.await.expect("a request");
        socket.write_all(&answer).await.expect("room");
    });
    let mut source = lines_of(&url, &[]);
    let result = texts(&mut source, s).await;
    serving.await.expect("served");
    drop(source);
    assert_eq!(s.worker().counters.upstreams.get(), 0);
    result
}

#[tokio::test]
async fn bodies_of_every_framing_are_lines() {
    let cases: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\na\r\nbc\n\nd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\r\r\n4\r\n\nbc\n\r\n2\r\n\nd\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\na\r\nbc\n\nd",
    ];
    for case in cases {
        let (lines, failure) = answered(case).await;
        assert_eq!(lines, ["a", "bc", "", "d"]);
        assert!(failure.is_none(), "{failure:?}");
    }
}

#[tokio::test]
async fn what_breaks_off_fails() {
    let cases: [(&[u8], &[&str], &str); 9] = [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na\nb\n", &["a", "b"], "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n4\r\nbc", &["a"], "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n", &["a"], "broke off"),
        (b"HTTP/1.1 200 O", &[], "did not answer"),
        (b"", &[], "did not answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            &[],
            "coded its answer with gzip",
        ),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\na\n", &[], "answered 404"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: ftp://there\r\nContent-Length: 0\r\n\r\n",
            &[],
            "redirects to ftp://there",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\n\xFF\n", &["a"], "byte 2 is not UTF-8"),
    ];
    for (bytes, expected, message) in cases {
        let (lines, failure) = answered(bytes).await;
        let failure = failure.expect("a failure");
        assert_eq!(lines, expected, "{message}");
        assert!(failure.status == 502 && failure.message.contains(message), "{failure}");
    }
}

#[tokio::test]
async fn lines_come_as_they_are_sent_and_dropping_closes() {
    let s = &mut testing::scope();
    let (url, accepting) = upstream().await;
    let mut source = lines_of(&format!("{url}/events?x=1#part"), &[]);
    let reading = tokio::spawn(async move {
        let (mut socket, head) = accepting.await.expect("a request");
        assert!(head.starts_with("GET /events?x=1 HTTP/1.1\r\n"), "{head}");
        let lower = head.to_lowercase();
        assert!(lower.contains("\r\nhost: 127.0.0.1:") && lower.contains("\r\nuser-agent: weir/"), "{head}");
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n")
            .await
            .expect("room");
        socket
    });
    assert_eq!(pull_text(&mut source, s).await.expect("a line").expect("no failure"), "first");
    let mut socket = reading.await.expect("served");
    assert!(poll_now(&mut source, s).is_pending());
    socket.write_all(b"7\r\nsecond\n\r\n").await.expect("room");
    assert_eq!(pull_text(&mut source, s).await.expect("a line").expect("no failure"), "second");
    drop(source);
    assert!(matches!(socket.read(&mut [0; 1]).await, Ok(0) | Err(_)), "the socket is closed");
}

#[tokio::test]
async fn what_cannot_be_fetched_fails() {
    let s = &mut testing::scope();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let refused = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let cases = [
        (refused.as_str(), 502, "cannot be reached"),
        ("ftp://localhost/", 400, "begins with http://"),
        ("/events", 400, "begins with http://"),
        ("http://user:secret@localhost/", 400, "user name"),
        ("http://local host/", 400, "not a URL"),
        ("", 400, "not a URL"),
    ];
    for (url, status, message) in cases {
        let failure = pull(&mut lines_of(url, &[]), s).await.expect("a failure").expect_err("a failure");
        assert!(failure.status == status && failure.message.contains(message), "{url}: {failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_has_time_for_its_first_byte() {
    let s = &mut testing::scope();
    let (url, accepting) = upstream().await;
    let failure = pull(&mut lines_of(&url, &[]), s).await.expect("a failure").expect_err("a failure");
    assert_eq!(failure.status, 504);
    drop(accepting);
}

// ---- files

#[tokio::test]
async fn files_are_read_to_their_end_or_fail() {
    let s = &mut testing::scope();
    let path = std::env::temp_dir().join(format!("weir-file-lines-{}", std::process::id()));
    let long = "x".repeat(300);
    // Longer than one read.
    let text = format!("a\r\n\n{}{long}\nend", "0123456789\n".repeat(10_000));
    let read = async |scope: &mut Scope, text: &[u8], limit| {
        std::fs::write(&path, text).expect("a temporary file");
        let mut source = Box::new(LinesOf::new(FilePieces::new(path.to_str().expect("UTF-8")), limit));
        let result = texts(&mut *source, scope).await;
        source.close(scope);
        result
    };
    let (lines, failure) = read(s, text.as_bytes(), 300).await;
    assert_eq!((lines.len(), lines[0].as_str(), lines[10_002].as_str()), (10_004, "a", long.as_str()));
    assert!(failure.is_none(), "{failure:?}");
    for (text, limit, kind) in [(text.as_bytes(), 299, "limit"), (b"ok\n\xFF\n", 9, "invalid")] {
        let (_, failure) = read(s, text, limit).await;
        let failure = failure.expect("a failure");
        assert_eq!((failure.kind, failure.status), (kind, 500), "{failure}");
    }
    s.free_all_late();
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
    std::fs::remove_file(&path).expect("it is there");
    let (_, failure) = texts(&mut LinesOf::new(FilePieces::new(path.to_str().expect("UTF-8")), 9), s).await;
    let failure = failure.expect("a failure");
    assert!((failure.kind, failure.status) == ("missing", 404) && failure.message.contains("no file"));
}
