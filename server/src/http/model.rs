//! What the interface says about readings and devices, as JSON. Knows how stored things are shown, not how they are fetched.

use super::{wire, words};
use crate::store::{Device as Stored, Issued, Revised};
use serde::Serialize;
use shared::calibration::{By, CalibrationRecord, Health};
use shared::message::{ProbeReport, Trouble};
use shared::sensor::{Limits, Sensor};
use shared::{Flag, Metric, Outcome, UtcMillis};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One reading: a value or a fault, never both and never neither.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Reading {
    /// What was measured.
    #[schema(value_type = words::Metric)]
    pub metric: &'static str,
    /// The unit of `value`.
    #[schema(value_type = words::Unit)]
    pub unit: &'static str,
    /// When, in milliseconds since 1970 (UTC).
    pub time: i64,
    /// How far `time` can be trusted.
    #[schema(value_type = words::ClockQuality)]
    pub clock: &'static str,
    /// The calibrated value; null if the probe failed.
    #[schema(required)]
    pub value: Option<f64>,
    /// Why there is no value; null if there is one.
    #[schema(required, value_type = Option<words::Fault>)]
    pub fault: Option<&'static str>,
    /// What the converter saw; null for a probe without a voltage.
    #[schema(required)]
    pub millivolts: Option<f64>,
    /// How far the samples behind it disagreed: their standard deviation in millivolts, if it is known.
    #[schema(required)]
    pub spread: Option<f64>,
    /// What to know before trusting the value.
    #[schema(value_type = Vec<words::Flag>)]
    pub flags: Vec<&'static str>,
    /// The recomputation that it comes from; 0: as the device sent it.
    pub revision: u32,
}

impl From<&shared::Reading> for Reading {
    fn from(reading: &shared::Reading) -> Self {
        let (value, fault) = match reading.outcome {
            Outcome::Measured(value) => (Some(value.get()), None),
            Outcome::Fault(fault) => (None, Some(fault.as_str())),
        };
        Self {
            metric: reading.metric.as_str(),
            unit: reading.metric.unit().symbol(),
            time: reading.stamp.at.0,
            clock: reading.stamp.clock.as_str(),
            value,
            fault,
            millivolts: reading.millivolts.map(shared::Value::get),
            spread: reading.spread.map(shared::Value::get),
            flags: reading.flags.iter().map(Flag::as_str).collect(),
            revision: 0,
        }
    }
}

impl From<&Revised> for Reading {
    fn from(revised: &Revised) -> Self {
        Self { revision: revised.revision, ..Self::from(&revised.reading) }
    }
}

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DeviceState)]
pub enum State {
    /// Connected, and heard from lately.
    Online,
    /// Not connected, or silent for too long.
    Offline,
    /// Enrolled, but never heard from.
    Never,
    /// Decommissioned; its data stays.
    Revoked,
    /// Two boards used its key: neither may connect until somebody approves one with a new key.
    Quarantined,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Online, Self::Offline, Self::Never, Self::Revoked, Self::Quarantined];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Never => "never",
            Self::Revoked => "revoked",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Device {
    /// Its name, such as `pi-7`.
    pub name: String,
    /// The CPU serial of the board; null: it has no board, programs hand its readings in.
    #[schema(required)]
    pub serial: Option<String>,
    /// The model of the board, as it says.
    #[schema(required)]
    pub model: Option<String>,
    /// SHA-256 of its public key, hexadecimal; empty while it is quarantined, or without a board.
    pub key_sha256: String,
    /// Its newest certificate.
    #[schema(required)]
    pub certificate: Option<Certificate>,
    /// The place where the registry says that it is.
    #[schema(required)]
    pub location: Option<String>,
    /// Degrees north (WGS 84), as the registry says.
    #[schema(required)]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[schema(required)]
    pub longitude: Option<f64>,
    /// What it is meant to measure, as the registry says.
    #[schema(value_type = Vec<words::Metric>)]
    pub metrics: Vec<&'static str>,
    /// Whatever else the registry says of it.
    pub notes: String,
    /// After how many seconds without a reading it counts as offline; null for one with a board, whose agent says how it is.
    #[schema(required)]
    pub silent_after_s: Option<i64>,
    /// Where it stands.
    pub state: State,
    /// When anything last came from it (UTC milliseconds).
    #[schema(required)]
    pub last_seen: Option<i64>,
    /// When it got its identity (UTC milliseconds).
    pub enrolled_at: i64,
    /// Whether any of its latest readings is simulated.
    pub simulated: bool,
    /// The version of its agent.
    #[schema(required)]
    pub agent: Option<String>,
    /// How far its clock can be trusted.
    #[schema(required, value_type = Option<words::ClockQuality>)]
    pub clock: Option<&'static str>,
    /// What waits on the device.
    #[schema(required)]
    pub buffer: Option<Buffer>,
    /// The local alarm: `ok`, or the word for why it can't be given, such as `no_gpio`; null if there is none.
    #[schema(required)]
    pub alarm: Option<String>,
    /// By metric: `ok`, or the fault that the last reading had.
    pub probes: BTreeMap<String, String>,
    /// What it measures with, by metric, as it last said.
    pub sensors: BTreeMap<&'static str, Probe>,
    /// The calibrations in force, by metric; a probe that is absent is not calibrated.
    pub calibrations: BTreeMap<&'static str, Calibrated>,
    /// What the device is told to do.
    pub settings: Settings,
}

/// A device's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DeviceCertificate)]
pub struct Certificate {
    /// Hexadecimal.
    pub serial_number: String,
    /// UTC milliseconds.
    pub issued_at: i64,
    /// UTC milliseconds.
    pub expires_at: i64,
    /// SHA-256 of the authority that signed it, hexadecimal.
    pub ca_sha256: String,
}

/// A probe, as its device last described it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Probe {
    /// Where its signal comes from, such as `ads1115 0x48 A0`.
    pub source: String,
    /// What its voltage means: one field, named by the kind, with the settings of that kind; null for a probe
    /// without a voltage, which can't be calibrated.
    #[schema(required, value_type = Option<Object>)]
    pub sensor: Option<Sensor>,
    /// Which values are believed.
    #[schema(required, value_type = Option<wire::Limits>)]
    pub limits: Option<Limits>,
}

/// The calibration that a probe is measured with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Calibrated {
    /// Its record.
    pub id: String,
    /// When, in milliseconds since 1970 (UTC).
    pub at: i64,
    /// Who.
    pub by: String,
    /// How the electrode was, for pH.
    #[schema(required, value_type = Option<wire::Health>)]
    pub health: Option<Health>,
}

/// The state of a device's buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BufferState)]
pub struct Buffer {
    /// Which buffer.
    pub id: String,
    /// Readings that the server has not yet acknowledged.
    pub pending: u64,
    /// Readings that were dropped because the buffer was full.
    pub dropped: u64,
    /// Why readings can't be written down now and wait in memory: `disk_full`, `card_error` or `other`.
    #[schema(required, value_type = Option<String>)]
    pub trouble: Option<Trouble>,
    /// Broken buffers that were set aside on the card and wait for somebody to look at them.
    pub set_aside: u32,
}

/// The settings of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Settings {
    /// Rises by one with each change; 0 means that nothing was ever set.
    pub version: u32,
    /// The version that the device says it runs. They wait for the device while it is lower than `version`.
    pub applied: u32,
    /// Sampling intervals in milliseconds by metric; a metric that is absent keeps the device's own.
    pub interval_ms: BTreeMap<&'static str, u64>,
}

/// What is known of a device besides its row.
#[derive(Debug, Default)]
pub struct About {
    /// Whether any of its latest readings is simulated.
    pub simulated: bool,
    /// What it measures with.
    pub probes: BTreeMap<Metric, ProbeReport>,
    /// The records in force.
    pub in_force: Vec<CalibrationRecord>,
    /// Its newest certificate.
    pub certificate: Option<Issued>,
}

impl Device {
    /// How a stored device looks at `now`.
    pub fn new(stored: &Stored, about: About, now: UtcMillis) -> Self {
        let status = stored.status.as_ref();
        // An undo of the first calibration leaves none.
        let calibrated = about.in_force.iter().filter(|record| record.calibration.is_some());
        Self {
            name: stored.name.to_string(),
            serial: stored.serial.map(String::from),
            model: stored.model.clone(),
            key_sha256: stored.public_key.clone(),
            certificate: about.certificate.map(|issued| Certificate {
                serial_number: issued.serial_number,
                issued_at: issued.issued_at,
                expires_at: issued.expires_at,
                ca_sha256: issued.ca,
            }),
            location: stored.location.clone(),
            latitude: stored.position.map(|(north, _)| north),
            longitude: stored.position.map(|(_, east)| east),
            metrics: stored.metrics.iter().map(|metric| metric.as_str()).collect(),
            notes: stored.notes.clone(),
            silent_after_s: stored.silent_after_ms.map(|ms| ms / 1000),
            state: state(stored, now),
            last_seen: stored.last_seen.map(|at| at.0),
            enrolled_at: stored.enrolled_at.0,
            simulated: about.simulated,
            agent: status.map(|s| s.agent.clone()).filter(|version| !version.is_empty()),
            clock: status.and_then(|s| s.clock).map(shared::ClockQuality::as_str),
            buffer: status.and_then(|s| s.buffer).map(|buffer| Buffer {
                id: buffer.id.to_string(),
                pending: buffer.pending,
                dropped: buffer.dropped,
                trouble: buffer.trouble,
                set_aside: buffer.set_aside,
            }),
            alarm: status.and_then(|s| s.alarm.clone()),
            probes: status.map(|s| s.probes.clone()).unwrap_or_default(),
            calibrations: calibrated
                .flat_map(|record| {
                    // What is read from the same probe is calibrated with it.
                    let sibling = record.metric.sibling().filter(|sibling| about.probes.contains_key(sibling));
                    [Some(record.metric), sibling]
                        .into_iter()
                        .flatten()
                        .map(move |m| (m.as_str(), Calibrated::from(record)))
                })
                .collect(),
            sensors: about.probes.into_iter().map(|(metric, report)| (metric.as_str(), Probe::from(report))).collect(),
            settings: Settings::from(stored),
        }
    }
}

impl From<&Stored> for Settings {
    fn from(stored: &Stored) -> Self {
        Self {
            version: stored.settings_version,
            applied: stored.status.as_ref().map_or(0, |s| s.settings),
            interval_ms: stored.intervals.iter().map(|(metric, ms)| (metric.as_str(), ms)).collect(),
        }
    }
}

impl From<ProbeReport> for Probe {
    fn from(report: ProbeReport) -> Self {
        Self { source: report.source, sensor: report.sensor, limits: report.limits }
    }
}

impl From<&CalibrationRecord> for Calibrated {
    fn from(record: &CalibrationRecord) -> Self {
        let (By::Dashboard { name } | By::Device { name }) = &record.by;
        Self { id: record.id.to_string(), at: record.stamp.at.0, by: name.clone(), health: record.health }
    }
}

/// Where a device stands at `now`.
pub fn state(stored: &Stored, now: UtcMillis) -> State {
    if stored.revoked_at.is_some() {
        State::Revoked
    } else if stored.quarantined_at.is_some() {
        State::Quarantined
    } else if stored.last_seen.is_none() {
        State::Never
    } else if stored.is_online(now) {
        State::Online
    } else {
        State::Offline
    }
}
