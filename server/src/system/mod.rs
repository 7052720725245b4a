//! How the server itself is: what an admin looks at when something is slow, full or silent. Facts only; what is wrong with them
//! is [`judge`]'s to say. Knows no table and no HTTP library.

pub mod judge;
pub mod machine;
pub mod pace;

use crate::backup::{Backup, Failure};
use judge::Finding;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The server as it is now. Times are UTC milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct System {
    /// Which server this is.
    pub version: &'static str,
    /// Its time.
    pub now: i64,
    /// Since when it runs.
    pub started_at: i64,
    /// The fleet's time zone.
    pub time_zone: String,
    /// Whether its clock is kept right by the network.
    pub clock: ClockState,
    /// Where everything is kept.
    pub database: Database,
    /// The room in the data folder; null if the machine does not say.
    #[schema(required)]
    pub disk: Option<Disk>,
    /// What comes in.
    pub intake: Intake,
    /// What devices are connected to.
    pub broker: Broker,
    /// How many devices are in each state.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub devices: BTreeMap<&'static str, i64>,
    /// Open WebSockets of this server.
    pub watchers: usize,
    /// News of alerts on their way to the channels.
    pub deliveries: Deliveries,
    /// Copies of the database.
    pub backup: BackupState,
    /// Until when certificates are good.
    pub certificates: Certificates,
    /// What is wrong, the worst first; nothing if all is well.
    pub findings: Vec<Finding>,
}

/// Whether the server's clock is kept right by the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// It was, since the machine started.
    Synced,
    /// It was not.
    Unsynced,
    /// The machine does not say (it has no systemd-timesyncd).
    Unknown,
}

/// Where everything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SystemDatabase)]
pub struct Database {
    /// Which engine.
    pub engine: Engine,
    /// How large it is.
    pub bytes: i64,
    /// How often it did not do what it was asked, in the last ten minutes.
    pub recent_errors: u64,
}

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DatabaseEngine)]
pub enum Engine {
    /// A file of this server.
    Sqlite,
    /// A server of its own.
    Postgres,
}

/// The room on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SystemDisk)]
pub struct Disk {
    /// Bytes that this server may still write.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// What comes in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = SystemIntake)]
pub struct Intake {
    /// New readings of the last minute; null in the first moments after the start.
    #[schema(required)]
    pub readings_per_minute: Option<f64>,
    /// From the arrival of a batch to its commit, on average of the last minute; null if none came.
    #[schema(required)]
    pub lag_ms: Option<f64>,
    /// Messages that were dropped in the last ten minutes because ingest was behind; devices send them again.
    pub recent_dropped: u64,
}

/// What devices are connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SystemBroker)]
pub struct Broker {
    /// `embedded` or `external`.
    pub kind: &'static str,
    /// Whether this server is connected to it.
    pub connected: bool,
}

/// News on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[schema(as = SystemDeliveries)]
pub struct Deliveries {
    /// How many wait.
    pub pending: i64,
    /// When the oldest of them happened.
    #[schema(required)]
    pub oldest_at: Option<i64>,
    /// How many were given up in the last day.
    pub failed: i64,
}

/// Copies of the database.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = SystemBackup)]
pub struct BackupState {
    /// Whether this server makes them: of SQLite, not of PostgreSQL, which has its own way.
    pub possible: bool,
    /// After how many seconds it makes one by itself; null: never.
    #[schema(required)]
    pub every_s: Option<u64>,
    /// Whether one is being made.
    pub running: bool,
    /// The newest one.
    #[schema(required)]
    pub last: Option<Backup>,
    /// Why the last try failed; null if it did not.
    #[schema(required)]
    pub failed: Option<Failure>,
}

/// Until when certificates are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SystemCertificates)]
pub struct Certificates {
    /// The server's own, which it renews by itself.
    #[schema(required)]
    pub server_until: Option<i64>,
    /// The authority's, which somebody has to replace (`tirta authority rotate`).
    #[schema(required)]
    pub authority_until: Option<i64>,
}
