//! Natives of `duration.weir` and `time.weir`. Both are nanoseconds, a Time since 1970-01-01T00:00:00Z.

use crate::clock::wall_clock;
use crate::scope::Scope;

/// Whole seconds, towards 0.
pub fn duration_seconds(_: &mut Scope, nanos: i64) -> i64 {
    nanos / 1_000_000_000
}

/// Whole milliseconds, towards 0.
pub fn duration_milliseconds(_: &mut Scope, nanos: i64) -> i64 {
    nanos / 1_000_000
}

/// Whole microseconds, towards 0.
pub fn duration_microseconds(_: &mut Scope, nanos: i64) -> i64 {
    nanos / 1_000
}

/// Nanoseconds.
pub fn duration_nanoseconds(_: &mut Scope, nanos: i64) -> i64 {
    nanos
}

/// The moment now.
pub fn time_now(_: &mut Scope) -> i64 {
    wall_clock()
}

/// Whole seconds; a moment before 1970 belongs to the second that it lies in.
pub fn time_seconds(_: &mut Scope, nanos: i64) -> i64 {
    nanos.div_euclid(1_000_000_000)
}

/// Whole milliseconds, likewise.
pub fn time_milliseconds(_: &mut Scope, nanos: i64) -> i64 {
    nanos.div_euclid(1_000_000)
}

/// Whole microseconds, likewise.
pub fn time_microseconds(_: &mut Scope, nanos: i64) -> i64 {
    nanos.div_euclid(1_000)
}
