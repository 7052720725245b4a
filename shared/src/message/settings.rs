//! What the server tells a device to do: a retained message with a version that the device reports back.
//! Unknown fields are tolerated, so that an older agent runs on with newer settings.

use super::{Version, json_message, known};
use crate::Metric;
use crate::calibration::{Active, Calibration};
use crate::rule::Thresholds;
use serde::{Deserialize, Deserializer, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// Sampling intervals by metric. Each lies between [`Intervals::SHORTEST`] and [`Intervals::LONGEST`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Intervals(BTreeMap<Metric, u64>);

/// An interval that no device should run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("interval of {metric}: {ms} ms is not between 100 ms and one day")]
pub struct IntervalError {
    metric: Metric,
    ms: u64,
}

impl Intervals {
    /// 100 milliseconds: a converter at eight samples a second is not done before.
    pub const SHORTEST: Duration = Duration::from_millis(100);
    /// One day.
    pub const LONGEST: Duration = Duration::from_secs(86_400);

    /// Sets one, in milliseconds.
    ///
    /// # Errors
    /// When it is out of bounds.
    pub fn set(&mut self, metric: Metric, ms: u64) -> Result<(), IntervalError> {
        let bounds = Self::SHORTEST.as_millis()..=Self::LONGEST.as_millis();
        if !bounds.contains(&u128::from(ms)) {
            return Err(IntervalError { metric, ms });
        }
        self.0.insert(metric, ms);
        Ok(())
    }

    /// The interval of a metric, if these settings say one.
    pub fn get(&self, metric: Metric) -> Option<Duration> {
        self.0.get(&metric).map(|ms| Duration::from_millis(*ms))
    }

    /// Metric and milliseconds, in the order of the metrics.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, u64)> {
        self.0.iter().map(|(metric, ms)| (*metric, *ms))
    }
}

impl<'de> Deserialize<'de> for Intervals {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut intervals = Self::default();
        for (name, ms) in BTreeMap::<String, u64>::deserialize(from)? {
            // A metric of a newer server is none that this device could sample.
            if let Some(metric) = Metric::from_wire(&name) {
                intervals.set(metric, ms).map_err(serde::de::Error::custom)?;
            }
        }
        Ok(intervals)
    }
}

/// The settings of one device.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Settings {
    v: Version,
    /// Rises by one with each change; 0 means that the server has never set anything.
    pub version: u32,
    /// Sampling intervals in milliseconds; a metric that is absent keeps the device's own.
    #[serde(default, rename = "interval_ms")]
    pub intervals: Intervals,
    /// The calibrations in force; a probe that is absent was never calibrated.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "known")]
    pub calibrations: BTreeMap<Metric, Active>,
    /// What the device watches by itself, so that its own alarm works without a network.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "known")]
    pub thresholds: Thresholds,
}

impl Settings {
    /// Settings with a version, and neither calibrations nor thresholds yet.
    pub fn new(version: u32, intervals: Intervals) -> Self {
        Self { v: Version, version, intervals, calibrations: BTreeMap::new(), thresholds: Thresholds::new() }
    }

    /// The calibration to measure a metric with: its own, or else that of the metric which comes from the same probe.
    pub fn calibration(&self, metric: Metric) -> Option<Calibration> {
        let own = self.calibrations.get(&metric);
        own.or_else(|| self.calibrations.get(&metric.sibling()?))?.calibration
    }

    /// The calibration of each metric that has one, as [`Settings::calibration`] says.
    pub fn in_force(&self) -> BTreeMap<Metric, Calibration> {
        Metric::ALL.iter().filter_map(|metric| Some((*metric, self.calibration(*metric)?))).collect()
    }
}
json_message!(Settings);
