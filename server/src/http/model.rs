//! What the interface says about readings and devices, as JSON. Knows how stored things are shown, not how they are fetched.

use super::words;
use crate::store::Device as Stored;
use serde::Serialize;
use shared::message::LinkState;
use shared::{Flag, Outcome, UtcMillis};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A device whose last message is older than this is not online, whatever it said: agents report at least each 30 s,
/// and the broker's last will is lost if the server was down when it was due.
pub const ONLINE_GRACE_MS: i64 = 90_000;

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
    /// What to know before trusting the value.
    #[schema(value_type = Vec<words::Flag>)]
    pub flags: Vec<&'static str>,
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
            flags: reading.flags.iter().map(Flag::as_str).collect(),
        }
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
    /// Thrown out; its data stays.
    Revoked,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Device {
    /// Its name, such as `pi-7`.
    pub name: String,
    /// The CPU serial of the board.
    pub serial: String,
    /// The place where the registry says that it is.
    #[schema(required)]
    pub location: Option<String>,
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
    /// By metric: `ok`, or the fault that the last reading had.
    pub probes: BTreeMap<String, String>,
    /// What the device is told to do.
    pub settings: Settings,
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

impl Device {
    /// How a stored device looks at `now`.
    pub fn new(stored: &Stored, simulated: bool, now: UtcMillis) -> Self {
        let status = stored.status.as_ref();
        Self {
            name: stored.name.to_string(),
            serial: stored.serial.to_string(),
            location: stored.location.clone(),
            state: state(stored, now),
            last_seen: stored.last_seen.map(|at| at.0),
            enrolled_at: stored.enrolled_at.0,
            simulated,
            agent: status.map(|s| s.agent.clone()).filter(|version| !version.is_empty()),
            clock: status.and_then(|s| s.clock).map(shared::ClockQuality::as_str),
            buffer: status.and_then(|s| s.buffer).map(|buffer| Buffer {
                id: buffer.id.to_string(),
                pending: buffer.pending,
                dropped: buffer.dropped,
            }),
            probes: status.map(|s| s.probes.clone()).unwrap_or_default(),
            settings: Settings {
                version: stored.settings_version,
                applied: status.map_or(0, |s| s.settings),
                interval_ms: stored.intervals.iter().map(|(metric, ms)| (metric.as_str(), ms)).collect(),
            },
        }
    }
}

/// Where a device stands at `now`. Readings count as a sign of life, but only its own word makes it online.
pub fn state(stored: &Stored, now: UtcMillis) -> State {
    let Some(last_seen) = stored.last_seen else {
        return if stored.revoked_at.is_some() { State::Revoked } else { State::Never };
    };
    let says_online = stored.status.as_ref().is_some_and(|status| status.state == LinkState::Online);
    let heard_lately = now.0.saturating_sub(last_seen.0) <= ONLINE_GRACE_MS;
    match stored.revoked_at {
        Some(_) => State::Revoked,
        None if says_online && heard_lately => State::Online,
        None => State::Offline,
    }
}
