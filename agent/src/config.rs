//! The configuration file: its form, its checks and its messages, which name the field and the fix.
//! Knows nothing of what is done with it. The probes' part is in `probes`.

mod alarm;
mod lamp;
mod probes;
mod server;

pub use alarm::{Alarm, AlarmKind, FailSafe};
pub use lamp::Lamp;
pub use probes::{Ads1115, Probe, Source, W1};
pub use server::{Configured, Token};
pub(crate) use server::{parse_sha256, parse_url};

use crate::time::{Discipline, TIMESYNC_FILE};
use serde::Deserialize;
use shared::{Metric, Serial, message};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that an administrator can set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where identity, settings and buffer live.
    pub data_dir: PathBuf,
    /// What is logged: a level, or directives such as `info,agent=debug`.
    pub log: String,
    /// A serial instead of the board's; only where every probe is simulated.
    pub serial: Option<Serial>,
    /// The server, as far as this file names it.
    pub server: Configured,
    /// Where a fleet file may be, the first one that can be used counts; `*` stands for any folder.
    pub fleet_files: Vec<PathBuf>,
    /// The buffer.
    pub buffer: Buffer,
    /// The uplink.
    pub uplink: Uplink,
    /// How to judge the clock.
    pub discipline: Discipline,
    /// The local alarm, if one is connected.
    pub alarm: Option<Alarm>,
    /// The LED that shows how the device is.
    pub lamp: Lamp,
    /// The probes, at most one for each metric.
    pub probes: Vec<Probe>,
}

/// Limits of the buffer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Buffer {
    /// Beyond so many readings the oldest are dropped and counted.
    pub max_readings: u64,
    /// Readings are committed together this often, but what is news at once: each commit wears the card,
    /// and a reading is sent only once it is committed.
    pub commit_ms: u64,
    /// Whether readings stay after the acknowledgement, for audits and tests.
    pub keep_acknowledged: bool,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { max_readings: 2_000_000, commit_ms: 60_000, keep_acknowledged: false }
    }
}

/// How readings are sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Uplink {
    /// Most readings in a message.
    pub batch: usize,
    /// A batch that is not acknowledged in this time is sent again.
    pub ack_timeout_ms: u64,
    /// The first delay after a failure.
    pub backoff_min_ms: u64,
    /// The longest delay.
    pub backoff_max_ms: u64,
}

impl Default for Uplink {
    fn default() -> Self {
        Self { batch: 500, ack_timeout_ms: 10_000, backoff_min_ms: 500, backoff_max_ms: 60_000 }
    }
}

impl Uplink {
    /// The time after which a batch is sent again.
    pub fn ack_timeout(&self) -> Duration {
        Duration::from_millis(self.ack_timeout_ms)
    }

    /// A delay within these limits.
    pub fn backoff(&self) -> crate::backoff::Backoff {
        let ms = Duration::from_millis;
        crate::backoff::Backoff::new(ms(self.backoff_min_ms), ms(self.backoff_max_ms))
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("configuration {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not TOML, or has a field that there is not.
    #[error("configuration: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A field has a value that makes no sense.
    #[error("configuration: {field}: {problem}")]
    Field {
        /// Which one.
        field: String,
        /// What is wrong and what to do about it.
        problem: String,
    },
}

impl ConfigError {
    fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// With the field and what to do about it.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
        text.parse()
    }

    /// Takes this serial instead of the board's.
    ///
    /// # Errors
    /// When there is a real probe: its readings would be another board's.
    pub fn simulate(&mut self, serial: Serial) -> Result<(), ConfigError> {
        if !is_simulated(&self.probes) {
            return Err(ConfigError::field("serial", "a device with real probes has its board's serial"));
        }
        self.serial = Some(serial);
        Ok(())
    }
}

fn is_simulated(probes: &[Probe]) -> bool {
    probes.iter().all(|probe| matches!(probe.source, Source::Simulated { .. }))
}

impl std::str::FromStr for Config {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text)?;
        let probes = probes::check(raw.probe)?;
        if raw.serial.is_some() && !is_simulated(&probes) {
            let problem = "a device with real probes has its board's serial; remove the line";
            return Err(ConfigError::field("serial", problem));
        }
        raw.alarm.as_ref().map_or(Ok(()), |alarm| alarm::check(alarm, &probes))?;
        check_buffer(&raw.buffer)?;
        check_uplink(&raw.uplink)?;
        Ok(Self {
            data_dir: raw.data_dir,
            log: raw.log,
            serial: raw.serial,
            server: raw.server.check()?,
            fleet_files: raw.fleet.check()?,
            buffer: raw.buffer,
            uplink: raw.uplink,
            discipline: raw.clock.discipline(),
            alarm: raw.alarm,
            lamp: raw.lamp.check()?,
            probes,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    data_dir: PathBuf,
    #[serde(default = "info")]
    log: String,
    serial: Option<Serial>,
    #[serde(default)]
    server: server::RawServer,
    #[serde(default)]
    fleet: server::RawFleet,
    #[serde(default)]
    buffer: Buffer,
    #[serde(default)]
    uplink: Uplink,
    #[serde(default)]
    clock: RawClock,
    alarm: Option<Alarm>,
    #[serde(default)]
    lamp: lamp::RawLamp,
    #[serde(default)]
    probe: Vec<probes::RawProbe>,
}

fn info() -> String {
    "info".to_owned()
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawClock {
    assume_synced: bool,
    synced_file: Option<PathBuf>,
}

impl RawClock {
    fn discipline(self) -> Discipline {
        if self.assume_synced {
            Discipline::Assumed
        } else {
            Discipline::File(self.synced_file.unwrap_or_else(|| PathBuf::from(TIMESYNC_FILE)))
        }
    }
}

fn check_buffer(buffer: &Buffer) -> Result<(), ConfigError> {
    if buffer.max_readings < 100 {
        return Err(ConfigError::field("buffer.max_readings", "at least 100 readings must fit"));
    }
    if !(10..=600_000).contains(&buffer.commit_ms) {
        return Err(ConfigError::field("buffer.commit_ms", "10 to 600000 ms"));
    }
    Ok(())
}

fn check_uplink(uplink: &Uplink) -> Result<(), ConfigError> {
    if !(1..=message::MAX_READINGS).contains(&uplink.batch) {
        return Err(ConfigError::field("uplink.batch", format!("1 to {} readings", message::MAX_READINGS)));
    }
    if !(100..=600_000).contains(&uplink.ack_timeout_ms) {
        return Err(ConfigError::field("uplink.ack_timeout_ms", "100 to 600000 ms"));
    }
    if !(10..=uplink.backoff_max_ms).contains(&uplink.backoff_min_ms) || uplink.backoff_max_ms > 86_400_000 {
        let problem = "at least 10 ms, not above uplink.backoff_max_ms, which is at most a day";
        return Err(ConfigError::field("uplink.backoff_min_ms", problem));
    }
    Ok(())
}

/// The metrics that have a probe.
pub fn metrics(probes: &[Probe]) -> impl Iterator<Item = Metric> {
    probes.iter().map(|probe| probe.metric)
}

#[cfg(test)]
mod tests;
