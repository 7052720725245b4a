//! Thresholds as the interface takes and shows them: the same JSON as in a device's settings, but what is unknown is refused
//! instead of passed over.

use super::error::Problem;
use super::words;
use serde::{Deserialize, Serialize};
use shared::Value;
use shared::rule::{self, Severity};
use utoipa::ToSchema;

/// What is to hold for one metric of a device. Values are in the metric's unit, times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// What must not be fallen below.
    #[serde(default, skip_serializing_if = "Side::is_none")]
    #[schema(nullable = false, required = false)]
    pub low: Side,
    /// What must not be exceeded.
    #[serde(default, skip_serializing_if = "Side::is_none")]
    #[schema(nullable = false, required = false)]
    pub high: Side,
    /// How far a value must come back within a limit until it counts as back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, value_type = Option<f64>)]
    pub hysteresis: Option<Value>,
    /// How long a limit must be passed until that counts: a day at most.
    #[serde(default)]
    #[schema(maximum = 86400000)]
    pub hold_ms: u32,
    /// How long a value must be back until that counts: a day at most.
    #[serde(default)]
    #[schema(maximum = 86400000)]
    pub clear_ms: u32,
    /// How fast the value may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rate: Option<Change>,
    /// How long no reading may come while the device measures: half a minute to a week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub missing: Option<Lasting>,
    /// How long the probe may fail: a day at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fault: Option<Lasting>,
}

/// The limits on one side. A value that equals a limit is within it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ThresholdSide)]
pub struct Side {
    /// Beyond it somebody should look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<f64>)]
    pub warning: Option<Value>,
    /// Beyond it somebody must act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<f64>)]
    pub critical: Option<Value>,
}

impl Side {
    fn is_none(&self) -> bool {
        self.warning.is_none() && self.critical.is_none()
    }
}

/// The greatest change, up or down, within a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ThresholdRate)]
pub struct Change {
    /// More than that is too fast.
    #[schema(value_type = f64, exclusive_minimum = 0)]
    pub change: Value,
    /// The time that is looked at: ten seconds to a day.
    #[schema(minimum = 10000, maximum = 86400000)]
    pub within_ms: u32,
    /// How bad it is; a warning if absent.
    #[serde(default)]
    #[schema(value_type = words::Severity)]
    pub severity: Severity,
}

/// Something that may last so long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ThresholdLasting)]
pub struct Lasting {
    /// So long.
    #[schema(maximum = 604800000)]
    pub after_ms: u32,
    /// How bad it is; a warning if absent.
    #[serde(default)]
    #[schema(value_type = words::Severity)]
    pub severity: Severity,
}

impl From<rule::Threshold> for Threshold {
    fn from(rule: rule::Threshold) -> Self {
        let rule::Threshold { low, high, hysteresis, hold_ms, clear_ms, rate, missing, fault } = rule;
        let side = |side: rule::Side| Side { warning: side.warning, critical: side.critical };
        let lasting = |rule: rule::Lasting| Lasting { after_ms: rule.after_ms, severity: rule.severity };
        let rate = rate.map(|rule::Change { change, within_ms, severity }| Change { change, within_ms, severity });
        let (missing, fault) = (missing.map(lasting), fault.map(lasting));
        Self { low: side(low), high: side(high), hysteresis, hold_ms, clear_ms, rate, missing, fault }
    }
}

impl Threshold {
    /// The rule that it asks for, if it can hold.
    pub fn checked(self) -> Result<rule::Threshold, Problem> {
        let side = |side: Side| rule::Side { warning: side.warning, critical: side.critical };
        let lasting = |rule: Lasting| rule::Lasting { after_ms: rule.after_ms, severity: rule.severity };
        let rule = rule::Threshold {
            low: side(self.low),
            high: side(self.high),
            hysteresis: self.hysteresis,
            hold_ms: self.hold_ms,
            clear_ms: self.clear_ms,
            rate: self.rate.map(|Change { change, within_ms, severity }| rule::Change { change, within_ms, severity }),
            missing: self.missing.map(lasting),
            fault: self.fault.map(lasting),
        };
        rule.check().map_err(|(field, fix)| {
            let field = if field == "threshold" { field.to_owned() } else { format!("threshold.{field}") };
            Problem::invalid(field, fix)
        })?;
        Ok(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_a_devices_settings_and_refuses_what_is_unknown() {
        let text = r#"{"low":{"warning":5.5,"critical":5.0},"hysteresis":0.1,"hold_ms":60000,"clear_ms":0,"rate":{"change":1.0,"within_ms":60000,"severity":"critical"},"missing":{"after_ms":60000,"severity":"warning"},"fault":{"after_ms":0,"severity":"critical"}}"#;
        let rule: rule::Threshold = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&Threshold::from(rule)).unwrap(), text);
        assert_eq!(serde_json::from_str::<Threshold>(text).unwrap().checked().unwrap(), rule);
        assert!(serde_json::from_str::<Threshold>(r#"{"high":{"warn":9}}"#).is_err());
    }
}
