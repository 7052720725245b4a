//! The records of a device's calibrations: the list for auditors, and taking one back.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Named, NamedRecord, unknown_calibration, unknown_device};
use super::{devices, password, wire, words};
use crate::run::App;
use crate::store::Recording;
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use shared::calibration::{Buffers, By, Calibration, CalibrationRecord, Health, RecordId};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// The record of a calibration: written once, never changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalibrationRecord)]
pub struct Record {
    /// Names it: 16 hexadecimal digits.
    id: String,
    /// Of which probe.
    #[schema(value_type = words::Metric)]
    metric: &'static str,
    /// When, in milliseconds since 1970 (UTC).
    at: i64,
    /// How far `at` can be trusted.
    #[schema(value_type = words::ClockQuality)]
    clock: &'static str,
    /// Who: an account, or the name that somebody gave at the device.
    by: String,
    /// Where.
    #[schema(value_type = words::Via)]
    via: &'static str,
    /// The set of buffers, for pH.
    #[schema(required, value_type = Option<words::Buffers>)]
    buffers: Option<Buffers>,
    /// Lot or expiry date of the solutions.
    #[schema(required)]
    lot: Option<String>,
    /// What was measured; empty for an undo.
    points: Vec<wire::Point>,
    /// In force from this record on; null: not calibrated from here on.
    #[schema(required, value_type = Option<wire::Calibration>)]
    calibration: Option<Calibration>,
    /// How the electrode was, for pH.
    #[schema(required, value_type = Option<wire::Health>)]
    health: Option<Health>,
    /// The record that this one takes back.
    #[schema(required)]
    undoes: Option<String>,
    /// The record that takes this one back.
    #[schema(required)]
    undone_by: Option<String>,
}

/// All records of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct Calibrations {
    /// Newest first, in the order in which the server got them.
    calibrations: Vec<Record>,
    /// The record in force, by metric.
    active: BTreeMap<&'static str, String>,
}

/// The calibrations of a device.
#[utoipa::path(get, path = "/api/v1/devices/{name}/calibrations", operation_id = "listCalibrations", tag = "calibration",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    responses((status = 200, body = Calibrations), Problems))]
pub async fn list(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<Calibrations>, Problem> {
    if app.store.device(&name).await?.is_none() {
        return Err(unknown_device(name.as_str()));
    }
    let kept = app.store.calibrations(&name).await?;
    let in_force = app.store.in_force(Some(&name)).await?;
    let active = in_force.iter().map(|k| (k.record.metric.as_str(), k.record.id.to_string())).collect();
    let undone_by = |id| kept.iter().find(|k| k.record.undoes == Some(id)).map(|k| k.record.id.to_string());
    let calibrations = kept.iter().rev().map(|k| Record::new(&k.record, undone_by(k.record.id))).collect();
    Ok(Json(Calibrations { calibrations, active }))
}

/// Takes back the calibration in force: what was in force before it is so again, by a record of its own.
#[utoipa::path(post, path = "/api/v1/devices/{name}/calibrations/{id}/undo", operation_id = "undoCalibration", tag = "calibration",
    params(("name" = words::DeviceName, Path, description = "the device's name"), ("id" = words::RecordId, Path, description = "the record in force")),
    responses((status = 201, body = Record), Problems))]
pub async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    NamedRecord(name, id): NamedRecord,
) -> Result<(StatusCode, Json<Record>), Problem> {
    let device = devices::in_service(&app, &name).await?;
    let reported = device.status.as_ref().map_or(0, |status| status.settings);
    let new = RecordId::from_random(random_bits()?);
    match app.store.undo_calibration(&name, id, new, &caller.actor(), reported, app.clock.now()).await? {
        Recording::Stored(kept) => {
            tracing::info!(device = %name, record = %id, by = ?kept.record.by, "a calibration is taken back");
            devices::tell_settings(&app, &name).await;
            Ok((StatusCode::CREATED, Json(Record::new(&kept.record, None))))
        }
        Recording::NotInForce => {
            let detail = "only the calibration in force of its probe can be taken back: see `active` in the list";
            Err(Problem::new(StatusCode::CONFLICT, "not_in_force", detail))
        }
        Recording::Unknown => Err(unknown_calibration(&id.to_string())),
        Recording::NoDevice => Err(devices::revoked(&name)),
        Recording::Known(_) | Recording::OfAnother => Err(Problem::internal(&"a random id is taken: try again")),
    }
}

/// Bits for an id.
///
/// # Errors
/// When the system has no random bytes.
pub fn random_bits() -> Result<u64, Problem> {
    password::random().map(u64::from_be_bytes).map_err(|error| Problem::internal(&error))
}

impl Record {
    fn new(record: &CalibrationRecord, undone_by: Option<String>) -> Self {
        let (by, via) = match &record.by {
            By::Dashboard { name } => (name.clone(), "dashboard"),
            By::Device { name } => (name.clone(), "device"),
        };
        Self {
            id: record.id.to_string(),
            metric: record.metric.as_str(),
            at: record.stamp.at.0,
            clock: record.stamp.clock.as_str(),
            by,
            via,
            buffers: record.buffers,
            lot: record.lot.clone(),
            points: record.points.iter().map(wire::Point::from).collect(),
            calibration: record.calibration,
            health: record.health,
            undoes: record.undoes.map(|id| id.to_string()),
            undone_by,
        }
    }
}
