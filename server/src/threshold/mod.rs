//! Thresholds as people set them: for the fleet, a location or a device. Which of them holds for a device is decided here.
//! Knows no table and no HTTP.

pub mod preset;

use serde::{Deserialize, Serialize};
use shared::rule::Threshold;
use shared::sensor::Limits;
use shared::{Metric, UtcMillis, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// For what a threshold or a silence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All devices.
    Fleet,
    /// The devices that are registered at a location.
    Location,
    /// One device.
    Device,
}

impl Scope {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Location => "location",
            Self::Device => "device",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Fleet, Self::Location, Self::Device].into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A scope and which one of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// For what it is meant.
    pub scope: Scope,
    /// The name of the location or device; empty for the fleet.
    #[serde(default)]
    pub target: String,
}

impl Target {
    /// Whether it is meant for a device at a location, too.
    pub fn includes(&self, device: &str, location: Option<&str>) -> bool {
        match self.scope {
            Scope::Fleet => true,
            Scope::Location => location == Some(self.target.as_str()),
            Scope::Device => self.target == device,
        }
    }
}

/// A threshold as it was set.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// For what.
    pub target: Target,
    /// Of which metric.
    pub metric: Metric,
    /// Rises by one with each change of the same target and metric.
    pub version: u32,
    /// What is asked; `None`: it was taken away.
    pub threshold: Option<Threshold>,
    /// The preset that it was filled from.
    pub preset: Option<String>,
    /// When.
    pub changed_at: UtcMillis,
    /// By whom.
    pub changed_by: String,
}

/// What holds for a device, by metric, of all that is in force: the narrowest scope counts as a whole. What is meant for more
/// than the device counts only for what it measures, if it has said what (`measures`): of a probe that it does not have,
/// readings would be missing for ever.
pub fn effective<'a>(
    in_force: &'a [Kept],
    device: &str,
    location: Option<&str>,
    measures: Option<&[Metric]>,
) -> BTreeMap<Metric, (&'a Kept, Threshold)> {
    let mut holds: BTreeMap<Metric, (&Kept, Threshold)> = BTreeMap::new();
    for kept in in_force.iter().filter(|kept| kept.target.includes(device, location)) {
        let Some(threshold) = kept.threshold else { continue };
        let own = kept.target.scope == Scope::Device;
        if !own && measures.is_some_and(|metrics| !metrics.contains(&kept.metric)) {
            continue;
        }
        match holds.get(&kept.metric) {
            Some((other, _)) if other.target.scope > kept.target.scope => {}
            _ => {
                holds.insert(kept.metric, (kept, threshold));
            }
        }
    }
    holds
}

/// The limits that a probe can never see passed, because beyond its range a reading is a fault.
pub fn beyond(threshold: &Threshold, probe: &Limits) -> Vec<&'static str> {
    let (lowest, highest) = probe.possible;
    let limits = [
        ("low.critical", threshold.low.critical, false),
        ("low.warning", threshold.low.warning, false),
        ("high.warning", threshold.high.warning, true),
        ("high.critical", threshold.high.critical, true),
    ];
    let unseen = |limit: Option<Value>, high: bool| {
        limit.map(Value::get).is_some_and(|limit| if high { limit >= highest } else { limit <= lowest })
    };
    limits.into_iter().filter(|(_, limit, high)| unseen(*limit, *high)).map(|(field, ..)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(scope: Scope, target: &str, metric: Metric, json: Option<&str>) -> Kept {
        Kept {
            target: Target { scope, target: target.to_owned() },
            metric,
            version: 1,
            threshold: json.map(|json| serde_json::from_str(json).unwrap()),
            preset: None,
            changed_at: UtcMillis(0),
            changed_by: "admin".to_owned(),
        }
    }

    const HIGH: &str = r#"{"high":{"warning":9}}"#;
    const LOW: &str = r#"{"low":{"warning":5}}"#;

    #[test]
    fn the_narrowest_scope_counts_as_a_whole_and_what_was_taken_away_does_not() {
        let all = [
            kept(Scope::Device, "pi-1", Metric::Ph, Some(LOW)),
            kept(Scope::Fleet, "", Metric::Ph, Some(HIGH)),
            kept(Scope::Location, "Lembang", Metric::Ph, Some(HIGH)),
            kept(Scope::Device, "pi-2", Metric::Ph, None),
        ];
        let scope = |device, location| effective(&all, device, location, None)[&Metric::Ph].0.target.scope;
        assert_eq!(scope("pi-1", Some("Lembang")), Scope::Device);
        assert_eq!(effective(&all, "pi-1", None, None)[&Metric::Ph].1.high.warning, None);
        assert_eq!(scope("pi-2", Some("Lembang")), Scope::Location);
        assert_eq!(scope("pi-2", Some("Garut")), Scope::Fleet);
    }

    #[test]
    fn what_is_meant_for_many_does_not_count_for_what_a_device_does_not_measure() {
        let all =
            [kept(Scope::Fleet, "", Metric::Ph, Some(HIGH)), kept(Scope::Device, "pi-1", Metric::Tds, Some(HIGH))];
        let of = |measures: Option<&[Metric]>| effective(&all, "pi-1", None, measures).into_keys().collect::<Vec<_>>();
        assert_eq!(of(None), [Metric::Ph, Metric::Tds]);
        assert_eq!(of(Some(&[Metric::Temperature])), [Metric::Tds]);
    }

    #[test]
    fn a_limit_that_lies_where_the_probe_fails_is_named() {
        let threshold = serde_json::from_str(r#"{"low":{"warning":1,"critical":0},"high":{"critical":14}}"#).unwrap();
        let probe = Limits { possible: (0.0, 14.0), usual: (2.0, 12.0) };
        assert_eq!(beyond(&threshold, &probe), ["low.critical", "high.critical"]);
    }
}
