//! Outages, and what share of a day, week or month devices were there: read only.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::{Problem, Problems};
use super::extract::Params;
use super::page::within;
use super::reports::table;
use crate::outage::{Absence, Cause, Period, Share, Window, periods, service, share};
use crate::run::App;
use crate::store::{Device, MOST_OUTAGES, Outage as Kept, WhichOutages};
use axum::{Json, extract::State};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Outages of an answer, if nothing is said.
const USUAL_OUTAGES: u32 = 100;
/// Rows of an answer about availability, at most.
const MOST_ROWS: usize = 20_000;
/// From when on, if nothing is said: 30 days.
const USUAL_MS: i64 = 30 * 86_400_000;

/// Which outages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only those of this device.
    device: Option<String>,
    /// Only those at this location.
    location: Option<String>,
    /// Only those that had not ended by then (UTC milliseconds).
    from: Option<i64>,
    /// Only those that had begun by then (UTC milliseconds).
    to: Option<i64>,
    /// Only those with a lower id: `next` of the answer before.
    before: Option<i64>,
    /// At most so many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A time in which a device, or the server, was not there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outage {
    /// Rises with the time at which it was noticed.
    id: i64,
    /// Whose; null: the server itself.
    #[schema(required)]
    device: Option<String>,
    /// Where that was.
    #[schema(required)]
    location: Option<String>,
    /// Since when: its last sign of life (UTC milliseconds).
    started_at: i64,
    /// Until when; null: it goes on.
    #[schema(required)]
    ended_at: Option<i64>,
    /// Why; `unknown` until it has ended.
    cause: Cause,
    /// What that was concluded from: `up_s`, `why`, `cut_ago_s`.
    #[schema(value_type = Object)]
    detail: Map<String, Value>,
    /// The alert that tells of it.
    #[schema(required)]
    alert: Option<i64>,
}

/// A part of the outages.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outages {
    /// The newest first.
    outages: Vec<Outage>,
    /// Where it goes on; null at the end.
    #[schema(required)]
    next: Option<i64>,
}

impl From<Kept> for Outage {
    fn from(kept: Kept) -> Self {
        let Kept { id, device, location, started_at, ended_at, cause, detail, alert } = kept;
        Self { id, device, location, started_at, ended_at, cause, detail, alert }
    }
}

/// Outages of devices and of the server itself, newest first.
#[utoipa::path(get, path = "/api/v1/outages", operation_id = "listOutages", tag = "alerts", params(Which),
    responses((status = 200, body = Outages), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(which): Params<Which>) -> Result<Json<Outages>, Problem> {
    let limit = within("limit", which.limit.unwrap_or(USUAL_OUTAGES), MOST_OUTAGES)?;
    let time = Window { from: which.from.unwrap_or(i64::MIN), to: which.to.unwrap_or(i64::MAX) };
    let Which { device, location, before, .. } = which;
    let which = WhichOutages { device, location, time: Some(time), before };
    let outages = app.store.outages(&which, limit).await?;
    let full = u32::try_from(outages.len()).is_ok_and(|count| count == limit);
    let next = outages.last().filter(|_| full).map(|outage| outage.id);
    Ok(Json(Outages { outages: outages.into_iter().map(Outage::from).collect(), next }))
}

/// The parts that a time is cut into.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// From midnight in the fleet's time zone.
    #[default]
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
    /// All of it is one part.
    Whole,
}

impl Per {
    /// The parts of a time by the calendar of a zone; `None` if there are more than so many.
    pub(super) fn parts(self, time: Window, zone: &TimeZone, most: usize) -> Option<Vec<Window>> {
        let period = match self {
            Per::Day => Period::Day,
            Per::Week => Period::Week,
            Per::Month => Period::Month,
            Per::Whole => return Some([time].into_iter().filter(|time| time.ms() > 0).collect()),
        };
        periods(time, period, zone, most)
    }
}

/// Of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Each device.
    #[default]
    Device,
    /// All devices of each location together.
    Location,
}

/// Which shares.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Shares {
    /// What the time is cut into.
    #[serde(default)]
    #[param(inline, value_type = Option<Per>)]
    per: Per,
    /// Of what.
    #[serde(default)]
    #[param(inline, value_type = Option<By>)]
    by: By,
    /// Only of these devices, with a comma between.
    device: Option<String>,
    /// Only of devices at this location.
    location: Option<String>,
    /// From when on (UTC milliseconds); 30 days before `to` if absent.
    from: Option<i64>,
    /// Until when (UTC milliseconds); until now if absent.
    to: Option<i64>,
}

/// How a day, week or month went for a device or a location.
#[derive(Debug, Serialize, ToSchema)]
pub struct Availability {
    /// Which device; null: all of the location.
    #[schema(required)]
    device: Option<String>,
    /// Where.
    #[schema(required)]
    location: Option<String>,
    /// From when (UTC milliseconds).
    from: i64,
    /// Until when.
    to: i64,
    /// The share of the known time in which it was there; null if nothing is known.
    #[schema(required)]
    availability_percent: Option<f64>,
    /// Outages that began in it.
    outages: u32,
    /// How many of them by which cause.
    causes: BTreeMap<Cause, u32>,
    /// How long it was gone, in milliseconds.
    out_ms: i64,
    /// The longest single time of that.
    longest_ms: i64,
    /// How long it was gone during maintenance: not counted.
    planned_ms: i64,
    /// How long the server itself was not there to know: not counted.
    unknown_ms: i64,
}

/// Availability by time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Availabilities {
    /// By device or location, then by time.
    rows: Vec<Availability>,
}

/// Location, number and name of the device, beginning: the order of the rows, pi-2 before pi-10.
type RowKey = (Option<String>, Option<u32>, Option<String>, i64);

/// What share of each day, week or month devices were there, with how often and why they were not.
#[utoipa::path(get, path = "/api/v1/availability", operation_id = "listAvailability", tag = "alerts", params(Shares),
    responses((status = 200, body = Availabilities), Problems))]
pub async fn availability(
    State(app): State<Arc<App>>,
    Params(asked): Params<Shares>,
) -> Result<Json<Availabilities>, Problem> {
    Ok(Json(Availabilities { rows: shares(&app, asked).await? }))
}

/// The same as a file of comma-separated values.
#[utoipa::path(get, path = "/api/v1/availability.csv", operation_id = "exportAvailability", tag = "alerts", params(Shares),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String), Problems))]
pub async fn export_availability(
    State(app): State<Arc<App>>,
    Params(asked): Params<Shares>,
) -> Result<table::File, Problem> {
    let rows = shares(&app, asked).await?;
    let zone = &app.config.alerts.time_zone;
    let line = |row: Availability| {
        let causes = row.causes.iter().map(|(cause, count)| format!("{} {count}", cause.as_str())).collect::<Vec<_>>();
        vec![
            row.device.unwrap_or_default(),
            table::text(row.location.as_deref()),
            table::instant(row.from, zone),
            table::instant(row.to, zone),
            table::number(row.availability_percent),
            row.outages.to_string(),
            causes.join(", "),
            row.out_ms.to_string(),
            row.longest_ms.to_string(),
            row.planned_ms.to_string(),
            row.unknown_ms.to_string(),
        ]
    };
    table::file("availability", &HEADING, rows.into_iter().map(line))
}

const HEADING: [&str; 11] = [
    "device",
    "location",
    "from",
    "to",
    "availability_percent",
    "outages",
    "causes",
    "out_ms",
    "longest_ms",
    "planned_ms",
    "unknown_ms",
];

async fn shares(app: &App, asked: Shares) -> Result<Vec<Availability>, Problem> {
    let now = app.clock.now();
    let to = asked.to.unwrap_or(now.0).min(now.0);
    let time = Window { from: asked.from.unwrap_or(to.saturating_sub(USUAL_MS)).max(0), to };
    let too_much = || Problem::invalid("from", format!("that is more than {MOST_ROWS} rows: ask for less time"));
    let parts = asked.per.parts(time, &app.config.alerts.time_zone, MOST_ROWS).ok_or_else(too_much)?;
    let meant = Meant::of(asked.device.as_deref(), asked.location.as_deref());
    let devices = devices(app, &meant, time, now.0).await?;
    if parts.len() * devices.len() > MOST_ROWS {
        return Err(too_much());
    }
    let absences = app.store.absences(time, now).await?;
    let deaf: Vec<Window> = absences.get(&None).into_iter().flatten().map(|absence| absence.time).collect();
    let maintenance = app.store.maintenance(time).await?;
    let none: Vec<Absence> = vec![];
    let mut rows: BTreeMap<RowKey, (Window, Share)> = BTreeMap::new();
    for (device, service) in devices {
        let name = device.name.to_string();
        let covers = |scope: &str, target: &str| match scope {
            "device" => target == name,
            "location" => device.location.as_deref() == Some(target),
            _ => true,
        };
        let planned = maintenance.iter().filter(|(scope, target, _)| covers(scope, target));
        let planned: Vec<Window> = planned.map(|(.., window)| *window).collect();
        let gone = absences.get(&Some(name.clone())).unwrap_or(&none);
        let by_device = (asked.by == By::Device).then_some(name);
        let number = by_device.as_ref().and(device.name.number());
        let is_out = device.revoked_at.is_some() || device.quarantined_at.is_some();
        for part in parts.iter().filter(|part| !is_out || serves(&service, **part)) {
            let share = share(*part, &service, gone, &deaf, &planned);
            let key = (device.location.clone(), number, by_device.clone(), part.from);
            rows.entry(key).or_insert((*part, Share::default())).1.add(&share);
        }
    }
    let row = |((location, _, device, _), (part, share)): (RowKey, (Window, Share))| Availability {
        device,
        location,
        from: part.from,
        to: part.to,
        availability_percent: share.percent(),
        outages: share.outages,
        out_ms: share.out_ms,
        longest_ms: share.longest_ms,
        planned_ms: share.planned_ms,
        unknown_ms: share.unknown_ms,
        causes: share.causes,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Which devices a question is about.
pub(super) struct Meant<'a> {
    /// All if empty.
    pub(super) names: BTreeSet<&'a str>,
    location: Option<&'a str>,
}

impl<'a> Meant<'a> {
    /// Those of a list with commas between, at a location.
    pub(super) fn of(device: Option<&'a str>, location: Option<&'a str>) -> Self {
        Self { names: device.into_iter().flat_map(|names| names.split(',')).collect(), location }
    }

    fn has(&self, device: &Device) -> bool {
        (self.names.is_empty() || self.names.contains(device.name.as_str()))
            && self.location.is_none_or(|location| device.location.as_deref() == Some(location))
    }
}

/// The devices that are meant, each with when it was in service; those that were thrown out if they were so in this time.
pub(super) async fn devices(
    app: &App,
    meant: &Meant<'_>,
    time: Window,
    now: i64,
) -> Result<Vec<(Device, Vec<Window>)>, Problem> {
    let mut earlier = app.store.earlier_service().await?;
    let mut devices = vec![];
    for device in app.store.devices().await? {
        let out_at = device.quarantined_at.or(device.revoked_at);
        let before = earlier.remove(device.name.as_str()).unwrap_or_default();
        let service = service(&before, device.enrolled_at.0, out_at.map_or(now, |at| at.0));
        if meant.has(&device) && (out_at.is_none() || serves(&service, time)) {
            devices.push((device, service));
        }
    }
    Ok(devices)
}

fn serves(service: &[Window], time: Window) -> bool {
    service.iter().any(|service| service.within(time).is_some())
}
