//! Answers that lead elsewhere.

use super::*;

/// Answers each connection with one text; the heads that came.
async fn heads(upstream: &Upstream, answers: &[String]) -> (Vec<String>, Vec<Peer>) {
    let mut heads = Vec::new();
    let mut peers: Vec<Peer> = Vec::new();
    for answer in answers {
        let mut peer = match peers.pop() {
            Some(peer) => peer,
            None => upstream.accept().await,
        };
        heads.push(peer.head().await);
        peer.send(answer).await;
        peers.push(peer);
    }
    (heads, peers)
}

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

fn ok() -> String {
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned()
}

#[tokio::test]
async fn redirections_are_followed_on_the_same_connection() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let answers = [to(301, "/b"), to(308, "c?d"), ok()];
    let (answer, (heads, _peers)) =
        tokio::join!(ask(s, get(&format!("{}/a", upstream.url))), heads(&upstream, &answers));
    let answer = answer.expect("an answer");
    assert_eq!(answer.head().url, format!("{}/c?d", upstream.url));
    let lines: Vec<_> = heads.iter().filter_map(|head| head.lines().next()).collect();
    assert_eq!(lines, ["GET /a HTTP/1.1", "GET /b HTTP/1.1", "GET /c?d HTTP/1.1"]);
    assert_eq!(read(s, answer).await.expect("a body"), "ok");
    assert_eq!(connections(s), (1, 0));
}

#[tokio::test]
async fn without_redirections_they_are_answers() {
    let s = &mut testing::scope();
    let upstream = Upstream::new().await;
    let mut order = get(&upstream.url);
    order.terms.redirects = 0;
    let answers = [to(302, "/b")];
    let (answer, _) = tokio::join!(ask(s, order), heads(&upstream, &answers));
    let answer = answer.expect("an answer");
    assert_eq!(answer.head().status, 302);
    assert_eq!(answer.head().fields["location"], "/b");
}

#[tokio::test]
async fn bodies_are_sent_again_or_left_behind() {
    for (status, line, body) in [
        (303, "GET /b HTTP/1.1", None),
        (302, "GET /b HTTP/1.1", None),
        (307, "POST /b HTTP/1.1", Some("hello")),
    ] {
        let s = &mut testing::scope();
        let upstream = Upstream::new().await;
        let mut order = get(&upstream.url);
        order.method = "POST".to_owned();
        order.content = Bytes::from_static(b"hello");
        order.media_type = "text/plain".to_owned();
        let serving = async {
            let mut peer = upstream.accept().await;
            let mut sent = [0; 5];
            peer.head().await;
            peer.0.read_exact(&mut sent).await.expect("the body");
            peer.send(&to(status, "/b")).await;
            let head = peer.head().await;
            assert!(head.starts_with(line), "{head}");
            assert_eq!(head.contains("content-type: text/plain"), body.is_some(), "{head}");
            if let Some(body) = body {
                peer.0.read_exact(&mut sent).await.expect("the body");
                assert_eq!(sent, body.as_bytes());
            }
            peer.send(&ok()).await;
        };
        let (answer, ()) = tokio::join!(ask(s, order), serving);
        assert_eq!(read(s, answer.expect("an answer")).await.expect("a body"), "ok");
    }
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let s = &mut testing::scope();
    let (first, second) = (Upstream::new().await, Upstream::new().await);
    let mut order = get(&first.url);
    for name in ["Authorization", "Cookie", "X-Other"] {
        order.fields.push((name.to_owned(), "secret".to_owned()));
    }
    let (same, other) = ([to(302, "/same"), to(302, &second.url)], [ok()]);
    let serving = async { tokio::join!(heads(&first, &same), heads(&second, &other)) };
    let (answer, ((own, _), (foreign, _))) = tokio::join!(ask(s, order), serving);
    answer.expect("an answer");
    assert!(own.iter().all(|head| head.matches("secret").count() == 3), "{own:?}");
    assert!(
        foreign[0].contains("x-other: secret") && foreign[0].matches("secret").count() == 1,
        "{foreign:?}"
    );
}

#[tokio::test]
async fn what_leads_nowhere_fails() {
    let upstream = Upstream::new().await;
    let circle = vec![to(302, "/"); 6];
    let cases = [
        (circle, "after 5 redirections"),
        (vec![to(302, "http://u:p@x/")], "user name"),
        (vec![to(302, "ftp://x/")], "begins with http"),
    ];
    for (answers, why) in cases {
        let s = &mut testing::scope();
        let (answer, _) = tokio::join!(ask(s, get(&upstream.url)), heads(&upstream, &answers));
        let failure = failure(answer);
        assert!(failure.kind == "upstream" && failure.message.contains(why), "{failure}");
        assert_eq!(connections(s).1, 0);
        s.worker().client.forget();
    }
}
