//! A row of `alert` and the alert that it stands for. Knows no life of it.

use super::StoreError;
use crate::alert::{Alert, Kind, Source, State, Text, words};
use jiff::tz::TimeZone;
use shared::rule::Severity;
use shared::{Metric, UtcMillis};

/// The columns of an alert, as [`AlertRow`] takes them; `$1` is the present time.
macro_rules! alert_columns {
    () => {
        "id, source, kind, device, location, metric, severity, worst, state, reopened, since, raised_at, known_at, changed_at,
         resolved_at, resolved_by, reason, value, limit_value, extreme, detail, simulated, historical, read_at, acked_at,
         acked_by, assignee, snoozed_until, parent,
         (SELECT COUNT(*) FROM alert child WHERE child.parent = alert.id) AS children,
         (SELECT MIN(silence.kind) FROM silence WHERE from_at <= $1 AND to_at > $1 AND (ended_at IS NULL OR ended_at > $1)
            AND (scope = 'fleet' OR (scope = 'device' AND target = alert.device)
              OR (scope = 'location' AND target = alert.location))) AS silence"
    };
}
pub(super) use alert_columns;

/// A row, before it is judged.
#[derive(sqlx::FromRow)]
pub(super) struct AlertRow {
    pub(super) id: i64,
    source: String,
    kind: String,
    device: Option<String>,
    location: Option<String>,
    metric: Option<String>,
    severity: String,
    worst: String,
    state: String,
    reopened: i64,
    since: i64,
    raised_at: i64,
    pub(super) known_at: i64,
    pub(super) changed_at: i64,
    resolved_at: Option<i64>,
    resolved_by: Option<String>,
    reason: Option<String>,
    value: Option<f64>,
    limit_value: Option<f64>,
    extreme: Option<f64>,
    detail: String,
    simulated: bool,
    historical: bool,
    read_at: Option<i64>,
    acked_at: Option<i64>,
    acked_by: Option<String>,
    assignee: Option<String>,
    snoozed_until: Option<i64>,
    parent: Option<i64>,
    children: i64,
    silence: Option<String>,
}

/// Reads the word of a severity.
pub(super) fn severity(word: &str) -> Option<Severity> {
    [Severity::Warning, Severity::Critical].into_iter().find(|severity| severity.as_str() == word)
}

/// Withheld, because the alert of its place is told instead.
pub(super) const LINKED: &str = "linked";

impl AlertRow {
    /// Why nobody is told of it now, if so.
    pub(super) fn withheld(&self, now: UtcMillis) -> Option<&'static str> {
        if self.parent.is_some() {
            return Some(LINKED);
        }
        if self.snoozed_until.is_some_and(|until| until > now.0) {
            return Some("snoozed");
        }
        self.silence.as_deref().map(|kind| if kind == "maintenance" { "maintenance" } else { "silenced" })
    }

    /// The alert, with its sentence as it is read at `now`.
    pub(super) fn alert(self, now: UtcMillis, zone: &TimeZone) -> Result<Alert, StoreError> {
        let bad =
            |what: &str| StoreError::Corrupt { what: "alert", why: format!("{}: its {what} is unknown", self.id) };
        let metric = self.metric.as_deref().and_then(Metric::from_wire);
        let mut alert = Alert {
            id: self.id,
            source: Source::from_word(&self.source).ok_or_else(|| bad("source"))?,
            kind: Kind::from_word(&self.kind).ok_or_else(|| bad("kind"))?,
            severity: severity(&self.severity).ok_or_else(|| bad("severity"))?,
            worst: severity(&self.worst).ok_or_else(|| bad("severity"))?,
            state: State::from_word(&self.state).ok_or_else(|| bad("state"))?,
            device: self.device,
            location: self.location.filter(|location| !location.is_empty()),
            metric,
            unit: metric.map(Metric::unit),
            since: self.since,
            raised_at: self.raised_at,
            known_at: self.known_at,
            changed_at: self.changed_at,
            resolved_at: self.resolved_at,
            resolved_by: self.resolved_by,
            reason: self.reason,
            value: self.value,
            limit: self.limit_value,
            extreme: self.extreme,
            simulated: self.simulated,
            historical: self.historical,
            reopened: self.reopened,
            read: self.read_at.is_some(),
            acknowledged_by: self.acked_by,
            acknowledged_at: self.acked_at,
            assignee: self.assignee,
            snoozed_until: self.snoozed_until.filter(|until| *until > now.0),
            parent: self.parent,
            children: self.children,
            silenced: self.silence.is_some(),
            detail: serde_json::from_str(&self.detail).unwrap_or_default(),
            text: Text::default(),
        };
        alert.text = words::sentence(&alert, now, zone);
        Ok(alert)
    }
}
