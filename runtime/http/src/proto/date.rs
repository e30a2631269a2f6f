//! Dates of header fields, and the `Date` line, rendered once per second.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and CRLF.
pub const DATE_LINE: usize = 37;

/// A time as header fields have it, in whole seconds: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
pub fn http_date(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}

/// The time that such a text tells, in any of the forms that there are.
pub fn parse_http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// The current `Date` line and how long it stays true.
pub struct DateLine {
    line: [u8; DATE_LINE],
    /// The first instant of the next second.
    until: Instant,
}

impl DateLine {
    /// The line of this moment.
    pub fn new(now: Instant) -> Self {
        let mut date = DateLine { line: [b' '; DATE_LINE], until: now };
        date.render(now);
        date
    }

    /// The line at `now`.
    pub fn at(&mut self, now: Instant) -> &[u8; DATE_LINE] {
        if now >= self.until {
            self.render(now);
        }
        &self.line
    }

    fn render(&mut self, now: Instant) {
        let wall = SystemTime::now();
        let fraction = wall.duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        self.until = now + (Duration::from_secs(1) - Duration::from_nanos(u64::from(fraction)));
        let text = http_date(wall);
        self.line[..6].copy_from_slice(b"Date: ");
        self.line[6..35].copy_from_slice(text.as_bytes());
        self.line[35..].copy_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_an_imf_date() {
        let now = Instant::now();
        let mut date = DateLine::new(now);
        let line = std::str::from_utf8(date.at(now)).expect("ascii");
        assert!(line.starts_with("Date: ") && line.ends_with(" GMT\r\n"), "{line:?}");
        assert!(httpdate::parse_http_date(line[6..].trim_end()).is_ok());
    }
}
