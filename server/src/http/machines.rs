//! Devices as programs see to them: one without a board is made, any is changed, and taken out of service. Boards come in by
//! enrolling.

use super::auth::Caller;
use super::devices::{revoke, show};
use super::error::{Problem, Problems};
use super::extract::{Body, Named, unknown_device};
use super::model::Device;
use super::person::given;
use super::thresholds::follow;
use super::words;
use crate::live::Event;
use crate::registry::{Column, Entry, cell};
use crate::run::App;
use crate::store::MadeMachine;
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use shared::{DeviceName, Metric};
use std::sync::Arc;
use utoipa::ToSchema;

/// A device without a board counts as offline after an hour without a reading, unless something else is said.
const SILENT_S: u32 = 3600;
/// The shortest and the longest such time: a minute, and thirty days.
const SILENCE_S: std::ops::RangeInclusive<u32> = 60..=30 * 86_400;

/// A device without a board: programs hand its readings in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// Its name for ever: 1 to 32 of a-z, 0-9 and '-', beginning with a letter.
    #[schema(value_type = words::DeviceName)]
    name: DeviceName,
    /// Where it stands.
    #[schema(max_length = 100)]
    location: Option<String>,
    /// Degrees north (WGS 84), with `longitude`.
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// What it is meant to measure.
    #[schema(value_type = Option<Vec<words::Metric>>)]
    metrics: Option<Vec<Metric>>,
    /// Whatever else there is to know.
    #[schema(max_length = 500)]
    notes: Option<String>,
    /// After how many seconds without a reading it counts as offline, 60 to 2592000; 3600 if absent.
    #[schema(minimum = 60, maximum = 2592000)]
    silent_after_s: Option<u32>,
}

/// What is to become of a device; what is not named stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceChange)]
pub struct Change {
    /// Where it stands.
    #[schema(max_length = 100)]
    location: Option<String>,
    /// Degrees north (WGS 84), with `longitude`; null for both: not known.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<f64>, minimum = -90, maximum = 90)]
    latitude: Option<Option<f64>>,
    /// Degrees east.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<f64>, minimum = -180, maximum = 180)]
    longitude: Option<Option<f64>>,
    /// What it is meant to measure.
    #[schema(value_type = Option<Vec<words::Metric>>)]
    metrics: Option<Vec<Metric>>,
    /// Whatever else there is to know.
    #[schema(max_length = 500)]
    notes: Option<String>,
    /// After how many seconds without a reading it counts as offline, 60 to 2592000; 3600 if never said. Only without a board.
    #[schema(minimum = 60, maximum = 2592000)]
    silent_after_s: Option<u32>,
}

impl Change {
    /// The entry with these changes.
    fn change(&self, mut entry: Entry) -> Result<Entry, Problem> {
        let text = |column: Column, text: &str| {
            cell::text(column, text).map_err(|refusal| Problem::invalid(column.as_str(), refusal.to_string()))
        };
        if let Some(location) = &self.location {
            entry.location = text(Column::Location, location)?;
        }
        if let Some(notes) = &self.notes {
            entry.notes = text(Column::Notes, notes)?;
        }
        if let Some(metrics) = &self.metrics {
            entry.metrics.clone_from(metrics);
            entry.metrics.sort_unstable();
            entry.metrics.dedup();
        }
        entry.latitude = self.latitude.unwrap_or(entry.latitude);
        entry.longitude = self.longitude.unwrap_or(entry.longitude);
        match (entry.latitude, entry.longitude) {
            (None, None) => Ok(entry),
            (Some(north), Some(east)) if north.abs() <= 90.0 && east.abs() <= 180.0 => Ok(entry),
            _ => {
                let detail = "give latitude (-90 to 90) and longitude (-180 to 180), or null for both";
                Err(Problem::invalid("latitude", detail))
            }
        }
    }

    /// How long it may be silent, in milliseconds, if that is said.
    fn silent_after_ms(&self) -> Result<Option<i64>, Problem> {
        let Some(seconds) = self.silent_after_s else { return Ok(None) };
        if SILENCE_S.contains(&seconds) {
            return Ok(Some(i64::from(seconds) * 1000));
        }
        let (shortest, longest) = SILENCE_S.into_inner();
        Err(Problem::invalid("silent_after_s", format!("{seconds} s is not between {shortest} and {longest} s")))
    }
}

/// Makes a device without a board, or takes one back that was decommissioned.
#[utoipa::path(post, path = "/api/v1/devices", operation_id = "createDevice", tag = "devices",
    request_body = NewDevice, responses((status = 201, body = Device), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewDevice>,
) -> Result<(StatusCode, Json<Device>), Problem> {
    let NewDevice { name, location, latitude, longitude, metrics, notes, silent_after_s } = new;
    let (latitude, longitude) = (latitude.map(Some), longitude.map(Some));
    let about = Change { location, latitude, longitude, metrics, notes, silent_after_s };
    let usual = i64::from(SILENT_S) * 1000;
    let silent_after_ms = about.silent_after_ms()?.unwrap_or(usual);
    let change = |entry| about.change(entry);
    let taken = match app.store.make_machine(&name, change, silent_after_ms, &caller.actor(), app.clock.now()).await?? {
        MadeMachine::New | MadeMachine::Again => None,
        MadeMachine::Taken => Some(format!("there is a device {name} already: a name is never given twice")),
        MadeMachine::ForBoard => Some(format!("the name {name} is registered for a board: take another")),
    };
    if let Some(detail) = taken {
        return Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("name"));
    }
    tracing::info!(device = %name, user = caller.account, "made a device without a board");
    let device = changed(&app, &name).await?;
    Ok((StatusCode::CREATED, Json(device)))
}

/// Changes where a device stands and what else the registry says of it. What is not named stays.
#[utoipa::path(patch, path = "/api/v1/devices/{name}", operation_id = "changeDevice", tag = "devices",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    request_body = Change, responses((status = 200, body = Device), Problems))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Named(name): Named,
    Body(about): Body<Change>,
) -> Result<Json<Device>, Problem> {
    let device = app.store.device(&name).await?.ok_or_else(|| unknown_device(name.as_str()))?;
    let silent_after_ms = about.silent_after_ms()?;
    if silent_after_ms.is_some() && device.serial.is_some() {
        return Err(Problem::invalid("silent_after_s", format!("{name} has a board, whose agent says how it is")));
    }
    let change = |entry| about.change(entry);
    app.store.change_device(&name, change, silent_after_ms, &caller.actor(), app.clock.now()).await??;
    tracing::info!(device = %name, user = caller.account, "a device was changed");
    changed(&app, &name).await.map(Json)
}

/// Takes a device out of service. Its name and its data stay.
#[utoipa::path(delete, path = "/api/v1/devices/{name}", operation_id = "decommissionDevice", tag = "devices",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    responses((status = 204, description = "out of service, or was so already"), Problems))]
pub async fn decommission(app: State<Arc<App>>, caller: Caller, name: Named) -> Result<StatusCode, Problem> {
    revoke(app, caller, name).await
}

/// What follows when the registry says something else of a device; as it is now.
async fn changed(app: &App, name: &DeviceName) -> Result<Device, Problem> {
    follow(app).await;
    app.live.publish(Event::Device { name: name.clone() });
    show(app, name).await?.ok_or_else(|| unknown_device(name.as_str()))
}
