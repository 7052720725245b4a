//! The audit log, for people and auditors: read only.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::{Problem, Problems};
use super::extract::Params;
use super::page::{in_order, within};
use super::words;
use crate::audit::Act;
use crate::run::App;
use crate::store::{AuditFilter, AuditWalk, MOST_ENTRIES, Written};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Entries of an answer, if nothing is said.
const USUAL_ENTRIES: u32 = 100;

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only those about this device.
    device: Option<String>,
    /// Only those of these kinds, such as `device.revoked,device.replaced`: words as in `act` of an entry, with a comma between.
    #[param(inline, value_type = Option<words::AuditActs>)]
    act: Option<String>,
    /// Only those by this one: an account, `key:` and the name of a key, `device`, `visitor` or `server`.
    who: Option<String>,
    /// Only those from this time on (UTC milliseconds).
    from: Option<i64>,
    /// Only those before this time (UTC milliseconds).
    to: Option<i64>,
    /// Only those with this text in who, device, board, address or detail, in whatever case.
    q: Option<String>,
    /// Only those with a lower number: `next` of the answer before.
    before: Option<i64>,
    /// Only those with a higher number, and the oldest first: 0 for the first of all, then `next` of the answer before, or the
    /// number of the last entry that somebody has who follows the log.
    after: Option<i64>,
    /// At most so many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Something that was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Rises with each entry.
    id: i64,
    /// When (UTC milliseconds).
    at: i64,
    /// An account, `key:` and the name of a key, `device`, `visitor` or `server`.
    who: String,
    /// What, such as `device.enrolled`.
    act: String,
    /// To which device.
    #[schema(required)]
    device: Option<String>,
    /// To which board.
    #[schema(required)]
    serial: Option<String>,
    /// From which address.
    #[schema(required)]
    address: Option<String>,
    /// Whatever else belongs to it.
    #[schema(value_type = Object)]
    detail: Map<String, Value>,
}

/// A part of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLog {
    /// The newest first, or with `after` the oldest.
    entries: Vec<AuditEntry>,
    /// Where it goes on; null at the end.
    #[schema(required)]
    next: Option<i64>,
}

impl From<Written> for AuditEntry {
    fn from(entry: Written) -> Self {
        let Written { id, at, who, act, device, serial, address, detail } = entry;
        Self { id, at: at.0, who, act, device, serial, address, detail }
    }
}

/// The kinds that a parameter names, each once.
fn acts(words: &str) -> Result<Vec<Act>, Problem> {
    let mut acts = vec![];
    for word in words.split(',') {
        let Some(act) = Act::ALL.iter().find(|act| act.as_str() == word) else {
            let shown: String = word.chars().take(40).collect();
            let known: Vec<&str> = Act::ALL.iter().map(|act| act.as_str()).collect();
            let detail = format!("there is no kind {shown:?}: use one or more of {}", known.join(","));
            return Err(Problem::invalid("act", detail));
        };
        if !acts.contains(act) {
            acts.push(*act);
        }
    }
    Ok(acts)
}

/// The audit log, newest first, or oldest first after an entry.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "listAudit", tag = "audit", params(Which),
    responses((status = 200, body = AuditLog), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(which): Params<Which>) -> Result<Json<AuditLog>, Problem> {
    let limit = within("limit", which.limit.unwrap_or(USUAL_ENTRIES), MOST_ENTRIES)?;
    let Which { device, act, who, from, to, q, before, after, .. } = which;
    in_order(from, to)?;
    let acts = act.as_deref().map(acts).transpose()?.unwrap_or_default();
    let text = q.filter(|text| !text.is_empty());
    let filter = AuditFilter { device, acts, who, from, to, text };
    let walk = match (before, after) {
        (Some(_), Some(_)) => return Err(Problem::invalid("after", "use either `before` or `after`")),
        (before, None) => AuditWalk::Back(before),
        (None, Some(after)) => AuditWalk::On(after),
    };
    let entries = app.store.audit_log(&filter, walk, limit).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|count| count == limit);
    let next = entries.last().filter(|_| full).map(|entry| entry.id);
    Ok(Json(AuditLog { entries: entries.into_iter().map(AuditEntry::from).collect(), next }))
}
