//! The address of a request's client: straight, and behind proxies that are trusted or not.

use crate::support::weir_process::{Launch, Server};

const CODE: &str = "fn handle(req) { req.ip }";

fn behind(proxies: &[&str]) -> Server {
    let mut args = vec!["-e", CODE];
    args.extend(proxies.iter().flat_map(|networks| ["--trust-proxy", networks]));
    Launch::new(&args).start()
}

fn ip(server: &Server, fields: &str) -> String {
    let mut client = server.connect();
    client.request("GET", "/", fields);
    client.response().body()
}

// rule: request.ip
#[test]
fn straight() {
    let server = behind(&[]);
    assert_eq!(ip(&server, ""), "127.0.0.1");
    assert_eq!(
        ip(&server, "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n"),
        "127.0.0.1"
    );
}

// rule: request.ip
#[test]
fn ipv4_over_ipv6() {
    let server = Launch::new(&["-l", ":0", "-e", CODE]).start();
    let port = server.tcp().port();
    let mut client = crate::support::client::Client::tcp(
        std::net::TcpStream::connect(("127.0.0.1", port)).expect("all addresses are listened on"),
    );
    client.get("/");
    assert_eq!(client.response().body(), "127.0.0.1");
}

// rule: request.ip, cli.trust-proxy
#[test]
fn through_a_unix_socket() {
    let path = crate::support::scratch("forwarded").join("weir.sock");
    let place = format!("unix:{}", path.display());
    let fields = "X-Forwarded-For: 198.51.100.7\r\n";
    let server = Launch::new(&["-l", &place, "-e", CODE]).start();
    assert_eq!(ip(&server, fields), "unix");
    drop(server);
    let server = Launch::new(&["-l", &place, "-e", CODE, "--trust-proxy", "unix"]).start();
    assert_eq!(ip(&server, fields), "198.51.100.7");
    assert_eq!(ip(&server, ""), "unix");
}

// rule: cli.trust-proxy
#[test]
fn behind_proxies() {
    let server = behind(&["10.0.0.0/8,::1", "127.0.0.1"]);
    for (fields, expected) in [
        ("", "127.0.0.1"),
        ("X-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7"),
        ("x-forwarded-for: 6.6.6.6, 198.51.100.7:99, 10.1.2.3\r\n", "198.51.100.7"),
        ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: [2001:db8::7]\r\n", "2001:db8::7"),
        ("X-Forwarded-For: 6.6.6.6, unknown, 10.1.2.3\r\n", "10.1.2.3"),
        ("Forwarded: for=198.51.100.7\r\n", "127.0.0.1"),
    ] {
        assert_eq!(ip(&server, fields), expected, "{fields:?}");
    }
    let line = server.stderr_line("a line of the client", |line| line.contains(" 2001:db8::7 #"));
    assert!(line.contains(" GET / 200 "), "{line}");
}

// rule: cli.trust-proxy
#[test]
fn others_are_not_believed() {
    let server = behind(&["10.0.0.0/8", "unix"]);
    assert_eq!(ip(&server, "X-Forwarded-For: 198.51.100.7\r\n"), "127.0.0.1");
}

// rule: cli.trust-proxy
#[test]
fn a_network_has_to_be_one() {
    let output = crate::support::weir_process::run(&["httpd", "-e", CODE, "--trust-proxy", "10.1.2.3/8"]);
    assert_eq!(output.code, 2, "{}", output.stderr);
    assert!(output.stderr.contains("is 10.0.0.0/8 meant, or 10.1.2.3?"), "{}", output.stderr);
}
