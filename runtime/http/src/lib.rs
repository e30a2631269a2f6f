//! An HTTP/1.1 server engine for bodies that are produced while they are sent.
//!
//! In: sockets and a [`Service`] per worker. Out: answered requests; a [`PullBody`] is pulled only when the peer
//! has taken what came before, each item is one chunk, and it is on its way before the body is waited for.
//! Invariants: the engine knows no scripting language; a request lives and dies on one worker's thread;
//! dropping a future or a body is the only form of cancellation; nothing here is unbounded.
//!
//! From the wire inwards:
//! - `proto`: the protocol without I/O;
//! - `buffers`, `io`, `timer`: one socket with its bytes and its one timer;
//! - `conn`: one connection, a straight loop;
//! - `worker`, `counters`, `addresses`, `proxies`: what connections of a worker, and of a server, share;
//! - `local`: one worker; `listen`, `accept`, `server`, `shutdown`: sockets, threads, start and end;
//! - `request`, `response`, `body`, `service`, `limits`: what an application sees.
//!
//! ```no_run
//! use weir_http::{Limits, Listen, Request, Response, Server, ShutdownHandle};
//!
//! let bound = Server::bind(&["127.0.0.1:8080".parse::<Listen>().expect("an address")]).expect("a free port");
//! for address in bound.addresses() {
//!     eprintln!("listening on {address}");
//! }
//! let hello = |_worker| |_request: Request| async { Response::new(200, "Hello, World!") };
//! bound.serve(1, Limits::default(), hello, ShutdownHandle::new()).expect("a runtime");
//! ```

mod accept;
mod addresses;
mod body;
mod buffers;
mod conn;
mod counters;
mod io;
mod limits;
mod listen;
mod local;
pub mod proto;
mod proxies;
mod request;
mod response;
mod server;
mod service;
mod shutdown;
mod timer;
mod worker;

pub use body::{Failure, ItemBuffer, ItemSink, Pull, PullBody};
pub use counters::Counters;
pub use limits::Limits;
pub use listen::{Address, BindError, Listen, ListenSyntaxError};
pub use local::LocalServer;
pub use proto::framing::{RequestFraming, Version};
pub use proto::head::RequestHead;
pub use proxies::{Proxies, ProxySyntaxError};
pub use request::{BodyError, Peer, Request, RequestBody};
pub use response::{Body, FieldError, Response};
pub use server::{BLOCKING_THREADS, Bound, Server, raise_file_limit};
pub use service::{Access, Outcome, Service};
pub use shutdown::ShutdownHandle;
