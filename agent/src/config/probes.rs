//! The `[[probe]]` tables: which settings each kind and metric takes.

mod ads1115;

pub use ads1115::Ads1115;

use super::ConfigError;
use crate::probe::simulated::Water;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::Metric;
use shared::message::Intervals;
use shared::sensor::{Limits, Sensor};
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
            Source::Ads1115(ads) => Some(ads.sensor.clone()),
            Source::W1(_) => None,
            Source::Simulated { .. } => Sensor::usual(self.metric),
        }
    }
}

/// Where a probe's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A channel of an ADS1115.
    Ads1115(Ads1115),
    /// A DS18B20 on the 1-wire bus.
    W1(W1),
    /// A simulated tank.
    Simulated {
        /// Which tank.
        seed: u64,
        /// Whether its electrodes are worn, so that calibrating them changes something.
        worn: bool,
        /// What the tank is there for.
        water: Water,
    },
}

/// A thermometer on the 1-wire bus.
#[derive(Debug, Clone, PartialEq)]
pub struct W1 {
    /// As the kernel names it; `None`: the only one on the bus.
    pub id: Option<String>,
    /// Which values are believed.
    pub limits: Limits,
    /// Flagged as unstable when it changes faster, in degrees; `None`: never.
    pub max_change_per_minute: Option<f64>,
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
    W1,
    Simulated,
}

/// The shortest interval of a simulated probe.
const SHORTEST_SIMULATED_MS: u64 = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSimulated {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    worn: bool,
    #[serde(default)]
    water: Water,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawW1 {
    id: Option<String>,
    max_change_per_minute: Option<f64>,
}

pub(super) fn check(raw: Vec<RawProbe>) -> Result<Vec<Probe>, ConfigError> {
    let mut probes: Vec<Probe> = vec![];
    for (n, raw) in raw.into_iter().enumerate() {
        let name = format!("probe {} ({})", n + 1, raw.metric);
        let probe = raw.check(&name)?;
        for other in &probes {
            probe.beside(other).map_err(|problem| ConfigError::field(&name, problem))?;
        }
        probes.push(probe);
    }
    Ok(probes)
}

impl Probe {
    /// Whether it can be there beside another; else why not.
    fn beside(&self, other: &Self) -> Result<(), String> {
        let (own, others) = (self.metric, other.metric);
        if own == others {
            return Err("there is already a probe for this metric; remove one".to_owned());
        }
        let same = match (&self.source, &other.source) {
            (Source::Ads1115(this), Source::Ads1115(that)) => this.same_channel(that),
            (Source::Simulated { .. }, Source::Simulated { .. }) => return Ok(()),
            _ => false,
        };
        match (own.sibling() == Some(others), same) {
            (false, true) => Err(format!("{others} is on the same channel; give each its own")),
            // One calibration is for both, so they have to be one probe.
            (true, false) => Err(format!("it must be on the same channel as {others}: both are read from one probe")),
            _ => Ok(()),
        }
    }
}

impl RawProbe {
    fn check(self, name: &str) -> Result<Probe, ConfigError> {
        let bad = |field: &str, problem: &str| ConfigError::field(format!("{name}.{field}"), problem);
        let usual = Metric::from_wire(&self.metric).and_then(Sensor::usual);
        let usual = usual.ok_or_else(|| bad("metric", &format!("use one of {}", sensors())))?;
        let metric = usual.metric();
        // A simulated tank needs no time to convert: a day of it can pass in minutes.
        let quick = matches!(self.kind, Kind::Simulated) && self.interval_ms >= SHORTEST_SIMULATED_MS;
        if !quick || self.interval_ms > 100 {
            let set = Intervals::default().set(metric, self.interval_ms);
            set.map_err(|_| bad("interval_ms", "100 to 86400000 ms (one day); simulated ones from 10 ms"))?;
        }
        let interval = Duration::from_millis(self.interval_ms);
        let source = match self.kind {
            Kind::Simulated => {
                let RawSimulated { seed, worn, water } = table(name, self.rest)?;
                Source::Simulated { seed, worn, water }
            }
            Kind::W1 if metric != Metric::Temperature => {
                return Err(bad("kind", "a probe on the 1-wire bus measures temperature"));
            }
            Kind::W1 => Source::W1(w1(name, &usual, self.rest)?),
            Kind::Ads1115 => Source::Ads1115(ads1115::check(name, metric, interval, self.rest)?),
        };
        Ok(Probe { metric, interval, source })
    }
}

fn w1(name: &str, thermometer: &Sensor, mut rest: toml::Table) -> Result<W1, ConfigError> {
    let limits = Believed::take(name, &mut rest)?.of(name, thermometer)?;
    let RawW1 { id, max_change_per_minute } = table(name, rest)?;
    let is_id = |id: &String| {
        id.strip_prefix("28-").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    if !id.as_ref().is_none_or(is_id) {
        let problem = "give the name below /sys/bus/w1/devices, such as \"28-0316a2798b2f\", or leave it out";
        return Err(ConfigError::field(format!("{name}.id"), problem));
    }
    Ok(W1 { id, limits, max_change_per_minute: pace(name, max_change_per_minute)? })
}

/// What a table says of the values to be believed.
struct Believed {
    possible: Option<(f64, f64)>,
    usual: Option<(f64, f64)>,
}

impl Believed {
    /// Takes `possible` and `usual` out of a table.
    fn take(name: &str, rest: &mut toml::Table) -> Result<Self, ConfigError> {
        let mut pair = |field: &str| {
            let pair = rest.remove(field).map(toml::Value::try_into).transpose();
            pair.map_err(|_| ConfigError::field(format!("{name}.{field}"), "give two numbers, such as [0.0, 14.0]"))
        };
        Ok(Self { possible: pair("possible")?, usual: pair("usual")? })
    }

    /// The limits of a sensor; what is absent is its own.
    fn of(self, name: &str, sensor: &Sensor) -> Result<Limits, ConfigError> {
        let mut limits = sensor.law().limits();
        if let Some(possible) = self.possible {
            limits.possible = possible;
            let (low, high) = (limits.usual.0.max(possible.0), limits.usual.1.min(possible.1));
            limits.usual = if low < high { (low, high) } else { possible };
        }
        limits.usual = self.usual.unwrap_or(limits.usual);
        let complain = |(field, problem)| ConfigError::field(format!("{name}.{field}"), problem);
        limits.check().map_err(complain).map(|()| limits)
    }
}

fn pace(name: &str, per_minute: Option<f64>) -> Result<Option<f64>, ConfigError> {
    // NaN is not above 0.
    if per_minute.is_none_or(|limit| limit > 0.0 && limit.is_finite()) {
        return Ok(per_minute);
    }
    Err(ConfigError::field(format!("{name}.max_change_per_minute"), "give a number above 0, or leave it out"))
}

/// The metrics that have a sensor, for a message.
fn sensors() -> String {
    let known = Metric::ALL.iter().filter(|metric| Sensor::usual(**metric).is_some());
    known.map(|metric| metric.as_str()).collect::<Vec<_>>().join(", ")
}

fn table<T: DeserializeOwned>(name: &str, table: toml::Table) -> Result<T, ConfigError> {
    table.try_into().map_err(|error| unreadable(name, &error))
}

/// The message has the field in a line of its own.
fn unreadable(name: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError::field(name, error.to_string().trim().replace('\n', " "))
}
