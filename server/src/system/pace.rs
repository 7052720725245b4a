//! How fast things come in: what was counted in all becomes what was counted lately. Knows no counter.

use shared::UtcMillis;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So far back counts as lately for what should not happen at all.
const LATELY_MS: i64 = 600_000;
/// So far back for what goes on all the time.
const MINUTE_MS: i64 = 60_000;
/// A shorter time says nothing.
const LEAST_MS: i64 = 2_000;

/// What was counted since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// New readings.
    pub readings: u64,
    /// Batches that were committed.
    pub batches: u64,
    /// How long they took, all together.
    pub lag_ms: f64,
    /// Messages that were dropped.
    pub dropped: u64,
    /// Errors of the database.
    pub database_errors: u64,
}

/// What was counted lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recent {
    /// New readings in a minute; `None` if it was not counted for long enough.
    pub readings_per_minute: Option<f64>,
    /// How long a batch takes on average; `None` if none came.
    pub lag_ms: Option<f64>,
    /// Messages that were dropped in ten minutes.
    pub dropped: u64,
    /// Errors of the database in ten minutes.
    pub database_errors: u64,
}

/// The totals of the last minutes.
#[derive(Debug, Default)]
pub struct Pace(Mutex<VecDeque<(UtcMillis, Totals)>>);

impl Pace {
    /// Notes what was counted by now.
    pub fn note(&self, now: UtcMillis, totals: Totals) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a clock that was set back nothing can be told but from now on.
        if noted.back().is_some_and(|(at, _)| *at > now) {
            noted.clear();
        }
        // One that is older stays: lately began after it.
        while noted.get(1).is_some_and(|(at, _)| now.0 - at.0 >= LATELY_MS) {
            noted.pop_front();
        }
        noted.push_back((now, totals));
    }

    /// What was counted lately, with what is counted by now.
    pub fn recent(&self, now: UtcMillis, totals: Totals) -> Recent {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recent = Recent { readings_per_minute: None, lag_ms: None, dropped: 0, database_errors: 0 };
        let before = |ms: i64| noted.iter().rev().find(|(at, _)| now.0 - at.0 >= ms).or(noted.front());
        if let Some((at, then)) = before(MINUTE_MS).filter(|(at, _)| now.0 - at.0 >= LEAST_MS) {
            let readings = totals.readings.saturating_sub(then.readings) as f64;
            recent.readings_per_minute = Some(readings * MINUTE_MS as f64 / (now.0 - at.0) as f64);
            let batches = totals.batches.saturating_sub(then.batches);
            recent.lag_ms = (batches > 0).then(|| (totals.lag_ms - then.lag_ms).max(0.0) / batches as f64);
        }
        if let Some((_, then)) = before(LATELY_MS) {
            recent.dropped = totals.dropped.saturating_sub(then.dropped);
            recent.database_errors = totals.database_errors.saturating_sub(then.database_errors);
        }
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(readings: u64, batches: u64, lag_ms: f64, dropped: u64) -> Totals {
        Totals { readings, batches, lag_ms, dropped, database_errors: 0 }
    }

    #[test]
    fn readings_are_told_of_the_last_minute_and_what_was_dropped_of_the_last_ten() {
        let pace = Pace::default();
        for n in 0..=200_i64 {
            // A hundred readings in ten batches each five seconds, and three messages dropped at the very beginning.
            let count = u64::try_from(n).unwrap();
            pace.note(
                UtcMillis(n * 5000),
                totals(100 * count, 10 * count, 200.0 * n as f64, if n == 0 { 0 } else { 3 }),
            );
        }
        let recent = pace.recent(UtcMillis(1_000_000), totals(20_000, 2000, 40_000.0, 3));
        assert_eq!((recent.readings_per_minute, recent.lag_ms), (Some(1200.0), Some(20.0)));
        assert_eq!(recent.dropped, 0, "that was longer ago");
        assert_eq!(pace.recent(UtcMillis(1_000_000), totals(20_000, 2000, 40_000.0, 8)).dropped, 5);
        assert!(pace.0.lock().unwrap().len() < 130, "what is old is forgotten");
    }

    #[test]
    fn nothing_is_told_of_a_moment_or_of_a_clock_that_was_set_back() {
        let pace = Pace::default();
        assert_eq!(pace.recent(UtcMillis(0), totals(9, 9, 9.0, 9)).readings_per_minute, None);
        pace.note(UtcMillis(50_000), totals(500, 5, 5.0, 0));
        assert_eq!(pace.recent(UtcMillis(51_000), totals(600, 6, 6.0, 0)).readings_per_minute, None);
        pace.note(UtcMillis(10_000), totals(700, 7, 7.0, 0));
        let recent = pace.recent(UtcMillis(40_000), totals(710, 7, 7.0, 0));
        assert_eq!((recent.readings_per_minute, recent.lag_ms), (Some(20.0), None));
    }
}
