//! Readings: the latest of all, those of a time range, and ranges summed up in buckets for charts.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::{Problem, Problems};
use super::extract::{Named, Params, unknown_device};
use super::model::Reading;
use super::page::within;
use super::words;
use crate::run::App;
use crate::store::Buckets;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, Metric, UtcMillis};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What is shown when nothing else is asked: the last day.
const DAY_MS: i64 = 86_400_000;
/// Most readings of one answer.
const MOST_READINGS: usize = 10_000;
/// Most buckets of one series.
const MOST_POINTS: usize = 2000;

/// Which readings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RangeQuery {
    /// What was measured.
    #[param(value_type = words::Metric)]
    metric: String,
    /// From when on (UTC milliseconds); a day before `to` if absent.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    from: Option<i64>,
    /// Until when, exclusive (UTC milliseconds); now if absent.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    to: Option<i64>,
    /// Most readings of the answer, 1 to 10000; 1000 if absent.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
    /// As things stood after this recomputation, 0: as the device sent them; the newest if absent.
    revision: Option<u32>,
}

/// Which buckets.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SeriesQuery {
    /// What was measured.
    #[param(value_type = words::Metric)]
    metric: String,
    /// From when on (UTC milliseconds); a day before `to` if absent.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    from: Option<i64>,
    /// Until when, exclusive (UTC milliseconds); now if absent.
    #[param(minimum = -86_400_000, maximum = 253_402_300_799_999_i64)]
    to: Option<i64>,
    /// Most buckets of the answer, 1 to 2000; 500 for one device and 60 for all if absent.
    #[param(minimum = 1, maximum = 2000)]
    points: Option<usize>,
    /// As things stood after this recomputation, 0: as the devices sent them; the newest if absent.
    revision: Option<u32>,
}

/// The latest reading of each device and metric.
#[derive(Debug, Serialize, ToSchema)]
pub struct Latest {
    /// In the order of the devices.
    latest: Vec<LatestReading>,
}

/// A reading and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatestReading {
    /// The device's name.
    device: String,
    #[serde(flatten)]
    reading: Reading,
}

impl LatestReading {
    /// A reading of a device.
    pub(super) fn new(device: &DeviceName, reading: impl Into<Reading>) -> Self {
        Self { device: device.to_string(), reading: reading.into() }
    }
}

/// Readings of one device and metric.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readings {
    /// What was measured.
    #[schema(value_type = words::Metric)]
    metric: &'static str,
    /// The unit of the values.
    #[schema(value_type = words::Unit)]
    unit: &'static str,
    /// Oldest first.
    readings: Vec<Reading>,
    /// Whether the range holds more than the limit: ask again from the last time on.
    truncated: bool,
}

/// Buckets of one device and metric, as columns of equal length. A time without any reading has no bucket; one with
/// faults only has no values.
#[derive(Debug, Serialize, ToSchema)]
pub struct Series {
    /// The device's name.
    device: String,
    /// What was measured.
    #[schema(value_type = words::Metric)]
    metric: &'static str,
    /// The unit of the values.
    #[schema(value_type = words::Unit)]
    unit: &'static str,
    /// Width of a bucket in milliseconds.
    bucket_ms: i64,
    /// Beginning of each bucket (UTC milliseconds).
    time: Vec<i64>,
    /// Lowest value.
    min: Vec<Option<f64>>,
    /// Mean value.
    avg: Vec<Option<f64>>,
    /// Highest value.
    max: Vec<Option<f64>>,
    /// Values.
    count: Vec<u32>,
    /// Faults.
    faults: Vec<u32>,
}

/// Buckets of all devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllSeries {
    /// Devices with a reading in the range.
    series: Vec<Series>,
}

impl Series {
    fn new(device: &DeviceName, metric: Metric, buckets: Buckets) -> Self {
        let Buckets { bucket_ms, time, min, avg, max, count, faults, .. } = buckets;
        let (device, unit) = (device.to_string(), metric.unit().symbol());
        Self { device, metric: metric.as_str(), unit, bucket_ms, time, min, avg, max, count, faults }
    }
}

/// The latest reading of each device and metric.
#[utoipa::path(get, path = "/api/v1/latest", operation_id = "getLatest", tag = "readings", responses((status = 200, body = Latest), Problems))]
pub async fn latest(State(app): State<Arc<App>>) -> Result<Json<Latest>, Problem> {
    let latest = app.store.latest().await?;
    let latest = latest.iter().map(|(device, reading)| LatestReading::new(device, reading)).collect();
    Ok(Json(Latest { latest }))
}

/// Readings of one device and metric in a range, oldest first.
#[utoipa::path(get, path = "/api/v1/devices/{name}/readings", operation_id = "getReadings", tag = "readings",
    params(("name" = words::DeviceName, Path, description = "the device's name"), RangeQuery),
    responses((status = 200, body = Readings), Problems))]
pub async fn range(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Params(query): Params<RangeQuery>,
) -> Result<Json<Readings>, Problem> {
    let metric = metric(&query.metric)?;
    let (from, to) = bounds(query.from, query.to, app.clock.now())?;
    let limit = within("limit", query.limit.unwrap_or(1000), MOST_READINGS)?;
    must_exist(&app, &name).await?;
    let found = app.store.readings(&name, metric, (from, to), limit + 1, query.revision).await?;
    let readings = found.iter().take(limit).map(Reading::from).collect();
    let unit = metric.unit().symbol();
    Ok(Json(Readings { metric: metric.as_str(), unit, readings, truncated: found.len() > limit }))
}

/// A range of one device and metric in buckets.
#[utoipa::path(get, path = "/api/v1/devices/{name}/series", operation_id = "getSeries", tag = "readings",
    params(("name" = words::DeviceName, Path, description = "the device's name"), SeriesQuery),
    responses((status = 200, body = Series), Problems))]
pub async fn series_of_one(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Params(query): Params<SeriesQuery>,
) -> Result<Json<Series>, Problem> {
    let metric = metric(&query.metric)?;
    let (from, to) = bounds(query.from, query.to, app.clock.now())?;
    let points = within("points", query.points.unwrap_or(500), MOST_POINTS)?;
    must_exist(&app, &name).await?;
    let mut found = app.store.buckets(Some(&name), metric, (from, to), points, query.revision).await?;
    let buckets = found.pop().map_or_else(Buckets::default, |(_, buckets)| buckets);
    Ok(Json(Series::new(&name, metric, buckets)))
}

/// A range of one metric in buckets, for all devices.
#[utoipa::path(get, path = "/api/v1/series", operation_id = "getAllSeries", tag = "readings", params(SeriesQuery),
    responses((status = 200, body = AllSeries), Problems))]
pub async fn series_of_all(
    State(app): State<Arc<App>>,
    Params(query): Params<SeriesQuery>,
) -> Result<Json<AllSeries>, Problem> {
    let metric = metric(&query.metric)?;
    let (from, to) = bounds(query.from, query.to, app.clock.now())?;
    let points = within("points", query.points.unwrap_or(60), MOST_POINTS)?;
    let found = app.store.buckets(None, metric, (from, to), points, query.revision).await?;
    let series = found.into_iter().map(|(device, buckets)| Series::new(&device, metric, buckets)).collect();
    Ok(Json(AllSeries { series }))
}

pub(super) fn metric(name: &str) -> Result<Metric, Problem> {
    let known = || Metric::ALL.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(", ");
    Metric::from_wire(name)
        .ok_or_else(|| Problem::invalid("metric", format!("{name:?} is no metric, use one of {}", known())))
}

/// A time range that is none upside down and whose arithmetic can't overflow.
pub(super) fn bounds(from: Option<i64>, to: Option<i64>, now: UtcMillis) -> Result<(UtcMillis, UtcMillis), Problem> {
    /// Year 9999: later is no time but a mistake, such as microseconds.
    const LAST: i64 = 253_402_300_799_999;
    let to = to.unwrap_or(now.0);
    let from = from.unwrap_or(to.saturating_sub(DAY_MS));
    for (field, at) in [("to", to), ("from", from)] {
        if !(-DAY_MS..=LAST).contains(&at) {
            return Err(Problem::invalid(field, format!("{at} is no time in milliseconds since 1970")));
        }
    }
    if from >= to {
        return Err(Problem::invalid("from", "the range is empty: from must lie before to"));
    }
    Ok((UtcMillis(from), UtcMillis(to)))
}

async fn must_exist(app: &App, name: &DeviceName) -> Result<(), Problem> {
    app.store.device(name).await?.map(|_| ()).ok_or_else(|| unknown_device(name.as_str()))
}
