//! Thresholds that are ready to be set, each with its source. They are only filled in: what holds is what somebody sets.

use crate::alert::Text;
use serde::Deserialize;
use shared::Metric;
use shared::rule::Threshold;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A set of thresholds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name for programs.
    pub id: String,
    /// Its name for people.
    pub name: Text,
    /// What it is for: `hydroponics`, `wastewater`, ...
    pub group: String,
    /// Rises when its values change.
    pub version: u32,
    /// Since when the values hold (`2014-10-15`), as their source says.
    pub effective: String,
    /// Where the values come from.
    pub source: String,
    /// By metric.
    pub metrics: BTreeMap<Metric, Threshold>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    preset: Vec<Preset>,
}

/// All that are built in; a test holds that they can be read.
pub fn all() -> &'static [Preset] {
    static ALL: LazyLock<Vec<Preset>> =
        LazyLock::new(|| toml::from_str::<File>(TEXT).map(|file| file.preset).unwrap_or_default());
    &ALL
}

const TEXT: &str = include_str!("../../presets.toml");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_preset_can_be_read_and_set_and_says_where_it_comes_from() {
        let file: File = toml::from_str(TEXT).unwrap();
        let ids: BTreeSet<_> = file.preset.iter().map(|preset| preset.id.as_str()).collect();
        assert_eq!(ids.len(), file.preset.len(), "two have one id");
        for preset in &file.preset {
            assert!(preset.source.len() > 20 && !preset.name.id.is_empty() && !preset.name.en.is_empty(), "{preset:?}");
            let date: Vec<_> = preset.effective.split('-').map(|part| part.parse::<u16>().unwrap()).collect();
            assert!(matches!(date[..], [2000..=2100, 1..=12, 1..=31]), "{}", preset.effective);
            assert!(!preset.metrics.is_empty());
            for (metric, threshold) in &preset.metrics {
                threshold.check().unwrap_or_else(|why| panic!("{} {metric}: {why:?}", preset.id));
            }
        }
        assert_eq!(all(), file.preset);
    }

    #[test]
    fn the_presets_of_wastewater_are_those_of_the_regulation() {
        let of = |id: &str| all().iter().find(|preset| preset.id == id).unwrap().metrics.clone();
        let high = |id, metric| of(id)[&metric].high.critical.map(shared::Value::get);
        assert_eq!(high("wastewater-class-1", Metric::Tds), Some(2000.0));
        assert_eq!(high("wastewater-class-2", Metric::Tds), Some(4000.0));
        assert_eq!(high("wastewater-class-1", Metric::Temperature), Some(38.0));
        assert_eq!(high("wastewater-class-2", Metric::Temperature), Some(40.0));
        for id in ["wastewater-class-1", "wastewater-class-2", "wastewater-domestic"] {
            let ph = of(id)[&Metric::Ph];
            assert_eq!(
                [ph.low.critical, ph.high.critical].map(|limit| limit.map(shared::Value::get)),
                [Some(6.0), Some(9.0)]
            );
        }
    }
}
