//! What is to hold for a metric: limits, how long, how fast, and how long without a value. Knows no state.

use super::Severity;
use crate::{Metric, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The thresholds of a device, by metric.
pub type Thresholds = BTreeMap<Metric, Threshold>;

/// What is to hold for one metric of a device. Values are in the metric's unit, times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Threshold {
    /// What must not be fallen below.
    #[serde(default, skip_serializing_if = "Side::is_none")]
    pub low: Side,
    /// What must not be exceeded.
    #[serde(default, skip_serializing_if = "Side::is_none")]
    pub high: Side,
    /// How far a value must come back within a limit until it counts as back: noise around the limit is one alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hysteresis: Option<Value>,
    /// How long a limit must be passed until that counts.
    #[serde(default)]
    pub hold_ms: u32,
    /// How long a value must be back until that counts.
    #[serde(default)]
    pub clear_ms: u32,
    /// How fast the value may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Change>,
    /// How long no reading may come while the device measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Lasting>,
    /// How long the probe may fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Lasting>,
}

/// The limits on one side. A value that equals a limit is within it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Side {
    /// Beyond it somebody should look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<Value>,
    /// Beyond it somebody must act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<Value>,
}

impl Side {
    /// Whether there is no limit on this side.
    pub fn is_none(&self) -> bool {
        self.warning.is_none() && self.critical.is_none()
    }

    /// The limit of a severity.
    pub fn limit(&self, severity: Severity) -> Option<Value> {
        match severity {
            Severity::Warning => self.warning,
            Severity::Critical => self.critical,
        }
    }
}

/// The greatest change, up or down, within a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// In the metric's unit; more than that is too fast.
    pub change: Value,
    /// The time that is looked at.
    pub within_ms: u32,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
}

/// Something that may last so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasting {
    /// So long.
    pub after_ms: u32,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
}

const DAY_MS: u32 = 86_400_000;

impl Threshold {
    /// Whether nothing is asked.
    pub fn is_none(&self) -> bool {
        let Self { low, high, rate, missing, fault, .. } = self;
        low.is_none() && high.is_none() && rate.is_none() && missing.is_none() && fault.is_none()
    }

    /// How far a value must come back.
    pub fn hysteresis(&self) -> f64 {
        self.hysteresis.map_or(0.0, Value::get)
    }

    /// Checks what comes from outside.
    ///
    /// # Errors
    /// The field that is wrong, and what to do about it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let Self { low, high, rate, missing, fault, .. } = self;
        if self.is_none() {
            return Err((
                "threshold",
                "it asks for nothing: give a limit, a rate, missing data or a fault, or remove it",
            ));
        }
        let rising = [
            (low.critical, "low.critical", "it must be below the other limits"),
            (low.warning, "low.warning", "it must lie between low.critical and the high limits"),
            (high.warning, "high.warning", "it must lie between the low limits and high.critical"),
            (high.critical, "high.critical", "it must be above the other limits"),
        ];
        let mut last: Option<f64> = None;
        for (limit, field, fix) in rising {
            let Some(limit) = limit.map(Value::get) else { continue };
            if last.is_some_and(|last| last >= limit) {
                return Err((field, fix));
            }
            last = Some(limit);
        }
        let width = self.hysteresis();
        let (floor, ceiling) = (low.warning.or(low.critical), high.warning.or(high.critical));
        let room = floor.zip(ceiling).map(|(floor, ceiling)| ceiling.get() - floor.get());
        if width < 0.0 || room.is_some_and(|room| 2.0 * width >= room) {
            return Err(("hysteresis", "it must be 0 or more, and leave room between the low and the high limit"));
        }
        if self.hold_ms > DAY_MS || self.clear_ms > DAY_MS {
            let field = if self.hold_ms > DAY_MS { "hold_ms" } else { "clear_ms" };
            return Err((field, "it may be a day (86400000) at most"));
        }
        if rate.is_some_and(|rate| rate.change.get() <= 0.0) {
            return Err(("rate.change", "it must be more than 0"));
        }
        if rate.is_some_and(|rate| !(10_000..=DAY_MS).contains(&rate.within_ms)) {
            return Err(("rate.within_ms", "it must be between ten seconds (10000) and a day (86400000)"));
        }
        if missing.is_some_and(|missing| !(30_000..=7 * DAY_MS).contains(&missing.after_ms)) {
            return Err(("missing.after_ms", "it must be between half a minute (30000) and a week (604800000)"));
        }
        if fault.is_some_and(|fault| fault.after_ms > DAY_MS) {
            return Err(("fault.after_ms", "it may be a day (86400000) at most"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Threshold {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_threshold_that_can_not_hold_is_refused_by_its_field() {
        for (json, field) in [
            ("{}", "threshold"),
            (r#"{"hold_ms":1000}"#, "threshold"),
            (r#"{"low":{"warning":5,"critical":6}}"#, "low.warning"),
            (r#"{"low":{"warning":9},"high":{"warning":9}}"#, "high.warning"),
            (r#"{"high":{"warning":9,"critical":8}}"#, "high.critical"),
            (r#"{"high":{"warning":9},"hysteresis":-1}"#, "hysteresis"),
            (r#"{"low":{"warning":6},"high":{"warning":7},"hysteresis":0.5}"#, "hysteresis"),
            (r#"{"high":{"warning":9},"clear_ms":86400001}"#, "clear_ms"),
            (r#"{"rate":{"change":0,"within_ms":60000}}"#, "rate.change"),
            (r#"{"rate":{"change":1,"within_ms":1}}"#, "rate.within_ms"),
            (r#"{"missing":{"after_ms":1000}}"#, "missing.after_ms"),
            (r#"{"fault":{"after_ms":86400001}}"#, "fault.after_ms"),
        ] {
            assert_eq!(read(json).check().unwrap_err().0, field, "{json}");
        }
    }

    #[test]
    fn a_threshold_reads_back_what_it_wrote_and_leaves_out_what_is_not_asked() {
        let text = r#"{"low":{"warning":5.5,"critical":5.0},"high":{"warning":6.5},"hysteresis":0.1,"hold_ms":60000,"clear_ms":0,"fault":{"after_ms":60000,"severity":"critical"}}"#;
        assert!(read(text).check().is_ok());
        assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
        assert!(serde_json::from_str::<Threshold>(r#"{"high":{"warning":1e999}}"#).is_err());
    }
}
