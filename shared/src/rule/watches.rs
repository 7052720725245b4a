//! All metrics of one device under their thresholds.

use super::{Severity, Threshold, Thresholds, Transition, Watch};
use crate::reading::{Flags, Outcome};
use crate::{Metric, Reading, UtcMillis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the rules look at of a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// What was measured.
    pub metric: Metric,
    /// When.
    pub at: UtcMillis,
    /// The value, or why there is none.
    pub outcome: Outcome,
    /// What is to be known of it.
    pub flags: Flags,
}

impl Seen {
    /// What the server looks at: nothing of a reading whose time can't be trusted, for it never alerts. (The agent does look at
    /// it: its alarm is about the present, whatever the hour.)
    pub fn of(reading: &Reading) -> Option<Self> {
        let Reading { metric, stamp, outcome, flags, .. } = *reading;
        stamp.may_alert().then_some(Self { metric, at: stamp.at, outcome, flags })
    }
}

/// The state of a device: to be saved after each step, in the transaction that keeps the readings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watches(BTreeMap<Metric, Watch>);

impl Watches {
    /// Takes a reading; adds what it brings about to `into`. It also tells how far the device has measured, and so whether
    /// another metric is missing. Readings come in the order of their sequence.
    pub fn take(&mut self, rules: &Thresholds, seen: &Seen, into: &mut Vec<Transition>) {
        for (&metric, threshold) in rules {
            let watch = self.0.entry(metric).or_default();
            if metric == seen.metric {
                watch.take(threshold, seen, into);
            } else if threshold.missing.is_some() {
                watch.pass(threshold, metric, seen.at, into);
            }
        }
    }

    /// The device is known to have measured until `at`, although nothing came.
    pub fn pass(&mut self, rules: &Thresholds, at: UtcMillis, into: &mut Vec<Transition>) {
        for (&metric, threshold) in rules.iter().filter(|(_, threshold)| threshold.missing.is_some()) {
            self.0.entry(metric).or_default().pass(threshold, metric, at, into);
        }
    }

    /// The rules have changed: what they ask for no more ends.
    pub fn change(&mut self, rules: &Thresholds, at: UtcMillis, into: &mut Vec<Transition>) {
        for (&metric, watch) in &mut self.0 {
            watch.end(rules.get(&metric).unwrap_or(&Threshold::default()), metric, at, into);
        }
        self.0.retain(|metric, _| rules.contains_key(metric));
    }

    /// The clock was set: what has been waited for so far does not count any more. What is raised stays raised.
    pub fn wait_anew(&mut self) {
        self.0.values_mut().for_each(Watch::wait_anew);
    }

    /// The state of a metric.
    pub fn get(&self, metric: Metric) -> Option<&Watch> {
        self.0.get(&metric)
    }

    /// The worst of all metrics.
    pub fn worst(&self) -> Option<Severity> {
        self.0.values().filter_map(Watch::worst).max()
    }
}
