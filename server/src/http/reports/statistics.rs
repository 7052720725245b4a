//! The report of statistics: for each device, metric and part of a time, how many readings there are, how good they are, and what
//! they say.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::{Asked, Scope, table, turn, zone_name};
use crate::http::error::{Problem, Problems};
use crate::http::extract::Params;
use crate::http::outages::Per;
use crate::http::words;
use crate::outage::Window;
use crate::report::{Pace, Statistics, expected, usual_ms};
use crate::run::App;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use shared::Metric;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which statistics.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// What the time is cut into.
    #[serde(default)]
    #[param(inline, value_type = Option<Per>)]
    per: Per,
    /// Only of these devices, with a comma between.
    device: Option<String>,
    /// Only of devices at this location.
    location: Option<String>,
    /// Only of these metrics, with a comma between.
    #[param(value_type = Option<words::Metrics>)]
    metric: Option<String>,
    /// From when on (UTC milliseconds); 30 days before `to` if absent. At most 400 days.
    from: Option<i64>,
    /// Until when (UTC milliseconds); until now if absent.
    to: Option<i64>,
}

/// What a part of the time holds of one metric of a device.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatisticsRow {
    /// Which device.
    device: String,
    /// Where.
    #[schema(required)]
    location: Option<String>,
    /// What was measured.
    #[schema(value_type = words::Metric)]
    metric: &'static str,
    /// The unit of the values.
    #[schema(value_type = words::Unit)]
    unit: &'static str,
    /// From when (UTC milliseconds).
    from: i64,
    /// Until when.
    to: i64,
    /// All readings that came, faults among them.
    readings: u64,
    /// Values with nothing to know before trusting them, but that they may be simulated.
    good: u64,
    /// Values with a flag. The statistics are of good and flagged values.
    flagged: u64,
    /// Values measured while somebody calibrated: the probe was not in the water, they count nowhere else.
    calibrating: u64,
    /// Readings without a value.
    faults: u64,
    /// How many of the readings are from a simulation.
    simulated: u64,
    /// How many of the readings have a time that nobody vouches for.
    unsynced: u64,
    /// How many readings the sampling interval lets expect while the device was in service; null if nobody can say.
    #[schema(required)]
    expected: Option<u64>,
    /// The share of those for which there is a value; null if nobody can say.
    #[schema(required)]
    coverage_percent: Option<f64>,
    /// The least value; null with all that follows if there is no value.
    #[schema(required)]
    min: Option<f64>,
    /// When it was first measured (UTC milliseconds).
    #[schema(required)]
    min_at: Option<i64>,
    /// The greatest value.
    #[schema(required)]
    max: Option<f64>,
    /// When it was first measured (UTC milliseconds).
    #[schema(required)]
    max_at: Option<i64>,
    /// The arithmetic mean of the values as they were measured, also of pH.
    #[schema(required)]
    mean: Option<f64>,
    /// The standard deviation of a sample; null for less than two values.
    #[schema(required)]
    deviation: Option<f64>,
    /// The 5th percentile, between two values by their distance.
    #[schema(required)]
    p5: Option<f64>,
    /// The median.
    #[schema(required)]
    median: Option<f64>,
    /// The 95th percentile.
    #[schema(required)]
    p95: Option<f64>,
    /// How exact median and percentiles are: at least to so much, and exact where values have no more decimals than the sensor
    /// resolves.
    #[schema(required)]
    percentile_step: Option<f64>,
}

/// Statistics of a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatisticsReport {
    /// The time zone whose days, weeks and months are meant.
    time_zone: String,
    /// From when (UTC milliseconds).
    from: i64,
    /// Until when: now at most.
    to: i64,
    /// By device, then metric, then time.
    rows: Vec<StatisticsRow>,
}

const HEADING: [&str; 25] = [
    "device",
    "location",
    "metric",
    "unit",
    "from",
    "to",
    "readings",
    "good",
    "flagged",
    "calibrating",
    "faults",
    "simulated",
    "unsynced",
    "expected",
    "coverage_percent",
    "min",
    "min_at",
    "max",
    "max_at",
    "mean",
    "standard_deviation",
    "p5",
    "median",
    "p95",
    "percentile_step",
];

/// Statistics of readings by device, metric and part of a time, after recomputation.
#[utoipa::path(get, path = "/api/v1/reports/statistics", operation_id = "reportStatistics", tag = "reports", params(Which),
    responses((status = 200, body = StatisticsReport), Problems))]
pub async fn show(
    State(app): State<Arc<App>>,
    Params(which): Params<Which>,
) -> Result<Json<StatisticsReport>, Problem> {
    report(&app, &which).await.map(Json)
}

/// The same as a file of comma-separated values.
#[utoipa::path(get, path = "/api/v1/reports/statistics.csv", operation_id = "exportReportStatistics", tag = "reports",
    params(Which), responses((status = 200, description = "the file", content_type = "text/csv", body = String), Problems))]
pub async fn export(State(app): State<Arc<App>>, Params(which): Params<Which>) -> Result<table::File, Problem> {
    let report = report(&app, &which).await?;
    let zone = &app.config.alerts.time_zone;
    let at = |ms: Option<i64>| ms.map(|ms| table::instant(ms, zone)).unwrap_or_default();
    let line = |row: StatisticsRow| {
        vec![
            row.device,
            table::text(row.location.as_deref()),
            row.metric.to_owned(),
            row.unit.to_owned(),
            at(Some(row.from)),
            at(Some(row.to)),
            row.readings.to_string(),
            row.good.to_string(),
            row.flagged.to_string(),
            row.calibrating.to_string(),
            row.faults.to_string(),
            row.simulated.to_string(),
            row.unsynced.to_string(),
            row.expected.map(|count| count.to_string()).unwrap_or_default(),
            table::number(row.coverage_percent),
            table::number(row.min),
            at(row.min_at),
            table::number(row.max),
            at(row.max_at),
            table::number(row.mean),
            table::number(row.deviation),
            table::number(row.p5),
            table::number(row.median),
            table::number(row.p95),
            table::number(row.percentile_step),
        ]
    };
    table::file("statistics", &HEADING, report.rows.into_iter().map(line))
}

async fn report(app: &App, which: &Which) -> Result<StatisticsReport, Problem> {
    let Which { per, device, location, metric, from, to } = which;
    let asked = Asked {
        device: device.as_deref(),
        location: location.as_deref(),
        metric: metric.as_deref(),
        from: *from,
        to: *to,
    };
    let _turn = turn().await;
    let scope = Scope::of(app, asked).await?;
    let measured = app.store.latest().await?;
    let measured = |device: &str| -> Vec<Metric> {
        let own = measured.iter().filter(|(name, _)| name.as_str() == device).map(|(_, reading)| reading.metric);
        own.filter(|metric| scope.wants(*metric)).collect()
    };
    let series: usize = scope.devices.iter().map(|(device, _)| measured(device.name.as_str()).len()).sum();
    let parts = scope.parts(app, *per, series)?;
    let mut rows = vec![];
    for (device, service) in &scope.devices {
        let paces = app.store.paces(&device.name).await?;
        for metric in measured(device.name.as_str()) {
            let (found, usual) = app.store.statistics(&device.name, metric, &parts).await?;
            for statistics in found {
                let about = About { service, metric, paces: &paces, usual: usual_ms(usual) };
                rows.extend(about.row(device.name.as_str(), device.location.as_deref(), &statistics));
            }
        }
    }
    Ok(StatisticsReport { time_zone: zone_name(app), from: scope.time.from, to: scope.time.to, rows })
}

/// What is known of a device's metric beside its readings.
struct About<'a> {
    service: &'a [Window],
    metric: Metric,
    paces: &'a [Pace],
    usual: Option<f64>,
}

impl About<'_> {
    /// The row of a part; none if the device was not in service and nothing came.
    fn row(&self, device: &str, location: Option<&str>, found: &Statistics) -> Option<StatisticsRow> {
        let service: Vec<Window> = self.service.iter().filter_map(|service| service.within(found.time)).collect();
        if service.is_empty() && found.readings() == 0 {
            return None;
        }
        let expected = expected(&service, self.metric, self.paces, self.usual);
        #[allow(clippy::cast_precision_loss)] // counts are far below 2^52
        let share = |expected: f64| (100.0 * found.values() as f64 / expected).min(100.0);
        let summary = found.summary;
        Some(StatisticsRow {
            device: device.to_owned(),
            location: location.map(str::to_owned),
            metric: self.metric.as_str(),
            unit: self.metric.unit().symbol(),
            from: found.time.from,
            to: found.time.to,
            readings: found.readings(),
            good: found.good,
            flagged: found.flagged,
            calibrating: found.calibrating,
            faults: found.faults,
            simulated: found.simulated,
            unsynced: found.unsynced,
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is a count
            expected: expected.map(|count| count.round() as u64),
            coverage_percent: expected.filter(|count| *count >= 1.0).map(share),
            min: summary.map(|summary| summary.min.0),
            min_at: summary.map(|summary| summary.min.1),
            max: summary.map(|summary| summary.max.0),
            max_at: summary.map(|summary| summary.max.1),
            mean: summary.map(|summary| summary.mean),
            deviation: summary.and_then(|summary| summary.deviation),
            p5: summary.map(|summary| summary.quantiles[0]),
            median: summary.map(|summary| summary.quantiles[1]),
            p95: summary.map(|summary| summary.quantiles[2]),
            percentile_step: summary.map(|summary| summary.step),
        })
    }
}
