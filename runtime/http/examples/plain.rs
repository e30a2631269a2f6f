//! A server to measure: `Hello, World!` on `/`, N chunked lines on `/lines/N`, a line a second on `/ticks`.
//!
//! Usage: `plain PORT [WORKERS]`

use std::io::Write;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, Interval, interval_at};

use weir_http::{ItemSink, Limits, Listen, Pull, PullBody, Request, Response, Server, ShutdownHandle};

/// `line I of a streamed response`, I from 0.
struct Lines {
    next: u64,
    end: u64,
}

impl PullBody for Lines {
    fn poll_item(&mut self, _: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        if self.next == self.end {
            return Poll::Ready(Pull::End);
        }
        let mut number = [0_u8; 20];
        let mut rest = &mut number[..];
        write!(rest, "{}", self.next).expect("twenty digits are enough");
        let digits = 20 - rest.len();
        out.item(&[b"line ", &number[..digits], b" of a streamed response\n"]);
        self.next += 1;
        Poll::Ready(Pull::Item)
    }
}

/// `tick` and the time in microseconds, every second.
struct Ticks(Interval);

impl PullBody for Ticks {
    fn poll_item(&mut self, cx: &mut Context<'_>, out: &mut ItemSink<'_>) -> Poll<Pull> {
        ready!(self.0.poll_tick(cx));
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        out.item(&[format!("tick {micros}\n").as_bytes()]);
        Poll::Ready(Pull::Item)
    }
}

fn answer(request: &Request) -> Response {
    let path = request.head.path();
    let second = Duration::from_secs(1);
    let response = match path.strip_prefix("/lines/") {
        Some(count) => Response::stream(200, Lines { next: 0, end: count.parse().unwrap_or(0) }),
        None if path == "/ticks" => {
            Response::stream(200, Ticks(interval_at(Instant::now() + second, second)))
        }
        None => Response::new(200, "Hello, World!"),
    };
    response.with_header("Content-Type", "text/plain").expect("a valid field")
}

fn main() {
    let mut args = std::env::args().skip(1);
    let listen: Listen = format!("127.0.0.1:{}", args.next().unwrap_or("0".into())).parse().expect("a port");
    let workers = args.next().map_or(1, |count| count.parse().expect("a number of workers"));
    weir_http::raise_file_limit();
    let bound = Server::bind(&[listen]).expect("a free port");
    for address in bound.addresses() {
        eprintln!("listening on {address}");
    }
    let service = |_worker| |request: Request| std::future::ready(answer(&request));
    bound.serve(workers, Limits::default(), service, ShutdownHandle::new()).expect("a runtime");
}
