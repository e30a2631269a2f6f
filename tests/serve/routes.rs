//! Routes by method and path, and what stands around them.

use crate::support::client::Response;
use crate::support::weir_process::Server;

const ROUTES: &str = r#"
route GET "/a" { "get a" }
route POST "/a" { "post a" }
route PUT "/{x}" { "put {x}" }
route ANY "/any/{rest...}" { "{req.method} {rest}" }
route GET "/any/get" { "its own" }
route HEAD "/head" { respond(202) }
route OPTIONS "/options" { "asked" }
route GET "/lines" { endless() }
fn endless() -> Stream[Text] = every(1h).map(t => "{t}")
"#;

fn ask(server: &Server, method: &str, target: &str) -> Response {
    let mut client = server.connect();
    client.request(method, target, "");
    if method == "HEAD" { client.response_to_head() } else { client.response() }
}

// rule: route.methods
#[test]
fn methods_tell_routes_apart() {
    let server = Server::code(ROUTES);
    for (method, target, body) in [
        ("GET", "/a", "get a"),
        ("POST", "/a?x=1", "post a"),
        ("PUT", "/a", "put a"),
        ("BREW", "/any/a%20b/c", "BREW a b/c"),
        ("GET", "/any/", "GET "),
        ("GET", "/any/get", "its own"),
        ("POST", "/any/get", "POST get"),
        ("OPTIONS", "/any/get", "OPTIONS get"),
    ] {
        assert_eq!(ask(&server, method, target).body(), body, "{method} {target}");
    }
}

// rule: route.head
#[test]
fn head_comes_from_get() {
    let server = Server::code(ROUTES);
    let response = ask(&server, "HEAD", "/a");
    assert_eq!((response.status(), response.head.field("content-length")), (200, Some("5")));
    assert_eq!(ask(&server, "HEAD", "/head").status(), 202);
    // Nothing is pulled from the stream, which would have nothing for an hour.
    assert_eq!(ask(&server, "HEAD", "/lines").status(), 200);
}

// rule: route.options, route.not-allowed
#[test]
fn allow_names_the_methods_of_a_path() {
    let server = Server::code(ROUTES);
    for (method, target, status, allow) in [
        ("OPTIONS", "/a", 204, Some("GET, HEAD, POST, PUT, OPTIONS")),
        ("OPTIONS", "/b", 204, Some("PUT, OPTIONS")),
        ("OPTIONS", "/options", 200, None),
        ("OPTIONS", "*", 204, Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")),
        ("OPTIONS", "/b/c", 404, None),
        ("DELETE", "/a", 405, Some("GET, HEAD, POST, PUT, OPTIONS")),
        ("BREW", "/b", 405, Some("PUT, OPTIONS")),
        ("GET", "/head", 405, Some("HEAD, PUT, OPTIONS")),
        ("DELETE", "/b/c", 404, None),
    ] {
        let response = ask(&server, method, target);
        let found = (response.status(), response.head.field("allow"));
        assert_eq!(found, (status, allow), "{method} {target}");
    }
}

// rule: route.malformed
#[test]
fn malformed_paths_are_refused_where_there_are_routes() {
    let server = Server::code("route GET \"/{rest...}\" { rest }\nfn handle(req) { \"handle\" }");
    for (target, status) in [("/%41", 200), ("/%", 400), ("/a%2", 400), ("/%ff", 400), ("/%C3/%A9", 400)] {
        assert_eq!(ask(&server, "GET", target).status(), status, "{target}");
    }
    let server = Server::code("fn handle(req) { req.path }");
    assert_eq!(ask(&server, "GET", "/%").body(), "/%");
}

#[test]
fn many_routes_are_told_apart_around_too() {
    let mut code = String::new();
    for number in 0..200 {
        code.push_str(&format!("route GET \"/r{number}/{{x: Int}}\" {{ \"{number} {{x}}\" }}\n"));
    }
    for around in ["", "fn around(req, next) { next(req) }"] {
        let server = Server::code(&format!("{code}{around}"));
        for number in [0, 1, 99, 100, 101, 198, 199] {
            let body = ask(&server, "GET", &format!("/r{number}/{}", number * 3)).body();
            assert_eq!(body, format!("{number} {}", number * 3));
        }
        assert_eq!(ask(&server, "GET", "/r200/1").status(), 404);
    }
}

#[test]
fn what_no_route_takes_goes_around_too() {
    let code = format!(
        "{ROUTES}fn around(req, next) {{ if req.path == \"/no\" {{ \"around\" }} else {{ next(req) }} }}"
    );
    let server = Server::code(&code);
    assert_eq!(ask(&server, "GET", "/no").body(), "around");
    for (method, target, status, allow) in [
        ("OPTIONS", "/a", 204, Some("GET, HEAD, POST, PUT, OPTIONS")),
        ("DELETE", "/a", 405, Some("GET, HEAD, POST, PUT, OPTIONS")),
        ("DELETE", "/b/c", 404, None),
        ("GET", "/%", 400, None),
    ] {
        let response = ask(&server, method, target);
        let found = (response.status(), response.head.field("allow"));
        assert_eq!(found, (status, allow), "{method} {target}");
    }
}

#[test]
fn a_trap_in_a_route_is_its_own() {
    let server = Server::code("route GET \"/{n: Int}\" { \"{10 / n}\" }\nfn around(req, next) { next(req) }");
    let mut client = server.connect();
    client.get("/0");
    assert_eq!(client.response().status(), 500);
    client.get("/5");
    assert_eq!(client.response().body(), "2");
    server.stderr_line("the route in the trace", |line| line.contains("GET /{n: Int}"));
}
