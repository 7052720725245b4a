//! Thresholds that are ready to be set: those that are built in, and those of people's own making. They are only filled in: what
//! holds is what somebody sets, and stays when a preset changes.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::readings::metric;
use super::rule::Threshold;
use crate::alert::Text;
use crate::run::App;
use crate::store::{OwnPreset, PresetDone, PresetWords, StoreError};
use crate::threshold::preset::{self, Preset};
use axum::http::StatusCode;
use axum::{Json, extract::State};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Longest name, in characters.
const LONGEST_NAME: usize = 60;
/// Longest source, in characters.
const LONGEST_SOURCE: usize = 300;
/// The group of those of people's own making.
const OWN: &str = "own";

/// A set of thresholds that is ready to be set.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThresholdPreset {
    /// Its name for programs.
    id: String,
    /// Its name for people.
    name: Text,
    /// What it is for: `hydroponics`, `wastewater`, ...; `own`: somebody here made it.
    group: String,
    /// Rises when its values change.
    version: u32,
    /// Since when the values hold (`2014-10-15`), as their source says; of one's own when it was last changed.
    effective: String,
    /// Where the values come from.
    source: String,
    /// By metric.
    #[schema(value_type = BTreeMap<String, Threshold>)]
    metrics: BTreeMap<&'static str, Threshold>,
    /// Who changed it last; null if it is built in, and can't be changed.
    #[schema(required)]
    changed_by: Option<String>,
}

/// Presets.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThresholdPresets {
    /// By group; those of people's own making last.
    presets: Vec<ThresholdPreset>,
}

/// A preset as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPreset {
    /// Its name; no other preset of your own has it.
    #[schema(min_length = 1, max_length = 60)]
    name: String,
    /// Where the values come from, for whoever uses it.
    #[schema(min_length = 1, max_length = 300)]
    source: String,
    /// By metric; at least one.
    metrics: BTreeMap<String, Threshold>,
}

impl From<&Preset> for ThresholdPreset {
    fn from(preset: &Preset) -> Self {
        let Preset { id, name, group, version, effective, source, metrics } = preset.clone();
        let metrics = metrics.into_iter().map(|(metric, rule)| (metric.as_str(), rule.into())).collect();
        Self { id, name, group, version, effective, source, metrics, changed_by: None }
    }
}

impl ThresholdPreset {
    fn own(preset: OwnPreset, zone: &TimeZone) -> Self {
        let OwnPreset { id, words: PresetWords { name, source, metrics }, version, changed_at, changed_by } = preset;
        let changed = Timestamp::from_millisecond(changed_at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            id,
            name: Text { id: name.clone(), en: name },
            group: OWN.to_owned(),
            version,
            effective: changed.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string(),
            source,
            metrics: metrics.into_iter().map(|(metric, rule)| (metric.as_str(), rule.into())).collect(),
            changed_by: Some(changed_by),
        }
    }
}

impl NewPreset {
    fn check(self) -> Result<PresetWords, Problem> {
        let line = |field: &'static str, text: &str, longest: usize| {
            let text = text.trim();
            if text.is_empty() || text.chars().count() > longest || text.chars().any(char::is_control) {
                return Err(Problem::invalid(field, format!("write 1 to {longest} characters on one line")));
            }
            Ok(text.to_owned())
        };
        let (name, source) = (line("name", &self.name, LONGEST_NAME)?, line("source", &self.source, LONGEST_SOURCE)?);
        if self.metrics.is_empty() {
            return Err(Problem::invalid("metrics", "give at least one metric with its threshold"));
        }
        let mut metrics = BTreeMap::new();
        for (word, threshold) in self.metrics {
            let field = format!("metrics.{word}");
            let known = metric(&word).map_err(|problem| problem.about(field.clone()))?;
            metrics.insert(known, threshold.checked().map_err(|problem| problem.about(field))?);
        }
        Ok(PresetWords { name, source, metrics })
    }
}

/// Whether there is, or was, a preset of this id: what was set by one that is gone may be set again.
///
/// # Errors
/// When the database fails.
pub(super) async fn is_known(app: &App, id: &str) -> Result<bool, StoreError> {
    let built_in = preset::all().iter().any(|preset| preset.id == id);
    Ok(built_in || app.store.knows_preset(id).await?)
}

/// Thresholds that are ready to be set, each with its source.
#[utoipa::path(get, path = "/api/v1/thresholds/presets", operation_id = "listThresholdPresets", tag = "alerts",
    responses((status = 200, body = ThresholdPresets), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<ThresholdPresets>, Problem> {
    let zone = &app.config.alerts.time_zone;
    let own = app.store.own_presets().await?.into_iter().map(|preset| ThresholdPreset::own(preset, zone));
    let presets = preset::all().iter().map(ThresholdPreset::from).chain(own).collect();
    Ok(Json(ThresholdPresets { presets }))
}

/// Makes a preset.
#[utoipa::path(post, path = "/api/v1/thresholds/presets", operation_id = "createPreset", tag = "alerts",
    request_body = NewPreset, responses((status = 201, body = ThresholdPreset), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewPreset>,
) -> Result<(StatusCode, Json<ThresholdPreset>), Problem> {
    let words = new.check()?;
    let done = app.store.add_preset(&words, &caller.actor(), app.clock.now()).await?;
    Ok((StatusCode::CREATED, Json(made(&app, done, &words.name)?)))
}

/// Makes a preset say something else. Thresholds that were set by it stay as they are.
#[utoipa::path(put, path = "/api/v1/thresholds/presets/{id}", operation_id = "changePreset", tag = "alerts",
    params(("id" = String, Path, description = "the preset's id")),
    request_body = NewPreset, responses((status = 200, body = ThresholdPreset), Problems))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(id): Id,
    Body(new): Body<NewPreset>,
) -> Result<Json<ThresholdPreset>, Problem> {
    let words = new.check()?;
    let done = app.store.change_preset(&id, &words, &caller.actor(), app.clock.now()).await?;
    Ok(Json(made(&app, done, &words.name)?))
}

/// Removes a preset. Thresholds that were set by it stay as they are.
#[utoipa::path(delete, path = "/api/v1/thresholds/presets/{id}", operation_id = "deletePreset", tag = "alerts",
    params(("id" = String, Path, description = "the preset's id")),
    responses((status = 204, description = "removed"), Problems))]
pub async fn remove(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    if app.store.remove_preset(&id, &caller.actor(), app.clock.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(unknown())
}

fn made(app: &App, done: PresetDone, name: &str) -> Result<ThresholdPreset, Problem> {
    match done {
        PresetDone::Done(preset) => Ok(ThresholdPreset::own(preset, &app.config.alerts.time_zone)),
        PresetDone::Taken => {
            let detail = format!("another preset is called {name:?}: take another name");
            Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("name"))
        }
        PresetDone::TooMany => {
            let detail = "there are as many presets as are kept: remove some that nobody uses";
            Err(Problem::new(StatusCode::CONFLICT, "too_many_presets", detail))
        }
        PresetDone::Unknown => Err(unknown()),
    }
}

fn unknown() -> Problem {
    Problem::not_found("unknown_preset", "there is no such preset of your own making (any more)")
}
