//! How long a past is: from when until when.

use crate::error::PlayError;
use shared::UtcMillis;
use std::str::FromStr;

/// A minute.
pub const MINUTE: i64 = 60_000;
/// An hour.
pub const HOUR: i64 = 60 * MINUTE;
/// A day.
pub const DAY: i64 = 24 * HOUR;
/// The demo's people live in western Indonesia.
pub const ZONE: i64 = 7 * HOUR;

/// A number of days, written as `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(pub u32);

impl FromStr for Days {
    type Err = PlayError;

    fn from_str(given: &str) -> Result<Self, PlayError> {
        let days = given.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| (1..=90).contains(days));
        days.map(Self).ok_or_else(|| PlayError::Span { given: given.to_owned() })
    }
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From (UTC milliseconds).
    pub from: i64,
    /// Until.
    pub to: i64,
}

impl Span {
    /// So many days that end at a time; they begin with a full minute.
    pub fn before(to: UtcMillis, Days(days): Days) -> Self {
        let from = to.0 - i64::from(days) * DAY;
        Self { from: from - from.rem_euclid(MINUTE), to: to.0 }
    }

    /// How long it is.
    pub fn ms(&self) -> i64 {
        self.to - self.from
    }

    /// A place in it: 0 at the beginning, 1 at the end.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // months have few milliseconds
    pub fn at(&self, part: f64) -> i64 {
        self.from + (self.ms() as f64 * part) as i64
    }

    /// Whether a time is in it.
    pub fn has(&self, at: i64) -> bool {
        (self.from..self.to).contains(&at)
    }
}

/// The next time after this one at which it is so late in western Indonesia.
pub fn next_hour(after: i64, hour: i64) -> i64 {
    let midnight = (after + ZONE).div_euclid(DAY) * DAY - ZONE;
    let at = midnight + hour * HOUR;
    if at > after { at } else { at + DAY }
}

/// How late it is in western Indonesia, in hours.
pub fn hour_of(at: i64) -> i64 {
    (at + ZONE).rem_euclid(DAY) / HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_ninety_days_are_understood_and_all_else_is_refused_with_what_to_write() {
        assert_eq!(["1d", "30d", "90d"].map(|text| text.parse::<Days>().unwrap().0), [1, 30, 90]);
        for bad in ["0d", "91d", "30", "d", "-1d", "1.5d", "2w", ""] {
            let error = bad.parse::<Days>().unwrap_err().to_string();
            assert!(error.contains("1d to 90d") && error.contains(&format!("{bad:?}")), "{error}");
        }
    }

    #[test]
    fn hours_are_those_of_western_indonesia() {
        // 2025-11-21T09:00:00+07:00
        let nine = 1_763_690_400_000;
        assert_eq!(hour_of(nine), 9);
        assert_eq!(next_hour(nine, 10), nine + HOUR);
        assert_eq!(next_hour(nine, 9), nine + DAY);
    }
}
