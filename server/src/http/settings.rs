//! What a device is told to do: stored with a new version, sent as a retained message, reported back by the device.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::conditional::{IfMatch, stale, version_tag};
use super::devices;
use super::error::{Problem, Problems};
use super::extract::{Body, Named, unknown_device};
use super::model::Settings;
use super::words;
use crate::run::App;
use crate::store::{NewSettings as Wanted, SettingsDone};
use axum::{Json, extract::State, response::IntoResponse};
use serde::Deserialize;
use shared::{Metric, message::Intervals};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::openapi::{ObjectBuilder, Schema, schema::Type};
use utoipa::{PartialSchema, ToSchema};

/// The settings that a device shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSettings {
    /// Sampling intervals in milliseconds by metric, 100 to 86,400,000; a metric that is absent goes back to the device's own.
    #[schema(schema_with = intervals)]
    interval_ms: BTreeMap<String, u64>,
}

/// A number of milliseconds for some of the metrics.
fn intervals() -> Schema {
    let (least, most) = (Intervals::SHORTEST.as_millis(), Intervals::LONGEST.as_millis());
    let ms = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least as f64)).maximum(Some(most as f64));
    let about = "Sampling intervals in milliseconds by metric; a metric that is absent goes back to the device's own.";
    let names = words::Metric::schema();
    ObjectBuilder::new().description(Some(about)).property_names(Some(names)).additional_properties(Some(ms)).into()
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

/// Replaces the settings of a device. They are applied when the device says so: at once, or after it is back. With
/// `If-Match: "7"` only if their version is still 7; else 412.
#[utoipa::path(put, path = "/api/v1/devices/{name}/settings", operation_id = "changeSettings", tag = "devices",
    params(("name" = words::DeviceName, Path, description = "the device's name"),
        ("if-match" = Option<String>, Header, description = "the version that was seen, between quotes, or `*` for any", pattern = r#"^(\*|"[0-9]{1,9}")$"#)),
    request_body = NewSettings, responses((status = 200, body = Settings), Problems))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Named(name): Named,
    IfMatch(seen): IfMatch,
    Body(new): Body<NewSettings>,
) -> Result<impl IntoResponse, Problem> {
    let intervals = new.intervals()?;
    let device = devices::in_service(&app, &name).await?;
    let reported = device.status.as_ref().map_or(0, |status| status.settings);
    let new = Wanted { intervals, reported, seen };
    let version = match app.store.change_settings(&name, &new, &caller.actor(), app.clock.now()).await? {
        SettingsDone::Done(version) => version,
        SettingsDone::Stale(version) => return Err(stale(version)),
        SettingsDone::Unknown => return Err(unknown_device(name.as_str())),
    };
    let device = app.store.device(&name).await?.ok_or_else(|| unknown_device(name.as_str()))?;
    devices::tell_settings(&app, &name).await;
    Ok((version_tag(version), Json(Settings::from(&device))))
}
