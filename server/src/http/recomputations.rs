//! Computing history again from the raw millivolts: asking for it, and what was computed.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Named, unknown_device};
use super::readings::{bounds, metric};
use super::words;
use crate::live::Event;
use crate::recompute::{RecomputeError, recompute};
use crate::run::App;
use crate::store::{Revision as Stored, Wanted};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, UtcMillis, id::IdError};
use std::sync::Arc;
use utoipa::ToSchema;

/// What shall be computed again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecomputation {
    /// What was measured.
    #[schema(value_type = words::Metric)]
    metric: String,
    /// From when on (UTC milliseconds).
    #[schema(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    from: i64,
    /// Until when, exclusive (UTC milliseconds).
    #[schema(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    to: i64,
    /// The record to compute all of it with; the record that was in force at the time of each reading if absent.
    #[schema(value_type = Option<words::RecordId>)]
    calibration: Option<String>,
}

/// What a recomputation made: a value for each reading that has millivolts, beside the original.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revision {
    /// Counts up for each device.
    revision: u32,
    /// What was measured.
    #[schema(value_type = words::Metric)]
    metric: &'static str,
    /// From when on (UTC milliseconds).
    from: i64,
    /// Until when, exclusive (UTC milliseconds).
    to: i64,
    /// When it was computed (UTC milliseconds).
    made_at: i64,
    /// Who asked for it.
    made_by: String,
    /// The record that all of it was computed with; null: the one in force at the time of each reading.
    #[schema(required)]
    calibration: Option<String>,
    /// Readings that were computed again.
    readings: u64,
    /// Those of them that now say something else than the device said.
    changed: u64,
    /// SHA-256 of the results: the same request gives the same.
    digest: String,
}

/// All revisions of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recomputations {
    /// Newest first.
    recomputations: Vec<Revision>,
}

/// Computes readings again. What the device sent stays as it is: the results are a revision beside it.
#[utoipa::path(post, path = "/api/v1/devices/{name}/recomputations", operation_id = "recompute", tag = "calibration",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    request_body = NewRecomputation, responses((status = 201, body = Revision), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Named(name): Named,
    Body(new): Body<NewRecomputation>,
) -> Result<(StatusCode, Json<Revision>), Problem> {
    let actor = caller.actor();
    let wanted = new.read(name, caller.account)?;
    if app.store.device(&wanted.device).await?.is_none() {
        return Err(unknown_device(wanted.device.as_str()));
    }
    let _alone = app.recomputing.try_lock().map_err(|_| {
        let detail = "the server is computing something else again: try again when that is done";
        Problem::new(StatusCode::CONFLICT, "busy", detail).retry_after(30)
    })?;
    let name = wanted.device.clone();
    let revision = recompute(&app.store, wanted, &actor, app.clock.now()).await?;
    tracing::info!(device = %name, by = revision.wanted.by, number = revision.number, "history computed again");
    // Its charts have changed.
    app.live.publish(Event::Device { name });
    Ok((StatusCode::CREATED, Json(Revision::from(revision))))
}

/// The revisions of a device's readings.
#[utoipa::path(get, path = "/api/v1/devices/{name}/recomputations", operation_id = "listRecomputations", tag = "calibration",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    responses((status = 200, body = Recomputations), Problems))]
pub async fn list(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<Recomputations>, Problem> {
    if app.store.device(&name).await?.is_none() {
        return Err(unknown_device(name.as_str()));
    }
    let recomputations = app.store.revisions(&name).await?.into_iter().map(Revision::from).collect();
    Ok(Json(Recomputations { recomputations }))
}

impl NewRecomputation {
    fn read(self, device: DeviceName, by: String) -> Result<Wanted, Problem> {
        let metric = metric(&self.metric)?;
        let (from, to) = bounds(Some(self.from), Some(self.to), UtcMillis(self.to))?;
        let id = |text: String| text.parse().map_err(|e: IdError| Problem::invalid("calibration", e.to_string()));
        Ok(Wanted { device, metric, from, to, calibration: self.calibration.map(id).transpose()?, by })
    }
}

impl From<RecomputeError> for Problem {
    fn from(error: RecomputeError) -> Self {
        let detail = error.to_string();
        match error {
            RecomputeError::Store(error) => error.into(),
            RecomputeError::NoSensor(_) => Self::new(StatusCode::CONFLICT, "no_sensor", detail).about("metric"),
            RecomputeError::NoRecord(_) | RecomputeError::WrongKind(_) => Self::invalid("calibration", detail),
        }
    }
}

impl From<Stored> for Revision {
    fn from(stored: Stored) -> Self {
        let Stored { number, wanted, made_at, results } = stored;
        Self {
            revision: number,
            metric: wanted.metric.as_str(),
            from: wanted.from.0,
            to: wanted.to.0,
            made_at: made_at.0,
            made_by: wanted.by,
            calibration: wanted.calibration.map(|id| id.to_string()),
            readings: results.readings,
            changed: results.changed,
            digest: results.digest,
        }
    }
}
