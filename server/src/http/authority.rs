//! The fleet's authority: which it is, and how another takes over. Its key is never seen here.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::to_the_end;
use crate::audit::Act;
use crate::ca::{CaError, Root};
use crate::cut_off::write_revocations;
use crate::run::App;
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The authority of the fleet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Authority {
    /// SHA-256 of its certificate, hexadecimal: what images and configurations hold.
    ca_sha256: String,
    /// Its name.
    subject: String,
    /// Until when it is good (UTC milliseconds).
    expires_at: i64,
    /// The one before, which is still accepted; null when there is none.
    #[schema(required)]
    previous: Option<PreviousAuthority>,
}

/// An authority that another has taken over from.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviousAuthority {
    /// SHA-256 of its certificate, hexadecimal.
    ca_sha256: String,
    /// Until when it is good (UTC milliseconds).
    expires_at: i64,
    /// How many devices have no certificate of the new authority yet.
    devices: usize,
}

async fn current(app: &App) -> Result<Json<Authority>, Problem> {
    let status = app.authority.status()?;
    let previous = match status.previous {
        Some(Root { sha256, expires_at, .. }) => {
            let certificates = app.store.certificates().await?;
            let devices = certificates.iter().filter(|issued| issued.ca == sha256).count();
            Some(PreviousAuthority { ca_sha256: sha256, expires_at: expires_at.0, devices })
        }
        None => None,
    };
    let Root { sha256, subject, expires_at } = status.newest;
    Ok(Json(Authority { ca_sha256: sha256, subject, expires_at: expires_at.0, previous }))
}

impl From<CaError> for Problem {
    fn from(error: CaError) -> Self {
        match error {
            CaError::StillPrevious { .. } | CaError::NoPrevious => {
                Self::new(StatusCode::CONFLICT, "authority", error.to_string())
            }
            other => Self::internal(&other),
        }
    }
}

/// The authority, and whether another has just taken over.
#[utoipa::path(get, path = "/api/v1/authority", operation_id = "getAuthority", tag = "authority",
    responses((status = 200, body = Authority), Problems))]
pub async fn show(State(app): State<Arc<App>>) -> Result<Json<Authority>, Problem> {
    current(&app).await
}

/// Lets a new authority take over. The one before is accepted until it is retired; devices change over as they renew.
#[utoipa::path(post, path = "/api/v1/authority/rotate", operation_id = "rotateAuthority", tag = "authority",
    responses((status = 200, body = Authority), Problems))]
pub async fn rotate(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Authority>, Problem> {
    to_the_end(async move { rotated(&app, &caller).await }).await
}

async fn rotated(app: &App, caller: &Caller) -> Result<Json<Authority>, Problem> {
    let now = app.clock.now();
    let status = app.authority.rotate(now)?;
    tracing::warn!(user = caller.account, ca_sha256 = status.newest.sha256, "a new authority has taken over");
    changed(app).await;
    app.store.note(caller.actor().did(Act::AuthorityRotated, now).with("ca_sha256", status.newest.sha256)).await?;
    current(app).await
}

/// Ends the overlap: certificates of the previous authority are worth nothing from now on, and its key is deleted.
#[utoipa::path(post, path = "/api/v1/authority/retire", operation_id = "retireAuthority", tag = "authority",
    responses((status = 200, body = Authority), Problems))]
pub async fn retire(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Authority>, Problem> {
    to_the_end(async move { retired(&app, &caller).await }).await
}

async fn retired(app: &App, caller: &Caller) -> Result<Json<Authority>, Problem> {
    let now = app.clock.now();
    let gone = app.authority.status()?.previous.map(|root| root.sha256).unwrap_or_default();
    app.authority.retire(now)?;
    tracing::warn!(user = caller.account, ca_sha256 = gone, "the previous authority was retired");
    changed(app).await;
    app.store.note(caller.actor().did(Act::AuthorityRetired, now).with("ca_sha256", gone)).await?;
    current(app).await
}

/// An external broker has to hear of it.
async fn changed(app: &App) {
    if let Err(error) = write_revocations(app).await {
        tracing::error!(%error, "the authorities are not written for an external broker; it is tried again within minutes");
    }
}
