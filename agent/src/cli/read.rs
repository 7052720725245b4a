//! `tirta-agent read`: one table of what the probes say, from the running agent or straight from the probes.

use crate::buffer::Measured;
use crate::calibrate::Records;
use crate::config::Config;
use crate::local::{Answer, Client, ClientError, Request, Row};
use crate::probe::Sample;
use crate::run::{is_running, rig};
use crate::sampler::{Latest, Purpose, Sampler};
use crate::settings::SettingsFile;
use crate::time::Time;
use shared::Metric;
use shared::reading::{Fault, Flag, Outcome};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long all probes together may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The agent holds the probes and does not answer.
    #[error(transparent)]
    Agent(#[from] ClientError),
    /// A thread can't be started.
    #[error("a thread can't be started: {0}")]
    Thread(io::Error),
}

/// The last reading of each probe of a running agent; if none runs, each probe is read once.
///
/// # Errors
/// When neither works.
pub async fn read(config: &Config, time: &Time) -> Result<Vec<Row>, ReadError> {
    match Client::once(&config.data_dir, &Request::Latest).await {
        Ok(Answer::Latest { readings }) => Ok(readings),
        Ok(_) => Err(ClientError::Broken(io::ErrorKind::InvalidData.into()).into()),
        // An agent may well run: two would disturb each other on the bus.
        Err(error @ ClientError::NotAllowed) => Err(error.into()),
        Err(error) if is_running(&config.data_dir) => Err(error.into()),
        Err(_) => directly(config, time).await,
    }
}

async fn directly(config: &Config, time: &Time) -> Result<Vec<Row>, ReadError> {
    let settings = Records::look(&config.data_dir).over(&SettingsFile::look(&config.data_dir));
    let sampler = Sampler::start(rig::lanes(&config.probes), &settings, time, |_| {}).map_err(ReadError::Thread)?;
    let mut all = first_of_each(config, &sampler, time).await;
    let has_temperature =
        all.get(&Metric::Temperature).is_some_and(|m| matches!(m.sample.outcome, Outcome::Measured(_)));
    for (metric, measured) in &mut all {
        // On another bus the temperature may have come later.
        if has_temperature
            && measured.sample.flags.has(Flag::NoTemperature)
            && let Some(mut tapped) = sampler.tap().watch(*metric, Purpose::Look)
            && let Ok(Some(observed)) = timeout(PATIENCE, tapped.next()).await
        {
            (measured.sample, measured.moment) = (observed.sample, time.moment());
        }
    }
    let now = time.moment();
    // It waits for its threads.
    let _ = tokio::task::spawn_blocking(move || sampler.stop()).await;
    Ok(all.values().map(|measured| Row::new(measured, now)).collect())
}

/// The first sample of each probe; a probe whose bus hangs counts as one that fails.
async fn first_of_each(config: &Config, sampler: &Sampler, time: &Time) -> Latest {
    let mut latest = sampler.latest();
    let complete = |latest: &Latest| config.probes.iter().all(|probe| latest.contains_key(&probe.metric));
    let _ = timeout(PATIENCE, latest.wait_for(complete)).await;
    let mut all = latest.borrow().clone();
    for probe in &config.probes {
        let silent =
            || Measured { moment: time.moment(), metric: probe.metric, sample: Sample::fault(Fault::BusError) };
        all.entry(probe.metric).or_insert_with(silent);
    }
    all
}

/// The table.
pub fn table(rows: &[Row]) -> String {
    let number = |n: Option<f64>, decimals: usize| n.map_or(String::new(), |n| format!("{n:.decimals$}"));
    let mut text = format!(
        "{:<12} {:>10} {:<6} {:>10} {:>7} {:>7}  flags\n",
        "metric", "value", "unit", "millivolts", "spread", "age"
    );
    for row in rows {
        let (value, unit) = match (row.value, &row.fault) {
            (Some(value), _) => (value.to_string(), row.unit.as_str()),
            (None, fault) => (fault.clone().unwrap_or_default(), ""),
        };
        let line = format!(
            "{:<12} {value:>10} {unit:<6} {:>10} {:>7} {:>7}  {}",
            row.metric.as_str(),
            number(row.millivolts, 1),
            number(row.spread, 2),
            age(row.age_ms),
            row.flags
        );
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn age(ms: i64) -> String {
    match ms / 1000 {
        s @ ..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SystemClock;
    use std::sync::Arc;

    fn config(folder: &tempfile::TempDir, probes: &str) -> Config {
        let sum = "00".repeat(32);
        let text = format!(
            "data_dir = {:?}\nclock = {{ assume_synced = true }}\nserver = {{ url = \"https://localhost\", ca_sha256 = \"{sum}\" }}\n{probes}",
            folder.path()
        );
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn without_an_agent_each_probe_is_read_once_and_a_missing_bus_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let probes = r#"
            [[probe]]
            metric = "ph"
            kind = "simulated"
            interval_ms = 1000
            [[probe]]
            metric = "temperature"
            kind = "simulated"
            interval_ms = 1000
            [[probe]]
            metric = "tds"
            kind = "ads1115"
            interval_ms = 1000
            bus = "/nowhere/i2c-1"
            address = 0x48
            channel = 0
        "#;
        let config = config(&folder, probes);
        let rows = read(&config, &Time::new(Arc::new(SystemClock), config.discipline.clone())).await.unwrap();
        let metrics: Vec<_> = rows.iter().map(|row| row.metric).collect();
        assert_eq!(metrics, [Metric::Ph, Metric::Tds, Metric::Temperature]);
        assert_eq!(rows[1].fault.as_deref(), Some("no_bus"));
        assert!(rows[2].flags().has(Flag::Simulated));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "whoever looks leaves nothing behind");
    }

    #[test]
    fn a_table_has_a_line_for_each_probe() {
        let row = |value, fault: Option<&str>, flags: &str| Row {
            metric: Metric::Ph,
            value,
            unit: "pH".to_owned(),
            fault: fault.map(str::to_owned),
            millivolts: value.map(|_| 1497.25),
            spread: None,
            flags: flags.to_owned(),
            stamp: shared::Stamp { at: shared::UtcMillis(0), clock: shared::ClockQuality::Synced },
            age_ms: 3_700,
        };
        let text = table(&[row(Some(7.02), None, "uncalibrated"), row(None, Some("no_answer"), "")]);
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[1..], ["ph 7.02 pH 1497.2 3 s uncalibrated", "ph no_answer 3 s"]);
    }
}
