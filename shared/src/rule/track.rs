//! One condition: it holds or not, and turns only after it has been otherwise for long enough. Knows no metric.

use crate::UtcMillis;
use serde::{Deserialize, Serialize};

/// The state of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Track {
    #[serde(default, rename = "r", skip_serializing_if = "std::ops::Not::not")]
    pub(super) raised: bool,
    /// Since when the opposite has held.
    #[serde(default, rename = "t", skip_serializing_if = "Option::is_none")]
    turning: Option<UtcMillis>,
}

impl Track {
    pub(super) fn is_idle(&self) -> bool {
        *self == Self::default()
    }

    /// What holds at `at`. Returns since when it has been so, if that makes it turn.
    pub(super) fn step(&mut self, at: UtcMillis, holds: bool, hold_ms: u32, clear_ms: u32) -> Option<UtcMillis> {
        if holds == self.raised {
            self.turning = None;
            return None;
        }
        // A time that runs backwards begins the wait anew: nobody knows how long it has been.
        let since = self.turning.map_or(at, |since| since.min(at));
        let wait = if holds { hold_ms } else { clear_ms };
        if at.0.saturating_sub(since.0) < i64::from(wait) {
            self.turning = Some(since);
            return None;
        }
        (self.raised, self.turning) = (holds, None);
        Some(since)
    }

    /// What has been waited for so far does not count any more.
    pub(super) fn wait_anew(&mut self) {
        self.turning = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_turns_only_after_the_time_and_a_glimpse_of_the_opposite_begins_it_anew() {
        let mut track = Track::default();
        let mut at = |ms, holds| track.step(UtcMillis(ms), holds, 1000, 500).map(|since| since.0);
        assert_eq!([at(0, true), at(999, true), at(1000, true), at(1001, true)], [None, None, Some(0), None]);
        assert_eq!([at(2000, false), at(2300, true), at(2400, false), at(2899, false)], [None; 4]);
        assert_eq!([at(2900, false), at(3000, true), at(3500, false), at(4200, true)], [Some(2400), None, None, None]);
        assert_eq!([at(10, true), at(900, true), at(1010, true)], [None, None, Some(10)], "time ran backwards");
    }
}
