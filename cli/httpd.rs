//! `weir httpd`: compiles a script, runs its top level, listens, and serves until a signal.
//!
//! SIGTERM and SIGINT drain; a second one cuts. SIGHUP loads the script anew (`reload`). SIGUSR2 writes the counters as one line of JSON to standard error.
//! Invariant: after a signal to end the process ends in bounded time, whatever a script or a reader of its output does.

use crate::limits::Settings;
use crate::reload::{self, Files, Reloader};
use crate::script::{ADDRESS_IN_USE, FAILED, Script, fail, usage};
use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2};
use signal_hook::iterator::Signals;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use weir_core::{HandlerService, LogFormat, Versions};
use weir_http::{Counters, Listen, Proxies, Server, ShutdownHandle, raise_file_limit};

const DEFAULT_PORT: u16 = 8080;
/// How long the workers may take to end after a cut, deferred blocks included; longer than the server itself waits for them.
const AFTER_CUT: Duration = Duration::from_secs(5);
/// Likewise when the time for draining is over: the server itself cuts then and waits for last work.
const AFTER_DRAIN: Duration = Duration::from_secs(6);

/// Serve a script's `handle` over HTTP
#[derive(Args)]
pub struct Httpd {
    /// The script; `-` is standard input
    file: Option<PathBuf>,
    /// Serve this code instead of a file
    #[arg(short, long = "eval", value_name = "CODE")]
    e: Option<String>,
    /// Port on 127.0.0.1; 0 picks a free one [env: PORT] [default: 8080]
    #[arg(short, long, value_name = "PORT")]
    port: Option<u16>,
    /// Address: HOST:PORT, :PORT (all addresses) or unix:/PATH; may be repeated [env: WEIR_LISTEN]
    #[arg(short, long, value_name = "ADDRESS")]
    listen: Vec<String>,
    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Load the script anew when its files change; what runs goes on with its version
    #[arg(short, long)]
    watch: bool,
    /// Networks of the proxies in front, whose X-Forwarded-For tells the client's address: 10.0.0.0/8,::1, or unix for whoever
    /// connects to a Unix socket; may be repeated
    #[arg(long, value_name = "CIDR")]
    trust_proxy: Vec<Proxies>,
    /// Access log on standard error
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = log_formats())]
    log_format: LogFormat,
    /// Serve clients that close their sending side after the request instead of taking them for gone
    #[arg(long)]
    half_close: bool,
    #[command(flatten)]
    limits: Settings,
}

/// Runs the command.
pub fn run(command: Httpd) -> Result<(), u8> {
    let listens = addresses(&command)?;
    let script = Script::read(command.file.as_deref(), command.e)?;
    let file = command.file.as_deref().filter(|file| *file != Path::new("-"));
    if command.watch && file.is_none() {
        return Err(usage("--watch takes a script file; there is none to watch"));
    }
    let mut settings = command.limits;
    settings.http.half_close = command.half_close;
    command.trust_proxy.into_iter().for_each(|proxies| settings.http.proxies.extend(proxies));
    settings.http.response_time = settings.core.request_time();
    let files = Files::default();
    let versions = Versions::new(reload::load(&script, &files, settings.core)?);
    let reloader = file.map(|file| {
        files.add_main(file, &script.text);
        Arc::new(Reloader::new(file, files, settings.core, &versions, command.watch))
    });
    raise_file_limit();
    let bound = Server::bind(&listens).map_err(|error| {
        let code = if error.is_in_use() { ADDRESS_IN_USE } else { FAILED };
        fail(code, &error.to_string())
    })?;
    let shutdown = ShutdownHandle::new();
    let signals = Attendant {
        shutdown: shutdown.clone(),
        counters: bound.counters(),
        drain: settings.http.drain_timeout,
        reloader: reloader.clone(),
    };
    signals.attend().map_err(|error| fail(FAILED, &format!("cannot attend to signals: {error}")))?;
    if let Some(reloader) = reloader.filter(|_| command.watch) {
        reloader.start().map_err(|error| fail(FAILED, &format!("cannot watch {}: {error}", script.name)))?;
    }
    announce(bound.addresses());
    let workers = command.workers.map_or_else(cores, usize::from);
    let log = command.log_format;
    let service = move |_worker| HandlerService::new(&versions, log);
    let served = bound.serve(workers, settings.http, service, shutdown);
    weir_core::finish();
    served.map_err(|error| fail(FAILED, &format!("the server failed: {error}")))
}

fn log_formats() -> impl TypedValueParser<Value = LogFormat> {
    PossibleValuesParser::new(["human", "json", "off"]).try_map(|name| name.parse::<LogFormat>())
}

/// `-l` and `-p`, else WEIR_LISTEN, else PORT, else the default.
fn addresses(command: &Httpd) -> Result<Vec<Listen>, u8> {
    let mut written = command.listen.clone();
    let local = |port: u16| format!("127.0.0.1:{port}");
    written.extend(command.port.map(local));
    if written.is_empty() {
        written.extend(std::env::var("WEIR_LISTEN").ok().filter(|v| !v.is_empty()));
    }
    if written.is_empty() {
        let port = match std::env::var("PORT") {
            Ok(text) if !text.is_empty() => {
                text.parse().map_err(|_| usage(&format!("PORT is `{text}`, which is not a port number")))?
            }
            _ => DEFAULT_PORT,
        };
        written.push(local(port));
    }
    written.iter().map(|text| text.parse::<Listen>().map_err(|error| usage(&error.to_string()))).collect()
}

fn announce(addresses: impl Iterator<Item = impl std::fmt::Display>) {
    let mut lines = String::new();
    for address in addresses {
        lines.push_str(&format!("weir httpd listening on {address}\n"));
    }
    // One write, so that a reader sees whole lines. Nobody may be listening; the server serves all the same.
    let _ = std::io::stderr().write_all(lines.as_bytes());
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Who attends to signals, on a thread of its own, so that a busy worker cannot delay them. It waits for nobody.
struct Attendant {
    shutdown: ShutdownHandle,
    counters: Arc<Counters>,
    drain: Duration,
    /// For a script in a file.
    reloader: Option<Arc<Reloader>>,
}

impl Attendant {
    fn attend(self) -> std::io::Result<()> {
        // Without a file to load anew, SIGHUP ends the process as it does by itself.
        let hup = self.reloader.is_some().then_some(SIGHUP);
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGUSR2].into_iter().chain(hup))?;
        // A terminal sends SIGHUP when it goes: then nobody sees the server any more.
        let is_interactive = std::io::stderr().is_terminal();
        let mut asked = false;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                match (signal, &self.reloader) {
                    (SIGUSR2, _) => {
                        let sockets = ("sockets", self.counters.open_connections());
                        weir_core::report(&weir_core::counters::dump(&[sockets]));
                    }
                    (SIGHUP, Some(reloader)) if !is_interactive => reloader.ask(),
                    _ if asked => {
                        self.shutdown.cut();
                        end_after(AFTER_CUT);
                    }
                    _ => {
                        asked = true;
                        self.shutdown.drain();
                        end_after(self.drain.saturating_add(AFTER_DRAIN));
                    }
                }
            }
        })?;
        Ok(())
    }
}

/// Ends the process when the server has not ended by then.
fn end_after(time: Duration) {
    let end = move || {
        std::thread::sleep(time);
        weir_core::report("weir httpd: ended although a worker is still busy");
        weir_core::kill_children();
        weir_core::finish();
        std::process::exit(FAILED.into());
    };
    // Without another thread the workers' own end is all there is.
    let _ = std::thread::Builder::new().name("last-end".to_owned()).spawn(end);
}
