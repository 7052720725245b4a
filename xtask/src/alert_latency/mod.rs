//! `cargo xtask alert-latency`: how long it takes until a device runs a new threshold, and from a simulated probe that passes it
//! until a WebSocket and a webhook know.
//! It owns the limits that it sets and the percentiles; the system runs as it is shipped, with commits each second.

mod receiver;
mod watcher;

use crate::demo::Stop;
use crate::error::Error;
use crate::fleet::{Fleet, FleetSetup, Folder, Programs, until};
use provisioning::thresholds::{Latest, NewThreshold, Target};
use receiver::Receiver;
use serde::Serialize;
use shared::Metric;
use shared::rule::{Side, Threshold};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it may take until nearly all values have passed a limit: the pump that moves them takes five minutes.
const PATIENCE: Duration = Duration::from_secs(360);
/// How often a device is asked for whether it runs its new threshold.
const LOOK: Duration = Duration::from_millis(10);
/// How far a value may go, in steps of what its sensor resolves.
const STEPS: f64 = 3.0;

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct LatencyOptions {
    /// How many simulated devices, each with four probes.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub devices: u32,
    /// Take the binaries as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// The last line. Times are in milliseconds: of a threshold from its form to the device's word that it runs it, of the others from
/// the reading that passed the limit.
#[derive(Debug, Serialize)]
struct Line {
    devices: u32,
    /// Values that had a limit close to them, and those that passed it.
    limits: usize,
    alerts: usize,
    threshold_p50_ms: i64,
    threshold_p99_ms: i64,
    websocket_p50_ms: i64,
    websocket_p99_ms: i64,
    webhook_p50_ms: i64,
    webhook_p99_ms: i64,
}

/// When each alert was raised, by the time of its reading, and when it was heard of; by the news' key.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<BTreeMap<String, (i64, i64)>>>);

impl Heard {
    /// Takes news as it came, at `now` (UTC milliseconds). What is no alert that begins is passed over.
    fn take(&self, news: &serde_json::Value, now: i64) {
        let raised_at = news["alert"]["raised_at"].as_i64();
        if let (Some(key), Some("raised"), Some(raised_at)) = (news["key"].as_str(), news["what"].as_str(), raised_at) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_insert((raised_at, now));
        }
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// The latencies in order.
    fn sorted(&self) -> Vec<i64> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<i64> = heard.values().map(|(raised, heard)| heard - raised).collect();
        all.sort_unstable();
        all
    }
}

/// Runs it; its last line is one line of JSON.
///
/// # Errors
/// When the fleet does not come up, too few values pass a limit, or one of the two hears of an alert that the other does not.
pub async fn run(options: &LatencyOptions) -> Result<(), Error> {
    let folder = Folder::open(None, "alert-latency")?;
    let mut stop = Stop::listen()?;
    let line = tokio::select! {
        line = measure(&folder.path, options) => line.inspect_err(|_| folder.keep())?,
        () = stop.wait() => return Err(Error::Verdict("interrupted".to_owned())),
    };
    println!("{}", serde_json::to_string(&line).unwrap_or_default());
    Ok(())
}

async fn measure(folder: &Path, options: &LatencyOptions) -> Result<Line, Error> {
    let (by_webhook, by_socket) = (Heard::default(), Heard::default());
    let receiver = Receiver::start(by_webhook.clone()).await?;
    let setup = FleetSetup { webhook: Some(receiver.port), ..FleetSetup::new(folder, options.devices)? };
    println!("Starting the server and {} agents", options.devices);
    let mut fleet = Fleet::start(&Programs::beside_us()?, &setup).await?;
    watcher::watch(&fleet, by_socket.clone()).await?;
    let (limits, applied) = set_limits(&mut fleet).await?;
    println!("{limits} values have a limit close to them; devices ran them after {applied:?} ms");
    let wanted = limits * 9 / 10;
    until("nearly all values have passed a limit, and both have heard of it", PATIENCE, async || {
        fleet.still_runs()?;
        let (socket, webhook) = (by_socket.keys(), by_webhook.keys());
        // All that the server knows counts, so none of the slow ones is left out.
        let raised = fleet.client().open_alerts().await?;
        Ok((socket.len() >= wanted && socket.len() == raised && socket == webhook).then_some(()))
    })
    .await?;
    fleet.stop().await?;
    let (socket, webhook) = (by_socket.sorted(), by_webhook.sorted());
    Ok(Line {
        devices: options.devices,
        limits,
        alerts: by_socket.count(),
        threshold_p50_ms: percentile(&applied, 50),
        threshold_p99_ms: percentile(&applied, 99),
        websocket_p50_ms: percentile(&socket, 50),
        websocket_p99_ms: percentile(&socket, 99),
        webhook_p50_ms: percentile(&webhook, 50),
        webhook_p99_ms: percentile(&webhook, 99),
    })
}

/// Gives each value limits a little above and below what it is now. Returns how many have them, and how many milliseconds the
/// first of each device took to it, in order: those that follow at once are said together, after two seconds.
async fn set_limits(fleet: &mut Fleet) -> Result<(usize, Vec<i64>), Error> {
    let wanted = fleet.agents.len() * crate::fleet::METRICS.len();
    let latest = until("each probe has delivered a value", Duration::from_secs(90), async || {
        let latest = fleet.client().latest().await?;
        let measured: Vec<_> = latest.into_iter().filter(|reading| reading.value.is_some()).collect();
        Ok((measured.len() >= wanted).then_some(measured))
    })
    .await?;
    let (mut set, mut applied) = (0, BTreeMap::new());
    for reading in latest {
        let (Some(value), Some(metric)) = (reading.value, Metric::from_wire(&reading.metric)) else { continue };
        let step = STEPS * 10_f64.powi(-metric.decimals());
        let limit = |value| Side { warning: shared::Value::rounded(value, metric.decimals()).ok(), critical: None };
        // It comes back only after an hour, so each value is measured once.
        let threshold = Threshold {
            low: limit(value - step),
            high: limit(value + step),
            clear_ms: 3_600_000,
            ..Threshold::default()
        };
        let target = Target { scope: "device".to_owned(), target: reading.device.clone() };
        let new = NewThreshold { targets: vec![target], metric: reading.metric.clone(), threshold: Some(threshold) };
        let begun = Instant::now();
        fleet.client().set_threshold(&new).await?;
        if let Entry::Vacant(first) = applied.entry(reading.device.clone()) {
            first.insert(until_it_runs(fleet, &reading, begun).await?);
        }
        set += 1;
    }
    let mut applied: Vec<i64> = applied.into_values().collect();
    applied.sort_unstable();
    Ok((set, applied))
}

/// Waits until a device says that it runs its threshold. Returns the milliseconds.
async fn until_it_runs(fleet: &mut Fleet, of: &Latest, begun: Instant) -> Result<i64, Error> {
    let mut looks = tokio::time::interval(LOOK);
    while begun.elapsed() < PATIENCE {
        looks.tick().await;
        let known = fleet.client().device_thresholds(&of.device).await?;
        if known.get(&of.metric).is_some_and(|threshold| threshold.scope == "device" && threshold.applied) {
            return Ok(i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX));
        }
    }
    Err(Error::TimedOut { what: format!("{} runs its threshold", of.device), seconds: PATIENCE.as_secs() })
}

/// By the nearest rank; 0 of none.
fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<i64> = (1..=200).collect();
        assert_eq!((percentile(&sorted, 50), percentile(&sorted, 99)), (100, 198));
        assert_eq!((percentile(&[7], 50), percentile(&[7], 99), percentile(&[], 99)), (7, 7, 0));
    }

    #[test]
    fn only_what_begins_counts_and_only_once() {
        let heard = Heard::default();
        for (key, what, now) in
            [("alert-1-1", "raised", 120), ("alert-1-1", "raised", 900), ("alert-1-2", "cleared", 950)]
        {
            heard.take(&serde_json::json!({"key": key, "what": what, "alert": {"raised_at": 100}}), now);
        }
        assert_eq!(heard.sorted(), [20]);
    }
}
