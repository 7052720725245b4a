//! Thresholds: what is asked of the fleet, of locations and of devices, and whether each device runs it.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::conditional::{IfMatch, stale};
use super::devices::tell_settings;
use super::error::{Problem, Problems};
use super::extract::{Body, Named, Params, unknown_device};
use super::readings::metric;
use super::rule::Threshold;
use super::{presets, to_the_end, words};
use crate::run::App;
use crate::store::NewThreshold;
use crate::threshold::{Kept, Scope, Target, beyond, effective};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, Metric};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Most targets of one request.
const MOST_TARGETS: usize = 1000;

/// A threshold as it was set.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetThreshold {
    /// For what it is meant.
    scope: Scope,
    /// The name of the location or device; empty for the fleet.
    target: String,
    /// Of which metric.
    #[schema(value_type = words::Metric)]
    metric: &'static str,
    /// Rises by one with each change.
    version: u32,
    /// What is asked; null: it was taken away.
    #[schema(required)]
    threshold: Option<Threshold>,
    /// The preset that it was filled from.
    #[schema(required)]
    preset: Option<String>,
    /// When (UTC milliseconds).
    changed_at: i64,
    /// By whom.
    changed_by: String,
}

impl From<Kept> for SetThreshold {
    fn from(kept: Kept) -> Self {
        Self {
            scope: kept.target.scope,
            target: kept.target.target,
            metric: kept.metric.as_str(),
            version: kept.version,
            threshold: kept.threshold.map(Threshold::from),
            preset: kept.preset,
            changed_at: kept.changed_at.0,
            changed_by: kept.changed_by,
        }
    }
}

/// Thresholds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Thresholds {
    /// By scope, target and metric; of a history the newest first.
    thresholds: Vec<SetThreshold>,
}

/// What holds for a metric of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceThreshold {
    /// What is asked.
    threshold: Threshold,
    /// Whose threshold it is: the device's own, its location's or the fleet's.
    scope: Scope,
    /// Which location or device.
    target: String,
    /// Its version.
    version: u32,
    /// The preset that it was filled from.
    #[schema(required)]
    preset: Option<String>,
    /// When it was set (UTC milliseconds).
    changed_at: i64,
    /// By whom.
    changed_by: String,
    /// Whether the device says that it runs it.
    applied: bool,
    /// Since when it waits for the device (UTC milliseconds); null if it is applied.
    #[schema(required)]
    waiting_since: Option<i64>,
    /// The limits that its probe can't see passed, such as `high.critical`: beyond its range a reading is a fault.
    beyond_probe: Vec<&'static str>,
}

/// What holds for a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceThresholds {
    /// The device's name.
    device: String,
    /// By metric.
    #[schema(value_type = BTreeMap<String, DeviceThreshold>)]
    thresholds: BTreeMap<&'static str, DeviceThreshold>,
}

/// A threshold that shall hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdChange {
    /// For whom; 1 to 1000.
    #[schema(min_items = 1, max_items = 1000)]
    targets: Vec<Target>,
    /// Of which metric.
    #[schema(value_type = words::Metric)]
    metric: String,
    /// What is asked; null takes it away, and what is meant for more than the target counts again.
    #[schema(required)]
    threshold: Option<Threshold>,
    /// The preset that it was filled from, if it still says the same.
    #[serde(default)]
    #[schema(nullable = false)]
    preset: Option<String>,
}

/// What a change brought about.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThresholdsChanged {
    /// The devices whose settings have changed: they get them at once, or when they are back.
    devices: Vec<String>,
}

/// The thresholds in force.
#[utoipa::path(get, path = "/api/v1/thresholds", operation_id = "listThresholds", tag = "alerts",
    responses((status = 200, body = Thresholds), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Thresholds>, Problem> {
    let thresholds = app.store.thresholds().await?.into_iter().map(SetThreshold::from).collect();
    Ok(Json(Thresholds { thresholds }))
}

/// What holds for a device, and whether it runs it.
#[utoipa::path(get, path = "/api/v1/devices/{name}/thresholds", operation_id = "getDeviceThresholds", tag = "alerts",
    params(("name" = words::DeviceName, Path, description = "the device's name")),
    responses((status = 200, body = DeviceThresholds), Problems))]
pub async fn of_device(State(app): State<Arc<App>>, Named(name): Named) -> Result<Json<DeviceThresholds>, Problem> {
    let device = app.store.device(&name).await?.ok_or_else(|| unknown_device(name.as_str()))?;
    let probes = app.store.probes(Some(&name)).await?.remove(&name).unwrap_or_default();
    let measures: Vec<Metric> = probes.keys().copied().collect();
    let in_force = app.store.thresholds().await?;
    let measures = (!measures.is_empty()).then_some(measures.as_slice());
    let applied = device.status.as_ref().map_or(0, |status| status.settings) >= device.settings_version;
    let shown = |(metric, (kept, threshold)): (Metric, (&Kept, _))| {
        let limits = probes.get(&metric).and_then(|probe| probe.limits);
        let shown = DeviceThreshold {
            threshold: Threshold::from(threshold),
            scope: kept.target.scope,
            target: kept.target.target.clone(),
            version: kept.version,
            preset: kept.preset.clone(),
            changed_at: kept.changed_at.0,
            changed_by: kept.changed_by.clone(),
            applied,
            waiting_since: (!applied).then_some(kept.changed_at.0),
            beyond_probe: limits.map(|limits| beyond(&threshold, &limits)).unwrap_or_default(),
        };
        (metric.as_str(), shown)
    };
    let holds = effective(&in_force, name.as_str(), device.location.as_deref(), measures);
    Ok(Json(DeviceThresholds { device: name.to_string(), thresholds: holds.into_iter().map(shown).collect() }))
}

/// Sets or takes away a threshold for devices, locations or the fleet: for all the targets, or for none. With
/// `If-Match: "7"` only if the version of each is still 7 (`"0"`: none was ever set); else 412.
#[utoipa::path(put, path = "/api/v1/thresholds", operation_id = "changeThresholds", tag = "alerts",
    params(("if-match" = Option<String>, Header, description = "the version that was seen, between quotes, or `*` for any", pattern = r#"^(\*|"[0-9]{1,9}")$"#)),
    request_body = ThresholdChange, responses((status = 200, body = ThresholdsChanged), Problems))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    IfMatch(seen): IfMatch,
    Body(change): Body<ThresholdChange>,
) -> Result<Json<ThresholdsChanged>, Problem> {
    let ThresholdChange { targets, metric: name, threshold, preset } = change;
    let metric = metric(&name)?;
    let threshold = threshold.map(Threshold::checked).transpose()?;
    if targets.is_empty() || targets.len() > MOST_TARGETS {
        return Err(Problem::invalid("targets", format!("give 1 to {MOST_TARGETS} targets")));
    }
    let registered = registered(&app).await?;
    // What holds can be taken away also where there is no device any more.
    let in_force = app.store.thresholds().await?;
    let taken_away = |target: &Target| {
        threshold.is_none() && in_force.iter().any(|kept| kept.target == *target && kept.metric == metric)
    };
    for (n, target) in targets.iter().enumerate().filter(|(_, target)| !taken_away(target)) {
        registered.check(target).map_err(|why| Problem::invalid(format!("targets[{n}].target"), why))?;
    }
    if let Some(id) = preset.as_deref()
        && !presets::is_known(&app, id).await?
    {
        return Err(Problem::invalid("preset", format!("there is no preset {id:?}")));
    }
    let preset = preset.filter(|_| threshold.is_some());
    to_the_end(async move {
        let new = NewThreshold { targets, metric, threshold, preset };
        let done = app.store.set_seen_thresholds(&new, seen, &caller.actor(), app.clock.now()).await?;
        let changed = done.map_err(stale)?;
        tracing::info!(%metric, targets = new.targets.len(), devices = changed.len(), user = caller.account, "thresholds changed");
        tell(&app, &changed).await;
        Ok(Json(ThresholdsChanged { devices: changed.iter().map(ToString::to_string).collect() }))
    })
    .await
}

/// Whose history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// For what it was meant.
    #[param(inline)]
    scope: Scope,
    /// The name of the location or device; absent for the fleet.
    #[serde(default)]
    target: String,
    /// Only of this metric.
    #[param(value_type = Option<words::Metric>)]
    metric: Option<String>,
}

/// All that was ever set for a target, newest first.
#[utoipa::path(get, path = "/api/v1/thresholds/history", operation_id = "getThresholdHistory", tag = "alerts",
    params(HistoryQuery), responses((status = 200, body = Thresholds), Problems))]
pub async fn history(
    State(app): State<Arc<App>>,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<Thresholds>, Problem> {
    let metric = query.metric.as_deref().map(metric).transpose()?;
    let target = Target { scope: query.scope, target: query.target };
    let thresholds = app.store.threshold_history(&target, metric).await?;
    Ok(Json(Thresholds { thresholds: thresholds.into_iter().map(SetThreshold::from).collect() }))
}

/// What thresholds and silences can be meant for.
pub(super) struct Registered {
    devices: Vec<String>,
    locations: Vec<String>,
}

pub(super) async fn registered(app: &App) -> Result<Registered, Problem> {
    let registry = app.store.registry().await?;
    let mut devices: Vec<String> = registry.devices.iter().map(|(name, _)| name.to_string()).collect();
    devices.extend(registry.registrations.iter().map(|registration| registration.entry.name.to_string()));
    let locations = registry.registrations.into_iter().map(|registration| registration.entry.location).collect();
    Ok(Registered { devices, locations })
}

impl Registered {
    /// Whether there is such a target; why not.
    pub(super) fn check(&self, Target { scope, target }: &Target) -> Result<(), String> {
        let shown: String = target.chars().take(60).collect();
        match scope {
            Scope::Fleet if target.is_empty() => Ok(()),
            Scope::Fleet => Err("it must be empty for the fleet".to_owned()),
            Scope::Location if !target.is_empty() && self.locations.contains(target) => Ok(()),
            Scope::Location => Err(format!("no device is registered at location {shown:?}")),
            Scope::Device if self.devices.contains(target) => Ok(()),
            Scope::Device => Err(format!("there is no device {shown:?}")),
        }
    }
}

/// Tells devices their settings, and whoever watches that they changed.
async fn tell(app: &App, devices: &[DeviceName]) {
    for device in devices {
        tell_settings(app, device).await;
    }
}

/// Makes devices watch what follows from registry, probes and thresholds as they are now. What fails is tried again by the
/// server's housekeeping.
pub async fn follow(app: &App) {
    match app.store.rewatch(app.clock.now()).await {
        Ok(devices) => tell(app, &devices).await,
        Err(error) => tracing::warn!(%error, "what devices watch is not brought up to date; it is tried again"),
    }
}
