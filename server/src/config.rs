//! The configuration file (TOML). Knows only names and bounds, opens nothing.

mod alerts;
mod backups;
mod http;
mod map;

pub use alerts::{Alerts, Webhook};
pub use backups::Backups;
pub use http::Http;
pub use map::{Map, Tiles, View};

use crate::enrol::Lifetimes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A configuration that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("configuration {}: {error}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not TOML, or has a key that is unknown, missing or of a wrong type; the message names it.
    #[error("configuration: line {line}: {why}")]
    Toml {
        /// Which line.
        line: usize,
        /// The key and what is wrong with it.
        why: String,
    },
    /// A value that can't be used.
    #[error("configuration: {key}: {why}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong with it and what to do.
        why: String,
    },
}

/// The server's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the authority and the database live.
    pub data_dir: PathBuf,
    /// The database's address, which may hold a password: never log it.
    pub database_url: String,
    /// Names and addresses in the server's certificates, besides those of the loopback.
    pub public_hosts: Vec<String>,
    /// What is logged, as `tracing_subscriber::EnvFilter` reads it.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Where HTTPS listens.
    pub https: SocketAddr,
    /// Where plain HTTP listens: on the loopback, if at all.
    pub plain: Option<SocketAddr>,
    /// Who else may ask over HTTP, and how.
    pub http: Http,
    /// Whether it announces itself on the local network.
    pub announce: bool,
    /// The MQTT broker.
    pub broker: BrokerConfig,
    /// Where devices are told to connect; what is absent follows from the broker.
    pub advertise: Advertise,
    /// How long certificates are good.
    pub lifetimes: Lifetimes,
    /// How alerts are told, and to whom.
    pub alerts: Alerts,
    /// Whether somebody may ask for an account.
    pub registration: Registration,
    /// The map of the dashboard.
    pub map: Map,
    /// How copies of the database are made.
    pub backups: Backups,
}

/// Whether somebody may ask for an account. There is no way to get one without anybody's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AccountRegistration)]
pub enum Registration {
    /// No: by invitation, or made by an admin.
    #[default]
    Closed,
    /// Yes, and an admin decides on each.
    Approval,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// JSON, one object a line.
    Json,
}

/// Which MQTT broker is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerConfig {
    /// The one inside this process.
    Embedded {
        /// Where it listens.
        listen: SocketAddr,
    },
    /// Another one, over mutual TLS with certificates of the fleet's authority.
    External {
        /// Its host name or address, which its certificate must hold.
        host: String,
        /// Its port.
        port: u16,
        /// A port where a service may choose its client id, to end a revoked device's connection; without it nobody does.
        services_port: Option<u16>,
    },
}

/// Where devices are told to connect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advertise {
    /// Host name or address.
    pub host: Option<String>,
    /// Port.
    pub port: Option<u16>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it can't be read or used; the message names the key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
        Self::parse(&text)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// When it can't be used; the message names the key.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| in_one_line(text, &error))?;
        if let Some(plain) = file.http.plain
            && !plain.ip().is_loopback()
        {
            let why = format!("{plain} is not on the loopback: use 127.0.0.1 or [::1]; others come by http.https");
            return Err(ConfigError::Value { key: "http.plain", why });
        }
        let (broker, advertise) = file.broker.check()?;
        let database_url = file.database_url.unwrap_or_else(|| sqlite_url(&file.data_dir));
        Ok(Self {
            backups: file.backups.check(&file.data_dir)?,
            data_dir: file.data_dir,
            database_url,
            public_hosts: file.public_hosts,
            log: file.log,
            log_format: file.log_format,
            https: file.http.https,
            plain: file.http.plain,
            http: file.http.check()?,
            announce: file.discovery.announce,
            broker,
            advertise,
            lifetimes: file.certificates.check()?,
            alerts: file.alerts.check()?,
            registration: file.accounts.registration,
            map: file.map.check()?,
        })
    }

    /// The database's file, if it is the one in the data folder.
    pub fn database_file(&self) -> Option<PathBuf> {
        let own = sqlite_url(&self.data_dir) == self.database_url;
        own.then(|| self.data_dir.join("tirta.db"))
    }

    /// The database's address for a log or a message: without what may be a password.
    pub fn database(&self) -> String {
        match self.database_url.split_once("://") {
            Some((scheme, rest)) => {
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                let host = host.split('?').next().unwrap_or_default();
                format!("{scheme}://{host}")
            }
            None => self.database_url.clone(),
        }
    }
}

/// An error of the TOML library draws a picture of several lines; in a log one is better. The value stays out of it:
/// it may be a password.
fn in_one_line(text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.lines().count().max(1);
    let line = if before.ends_with('\n') { line + 1 } else { line };
    let key = text.lines().nth(line - 1).and_then(|l| l.split_once('=')).map(|(key, _)| key.trim());
    let why = match key {
        Some(key) => format!("{key}: {}", error.message()),
        None => error.message().to_owned(),
    };
    ConfigError::Toml { line, why }
}

/// The database in the data folder. What has a meaning in an address is escaped.
fn sqlite_url(data_dir: &Path) -> String {
    let path = data_dir.join("tirta.db");
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite:{escaped}")
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: PathBuf,
    database_url: Option<String>,
    #[serde(default)]
    public_hosts: Vec<String>,
    #[serde(default = "info")]
    log: String,
    #[serde(default)]
    log_format: LogFormat,
    http: http::Table,
    broker: Broker,
    #[serde(default)]
    certificates: Certificates,
    #[serde(default)]
    discovery: Discovery,
    #[serde(default)]
    alerts: alerts::Table,
    #[serde(default)]
    accounts: Accounts,
    #[serde(default)]
    map: map::Table,
    #[serde(default)]
    backups: backups::Table,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Accounts {
    registration: Registration,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Certificates {
    life_s: Option<u64>,
    grace_s: Option<u64>,
}

impl Certificates {
    fn check(self) -> Result<Lifetimes, ConfigError> {
        const DAY_S: u64 = 86_400;
        let usual = Lifetimes::default();
        let within = |key, value: Option<u64>, usual: Duration, least: u64, most: u64| match value {
            None => Ok(usual),
            Some(s) if (least..=most).contains(&s) => Ok(Duration::from_secs(s)),
            Some(s) => Err(ConfigError::Value { key, why: format!("{s} is not between {least} and {most} seconds") }),
        };
        Ok(Lifetimes {
            life: within("certificates.life_s", self.life_s, usual.life, 30, 3650 * DAY_S)?,
            grace: within("certificates.grace_s", self.grace_s, usual.grace, 0, 36_500 * DAY_S)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Discovery {
    announce: bool,
}

impl Default for Discovery {
    fn default() -> Self {
        Self { announce: true }
    }
}

/// One flat table, so that a message can name the key and say which kind of broker it belongs to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broker {
    kind: Kind,
    listen: Option<SocketAddr>,
    host: Option<String>,
    port: Option<u16>,
    services_port: Option<u16>,
    advertise_host: Option<String>,
    advertise_port: Option<u16>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Embedded,
    External,
}

fn info() -> String {
    "info".to_owned()
}

impl Broker {
    fn check(self) -> Result<(BrokerConfig, Advertise), ConfigError> {
        let wrong = |key, why: &str| Err(ConfigError::Value { key, why: why.to_owned() });
        if matches!(self.kind, Kind::Embedded) && self.services_port.is_some() {
            return wrong("broker.services_port", "only an external broker has it");
        }
        let broker = match (self.kind, self.listen, self.host, self.port) {
            (Kind::Embedded, Some(listen), None, None) => BrokerConfig::Embedded { listen },
            (Kind::Embedded, None, ..) => return wrong("broker.listen", "an embedded broker needs it"),
            (Kind::Embedded, _, Some(_), _) => return wrong("broker.host", "only an external broker has it"),
            (Kind::Embedded, _, _, Some(_)) => return wrong("broker.port", "only an external broker has it"),
            (Kind::External, None, Some(host), port) => {
                BrokerConfig::External { host, port: port.unwrap_or(8883), services_port: self.services_port }
            }
            (Kind::External, Some(_), ..) => return wrong("broker.listen", "only an embedded broker has it"),
            (Kind::External, _, None, _) => return wrong("broker.host", "an external broker needs it"),
        };
        Ok((broker, Advertise { host: self.advertise_host, port: self.advertise_port }))
    }
}

#[cfg(test)]
mod tests;
