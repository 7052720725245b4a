//! Instants as people write them, in UTC. Knows no clock.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Reads a day (`2026-11-01`: its beginning in UTC) or an instant (`2026-11-01T06:30:00+07:00`), as UTC milliseconds.
///
/// # Errors
/// What to write instead.
pub fn read(text: &str) -> Result<i64, String> {
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339);
    let instant = read(text).or_else(|_| read(&format!("{text}T00:00:00Z")));
    let instant = instant.map_err(|_| {
        format!(
            "{text:?} is no time: write a day such as 2026-11-01 (UTC) or an instant such as 2026-11-01T06:30:00+07:00"
        )
    })?;
    i64::try_from(instant.unix_timestamp_nanos() / 1_000_000).map_err(|e| e.to_string())
}

/// The UTC day of an instant in milliseconds, as `2026-11-21`.
pub fn day(millis: i64) -> String {
    at(millis).map_or_else(|| millis.to_string(), |at| at.date().to_string())
}

/// An instant in milliseconds to the minute, as `2026-11-21 06:30`.
pub fn minute(millis: i64) -> String {
    at(millis).map_or_else(|| millis.to_string(), |at| format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute()))
}

/// An instant in milliseconds to the second, as `2026-11-21 06:30:05`.
pub fn second(millis: i64) -> String {
    at(millis).map_or_else(|| millis.to_string(), |at| format!("{}:{:02}", minute(millis), at.second()))
}

fn at(millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc_and_an_instant_has_a_zone() {
        assert_eq!(read("1970-01-02"), Ok(86_400_000));
        assert_eq!(read("2026-11-01T06:30:00+07:00"), read("2026-10-31T23:30:00Z"));
        assert_eq!(read("1970-01-01T00:00:00.25Z"), Ok(250));
        for bad in ["", "yesterday", "2026-13-01", "2026-02-29", "01.11.2026", "2026-11-01T06:30:00", "1763690400000"] {
            let why = read(bad).unwrap_err();
            assert!(why.contains("such as 2026-11-01 (UTC)"), "{why}");
        }
    }

    #[test]
    fn a_day_is_right_around_leap_days_and_new_years() {
        for (millis, wanted) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400_000, "2000-02-29"),
            (1_709_251_199_999, "2024-02-29"),
            (1_709_251_200_000, "2024-03-01"),
            (1_767_225_599_999, "2025-12-31"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(day(millis), wanted);
        }
        assert_eq!(minute(1_709_251_199_999), "2024-02-29 23:59");
        assert_eq!(second(1_709_251_199_999), "2024-02-29 23:59:59");
        assert_eq!(day(i64::MAX), i64::MAX.to_string());
    }
}
