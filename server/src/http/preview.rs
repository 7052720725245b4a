//! What a threshold would have done with the readings of the last days, before it is set.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::error::{Problem, Problems};
use super::extract::{Body, unknown_device};
use super::readings::metric;
use super::rule::Threshold;
use super::words;
use crate::alert::Kind;
use crate::preview::{Preview, WouldBe};
use crate::run::App;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use shared::rule::Severity;
use shared::{DeviceName, UtcMillis};
use std::sync::Arc;
use utoipa::ToSchema;

const DAY_MS: i64 = 86_400_000;

/// A threshold to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// On whose readings.
    #[schema(value_type = words::DeviceName)]
    device: DeviceName,
    /// Of which metric.
    #[schema(value_type = words::Metric)]
    metric: String,
    /// The threshold.
    threshold: Threshold,
    /// Of how many days up to now, 1 to 31; 7 if absent.
    #[serde(default)]
    #[schema(nullable = false, minimum = 1, maximum = 31)]
    days: Option<u32>,
}

/// An alert that there would have been. Times are UTC milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewAlert {
    /// What would have been wrong.
    kind: Kind,
    /// How bad at its worst.
    #[schema(value_type = words::Severity)]
    severity: Severity,
    /// Since when.
    since: i64,
    /// When somebody would have been told.
    raised_at: i64,
    /// Since when it would have been over; null if it would go on.
    #[schema(required)]
    resolved_at: Option<i64>,
    /// The value furthest beyond the limit.
    #[schema(required)]
    extreme: Option<f64>,
}

/// What a threshold would have done.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThresholdPreview {
    /// Oldest first; of what is missing nothing is said.
    alerts: Vec<PreviewAlert>,
    /// How many there would have been.
    count: usize,
    /// So many readings were looked at.
    readings: usize,
    /// Whether there were more: the newest were not looked at.
    truncated: bool,
    /// From when on (UTC milliseconds).
    from: i64,
    /// Until when (UTC milliseconds).
    to: i64,
}

impl From<WouldBe> for PreviewAlert {
    fn from(WouldBe { kind, severity, since, raised_at, resolved_at, extreme }: WouldBe) -> Self {
        let resolved_at = resolved_at.map(|at| at.0);
        Self { kind: kind.into(), severity, since: since.0, raised_at: raised_at.0, resolved_at, extreme }
    }
}

/// Tries a threshold on the readings of the last days.
#[utoipa::path(post, path = "/api/v1/thresholds/preview", operation_id = "previewThreshold", tag = "alerts",
    request_body = PreviewRequest, responses((status = 200, body = ThresholdPreview), Problems))]
pub async fn show(
    State(app): State<Arc<App>>,
    Body(request): Body<PreviewRequest>,
) -> Result<Json<ThresholdPreview>, Problem> {
    let PreviewRequest { device, metric: name, threshold, days } = request;
    let (metric, threshold, days) = (metric(&name)?, threshold.checked()?, days.unwrap_or(7));
    if !(1..=31).contains(&days) {
        return Err(Problem::invalid("days", format!("{days} is not between 1 and 31")));
    }
    app.store.device(&device).await?.ok_or_else(|| unknown_device(device.as_str()))?;
    let to = app.clock.now();
    let from = UtcMillis(to.0 - i64::from(days) * DAY_MS);
    let Preview { alerts, readings, truncated } =
        Preview::of(&app.store, &device, (metric, threshold), (from, to)).await?;
    let alerts: Vec<_> = alerts.into_iter().map(PreviewAlert::from).collect();
    Ok(Json(ThresholdPreview { count: alerts.len(), alerts, readings, truncated, from: from.0, to: to.0 }))
}
