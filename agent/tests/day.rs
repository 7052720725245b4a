//! A whole day of the buffer, as fast as it goes, and what it writes to the card. Alone in its process, because
//! the system counts by process.
#![allow(clippy::unwrap_used)] // a test may

use agent::buffer::{Buffer, Measured};
use agent::config;
use agent::probe::Sample;
use agent::time::{Discipline, Moment, SystemClock, Ticks, Time};
use shared::reading::{Flags, Value};
use shared::{ClockQuality, Metric, Stamp, UtcMillis};
use std::path::Path;
use std::sync::Arc;

/// Bytes a day.
const BUDGET: u64 = 20_000_000;
const DAY_MS: i64 = 86_400_000;
const SAMPLES_EVERY_MS: i64 = 10_000;
const METRICS: [Metric; 4] = [Metric::Temperature, Metric::Ph, Metric::Tds, Metric::Volume];

/// What this process has made the system write to block devices: pages of 4 KiB, when they get dirty.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap().parse().unwrap()
}

/// A pH, a voltage: all digits of a double, as real converters give them.
fn measured(n: i64, metric: Metric) -> Measured {
    let wave = (n as f64 / 700.0).sin();
    let sample = Sample::new(metric, Ok(7.0 + wave / 3.0), Some(1500.0 + 100.0 * wave), Flags::NONE);
    let sample = Sample { spread: Value::new(0.3 * wave).ok(), ..sample };
    let stamp = Stamp { at: UtcMillis(1_763_690_400_000 + n * SAMPLES_EVERY_MS), clock: ClockQuality::Synced };
    let moment = Moment { stamp, ticks: Ticks(n * SAMPLES_EVERY_MS) };
    Measured { moment, metric, sample }
}

/// One day; the server has what was committed when the next commit comes, if it is there at all.
async fn day(folder: &Path, online: bool) -> u64 {
    let settings = config::Buffer::default();
    let every = i64::try_from(settings.commit_ms).unwrap();
    // The test says when the time has come.
    let settings = config::Buffer { commit_ms: 600_000, ..settings };
    let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
    let (buffer, worker) = Buffer::start(folder, &settings, time).unwrap();
    let before = written();
    for n in 0..DAY_MS / SAMPLES_EVERY_MS {
        for metric in METRICS {
            buffer.append(measured(n, metric));
        }
        if (n + 1) * SAMPLES_EVERY_MS % every != 0 {
            continue;
        }
        buffer.flush().await;
        while let Some(batch) = if online { buffer.next_batch(500, false).await } else { None } {
            buffer.acknowledge(batch.buffer, batch.readings.last().unwrap().seq).await;
        }
    }
    worker.stop();
    let ledger = agent::buffer::inspect(&agent::buffer::path(folder), |_, _| {}).unwrap();
    assert_eq!(ledger.next, 34_561);
    written() - before
}

#[tokio::test]
async fn a_day_of_four_metrics_every_ten_seconds_writes_less_than_20_megabytes_online_and_offline() {
    // A file system in memory would cost nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (name, online) in [("online", true), ("offline", false)] {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let bytes = day(&folder, online).await;
        println!("{name}: {bytes} bytes");
        assert!(bytes > 100_000, "{name}: {bytes} bytes: this is no real file system");
        assert!(bytes < BUDGET, "{name}: {bytes} bytes");
    }
}
