//! Responses made by hand: headers, statuses, cookies, and what `around` changes of them.

use crate::support::weir_process::{Launch, Server};

// rule: response.headers
#[test]
fn headers_are_sent() {
    let server = Server::code(
        r#"
        route GET "/map" { respond(201, "x", headers: ["x-a": "1", "Cache-Control": "no-store"]) }
        route GET "/type" { respond(body: "a,b\n", content-type: "text/csv", headers: ["content-type": "text/x"]) }
        route GET "/json" { respond(202, {ok: true}, headers: ["x-a": "1"]) }
        route GET "/stream" { respond(body: ["a", "b"].stream(), headers: ["x-a": "1"]) }
        route GET "/bytes" { respond(body: b"\x00", headers: ["content-type": "image/gif"]) }
        route GET "/framing" { respond(body: "abc", headers: ["content-length": "7", "transfer-encoding": "chunked"]) }
        route GET "/text" { text("no\n", 404) }
        route GET "/html" { html(html"<p>", 404) }
        "#,
    );
    let ask = |target| server.get(target).response();
    let response = ask("/map");
    assert_eq!((response.status(), response.body()), (201, "x".to_owned()));
    assert_eq!(response.head.field("x-a"), Some("1"));
    assert_eq!(response.head.field("cache-control"), Some("no-store"));
    assert_eq!(ask("/type").head.field("content-type"), Some("text/csv"));
    let response = ask("/json");
    assert_eq!((response.status(), response.body()), (202, "{\"ok\":true}".to_owned()));
    assert_eq!(response.head.field("content-type"), Some("application/json"));
    assert_eq!(response.head.field("x-a"), Some("1"));
    let response = ask("/stream");
    assert_eq!(response.pieces, ["a\n", "b\n"]);
    assert_eq!(response.head.field("x-a"), Some("1"));
    assert_eq!(ask("/bytes").head.field("content-type"), Some("image/gif"));
    let response = ask("/framing");
    assert_eq!((response.head.field("content-length"), response.body()), (Some("3"), "abc".to_owned()));
    assert_eq!(response.head.field("transfer-encoding"), None);
    assert_eq!((ask("/text").status(), ask("/text").body()), (404, "no\n".to_owned()));
    assert_eq!((ask("/html").status(), ask("/html").body()), (404, "<p>".to_owned()));
}

// rule: response.checked
#[test]
fn nothing_ends_a_header_line() {
    let server = Server::code(
        r#"
        route GET "/value" { respond(headers: ["x-a": req.query.get("v") ?? ""]) }
        route GET "/name" { respond(headers: [req.query.get("v") ?? "": "1"]) }
        route GET "/with" { not-found().with-header("x-a", req.query.get("v") ?? "") }
        route GET "/type" { respond(content-type: req.query.get("v")) }
        route GET "/cookie" { respond().set-cookie(req.query.get("v") ?? "", "1") }
        route GET "/path" { respond().set-cookie("a", "1", path: req.query.get("v") ?? "") }
        "#,
    );
    for target in ["/value", "/with", "/type", "/name", "/cookie", "/path"] {
        for bad in ["%0d%0aset-cookie:%20a=b", "a%0ab", "%00", "a%0d"] {
            let response = server.get(&format!("{target}?v={bad}")).response();
            assert_eq!(response.status(), 500, "{target} {bad}");
            assert_eq!(response.head.field("set-cookie"), None);
        }
    }
    for target in ["/name?v=", "/name?v=a%20b", "/name?v=a:", "/cookie?v=a=b", "/path?v=/;%20x"] {
        assert_eq!(server.get(target).response().status(), 500, "{target}");
    }
    server.stderr_line("what is wrong", |line| line.contains("holds a line break"));
}

// rule: response.change, route.around
#[test]
fn around_sees_and_changes_responses() {
    let server = Server::code(
        r#"
        route GET "/" { "home" }
        route GET "/lines" { ["a", "b"].stream() }
        route GET "/none" { req.query.get("x") }
        route GET "/refused" { fail error("too many", status: 429) }
        route GET "/broken" { fail "secret" }
        route GET "/own" { respond(headers: ["x-who": "route"]) }
        fn around(req, next) {
          if req.headers.get("authorization") == Some("no") { return respond(401, "Who?\n") }
          let answer = next(req)
          let who = answer.header("x-who") ?? "around"
          answer
            .with-header("x-who", who)
            .with-header("x-status", "{answer.status}")
            .add-header("vary", "a")
            .add-header("vary", "b")
        }
        "#,
    );
    for (target, status, body, who) in [
        ("/", 200, "home", "around"),
        ("/lines", 200, "a\nb\n", "around"),
        ("/none", 404, "Not Found\n", "around"),
        ("/refused", 429, "too many\n", "around"),
        ("/broken", 500, "Internal Server Error\n", "around"),
        ("/own", 200, "", "route"),
        ("/nowhere", 404, "Not Found\n", "around"),
    ] {
        let response = server.get(target).response();
        assert_eq!((response.status(), response.body().as_str()), (status, body), "{target}");
        assert_eq!(response.head.field("x-who"), Some(who), "{target}");
        assert_eq!(response.head.field("x-status"), Some(status.to_string().as_str()), "{target}");
        assert_eq!(response.head.field("vary"), Some("a"), "{target}");
    }
    let mut client = server.connect();
    client.request("POST", "/", "");
    let response = client.response();
    assert_eq!((response.status(), response.head.field("x-status")), (405, Some("405")));
    assert_eq!(response.head.field("allow"), Some("GET, HEAD, OPTIONS"));
    client.request("OPTIONS", "/", "");
    let response = client.response();
    assert_eq!((response.status(), response.head.field("x-who")), (204, Some("around")));
    client.request("GET", "/", "authorization: no\r\n");
    assert_eq!(client.response().body(), "Who?\n");
}

// rule: response.change
#[test]
fn statuses_are_changed() {
    let server = Server::code(
        r#"
        route GET "/{status: Int}" { "x" }
        route GET "/none/{status: Int}" { None }
        route GET "/error/{status: Int}" { fail "secret" }
        fn around(req, next) {
          let status = req.path.split("/").last() ?? ""
          next(req).with-status(status.to-int() ?? 500)
        }
        "#,
    );
    for (target, status, body) in [
        ("/201", 201, "x"),
        ("/404", 404, "x"),
        ("/none/418", 418, "I'm a teapot\n"),
        ("/none/410", 410, "Gone\n"),
        ("/error/503", 503, "Service Unavailable\n"),
        ("/99", 500, "Internal Server Error\n"),
    ] {
        let response = server.get(target).response();
        assert_eq!(response.status(), status, "{target}");
        assert!(body.starts_with("I'm") || response.body() == body, "{target} {:?}", response.body());
    }
    server.stderr_line("the error is logged all the same", |line| line.contains("secret"));
}

// rule: request.cookies, request.id
#[test]
fn cookies_go_round() {
    let code = r#"
        route GET "/set" { text(req.id).set-cookie("a", "x; y=é", max-age: 1h).set-cookie("b", "2") }
        route GET "/get" { "{req.cookies.get("a")} {req.cookies.all()}" }
        "#;
    let server = Launch::new(&["-e", code]).start();
    let response = server.get("/set").response();
    let cookie = "a=x%3B%20y=%C3%A9; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax";
    assert_eq!(response.head.field("set-cookie"), Some(cookie));
    let id = response.body();
    assert!(server.stderr_line("its line", |line| line.contains("/set")).contains(&format!("#{id} ")));
    let mut client = server.connect();
    for (fields, body) in [
        ("", "None [:]"),
        ("cookie: a=x%3B%20y=%C3%A9; b=2\r\n", "Some(\"x; y=é\") [\"a\": \"x; y=é\", \"b\": \"2\"]"),
        ("cookie: a=\"q\";a=2;broken; =3\r\n", "Some(\"q\") [\"a\": \"q\", \"\": \"3\"]"),
        ("Cookie: b=1\r\nCookie: a=2\r\n", "Some(\"2\") [\"b\": \"1\", \"a\": \"2\"]"),
    ] {
        client.request("GET", "/get", fields);
        assert_eq!(client.response().body(), body, "{fields}");
    }
}
