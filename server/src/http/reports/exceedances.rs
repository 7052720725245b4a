//! The report of limits that were exceeded: for each device, metric and side, which limits held when, and how often, how long and
//! how far they were passed. What was judged then counts: nothing is judged anew.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::{Asked, Scope, table, turn, zone_name};
use crate::http::error::{Problem, Problems};
use crate::http::extract::Params;
use crate::http::words;
use crate::outage::Window;
use crate::report::{Beyond, Episode, Held, beyond, held};
use crate::run::App;
use crate::store::Device;
use crate::threshold::Scope as ThresholdScope;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use shared::rule::Kind;
use shared::{Metric, Value};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which exceedances.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
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

/// On which side of the water's values a limit lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LimitSide {
    /// What must not be fallen below.
    Low,
    /// What must not be exceeded.
    High,
}

/// A limit that held for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldLimit {
    /// From when (UTC milliseconds), within the time of the report.
    from: i64,
    /// Until when.
    to: i64,
    /// Beyond it is a warning.
    #[schema(required)]
    warning: Option<f64>,
    /// Beyond it is critical.
    #[schema(required)]
    critical: Option<f64>,
    /// Whose threshold it was: the device's own, its location's or the fleet's.
    scope: ThresholdScope,
    /// Which location or device; empty for the fleet.
    target: String,
    /// Which version of it.
    version: u32,
    /// The preset that it was filled from.
    #[schema(required)]
    preset: Option<String>,
}

/// How a limit of a device was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exceedance {
    /// Which device.
    device: String,
    /// Where it stands now, by which its limits are told.
    #[schema(required)]
    location: Option<String>,
    /// What was measured.
    #[schema(value_type = words::Metric)]
    metric: &'static str,
    /// The unit of the values.
    #[schema(value_type = words::Unit)]
    unit: &'static str,
    /// Which side.
    side: LimitSide,
    /// The limits that held, in the order of their times.
    limits: Vec<HeldLimit>,
    /// How often one was passed: alerts that reach into the time.
    episodes: u32,
    /// How often a critical one was.
    critical_episodes: u32,
    /// How long in all, in milliseconds.
    beyond_ms: i64,
    /// Of that, how long beyond a critical limit.
    critical_ms: i64,
    /// Of that, how long the device was not there, so that nobody knows.
    unheard_ms: i64,
    /// The longest single time.
    longest_ms: i64,
    /// When that began (UTC milliseconds).
    #[schema(required)]
    longest_from: Option<i64>,
    /// Whether one goes on at the end of the time.
    ongoing: bool,
    /// How many somebody said to be over before the rule found so: their time ends there.
    by_hand: u32,
    /// How many were decided by simulated readings.
    simulated: u32,
    /// The value furthest beyond while one was passed, as it was judged.
    #[schema(required)]
    worst: Option<f64>,
    /// When that was first measured (UTC milliseconds).
    #[schema(required)]
    worst_at: Option<i64>,
}

/// Limits exceeded within a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExceedancesReport {
    /// The fleet's time zone.
    time_zone: String,
    /// From when (UTC milliseconds).
    from: i64,
    /// Until when: now at most.
    to: i64,
    /// By device, then metric, low before high; also for limits that were kept.
    rows: Vec<Exceedance>,
}

const HEADING: [&str; 18] = [
    "device",
    "location",
    "metric",
    "unit",
    "side",
    "limits",
    "episodes",
    "critical_episodes",
    "beyond_ms",
    "critical_ms",
    "unheard_ms",
    "longest_ms",
    "longest_from",
    "ongoing",
    "by_hand",
    "simulated",
    "worst",
    "worst_at",
];

/// How often, how long and how far limits were exceeded, by what was judged then; with the limits that held.
#[utoipa::path(get, path = "/api/v1/reports/exceedances", operation_id = "reportExceedances", tag = "reports",
    params(Which), responses((status = 200, body = ExceedancesReport), Problems))]
pub async fn show(
    State(app): State<Arc<App>>,
    Params(which): Params<Which>,
) -> Result<Json<ExceedancesReport>, Problem> {
    report(&app, &which).await.map(Json)
}

/// The same as a file of comma-separated values.
#[utoipa::path(get, path = "/api/v1/reports/exceedances.csv", operation_id = "exportReportExceedances", tag = "reports",
    params(Which), responses((status = 200, description = "the file", content_type = "text/csv", body = String), Problems))]
pub async fn export(State(app): State<Arc<App>>, Params(which): Params<Which>) -> Result<table::File, Problem> {
    let report = report(&app, &which).await?;
    let zone = &app.config.alerts.time_zone;
    let at = |ms: Option<i64>| ms.map(|ms| table::instant(ms, zone)).unwrap_or_default();
    let line = |row: Exceedance| {
        let limits: Vec<String> = row.limits.iter().map(HeldLimit::in_words).collect();
        vec![
            row.device,
            table::text(row.location.as_deref()),
            row.metric.to_owned(),
            row.unit.to_owned(),
            if row.side == LimitSide::Low { "low" } else { "high" }.to_owned(),
            table::text(Some(&limits.join("; "))),
            row.episodes.to_string(),
            row.critical_episodes.to_string(),
            row.beyond_ms.to_string(),
            row.critical_ms.to_string(),
            row.unheard_ms.to_string(),
            row.longest_ms.to_string(),
            at(row.longest_from),
            row.ongoing.to_string(),
            row.by_hand.to_string(),
            row.simulated.to_string(),
            table::number(row.worst),
            at(row.worst_at),
        ]
    };
    table::file("limits-exceeded", &HEADING, report.rows.into_iter().map(line))
}

async fn report(app: &App, which: &Which) -> Result<ExceedancesReport, Problem> {
    let Which { device, location, metric, from, to } = which;
    let asked = Asked {
        device: device.as_deref(),
        location: location.as_deref(),
        metric: metric.as_deref(),
        from: *from,
        to: *to,
    };
    let _turn = turn().await;
    let scope = Scope::of(app, asked).await?;
    let time = scope.time;
    let mut rows = vec![];
    if time.ms() == 0 {
        return Ok(ExceedancesReport { time_zone: zone_name(app), from: time.from, to: time.to, rows });
    }
    let absences = app.store.absences(time, app.clock.now()).await?;
    for (device, _) in &scope.devices {
        let episodes = app.store.episodes(&device.name, time).await?;
        let absent = absences.get(&Some(device.name.to_string())).into_iter().flatten();
        let absent: Vec<Window> = absent.map(|absence| absence.time).collect();
        for metric in Metric::ALL.iter().copied().filter(|metric| scope.wants(*metric)) {
            let location = device.location.as_deref();
            let all = app.store.thresholds_before(&device.name, location, metric, time.to).await?;
            let held = held(&all, device.name.as_str(), location, time);
            for side in [Kind::Low, Kind::High] {
                let of_it = |episode: &&Episode| episode.metric == metric && episode.side == side;
                let beyond = beyond(episodes.iter().filter(of_it), time, &absent, scope.now);
                let limits: Vec<HeldLimit> = held.iter().filter_map(|held| HeldLimit::of(held, side)).collect();
                if limits.is_empty() && beyond.episodes == 0 {
                    continue;
                }
                let worst = app.store.furthest(&device.name, metric, side, &beyond.times).await?;
                rows.push(Exceedance::new(device, metric, side, limits, &beyond, worst));
            }
        }
    }
    Ok(ExceedancesReport { time_zone: zone_name(app), from: time.from, to: time.to, rows })
}

impl HeldLimit {
    /// The side of a threshold, if it has a limit there.
    fn of(held: &Held, side: Kind) -> Option<Self> {
        let threshold = held.kept.threshold?;
        let limits = if side == Kind::Low { threshold.low } else { threshold.high };
        (!limits.is_none()).then(|| Self {
            from: held.time.from,
            to: held.time.to,
            warning: limits.warning.map(Value::get),
            critical: limits.critical.map(Value::get),
            scope: held.kept.target.scope,
            target: held.kept.target.target.clone(),
            version: held.kept.version,
            preset: held.kept.preset.clone(),
        })
    }

    fn in_words(&self) -> String {
        let limit = |name: &str, limit: Option<f64>| limit.map(|limit| format!("{name} {limit}"));
        let limits: Vec<String> =
            [limit("warning", self.warning), limit("critical", self.critical)].into_iter().flatten().collect();
        let whose = format!("{} {}", self.scope.as_str(), self.target);
        format!("{} ({} version {})", limits.join(", "), whose.trim_end(), self.version)
    }
}

impl Exceedance {
    fn new(
        device: &Device,
        metric: Metric,
        side: Kind,
        limits: Vec<HeldLimit>,
        beyond: &Beyond,
        worst: Option<(f64, i64)>,
    ) -> Self {
        Self {
            device: device.name.to_string(),
            location: device.location.clone(),
            metric: metric.as_str(),
            unit: metric.unit().symbol(),
            side: if side == Kind::Low { LimitSide::Low } else { LimitSide::High },
            limits,
            episodes: beyond.episodes,
            critical_episodes: beyond.critical_episodes,
            beyond_ms: beyond.beyond_ms,
            critical_ms: beyond.critical_ms,
            unheard_ms: beyond.unheard_ms,
            longest_ms: beyond.longest.map_or(0, Window::ms),
            longest_from: beyond.longest.map(|longest| longest.from),
            ongoing: beyond.ongoing,
            by_hand: beyond.by_hand,
            simulated: beyond.simulated,
            worst: worst.map(|(value, _)| value),
            worst_at: worst.map(|(_, at)| at),
        }
    }
}
