//! How often and how long a limit was passed, from what was judged: the alerts and the steps of their lives.

use crate::outage::Window;
use shared::Metric;
use shared::rule::{Kind, Severity};

/// A step in the life of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When (UTC milliseconds).
    pub at: i64,
    /// How bad it is from then on; `None`: it is over.
    pub severity: Option<Severity>,
}

/// A limit that was passed once.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// The alert.
    pub alert: i64,
    /// Of which metric.
    pub metric: Metric,
    /// Below or above.
    pub side: Kind,
    /// What happened, in its order; the first step is its beginning.
    pub steps: Vec<Step>,
    /// Whether what decided it is simulated.
    pub simulated: bool,
    /// Whether somebody said that it is over, while the rule had not found so yet.
    pub by_hand: bool,
}

impl Episode {
    /// The times in which it was so, or so bad; what goes on lasts until `now`.
    fn times(&self, least: Severity, now: i64) -> Vec<Window> {
        let mut times: Vec<Window> = vec![];
        for (n, step) in self.steps.iter().enumerate() {
            let to = self.steps.get(n + 1).map_or(now, |next| next.at);
            if step.severity.is_none_or(|severity| severity < least) || step.at >= to {
                continue;
            }
            match times.last_mut() {
                Some(last) if last.to >= step.at => last.to = last.to.max(to),
                _ => times.push(Window { from: step.at, to }),
            }
        }
        times
    }

    fn is_ongoing(&self) -> bool {
        self.steps.last().is_some_and(|step| step.severity.is_some())
    }
}

/// How a side of a metric's limits was passed within a time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beyond {
    /// The times in which it was, within the time that was asked for, in their order.
    pub times: Vec<Window>,
    /// Alerts that reach into the time.
    pub episodes: u32,
    /// Of those, how many were critical in it.
    pub critical_episodes: u32,
    /// How long in all beyond a warning's limit or worse.
    pub beyond_ms: i64,
    /// Of that, how long beyond a critical limit.
    pub critical_ms: i64,
    /// Of that, how long the device was not there: nobody knows what the water was like.
    pub unheard_ms: i64,
    /// The longest single time.
    pub longest: Option<Window>,
    /// Whether it goes on at the end of the time.
    pub ongoing: bool,
    /// How many were said to be over by hand.
    pub by_hand: u32,
    /// How many were decided by simulated readings.
    pub simulated: u32,
}

/// Sums up the episodes of one device, metric and side within a time; `absent` is when the device was not there.
pub fn beyond<'a>(episodes: impl Iterator<Item = &'a Episode>, time: Window, absent: &[Window], now: i64) -> Beyond {
    let mut all = Beyond::default();
    for episode in episodes {
        let within = |least| -> Vec<Window> {
            episode.times(least, now).into_iter().filter_map(|part| part.within(time)).collect()
        };
        let (times, critical) = (within(Severity::Warning), within(Severity::Critical));
        if times.is_empty() {
            continue;
        }
        let total = |times: &[Window]| times.iter().map(|time| time.ms()).sum::<i64>();
        all.episodes += 1;
        all.critical_episodes += u32::from(!critical.is_empty());
        all.beyond_ms += total(&times);
        all.critical_ms += total(&critical);
        for part in &times {
            all.unheard_ms += absent.iter().filter_map(|absent| absent.within(*part)).map(Window::ms).sum::<i64>();
            if all.longest.is_none_or(|longest| longest.ms() < part.ms()) {
                all.longest = Some(*part);
            }
        }
        all.ongoing |= episode.is_ongoing() && times.last().is_some_and(|last| last.to == time.to);
        all.by_hand += u32::from(episode.by_hand);
        all.simulated += u32::from(episode.simulated);
        all.times.extend(times);
    }
    all.times.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: Option<Severity> = Some(Severity::Warning);
    const C: Option<Severity> = Some(Severity::Critical);

    fn episode(steps: &[(i64, Option<Severity>)]) -> Episode {
        let steps = steps.iter().map(|(at, severity)| Step { at: *at, severity: *severity }).collect();
        Episode { alert: 1, metric: Metric::Ph, side: Kind::High, steps, simulated: false, by_hand: false }
    }

    #[test]
    fn times_are_summed_up_by_severity_and_cut_at_the_ends_of_what_is_asked() {
        let all =
            [episode(&[(0, W), (20, C), (30, W), (50, None)]), episode(&[(60, C), (70, None)]), episode(&[(90, W)])];
        let found = beyond(all.iter(), Window { from: 10, to: 100 }, &[Window { from: 40, to: 65 }], 200);
        assert_eq!((found.episodes, found.critical_episodes, found.ongoing), (3, 2, true));
        assert_eq!((found.beyond_ms, found.critical_ms, found.unheard_ms), (40 + 10 + 10, 20, 10 + 5));
        assert_eq!(found.longest, Some(Window { from: 10, to: 50 }));
        let before = beyond(all.iter(), Window { from: 50, to: 60 }, &[], 200);
        assert_eq!(before, Beyond::default(), "it touches nothing");
        let now = beyond(all[2..].iter(), Window { from: 0, to: 100 }, &[], 95);
        assert_eq!((now.beyond_ms, now.ongoing), (5, false), "what goes on is known until now");
    }

    #[test]
    fn one_that_was_reopened_was_not_so_meanwhile() {
        let all = [episode(&[(0, W), (10, None), (40, C), (50, None)])];
        let found = beyond(all.iter(), Window { from: 0, to: 100 }, &[], 200);
        assert_eq!((found.episodes, found.beyond_ms, found.critical_ms), (1, 20, 10));
        assert_eq!(found.times, [Window { from: 0, to: 10 }, Window { from: 40, to: 50 }]);
    }

    #[test]
    fn steps_of_late_data_that_do_not_stand_in_order_make_no_negative_time() {
        let all = [episode(&[(10, W), (5, C), (30, None)])];
        let found = beyond(all.iter(), Window { from: 0, to: 100 }, &[], 200);
        assert_eq!((found.beyond_ms, found.critical_ms), (25, 25));
    }
}
