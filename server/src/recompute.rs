//! History computed again from the raw millivolts, by the very code with which the agents measure. The originals stay;
//! the same request over the same data gives the same results, bit for bit. Knows no SQL and no HTTP.

use crate::audit::Actor;
use crate::digest::Sha256;
use crate::store::{KeptRecord, Results, Revised, Revision, SegmentRow, Store, StoreError, Wanted};
use shared::calibration::{Calibration, CalibrationRecord, RecordId};
use shared::sensor::{Limits, Sensor, Signal};
use shared::{BufferId, ClockQuality, Fault, Flag, Flags, Metric, Outcome, Reading, Stamp, UtcMillis, Value};
use std::collections::BTreeMap;

/// Results are made and kept for so much time at once, which bounds the memory. It divides a day.
const TOGETHER_MS: i64 = 6 * 3_600_000;
/// A temperature that was measured longer before a reading is none for it ...
const WATER_MS: i64 = 600_000;
/// ... unless the device had one: it takes a temperature for as long as three of its intervals, which may be long.
const KNOWN_WATER_MS: i64 = 3 * 3_600_000;
/// What only the device could know.
const OBSERVED: [Flag; 5] = [Flag::Simulated, Flag::Stuck, Flag::Unstable, Flag::Calibrating, Flag::Other];

/// Why nothing is computed.
#[derive(Debug, thiserror::Error)]
pub enum RecomputeError {
    /// The database failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// What the voltage meant is not known.
    #[error(
        "the device has never said what its {0} sensor is: it does so at each connection, from the version of its agent on that can be calibrated"
    )]
    NoSensor(Metric),
    /// There is no such record.
    #[error("the device has no calibration {0} of this probe: `tirta calibrations list` shows those that it has")]
    NoRecord(RecordId),
    /// The record is one of another kind of probe.
    #[error("the calibration {0} is one of another kind of probe")]
    WrongKind(RecordId),
}

/// Computes again what is wanted, and shows it when all of it is there. Who asked stands in the audit log then.
///
/// # Errors
/// When it can't be done, or the database fails: then nothing is shown.
pub async fn recompute(
    store: &Store,
    wanted: Wanted,
    actor: &Actor,
    now: UtcMillis,
) -> Result<Revision, RecomputeError> {
    let past = Past::of(store, &wanted).await?;
    let Wanted { device, metric, from, to, .. } = wanted.clone();
    let draft = store.begin_revision(wanted, now).await?;
    let (mut readings, mut changed, mut digest) = (0, 0, Sha256::new());
    let mut start = from;
    while start < to {
        // Cut by the clock, not by how the readings happen to lie in the database.
        let end = UtcMillis((start.0.div_euclid(TOGETHER_MS) + 1) * TOGETHER_MS).min(to);
        let originals = store.readings(&device, metric, (start, end), usize::MAX, Some(0)).await?;
        if originals.is_empty() {
            // There may be years until the next one.
            let next = store.readings(&device, metric, (end, to), 1, Some(0)).await?;
            start = next.first().map_or(to, |next| next.reading.stamp.at);
            continue;
        }
        let water = match metric {
            Metric::Temperature => vec![],
            _ => {
                let since = UtcMillis(start.0 - KNOWN_WATER_MS);
                store.readings(&device, Metric::Temperature, (since, end), usize::MAX, None).await?
            }
        };
        let mut water = Waters::new(&water);
        let mut results: BTreeMap<BufferId, Vec<Reading>> = BTreeMap::new();
        for Revised { reading, buffer, .. } in originals.iter().filter(|r| r.reading.millivolts.is_some()) {
            let known = !reading.flags.has(Flag::NoTemperature);
            let newest = water.at(reading.stamp.at, if known { KNOWN_WATER_MS } else { WATER_MS });
            let again = past.measure_again(reading, newest);
            readings += 1;
            changed += u64::from(again != *reading);
            results.entry(*buffer).or_default().push(again);
        }
        let mut rows = Vec::new();
        for (buffer, mut results) in results {
            results.sort_by_key(|reading| reading.seq);
            rows.extend(SegmentRow::of(device.as_str(), &buffer.to_string(), &results));
        }
        for row in &rows {
            row.digest(&mut digest);
        }
        store.add_to_revision(&draft, &rows).await?;
        start = end;
    }
    Ok(store.finish_revision(draft, Results { readings, changed, digest: digest.hex() }, actor).await?)
}

/// The water's temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Water {
    at: UtcMillis,
    celsius: f64,
    simulated: bool,
}

/// Temperatures, asked for in the order of time.
struct Waters {
    measured: Vec<Water>,
    passed: usize,
}

impl Waters {
    fn new(readings: &[Revised]) -> Self {
        let water = |reading: &Reading| match reading.outcome {
            // The thermometer was in a bath, not in the water.
            Outcome::Measured(_) if reading.flags.has(Flag::Calibrating) => None,
            Outcome::Measured(value) => {
                let simulated = reading.flags.has(Flag::Simulated);
                Some(Water { at: reading.stamp.at, celsius: value.get(), simulated })
            }
            Outcome::Fault(_) => None,
        };
        Self { measured: readings.iter().filter_map(|r| water(&r.reading)).collect(), passed: 0 }
    }

    /// The newest at or before `at`, if it is not older than `most`.
    fn at(&mut self, at: UtcMillis, most: i64) -> Option<Water> {
        while self.measured.get(self.passed).is_some_and(|water| water.at <= at) {
            self.passed += 1;
        }
        let newest = self.measured.get(self.passed.checked_sub(1)?)?;
        (at.0 - newest.at.0 <= most).then_some(*newest)
    }
}

/// What a device measured with, and when.
#[derive(Debug)]
struct Past {
    /// Oldest first; never empty.
    sensors: Vec<(UtcMillis, Sensor, Limits)>,
    with: With,
}

/// What to calibrate with.
#[derive(Debug)]
enum With {
    /// Always the same.
    One(Option<Calibration>),
    /// What was in force of the probe at the time, oldest first.
    InForce(Vec<(UtcMillis, Option<Calibration>)>),
}

impl Past {
    async fn of(store: &Store, wanted: &Wanted) -> Result<Self, RecomputeError> {
        let history = store.probe_history(&wanted.device, wanted.metric).await?;
        let sensors: Vec<_> = history
            .into_iter()
            .filter_map(|(since, report)| {
                let sensor = report.sensor?;
                let limits = report.limits.unwrap_or_else(|| sensor.law().limits());
                Some((since, sensor, limits))
            })
            .collect();
        let (_, sensor, _) = sensors.last().ok_or(RecomputeError::NoSensor(wanted.metric))?;
        let records = store.calibrations(&wanted.device).await?;
        let with = match wanted.calibration {
            Some(id) => With::One(named(&records, id, wanted.metric, sensor)?),
            None => With::InForce(in_force(&records, wanted.metric)),
        };
        Ok(Self { sensors, with })
    }

    /// A reading as it would have been; as it was where nothing better is known.
    fn measure_again(&self, original: &Reading, water: Option<Water>) -> Reading {
        let at = original.stamp.at;
        // Another fault than this one says that the voltage was no signal.
        let signal = matches!(original.outcome, Outcome::Measured(_) | Outcome::Fault(Fault::OutOfRange));
        let (Some(millivolts), true) = (original.millivolts.map(Value::get), signal) else { return *original };
        let calibration = match &self.with {
            With::One(calibration) => *calibration,
            // A time that is not to be trusted does not tell what was in force.
            With::InForce(_) if original.stamp.clock == ClockQuality::Unsynced => return *original,
            With::InForce(records) => latest(records, at).flatten(),
        };
        let Some((_, sensor, limits)) =
            self.sensors.iter().rev().find(|(since, ..)| *since <= at).or(self.sensors.first())
        else {
            return *original;
        };
        let celsius = water.map(|water| water.celsius);
        let signal = Signal { millivolts, celsius, calibration: calibration.as_ref() };
        let converted = sensor.measure(&signal, limits);
        if converted.flags.has(Flag::NoTemperature) && !original.flags.has(Flag::NoTemperature) {
            // The device knew a temperature that is not here: what it said stands, rather than a guess.
            return *original;
        }
        let made_up = water.is_some_and(|water| water.simulated)
            && converted != sensor.measure(&Signal { celsius: None, ..signal }, limits);
        let observed = OBSERVED.into_iter().filter(|flag| original.flags.has(*flag));
        let flags = observed.chain(made_up.then_some(Flag::Simulated)).fold(converted.flags, Flags::with);
        Reading { outcome: Outcome::rounded(original.metric, converted.value), flags, ..*original }
    }
}

/// The calibration of a named record.
fn named(
    records: &[KeptRecord],
    id: RecordId,
    metric: Metric,
    sensor: &Sensor,
) -> Result<Option<Calibration>, RecomputeError> {
    let of_probe = |record: &CalibrationRecord| record.metric.shares_probe(metric);
    let record = records.iter().map(|kept| &kept.record).find(|record| record.id == id && of_probe(record));
    let calibration = record.ok_or(RecomputeError::NoRecord(id))?.calibration;
    if calibration.is_some_and(|calibration| !sensor.law().takes(&calibration)) {
        return Err(RecomputeError::WrongKind(id));
    }
    Ok(calibration)
}

/// What the records of a metric's probe put into force, and when by their own times; oldest first.
fn in_force(records: &[KeptRecord], metric: Metric) -> Vec<(UtcMillis, Option<Calibration>)> {
    let since = |kept: &KeptRecord| {
        let Stamp { at, clock } = kept.record.stamp;
        // A clock that was wrong says nothing about when.
        let known = clock != ClockQuality::Unsynced && kept.record.stamp.is_plausible(kept.received_at);
        if known { at } else { kept.received_at }
    };
    let of_probe = records.iter().filter(|kept| kept.record.metric.shares_probe(metric));
    let mut in_force: Vec<(UtcMillis, Option<Calibration>)> = vec![];
    for kept in of_probe {
        // What arrives last is in force, on the device and here, also if it was made before what it replaces.
        let since = since(kept);
        in_force.retain(|(earlier, _)| *earlier < since);
        in_force.push((since, kept.record.calibration));
    }
    in_force
}

fn latest(records: &[(UtcMillis, Option<Calibration>)], at: UtcMillis) -> Option<Option<Calibration>> {
    let after = records.partition_point(|(since, _)| *since <= at);
    records.get(after.checked_sub(1)?).map(|(_, calibration)| *calibration)
}
