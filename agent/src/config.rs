//! The configuration file: its form, its checks and its messages, which name the field and the fix.
//! Knows nothing of what is done with it. The probes' part is in `probes`.

mod alarm;
mod probes;

pub use alarm::{Alarm, AlarmKind, FailSafe};
pub use probes::{Ads1115, Probe, Source, W1};

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
    /// The server.
    pub server: Server,
    /// The buffer.
    pub buffer: Buffer,
    /// The uplink.
    pub uplink: Uplink,
    /// How to judge the clock.
    pub discipline: Discipline,
    /// The local alarm, if one is connected.
    pub alarm: Option<Alarm>,
    /// The probes, at most one for each metric.
    pub probes: Vec<Probe>,
}

/// Where to enrol and connect.
#[derive(Debug, Clone)]
pub struct Server {
    /// Host name or address of the server.
    pub host: String,
    /// Its HTTPS port.
    pub port: u16,
    /// SHA-256 of the fleet's authority certificate.
    pub ca_sha256: [u8; 32],
    /// The enrolment token, if one is configured.
    pub token: Option<Token>,
    /// Host and port to dial instead of what the enrolment answered.
    pub broker: Option<(String, u16)>,
}

/// Where the enrolment token comes from.
#[derive(Debug, Clone)]
pub enum Token {
    /// It stands in the configuration.
    Inline(String),
    /// It is read from a file when it is needed.
    File(PathBuf),
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
}

impl std::str::FromStr for Config {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text)?;
        let probes = probes::check(raw.probe)?;
        let simulated = probes.iter().all(|probe| matches!(probe.source, Source::Simulated { .. }));
        if raw.serial.is_some() && !simulated {
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
            buffer: raw.buffer,
            uplink: raw.uplink,
            discipline: raw.clock.discipline(),
            alarm: raw.alarm,
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
    server: RawServer,
    #[serde(default)]
    buffer: Buffer,
    #[serde(default)]
    uplink: Uplink,
    #[serde(default)]
    clock: RawClock,
    alarm: Option<Alarm>,
    #[serde(default)]
    probe: Vec<probes::RawProbe>,
}

fn info() -> String {
    "info".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawServer {
    url: String,
    ca_sha256: String,
    token: Option<String>,
    token_file: Option<PathBuf>,
    broker: Option<String>,
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

impl RawServer {
    fn check(self) -> Result<Server, ConfigError> {
        let (host, port) = parse_url(&self.url)?;
        let ca_sha256 = parse_sha256(&self.ca_sha256).ok_or_else(|| {
            let problem = "64 hexadecimal digits are needed: the SHA-256 of the authority's certificate (DER), as the server prints it";
            ConfigError::field("server.ca_sha256", problem)
        })?;
        let token = match (self.token, self.token_file) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::field("server.token", "give token or token_file, not both"));
            }
            (Some(text), None) => Some(Token::Inline(text)),
            (None, Some(file)) => Some(Token::File(file)),
            (None, None) => None,
        };
        let broker = self.broker.map(|text| parse_address(&text)).transpose()?;
        Ok(Server { host, port, ca_sha256, token, broker })
    }
}

fn parse_url(url: &str) -> Result<(String, u16), ConfigError> {
    let bad = |problem: &str| ConfigError::field("server.url", format!("{url:?}: {problem}"));
    let uri: hyper::Uri = url.parse().map_err(|_| bad("use a form such as https://tirta.local:8443"))?;
    if uri.scheme_str() != Some("https") {
        return Err(bad("it must begin with https://, a token is never sent in the clear"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(bad("give only host and port, no path"));
    }
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("the host is missing"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), uri.port_u16().unwrap_or(443)))
}

fn parse_address(address: &str) -> Result<(String, u16), ConfigError> {
    let parsed = address.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (!host.is_empty()).then(|| (host.to_owned(), port))
    });
    parsed.ok_or_else(|| ConfigError::field("server.broker", format!("{address:?}: use host:port")))
}

fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    // openssl prints it with colons.
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    if digits.len() != 64 {
        return None;
    }
    let mut sum = [0; 32];
    for (byte, pair) in sum.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(sum)
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
