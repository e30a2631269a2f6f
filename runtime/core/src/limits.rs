//! The limits of the runtime: one table yields fields, defaults, flags and help.

use std::fmt;
use std::time::Duration;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, written with `kb` or `mb`.
    Bytes,
    /// Milliseconds, written with `ms`, `s`, `m` or `h`.
    Time,
    /// A plain number.
    Count,
}

/// The value of a limit that does not hold.
pub const NO_LIMIT: usize = usize::MAX;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The flag without its dashes.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// What holds without the flag.
    pub default: usize,
    /// For `--help`.
    pub help: &'static str,
}

macro_rules! limits {
    ($($field:ident $name:literal $unit:ident $default:expr, $help:literal;)*) => {
        /// The limits of one script version's scopes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $help] pub $field: usize,)*
        }

        /// All limits.
        pub const LIMITS: &[Limit] =
            &[$(Limit { name: $name, unit: Unit::$unit, default: $default, help: $help }),*];

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl Limits {
            /// Sets the limit of that name.
            pub fn set(&mut self, name: &str, value: usize) -> Result<(), UnknownLimit> {
                match name {
                    $($name => self.$field = value,)*
                    _ => return Err(UnknownLimit),
                }
                Ok(())
            }
        }
    };
}

limits! {
    mem_limit "mem-limit" Bytes 64 << 20, "Heap of one request; above it 503. A program has 256 MiB";
    cpu_limit "cpu-limit" Time 5_000, "CPU time of one request without a wait, for a stream from item to item; then 503";
    request_timeout "request-timeout" Time 30_000, "How long a request may take until its response begins, then 503; and until one of known length is out, then a cut";
    start_timeout "start-timeout" Time 30_000, "How long the main program may take before the server listens";
    connect_timeout "connect-timeout" Time 10_000, "How long a connection to an upstream may take; then 504";
    first_byte_timeout "first-byte-timeout" Time 30_000, "How long an upstream may take until its answer begins; then 504";
    max_line "max-line" Bytes 8 << 20, "Longest line of a stream of lines";
    max_background "max-background" Count 1024, "`background` blocks that run at once; above it 503";
    store_limit "store-limit" Bytes 256 << 20, "All stores in memory together";
    stack "stack" Bytes 768 << 10, "Stack of one request's code; the main program has 64 MiB";
}

impl Limits {
    /// As a duration, how long a request may take.
    pub fn request_time(&self) -> Option<Duration> {
        (self.request_timeout != NO_LIMIT).then(|| Duration::from_millis(self.request_timeout as u64))
    }

    /// Those of a program that `weir FILE` runs: it has the machine for itself, a request has not.
    pub fn of_program() -> Self {
        Self { mem_limit: 256 << 20, start_timeout: NO_LIMIT, ..Self::default() }
    }
}

/// A number of bytes as it is written in flags.
pub fn size(bytes: usize) -> String {
    match bytes {
        size if size % (1 << 20) == 0 => format!("{}mb", size >> 20),
        size if size % (1 << 10) == 0 => format!("{}kb", size >> 10),
        size => size.to_string(),
    }
}

/// A number of milliseconds as it is written in flags.
pub fn duration(milliseconds: usize) -> String {
    match milliseconds {
        time if time % 1000 == 0 => format!("{}s", time / 1000),
        time => format!("{time}ms"),
    }
}

/// There is no limit of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLimit;

impl fmt::Display for UnknownLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such limit")
    }
}

impl std::error::Error for UnknownLimit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_set() {
        for limit in LIMITS {
            let mut limits = Limits::default();
            assert_eq!(limits.set(limit.name, 1), Ok(()));
            assert_ne!(limits, Limits::default());
        }
        assert_eq!(Limits::default().set("no-such", 1), Err(UnknownLimit));
    }
}
