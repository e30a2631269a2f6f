//! What a body does besides its items: it goes on while the peer takes none, and comes to its end when the server drains.

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use support::{Recorded, connect, get, rest, settle, test};
use weir_http::{ItemSink, Limits, LocalServer, Pull, PullBody, Request, Response, Service};

/// What a test sees of a body, and does to it.
#[derive(Default)]
struct Seen {
    pulled: Cell<u32>,
    beside: Cell<u32>,
    wound_up: Cell<u32>,
    waker: RefCell<Option<Waker>>,
    panics: Cell<bool>,
    /// Items are there before the server drains.
    has_items: Cell<bool>,
}

struct Busy(Rc<Seen>);

impl PullBody for Busy {
    fn poll_item(&mut self, _: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        let seen = &self.0;
        match seen.wound_up.get() {
            0 if !seen.has_items.get() => return Poll::Pending,
            0 => out.item_bytes(Bytes::from_static(&[b'x'; 20_000])),
            1 => {
                seen.wound_up.set(2);
                out.item(&[b"last\n"]);
            }
            _ => return Poll::Ready(Pull::End),
        }
        seen.pulled.set(seen.pulled.get() + 1);
        Poll::Ready(Pull::Item)
    }

    fn poll_beside(&mut self, cx: &mut Context<'_>) {
        assert!(!self.0.panics.get(), "as the test wants");
        self.0.beside.set(self.0.beside.get() + 1);
        *self.0.waker.borrow_mut() = Some(cx.waker().clone());
    }

    fn wind_up(&mut self) {
        self.0.wound_up.set(self.0.wound_up.get() + 1);
    }
}

fn server(seen: &Rc<Seen>, records: &Rc<RefCell<Vec<String>>>) -> LocalServer<impl Service + use<>> {
    let seen = Rc::clone(seen);
    let call = move |_: Request| std::future::ready(Response::stream(200, Busy(Rc::clone(&seen))));
    LocalServer::new(Recorded { call, records: Rc::clone(records) }, Limits::default())
}

/// A client that has asked for the body and takes nothing of it; one that makes items has filled the socket by then, and the engine
/// waits for the peer.
async fn asked(server: &LocalServer<impl Service>, seen: &Seen, has_items: bool) -> UnixStream {
    seen.has_items.set(has_items);
    let mut client = connect(server);
    client.write_all(&get("/")).await.expect("open");
    while has_items && seen.waker.borrow().is_none() {
        settle().await;
    }
    client
}

fn wake(seen: &Seen) {
    seen.waker.take().expect("the engine waits").wake();
}

#[test]
fn what_a_body_does_besides_goes_on_while_nothing_is_taken() {
    test(|| async {
        let (seen, records) = (Rc::new(Seen::default()), Rc::default());
        let server = server(&seen, &records);
        let mut client = asked(&server, &seen, true).await;
        let (pulled, beside) = (seen.pulled.get(), seen.beside.get());
        settle().await;
        assert_eq!(seen.beside.get(), beside, "nobody woke it");
        for round in 1..4 {
            wake(&seen);
            settle().await;
            assert_eq!((seen.beside.get(), seen.pulled.get()), (beside + round, pulled));
        }
        // The peer takes some: items are wanted again.
        let mut some = vec![0; 10_000];
        while seen.pulled.get() == pulled {
            client.read_exact(&mut some).await.expect("open");
        }
        drop(client);
        server.emptied().await;
    });
}

#[test]
fn a_body_that_panics_besides_is_cut() {
    test(|| async {
        let (seen, records) = (Rc::new(Seen::default()), Rc::default());
        let server = server(&seen, &records);
        let mut client = asked(&server, &seen, true).await;
        seen.panics.set(true);
        wake(&seen);
        assert!(!rest(&mut client).await.ends_with("0\r\n\r\n"), "it does not look whole");
        server.emptied().await;
        assert!(records.borrow()[0].ends_with("Panicked"), "{records:?}");
    });
}

#[test]
fn a_body_comes_to_its_end_when_the_server_drains() {
    for has_items in [false, true] {
        test(|| async move {
            let (seen, records) = (Rc::new(Seen::default()), Rc::default());
            let server = server(&seen, &records);
            let mut client = asked(&server, &seen, has_items).await;
            settle().await;
            server.drain();
            settle().await;
            assert!(seen.wound_up.get() > 0, "it is told whether or not the peer takes something");
            assert!(rest(&mut client).await.ends_with("5\r\nlast\n\r\n0\r\n\r\n"));
            server.emptied().await;
            assert!(records.borrow()[0].ends_with("Answered"), "{records:?}");
        });
    }
}
