//! What a handler sees of a request, and what its value becomes.

use crate::support::client::Response;
use crate::support::weir_process::Server;

fn ask(server: &Server, target: &str) -> Response {
    server.get(target).response()
}

// rule: request.method, request.path
#[test]
fn method_and_path() {
    let server = Server::code("fn handle(req) { \"{req.method} [{req.path}]\" }");
    for (target, path) in [
        ("/", "/"),
        ("/a/b/", "/a/b/"),
        ("/a%20b", "/a b"),
        ("/caf%C3%A9", "/café"),
        ("/a+b", "/a+b"),
        ("/x?y=/z", "/x"),
        ("//double//", "//double//"),
    ] {
        assert_eq!(ask(&server, target).body(), format!("GET [{path}]"), "{target}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        let mut client = server.connect();
        client.request(method, "/", "");
        assert_eq!(client.response().body(), format!("{method} [/]"));
    }
}

// rule: request.query
#[test]
fn query() {
    let server = Server::code("fn handle(req) { \"{req.query.get(\"k\")} {req.query.all(\"k\")}\" }");
    for (target, body) in [
        ("/", "None []"),
        ("/?", "None []"),
        ("/?k", "Some(\"\") [\"\"]"),
        ("/?k=", "Some(\"\") [\"\"]"),
        ("/?k=v", "Some(\"v\") [\"v\"]"),
        ("/?a=1&k=2&b=3", "Some(\"2\") [\"2\"]"),
        ("/?k=1&k=2&k=3", "Some(\"1\") [\"1\", \"2\", \"3\"]"),
        ("/?k=a+b%2Bc", "Some(\"a b+c\") [\"a b+c\"]"),
        ("/?k=%E2%82%AC", "Some(\"€\") [\"€\"]"),
        ("/?k=a=b", "Some(\"a=b\") [\"a=b\"]"),
        ("/?%6B=v", "Some(\"v\") [\"v\"]"),
        ("/?&&k=v&&", "Some(\"v\") [\"v\"]"),
    ] {
        assert_eq!(ask(&server, target).body(), body, "{target}");
    }
}

// rule: request.headers
#[test]
fn headers() {
    let server =
        Server::code("fn handle(req) { \"{req.headers.get(\"x-key\")} {req.headers.all(\"X-KEY\")}\" }");
    for (fields, body) in [
        ("", "None []"),
        ("X-Key: v\r\n", "Some(\"v\") [\"v\"]"),
        ("x-key:   v \t\r\n", "Some(\"v\") [\"v\"]"),
        ("X-KEY: 1\r\nOther: 2\r\nx-KEY: 3\r\n", "Some(\"1\") [\"1\", \"3\"]"),
        ("x-key:\r\n", "Some(\"\") [\"\"]"),
    ] {
        let mut client = server.connect();
        client.request("GET", "/", fields);
        assert_eq!(client.response().body(), body, "{fields:?}");
    }
}

// rule: handle.branches
#[test]
fn branches_of_different_kinds() {
    let server = Server::code(
        "fn handle(req) {
           match req.path {
             \"/text\" => \"plain\"
             \"/lines\" => (1..3).stream().map(i => \"{i}\")
             \"/html\" => html(html\"<p>\")
             \"/status\" => respond(status: 418, body: \"short\\n\")
             \"/nothing\" => ()
             \"/some\" => Some(\"found\")
             \"/away\" => redirect(\"/text\")
             _ => not-found()
           }
         }",
    );
    let text = ask(&server, "/text");
    assert_eq!((text.status(), text.body().as_str()), (200, "plain"));
    assert_eq!(text.head.field("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(text.head.field("content-length"), Some("5"));
    let lines = ask(&server, "/lines");
    assert_eq!((lines.status(), lines.head.chunked(), lines.body().as_str()), (200, true, "1\n2\n"));
    assert_eq!(lines.head.field("content-type"), Some("text/plain; charset=utf-8"));
    let html = ask(&server, "/html");
    assert_eq!(
        (html.head.field("content-type"), html.body().as_str()),
        (Some("text/html; charset=utf-8"), "<p>")
    );
    let status = ask(&server, "/status");
    assert_eq!((status.status(), status.body().as_str()), (418, "short\n"));
    let nothing = ask(&server, "/nothing");
    assert_eq!((nothing.status(), nothing.head.field("content-length")), (204, None));
    assert_eq!(ask(&server, "/some").body(), "found");
    let away = ask(&server, "/away");
    assert_eq!((away.status(), away.head.field("location")), (302, Some("/text")));
    let missing = ask(&server, "/missing");
    assert_eq!((missing.status(), missing.body().as_str()), (404, "Not Found\n"));
}

// rule: handle.option
#[test]
fn an_option_is_its_value_or_404() {
    let server = Server::code("fn handle(req) { req.query.get(\"k\") }");
    assert_eq!(ask(&server, "/?k=v").body(), "v");
    assert_eq!(ask(&server, "/").status(), 404);
}

// rule: handle.return
#[test]
fn early_returns_are_responses_too() {
    let server = Server::code(
        "fn handle(req) {
           if req.path == \"/early\" { return \"early\" }
           if req.path == \"/gone\" { return respond(status: 410) }
           (1..3).stream().map(i => \"{i}\")
         }",
    );
    assert_eq!(ask(&server, "/early").body(), "early");
    assert_eq!(ask(&server, "/gone").status(), 410);
    assert_eq!(ask(&server, "/").body(), "1\n2\n");
}

// rule: fn.global
#[test]
fn globals_are_evaluated_once_before_serving() {
    let server = Server::code(
        "fn load() { warn(\"loading\"); [\"a\", \"b\"] }
         let names = load()
         fn handle(req) { names.join(\",\") }",
    );
    for _ in 0..3 {
        assert_eq!(ask(&server, "/").body(), "a,b");
    }
}

// rule: handle.missing
#[test]
fn a_program_without_handle_is_not_served() {
    let output = crate::support::weir_process::Launch::new(&["-e", "print(1)"]).try_start();
    let output = output.err().expect("there is nothing to serve");
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert!(output.stderr.contains("handle"), "{}", output.stderr);
}

#[test]
fn a_large_text_has_its_length() {
    let server = Server::code("fn handle(req) { \"0123456789\".repeat(300000) }");
    let response = ask(&server, "/");
    assert_eq!(response.head.field("content-length"), Some("3000000"));
    assert_eq!(response.body(), "0123456789".repeat(300_000));
}

// rule: stream.body
#[test]
fn items_get_their_line_end_unless_they_have_one() {
    let server = Server::code("fn handle(req) { [\"a\", \"b\\n\", \"\", \"c\\nd\", \"é\"].stream() }");
    assert_eq!(ask(&server, "/").pieces, ["a\n", "b\n", "\n", "c\nd\n", "é\n"]);
}

#[test]
fn many_items_arrive_complete() {
    let server = Server::code("fn handle(req) { (0..20000).stream().map(i => \"line {i}\") }");
    let response = ask(&server, "/");
    assert_eq!(response.pieces.len(), 20000);
    assert_eq!(response.pieces[19999], "line 19999\n");
    assert!(response.complete);
}
