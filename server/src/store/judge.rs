//! What the rules of a device say about its new readings: worked out without a database, so that server and agent can be held
//! against each other. Decides too what is late. Knows no alert.

use serde::{Deserialize, Serialize};
use shared::rule::{Kind, Seen, Thresholds, Transition, Watches};
use shared::{Flag, Metric, Outcome, Reading, UtcMillis};

/// What is decided of a time so long ago is late: nobody is told of it at once.
pub(super) const LATE_MS: i64 = 5 * 60_000;
/// A device that has been late for so long without a break has no backlog: it is always late, and waiting for it is in vain.
const ALWAYS_MS: i64 = 15 * 60_000;
/// A device that comes so much closer to now is catching up, however long that takes.
const GAIN_MS: i64 = LATE_MS;
/// After so long a silence a device that is late begins anew: it may have a backlog.
const BREAK_MS: i64 = LATE_MS;

/// How a device stands under its rules: saved in the transaction that keeps the readings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Standing {
    /// The state of its rules.
    pub(super) watches: Watches,
    /// The values furthest beyond their limits since those are passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extremes: Vec<Extreme>,
    /// The time of the reading that was taken last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) newest: Option<UtcMillis>,
    /// That what comes of it is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late: Option<Lateness>,
}

/// How long a device has been late without a break and without catching up, by the server's time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Lateness {
    since: UtcMillis,
    last: UtcMillis,
    /// How far it was behind at `since`, in milliseconds.
    behind: i64,
}

/// The value furthest beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Extreme {
    pub(super) metric: Metric,
    pub(super) kind: Kind,
    pub(super) value: f64,
}

/// What readings bring about.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// In their order; with each that ends a limit's passing, the value that was furthest beyond.
    pub(super) transitions: Vec<(Transition, Option<f64>)>,
    /// Of limits that are still passed, those whose value was never so far beyond.
    pub(super) extremes: Vec<Extreme>,
    /// Why the alerts end that end, if the readings are not why.
    pub(super) reason: Option<&'static str>,
    /// Whether a reading is late.
    pub(super) late: bool,
    /// Whether the last reading is of now: nothing late is on its way any more.
    pub(super) caught_up: bool,
}

impl Standing {
    /// Takes new readings of the device in the order of their sequence.
    pub(super) fn judge<'a>(
        &mut self,
        rules: &Thresholds,
        fresh: impl IntoIterator<Item = &'a Reading>,
        now: UtcMillis,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let mut told = Vec::new();
        let before = self.extremes.clone();
        for seen in fresh.into_iter().filter_map(Seen::of) {
            self.watches.take(rules, &seen, &mut told);
            self.newest = Some(seen.at);
            verdict.late |= is_late(seen.at, now);
            verdict.caught_up = !is_late(seen.at, now);
            for transition in told.drain(..) {
                let over = if transition.after.is_none() { self.forget(&transition) } else { None };
                verdict.transitions.push((transition, over));
            }
            self.note(&seen);
        }
        verdict.extremes = self.extremes.iter().copied().filter(|extreme| !before.contains(extreme)).collect();
        verdict
    }

    /// Takes note of whether what came at `now` was late.
    pub(super) fn note_lateness(&mut self, verdict: &Verdict, now: UtcMillis) {
        if verdict.caught_up {
            self.late = None;
        } else if verdict.late {
            let behind = now.0 - self.newest.map_or(now.0, |at| at.0);
            let goes_on = |late: &Lateness| {
                // Not if the clock was set back.
                late.since <= now && now.0 - late.last.0 <= BREAK_MS && late.behind - behind < GAIN_MS
            };
            let begun = Lateness { since: now, last: now, behind };
            self.late = Some(Lateness { last: now, ..self.late.filter(goes_on).unwrap_or(begun) });
        }
    }

    /// Whether it has been late for so long that waiting for it is in vain.
    pub(super) fn is_always_late(&self) -> bool {
        self.late.is_some_and(|late| late.last.0 - late.since.0 >= ALWAYS_MS)
    }

    /// The rules have changed: what they no longer ask for ends.
    pub(super) fn change(&mut self, rules: &Thresholds, now: UtcMillis) -> Verdict {
        let mut told = Vec::new();
        self.watches.change(rules, now, &mut told);
        let transitions = told.into_iter().map(|told| (told, self.forget(&told))).collect();
        Verdict { transitions, reason: Some("rules_changed"), ..Verdict::default() }
    }

    /// The device is known to have measured until `at`, although nothing came.
    pub(super) fn pass(&mut self, rules: &Thresholds, at: UtcMillis) -> Verdict {
        let mut told = Vec::new();
        self.watches.pass(rules, at, &mut told);
        let transitions = told.into_iter().map(|told| (told, None)).collect();
        Verdict { transitions, ..Verdict::default() }
    }

    /// Keeps the value if it is the furthest beyond a limit that is passed.
    fn note(&mut self, seen: &Seen) {
        let Outcome::Measured(value) = seen.outcome else { return };
        let Some(watch) = self.watches.get(seen.metric) else { return };
        if seen.flags.has(Flag::Calibrating) {
            return;
        }
        let (metric, value) = (seen.metric, value.get());
        for kind in [Kind::Low, Kind::High].into_iter().filter(|kind| watch.severity(*kind).is_some()) {
            match self.extremes.iter_mut().find(|known| (known.metric, known.kind) == (metric, kind)) {
                None => self.extremes.push(Extreme { metric, kind, value }),
                Some(known) if (kind == Kind::Low) == (value < known.value) => known.value = value,
                Some(_) => {}
            }
        }
    }

    fn forget(&mut self, over: &Transition) -> Option<f64> {
        let at = self.extremes.iter().position(|known| (known.metric, known.kind) == (over.metric, over.kind))?;
        Some(self.extremes.swap_remove(at).value)
    }
}

/// Whether what is decided of `at` is late.
pub(super) fn is_late(at: UtcMillis, now: UtcMillis) -> bool {
    at.0 < now.0 - LATE_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{ClockQuality, Flags, Stamp, Value};

    const NOW: i64 = 1_763_690_400_000;

    fn readings(values: &[f64]) -> Vec<Reading> {
        let of = |(n, value): (usize, &f64)| Reading {
            seq: n as u64 + 1,
            stamp: Stamp { at: UtcMillis(NOW + n as i64 * 1000), clock: ClockQuality::Synced },
            metric: Metric::Ph,
            outcome: Outcome::Measured(Value::new(*value).unwrap()),
            millivolts: None,
            flags: Flags::NONE,
            spread: None,
        };
        values.iter().enumerate().map(of).collect()
    }

    fn rules(json: &str) -> Thresholds {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_value_furthest_beyond_a_limit_is_kept_and_told_at_the_end() {
        let rules = rules(r#"{"ph":{"low":{"warning":5},"high":{"warning":9}}}"#);
        let mut standing = Standing::default();
        let verdict = standing.judge(&rules, &readings(&[9.1, 9.6, 9.3]), UtcMillis(NOW));
        assert_eq!(verdict.extremes, [Extreme { metric: Metric::Ph, kind: Kind::High, value: 9.6 }]);
        let verdict = standing.judge(&rules, &readings(&[9.4, 4.0, 3.0, 4.5]), UtcMillis(NOW));
        let ended = verdict.transitions.iter().find(|(told, _)| told.kind == Kind::High).unwrap();
        assert_eq!((ended.0.after, ended.1), (None, Some(9.6)));
        assert_eq!(verdict.extremes, [Extreme { metric: Metric::Ph, kind: Kind::Low, value: 3.0 }]);
    }

    #[test]
    fn a_batch_is_late_by_any_reading_and_caught_up_by_the_last() {
        let rules = rules(r#"{"ph":{"high":{"warning":9}}}"#);
        let judge = |now| {
            let verdict = Standing::default().judge(&rules, &readings(&[7.0, 7.0, 7.0]), UtcMillis(now));
            (verdict.late, verdict.caught_up)
        };
        assert_eq!(judge(NOW + 3000), (false, true));
        assert_eq!(judge(NOW + LATE_MS + 2000), (true, true));
        assert_eq!(judge(NOW + LATE_MS + 3000), (true, false));
    }

    #[test]
    fn a_device_is_always_late_after_a_quarter_of_an_hour_without_a_break_until_it_is_caught_up() {
        let mut standing = Standing::default();
        let late = Verdict { late: true, ..Verdict::default() };
        let mut is_always = |verdict: &Verdict, minutes: i64| {
            standing.note_lateness(verdict, UtcMillis(NOW + minutes * 60_000));
            standing.is_always_late()
        };
        for minutes in [0, 5, 10, 14] {
            assert!(!is_always(&late, minutes));
        }
        assert!(is_always(&late, 15) && is_always(&late, 20));
        assert!(is_always(&Verdict::default(), 24), "what has no time says nothing");
        assert!(!is_always(&late, 26), "six minutes of silence are a break");
        assert!(!is_always(&late, 31) && !is_always(&late, 36) && is_always(&late, 41));
        assert!(!is_always(&Verdict { late: true, caught_up: true, ..Verdict::default() }, 42));
        assert!(!is_always(&late, 43) && !is_always(&late, 2), "a clock that is set back begins anew");
        assert!(!is_always(&late, 7) && !is_always(&late, 12) && is_always(&late, 17));
    }

    #[test]
    fn a_backlog_that_takes_hours_to_send_is_one_as_long_as_it_shrinks() {
        let mut standing = Standing::default();
        let late = Verdict { late: true, ..Verdict::default() };
        let mut is_always = |minutes: i64, behind: i64| {
            standing.newest = Some(UtcMillis(NOW + (minutes - behind) * 60_000));
            standing.note_lateness(&late, UtcMillis(NOW + minutes * 60_000));
            standing.is_always_late()
        };
        assert!((0..60).all(|n| !is_always(n * 4, 360 - n * 5)));
        assert!((60..63).all(|n| !is_always(n * 4, 65)) && is_always(252, 65), "it shrinks no more");
    }

    #[test]
    fn rules_that_are_taken_away_end_what_they_raised_with_its_extreme() {
        let mut standing = Standing::default();
        standing.judge(&rules(r#"{"ph":{"high":{"warning":9}}}"#), &readings(&[9.5]), UtcMillis(NOW));
        let verdict = standing.change(&Thresholds::new(), UtcMillis(NOW + 5));
        assert_eq!(
            verdict.transitions.iter().map(|(told, extreme)| (told.after, *extreme)).collect::<Vec<_>>(),
            [(None, Some(9.5))]
        );
        assert_eq!((standing.watches, standing.extremes), (Watches::default(), vec![]));
    }
}
