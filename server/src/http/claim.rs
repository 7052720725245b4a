//! A technician beside the tank says where a board stands, by the label on it. Shows what becomes of it; the rules of the
//! registry are the registry's.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::Body;
use super::thresholds::follow;
use super::waiting::approved;
use super::words;
use crate::access::Permission;
use crate::audit::Act;
use crate::live::Event;
use crate::registry::claim::{Claim, ClaimError};
use crate::registry::{Changes, Entry, Registry};
use crate::run::App;
use crate::store::Approval;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, Serial, enrol::WaitReason};
use std::sync::Arc;
use utoipa::ToSchema;

/// What a label says, and where it was read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClaim {
    /// The name on the label.
    #[schema(value_type = Option<words::DeviceName>)]
    name: Option<DeviceName>,
    /// The serial on the label or the board.
    #[schema(value_type = Option<words::Serial>)]
    serial: Option<Serial>,
    /// Where it stands.
    #[schema(max_length = 100)]
    location: String,
    /// Degrees north (WGS 84).
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
}

/// A claimed device.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimedDevice {
    /// Its name.
    name: String,
    /// Its board, if it is known.
    #[schema(required)]
    serial: Option<String>,
    /// Where it stands.
    location: String,
    /// Whether its board waited and was let in by this.
    approved: bool,
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        let (status, code) = match error {
            ClaimError::Nameless | ClaimError::Location(_) | ClaimError::Position => {
                (StatusCode::BAD_REQUEST, "invalid")
            }
            ClaimError::Unknown(_) => (StatusCode::NOT_FOUND, "unknown_label"),
            ClaimError::OfAnother { .. } | ClaimError::NamedOtherwise { .. } => (StatusCode::CONFLICT, "taken"),
            ClaimError::NoBoard(_) => (StatusCode::CONFLICT, "no_board"),
        };
        Self::new(status, code, error.to_string()).about(error.field())
    }
}

/// Says where a device stands, by the name or serial on its label. Whoever may approve devices also binds a reserved name
/// to a board by it, and lets the board in if it waits.
#[utoipa::path(post, path = "/api/v1/claim", operation_id = "claim", tag = "registry", request_body = NewClaim,
    responses((status = 200, body = ClaimedDevice), Problems))]
pub async fn claim(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewClaim>,
) -> Result<Json<ClaimedDevice>, Problem> {
    let claim = Claim::new(new.name, new.serial, &new.location, (new.latitude, new.longitude))?;
    let now = app.clock.now();
    let entry = caller.actor().did(Act::DeviceClaimed, now);
    let may_approve = caller.needs(Permission::ApproveDevices);
    let decide = |registry: &Registry| match claim.decide(registry) {
        // A reserved name that gets a board lets that board in: by a token, if not by approval.
        Ok((entry, _)) if entry.serial.is_some() && !has_board(registry, &entry.name) && may_approve.is_err() => {
            (may_approve.clone().map(|()| entry), Changes::default())
        }
        Ok((entry, changes)) => (Ok(entry), changes),
        Err(error) => (Err(error.into()), Changes::default()),
    };
    let tell = |done: &Result<Entry, Problem>| {
        let claimed = done.as_ref().ok()?;
        let entry = entry.to(&claimed.name).with("location", claimed.location.clone());
        Some(claimed.serial.into_iter().fold(entry, crate::audit::Entry::board))
    };
    let claimed = app.store.change_registry(now, decide, tell).await??;
    let waits = app.store.waiting().await?.into_iter();
    let waits: Vec<_> = waits.filter(|board| Some(board.serial) == claimed.serial).collect();
    let approved = match waits.as_slice() {
        // Two keys for one serial are for somebody who looks closer.
        [board] if board.reason == WaitReason::NotExpected && may_approve.is_ok() => {
            let approval = Approval { name: Some(claimed.name.clone()), ..Approval::default() };
            approved(&app, &caller, &board.id, &approval).await.map(|_| true)?
        }
        _ => false,
    };
    follow(&app).await;
    app.live.publish(Event::Device { name: claimed.name.clone() });
    let (name, serial) = (claimed.name.to_string(), claimed.serial.map(String::from));
    Ok(Json(ClaimedDevice { name, serial, location: claimed.location, approved }))
}

/// Whether a name stands for a board already, enrolled or expected.
fn has_board(registry: &Registry, name: &DeviceName) -> bool {
    let enrolled = registry.devices.iter().any(|(known, _)| known == name);
    enrolled || registry.registrations.iter().any(|r| r.entry.name == *name && r.entry.serial.is_some())
}
