//! Alerts: lists, one with its history, and the file of them. What people do with them is in `alert_acts`.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::{Problem, Problems};
use super::extract::{Id, Params};
use super::page::within;
use super::words;
use crate::alert::table::{HEADING, line};
use crate::alert::{Alert, Kind, Source, State as AlertState};
use crate::run::App;
use crate::store::{AlertCounts, AlertEvent as StoredEvent, AlertFilter, Delivery, MOST_ALERTS};
use axum::{Json, extract::State};
use axum::{http::header, response::IntoResponse};
use csv::WriterBuilder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::Metric;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Alerts of an answer, if nothing is said.
const USUAL_ALERTS: u32 = 100;
/// Most alerts of a file.
const MOST_LINES: usize = 100_000;

/// Which alerts. Of words of one field, with a comma between, each is meant.
#[derive(Debug, Clone, Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
#[schema(as = AlertFilter)]
pub struct Filter {
    /// `open`, `acknowledged`, `resolved`.
    #[schema(nullable = false, value_type = Option<words::AlertStates>)]
    #[param(value_type = Option<words::AlertStates>)]
    pub state: Option<String>,
    /// `warning`, `critical`.
    #[schema(nullable = false, value_type = Option<words::Severities>)]
    #[param(value_type = Option<words::Severities>)]
    pub severity: Option<String>,
    /// `rule`, `outage`, `intake`.
    #[schema(nullable = false, value_type = Option<words::AlertSources>)]
    #[param(value_type = Option<words::AlertSources>)]
    pub source: Option<String>,
    /// What is wrong, such as `low,high`.
    #[schema(nullable = false, value_type = Option<words::AlertKinds>)]
    #[param(value_type = Option<words::AlertKinds>)]
    pub kind: Option<String>,
    /// At which device.
    #[schema(nullable = false)]
    pub device: Option<String>,
    /// At which location.
    #[schema(nullable = false)]
    pub location: Option<String>,
    /// Of which metric.
    #[schema(nullable = false, value_type = Option<words::Metrics>)]
    #[param(value_type = Option<words::Metrics>)]
    pub metric: Option<String>,
    /// Whose they are.
    #[schema(nullable = false)]
    pub assignee: Option<String>,
    /// Words that stand in them or in their notes, in this order.
    #[schema(nullable = false)]
    pub q: Option<String>,
    /// Those that have been so since this time (UTC milliseconds) or later.
    #[schema(nullable = false)]
    pub from: Option<i64>,
    /// Those that have been so since before this time (UTC milliseconds).
    #[schema(nullable = false)]
    pub to: Option<i64>,
    /// Only what was over before the server knew of it, or only the rest.
    #[schema(nullable = false)]
    pub historical: Option<bool>,
    /// Only what nobody has read, or only the rest.
    #[schema(nullable = false)]
    pub unread: Option<bool>,
    /// What a clearance took out of the lists, instead of what is in them.
    #[schema(nullable = false)]
    pub cleared: Option<i64>,
    /// Of a list: only those with a lower id, `next` of the answer before.
    #[schema(nullable = false)]
    pub before: Option<i64>,
    /// Of a list: at most so many, 1 to 500; 100 if absent.
    #[schema(nullable = false, minimum = 1, maximum = 500)]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

impl Filter {
    /// How many alerts are wanted.
    fn limit(&self) -> Result<u32, Problem> {
        within("limit", self.limit.unwrap_or(USUAL_ALERTS), MOST_ALERTS)
    }

    /// The filter, if its words are known.
    pub fn checked(self) -> Result<AlertFilter, Problem> {
        all_known("state", self.state.as_deref(), AlertState::ALL.iter().map(|word| word.as_str()))?;
        all_known("severity", self.severity.as_deref(), ["warning", "critical"].into_iter())?;
        all_known("source", self.source.as_deref(), Source::ALL.iter().map(|word| word.as_str()))?;
        all_known("kind", self.kind.as_deref(), Kind::ALL.iter().map(|word| word.as_str()))?;
        all_known("metric", self.metric.as_deref(), Metric::ALL.iter().map(|metric| metric.as_str()))?;
        let Self { state, severity, source, kind, device, location, metric, assignee, q, .. } = self;
        let Self { from, to, historical, unread, cleared, .. } = self;
        let q = q.filter(|q| !q.trim().is_empty());
        Ok(AlertFilter {
            state,
            severity,
            source,
            kind,
            device,
            location,
            metric,
            assignee,
            q,
            from,
            to,
            historical,
            unread,
            cleared,
        })
    }
}

pub(super) fn all_known(
    field: &str,
    words: Option<&str>,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<(), Problem> {
    match words.into_iter().flat_map(|words| words.split(',')).find(|word| !known.clone().any(|known| known == *word)) {
        None => Ok(()),
        Some(_) => Err(Problem::invalid(field, format!("use one or more of {}", known.collect::<Vec<_>>().join(",")))),
    }
}

/// How many there are in all, whatever is asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertNumbers {
    /// Nobody takes care of them.
    open: i64,
    /// Somebody does.
    acknowledged: i64,
    /// Not resolved, and critical.
    critical: i64,
    /// Nobody has read them.
    unread: i64,
}

impl From<AlertCounts> for AlertNumbers {
    fn from(AlertCounts { open, acknowledged, critical, unread }: AlertCounts) -> Self {
        Self { open, acknowledged, critical, unread }
    }
}

/// A part of the alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alerts {
    /// The newest first.
    alerts: Vec<Alert>,
    /// Where it goes on; null at the end.
    #[schema(required)]
    next: Option<i64>,
    /// How many there are.
    counts: AlertNumbers,
}

/// Something that happened to an alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertEvent {
    /// 1, 2, 3, ...
    seq: i64,
    /// When (UTC milliseconds).
    at: i64,
    /// An account, `rule` or `server`.
    who: String,
    /// `raised`, `escalated`, `eased`, `cleared`, `announced`, `read`, `acknowledged`, `resolved`, `reopened`, `assigned`,
    /// `snoozed`, `noted`, `linked`, `cleared_away` or `restored`.
    what: String,
    /// Whatever else belongs to it, such as the `text` of a note.
    #[schema(value_type = Object)]
    detail: Map<String, Value>,
}

impl From<StoredEvent> for AlertEvent {
    fn from(StoredEvent { seq, at, who, what, detail }: StoredEvent) -> Self {
        Self { seq, at: at.0, who, what, detail }
    }
}

/// How a channel fares with news of an alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertDelivery {
    /// What it tells, such as `raised`.
    what: String,
    /// Since when it is to be told (UTC milliseconds).
    at: i64,
    /// Why it is not sent: `silenced`, `maintenance`, `snoozed` or `linked`.
    #[schema(required)]
    withheld: Option<String>,
    /// Which channel; null while none has taken it.
    #[schema(required)]
    channel: Option<String>,
    /// `pending`, `sent` or `failed`.
    #[schema(required)]
    state: Option<String>,
    /// How often it was tried.
    tries: i64,
    /// When it was over (UTC milliseconds).
    #[schema(required)]
    done_at: Option<i64>,
    /// What went wrong last.
    #[schema(required)]
    problem: Option<String>,
}

impl From<Delivery> for AlertDelivery {
    fn from(Delivery { what, at, withheld, channel, state, tries, done_at, problem }: Delivery) -> Self {
        Self { what, at, withheld, channel, state, tries: tries.unwrap_or(0), done_at, problem }
    }
}

/// An alert with all that happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertHistory {
    /// The alert.
    alert: Alert,
    /// Oldest first.
    events: Vec<AlertEvent>,
    /// Oldest first.
    deliveries: Vec<AlertDelivery>,
    /// The alerts that belong to it.
    children: Vec<Alert>,
}

/// Alerts, newest first.
#[utoipa::path(get, path = "/api/v1/alerts", operation_id = "listAlerts", tag = "alerts", params(Filter),
    responses((status = 200, body = Alerts), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(filter): Params<Filter>) -> Result<Json<Alerts>, Problem> {
    let (before, limit) = (filter.before, filter.limit()?);
    let alerts = app.store.alerts(&filter.checked()?, before, limit, app.clock.now()).await?;
    let full = u32::try_from(alerts.len()).is_ok_and(|count| count == limit);
    let next = alerts.last().filter(|_| full).map(|alert| alert.id);
    Ok(Json(Alerts { alerts, next, counts: app.store.alert_counts().await?.into() }))
}

/// One alert with all that happened to it.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", operation_id = "getAlert", tag = "alerts",
    params(("id" = i64, Path, description = "the alert's id")),
    responses((status = 200, body = AlertHistory), Problems))]
pub async fn one(State(app): State<Arc<App>>, Id(id): Id) -> Result<Json<AlertHistory>, Problem> {
    let (now, unknown) = (app.clock.now(), || Problem::not_found("unknown_alert", "there is no such alert"));
    let id: i64 = id.parse().map_err(|_| unknown())?;
    let alert = app.store.alert(id, now).await?.ok_or_else(unknown)?;
    Ok(Json(AlertHistory {
        alert,
        events: app.store.alert_events(id).await?.into_iter().map(AlertEvent::from).collect(),
        deliveries: app.store.alert_deliveries(id).await?.into_iter().map(AlertDelivery::from).collect(),
        children: app.store.alert_children(id, now).await?,
    }))
}

/// What is filtered as a file of comma-separated values, newest first; times are UTC milliseconds.
#[utoipa::path(get, path = "/api/v1/alerts.csv", operation_id = "exportAlerts", tag = "alerts", params(Filter),
    responses((status = 200, description = "the file", content_type = "text/csv", body = String), Problems))]
pub async fn export(State(app): State<Arc<App>>, Params(filter): Params<Filter>) -> Result<impl IntoResponse, Problem> {
    filter.limit()?;
    let (mut before, filter, now) = (filter.before, filter.checked()?, app.clock.now());
    let mut file = WriterBuilder::new().from_writer(vec![]);
    let failed = |error: csv::Error| Problem::internal(&error);
    file.write_record(HEADING).map_err(failed)?;
    for _ in 0..MOST_LINES / MOST_ALERTS as usize {
        let alerts = app.store.alerts(&filter, before, MOST_ALERTS, now).await?;
        for alert in &alerts {
            file.write_record(line(alert)).map_err(failed)?;
        }
        before = alerts.last().map(|alert| alert.id);
        if before.is_none() {
            break;
        }
    }
    let file = file.into_inner().map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tirta-alerts.csv\""),
    ];
    Ok((headers, file))
}
