//! Answers that send files: whole, in part, not again, not at all, and files that change while they are sent.

use crate::support::client::{Client, Response};
use crate::support::weir_process::{Launch, Server};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const CODE: &str = r#"
  let early = file("page.html")
  route GET "/early" { early }
  route GET "/plain/{path...}" { file(path) }
  route GET "/below/{path...}" { file(path, root: "public") }
  route GET "/lost" { file("x", root: "nowhere") }
  route GET "/none" { file("page.html").with-status(404).with-header("cache-control", "no-store") }
  route GET "/own" { file("page.html", content-type: Some("text/x-own")).with-header("etag", "\"mine\"") }
  route POST "/plain/{path...}" { file(path) }
"#;

/// A server in a folder of its own with `page.html`, and `public/page.txt` in it.
fn serve(name: &str) -> (Server, PathBuf) {
    let dir = crate::support::scratch(name);
    fs::write(dir.join("page.html"), "<p>0123456789</p>").expect("own folder");
    fs::create_dir(dir.join("public")).expect("own folder");
    fs::write(dir.join("public/page.txt"), "public").expect("own folder");
    (Launch::new(&["-e", CODE]).dir(&dir).start(), dir)
}

fn ask(server: &Server, target: &str, fields: &str) -> Response {
    let mut client = server.connect();
    client.request("GET", target, fields);
    let response = client.response();
    // Whatever came, its framing was not lost.
    client.request("GET", "/plain/page.html", "");
    assert_eq!(client.response().body(), "<p>0123456789</p>");
    response
}

/// A file too large for the buffers of sockets, that takes no room on the disk.
fn huge(path: &Path) -> (File, u64) {
    let (file, size) = (File::create(path).expect("own folder"), 64 << 20);
    file.set_len(size).expect("own file");
    (file, size)
}

// rule: file.response
#[test]
fn a_whole_file() {
    let (server, dir) = serve("file-whole");
    let got = ask(&server, "/plain/page.html", "");
    assert_eq!((got.status(), got.body().as_str()), (200, "<p>0123456789</p>"));
    let field = |name| got.head.field(name);
    assert_eq!(field("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!((field("content-length"), field("accept-ranges")), (Some("17"), Some("bytes")));
    assert!(
        field("etag").is_some_and(|tag| tag.starts_with('"') && tag.ends_with("-11\"")),
        "{:?}",
        got.head
    );
    assert!(field("last-modified").is_some_and(|date| date.ends_with(" GMT")), "{:?}", got.head);
    let mut client = server.connect();
    client.request("HEAD", "/plain/page.html", "");
    let head = client.response_to_head().head;
    assert_eq!(head.field("content-length"), Some("17"));
    assert_eq!(head.field("etag"), field("etag"));
    client.request("POST", "/plain/page.html", "Range: bytes=0-0\r\n");
    assert_eq!(client.response().body().len(), 17, "ranges are for GET");
    // Longer than a piece, and than several.
    let long: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
    fs::write(dir.join("long"), &long).expect("own folder");
    let got = ask(&server, "/plain/long", "");
    assert_eq!(got.head.field("content-type"), Some("application/octet-stream"));
    assert!(got.body() == long);
    fs::write(dir.join("empty.css"), "").expect("own folder");
    let got = ask(&server, "/plain/empty.css", "");
    assert_eq!((got.status(), got.head.field("content-length"), got.body().as_str()), (200, Some("0"), ""));
}

// rule: file.response
#[test]
fn what_the_script_says_goes_first() {
    let (server, _) = serve("file-script");
    let got = ask(&server, "/none", "Range: bytes=0-1\r\nIf-None-Match: *\r\n");
    assert_eq!((got.status(), got.body().len()), (404, 17));
    assert_eq!(got.head.field("cache-control"), Some("no-store"));
    let got = ask(&server, "/own", "");
    assert_eq!(got.head.field("content-type"), Some("text/x-own"));
    assert_eq!(ask(&server, "/own", "If-None-Match: \"mine\"\r\n").status(), 304);
}

// rule: file.conditional
#[test]
fn what_the_client_has_is_not_sent_again() {
    let (server, dir) = serve("file-again");
    let first = ask(&server, "/plain/page.html", "").head;
    let (tag, date) = (first.field("etag").expect("a tag"), first.field("last-modified").expect("a date"));
    for fields in [format!("If-None-Match: \"x\", W/{tag}\r\n"), format!("If-Modified-Since: {date}\r\n")] {
        let got = ask(&server, "/plain/page.html", &fields);
        assert_eq!((got.status(), got.head.field("etag")), (304, Some(tag)), "{fields}");
        assert_eq!((got.head.field("content-type"), got.head.field("content-length")), (None, None));
    }
    assert_eq!(ask(&server, "/plain/page.html", "If-Match: \"x\"\r\n").status(), 412);
    File::options()
        .write(true)
        .open(dir.join("page.html"))
        .and_then(|file| file.set_modified(std::time::UNIX_EPOCH))
        .expect("own file");
    let got = ask(&server, "/plain/page.html", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!(got.status(), 200);
    assert_eq!(got.head.field("last-modified"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
}

// rule: file.range
#[test]
fn a_part() {
    let (server, _) = serve("file-part");
    let tag = ask(&server, "/plain/page.html", "").head.field("etag").expect("a tag").to_owned();
    for (range, body, told) in [
        ("bytes=3-5", "012", "bytes 3-5/17"),
        ("bytes=13-", "</p>", "bytes 13-16/17"),
        ("bytes=-4", "</p>", "bytes 13-16/17"),
        ("bytes=0-99", "<p>0123456789</p>", "bytes 0-16/17"),
    ] {
        for condition in [String::new(), format!("If-Range: {tag}\r\n")] {
            let got = ask(&server, "/plain/page.html", &format!("Range: {range}\r\n{condition}"));
            assert_eq!((got.status(), got.body().as_str()), (206, body), "{range}");
            assert_eq!(got.head.field("content-range"), Some(told), "{range}");
            assert_eq!(got.head.field("content-type"), Some("text/html; charset=utf-8"));
        }
    }
    let got = ask(&server, "/plain/page.html", "Range: bytes=17-\r\n");
    assert_eq!((got.status(), got.head.field("content-range")), (416, Some("bytes */17")));
    for other in ["Range: bytes=0-1,3-4\r\n", "Range: lines=1\r\n", "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n"]
    {
        assert_eq!(ask(&server, "/plain/page.html", other).status(), 200, "{other}");
    }
}

// rule: file.missing
#[test]
fn no_file() {
    let (server, dir) = serve("file-none");
    for path in ["none", "public", "public/", "page.html/x", "%00", "", "/dev/null"] {
        let got = ask(&server, &format!("/plain/{path}"), "");
        assert_eq!((got.status(), got.body().as_str()), (404, "Not Found\n"), "{path}");
    }
    // Whoever may read everything is not refused.
    if !rustix::process::geteuid().is_root() {
        let secret = dir.join("secret");
        fs::write(&secret, "x").expect("own folder");
        fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o000)).expect("own file");
        assert_eq!(ask(&server, "/plain/secret", "").status(), 403);
    }
    assert_eq!(ask(&server, "/lost", "").status(), 500);
    server.stderr_line("why", |line| line.contains("nowhere: no such file"));
}

// rule: file.root
#[test]
fn nothing_leads_out_of_a_folder() {
    let (server, dir) = serve("file-root");
    std::os::unix::fs::symlink("../page.html", dir.join("public/link")).expect("own folder");
    std::os::unix::fs::symlink("page.txt", dir.join("public/inner")).expect("own folder");
    for path in ["page.txt", "/page.txt", "./page.txt", "x/../page.txt", "inner"] {
        let expected = if path.starts_with("x/") { 404 } else { 200 };
        assert_eq!(ask(&server, &format!("/below/{path}"), "").status(), expected, "{path}");
    }
    let absolute = dir.join("page.html").display().to_string();
    for path in
        ["../page.html", "..%2fpage.html", "%2e%2e/page.html", "link", "..", "", &absolute, "/etc/passwd"]
    {
        assert_eq!(ask(&server, &format!("/below/{path}"), "").status(), 404, "{path}");
    }
    assert_eq!(ask(&server, "/plain/public/link", "").status(), 200, "the script's own paths go anywhere");
}

// rule: file.changes
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn a_file_that_becomes_shorter_is_cut() {
    let (server, dir) = serve("file-shorter");
    let (file, size) = huge(&dir.join("huge"));
    let mut client = server.get("/plain/huge");
    let head = client.head();
    assert_eq!(head.field("content-length"), Some(size.to_string().as_str()));
    file.set_len(1000).expect("own file");
    assert!(!client.body_of(head).complete);
    server.stderr_line("why", |line| line.contains("became shorter while it was sent"));
}

// rule: file.changes
#[test]
#[cfg_attr(feature = "stress", ignore = "byte by byte, megabytes take minutes")]
fn as_much_as_was_told_is_sent() {
    let (server, dir) = serve("file-longer");
    let (file, size) = huge(&dir.join("huge"));
    let mut client = server.get("/plain/huge");
    let head = client.head();
    file.set_len(2 * size).expect("own file");
    let got = client.body_of(head);
    assert_eq!((got.complete, got.body().len() as u64), (true, size));
    client.get("/plain/page.html");
    assert_eq!(client.response().body().len(), 17);
    // Another file in its place is not mixed with it.
    fs::write(dir.join("other"), "other").expect("own folder");
    client.get("/plain/huge");
    let head = client.head();
    fs::rename(dir.join("other"), dir.join("huge")).expect("own folder");
    assert!(client.body_of(head).complete);
    client.get("/plain/huge");
    assert_eq!(client.response().body(), "other");
}

// rule: file.response
#[test]
fn who_goes_leaves_nothing_behind() {
    let (server, dir) = serve("file-gone");
    huge(&dir.join("huge"));
    let start = server.counters();
    let clients: Vec<Client> = (0..20).map(|_| server.get("/plain/huge")).collect();
    for mut client in clients {
        assert_eq!(client.head().status, 200);
        client.rst();
    }
    server.counters_until("something is left behind", |now| {
        ["streams", "scopes", "resources", "sockets"].iter().all(|name| now[*name] == start[*name])
    });
}

// rule: file.response
#[test]
fn a_file_is_opened_where_it_is_sent() {
    let (server, _) = serve("file-early");
    assert_eq!(ask(&server, "/early", "").status(), 500);
    server.stderr_line("what to do", |line| line.contains("call `file` where the request is answered"));
}
