//! Natives of `time.weir` that know calendars and zones.
//!
//! A Time counts nanoseconds since 1970-01-01T00:00:00Z; zones are looked up in the system's database, else in the one built in.

use crate::scope::Scope;
use crate::value::{Boxed, List, Own, Text};
use jiff::civil::{self, Weekday};
use jiff::fmt::{rfc2822, strtime, temporal};
use jiff::tz::TimeZone;
use jiff::{Error, Span, SpanRelativeTo, Timestamp, Unit, Zoned, ZonedRound};
use std::sync::LazyLock;
use std::time::Instant;
use weir_abi::layout::shape;
use weir_abi::trap::Trap;

/// The moment of a Time.
fn moment(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).expect("64 bits of nanoseconds lie within jiff's range")
}

/// A moment as a Time.
fn counted(moment: Timestamp) -> Option<i64> {
    i64::try_from(moment.as_nanosecond()).ok()
}

fn out_of_range() -> Trap {
    Trap::native("a Time lies between the years 1677 and 2262")
}

/// The zone of that name.
fn zone(name: &str) -> Option<TimeZone> {
    match name {
        "UTC" => Some(TimeZone::UTC),
        "local" => Some(TimeZone::system()),
        name if name.starts_with(['+', '-']) => {
            let offset =
                strtime::parse("%:z", name).or_else(|_| strtime::parse("%z", name)).ok()?.offset()?;
            Some(TimeZone::fixed(offset))
        }
        name => TimeZone::get(name).ok(),
    }
}

fn in_zone(nanos: i64, name: Text) -> Result<Zoned, Trap> {
    match zone(name.as_str()) {
        Some(zone) => Ok(moment(nanos).to_zoned(zone)),
        None => Err(Trap::native(format!("there is no time zone {:?}", name.as_str()))),
    }
}

/// Nanoseconds on a clock that is never set.
pub fn time_monotonic(_: &mut Scope) -> i64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    i64::try_from(START.elapsed().as_nanos()).unwrap_or(i64::MAX)
}

/// From seconds.
pub fn time_from_seconds(_: &mut Scope, seconds: i64) -> Result<i64, Trap> {
    seconds.checked_mul(1_000_000_000).ok_or_else(out_of_range)
}

/// From milliseconds.
pub fn time_from_milliseconds(_: &mut Scope, milliseconds: i64) -> Result<i64, Trap> {
    milliseconds.checked_mul(1_000_000).ok_or_else(out_of_range)
}

/// Whether there is a zone of that name.
pub fn time_has_zone(_: &mut Scope, name: Text) -> bool {
    zone(name.as_str()).is_some()
}

/// As a pattern says.
pub fn time_format(scope: &mut Scope, nanos: i64, pattern: Text, zone: Text) -> Result<Own<Text>, Trap> {
    match strtime::format(pattern.as_str(), &in_zone(nanos, zone)?) {
        Ok(text) => Ok(scope.text(&text)?),
        Err(error) => {
            Err(Trap::native(format!("a time cannot be written as {:?}: {error}", pattern.as_str())))
        }
    }
}

/// In RFC 3339.
pub fn time_iso(scope: &mut Scope, nanos: i64, zone: Text) -> Result<Own<Text>, Trap> {
    let text = match zone.as_str() {
        "UTC" => moment(nanos).to_string(),
        _ => moment(nanos).display_with_offset(in_zone(nanos, zone)?.offset()).to_string(),
    };
    Ok(scope.text(&text)?)
}

/// In the form of RFC 9110, section 5.6.7.
pub fn time_http(scope: &mut Scope, nanos: i64) -> Result<Own<Text>, Trap> {
    let printed = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment(nanos));
    Ok(scope.text(&printed.expect("a Time's year has four digits"))?)
}

/// Taken apart, in the order of the declaration; the offset is in seconds.
pub fn time_parts(scope: &mut Scope, nanos: i64, zone: Text) -> Result<Own<List>, Trap> {
    let at = in_zone(nanos, zone)?;
    let parts: [i64; 10] = [
        at.year().into(),
        at.month().into(),
        at.day().into(),
        at.hour().into(),
        at.minute().into(),
        at.second().into(),
        at.subsec_nanosecond().into(),
        at.weekday().to_monday_one_offset().into(),
        at.day_of_year().into(),
        at.offset().seconds().into(),
    ];
    let list = scope.list(shape::LIST_WORD, parts.len())?;
    list.get().append(&parts.map(|part| part as u64));
    Ok(list)
}

/// Moved by years, months, weeks and days.
pub fn time_add(_: &mut Scope, nanos: i64, by: List, zone: Text) -> Result<i64, Trap> {
    let at = in_zone(nanos, zone)?;
    let [years, months, weeks, days] = by.words() else { unreachable!("four numbers, as declared") };
    let sum = |many: u64, in_one: i64, few: u64| (many as i64).checked_mul(in_one)?.checked_add(few as i64);
    // A span has one sign for all its units; the two steps may go different ways.
    let months = sum(*years, 12, *months).and_then(|months| Span::new().try_months(months).ok());
    let days = sum(*weeks, 7, *days).and_then(|days| Span::new().try_days(days).ok());
    let moved =
        months.zip(days).and_then(|(months, days)| at.checked_add(months).ok()?.checked_add(days).ok());
    moved.and_then(|moved| counted(moved.timestamp())).ok_or_else(out_of_range)
}

/// When a unit of the calendar or clock began.
pub fn time_start_of(_: &mut Scope, nanos: i64, unit: Text, zone: Text) -> Result<i64, Trap> {
    let at = in_zone(nanos, zone)?;
    let truncated = |unit| at.round(ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Trunc));
    let start = match unit.as_str() {
        "second" => truncated(Unit::Second),
        "minute" => truncated(Unit::Minute),
        "hour" => truncated(Unit::Hour),
        "day" => at.start_of_day(),
        "week" => {
            let since = at.weekday().since(Weekday::Monday);
            at.checked_sub(Span::new().days(since)).and_then(|monday| monday.start_of_day())
        }
        "month" => at.first_of_month().and_then(|first| first.start_of_day()),
        "year" => at.first_of_year().and_then(|first| first.start_of_day()),
        other => {
            let message = format!("{other:?} is none of second, minute, hour, day, week, month and year");
            return Err(Trap::native(message));
        }
    };
    start.ok().and_then(|start| counted(start.timestamp())).ok_or_else(out_of_range)
}

/// A moment as a Time that may not be one.
fn given(
    scope: &mut Scope,
    text: &str,
    moment: Result<Timestamp, Error>,
) -> Result<Option<Own<Boxed>>, Trap> {
    match moment.map(counted) {
        Ok(Some(nanos)) => Ok(Some(scope.some_word(nanos as u64)?)),
        Ok(None) => Ok(scope.fail("invalid", format!("{text:?} lies outside the years 1677 to 2262"))),
        Err(error) => Ok(scope.fail("invalid", format!("{text:?} is not a time: {error}"))),
    }
}

fn known_zone(name: Text) -> Result<TimeZone, Trap> {
    zone(name.as_str()).ok_or_else(|| Trap::native(format!("there is no time zone {:?}", name.as_str())))
}

/// From the forms of ISO 8601, RFC 3339 and RFC 9110; one without an offset is of that zone.
pub fn time_parse(scope: &mut Scope, text: Text, zone: Text) -> Result<Option<Own<Boxed>>, Trap> {
    const PARSER: temporal::DateTimeParser = temporal::DateTimeParser::new();
    let (text, zone) = (text.as_str().trim(), known_zone(zone)?);
    let starts_with_letter = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let moment = if starts_with_letter {
        match rfc2822::parse(text) {
            Ok(at) => Ok(at.timestamp()),
            Err(_) => return Ok(scope.fail("invalid", format!("{text:?} is not a time"))),
        }
    } else {
        let local = |_| PARSER.parse_datetime(text)?.to_zoned(zone).map(|at| at.timestamp());
        PARSER.parse_timestamp(text).or_else(local)
    };
    given(scope, text, moment)
}

/// As a pattern says; one without an offset is of that zone.
pub fn time_parse_as(
    scope: &mut Scope,
    text: Text,
    pattern: Text,
    zone: Text,
) -> Result<Option<Own<Boxed>>, Trap> {
    let (text, zone) = (text.as_str(), known_zone(zone)?);
    let moment = strtime::parse(pattern.as_str(), text).and_then(|parsed| {
        if parsed.offset().is_some() || parsed.iana_time_zone().is_some() {
            return parsed.to_zoned().map(|at| at.timestamp());
        }
        let time = match parsed.hour() {
            Some(_) => parsed.to_time()?,
            None => civil::Time::midnight(),
        };
        parsed.to_date()?.to_datetime(time).to_zoned(zone).map(|at| at.timestamp())
    });
    given(scope, text, moment)
}

/// From year, month, day, hour, minute, second and nanosecond.
pub fn time_of(scope: &mut Scope, parts: List, zone: Text) -> Result<Option<Own<Boxed>>, Trap> {
    let zone = known_zone(zone)?;
    let [year, month, day, hour, minute, second, nanosecond] = parts.words() else {
        unreachable!("seven numbers, as declared")
    };
    let small = |part: &u64| i8::try_from(*part as i64).unwrap_or(i8::MIN);
    let nanosecond = i32::try_from(*nanosecond as i64).unwrap_or(i32::MIN);
    let date = civil::Date::new(i16::try_from(*year as i64).unwrap_or(i16::MIN), small(month), small(day));
    let time = civil::Time::new(small(hour), small(minute), small(second), nanosecond);
    let moment = date
        .and_then(|date| Ok(date.to_datetime(time?)))
        .and_then(|local| local.to_zoned(zone))
        .map(|at| at.timestamp());
    let shown: Vec<String> = parts.words().iter().map(|part| (*part as i64).to_string()).collect();
    given(scope, &shown.join(" "), moment)
}

/// From `1h 30m`, `1.5s` and the like, or ISO 8601's `PT1H30M`.
pub fn duration_parse(scope: &mut Scope, text: Text) -> Result<Option<Own<Boxed>>, Trap> {
    let text = text.as_str().trim();
    let span = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match span.map(|duration| i64::try_from(duration.as_nanos())) {
        Ok(Ok(nanos)) => Ok(Some(scope.some_word(nanos as u64)?)),
        Ok(Err(_)) => Ok(scope.fail("invalid", format!("{text:?} is longer than 292 years"))),
        Err(_) => Ok(scope.fail("invalid", format!("{text:?} is not a duration such as 1h 30m"))),
    }
}
