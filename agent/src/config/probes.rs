//! The `[[probe]]` tables: which settings each kind and metric takes.

use super::ConfigError;
use crate::probe::ads1115::{Address, Rate, Scale, Settings};
use crate::probe::analog::{Channel, Rails};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::Metric;
use shared::message::Intervals;
use shared::sensor::{Limits, Sensor};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// What it measures.
    pub metric: Metric,
    /// How often, unless the server's settings say otherwise.
    pub interval: Duration,
    /// Where its values come from.
    pub source: Source,
}

impl Probe {
    /// What its voltage means; `None` for one without a voltage.
    pub fn sensor(&self) -> Option<Sensor> {
        match &self.source {
            Source::Ads1115 { sensor, .. } => Some(sensor.clone()),
            Source::Simulated { .. } => Sensor::usual(self.metric),
        }
    }
}

/// Where a probe's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A channel of an ADS1115.
    Ads1115 {
        /// The bus's device file.
        bus: PathBuf,
        /// How the chip is set up.
        chip: Settings,
        /// The chip's input.
        channel: Channel,
        /// What counts as no signal.
        rails: Rails,
        /// What the voltage means.
        sensor: Sensor,
        /// Which values are believed.
        limits: Limits,
    },
    /// A simulated tank.
    Simulated {
        /// Which tank.
        seed: u64,
    },
}

/// A table as it is written. What is not common to all probes is judged by kind and metric.
#[derive(Deserialize)]
pub(super) struct RawProbe {
    metric: String,
    kind: Kind,
    interval_ms: u64,
    #[serde(flatten)]
    rest: toml::Table,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Ads1115,
    Simulated,
}

/// What every probe on an ADS1115 has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAds1115 {
    bus: PathBuf,
    address: u8,
    channel: u8,
    #[serde(default = "full_scale")]
    full_scale_mv: u16,
    #[serde(default = "rate")]
    rate: u32,
    /// Of the sensor's board: an open input sits near it.
    #[serde(default = "supply")]
    supply_mv: f64,
    #[serde(default = "rail_low")]
    rail_low_mv: f64,
    rail_high_mv: Option<f64>,
}

const ADS1115_FIELDS: [&str; 8] =
    ["bus", "address", "channel", "full_scale_mv", "rate", "supply_mv", "rail_low_mv", "rail_high_mv"];

fn full_scale() -> u16 {
    4096
}
fn rate() -> u32 {
    128
}
fn supply() -> f64 {
    3300.0
}
fn rail_low() -> f64 {
    5.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSimulated {
    #[serde(default)]
    seed: u64,
}

pub(super) fn check(raw: Vec<RawProbe>) -> Result<Vec<Probe>, ConfigError> {
    let mut probes: Vec<Probe> = vec![];
    // Chips that are used, so that two probes do not set one up differently.
    let mut chips: BTreeMap<(PathBuf, Address), Settings> = BTreeMap::new();
    for (n, raw) in raw.into_iter().enumerate() {
        let name = format!("probe {} ({})", n + 1, raw.metric);
        let probe = raw.check(&name)?;
        if probes.iter().any(|other| other.metric == probe.metric) {
            return Err(ConfigError::field(name, "there is already a probe for this metric; remove one"));
        }
        if let Source::Ads1115 { bus, chip, .. } = &probe.source {
            let known = chips.entry((bus.clone(), chip.address)).or_insert(*chip);
            if known != chip {
                let problem = "probes of one chip must agree on full_scale_mv and rate";
                return Err(ConfigError::field(name, problem));
            }
        }
        probes.push(probe);
    }
    Ok(probes)
}

impl RawProbe {
    fn check(mut self, name: &str) -> Result<Probe, ConfigError> {
        let bad = |field: &str, problem: &str| ConfigError::field(format!("{name}.{field}"), problem);
        let usual = Metric::from_wire(&self.metric).and_then(Sensor::usual);
        let usual = usual.ok_or_else(|| bad("metric", &format!("use one of {}", sensors())))?;
        let mut bounds = Intervals::default();
        bounds.set(usual.metric(), self.interval_ms).map_err(|_| bad("interval_ms", "100 to 86400000 ms (one day)"))?;
        let source = match self.kind {
            Kind::Simulated => Source::Simulated { seed: table::<RawSimulated>(name, self.rest)?.seed },
            Kind::Ads1115 => {
                let mut common = toml::Table::new();
                for field in ADS1115_FIELDS {
                    if let Some(value) = self.rest.remove(field) {
                        common.insert(field.to_owned(), value);
                    }
                }
                ads1115(name, table(name, common)?, sensor(name, usual.metric(), self.rest)?)?
            }
        };
        Ok(Probe { metric: usual.metric(), interval: Duration::from_millis(self.interval_ms), source })
    }
}

fn ads1115(name: &str, raw: RawAds1115, (sensor, limits): (Sensor, Limits)) -> Result<Source, ConfigError> {
    let bad = |field: &str, problem: &str| ConfigError::field(format!("{name}.{field}"), problem);
    let address = Address::new(raw.address).ok_or_else(|| bad("address", "0x48, 0x49, 0x4a or 0x4b"))?;
    let channel = match raw.channel {
        0 => Channel::A0,
        1 => Channel::A1,
        2 => Channel::A2,
        3 => Channel::A3,
        _ => return Err(bad("channel", "0, 1, 2 or 3")),
    };
    let scale = Scale::new(raw.full_scale_mv)
        .ok_or_else(|| bad("full_scale_mv", "6144, 4096, 2048, 1024, 512 or 256; 4096 suits a 3.3 V supply"))?;
    let rate = Rate::new(raw.rate).ok_or_else(|| bad("rate", "8, 16, 32, 64, 128, 250, 475 or 860 a second"))?;
    if !(500.0..=6000.0).contains(&raw.supply_mv) {
        return Err(bad("supply_mv", "500 to 6000 mV, usually 3300 or 5000"));
    }
    // An open input sits near the supply, which is seldom exact.
    let high_mv = raw.rail_high_mv.unwrap_or(raw.supply_mv - 50.0).min(scale.highest());
    if raw.rail_low_mv.is_nan() || high_mv.is_nan() || raw.rail_low_mv >= high_mv {
        return Err(bad("rail_high_mv", "it must be above rail_low_mv"));
    }
    let rails = Rails { low_mv: raw.rail_low_mv, high_mv };
    Ok(Source::Ads1115 { bus: raw.bus, chip: Settings { address, scale, rate }, channel, rails, sensor, limits })
}

/// The settings of the sensor itself, and which values are believed.
fn sensor(name: &str, metric: Metric, mut rest: toml::Table) -> Result<(Sensor, Limits), ConfigError> {
    let own = ["possible", "usual"].map(|field| rest.remove(field).map(|value| (field, value)));
    let sensor =
        Sensor::read(metric, rest).map_err(|error: toml::de::Error| ConfigError::field(name, error.message()))?;
    let complain = |(field, problem)| ConfigError::field(format!("{name}.{field}"), problem);
    sensor.law().check().map_err(complain)?;
    let mut limits = sensor.law().limits();
    for (field, value) in own.into_iter().flatten() {
        let pair = value.try_into().map_err(|_| complain((field, "give two numbers, such as [0.0, 14.0]")))?;
        match field {
            "possible" => limits.possible = pair,
            _ => limits.usual = pair,
        }
    }
    limits.check().map_err(complain)?;
    Ok((sensor, limits))
}

/// The metrics that have a sensor, for a message.
fn sensors() -> String {
    let known = Metric::ALL.iter().filter(|metric| Sensor::usual(**metric).is_some());
    known.map(|metric| metric.as_str()).collect::<Vec<_>>().join(", ")
}

fn table<T: DeserializeOwned>(name: &str, table: toml::Table) -> Result<T, ConfigError> {
    table.try_into().map_err(|error: toml::de::Error| ConfigError::field(name, error.message()))
}
