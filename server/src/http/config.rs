//! The configuration in force, for whoever helps from afar. Each field is named here: what is not is not shown, and no secret is.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::Problems;
use crate::config::{BrokerConfig, Config, LogFormat};
use crate::run::App;
use crate::store::{MOST_ALERTS, MOST_ENTRIES};
use axum::{Json, extract::State};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The server as it is set up.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerConfig {
    /// Which server this is.
    version: &'static str,
    /// `sqlite` or `postgres`.
    storage: &'static str,
    /// Where the database is, without names and passwords.
    database: String,
    /// Where the authority's files lie.
    data_dir: String,
    /// Names and addresses in the server's certificate, besides those of the loopback.
    public_hosts: Vec<String>,
    /// Where it is reached, if the configuration says so.
    #[schema(required)]
    public_url: Option<String>,
    /// What is logged.
    log: String,
    /// `text` or `json`.
    log_format: &'static str,
    /// Where HTTPS listens.
    https: String,
    /// Where plain HTTP listens.
    #[schema(required)]
    plain: Option<String>,
    /// Pages of these origins may ask with a token of their own.
    cors_origins: Vec<String>,
    /// Whether `/metrics` is open to whoever has its token.
    metrics: bool,
    /// Whether it announces itself on the local network.
    announce: bool,
    /// The MQTT broker.
    broker: ServerBroker,
    /// How long a device's certificate is good, in seconds.
    certificate_life_s: u64,
    /// How long after its end a device still gets the next one, in seconds.
    certificate_grace_s: u64,
    /// The fleet's time zone.
    time_zone: String,
    /// After how many seconds without a device somebody is told.
    offline_after_s: u64,
    /// Who else is told of alerts, by name.
    webhooks: Vec<String>,
    /// Where the tiles of the map come from, if they do.
    #[schema(required)]
    map_tiles: Option<String>,
    /// What one request may hold or ask for.
    limits: ServerLimits,
}

/// The MQTT broker of the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerBroker {
    /// `embedded` or `external`.
    kind: &'static str,
    /// Where the embedded one listens, or the external one is.
    address: String,
    /// Where devices are told to connect, if that is something else.
    #[schema(required)]
    advertised: Option<String>,
}

/// What one request may hold or ask for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerLimits {
    /// Bytes of a body, where nothing else is said.
    body_bytes: usize,
    /// Bytes of a registry's file.
    registry_file_bytes: usize,
    /// Alerts of one answer.
    alerts: u32,
    /// Entries of the audit log of one answer.
    audit_entries: u32,
}

impl ServerConfig {
    fn of(config: &Config, public_url: Option<String>) -> Self {
        let Config { advertise, alerts, lifetimes, .. } = config;
        let (kind, address) = match &config.broker {
            BrokerConfig::Embedded { listen } => ("embedded", listen.to_string()),
            BrokerConfig::External { host, port, .. } => ("external", format!("{host}:{port}")),
        };
        let port = |port: Option<u16>| port.map(|port| format!(":{port}")).unwrap_or_default();
        let advertised = match &advertise.host {
            Some(host) => Some(format!("{host}{}", port(advertise.port))),
            None => advertise.port.map(|number| port(Some(number))),
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            storage: if config.database_url.starts_with("sqlite:") { "sqlite" } else { "postgres" },
            database: config.database(),
            data_dir: config.data_dir.display().to_string(),
            public_hosts: config.public_hosts.clone(),
            public_url,
            log: config.log.clone(),
            log_format: match config.log_format {
                LogFormat::Text => "text",
                LogFormat::Json => "json",
            },
            https: config.https.to_string(),
            plain: config.plain.map(|address| address.to_string()),
            cors_origins: config.http.cors_origins.clone(),
            metrics: config.http.metrics_token_file.is_some(),
            announce: config.announce,
            broker: ServerBroker { kind, address, advertised },
            certificate_life_s: lifetimes.life.as_secs(),
            certificate_grace_s: lifetimes.grace.as_secs(),
            time_zone: alerts.time_zone.iana_name().unwrap_or_default().to_owned(),
            offline_after_s: alerts.offline_after.as_secs(),
            webhooks: alerts.webhooks.iter().map(|hook| hook.name.clone()).collect(),
            map_tiles: config.map.tiles.as_ref().map(|tiles| tiles.origin.clone()),
            limits: ServerLimits {
                body_bytes: super::BODY_LIMIT,
                registry_file_bytes: crate::registry::csv::MOST_BYTES,
                alerts: MOST_ALERTS,
                audit_entries: MOST_ENTRIES,
            },
        }
    }
}

/// The configuration in force, without secrets.
#[utoipa::path(get, path = "/api/v1/config", operation_id = "getConfig", tag = "health",
    responses((status = 200, body = ServerConfig), Problems))]
pub async fn show(State(app): State<Arc<App>>) -> Json<ServerConfig> {
    Json(ServerConfig::of(&app.config, app.public_url.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_configuration_is_shown_wherever_it_may_stand() {
        let text = r#"
            data_dir = "/var/lib/tirta-server"
            database_url = "postgres://tirta:s3cret-1@db.example/tirta?password=s3cret-2"
            [http]
            https = "0.0.0.0:8443"
            cors_origins = ["https://maps.example"]
            metrics_token_file = "/etc/tirta-server/s3cret-3"
            [broker]
            kind = "external"
            host = "mqtt.example"
            advertise_port = 18883
            [[alerts.webhook]]
            name = "siren"
            url = "https://example.org/hooks/s3cret-4?key=s3cret-5"
            secret_file = "/etc/tirta-server/s3cret-6"
            ca_file = "/etc/tirta-server/s3cret-7"
            [map]
            tiles = "https://tiles.example/s3cret-8/{z}/{x}/{y}.png?key=s3cret-9"
            attribution = "Peta"
        "#;
        let config = Config::parse(text).unwrap();
        let shown = serde_json::to_string(&ServerConfig::of(&config, None)).unwrap();
        assert!(!shown.contains("s3cret"), "{shown}");
        for known in [
            "\"postgres\"",
            "db.example",
            "mqtt.example:8883",
            ":18883",
            "siren",
            "https://maps.example",
            "\"https://tiles.example\"",
        ] {
            assert!(shown.contains(known), "{known} in {shown}");
        }
    }
}
