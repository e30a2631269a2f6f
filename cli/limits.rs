//! The limits as flags: the engine's from the table here, the runtime's from its own.
//!
//! In: flag values. Out: [`Settings`] for the engine and the runtime. A value that does not fit is refused with what to write.

use crate::units;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use std::time::Duration;
use weir_core::{LIMITS as RUNTIME, Unit};

/// Everything a server is bounded by.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The engine's bounds.
    pub http: weir_http::Limits,
    /// The runtime's bounds.
    pub core: weir_core::Limits,
}

/// How a flag's value is written and stored.
#[derive(Clone, Copy)]
enum Setter {
    /// `10s`
    Duration(fn(&mut Settings) -> &mut Duration),
    /// `64kb`, in bytes, from the first to the second.
    Size(fn(&mut Settings, u64), u64, u64),
    /// A plain number, from the first to the second.
    Count(fn(&mut Settings, u64), u64, u64),
    /// A plain number from 1 up to this one, or `auto`, which is `None`.
    Cap(fn(&mut Settings, Option<usize>), u64),
}

/// One limit.
struct Limit {
    flag: &'static str,
    default: &'static str,
    help: &'static str,
    set: Setter,
}

/// The engine's limits.
const ENGINE: &[Limit] = &[
    Limit {
        flag: "max-head",
        default: "64kb",
        help: "Request line and headers of one request; above it 431",
        set: Setter::Size(|s, v| s.http.max_head = v as usize, 256, 16 << 20),
    },
    Limit {
        flag: "max-fields",
        default: "128",
        help: "Header fields of one request; above it 431",
        set: Setter::Count(|s, v| s.http.max_fields = v as usize, 1, weir_http::Limits::FIELD_CEILING as u64),
    },
    Limit {
        flag: "max-target",
        default: "16kb",
        help: "Path and query of one request; above it 414",
        set: Setter::Size(|s, v| s.http.max_target = v as usize, 1, 16 << 20),
    },
    Limit {
        flag: "max-body",
        default: "10mb",
        help: "Request body that is read as a whole; above it 413",
        set: Setter::Size(|s, v| s.http.max_body = v, 0, 1 << 40),
    },
    Limit {
        flag: "max-conns",
        default: "16384",
        help: "Connections open at once; above it 503",
        set: Setter::Count(|s, v| s.http.max_conns = v as usize, 1, 10_000_000),
    },
    Limit {
        flag: "max-conns-per-ip",
        default: "auto",
        help: "Connections open at once from one address (IPv6: from one /64 network); above it 503. `auto` is 1024, and no limit for this machine itself",
        set: Setter::Cap(|s, v| s.http.max_conns_per_ip = v, 10_000_000),
    },
    Limit {
        flag: "header-timeout",
        default: "10s",
        help: "From the first byte of a request head to its last; then 408",
        set: Setter::Duration(|s| &mut s.http.header_timeout),
    },
    Limit {
        flag: "body-timeout",
        default: "30s",
        help: "How long a client may send nothing of a body that is waited for, before a response has begun; then 408",
        set: Setter::Duration(|s| &mut s.http.body_timeout),
    },
    Limit {
        flag: "idle-timeout",
        default: "75s",
        help: "How long a kept-alive connection may wait for its next request",
        set: Setter::Duration(|s| &mut s.http.idle_timeout),
    },
    Limit {
        flag: "stall-timeout",
        default: "30s",
        help: "How long a client may take nothing while bytes wait for it; then it is cut",
        set: Setter::Duration(|s| &mut s.http.stall_timeout),
    },
    Limit {
        flag: "drain-timeout",
        default: "10s",
        help: "How long open responses may go on after SIGTERM",
        set: Setter::Duration(|s| &mut s.http.drain_timeout),
    },
];

impl Setter {
    fn apply(self, settings: &mut Settings, text: &str) -> Result<(), String> {
        match self {
            Setter::Duration(place) => *place(settings) = units::duration(text)?,
            Setter::Size(set, low, high) => set(settings, within(units::size(text)?, low, high)?),
            Setter::Count(set, low, high) => {
                set(settings, within(number(text)?, low, high)?);
            }
            Setter::Cap(set, _) if text == "auto" => set(settings, None),
            Setter::Cap(set, high) => set(settings, Some(within(number(text)?, 1, high)? as usize)),
        }
        Ok(())
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a whole number"))
}

fn within(value: u64, low: u64, high: u64) -> Result<u64, String> {
    if (low..=high).contains(&value) { Ok(value) } else { Err(format!("it must be from {low} to {high}")) }
}

/// The value of a runtime limit: bytes as far as memory goes, milliseconds of up to a year, numbers of things.
fn runtime_value(unit: Unit, text: &str) -> Result<u64, String> {
    match unit {
        Unit::Bytes => within(units::size(text)?, 1, 1 << 40),
        Unit::Count => within(number(text)?, 1, 10_000_000),
        Unit::Time => {
            let time = units::duration(text)?;
            let fits = (Duration::from_millis(1)..=Duration::from_secs(366 * 86_400)).contains(&time);
            if fits { Ok(time.as_millis() as u64) } else { Err("it must be from 1ms to a year".to_owned()) }
        }
    }
}

fn flag(name: &'static str, value: &'static str, default: String, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).default_value(default).help(help).help_heading("Limits")
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let command = ENGINE.iter().fold(command, |command, limit| {
            let set = limit.set;
            let value = match set {
                Setter::Duration(_) => "DURATION",
                Setter::Size(..) => "SIZE",
                Setter::Count(..) | Setter::Cap(..) => "N",
            };
            let check = move |text: &str| set.apply(&mut Settings::default(), text).map(|()| text.to_owned());
            command.arg(flag(limit.flag, value, limit.default.to_owned(), limit.help).value_parser(check))
        });
        RUNTIME.iter().fold(command, |command, limit| {
            let (value, default) = match limit.unit {
                Unit::Bytes => ("SIZE", weir_core::size(limit.default)),
                Unit::Count => ("N", limit.default.to_string()),
                Unit::Time => ("DURATION", weir_core::duration(limit.default)),
            };
            let unit = limit.unit;
            let check = move |text: &str| runtime_value(unit, text).map(|_| text.to_owned());
            command.arg(flag(limit.name, value, default, limit.help).value_parser(check))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Settings::default();
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let invalid = |why: String| clap::Error::raw(clap::error::ErrorKind::InvalidValue, why);
        for limit in ENGINE {
            if let Some(text) = matches.get_one::<String>(limit.flag) {
                limit.set.apply(self, text).map_err(invalid)?;
            }
        }
        for limit in RUNTIME {
            if let Some(text) = matches.get_one::<String>(limit.name) {
                let value = runtime_value(limit.unit, text).map_err(invalid)? as usize;
                self.core.set(limit.name, value).map_err(|error| invalid(error.to_string()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Settings, clap::Error> {
        let command = Settings::augment_args(Command::new("weir").no_binary_name(true));
        Settings::from_arg_matches(&command.try_get_matches_from(args)?)
    }

    #[test]
    fn the_table_states_the_defaults_of_the_crates() {
        let (parsed, default) = (parse(&[]).expect("defaults parse"), Settings::default());
        assert_eq!(format!("{parsed:?}"), format!("{default:?}"));
    }

    #[test]
    fn flags_set_their_limit() {
        let s = parse(&[
            "--max-line",
            "1kb",
            "--drain-timeout",
            "250ms",
            "--max-conns",
            "7",
            "--cpu-limit",
            "2s",
        ])
        .expect("valid flags");
        assert_eq!((s.core.max_line, s.core.cpu_limit), (1024, 2000));
        assert_eq!(s.http.drain_timeout, Duration::from_millis(250));
        assert_eq!(s.http.max_conns, 7);
        for bad in [
            ["--max-line", "0"],
            ["--mem-limit", "64 mb"],
            ["--cpu-limit", "0s"],
            ["--max-conns", "x"],
            ["--idle-timeout", "5"],
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}
