//! How much a value has changed within a time, from a few samples of it. Knows no limits.

use crate::{UtcMillis, Value};
use serde::{Deserialize, Serialize};

/// So many samples are kept of the time that is looked at: its state is saved with each reading, and must be small.
const SAMPLES: i64 = 16;

/// The past values that the present one is compared with, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Past(Vec<(UtcMillis, Value)>);

impl Past {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The greatest distance of `value` from what was within the time; then it is part of the past itself.
    pub(super) fn change(&mut self, at: UtcMillis, value: Value, within_ms: u32) -> f64 {
        let within = i64::from(within_ms);
        // What seems to be in the future was said by another clock.
        self.0.retain(|(then, _)| (0..=within).contains(&at.0.saturating_sub(then.0)));
        let change = self.0.iter().map(|(_, then)| (value.get() - then.get()).abs()).fold(0.0, f64::max);
        if self.0.last().is_none_or(|(last, _)| at.0 - last.0 >= within / SAMPLES) {
            self.0.push((at, value));
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_measured_against_the_whole_time_and_not_beyond_it() {
        let mut past = Past::default();
        let mut at = |second: i64, value| past.change(UtcMillis(second * 1000), Value::new(value).unwrap(), 60_000);
        assert_eq!(at(0, 7.0), 0.0);
        assert_eq!(at(30, 7.5), 0.5);
        assert_eq!(at(60, 8.0), 1.0);
        assert_eq!(at(80, 8.0), 0.5, "7.0 is longer ago than a minute");
        assert_eq!(at(5, 8.0), 0.0, "time ran backwards");
        for ms in 0..100_000 {
            past.change(UtcMillis(ms), Value::new(1.0).unwrap(), 60_000);
        }
        assert!(past.0.len() <= 17, "{}", past.0.len());
    }
}
