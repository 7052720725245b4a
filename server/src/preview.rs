//! What a threshold would have done in the past: the rules are run over readings that are kept. Changes nothing.

use crate::store::{Store, StoreError};
use shared::rule::{Kind, Seen, Severity, Threshold, Thresholds, Transition, Watches};
use shared::{DeviceName, Metric, UtcMillis, Value};

/// Most readings that are looked at: a week of one each two seconds.
const MOST_READINGS: usize = 302_400;

/// An alert that there would have been.
#[derive(Debug, Clone, PartialEq)]
pub struct WouldBe {
    /// What would have been wrong.
    pub kind: Kind,
    /// How bad at its worst.
    pub severity: Severity,
    /// Since when.
    pub since: UtcMillis,
    /// When somebody would have been told.
    pub raised_at: UtcMillis,
    /// Since when it would have been over, if it would.
    pub resolved_at: Option<UtcMillis>,
    /// The value furthest beyond the limit.
    pub extreme: Option<f64>,
}

/// What would have been.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// In their order.
    pub alerts: Vec<WouldBe>,
    /// So many readings were looked at.
    pub readings: usize,
    /// Whether there were more: the newest were not looked at.
    pub truncated: bool,
}

impl Preview {
    /// Runs a threshold over a device's readings of a range.
    ///
    /// # Errors
    /// When the database fails or holds something unreadable.
    pub async fn of(
        store: &Store,
        device: &DeviceName,
        (metric, threshold): (Metric, Threshold),
        range: (UtcMillis, UtcMillis),
    ) -> Result<Self, StoreError> {
        let found = store.readings(device, metric, range, MOST_READINGS + 1, None).await?;
        let truncated = found.len() > MOST_READINGS;
        let seen = found.iter().take(MOST_READINGS).filter_map(|revised| Seen::of(&revised.reading));
        let mut preview = Self::run(metric, threshold, seen);
        preview.truncated = truncated;
        Ok(preview)
    }

    /// Runs a threshold over readings of one metric, oldest first.
    pub fn run(metric: Metric, threshold: Threshold, seen: impl IntoIterator<Item = Seen>) -> Self {
        let rules: Thresholds = [(metric, threshold)].into();
        let (mut watches, mut told, mut preview) = (Watches::default(), Vec::new(), Self::default());
        for seen in seen {
            preview.readings += 1;
            watches.take(&rules, &seen, &mut told);
            for transition in told.drain(..) {
                preview.note(&transition);
            }
            if let shared::Outcome::Measured(value) = seen.outcome {
                preview.widen(value);
            }
        }
        preview
    }

    fn note(&mut self, told: &Transition) {
        let active = self.alerts.iter_mut().rev().find(|alert| alert.kind == told.kind && alert.resolved_at.is_none());
        match (active, told.after) {
            (Some(alert), None) => alert.resolved_at = Some(told.since),
            (Some(alert), Some(severity)) => alert.severity = alert.severity.max(severity),
            (None, Some(severity)) => self.alerts.push(WouldBe {
                kind: told.kind,
                severity,
                since: told.since,
                raised_at: told.at,
                resolved_at: None,
                extreme: None,
            }),
            (None, None) => {}
        }
    }

    fn widen(&mut self, value: Value) {
        let value = value.get();
        for alert in self.alerts.iter_mut().filter(|alert| alert.resolved_at.is_none()) {
            alert.extreme = match alert.kind {
                Kind::Low => Some(alert.extreme.map_or(value, |extreme| extreme.min(value))),
                Kind::High => Some(alert.extreme.map_or(value, |extreme| extreme.max(value))),
                Kind::Rate | Kind::Missing | Kind::Fault => None,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Flags, Outcome};

    #[test]
    fn what_a_threshold_would_have_done_is_said_with_its_times_and_its_worst() {
        let threshold = r#"{"high":{"warning":9,"critical":10},"hold_ms":10000,"clear_ms":10000}"#;
        let values = [7.0, 9.5, 9.6, 10.5, 10.7, 8.0, 8.0, 9.5, 8.0, 8.0, 9.1, 9.2];
        let seen = values.iter().enumerate().map(|(n, value)| Seen {
            metric: Metric::Ph,
            at: UtcMillis(n as i64 * 10_000),
            outcome: Outcome::Measured(Value::new(*value).unwrap()),
            flags: Flags::NONE,
        });
        let preview = Preview::run(Metric::Ph, serde_json::from_str(threshold).unwrap(), seen);
        let shown: Vec<_> = preview
            .alerts
            .iter()
            .map(|alert| {
                (alert.severity, alert.since.0, alert.raised_at.0, alert.resolved_at.map(|at| at.0), alert.extreme)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (Severity::Critical, 10_000, 20_000, Some(50_000), Some(10.7)),
                (Severity::Warning, 100_000, 110_000, None, Some(9.2)),
            ]
        );
        assert_eq!(preview.readings, 12);
    }
}
