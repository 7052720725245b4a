//! Readings as programs hand them in, and whether they can be taken: pure, by the same rules as what devices send. Knows, but
//! for the words of its description, no HTTP; no table, and not which devices there are.

pub mod senml;
pub mod unit;

use crate::http::words;
use serde::{Deserialize, Serialize};
use shared::{ClockQuality, DeviceName, Fault, Flag, Flags, Metric, Outcome, Reading, Stamp, UtcMillis};
use utoipa::ToSchema;

/// A reading of a device without a board: a value with its unit, or why there is none.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReading {
    /// Of which device.
    #[schema(value_type = words::DeviceName)]
    device: String,
    /// What was measured.
    #[schema(value_type = words::Metric)]
    metric: String,
    /// When, in milliseconds since 1970 (UTC). With device and metric it names the reading for ever.
    time: i64,
    /// How far `time` can be trusted; `synced` if absent: whoever says a time without a word answers for it.
    #[schema(value_type = Option<words::ClockQuality>)]
    clock: Option<String>,
    /// The calibrated value.
    value: Option<f64>,
    /// Its unit, which `value` needs: the one that the metric is shown in, or another that can be turned into it.
    unit: Option<String>,
    /// Why there is no value.
    #[schema(value_type = Option<words::Fault>)]
    fault: Option<String>,
    /// It comes from a simulation, not from water.
    #[serde(default)]
    simulated: bool,
}

/// A reading that can be taken, if its device can be written to.
#[derive(Debug, Clone, PartialEq)]
pub struct Handed {
    /// Of which device.
    pub device: DeviceName,
    /// It has no sequence before it is kept.
    pub reading: Reading,
}

/// Why a reading is not taken. It is stored with the answer, for whoever asks again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What is wrong, for programs.
    pub code: String,
    /// The field at fault.
    pub field: String,
    /// What is wrong and what to do, for people.
    pub detail: String,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(code: &str, field: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), field: field.to_owned(), detail: detail.into() }
    }
}

impl NewReading {
    /// The reading, by the receiver's clock.
    ///
    /// # Errors
    /// The first field that can't be taken, and what to do.
    pub fn check(self, now: UtcMillis) -> Result<Handed, Refusal> {
        let device = device(&self.device).map_err(|detail| Refusal::new("unknown_device", "device", detail))?;
        let metric = metric(&self.metric).map_err(|detail| Refusal::new("unknown_metric", "metric", detail))?;
        let clock = match self.clock.as_deref() {
            None => ClockQuality::Synced,
            Some(word) => ClockQuality::from_wire(word).ok_or_else(|| {
                Refusal::new("malformed", "clock", format!("{word:?} is none of synced, repaired, unsynced"))
            })?,
        };
        let stamp = Stamp { at: UtcMillis(self.time), clock };
        let outcome = match (self.value, self.fault) {
            (Some(value), None) => Outcome::Measured(unit::measured(metric, value, self.unit.as_deref(), "unit")?),
            (None, Some(word)) => Outcome::Fault(fault(&word)?),
            (Some(_), Some(_)) => {
                return Err(Refusal::new("malformed", "fault", "a failed reading has no value: send one of the two"));
            }
            (None, None) => return Err(Refusal::new("malformed", "value", "send a value with its unit, or a fault")),
        };
        reading(device, metric, stamp, outcome, self.simulated, ("time", now))
    }
}

/// The reading, if its time can be what it is said to be; `of`: the field of the time, and the receiver's clock.
fn reading(
    device: DeviceName,
    metric: Metric,
    stamp: Stamp,
    outcome: Outcome,
    simulated: bool,
    (field, now): (&str, UtcMillis),
) -> Result<Handed, Refusal> {
    if !stamp.is_plausible(now) {
        let detail = format!("{} ms can't be when it was measured: use UTC milliseconds of the past", stamp.at.0);
        return Err(Refusal::new("implausible_time", field, detail));
    }
    let flags = if simulated { Flags::NONE.with(Flag::Simulated) } else { Flags::NONE };
    let reading = Reading { seq: 0, stamp, metric, outcome, millivolts: None, flags, spread: None };
    Ok(Handed { device, reading })
}

fn device(name: &str) -> Result<DeviceName, String> {
    name.parse().map_err(|error: shared::id::IdError| error.to_string())
}

fn metric(name: &str) -> Result<Metric, String> {
    let known = || Metric::ALL.iter().map(|metric| metric.as_str()).collect::<Vec<_>>().join(", ");
    Metric::from_wire(name).ok_or_else(|| format!("{name:?} is no metric, use one of {}", known()))
}

fn fault(word: &str) -> Result<Fault, Refusal> {
    let known = || Fault::ALL.iter().map(|fault| fault.as_str()).collect::<Vec<_>>().join(", ");
    let fault = Fault::ALL.iter().copied().find(|fault| fault.as_str() == word);
    fault.ok_or_else(|| Refusal::new("malformed", "fault", format!("{word:?} is no fault, use one of {}", known())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: UtcMillis = UtcMillis(1_763_690_400_000);

    fn check(change: impl FnOnce(&mut Value)) -> Result<Handed, Refusal> {
        let mut body = json!({"device": "well-3", "metric": "ph", "time": NOW.0, "value": 7.02, "unit": "pH"});
        change(&mut body);
        serde_json::from_value::<NewReading>(body).unwrap().check(NOW)
    }

    #[test]
    fn a_reading_is_a_value_in_its_unit_or_a_fault_and_a_simulated_one_says_so() {
        let taken = check(|_| ()).unwrap();
        assert_eq!((taken.device.as_str(), taken.reading.metric), ("well-3", Metric::Ph));
        assert_eq!(taken.reading.stamp, Stamp { at: NOW, clock: ClockQuality::Synced });
        assert_eq!(taken.reading.flags, Flags::NONE);
        let fault = json!({"device": "well-3", "metric": "ph", "time": NOW.0, "fault": "no_answer", "simulated": true});
        let taken = check(|body| *body = fault).unwrap();
        assert_eq!(taken.reading.outcome, Outcome::Fault(Fault::NoAnswer));
        assert!(taken.reading.flags.has(Flag::Simulated));
        let unsynced = check(|body| (body["clock"], body["time"]) = (json!("unsynced"), json!(5))).unwrap();
        assert_eq!(unsynced.reading.stamp.clock, ClockQuality::Unsynced, "it claims nothing, so it may be any");
    }

    #[test]
    fn what_cannot_be_taken_is_named_with_a_code() {
        for (field, code, value) in [
            ("device", "unknown_device", json!("Well 3")),
            ("metric", "unknown_metric", json!("humidity")),
            ("time", "implausible_time", json!(NOW.0 / 1000)),
            ("time", "implausible_time", json!(NOW.0 + 2 * 86_400_000)),
            ("clock", "malformed", json!("perfect")),
            ("unit", "wrong_unit", json!("mg/L")),
            ("unit", "wrong_unit", json!(null)),
            ("value", "malformed", json!(null)),
            ("fault", "malformed", json!("no_answer")),
        ] {
            let refusal = check(|body| body[field] = value.clone()).unwrap_err();
            assert_eq!((&*refusal.field, &*refusal.code), (field, code), "{value}");
        }
        let fault = json!({"device": "well-3", "metric": "ph", "time": NOW.0, "fault": "eaten_by_fish"});
        assert_eq!(check(|body| *body = fault).unwrap_err().field, "fault");
    }
}
