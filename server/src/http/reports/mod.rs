//! Reports: what a time was like, for people who keep it. Here is what their questions have in common; each report has a file.

pub mod exceedances;
pub mod statistics;
pub(super) mod table;

use super::alerts::all_known;
use super::error::Problem;
use super::outages::{Meant, Per, devices};
use super::readings::bounds;
use crate::outage::Window;
use crate::run::App;
use crate::store::Device;
use shared::{DeviceName, Metric};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Rows of a report, at most.
const MOST_ROWS: usize = 20_000;
/// The longest time of a report: a year, and a month to compare.
const LONGEST_MS: i64 = 400 * 86_400_000;
/// From when on, if nothing is said: 30 days.
const USUAL_MS: i64 = 30 * 86_400_000;

/// Reports are worked out two at a time: they must not starve what comes in. Others wait their turn.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A report as it was asked for.
#[derive(Default)]
struct Asked<'a> {
    device: Option<&'a str>,
    location: Option<&'a str>,
    metric: Option<&'a str>,
    from: Option<i64>,
    to: Option<i64>,
}

/// What a report is about.
struct Scope {
    /// Until now at most.
    time: Window,
    /// By their numbers, each with when it was in service.
    devices: Vec<(Device, Vec<Window>)>,
    /// Those that are wanted; all if empty.
    metrics: Vec<Metric>,
    now: i64,
}

impl Scope {
    async fn of(app: &App, asked: Asked<'_>) -> Result<Self, Problem> {
        let now = app.clock.now();
        let from = asked.from.unwrap_or(asked.to.unwrap_or(now.0).saturating_sub(USUAL_MS));
        let (from, to) = bounds(Some(from), asked.to, now)?;
        let time = Window { from: from.0.max(0), to: to.0.min(now.0) };
        if time.ms() > LONGEST_MS {
            return Err(Problem::invalid("from", "that is more than 400 days: ask for less time"));
        }
        all_known("metric", asked.metric, Metric::ALL.iter().map(|metric| metric.as_str()))?;
        let meant = Meant::of(asked.device, asked.location);
        let devices = devices(app, &meant, time, now.0).await?;
        for name in &meant.names {
            must_be_known(app, name).await?;
        }
        let metrics = asked.metric.into_iter().flat_map(|names| names.split(','));
        Ok(Self { time, devices, metrics: metrics.filter_map(Metric::from_wire).collect(), now: now.0 })
    }

    fn wants(&self, metric: Metric) -> bool {
        self.metrics.is_empty() || self.metrics.contains(&metric)
    }

    /// The parts of its time, if that makes not too many rows.
    fn parts(&self, app: &App, per: Per, rows_of_each: usize) -> Result<Vec<Window>, Problem> {
        let parts = per.parts(self.time, &app.config.alerts.time_zone, MOST_ROWS);
        let is_few = |parts: &Vec<Window>| parts.len().saturating_mul(rows_of_each) <= MOST_ROWS;
        parts.filter(is_few).ok_or_else(|| {
            Problem::invalid("from", format!("that is more than {MOST_ROWS} rows: ask for less time or fewer devices"))
        })
    }
}

/// One that was not there then has no row; one that never was is a mistake.
async fn must_be_known(app: &App, name: &str) -> Result<(), Problem> {
    let known = match name.parse::<DeviceName>() {
        Ok(name) => app.store.device(&name).await?.is_some(),
        Err(_) => false,
    };
    let shown: String = name.chars().take(40).collect();
    known.then_some(()).ok_or_else(|| Problem::invalid("device", format!("there is no device {shown:?}")))
}

/// The name of the fleet's time zone.
pub(super) fn zone_name(app: &App) -> String {
    app.config.alerts.time_zone.iana_name().unwrap_or("UTC").to_owned()
}

/// Waits for a place, which is kept while a report is worked out.
async fn turn() -> Option<SemaphorePermit<'static>> {
    // It is never closed.
    AT_ONCE.acquire().await.ok()
}
