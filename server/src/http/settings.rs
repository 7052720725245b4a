//! What a device is told to do: stored with a new version, sent as a retained message, reported back by the device.

use super::error::{Problem, Problems};
use super::extract::{Body, Named, unknown_device};
use super::model::{Device, Settings};
use crate::ingest::publish_settings;
use crate::live::Event;
use crate::run::App;
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use shared::{Metric, message::Intervals};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// The settings that a device shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSettings {
    /// Sampling intervals in milliseconds by metric, 100 to 86,400,000; a metric that is absent goes back to the device's own.
    interval_ms: BTreeMap<String, u64>,
}

impl NewSettings {
    /// The intervals, if each is one.
    fn intervals(&self) -> Result<Intervals, Problem> {
        let mut intervals = Intervals::default();
        for (name, ms) in &self.interval_ms {
            let field = || format!("interval_ms.{name}");
            let metric = Metric::from_wire(name)
                .ok_or_else(|| Problem::invalid(field(), format!("there is no metric {name:?}")))?;
            intervals.set(metric, *ms).map_err(|error| Problem::invalid(field(), error.to_string()))?;
        }
        Ok(intervals)
    }
}

/// Replaces the settings of a device. They are applied when the device says so: at once, or after it is back.
#[utoipa::path(put, path = "/api/v1/devices/{name}/settings", operation_id = "changeSettings", tag = "devices",
    params(("name" = String, Path, description = "the device's name")),
    request_body = NewSettings, responses((status = 200, body = Settings), Problems))]
pub async fn change(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Body(new): Body<NewSettings>,
) -> Result<Json<Settings>, Problem> {
    let intervals = new.intervals()?;
    let device = app.store.device(&name).await?.ok_or_else(|| unknown_device(name.as_str()))?;
    if device.revoked_at.is_some() {
        let detail = format!("{name} is revoked: it can't be told anything");
        return Err(Problem::new(StatusCode::CONFLICT, "revoked", detail));
    }
    let reported = device.status.as_ref().map_or(0, |status| status.settings);
    app.store.set_intervals(&name, &intervals, reported).await?.ok_or_else(|| unknown_device(name.as_str()))?;
    let device = app.store.device(&name).await?.ok_or_else(|| unknown_device(name.as_str()))?;
    // Without a broker now they go out when the server is connected again.
    if let Err(error) = publish_settings(&app.link, &device).await {
        tracing::warn!(device = %name, %error, "the settings are kept, but not sent yet");
    }
    app.live.publish(Event::Device { name });
    Ok(Json(Device::new(&device, false, app.clock.now()).settings))
}
