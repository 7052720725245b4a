//! What is counted for a monitoring system (Prometheus, text format 0.0.4). Labels have few values, and none is the name of a
//! device or a person. Knows no table and no HTTP library.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use shared::message::Received;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the durations of requests, in seconds.
const REQUEST_S: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds of the time between the arrival of a batch and its commit, in seconds.
const LAG_S: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The counters could not be made.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// All that is counted while the server runs.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    readings: IntCounterVec,
    refused: IntCounterVec,
    batches: IntCounterVec,
    lag: Histogram,
    requests: IntCounterVec,
    durations: HistogramVec,
    devices: IntGaugeVec,
    alerts: IntGaugeVec,
    watchers: IntGauge,
    connected: IntGauge,
    dropped: IntCounter,
    database_errors: IntCounter,
    /// Held by whoever writes it all down.
    writing: Arc<Mutex<()>>,
}

/// What is looked up when somebody asks.
#[derive(Debug, Default)]
pub struct Looked {
    /// How many devices are in each state.
    pub devices: Vec<(&'static str, i64)>,
    /// How many unresolved alerts there are, by severity and state.
    pub alerts: Vec<((String, String), i64)>,
    /// Open WebSockets.
    pub watchers: usize,
    /// Whether the server is connected to its broker.
    pub connected: bool,
    /// Messages that were dropped because ingest was behind.
    pub dropped: u64,
    /// Errors of the database.
    pub database_errors: u64,
}

impl Metrics {
    /// Everything at zero.
    ///
    /// # Errors
    /// When a name is none or is there twice, which any test would show.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let made = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
            let made = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok(made)
        };
        let metrics = Self {
            writing: Arc::default(),
            readings: counters(
                "tirta_readings_total",
                "Readings that came: committed, repeated (absorbed as duplicates) or skipped (the device had dropped them).",
                &["outcome"],
            )?,
            refused: counters("tirta_readings_refused_total", "Rows that are no readings, by reason.", &["reason"])?,
            batches: counters(
                "tirta_batches_total",
                "Batches: committed, rejected as unreadable, of an unregistered device, or failed at the database.",
                &["outcome"],
            )?,
            requests: counters(
                "tirta_http_requests_total",
                "HTTP requests by method, template of the path and status.",
                &["method", "route", "status"],
            )?,
            devices: gauges(
                "tirta_devices",
                "Devices by state; offline ones have not been heard for a while.",
                &["state"],
            )?,
            alerts: gauges("tirta_alerts", "Alerts that are not resolved.", &["severity", "state"])?,
            lag: Histogram::with_opts(
                HistogramOpts::new("tirta_ingest_lag_seconds", "From the arrival of a batch to its commit.")
                    .buckets(LAG_S.to_vec()),
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new("tirta_http_request_duration_seconds", "From a request to the head of its answer.")
                    .buckets(REQUEST_S.to_vec()),
                &["method", "route"],
            )?,
            watchers: IntGauge::new("tirta_websocket_watchers", "Open WebSockets.")?,
            connected: IntGauge::new("tirta_broker_connected", "1 while the server is connected to its broker.")?,
            dropped: IntCounter::new(
                "tirta_messages_dropped_total",
                "Messages that were dropped because ingest was behind; devices send them again.",
            )?,
            database_errors: IntCounter::new("tirta_database_errors_total", "What the database did not do as asked.")?,
            registry: registry.clone(),
        };
        registry.register(Box::new(metrics.lag.clone()))?;
        registry.register(Box::new(metrics.durations.clone()))?;
        registry.register(Box::new(metrics.watchers.clone()))?;
        registry.register(Box::new(metrics.connected.clone()))?;
        registry.register(Box::new(metrics.dropped.clone()))?;
        registry.register(Box::new(metrics.database_errors.clone()))?;
        let build = IntGaugeVec::new(Opts::new("tirta_build_info", "Which server this is; always 1."), &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build))?;
        // What has not happened yet is 0 and not missing, so that the first time is seen as a rise.
        for outcome in ["committed", "repeated", "skipped"] {
            metrics.readings.with_label_values(&[outcome]);
        }
        for outcome in ["committed", "rejected", "unregistered", "failed"] {
            metrics.batches.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }

    /// A batch was committed: so many of its readings were new, so many before it had been dropped, and this long after it came.
    pub fn committed(&self, received: &Received, fresh: usize, skipped: u64, lag: Duration) {
        let repeated = received.readings.len().saturating_sub(fresh);
        self.batches.with_label_values(&["committed"]).inc();
        self.readings.with_label_values(&["committed"]).inc_by(fresh as u64);
        self.readings.with_label_values(&["repeated"]).inc_by(repeated as u64);
        self.readings.with_label_values(&["skipped"]).inc_by(skipped);
        for refused in &received.refused {
            self.refused.with_label_values(&[refused.reason.as_str()]).inc();
        }
        self.lag.observe(lag.as_secs_f64());
    }

    /// How many new readings there were.
    pub fn readings_committed(&self) -> u64 {
        self.readings.with_label_values(&["committed"]).get()
    }

    /// How many batches were committed, and how many seconds that took, all together.
    pub fn lag(&self) -> (u64, f64) {
        (self.lag.get_sample_count(), self.lag.get_sample_sum())
    }

    /// Readings were handed in over HTTP and are committed: so many of them were new, so many known.
    pub fn handed_in(&self, fresh: usize, repeated: usize) {
        self.readings.with_label_values(&["committed"]).inc_by(fresh as u64);
        self.readings.with_label_values(&["repeated"]).inc_by(repeated as u64);
    }

    /// Batches were not committed: `rejected`, `unregistered` or `failed`.
    pub fn not_committed(&self, outcome: &'static str, batches: usize) {
        self.batches.with_label_values(&[outcome]).inc_by(batches as u64);
    }

    /// A request was answered; `route` is a template of a path, never a path.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[method, route, status.to_string().as_str()]).inc();
        self.durations.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }

    /// All of it as text, with what was looked up just now.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn text(&self, looked: &Looked) -> Result<String, MetricsError> {
        // Two who ask at once would see each other's half.
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.devices.reset();
        for (state, count) in &looked.devices {
            self.devices.with_label_values(&[*state]).set(*count);
        }
        self.alerts.reset();
        for ((severity, state), count) in &looked.alerts {
            self.alerts.with_label_values(&[severity, state]).set(*count);
        }
        self.watchers.set(i64::try_from(looked.watchers).unwrap_or(i64::MAX));
        self.connected.set(looked.connected.into());
        raise(&self.dropped, looked.dropped);
        raise(&self.database_errors, looked.database_errors);
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

/// A counter of somebody else's becomes this one; it never falls.
fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_stands_in_the_text_and_what_has_not_happened_is_zero() {
        let metrics = Metrics::new().unwrap();
        metrics.answered("GET", "/api/v1/devices/{name}", 200, Duration::from_millis(7));
        metrics.not_committed("failed", 3);
        let looked = |connected| Looked {
            devices: vec![("online", 4), ("offline", 1)],
            alerts: vec![(("critical".to_owned(), "open".to_owned()), 2)],
            watchers: 3,
            connected,
            dropped: 5,
            database_errors: 1,
        };
        metrics.text(&looked(true)).unwrap();
        let text = metrics.text(&looked(false)).unwrap();
        for line in [
            "# TYPE tirta_batches_total counter",
            "tirta_batches_total{outcome=\"failed\"} 3",
            "tirta_batches_total{outcome=\"committed\"} 0",
            "tirta_devices{state=\"offline\"} 1",
            "tirta_alerts{severity=\"critical\",state=\"open\"} 2",
            "tirta_http_requests_total{method=\"GET\",route=\"/api/v1/devices/{name}\",status=\"200\"} 1",
            "tirta_http_request_duration_seconds_bucket{method=\"GET\",route=\"/api/v1/devices/{name}\",le=\"0.01\"} 1",
            "tirta_messages_dropped_total 5",
            "tirta_broker_connected 0",
            "tirta_websocket_watchers 3",
            concat!("tirta_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
