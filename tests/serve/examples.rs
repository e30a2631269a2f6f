//! Every script of `examples/` does what its comment says.

use crate::support::client::Piece;
use crate::support::upstream::Upstream;
use crate::support::weir_process::{Launch, Output, Server, run, run_in};
use crate::support::{root, scratch};
use std::collections::BTreeSet;
use std::io::Write;

/// The examples that have a test here.
const TESTED: [&str; 20] = [
    "adventure",
    "api",
    "chat",
    "events",
    "fib",
    "find",
    "hello",
    "json-to-csv",
    "ledger",
    "log",
    "markdown",
    "proxy",
    "shout",
    "sudoku",
    "ticks",
    "tiny",
    "todo",
    "tree",
    "upload",
    "word-count",
];

#[test]
fn no_example_is_forgotten() {
    let names: BTreeSet<String> = std::fs::read_dir(root().join("examples"))
        .expect("there are examples")
        .map(|e| e.expect("the directory can be read").path())
        .filter(|p| p.extension().is_some_and(|e| e == "weir"))
        .map(|p| p.file_stem().expect("a file has a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, TESTED.iter().map(|&t| t.to_owned()).collect());
}

#[test]
fn every_example_checks() {
    for name in TESTED {
        let output = run(&["check", &format!("examples/{name}.weir")]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{name}");
    }
}

#[test]
fn the_tests_within_examples_pass() {
    for name in TESTED {
        let output = run(&["test", &format!("examples/{name}.weir")]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{name}: {}", output.stdout);
    }
}

/// Runs an example of this repository in a scratch folder that has the file `input`.
fn with_input(name: &str, input: &str, words: &[&str]) -> Output {
    let dir = scratch(name);
    std::fs::write(dir.join("input"), input).expect("the scratch folder can be written");
    let script = root().join(format!("examples/{name}.weir"));
    let mut args = vec![script.to_str().expect("the path is text")];
    args.extend(words);
    let output = run_in(&dir, &args, "");
    let _ = std::fs::remove_dir_all(&dir);
    output
}

#[test]
fn adventure() {
    let output = run_in(&root(), &["examples/adventure.weir"], "take lamp\neast\ntake lamp\nquit\n");
    let answers: Vec<&str> = output.stdout.lines().filter(|l| !l.starts_with('>')).skip(1).collect();
    let expected = ["There is no lamp here.", "Kitchen. Somebody left in a hurry.", "You see: lamp, bread."];
    assert_eq!(answers[..3], expected);
    assert_eq!(answers[3..], ["Taken.", "Goodbye."]);
}

#[test]
fn json_to_csv() {
    let output =
        with_input("json-to-csv", "[{\"a\": 1, \"b\": {\"c\": \"x, y\"}}, {\"a\": null}]", &["input"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "a,b.c\n1,\"x, y\"\n,\n"), "{}", output.stderr);
}

#[test]
fn ledger() {
    let books = "2026-01-03 Rent\n  expenses:home  850.00\n  assets:bank  -850.00\n";
    let output = with_input("ledger", books, &["input", "2026-01"]);
    let expected = "1 entries\n-850.00  assets\n-850.00    bank\n 850.00  expenses\n 850.00    home\n";
    assert_eq!((output.code, output.stdout.as_str()), (0, expected), "{}", output.stderr);
    let output = with_input("ledger", "2026-01-03 Rent\n  expenses:home  850.001\n", &["input"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("`850.001` has more than two digits behind the point"),
        "{}",
        output.stderr
    );
}

#[test]
fn markdown() {
    let output = with_input("markdown", "# *A* & B\n\n- x\n", &["input"]);
    assert_eq!(output.stdout, "<h1><em>A</em> &amp; B</h1>\n<ul>\n<li>x</li>\n</ul>\n", "{}", output.stderr);
}

#[test]
fn tiny() {
    let output = with_input("tiny", "let n = 3 while n > 0 { print n let n = n - 1 }", &["input"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "3.0\n2.0\n1.0\n"), "{}", output.stderr);
}

#[test]
fn sudoku() {
    let output = run_in(&root(), &["examples/sudoku.weir"], &format!("{}\n12\n", ".".repeat(81)));
    let expected = "1 2 3 | 4 5 6 | 7 8 9\n4 5 6 | 7 8 9 | 1 2 3\n";
    assert!(output.stdout.starts_with(expected), "{}", output.stdout);
    assert!(output.stdout.ends_with("cannot be read: a sudoku has 81 cells, not 2\n\n"), "{}", output.stdout);
}

#[test]
fn todo() {
    let dir = scratch("todo");
    let script = root().join("examples/todo.weir");
    let script = script.to_str().expect("the path is text");
    for (words, expected) in [
        (&["add", "Buy", "<milk>", "@shop"][..], "  1 [ ] Buy <milk> @shop\n"),
        (&["add", "Sleep"], "  2 [ ] Sleep\n"),
        (&["done", "1"], "  1 [x] Buy <milk> @shop\n"),
        (&["list"], "  2 [ ] Sleep\n  1 [x] Buy <milk> @shop\n"),
        (&["list", "@shop"], "  1 [x] Buy <milk> @shop\n"),
    ] {
        let args: Vec<&str> = std::iter::once(script).chain(words.iter().copied()).collect();
        let output = run_in(&dir, &args, "");
        assert_eq!((output.code, output.stdout.as_str()), (0, expected), "{}", output.stderr);
    }
    let server = Launch::new(&[script]).dir(&dir).start();
    let page = server.get("/").response().body();
    assert!(page.contains("<li class=\"done\">Buy &lt;milk&gt; <small>shop</small></li>"), "{page}");
    assert!(server.get("/list.json").response().body().contains("\"title\":\"Sleep\""));
    assert_eq!(server.get("/other").response().status(), 404);
    let _ = std::fs::remove_dir_all(&dir);
}

#[test]
fn word_count() {
    let output = with_input("word-count", "to be or\nnot to be\n", &["input", "2"]);
    assert_eq!(output.stdout, "       2 be\n       2 to\n", "{}", output.stderr);
}

#[test]
fn fib() {
    let output = run(&["examples/fib.weir"]);
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, "832040\n", ""));
}

#[test]
fn find() {
    let dir = scratch("find");
    for name in ["a.txt", "sub/b.txt", "sub/below/c.txt", "sub/d.md"] {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("made");
        std::fs::write(path, "").expect("written");
    }
    let script = root().join("examples/find.weir");
    let output = run_in(&dir, &[script.to_str().expect("UTF-8"), ".", ".txt"], "");
    let expected = "./a.txt\n./sub/b.txt\n./sub/below/c.txt\n";
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, expected, ""));
}

#[test]
fn tree() {
    let output = run(&["examples/tree.weir"]);
    let expected =
        "Add(left: Name(of: \"x\"), right: Times(left: Number(n: 2), right: Number(n: 3)))\n10\nNone\n";
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, expected, ""));
}

#[test]
fn hello() {
    let server = Server::example("hello");
    assert_eq!(server.get("/").response().body(), "Hello, world!\n");
    assert_eq!(server.get("/?name=Ada").response().body(), "Hello, Ada!\n");
}

#[test]
fn proxy() {
    let upstream = Upstream::new();
    let server = Launch::new(&["examples/proxy.weir"]).env("UPSTREAM", &upstream.url("/events")).start();
    let mut client = server.get("/");
    let (mut peer, request) = upstream.accept_request();
    assert!(request.starts_with("GET /events HTTP/1.1\r\n"), "{request}");
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    peer.chunk("one\n");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "one\n");
    peer.chunk("two\n");
    assert_eq!(client.chunk(), "two\n");
    peer.end();
    assert_eq!(client.piece(), Piece::End);
}

#[test]
fn shout() {
    let mut server = Launch::new(&["examples/shout.weir"]).piped_stdin().start();
    let mut input = server.stdin.take().expect("stdin is piped");
    let mut client = server.get("/");
    input.write_all(b"hear\n").expect("the server reads");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk(), "HEAR\n");
    drop(input);
    assert_eq!(client.piece(), Piece::End);
}

#[test]
fn ticks() {
    let server = Server::example("ticks");
    let mut client = server.get("/");
    assert_eq!(client.head().status, 200);
    let first = client.chunk();
    let second = client.chunk();
    assert!(first.starts_with("tick 2") && first.ends_with("Z\n"), "{first}");
    assert!(first < second, "{first} then {second}");
}

#[test]
fn upload() {
    let server = Server::example("upload");
    let send = |method: &str, target: &str, kind: &str, body: &str| {
        let mut client = server.connect();
        let length = body.len();
        client.request(method, target, &format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n"));
        client.send(body);
        client.response()
    };
    let post = |target: &str, kind: &str, body: &str| send("POST", target, kind, body);
    let json = "application/json";
    assert_eq!(post("/orders", json, "{\"item\": \"tea\"}").body(), "1 x tea, as usual\n");
    let wrong = post("/orders", json, "{\"item\": \"tea\", \"count\": \"3\"}");
    assert_eq!(wrong.status(), 422);
    assert_eq!(wrong.body(), "$.count: expected Int, found text \"3\" (line 1, column 26)\n");
    assert_eq!(post("/orders", json, "{\"item\": \"tea\", \"count\": 0}").status(), 422);
    assert_eq!(post("/greet", "application/x-www-form-urlencoded", "name=Ada+L.").body(), "Hello, Ada L.!\n");
    let counted = send("PUT", "/count", "text/csv", "a,b\nc,d,e\n").body();
    assert_eq!(counted, "{\"lines\":2,\"bytes\":10,\"longest\":5}");
    assert_eq!(send("PUT", "/upper", "text/plain", "ok").body(), "OK\n");
}

#[test]
fn log() {
    let file = scratch("log-example").join("app.log");
    std::fs::write(&file, "one\nan error\n").expect("the scratch folder can be written");
    let server = Launch::new(&["examples/log.weir", "--log-format", "off"])
        .env("LOG", &file.display().to_string())
        .start();
    let (mut all, mut errors) = (server.get("/"), server.get("/errors"));
    assert_eq!((all.head().status, errors.head().status), (200, 200));
    assert_eq!([all.chunk(), all.chunk()], ["one\n", "an error\n"]);
    assert_eq!(errors.chunk(), "an error\n");
    let mut log = std::fs::OpenOptions::new().append(true).open(&file).expect("it is there");
    log.write_all(b"fine\nanother Error\n").expect("written");
    assert_eq!([all.chunk(), all.chunk()], ["fine\n", "another Error\n"]);
    assert_eq!(errors.chunk(), "another Error\n");
    assert!(server.get("/disk").response().body().lines().count() >= 2);
}

#[test]
fn a_chat_gives_everybody_what_was_said_and_what_is_said_then() {
    let server = Server::example("chat");
    let say = |target: &str, text: &str| {
        let mut client = server.connect();
        client.send(format!(
            "POST {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        ));
        assert_eq!(client.response().status(), 204);
    };
    say("/lobby?as=ada", "hello");
    let mut listeners = [server.get("/lobby"), server.get("/lobby")];
    for listener in &mut listeners {
        assert_eq!((listener.head().status, listener.chunk().as_str()), (200, "ada: hello\n"));
    }
    say("/elsewhere", "nobody hears this");
    say("/lobby?as=bo", "hi");
    for listener in &mut listeners {
        assert_eq!(listener.chunk(), "bo: hi\n");
    }
}

#[test]
fn api() {
    let server = Server::example("api");
    let mut client = server.connect();
    let mut ask = |method: &str, target: &str, fields: &str| {
        client.request(method, target, fields);
        client.response()
    };
    let known = "authorization: Bearer secret\r\n";
    let response = ask("GET", "/books/2", "");
    assert_eq!((response.status(), response.head.field("www-authenticate")), (401, Some("Bearer")));
    let response = ask("GET", "/books/2", known);
    assert_eq!(response.body(), "{\"id\":2,\"title\":\"Kindred\",\"year\":1979}");
    assert_eq!(response.head.field("access-control-allow-origin"), Some("*"));
    assert!(response.head.field("server-timing").is_some_and(|time| time.starts_with("script;dur=")));
    assert_eq!(ask("GET", "/books/2/title", known).body(), "Kindred\n");
    assert_eq!(
        ask("GET", "/books?since=2000", known).body(),
        "[{\"id\":3,\"title\":\"Piranesi\",\"year\":2020}]"
    );
    assert_eq!(ask("GET", "/books?since=x", known).body(), "`since` is a year\n");
    assert_eq!(ask("GET", "/books/9", known).body(), "no book 9\n");
    assert_eq!(ask("GET", "/books/x", known).status(), 404);
    assert_eq!(ask("DELETE", "/books/2", known).head.field("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(ask("OPTIONS", "/books", "").head.field("allow"), Some("GET, HEAD, POST, OPTIONS"));
    let body = "{\"id\": 4, \"title\": \"Emma\", \"year\": 1815}";
    client.send(format!(
        "POST /books HTTP/1.1\r\nHost: a\r\n{known}Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let response = client.response();
    assert_eq!((response.status(), response.head.field("location")), (201, Some("/books/4")));
}

#[test]
fn events() {
    let server = Server::example("events");
    let mut client = server.connect();
    client.request("GET", "/ticks?every=1ms", "Last-Event-ID: 41\r\n");
    assert_eq!(client.head().field("content-type"), Some("text/event-stream"));
    let first = client.chunk();
    assert!(first.starts_with("retry: 2000\nid: 42\nevent: tick\ndata: 2"), "{first:?}");
    assert!(client.chunk().starts_with("id: 43\n"));
    assert!(server.get("/").response().body().contains("EventSource"));
}
