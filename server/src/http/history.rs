//! Readings of many devices by time: page by page for people, and about how many there are. As files they are given by
//! [`super::exports`].
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::{Problem, Problems};
use super::extract::Params;
use super::page::{place, within};
use super::readings::{LatestReading, bounds, metric};
use super::words;
use crate::export::{Source, Status};
use crate::run::App;
use crate::store::Count;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, Metric, UtcMillis};
use std::{collections::BTreeSet, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// Readings of an answer, if nothing is said.
const USUAL: usize = 100;
/// Most readings of an answer, but for those of the same millisecond as the last.
const MOST: usize = 1_000;
/// Most devices of a list: it is in the order of time, so each is asked for each page.
const MOST_DEVICES: usize = 200;

/// Which readings.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// From when on (UTC milliseconds); a day before `to` if absent.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    pub(super) from: Option<i64>,
    /// Until when, exclusive (UTC milliseconds); now if absent. Of a list: `next` of the answer before.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    pub(super) to: Option<i64>,
    /// Of which devices: names with a comma between; of all if absent.
    pub(super) device: Option<String>,
    /// Only of devices at this location.
    pub(super) location: Option<String>,
    /// What was measured: metrics with a comma between; everything if absent.
    #[param(value_type = Option<words::Metrics>)]
    pub(super) metric: Option<String>,
    /// `all`, `good`, `fault` or `flagged`; all if absent.
    #[serde(default)]
    #[param(inline)]
    pub(super) status: Status,
    /// Of a list: at least so many, 1 to 1000, if there are; 100 if absent. It ends with all of one millisecond.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<usize>,
}

/// The newest readings that are meant.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingsPage {
    /// Newest first.
    readings: Vec<LatestReading>,
    /// The `to` with which it goes on; null at the end. There may be one although few or none were found: then the server has
    /// looked through much, and says how far.
    #[schema(required)]
    next: Option<i64>,
}

/// About how much there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingsCount {
    /// Readings; at most so many of those with or without a remark, which can't be told without reading each.
    readings: u64,
    /// Whether that is only an upper bound.
    at_most: bool,
    /// Of how many devices.
    devices: usize,
    /// About how many bytes the table has.
    csv_bytes: u64,
    /// About how many bytes the archive has.
    zip_bytes: u64,
}

/// Readings of many devices, newest first.
#[utoipa::path(get, path = "/api/v1/readings", operation_id = "listReadings", tag = "readings", params(Asked),
    responses((status = 200, body = ReadingsPage), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(asked): Params<Asked>) -> Result<Json<ReadingsPage>, Problem> {
    let limit = within("limit", asked.limit.unwrap_or(USUAL), MOST)?;
    let Meant { sources, range, status, .. } = asked.meant(&app).await?;
    if sources.len() > MOST_DEVICES {
        let detail = format!("that is {} devices: name at most {MOST_DEVICES}, or a location", sources.len());
        return Err(Problem::invalid("device", detail));
    }
    let of: Vec<_> = sources.into_iter().map(|source| (source.device, source.metrics)).collect();
    let newest = app.store.newest(&of, range, limit, |reading| status.takes(reading)).await?;
    let readings = newest.readings.iter().map(|(device, revised)| LatestReading::new(device, revised)).collect();
    Ok(Json(ReadingsPage { readings, next: newest.next.map(|at| at.0) }))
}

/// About how many readings there are, and how large their files would be.
#[utoipa::path(get, path = "/api/v1/readings/count", operation_id = "countReadings", tag = "readings", params(Asked),
    responses((status = 200, body = ReadingsCount), Problems))]
pub async fn count(State(app): State<Arc<App>>, Params(asked): Params<Asked>) -> Result<Json<ReadingsCount>, Problem> {
    /// What a line takes in a table, and in an archive.
    const LINE: (u64, u64) = (125, 13);
    // It is asked by the same words as a list, and refuses the same.
    within("limit", asked.limit.unwrap_or(USUAL), MOST)?;
    let mut meant = asked.meant(&app).await?;
    meant.count(&app).await?;
    let readings = meant.sources.iter().map(|source| source.about).sum();
    Ok(Json(ReadingsCount {
        readings,
        at_most: matches!(meant.status, Status::Good | Status::Flagged),
        devices: meant.sources.len(),
        csv_bytes: readings * LINE.0,
        zip_bytes: readings * LINE.1,
    }))
}

/// What is meant by a question.
pub(super) struct Meant {
    pub sources: Vec<Source>,
    pub range: (UtcMillis, UtcMillis),
    pub status: Status,
    pub location: Option<String>,
    /// Whether devices were named.
    pub named: bool,
}

impl Asked {
    /// What is meant.
    ///
    /// # Errors
    /// Names the parameter that can't be taken.
    pub(super) async fn meant(self, app: &App) -> Result<Meant, Problem> {
        let range = bounds(self.from, self.to, app.clock.now())?;
        let words = |text: Option<String>| text.filter(|text| !text.is_empty());
        let metrics = self.metric.map(|text| text.split(',').map(metric).collect::<Result<BTreeSet<_>, _>>());
        let metrics = metrics.transpose()?;
        let names = words(self.device).map(|text| names(&text)).transpose()?;
        let location = words(self.location);
        let mut measured = app.store.measured().await?;
        let mut unknown = names.clone().unwrap_or_default();
        let mut sources = vec![];
        for device in app.store.devices().await? {
            unknown.remove(&device.name);
            if names.as_ref().is_some_and(|names| !names.contains(&device.name))
                || location.is_some() && device.location != location
            {
                continue;
            }
            let is_wanted = |metric: &Metric| metrics.as_ref().is_none_or(|wanted| wanted.contains(metric));
            let has = measured.remove(&device.name).unwrap_or_default();
            let metrics: Vec<Metric> = has.into_iter().filter(is_wanted).collect();
            // Who has none of it makes no table; who was named has an empty one.
            if !metrics.is_empty() || names.is_some() {
                sources.push(Source { device: device.name, location: device.location, metrics, about: 0 });
            }
        }
        if let Some(name) = unknown.first() {
            return Err(Problem::invalid("device", format!("no device is called {name}")));
        }
        sources.sort_by(|a, b| place(a.device.as_str()).cmp(&place(b.device.as_str())));
        Ok(Meant { sources, range, status: self.status, location, named: names.is_some() })
    }
}

impl Meant {
    /// Counts what is meant of each device.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn count(&mut self, app: &App) -> Result<(), Problem> {
        for source in &mut self.sources {
            let Count { readings, measured } = app.store.count(&source.device, &source.metrics, self.range).await?;
            source.about = match self.status {
                Status::All => readings,
                Status::Fault => readings.saturating_sub(measured),
                Status::Good | Status::Flagged => measured,
            };
        }
        Ok(())
    }
}

fn names(text: &str) -> Result<BTreeSet<DeviceName>, Problem> {
    let name = |word: &str| word.parse().map_err(|_| Problem::invalid("device", format!("no device is called {word}")));
    text.split(',').map(name).collect()
}
