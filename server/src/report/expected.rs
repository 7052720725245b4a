//! How many readings were to be expected of a probe: from the interval that it was set to at each time, and where nobody set
//! one, from how far apart its readings usually are.

use crate::outage::Window;
use shared::{Metric, message::Intervals};

/// From when on a device was set to which intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Since when (UTC milliseconds).
    pub from: i64,
    /// The intervals that were set then.
    pub intervals: Intervals,
}

/// A usual distance of readings, if it can be an interval at all.
pub fn usual_ms(usual: Option<f64>) -> Option<f64> {
    let (shortest, longest) = (Intervals::SHORTEST.as_secs_f64(), Intervals::LONGEST.as_secs_f64());
    usual.filter(|usual| (shortest * 1000.0..=longest * 1000.0).contains(usual))
}

/// Readings to be expected of a metric in some times; `None` if nobody can say for a part of them. `paces` in their order.
pub fn expected(times: &[Window], metric: Metric, paces: &[Pace], usual: Option<f64>) -> Option<f64> {
    let mut sum = 0.0;
    for (n, pace) in paces.iter().enumerate() {
        let to = paces.get(n + 1).map_or(i64::MAX, |next| next.from);
        let from = if n == 0 { i64::MIN } else { pace.from };
        let part: i64 = times.iter().filter_map(|time| time.within(Window { from, to })).map(Window::ms).sum();
        if part > 0 {
            let set = pace.intervals.get(metric).map(|interval| interval.as_secs_f64() * 1000.0);
            #[allow(clippy::cast_precision_loss)] // milliseconds of years are far below 2^52
            let part = part as f64;
            sum += part / set.or(usual)?;
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(from: i64, ph_ms: Option<u64>) -> Pace {
        let mut intervals = Intervals::default();
        if let Some(ms) = ph_ms {
            intervals.set(Metric::Ph, ms).unwrap();
        }
        Pace { from, intervals }
    }

    #[test]
    fn a_time_is_divided_by_the_interval_that_was_set_then() {
        let times = [Window { from: 0, to: 60_000 }, Window { from: 90_000, to: 120_000 }];
        let paces = [pace(0, Some(1_000)), pace(30_000, Some(10_000)), pace(100_000, None)];
        assert_eq!(expected(&times, Metric::Ph, &paces[..1], None), Some(90.0));
        assert_eq!(expected(&times, Metric::Ph, &paces[..2], None), Some(36.0));
        assert_eq!(expected(&times, Metric::Ph, &paces, None), None, "nobody can say");
        assert_eq!(expected(&times, Metric::Ph, &paces, Some(5_000.0)), Some(38.0));
        assert_eq!(expected(&[], Metric::Ph, &paces, None), Some(0.0));
    }

    #[test]
    fn what_can_be_no_interval_is_not_usual() {
        assert_eq!(usual_ms(Some(10_000.0)), Some(10_000.0));
        for never in [None, Some(0.0), Some(99.0), Some(86_400_001.0)] {
            assert_eq!(usual_ms(never), None);
        }
    }
}
