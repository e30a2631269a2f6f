//! Durations and sizes as they are written in flags: `250ms`, `10s`, `64kb`, `10mb`.
//!
//! The same units as the language's literals. A bare number is refused for durations and means bytes for sizes.

use std::time::Duration;

/// Reads `250ms`, `10s`, `5m`, `2h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| bad_duration(text))?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(bad_duration(text)),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(|| bad_duration(text))
}

/// Reads `512`, `64kb`, `10mb`, `1gb`: powers of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| bad_size(text))?;
    let shift = match unit {
        "" | "b" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        _ => return Err(bad_size(text)),
    };
    number.checked_mul(1 << shift).ok_or_else(|| bad_size(text))
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn bad_duration(text: &str) -> String {
    format!("`{text}` is not a duration; write one like 250ms, 10s or 5m")
}

fn bad_size(text: &str) -> String {
    format!("`{text}` is not a size; write one like 512, 64kb or 10mb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(size("64kb"), Ok(65536));
        assert_eq!(size("12"), Ok(12));
        for bad in ["", "10", "s", "-1s", "1.5s", "10 s", "18446744073709551615h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["", "kb", "-1", "1tb", "18446744073709551615gb"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
