//! What people do with alerts: acts on some of them, and clearing the lists with a way back.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::alerts::Filter;
use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use crate::access::Permission;
use crate::run::App;
use crate::store::{AlertAct, Clearance as Stored};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use shared::UtcMillis;
use std::sync::Arc;
use utoipa::ToSchema;

/// Most alerts of one act.
const MOST_IDS: usize = 500;
/// Most characters of a note or a reason.
const LONGEST_TEXT: usize = 4000;
/// Most characters of the name of somebody.
const LONGEST_NAME: usize = 100;
/// The longest snooze.
const LONGEST_SNOOZE_MS: i64 = 30 * 86_400_000;

/// What can be done with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertActName {
    /// It was read.
    Read,
    /// The caller takes care of it.
    Acknowledge,
    /// It is over; `reason` says why.
    Resolve,
    /// It is not over, or nobody takes care of it, after all: it is open again.
    Reopen,
    /// It is `assignee`'s, or nobody's.
    Assign,
    /// Nobody is to be told of it `until` then, or no longer.
    Snooze,
    /// `text` is written down.
    Note,
}

/// Something that is done with alerts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertActs {
    /// With which; 1 to 500.
    #[schema(min_items = 1, max_items = 500)]
    ids: Vec<i64>,
    /// What.
    act: AlertActName,
    /// Why it is over: needed to resolve.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4000)]
    reason: Option<String>,
    /// Whose it is.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    assignee: Option<String>,
    /// Until when nobody is told (UTC milliseconds): 30 days from now at most.
    #[serde(default)]
    until: Option<i64>,
    /// A note.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4000)]
    text: Option<String>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertsActed {
    /// The alerts with which it was done; those for which it means nothing are not among them.
    done: Vec<i64>,
}

impl AlertActs {
    fn act(&self, now: UtcMillis) -> Result<AlertAct, Problem> {
        // Also where this act has no use for it: whoever sends it meant something.
        for (field, given, longest) in [
            ("reason", &self.reason, LONGEST_TEXT),
            ("assignee", &self.assignee, LONGEST_NAME),
            ("text", &self.text, LONGEST_TEXT),
        ] {
            given.as_deref().map(|given| text(field, Some(given), longest)).transpose()?;
        }
        Ok(match self.act {
            AlertActName::Read => AlertAct::Read,
            AlertActName::Acknowledge => AlertAct::Acknowledge,
            AlertActName::Resolve => {
                AlertAct::Resolve { reason: text("reason", self.reason.as_deref(), LONGEST_TEXT)? }
            }
            AlertActName::Reopen => AlertAct::Reopen,
            AlertActName::Assign => {
                let name = self.assignee.as_deref().map(|name| text("assignee", Some(name), LONGEST_NAME));
                AlertAct::Assign { assignee: name.transpose()? }
            }
            AlertActName::Snooze => {
                if self.until.is_some_and(|until| until <= now.0 || until - now.0 > LONGEST_SNOOZE_MS) {
                    return Err(Problem::invalid("until", "it must lie in the next 30 days"));
                }
                AlertAct::Snooze { until: self.until.map(UtcMillis) }
            }
            AlertActName::Note => AlertAct::Note { text: text("text", self.text.as_deref(), LONGEST_TEXT)? },
        })
    }
}

/// A text that says something and is not longer than it may be.
fn text(field: &'static str, given: Option<&str>, longest: usize) -> Result<String, Problem> {
    let given = given.unwrap_or_default().trim();
    if given.is_empty() || given.chars().count() > longest {
        return Err(Problem::invalid(field, format!("give 1 to {longest} characters")));
    }
    Ok(given.to_owned())
}

/// Does something with alerts.
#[utoipa::path(post, path = "/api/v1/alerts/act", operation_id = "actOnAlerts", tag = "alerts", request_body = AlertActs,
    responses((status = 200, body = AlertsActed), Problems))]
pub async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(acts): Body<AlertActs>,
) -> Result<Json<AlertsActed>, Problem> {
    if !(1..=MOST_IDS).contains(&acts.ids.len()) {
        return Err(Problem::invalid("ids", format!("give 1 to {MOST_IDS} ids")));
    }
    // Whoever takes an alert acknowledges it; giving it to somebody is for whoever leads.
    if acts.act == AlertActName::Assign {
        caller.needs(Permission::OverseeAlerts)?;
    }
    let now = app.clock.now();
    let done = app.store.act_on_alerts(&acts.ids, &acts.act(now)?, &caller.actor(), now).await?;
    Ok(Json(AlertsActed { done }))
}

/// Alerts that were cleared out of the lists together.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertClearance {
    /// Which.
    id: i64,
    /// When (UTC milliseconds).
    at: i64,
    /// By whom.
    who: String,
    /// How many.
    alerts: i64,
    /// When they were put back (UTC milliseconds), if they were.
    #[schema(required)]
    restored_at: Option<i64>,
}

impl From<Stored> for AlertClearance {
    fn from(Stored { id, at, who, alerts, restored_at }: Stored) -> Self {
        Self { id, at, who, alerts, restored_at }
    }
}

/// What was cleared.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertsCleared {
    /// The clearance; null if no alert is meant.
    #[schema(required)]
    clearance: Option<AlertClearance>,
}

/// Clears all alerts that the filter means out of the lists. They are kept, and can be put back. What still goes on is told
/// anew when it begins anew.
#[utoipa::path(post, path = "/api/v1/alerts/clear", operation_id = "clearAlerts", tag = "alerts", request_body = Filter,
    responses((status = 200, body = AlertsCleared), Problems))]
pub async fn clear(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(filter): Body<Filter>,
) -> Result<Json<AlertsCleared>, Problem> {
    let given =
        [("before", filter.before.is_some()), ("limit", filter.limit.is_some()), ("cleared", filter.cleared.is_some())];
    if let Some((field, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Problem::invalid(field, "it means nothing here: leave it out"));
    }
    let cleared = app.store.clear_alerts(&filter.checked()?, &caller.actor(), app.clock.now()).await?;
    Ok(Json(AlertsCleared { clearance: cleared.map(AlertClearance::from) }))
}

/// Clearances.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertClearances {
    /// The newest first.
    clearances: Vec<AlertClearance>,
}

/// What was cleared out of the lists, newest first.
#[utoipa::path(get, path = "/api/v1/alerts/clearances", operation_id = "listClearances", tag = "alerts",
    responses((status = 200, body = AlertClearances), Problems))]
pub async fn clearances(State(app): State<Arc<App>>) -> Result<Json<AlertClearances>, Problem> {
    let clearances = app.store.clearances().await?.into_iter().map(AlertClearance::from).collect();
    Ok(Json(AlertClearances { clearances }))
}

/// What was put back.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertsRestored {
    /// How many.
    alerts: i64,
}

/// Puts the alerts of a clearance back into the lists.
#[utoipa::path(post, path = "/api/v1/alerts/clearances/{id}/restore", operation_id = "restoreAlerts", tag = "alerts",
    params(("id" = i64, Path, description = "the clearance's id")),
    responses((status = 200, body = AlertsRestored), Problems))]
pub async fn restore(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<Json<AlertsRestored>, Problem> {
    let unknown = || Problem::not_found("unknown_clearance", "there is no such clearance, or it is restored already");
    let id: i64 = id.parse().map_err(|_| unknown())?;
    let alerts = app.store.restore_alerts(id, &caller.actor(), app.clock.now()).await?.ok_or_else(unknown)?;
    Ok(Json(AlertsRestored { alerts }))
}
