//! The wall clock, as Times count it.

use std::time::{SystemTime, UNIX_EPOCH};

/// The moment now, in nanoseconds since 1970-01-01T00:00:00Z.
pub fn wall_clock() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}
