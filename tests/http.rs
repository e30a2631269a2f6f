//! The `weir` binary as a server, over real sockets: examples, responses, proxying, disconnects, standard input, shutdown.
//!
//! Every test starts its own server on a port of the kernel's choice and plays clients and upstreams itself. Order is
//! tested, durations are not. What the engine alone decides about bytes is tested by the transcripts in `tests/http`.

#[allow(dead_code, reason = "each test binary uses its part of the support")]
mod support;

#[path = "serve/background.rs"]
mod background;
#[path = "serve/beside.rs"]
mod beside;
#[path = "serve/counters.rs"]
mod counters;
#[path = "serve/events.rs"]
mod events;
#[path = "serve/examples.rs"]
mod examples;
#[path = "serve/fetch.rs"]
mod fetch;
#[path = "serve/files.rs"]
mod files;
#[path = "serve/forwarded.rs"]
mod forwarded;
#[path = "serve/generators.rs"]
mod generators;
#[path = "serve/hangup.rs"]
mod hangup;
#[path = "serve/hostile.rs"]
mod hostile;
#[path = "serve/logs.rs"]
mod logs;
#[path = "serve/protocol.rs"]
mod protocol;
#[path = "serve/proxy.rs"]
mod proxy;
#[path = "serve/reload.rs"]
mod reload;
#[path = "serve/requests.rs"]
mod requests;
#[path = "serve/responses.rs"]
mod responses;
#[path = "serve/routes.rs"]
mod routes;
#[path = "serve/shared.rs"]
mod shared;
#[path = "serve/shutdown.rs"]
mod shutdown;
#[path = "serve/sources.rs"]
mod sources;
#[path = "serve/stalled.rs"]
mod stalled;
#[path = "serve/stdin.rs"]
mod stdin;
#[path = "serve/tasks.rs"]
mod tasks;
#[path = "serve/traps.rs"]
mod traps;
#[path = "serve/uploads.rs"]
mod uploads;
