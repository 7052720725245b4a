//! Devices: who they are, where they stand, and throwing one out.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Named, unknown_device};
use super::model::Device;
use crate::live::Event;
use crate::run::App;
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use shared::{DeviceName, Flag, Reading};
use std::{collections::HashSet, sync::Arc};
use utoipa::ToSchema;

/// All devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// In the order of their numbers.
    devices: Vec<Device>,
}

/// All devices, revoked ones included.
#[utoipa::path(get, path = "/api/v1/devices", operation_id = "listDevices", tag = "devices", responses((status = 200, body = Devices), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Devices>, Problem> {
    let stored = app.store.devices().await?;
    let simulated = simulated(&app.store.latest().await?);
    let now = app.clock.now();
    let devices = stored.iter().map(|device| Device::new(device, simulated.contains(&device.name), now)).collect();
    Ok(Json(Devices { devices }))
}

/// One device.
#[utoipa::path(get, path = "/api/v1/devices/{name}", operation_id = "getDevice", tag = "devices",
    params(("name" = String, Path, description = "the device's name")),
    responses((status = 200, body = Device), Problems))]
pub async fn one(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<Device>, Problem> {
    show(&app, &name).await?.map(Json).ok_or_else(|| unknown_device(name.as_str()))
}

/// Throws a device out: its connection is cut at once and its certificate is worth nothing from now on. Its data stays.
#[utoipa::path(post, path = "/api/v1/devices/{name}/revoke", operation_id = "revokeDevice", tag = "devices",
    params(("name" = String, Path, description = "the device's name")),
    responses((status = 204, description = "revoked, or was so already"), Problems))]
pub async fn revoke(State(app): State<Arc<App>>, caller: Caller, Named(name): Named) -> Result<StatusCode, Problem> {
    if !app.store.revoke_device(&name, app.clock.now()).await? {
        return Err(unknown_device(name.as_str()));
    }
    tracing::warn!(device = %name, user = caller.account, "revoked");
    // Also when it was revoked before: whoever asks again wants it gone.
    if let Some(broker) = &app.broker {
        broker.kick(&name).await;
    }
    app.live.publish(Event::Device { name });
    Ok(StatusCode::NO_CONTENT)
}

/// One device as the interface shows it.
pub async fn show(app: &App, name: &DeviceName) -> Result<Option<Device>, Problem> {
    let Some(stored) = app.store.device(name).await? else { return Ok(None) };
    let simulated = simulated(&app.store.latest().await?).contains(name);
    Ok(Some(Device::new(&stored, simulated, app.clock.now())))
}

/// The devices with a latest reading that is simulated.
fn simulated(latest: &[(DeviceName, Reading)]) -> HashSet<DeviceName> {
    latest.iter().filter(|(_, r)| r.flags.has(Flag::Simulated)).map(|(name, _)| name.clone()).collect()
}
