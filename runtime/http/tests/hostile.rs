//! Properties of whole connections: whatever a client sends, in whatever pieces, each request gets at most one answer, every answer
//! can be read, and the connection ends.

#[path = "support/hostile.rs"]
mod hostile;

use hostile::{Leave, check, converse};
use proptest::prelude::*;

/// Something that may stand in a request, well-formed or not.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let text = |texts: &'static [&'static str]| {
        prop::sample::select(texts).prop_map(|text| text.as_bytes().to_vec())
    };
    prop_oneof![
        8 => request(),
        2 => text(&[
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /g HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
            "GET /q HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
            "3;x=y\r\nabc\r\n", "0\r\n\r\n", "0\r\nX: y\r\n\r\n", "ffffffffffffffff\r\n", "abc", "1\r\n\n\r\n",
            "\r\n", "\n", "\r", " ", "\0", ":", "Host: a\r\n", "GET ", " HTTP/1.1\r\n", "\r\n\r\n",
            "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
        ]),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

/// Mostly a request.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop::sample::select(&["GET", "POST", "HEAD", "PUT", "OPTIONS"][..]);
    let path = "/[a-z]{0,3}(\\?[a-z=&%]{0,4})?";
    let version = prop::sample::select(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"][..]);
    let fields = prop::sample::subsequence(
        vec![
            "Host: a\r\n",
            "Connection: close\r\n",
            "Connection: keep-alive\r\n",
            "X: y\r\n",
            "Expect: 100-continue\r\n",
        ],
        0..4,
    );
    (method, path, version, fields, framed()).prop_map(|(method, path, version, fields, (framing, body))| {
        let fields = fields.concat();
        let host = if fields.contains("Host") { "" } else { "Host: b\r\n" };
        let head = format!("{method} {path} {version}\r\n{host}{fields}{framing}\r\n");
        [head.into_bytes(), body].concat()
    })
}

/// A field that frames a body, and the body; sometimes not as it says.
fn framed() -> impl Strategy<Value = (String, Vec<u8>)> {
    let body = || prop::collection::vec(prop::sample::select(&b"ab\r\n0"[..]), 0..80);
    let sized = (body(), -2_i64..3).prop_map(|(body, off)| {
        let off = if off.abs() < 2 { 0 } else { off };
        (format!("Content-Length: {}\r\n", (body.len() as i64 + off).max(0)), body)
    });
    let chunked = prop::collection::vec(body(), 0..4).prop_map(|bodies| {
        let mut all = Vec::new();
        for body in bodies.into_iter().filter(|body| !body.is_empty()) {
            all.extend_from_slice(format!("{:X}\r\n", body.len()).as_bytes());
            all.extend_from_slice(&body);
            all.extend_from_slice(b"\r\n");
        }
        all.extend_from_slice(b"0\r\n\r\n");
        ("Transfer-Encoding: chunked\r\n".to_owned(), all)
    });
    prop_oneof![2 => Just((String::new(), Vec::new())), 3 => sized, 3 => chunked]
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(fragment(), 0..6).prop_map(|fragments| fragments.concat())
}

proptest! {
    #[test]
    fn any_input_gets_readable_answers(input in input(), pieces in prop::collection::vec(1_usize..40, 1..6)) {
        check(&input, &pieces);
    }

    #[test]
    fn a_damaged_request_gets_readable_answers(
        mut input in input(), at in any::<prop::sample::Index>(), byte in any::<u8>(), piece in 1_usize..9,
    ) {
        if !input.is_empty() {
            let at = at.index(input.len());
            input[at] = byte;
        }
        check(&input, &[piece]);
    }
}

#[test]
fn the_reader_reads() {
    let input =
        b"POST /g HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /q HTTP/1.1\r\nHost: a\r\n\r\n";
    let answers = converse(input, &[], Leave::Waits);
    let seen: Vec<_> = answers.iter().map(|a| (a.status, a.body.as_slice(), a.is_whole)).collect();
    assert_eq!(seen, [(200, &b"abc"[..], true), (200, b"item\n", false)]);
}
