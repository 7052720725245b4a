//! Alerts as the lines of a table that spreadsheets open; times are UTC milliseconds. Knows no file and no HTTP.

use super::Alert;
use crate::registry::cell;

/// The columns.
pub const HEADING: [&str; 22] = [
    "id",
    "source",
    "kind",
    "device",
    "location",
    "metric",
    "unit",
    "severity",
    "worst",
    "state",
    "since",
    "raised_at",
    "known_at",
    "resolved_at",
    "resolved_by",
    "reason",
    "value",
    "limit",
    "extreme",
    "simulated",
    "assignee",
    "text",
];

/// The line of an alert.
pub fn line(alert: &Alert) -> [String; 22] {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        alert.id.to_string(),
        alert.source.as_str().to_owned(),
        alert.kind.as_str().to_owned(),
        plain(alert.device.as_deref()),
        plain(alert.location.as_deref()),
        alert.metric.map(|metric| metric.to_string()).unwrap_or_default(),
        alert.unit.map(|unit| unit.to_string()).unwrap_or_default(),
        alert.severity.as_str().to_owned(),
        alert.worst.as_str().to_owned(),
        alert.state.as_str().to_owned(),
        alert.since.to_string(),
        alert.raised_at.to_string(),
        alert.known_at.to_string(),
        alert.resolved_at.map(|at| at.to_string()).unwrap_or_default(),
        plain(alert.resolved_by.as_deref()),
        plain(alert.reason.as_deref()),
        number(alert.value),
        number(alert.limit),
        number(alert.extreme),
        alert.simulated.to_string(),
        plain(alert.assignee.as_deref()),
        plain(Some(&alert.text.en)),
    ]
}

/// Text that no spreadsheet takes for a formula.
fn plain(text: Option<&str>) -> String {
    cell::neutralised(text.unwrap_or_default())
}
