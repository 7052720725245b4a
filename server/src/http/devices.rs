//! Devices: who they are, where they stand, and throwing one out.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Named, Params, unknown_device};
use super::model::{About, Device};
use super::page::{Looks, Page};
use super::thresholds::follow;
use super::{to_the_end, words};
use crate::cut_off::cut_off;
use crate::ingest::publish_settings;
use crate::live::Event;
use crate::run::App;
use crate::store::{Device as Stored, Replaced};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, Flag, Serial};
use std::{collections::HashMap, sync::Arc};
use utoipa::ToSchema;

/// All devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// In the order that was asked for.
    devices: Vec<Device>,
    /// Where it goes on; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// All devices, revoked ones included.
#[utoipa::path(get, path = "/api/v1/devices", operation_id = "listDevices", tag = "devices", params(Page),
    responses((status = 200, body = Devices), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(page): Params<Page>) -> Result<Json<Devices>, Problem> {
    let mut about = about(&app, None).await?;
    let now = app.clock.now();
    let device = |d: &Stored| Device::new(d, about.remove(&d.name).unwrap_or_default(), now);
    let devices: Vec<Device> = app.store.devices().await?.iter().map(device).collect();
    let (devices, next) = page.of(devices, |device| Looks {
        name: &device.name,
        location: device.location.as_deref(),
        serial: device.serial.as_deref(),
    })?;
    Ok(Json(Devices { devices, next }))
}

/// One device.
#[utoipa::path(get, path = "/api/v1/devices/{name}", operation_id = "getDevice", tag = "devices",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    responses((status = 200, body = Device), Problems))]
pub async fn one(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<Device>, Problem> {
    show(&app, &name).await?.map(Json).ok_or_else(|| unknown_device(name.as_str()))
}

/// Decommissions a device: its connection is cut at once and its certificate is worth nothing from now on. Its name and data stay.
#[utoipa::path(post, path = "/api/v1/devices/{name}/revoke", operation_id = "revokeDevice", tag = "devices",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    responses((status = 204, description = "revoked, or was so already"), Problems))]
pub async fn revoke(State(app): State<Arc<App>>, caller: Caller, Named(name): Named) -> Result<StatusCode, Problem> {
    to_the_end(async move {
        if !app.store.revoke_device(&name, &caller.actor(), app.clock.now()).await? {
            return Err(unknown_device(name.as_str()));
        }
        tracing::warn!(device = %name, user = caller.account, "revoked");
        // Also when it was revoked before: whoever asks again wants it gone.
        cut_off(&app, &name).await;
        follow(&app).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The board that takes a device's place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Its serial.
    #[schema(value_type = words::Serial)]
    serial: Serial,
}

/// A device whose board was replaced.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplacedDevice {
    /// Its name, as before.
    name: String,
    /// Whether the new board has not come yet: it takes the place when it first asks.
    waiting: bool,
}

/// Gives a device's name and history to another board: at once if it waits for approval, else when it first asks. The old
/// board is cut off then. With a decommissioned device's own serial, that board is taken back.
#[utoipa::path(post, path = "/api/v1/devices/{name}/replace", operation_id = "replaceDevice", tag = "devices",
    params(("name" = words::DeviceName, Path, description = "the device's name")), request_body = Replacement,
    responses((status = 200, body = ReplacedDevice), Problems))]
pub async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Named(name): Named,
    Body(Replacement { serial }): Body<Replacement>,
) -> Result<Json<ReplacedDevice>, Problem> {
    to_the_end(async move { replaced(&app, &caller, name, serial).await }).await
}

async fn replaced(
    app: &App,
    caller: &Caller,
    name: DeviceName,
    serial: Serial,
) -> Result<Json<ReplacedDevice>, Problem> {
    let waiting = match app.store.replace(&name, serial, &caller.actor(), app.clock.now()).await? {
        Replaced::Now => {
            cut_off(app, &name).await;
            follow(app).await;
            app.live.publish(Event::Waiting);
            false
        }
        Replaced::Expected => true,
        Replaced::SecondKey => {
            let detail = format!(
                "serial {serial}: boards with different keys wait under it: approve the right one in this device's place"
            );
            return Err(Problem::new(StatusCode::CONFLICT, "second_key", detail).about("serial"));
        }
        Replaced::NoDevice => return Err(unknown_device(name.as_str())),
        Replaced::InService(other) => {
            let detail = format!("serial {serial}: this board is {other}; decommissioned or not, it keeps that name");
            return Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("serial"));
        }
    };
    tracing::warn!(device = %name, %serial, user = caller.account, waiting, "the board is replaced");
    app.live.publish(Event::Device { name: name.clone() });
    Ok(Json(ReplacedDevice { name: name.to_string(), waiting }))
}

/// One device as the interface shows it.
pub async fn show(app: &App, name: &DeviceName) -> Result<Option<Device>, Problem> {
    let Some(stored) = app.store.device(name).await? else { return Ok(None) };
    let about = about(app, Some(name)).await?.remove(name).unwrap_or_default();
    Ok(Some(Device::new(&stored, about, app.clock.now())))
}

/// What is known of one device or of all, besides its row.
async fn about(app: &App, only: Option<&DeviceName>) -> Result<HashMap<DeviceName, About>, Problem> {
    let mut about: HashMap<DeviceName, About> = HashMap::new();
    for (name, reading) in app.store.latest().await? {
        if reading.flags.has(Flag::Simulated) {
            about.entry(name).or_default().simulated = true;
        }
    }
    for (name, probes) in app.store.probes(only).await? {
        about.entry(name).or_default().probes = probes;
    }
    for kept in app.store.in_force(only).await? {
        about.entry(kept.device).or_default().in_force.push(kept.record);
    }
    let certificates = match only {
        Some(name) => app.store.certificate(name).await?.into_iter().collect(),
        None => app.store.certificates().await?,
    };
    for issued in certificates {
        if let Ok(name) = issued.device.parse() {
            about.entry(name).or_default().certificate = Some(issued);
        }
    }
    Ok(about)
}

/// A device that may be told something.
pub async fn in_service(app: &App, name: &DeviceName) -> Result<Stored, Problem> {
    let device = app.store.device(name).await?.ok_or_else(|| unknown_device(name.as_str()))?;
    if device.revoked_at.is_some() {
        return Err(revoked(name));
    }
    if device.serial.is_none() {
        let detail =
            format!("{name} has no board: programs hand its readings in, and nobody there can be told anything");
        return Err(Problem::new(StatusCode::CONFLICT, "no_board", detail));
    }
    Ok(device)
}

/// A device that was thrown out.
pub fn revoked(name: &DeviceName) -> Problem {
    Problem::new(StatusCode::CONFLICT, "revoked", format!("{name} is revoked: it can't be told anything"))
}

/// Sends a device its settings, and tells whoever watches that they changed.
pub async fn tell_settings(app: &App, name: &DeviceName) {
    // Without a broker now they go out when the server is connected again.
    if let Err(error) = publish_settings(&app.link, &app.store, name).await {
        tracing::warn!(device = %name, %error, "the settings are kept, but not sent yet");
    }
    app.live.publish(Event::Device { name: name.clone() });
}
