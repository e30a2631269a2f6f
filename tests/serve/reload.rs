//! `--watch` and SIGHUP: a new version takes new requests, what runs goes on with its own, and nothing of an old one stays.

use crate::support;
use crate::support::client::Client;
use crate::support::weir_process::{Launch, Server};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};

/// A script in a folder of its own, and what is watched of it.
struct Site {
    dir: PathBuf,
    server: Server,
}

impl Site {
    /// Serves `app.weir` in a folder with these files.
    fn start(name: &str, files: &[(&str, &str)], args: &[&str]) -> Self {
        let dir = support::scratch(&format!("reload-{name}"));
        for (file, text) in files {
            fs::write(dir.join(file), text).expect("written");
        }
        let args = [&["app.weir", "--log-format", "off"], args].concat();
        let server = Launch::new(&args).dir(&dir).start();
        Self { dir, server }
    }

    fn watched(name: &str, files: &[(&str, &str)]) -> Self {
        Self::start(name, files, &["--watch"])
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.dir.join(file), text).expect("written");
    }

    /// As editors do: another file takes the place.
    fn replace(&self, file: &str, text: &str) {
        self.write(".new", text);
        fs::rename(self.dir.join(".new"), self.dir.join(file)).expect("renamed");
    }

    fn reloaded(&self) -> String {
        self.server.stderr_line("a reload", |l| l.starts_with("weir httpd reloaded app.weir ("))
    }

    fn kept(&self) {
        self.server
            .stderr_line("a refusal", |l| l == "weir httpd goes on with the version before of app.weir");
    }

    fn body(&self) -> String {
        self.server.get("/").response().body()
    }
}

/// A script whose answers say which version it is, and that streams as many lines as it is sent on standard input.
fn version(number: u32) -> String {
    format!("fn handle(req) {{ if req.path == \"/s\" {{ stdin().map(l => \"{number}:{{l}}\") }} else {{ text({number}) }} }}
fn text(n: Int) = respond(body: \"version {{n}}\")")
}

// rule: cli.watch
#[test]
fn a_change_takes_new_requests_and_leaves_open_streams_alone() {
    let dir = support::scratch("reload-pinned");
    let write = |text: String| fs::write(dir.join("app.weir"), text).expect("written");
    write(version(1));
    let mut server = Launch::new(&["app.weir", "-w", "--log-format", "off", "--workers", "2"])
        .dir(&dir)
        .piped_stdin()
        .start();
    let mut stdin = server.stdin.take().expect("it was asked for");
    let mut line = |client: &mut Client, text: &str| {
        use std::io::Write;
        stdin.write_all(format!("{text}\n").as_bytes()).expect("the server reads");
        client.chunk()
    };
    let mut stream = server.get("/s");
    assert_eq!(stream.head().status, 200);
    assert_eq!(line(&mut stream, "a"), "1:a\n");
    let mut kept = server.get("/");
    assert_eq!(kept.response().body(), "version 1");
    write(version(2));
    server.stderr_line("a reload", |l| l.starts_with("weir httpd reloaded app.weir ("));
    // Every worker has the new one, also for connections that are open.
    for _ in 0..4 {
        assert_eq!(server.get("/").response().body(), "version 2");
    }
    kept.get("/");
    assert_eq!(kept.response().body(), "version 2");
    assert_eq!(line(&mut stream, "b"), "1:b\n");
    assert_eq!(server.counters()["modules"], 2, "the old version still streams");
    drop(stdin);
    while let support::client::Piece::Data(_) = stream.piece() {}
    server.counters_until("the old version is still there", |c| c["modules"] == 1);
}

// rule: cli.watch-broken
#[test]
fn what_does_not_come_up_replaces_nothing() {
    let site = Site::start("broken", &[("app.weir", &version(1))], &["-w", "--start-timeout", "200ms"]);
    let cases = [
        ("while true {}\nfn handle(req) { \"x\" }", "--start-timeout"),
        ("fn handle(req) { nowhere }", "error[E0201]"),
        ("print(1)", "there is nothing to serve"),
        ("panic(\"no\")\nfn handle(req) { \"x\" }", "trap: no"),
        ("fs.read(\"no-such-file\")?\nfn handle(req) { \"x\" }", "error: "),
    ];
    for (text, wanted) in cases {
        site.write("app.weir", text);
        site.server.stderr_line("why not", |l| l.contains(wanted));
        site.kept();
        assert_eq!(site.body(), "version 1");
    }
    site.server.counters_until("a refused version stays", |c| c["modules"] == 1);
    site.write("app.weir", &version(2));
    site.reloaded();
    assert_eq!(site.body(), "version 2");
}

// rule: cli.watch
#[test]
fn used_files_are_watched_as_well() {
    let main = "use \"word.weir\"\nfn handle(req) { word.word() }";
    let site = Site::watched("used", &[("app.weir", main), ("word.weir", "pub fn word() = \"one\"")]);
    assert_eq!(site.body(), "one");
    site.replace("word.weir", "pub fn word() = \"two\"");
    site.reloaded();
    assert_eq!(site.body(), "two");
    // A file that is not there yet is waited for.
    site.replace("app.weir", "use \"other.weir\"\nfn handle(req) { other.word() }");
    site.kept();
    site.write("other.weir", "pub fn word() = \"three\"");
    site.reloaded();
    assert_eq!(site.body(), "three");
    // One that is not used any more is not watched: the next reload is that of the main file.
    site.write("word.weir", "no script");
    site.replace("app.weir", &version(4));
    site.reloaded();
    assert_eq!(site.body(), "version 4");
}

// rule: cli.hup
#[test]
fn sighup_loads_anew() {
    let site = Site::start("hup", &[("app.weir", &version(1))], &[]);
    site.write("app.weir", &version(2));
    assert_eq!(site.body(), "version 1");
    site.server.signal(Signal::HUP);
    site.reloaded();
    assert_eq!(site.body(), "version 2");
    // Whether it changed or not.
    site.server.signal(Signal::HUP);
    site.reloaded();
}

// rule: cli.watch
#[test]
fn nothing_stays_of_old_versions() {
    let text =
        |n: u32| format!("let words = (0..1000).map(i => \"word {{i}} {n}\")\nfn handle(req) {{ words[7] }}");
    let site = Site::start("freed", &[("app.weir", &text(0))], &["--workers", "2"]);
    let before = site.server.counters();
    for n in 1..=20 {
        site.replace("app.weir", &text(n));
        site.server.signal(Signal::HUP);
        site.reloaded();
        assert_eq!(site.body(), format!("word 7 {n}"));
    }
    site.server.counters_until("old versions stay", |now| {
        ["modules", "chunks", "objects", "resources", "fibers", "scopes"]
            .iter()
            .all(|name| now[*name] == before[*name])
            && now["code"] < before["code"] * 2
    });
    assert!(threads(&site.server) <= 12, "threads are left");
}

fn threads(server: &Server) -> usize {
    let tasks = Path::new("/proc").join(server.id().to_string()).join("task");
    fs::read_dir(tasks).map_or(0, Iterator::count)
}

// rule: cli.watch
#[test]
fn only_a_file_can_be_watched() {
    let output = support::weir_process::run(&["httpd", "--watch", "-e", "fn handle(req) { 1 }"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("--watch takes a script file"), "{}", output.stderr);
}
