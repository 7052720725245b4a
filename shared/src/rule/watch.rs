//! One metric of one device under its threshold. It is plain data that is saved after each step, so a restart changes nothing.

use super::rate::Past;
use super::track::Track;
use super::{Kind, Seen, Severity, Side, Threshold, Transition};
use crate::reading::{Fault, Flag, Outcome};
use crate::{Metric, UtcMillis, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of one metric.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// What is raised, or on its way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kinds: BTreeMap<Kind, Levels>,
    #[serde(default, skip_serializing_if = "Past::is_empty")]
    past: Past,
    /// When a reading last came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heard: Option<UtcMillis>,
    /// Until when the device is known to have measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<UtcMillis>,
}

/// A condition in its two severities, each with its own waiting time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Levels {
    #[serde(default, rename = "w", skip_serializing_if = "Track::is_idle")]
    warning: Track,
    #[serde(default, rename = "c", skip_serializing_if = "Track::is_idle")]
    critical: Track,
}

/// Whether a condition holds in each severity, given whether it is raised; and how long it waits.
struct Step<F: Fn(Severity, bool) -> bool> {
    holds: F,
    hold_ms: u32,
    clear_ms: u32,
}

impl Levels {
    fn is_idle(&self) -> bool {
        *self == Self::default()
    }

    fn severity(&self) -> Option<Severity> {
        let critical = self.critical.raised.then_some(Severity::Critical);
        critical.or(self.warning.raised.then_some(Severity::Warning))
    }

    /// Before, after and since when, if the severity changes.
    fn step<F: Fn(Severity, bool) -> bool>(
        &mut self,
        at: UtcMillis,
        step: &Step<F>,
    ) -> Option<(Option<Severity>, Option<Severity>, UtcMillis)> {
        let before = self.severity();
        let turn = |severity, track: &mut Track| {
            let holds = (step.holds)(severity, track.raised);
            track.step(at, holds, step.hold_ms, step.clear_ms)
        };
        let warning = turn(Severity::Warning, &mut self.warning);
        let critical = turn(Severity::Critical, &mut self.critical);
        let after = self.severity();
        let since = critical.or(warning).unwrap_or(at);
        (before != after).then_some((before, after, since))
    }
}

impl Watch {
    /// How bad a kind of trouble is now, as far as it has been decided.
    pub fn severity(&self, kind: Kind) -> Option<Severity> {
        self.kinds.get(&kind)?.severity()
    }

    /// The worst of all kinds.
    pub fn worst(&self) -> Option<Severity> {
        self.kinds.values().filter_map(Levels::severity).max()
    }

    /// Takes a reading of this metric.
    pub(super) fn take(&mut self, rules: &Threshold, seen: &Seen, into: &mut Vec<Transition>) {
        let Seen { at, outcome, flags, metric } = *seen;
        let from = into.len();
        self.heard = Some(self.heard.map_or(at, |heard| heard.max(at)));
        self.pass(rules, metric, at, into);
        // A probe in a calibration is not in the water: what it says tells nothing about it.
        // Nor can what it said before be compared with what it says afterwards.
        if flags.has(Flag::Calibrating) {
            self.past.clear();
        } else {
            match outcome {
                Outcome::Measured(value) => self.take_value(rules, (metric, at, value), into),
                Outcome::Fault(fault) => self.take_fault(rules, (metric, at), Some(fault), into),
            }
        }
        into.iter_mut().skip(from).for_each(|transition| transition.simulated = flags.has(Flag::Simulated));
    }

    fn take_value(&mut self, rules: &Threshold, of: (Metric, UtcMillis, Value), into: &mut Vec<Transition>) {
        let (metric, at, value) = of;
        self.take_fault(rules, (metric, at), None, into);
        self.take_side(rules, Kind::Low, of, into);
        self.take_side(rules, Kind::High, of, into);
        let Some(rate) = rules.rate else {
            self.past.clear();
            return;
        };
        let change = self.past.change(at, value, rate.within_ms);
        // Half of it is slow again: the same as hysteresis.
        let holds = |severity, raised| {
            let least = rate.change.get() * if raised { 0.5 } else { 1.0 };
            severity == rate.severity && change > least
        };
        let step = Step { holds, hold_ms: 0, clear_ms: rules.clear_ms };
        into.extend(self.step((metric, Kind::Rate, at), &step, |_| (Some(value), Some(rate.change), None)));
    }

    fn take_side(
        &mut self,
        rules: &Threshold,
        kind: Kind,
        (metric, at, value): (Metric, UtcMillis, Value),
        into: &mut Vec<Transition>,
    ) {
        let low = kind == Kind::Low;
        let side: Side = if low { rules.low } else { rules.high };
        let holds = |severity, raised| {
            let Some(limit) = side.limit(severity).map(Value::get) else { return false };
            let margin = if raised { rules.hysteresis() } else { 0.0 };
            if low { value.get() < limit + margin } else { value.get() > limit - margin }
        };
        // Where there is no limit any more, there is nothing to wait for.
        let clear_ms = if side.is_none() { 0 } else { rules.clear_ms };
        let step = Step { holds, hold_ms: rules.hold_ms, clear_ms };
        into.extend(self.step((metric, kind, at), &step, |severity| (Some(value), side.limit(severity), None)));
    }

    fn take_fault(
        &mut self,
        rules: &Threshold,
        (metric, at): (Metric, UtcMillis),
        fault: Option<Fault>,
        into: &mut Vec<Transition>,
    ) {
        let wanted = |severity, _| fault.is_some() && rules.fault.is_some_and(|rule| rule.severity == severity);
        let hold_ms = rules.fault.map_or(0, |rule| rule.after_ms);
        let clear_ms = if rules.fault.is_none() { 0 } else { rules.clear_ms };
        let step = Step { holds: wanted, hold_ms, clear_ms };
        into.extend(self.step((metric, Kind::Fault, at), &step, |_| (None, None, fault)));
    }

    /// The device is known to have measured until `at`: whatever of this metric has not come by then is missing.
    pub(super) fn pass(&mut self, rules: &Threshold, metric: Metric, at: UtcMillis, into: &mut Vec<Transition>) {
        let after = rules.missing.map_or(0, |rule| rule.after_ms);
        let silent = self.known.is_none_or(|known| at.0.saturating_sub(known.0) > i64::from(after));
        // When the whole device was silent, that is an outage and not this metric's trouble.
        if silent || self.heard.is_some_and(|heard| heard > at) {
            self.heard = Some(at);
        }
        self.known = Some(at);
        let heard = self.heard.unwrap_or(at);
        let gone = at.0.saturating_sub(heard.0) >= i64::from(after);
        let holds = |severity, _| gone && rules.missing.is_some_and(|rule| rule.severity == severity);
        let step = Step { holds, hold_ms: 0, clear_ms: 0 };
        let told = self.step((metric, Kind::Missing, at), &step, |_| (None, None, None));
        into.extend(told.map(|told| if told.after.is_some() { Transition { since: heard, ..told } } else { told }));
    }

    /// Ends what no rule asks for any more.
    pub(super) fn end(&mut self, rules: &Threshold, metric: Metric, at: UtcMillis, into: &mut Vec<Transition>) {
        let asked = |kind| match kind {
            Kind::Low => !rules.low.is_none(),
            Kind::High => !rules.high.is_none(),
            Kind::Rate => rules.rate.is_some(),
            Kind::Missing => rules.missing.is_some(),
            Kind::Fault => rules.fault.is_some(),
        };
        for kind in Kind::ALL.into_iter().filter(|kind| !asked(*kind)) {
            let over = Step { holds: |_, _| false, hold_ms: 0, clear_ms: 0 };
            into.extend(self.step((metric, kind, at), &over, |_| (None, None, None)));
        }
    }

    /// What has been waited for so far does not count any more: the clock was set.
    pub(super) fn wait_anew(&mut self) {
        for levels in self.kinds.values_mut() {
            levels.warning.wait_anew();
            levels.critical.wait_anew();
        }
        self.kinds.retain(|_, levels| !levels.is_idle());
        self.past.clear();
        (self.heard, self.known) = (None, None);
    }

    /// One step of one kind; `about` says value, limit and fault from the severity that counts.
    fn step<F: Fn(Severity, bool) -> bool>(
        &mut self,
        (metric, kind, at): (Metric, Kind, UtcMillis),
        step: &Step<F>,
        about: impl Fn(Severity) -> About,
    ) -> Option<Transition> {
        let levels = self.kinds.entry(kind).or_default();
        let told = levels.step(at, step);
        if levels.is_idle() {
            self.kinds.remove(&kind);
        }
        let (before, after, since) = told?;
        let (value, limit, fault) = about(after.or(before).unwrap_or_default());
        Some(Transition { metric, kind, before, after, at, since, value, limit, fault, simulated: false })
    }
}

/// Value, limit and fault of a transition.
type About = (Option<Value>, Option<Value>, Option<Fault>);
