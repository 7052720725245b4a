//! Packs of SenML (RFC 8428, JSON): base fields resolved, names and units read as ours. Knows no HTTP.

use super::{Handed, Refusal, device, metric, reading, unit};
use serde::Deserialize;
use serde::de::IgnoredAny;
use shared::{ClockQuality, Outcome, Stamp, UtcMillis};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The content type.
pub const CONTENT_TYPE: &str = "application/senml+json";
/// The version of the RFC, which holds where none is said.
const VERSION: i64 = 10;
/// A time below is so many seconds from now (section 4.5.3).
const ABSOLUTE_S: f64 = 268_435_456.0;

/// A record as it is written. What this version does not know is ignored, unless its name ends with `_`.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = SenmlRecord)]
pub struct Record {
    /// Base name, before the name of this record and those after it.
    pub bn: Option<String>,
    /// Base time in seconds.
    pub bt: Option<f64>,
    /// Base unit.
    pub bu: Option<String>,
    /// Base value.
    pub bv: Option<f64>,
    /// Base sum: not used here.
    pub bs: Option<f64>,
    /// Version of SenML.
    pub bver: Option<i64>,
    /// Name: `DEVICE:METRIC` or `DEVICE/METRIC`, with the base name before it.
    pub n: Option<String>,
    /// Unit.
    pub u: Option<String>,
    /// Value.
    pub v: Option<f64>,
    /// Text: no metric has one.
    pub vs: Option<String>,
    /// Yes or no: no metric is.
    pub vb: Option<bool>,
    /// Bytes: no metric has any.
    pub vd: Option<String>,
    /// Sum: not used here.
    pub s: Option<f64>,
    /// Time in seconds; before 1978 it is from now.
    pub t: Option<f64>,
    /// Within so many seconds there will be another: not used here.
    pub ut: Option<f64>,
    /// Ours: it comes from a simulation, not from water.
    #[serde(default)]
    pub simulated: bool,
    /// Whatever else there is.
    #[serde(flatten)]
    #[schema(ignore)]
    pub other: BTreeMap<String, IgnoredAny>,
}

/// When a record was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Time {
    /// At this instant.
    At(UtcMillis),
    /// So many milliseconds from now; below zero: before.
    FromNow(i64),
}

/// A record for itself: the bases of those before are in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Where it stood in the pack.
    pub index: usize,
    /// The whole name.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// When.
    pub time: Time,
    /// Its value; `None`: it has none that is a number.
    pub value: Option<f64>,
    /// It comes from a simulation.
    pub simulated: bool,
}

/// Why a whole pack can't be read: what stands in one record counts for those after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unreadable {
    /// Record and label, such as `[3].bver`.
    pub field: String,
    /// What is wrong.
    pub detail: String,
}

/// The records of a pack, each for itself; those that only set bases are none.
///
/// # Errors
/// When it is of a newer version, or has a field that must be understood and is not.
pub fn resolve(pack: Vec<Record>) -> Result<Vec<Resolved>, Unreadable> {
    let (mut name, mut time, mut unit, mut value) = (String::new(), 0.0, None, 0.0);
    let mut resolved = Vec::with_capacity(pack.len());
    for (index, record) in pack.into_iter().enumerate() {
        let unreadable = |label: &str, detail: String| Unreadable { field: format!("[{index}].{label}"), detail };
        if let Some(version) = record.bver.filter(|version| !(1..=VERSION).contains(version)) {
            return Err(unreadable("bver", format!("version {version} is unknown, this server reads {VERSION}")));
        }
        if let Some(label) = record.other.keys().find(|label| label.ends_with('_')) {
            return Err(unreadable(label, "it must be understood, and this server does not know it".to_owned()));
        }
        name = record.bn.unwrap_or(name);
        time = record.bt.unwrap_or(time);
        unit = record.bu.or(unit);
        value = record.bv.unwrap_or(value);
        let is_other = record.vs.is_some() || record.vb.is_some() || record.vd.is_some() || record.s.is_some();
        if record.n.is_none() && record.v.is_none() && !is_other {
            continue;
        }
        resolved.push(Resolved {
            index,
            name: name.clone() + record.n.as_deref().unwrap_or_default(),
            unit: record.u.or_else(|| unit.clone()),
            time: moment(time + record.t.unwrap_or(0.0)),
            value: record.v.map(|v| v + value),
            simulated: record.simulated,
        });
    }
    Ok(resolved)
}

#[allow(clippy::cast_possible_truncation)] // what no i64 holds becomes its end, which is no plausible time
fn moment(seconds: f64) -> Time {
    let ms = (seconds * 1000.0).round() as i64;
    if seconds >= ABSOLUTE_S { Time::At(UtcMillis(ms)) } else { Time::FromNow(ms) }
}

impl Resolved {
    /// The reading that it is, by the receiver's clock. A time from now is as good as that clock and what the sender counted
    /// since.
    ///
    /// # Errors
    /// The label that can't be taken, and what to do.
    pub fn check(&self, now: UtcMillis) -> Result<Handed, Refusal> {
        let Some((device_name, metric_name)) = self.name.rsplit_once([':', '/']) else {
            let detail = format!("{:?} must be a device and a metric, such as well-3:ph", self.name);
            return Err(Refusal::new("malformed", "n", detail));
        };
        let device = device(device_name).map_err(|detail| Refusal::new("unknown_device", "n", detail))?;
        let metric = metric(metric_name).map_err(|detail| Refusal::new("unknown_metric", "n", detail))?;
        let Some(value) = self.value else {
            return Err(Refusal::new("malformed", "v", "a metric is a number: send v"));
        };
        let outcome = Outcome::Measured(unit::measured(metric, value, self.unit.as_deref(), "u")?);
        let stamp = match self.time {
            Time::At(at) => Stamp { at, clock: ClockQuality::Synced },
            Time::FromNow(ms) => Stamp { at: UtcMillis(now.0.saturating_add(ms)), clock: ClockQuality::Repaired },
        };
        reading(device, metric, stamp, outcome, self.simulated, ("t", now))
    }

    /// Whether its time is said from now: then a repeat of it is another reading.
    pub fn is_from_now(&self) -> bool {
        matches!(self.time, Time::FromNow(_))
    }
}

#[cfg(test)]
mod tests;
