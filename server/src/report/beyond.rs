//! How often and how long a limit was passed, from what was judged: the alerts and the steps of their lives.

use crate::outage::{Absence, Cause, Window, union};
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
    /// The times in which it was so, or so bad; what goes on has no end.
    fn times(&self, least: Severity) -> Vec<Window> {
        let mut times: Vec<Window> = vec![];
        for (n, step) in self.steps.iter().enumerate() {
            let to = self.steps.get(n + 1).map_or(i64::MAX, |next| next.at);
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
}

/// How a side of a metric's limits was passed within a time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beyond {
    /// The times in which it was, within the time that was asked for, in their order; none touches another.
    pub times: Vec<Window>,
    /// Alerts that reach into the time.
    pub episodes: u32,
    /// Of those, how many were critical in it.
    pub critical_episodes: u32,
    /// How long in all beyond a warning's limit or worse.
    pub beyond_ms: i64,
    /// Of that, how long beyond a critical limit.
    pub critical_ms: i64,
    /// Of that, how long the device was not there and measured nothing: nobody knows what the water was like.
    pub unheard_ms: i64,
    /// The longest single time.
    pub longest: Option<Window>,
    /// Whether it goes on at the end of the time, or now if that is yet to come.
    pub ongoing: bool,
    /// How many were said to be over by hand.
    pub by_hand: u32,
    /// How many were decided by simulated readings.
    pub simulated: u32,
}

/// When nobody knows what the water was like: whoever only had no network or no server measured on, and has said so later.
pub fn unheard<'a>(absences: impl Iterator<Item = &'a Absence>) -> Vec<Window> {
    let is_silent = |absence: &&Absence| !matches!(absence.cause, Cause::Network | Cause::Server);
    union(absences.filter(is_silent).map(|absence| absence.time))
}

/// Sums up the episodes of one device, metric and side within a time; `absent` is when the device was not there, in order. What
/// several episodes say of the same moment counts once.
pub fn beyond<'a>(episodes: impl Iterator<Item = &'a Episode>, time: Window, absent: &[Window], now: i64) -> Beyond {
    let mut all = Beyond::default();
    let time = Window { from: time.from, to: time.to.min(now) };
    let (mut times, mut critical_times) = (vec![], vec![]);
    for episode in episodes {
        let warning = episode.times(Severity::Warning);
        let within = |parts: &[Window]| -> Vec<Window> { parts.iter().filter_map(|part| part.within(time)).collect() };
        let (own, critical) = (within(&warning), within(&episode.times(Severity::Critical)));
        if own.is_empty() {
            continue;
        }
        all.episodes += 1;
        all.critical_episodes += u32::from(!critical.is_empty());
        // By what was at that moment: whether one has ended since then is nothing that a report of a month may depend on.
        all.ongoing |= warning.iter().any(|part| part.from < time.to && time.to < part.to);
        all.by_hand += u32::from(episode.by_hand);
        all.simulated += u32::from(episode.simulated);
        times.extend(own);
        critical_times.extend(critical);
    }
    let total = |times: &[Window]| times.iter().map(|time| time.ms()).sum::<i64>();
    all.times = union(times.into_iter());
    all.beyond_ms = total(&all.times);
    all.critical_ms = total(&union(critical_times.into_iter()));
    for part in &all.times {
        all.unheard_ms += absent.iter().filter_map(|absent| absent.within(*part)).map(Window::ms).sum::<i64>();
        if all.longest.is_none_or(|longest| longest.ms() < part.ms()) {
            all.longest = Some(*part);
        }
    }
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
        assert_eq!((now.beyond_ms, now.ongoing), (5, true), "what goes on is known until now");
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

    #[test]
    fn whether_one_goes_on_is_said_of_the_end_of_the_time_whenever_that_is_asked() {
        let time = Window { from: 0, to: 100 };
        let ongoing = |steps: &[(i64, Option<Severity>)], now| beyond([episode(steps)].iter(), time, &[], now).ongoing;
        assert!(ongoing(&[(90, W)], 120));
        assert!(ongoing(&[(90, W), (130, None)], 150), "it has ended since then");
        assert!(!ongoing(&[(90, W), (100, None)], 150), "it ended just then");
        assert!(!ongoing(&[(90, W), (95, None), (110, W)], 150), "it was reopened after that");
        assert!(ongoing(&[(40, W)], 60) && !ongoing(&[(40, W), (50, None)], 60), "it is not yet the end");
    }

    #[test]
    fn what_two_alerts_say_of_the_same_moment_counts_once() {
        let all = [episode(&[(0, W), (10, C), (60, None)]), episode(&[(40, C), (80, W), (90, None)])];
        let found = beyond(all.iter(), Window { from: 0, to: 100 }, &[Window { from: 50, to: 70 }], 200);
        assert_eq!((found.episodes, found.critical_episodes), (2, 2));
        assert_eq!((found.beyond_ms, found.critical_ms, found.unheard_ms), (90, 70, 20));
        assert_eq!((found.longest, found.times.len()), (Some(Window { from: 0, to: 90 }), 1));
    }

    #[test]
    fn whoever_had_no_network_measured_on() {
        let gone = |from, to, cause| Absence { time: Window { from, to }, cause };
        let all = [
            gone(0, 10, Cause::Network),
            gone(20, 40, Cause::Power),
            gone(30, 50, Cause::Unknown),
            gone(60, 70, Cause::Server),
        ];
        assert_eq!(unheard(all.iter()), [Window { from: 20, to: 50 }]);
    }
}
