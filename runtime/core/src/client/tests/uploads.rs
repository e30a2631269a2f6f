//! Bodies that are streams.

use super::*;
use crate::heap::Word;
use crate::scope::Source;
use crate::value::{Gives, Handle};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// What a test hands to a stream of Texts.
#[derive(Default)]
struct Tap {
    items: VecDeque<Option<Result<&'static str, Failure>>>,
    waker: Option<Waker>,
    pulled: usize,
    is_closed: bool,
}

#[derive(Clone, Default)]
struct Taps(Rc<RefCell<Tap>>);

impl Taps {
    fn give(&self, item: Option<Result<&'static str, Failure>>) {
        let mut tap = self.0.borrow_mut();
        tap.items.push_back(item);
        if let Some(waker) = tap.waker.take() {
            waker.wake();
        }
    }

    fn upload(&self) -> Upload {
        Upload::new(Box::new(self.clone()), true)
    }
}

impl Source for Taps {
    fn poll_next(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        let mut tap = self.0.borrow_mut();
        match tap.items.pop_front() {
            Some(Some(Ok(item))) => {
                tap.pulled += 1;
                Poll::Ready(Some(Ok(scope.text(item).expect("room").get().word())))
            }
            Some(Some(Err(failure))) => Poll::Ready(Some(Err(failure))),
            Some(None) => Poll::Ready(None),
            None => {
                tap.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn close(self: Box<Self>, _: &mut Scope) {
        self.0.borrow_mut().is_closed = true;
    }
}

/// Lines without end.
struct Endless(u64);

impl Source for Endless {
    fn poll_next(&mut self, scope: &mut Scope, _: &mut Context<'_>) -> Poll<Option<Result<Word, Failure>>> {
        self.0 += 1;
        Poll::Ready(Some(Ok(scope.text(&"x".repeat(1000)).expect("room").into_word())))
    }

    fn close(self: Box<Self>, _: &mut Scope) {}
}

fn post(url: &str) -> Order {
    Order { method: "POST".to_owned(), ..get(url) }
}

#[tokio::test]
async fn an_answer_is_read_while_the_request_is_sent() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let taps = Taps::default();
    taps.give(Some(Ok("one")));
    let mut asking = Asking::new(post(&upstream.url), Some(taps.upload()), s).expect("room");
    let serving = async {
        let mut peer = upstream.accept().await;
        let head = peer.head().await;
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        let mut chunk = [0; 9];
        peer.0.read_exact(&mut chunk).await.expect("a chunk");
        assert_eq!(&chunk, b"4\r\none\n\r\n");
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nONE\n\r\n").await;
        peer
    };
    let (body, mut peer) = tokio::join!(poll_fn(|cx| asking.poll(s, cx)), serving);
    let mut body = body.expect("an answer");
    let piece = poll_fn(|cx| body.poll_piece(s, cx)).await.expect("a piece");
    assert_eq!(piece.as_deref(), Some(&b"ONE\n"[..]));
    let serving = async {
        taps.give(Some(Ok("two\n")));
        let mut chunk = [0; 9];
        peer.0.read_exact(&mut chunk).await.expect("a chunk");
        assert_eq!(&chunk, b"4\r\ntwo\n\r\n");
        taps.give(None);
        let mut end = [0; 5];
        peer.0.read_exact(&mut end).await.expect("an end");
        assert_eq!(&end, b"0\r\n\r\n");
        peer.send("4\r\nTWO\n\r\n0\r\n\r\n").await;
        peer
    };
    let (rest, _peer) = tokio::join!(read(s, body), serving);
    assert_eq!(rest.expect("a body"), "TWO\n");
    assert!(taps.0.borrow().is_closed);
    assert_eq!(connections(s), (1, 0));
    assert_eq!((s.heap().live(), s.resources()), (0, 0));
}

#[tokio::test]
async fn a_stream_that_fails_breaks_the_request_off() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let taps = Taps::default();
    taps.give(Some(Err(Failure::of_kind("io", "no more"))));
    let mut asking = Asking::new(post(&upstream.url), Some(taps.upload()), s).expect("room");
    let serving = async {
        let mut peer = upstream.accept().await;
        peer.head().await;
        peer
    };
    let asked = async {
        let asked = poll_fn(|cx| asking.poll(s, cx)).await;
        drop(asking);
        asked
    };
    let (asked, mut peer) = tokio::join!(asked, serving);
    assert_eq!(failure(asked).message, "no more");
    assert!(peer.is_gone().await, "without a last chunk");
    assert_eq!(connections(s), (0, 0));
}

#[tokio::test]
async fn an_upstream_that_does_not_read_holds_the_stream_back() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let taps = Rc::new(RefCell::new(0));
    struct Counting(Endless, Rc<RefCell<u64>>);
    impl Source for Counting {
        fn poll_next(
            &mut self,
            scope: &mut Scope,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Word, Failure>>> {
            *self.1.borrow_mut() += 1;
            self.0.poll_next(scope, cx)
        }
        fn close(self: Box<Self>, _: &mut Scope) {}
    }
    let upload = Upload::new(Box::new(Counting(Endless(0), Rc::clone(&taps))), true);
    let mut asking = Asking::new(post(&upstream.url), Some(upload), s).expect("room");
    let mut peer = tokio::select! {
        _ = poll_fn(|cx| asking.poll(s, cx)) => panic!("nobody answered"),
        peer = async { let mut peer = upstream.accept().await; peer.head().await; peer } => peer,
    };
    // Until the sockets are full.
    let mut pulled = u64::MAX;
    while std::mem::replace(&mut pulled, *taps.borrow()) != pulled {
        tokio::select! {
            biased;
            _ = poll_fn(|cx| asking.poll(s, cx)) => panic!("nobody answered"),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }
    assert!(pulled < 20_000, "{pulled} lines of 1,000 bytes for nobody");
    asking.close(s);
    drop(asking);
    let mut rest = Vec::new();
    let _ = peer.0.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    assert_eq!(s.heap().live(), 0);
}

#[tokio::test]
async fn an_early_answer_ends_the_request() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let taps = Taps::default();
    let mut asking = Asking::new(post(&upstream.url), Some(taps.upload()), s).expect("room");
    let serving = async {
        let mut peer = upstream.accept().await;
        peer.head().await;
        peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await;
        peer
    };
    let (body, mut peer) = tokio::join!(poll_fn(|cx| asking.poll(s, cx)), serving);
    assert_eq!(read(s, body.expect("an answer")).await.expect("a body"), "no");
    assert!(taps.0.borrow().is_closed && peer.is_gone().await);
    assert_eq!(connections(s), (0, 0));
}

#[tokio::test]
async fn a_stream_is_not_sent_to_a_second_url() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let taps = Taps::default();
    taps.give(None);
    let mut asking = Asking::new(post(&upstream.url), Some(taps.upload()), s).expect("room");
    let serving = async {
        let mut peer = upstream.accept().await;
        peer.head().await;
        peer.send("HTTP/1.1 307 Go\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n").await;
        peer
    };
    let (asked, _peer) = tokio::join!(poll_fn(|cx| asking.poll(s, cx)), serving);
    assert!(failure(asked).message.contains("cannot be sent again"));
}
