//! Connections that are used again, or not.

use super::*;

/// Answers requests on one connection, a text each, and hands the connection over.
async fn serve(upstream: &Upstream, answers: &[&str]) -> Peer {
    let mut peer = upstream.accept().await;
    for answer in answers {
        peer.head().await;
        peer.send(answer).await;
    }
    peer
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn a_connection_is_used_again_when_its_answer_was_read() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let empty = "HTTP/1.1 204 No Content\r\n\r\n";
    let answers = [OK, chunked, empty, OK];
    let serving = serve(&upstream, &answers);
    let asking = async {
        for expected in ["ok", "ok", "", "ok"] {
            let answer = ask(s, get(&upstream.url)).await.expect("an answer");
            if expected.is_empty() {
                assert_eq!(connections(s), (1, 0), "it rests before anybody read nothing");
            }
            assert_eq!(read(s, answer).await.expect("a body"), expected);
            assert_eq!(connections(s), (1, 0));
        }
    };
    let ((), peer) = tokio::join!(asking, serving);
    // The pool notices that it was closed.
    drop(peer);
    while connections(s).0 > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_unread_answer_closes_its_connection() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let serving = serve(&upstream, &[OK]);
    let (answer, mut peer) = tokio::join!(ask(s, get(&upstream.url)), serving);
    drop(answer.expect("an answer"));
    assert!(peer.is_gone().await);
    assert_eq!(connections(s), (0, 0));
}

#[tokio::test]
async fn an_upstream_that_closes_is_not_asked_again() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let close = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    for answer in [close, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok"] {
        let serving = async { drop(serve(&upstream, &[answer]).await) };
        let asking = async {
            let answer = ask(s, get(&upstream.url)).await.expect("an answer");
            assert_eq!(read(s, answer).await.expect("a body"), "ok");
        };
        tokio::join!(asking, serving);
        assert_eq!(connections(s), (0, 0), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_closed_at_rest_is_replaced_where_that_is_safe() {
    for (method, is_repeated) in [("GET", true), ("PUT", true), ("POST", false)] {
        let s = &mut testing::scope();
        let upstream = Upstream::new().await;
        let serving = async {
            let mut peer = serve(&upstream, &[OK]).await;
            // It closes when it has the next request, so that nobody could know before.
            peer.head().await;
            drop(peer);
            if is_repeated {
                drop(serve(&upstream, &[OK]).await);
            }
        };
        let asking = async {
            let answer = ask(s, get(&upstream.url)).await.expect("an answer");
            read(s, answer).await.expect("a body");
            let mut order = get(&upstream.url);
            order.method = method.to_owned();
            ask(s, order).await
        };
        let (answer, ()) = tokio::join!(asking, serving);
        match is_repeated {
            true => assert_eq!(read(s, answer.expect("an answer")).await.expect("a body"), "ok"),
            false => assert_eq!(failure(answer).kind, "upstream"),
        }
    }
}

#[tokio::test]
async fn an_answer_that_began_is_not_asked_for_again() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let serving = async { drop(serve(&upstream, &[OK, "HTTP/1.1 2"]).await) };
    let asking = async {
        let answer = ask(s, get(&upstream.url)).await.expect("an answer");
        read(s, answer).await.expect("a body");
        failure(ask(s, get(&upstream.url)).await)
    };
    let (failed, ()) = tokio::join!(asking, serving);
    assert_eq!(failed.kind, "upstream");
}

#[tokio::test(start_paused = true)]
async fn rest_has_an_end() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let serving = serve(&upstream, &[OK]);
    let (answer, mut peer) = tokio::join!(ask(s, get(&upstream.url)), serving);
    read(s, answer.expect("an answer")).await.expect("a body");
    let begun = tokio::time::Instant::now();
    assert_eq!(connections(s), (1, 0));
    assert_eq!(peer.0.read(&mut [0; 1]).await.expect("a FIN"), 0);
    assert_eq!((begun.elapsed().as_secs(), connections(s)), (30, (0, 0)));
}

#[test]
fn the_pool_ends_with_the_runtime() {
    let s = &mut testing::scope();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let upstream = Upstream::new().await;
        let serving = async { drop(serve(&upstream, &[OK]).await) };
        let (answer, ()) = tokio::join!(ask(s, get(&upstream.url)), serving);
        read(s, answer.expect("an answer")).await.expect("a body");
    });
    drop(runtime);
    assert_eq!(connections(s), (0, 0));
}
