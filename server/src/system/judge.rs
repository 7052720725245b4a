//! What is wrong with the server, by rules that fit on a page. Each trouble is a word; what to do about it is said where people
//! read it. Knows only the facts.

use super::{ClockState, System};
use serde::Serialize;
use utoipa::ToSchema;

const MIB: u64 = 1024 * 1024;
/// With less room than this the database soon can't grow.
const DISK_LOW: u64 = 2048 * MIB;
/// With less than this it is a matter of hours.
const DISK_FULL: u64 = 512 * MIB;
const DAY_MS: i64 = 86_400_000;
/// The server makes its certificate again long before: one that is so near its end was not.
const SERVER_ENDS_MS: i64 = 200 * DAY_MS;
/// Devices need weeks to change over to another authority.
const AUTHORITY_ENDS_MS: i64 = 180 * DAY_MS;
/// From then on it is urgent, whichever it is.
const URGENT_MS: i64 = 30 * DAY_MS;
/// News that have waited so long wait for something that is wrong.
const WAITED_MS: i64 = 5 * 60_000;
/// A batch should be committed within a moment.
const SLOW_MS: f64 = 5000.0;
/// Without any back-up for so long, somebody should know.
const NO_BACKUP_MS: i64 = 2 * DAY_MS;
/// So old is the newest one at most, where none is made by itself.
const OLD_BACKUP_MS: i64 = 8 * DAY_MS;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = FindingLevel)]
pub enum Level {
    /// Something is lost or stands still, or will soon.
    Critical,
    /// Somebody should look.
    Warning,
}

/// Which line of the page it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = FindingAbout)]
pub enum About {
    /// The room on the disk.
    Disk,
    /// The database.
    Database,
    /// What comes in.
    Intake,
    /// The broker.
    Broker,
    /// News on their way.
    Deliveries,
    /// Copies of the database.
    Backup,
    /// Certificates.
    Certificates,
    /// The clock.
    Clock,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FindingTrouble)]
pub enum Trouble {
    /// The disk is about to be full: readings can't be kept then.
    DiskFull,
    /// The room on the disk gets little.
    DiskLow,
    /// There is no room for a copy of the database.
    NoRoomForBackup,
    /// The database did not do what it was asked.
    DatabaseErrors,
    /// Readings are committed late.
    IngestSlow,
    /// Messages were dropped because ingest was behind.
    IngestBehind,
    /// The server is not connected to its broker: nothing comes in.
    BrokerLost,
    /// News of alerts wait: a channel does not take them.
    DeliveriesWait,
    /// News of alerts were given up.
    DeliveriesFailed,
    /// The last back-up failed.
    BackupFailed,
    /// There is no back-up.
    BackupMissing,
    /// The last back-up is old.
    BackupOld,
    /// The server's certificate was not renewed.
    ServerCertificateEnds,
    /// The authority has to be replaced.
    AuthorityEnds,
    /// The clock is not kept right.
    ClockUnsynced,
}

/// Something that somebody should do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Which line of the page it is about.
    pub about: About,
    /// What is wrong.
    pub trouble: Trouble,
}

/// All that is wrong, the worst first.
pub fn judge(system: &System) -> Vec<Finding> {
    use {About as A, Level::*, Trouble as T};
    let mut found = vec![];
    let mut say = |level, about, trouble| found.push(Finding { level, about, trouble });
    match system.disk.map(|disk| disk.free) {
        Some(free) if free < DISK_FULL => say(Critical, A::Disk, T::DiskFull),
        Some(free) if free < DISK_LOW => say(Warning, A::Disk, T::DiskLow),
        Some(free) if system.backup.possible && free < room_for_copy(system.database.bytes) => {
            say(Warning, A::Disk, T::NoRoomForBackup);
        }
        _ => {}
    }
    if system.database.recent_errors > 0 {
        say(Warning, A::Database, T::DatabaseErrors);
    }
    if system.intake.recent_dropped > 0 {
        say(Warning, A::Intake, T::IngestBehind);
    } else if system.intake.lag_ms.is_some_and(|ms| ms > SLOW_MS) {
        say(Warning, A::Intake, T::IngestSlow);
    }
    if !system.broker.connected {
        say(Critical, A::Broker, T::BrokerLost);
    }
    if system.deliveries.oldest_at.is_some_and(|at| system.now - at > WAITED_MS) {
        say(Warning, A::Deliveries, T::DeliveriesWait);
    } else if system.deliveries.failed > 0 {
        say(Warning, A::Deliveries, T::DeliveriesFailed);
    }
    if let Some((level, trouble)) = backup(system) {
        say(level, A::Backup, trouble);
    }
    let left = |until: Option<i64>, least: i64| until.map(|until| until - system.now).filter(|left| *left < least);
    let level = |left: i64| if left < URGENT_MS { Critical } else { Warning };
    if let Some(left) = left(system.certificates.server_until, SERVER_ENDS_MS) {
        say(level(left), A::Certificates, T::ServerCertificateEnds);
    }
    if let Some(left) = left(system.certificates.authority_until, AUTHORITY_ENDS_MS) {
        say(level(left), A::Certificates, T::AuthorityEnds);
    }
    if system.clock == ClockState::Unsynced {
        say(Warning, A::Clock, T::ClockUnsynced);
    }
    found.sort();
    found
}

/// The room that a copy of a database of this size needs, with what is written meanwhile.
pub fn room_for_copy(bytes: i64) -> u64 {
    let bytes = u64::try_from(bytes).unwrap_or_default();
    bytes + bytes / 10 + 64 * MIB
}

fn backup(system: &System) -> Option<(Level, Trouble)> {
    let backup = &system.backup;
    if !backup.possible {
        return None;
    }
    if backup.failed.is_some() {
        return Some((Level::Critical, Trouble::BackupFailed));
    }
    let every = backup.every_s.and_then(|s| i64::try_from(s).ok()).map(|s| s.saturating_mul(1000));
    match &backup.last {
        None if system.now - system.started_at > NO_BACKUP_MS => Some((Level::Warning, Trouble::BackupMissing)),
        // Twice the usual time: the next one may just be due.
        Some(last) if system.now - last.made_at > every.map_or(OLD_BACKUP_MS, |ms| ms.saturating_mul(2)) => {
            Some((Level::Warning, Trouble::BackupOld))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
