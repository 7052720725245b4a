//! How the server is, for whoever keeps it: gathered from where each fact is known, in one answer.

use super::backups::standing;
use super::error::{Problem, Problems};
use super::metrics::look;
use crate::config::BrokerConfig;
use crate::run::App;
use crate::store;
use crate::system::judge::judge;
use crate::system::pace::Totals;
use crate::system::{BackupState, Broker, Certificates, Database, Deliveries, Engine, Intake, System, machine};
use axum::{Json, extract::State};
use shared::UtcMillis;
use std::sync::Arc;

/// News that were given up are told of for so long.
const FAILED_MS: i64 = 86_400_000;

/// What was counted since the process began, as [`crate::system::pace`] wants it.
pub fn totals(app: &App) -> Totals {
    let (batches, lag_s) = app.metrics.lag();
    Totals {
        readings: app.metrics.readings_committed(),
        batches,
        lag_ms: lag_s * 1000.0,
        dropped: app.link.dropped(),
        database_errors: store::errors(),
    }
}

/// How the server is, and what is wrong with it.
#[utoipa::path(get, path = "/api/v1/system", operation_id = "getSystem", tag = "health",
    responses((status = 200, body = System), Problems))]
pub async fn show(State(app): State<Arc<App>>) -> Result<Json<System>, Problem> {
    let now = app.clock.now();
    let looked = look(&app).await?;
    let recent = app.pace.recent(now, totals(&app));
    let channels = app.store.channel_records(UtcMillis(now.0 - FAILED_MS)).await?;
    let authority = app.authority.status()?;
    let folder = app.config.data_dir.clone();
    let machine = tokio::task::spawn_blocking(move || (machine::disk(&folder), machine::clock())).await;
    let (disk, clock) = machine.map_err(|error| Problem::internal(&error))?;
    let is_sqlite = app.store.is_sqlite();
    let (backups, failed) = standing(&app).await?;
    let mut system = System {
        version: env!("CARGO_PKG_VERSION"),
        now: now.0,
        started_at: app.started_at.0,
        time_zone: app.config.alerts.time_zone.iana_name().unwrap_or_default().to_owned(),
        clock,
        database: Database {
            engine: if is_sqlite { Engine::Sqlite } else { Engine::Postgres },
            bytes: app.store.size().await?,
            recent_errors: recent.database_errors,
        },
        disk,
        intake: Intake {
            readings_per_minute: recent.readings_per_minute,
            lag_ms: recent.lag_ms,
            recent_dropped: recent.dropped,
        },
        broker: Broker {
            kind: match app.config.broker {
                BrokerConfig::Embedded { .. } => "embedded",
                BrokerConfig::External { .. } => "external",
            },
            connected: looked.connected,
        },
        devices: looked.devices.into_iter().collect(),
        watchers: looked.watchers,
        deliveries: Deliveries {
            pending: channels.iter().map(|channel| channel.pending).sum(),
            oldest_at: channels.iter().filter_map(|channel| channel.oldest_at).min(),
            failed: channels.iter().map(|channel| channel.failed).sum(),
        },
        backup: BackupState {
            possible: is_sqlite,
            every_s: app.backups.every().filter(|_| is_sqlite).map(|every| every.as_secs()),
            running: app.backups.progress().is_some(),
            last: backups.into_iter().next(),
            failed,
        },
        certificates: Certificates {
            server_until: app.authority.service_until().map(|until| until.0),
            authority_until: Some(authority.newest.expires_at.0),
        },
        findings: vec![],
    };
    system.findings = judge(&system);
    Ok(Json(system))
}
