//! Whether the process lives and can do its work, for supervisors and load balancers. Tells strangers nothing else.

use crate::run::App;
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use utoipa::ToSchema;

/// A database that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a part works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It works.
    Ok,
    /// It does not; the log says why.
    Failed,
}

/// What the server needs for its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether the database answers.
    database: Health,
    /// Whether the server is connected to the broker.
    broker: Health,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health/live", operation_id = "getLive", tag = "health", security(()),
    responses((status = 200, description = "it lives")))]
pub async fn live() -> StatusCode {
    StatusCode::OK
}

/// Whether it can do its work.
#[utoipa::path(get, path = "/health/ready", operation_id = "getReady", tag = "health", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Readiness>) {
    let answers = matches!(tokio::time::timeout(PATIENCE, app.store.ping()).await, Ok(Ok(())));
    let health = |good| if good { Health::Ok } else { Health::Failed };
    let readiness = Readiness { database: health(answers), broker: health(app.link.connected()) };
    let all = readiness.database == Health::Ok && readiness.broker == Health::Ok;
    (if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(readiness))
}
