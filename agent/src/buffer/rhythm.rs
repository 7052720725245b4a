//! When a commit is due. Pure: the present is an argument.
//!
//! Each commit wears the card, so readings wait for a common one; what is news (a probe's fault begins or
//! ends, a probe is heard for the first time, a limit is passed) does not wait. A probe that flaps must not wear the card
//! either: so many news are quick, the rest waits like everything else.

use super::Measured;
use crate::allowance::Allowance;
use shared::Metric;
use shared::reading::{Fault, Outcome};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long news waits, so that several probes that fail together cost one commit.
const NEWS: Duration = Duration::from_millis(500);
#[derive(Debug)]
pub(super) struct Rhythm {
    every: Duration,
    due: Option<Instant>,
    /// What each probe's last reading failed with.
    faults: BTreeMap<Metric, Option<Fault>>,
    /// Commits that news may cause.
    news: Allowance,
}

impl Rhythm {
    /// Readings are committed together this often.
    pub(super) fn new(every: Duration) -> Self {
        Self { every, due: None, faults: BTreeMap::new(), news: Allowance::default() }
    }

    /// How long a reading waits at most.
    pub(super) fn every(&self) -> Duration {
        self.every
    }

    /// A reading was taken, which may be news whatever it says.
    pub(super) fn taken(&mut self, measured: &Measured, news: bool, now: Instant) {
        let fault = match measured.sample.outcome {
            Outcome::Fault(fault) => Some(fault),
            Outcome::Measured(_) => None,
        };
        let is_news = self.faults.insert(measured.metric, fault) != Some(fault) || news;
        let soon = now + NEWS;
        let waits = self.due.is_none_or(|due| due > soon) && NEWS < self.every;
        if is_news && waits && self.news.take(now) {
            self.within(NEWS, now);
        } else {
            self.within(self.every, now);
        }
    }

    /// Something else asks for a commit.
    pub(super) fn within(&mut self, time: Duration, now: Instant) {
        let due = now + time;
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    /// The commit is done, or was tried.
    pub(super) fn done(&mut self) {
        self.due = None;
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// How long nothing is due.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        self.due.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Sample;
    use crate::time::{Moment, Ticks};
    use shared::reading::Flags;
    use shared::{ClockQuality, Stamp, UtcMillis};

    const MINUTE: Duration = Duration::from_secs(60);

    fn measured(metric: Metric, fault: Option<Fault>) -> Measured {
        let sample = fault.map_or_else(|| Sample::new(metric, Ok(7.0), None, Flags::NONE), Sample::fault);
        let stamp = Stamp { at: UtcMillis(0), clock: ClockQuality::Synced };
        Measured { moment: Moment { stamp, ticks: Ticks(0) }, metric, sample }
    }

    /// Commits of a probe that is sampled every ten seconds.
    fn commits(samples: u32, fault: impl Fn(u32) -> Option<Fault>) -> u32 {
        let (mut rhythm, mut now, mut commits) = (Rhythm::new(MINUTE), Instant::now(), 0);
        for n in 0..samples {
            for metric in [Metric::Ph, Metric::Tds] {
                rhythm.taken(&measured(metric, fault(n)), false, now);
            }
            for _ in 0..10 {
                now += Duration::from_secs(1);
                if rhythm.is_due(now) {
                    rhythm.done();
                    commits += 1;
                }
            }
        }
        commits
    }

    #[test]
    fn a_quiet_day_has_a_commit_a_minute() {
        let commits = commits(8_640, |_| None);
        assert!((1_200..=1_441).contains(&commits), "{commits}");
    }

    #[test]
    fn a_probe_that_flaps_all_day_costs_a_fifth_more_at_most() {
        let commits = commits(8_640, |n| n.is_multiple_of(2).then_some(Fault::NoAnswer));
        assert!(commits < 1_440 + 300, "{commits}");
    }

    #[test]
    fn a_fault_that_begins_or_ends_is_committed_at_once_and_one_that_lasts_is_not() {
        let (mut rhythm, mut now) = (Rhythm::new(MINUTE), Instant::now());
        let faults = [None, None, Some(Fault::NoAnswer), Some(Fault::NoAnswer), Some(Fault::RailLow), None, None];
        let mut hurried = vec![];
        for fault in faults {
            rhythm.taken(&measured(Metric::Ph, fault), false, now);
            now += Duration::from_secs(1);
            hurried.push(rhythm.is_due(now));
            rhythm.done();
        }
        assert_eq!(hurried, [true, false, true, false, true, true, false]);
    }

    #[test]
    fn the_earliest_wish_counts() {
        let (mut rhythm, now) = (Rhythm::new(MINUTE), Instant::now());
        assert!(!rhythm.is_due(now + MINUTE * 600));
        rhythm.within(MINUTE, now);
        rhythm.within(MINUTE / 2, now);
        rhythm.within(MINUTE * 9, now);
        assert_eq!(rhythm.patience(now), MINUTE / 2);
        assert!(rhythm.is_due(now + MINUTE / 2));
    }
}
