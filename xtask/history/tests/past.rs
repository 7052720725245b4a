//! A small past, looked at from outside: what the server's database holds when it is over.

#![allow(clippy::unwrap_used)] // a test may

use history::cast::members;
use history::plan::{Plan, Why};
use history::play::{Wanted, config_of, play};
use history::span::{DAY, Days, MINUTE, Span};
use history::summary::Summary;
use server::clock::SystemClock;
use server::config::Config;
use server::store::{AlertFilter, Store, StoreError, WhichOutages};
use shared::reading::Flag;
use shared::{BufferId, DeviceName, Metric, Reading, UtcMillis};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tempfile::TempDir;

const END: UtcMillis = UtcMillis(1_763_690_400_000);
const DEVICES: u32 = 2;
const SEED: u64 = 7;

struct Past {
    _folder: TempDir,
    summary: Summary,
    store: Store,
}

fn config(data: &Path) -> String {
    format!(
        "data_dir = {data:?}\n[http]\nhttps = \"127.0.0.1:0\"\nplain = \"127.0.0.1:0\"\n\
         [broker]\nkind = \"embedded\"\nlisten = \"127.0.0.1:0\"\n"
    )
}

async fn past(seed: u64) -> Past {
    let folder = tempfile::tempdir().unwrap();
    let file = config_of(folder.path());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let data = file.parent().unwrap().join("data");
    std::fs::write(&file, config(&data)).unwrap();
    let config = Config::load(&file).unwrap();
    let wanted = Wanted { days: Days(2), devices: DEVICES, seed, folder: folder.path().to_owned() };
    let summary = play(&config, &wanted, Some(END), &SystemClock, |_, _| {}).await.unwrap();
    let store = Store::open(&config.database_url).await.unwrap();
    Past { _folder: folder, summary, store }
}

type Readings = BTreeMap<(DeviceName, BufferId), Vec<Reading>>;

impl Past {
    async fn readings(&self) -> Readings {
        let mut all = Readings::new();
        let each = |device: &DeviceName, buffer, reading: &Reading| {
            all.entry((device.clone(), buffer)).or_default().push(*reading);
            Ok::<_, StoreError>(())
        };
        self.store.export(None, each).await.unwrap();
        all
    }

    /// Alerts without what is drawn anew each time.
    async fn alerts(&self) -> Vec<String> {
        let alerts = self.store.alerts(&AlertFilter::default(), None, 500, END).await.unwrap();
        let mut lines = vec![];
        for alert in alerts {
            let events = self.store.alert_events(alert.id).await.unwrap();
            let events: Vec<_> = events.iter().map(|event| (event.at, &event.who, &event.what)).collect();
            lines.push(format!("{} {:?} {events:?}", alert.text.en, alert.state));
        }
        lines.sort();
        lines
    }

    async fn outages(&self) -> Vec<String> {
        let outages = self.store.outages(&WhichOutages::default(), 500).await.unwrap();
        let mut lines: Vec<_> = outages
            .iter()
            .map(|of| format!("{:?} {} {:?} {}", of.device, of.started_at, of.ended_at, of.cause.as_str()))
            .collect();
        lines.sort();
        lines
    }

    /// Oldest first: when, who, what.
    async fn audit(&self) -> Vec<(i64, String, String)> {
        let mut entries = self.store.audit(None, &[], None, 500).await.unwrap();
        entries.reverse();
        entries.into_iter().map(|entry| (entry.at.0, entry.who, entry.act)).collect()
    }
}

fn plan() -> Plan {
    Plan::draw(&members(DEVICES), Span::before(END, Days(2)), SEED)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_is_whole_and_consistent_and_all_of_it_says_that_it_is_simulated() {
    let past = past(SEED).await;
    let (plan, readings) = (plan(), past.readings().await);

    // No reading is missing or there twice, none without its mark, and no gap that was not meant.
    assert_eq!(readings.len(), DEVICES as usize);
    for ((device, buffer), readings) in &readings {
        assert!(readings.iter().map(|reading| reading.seq).eq(1..=readings.len() as u64), "{device}");
        assert!(readings.iter().all(|reading| reading.flags.has(Flag::Simulated)), "{device}");
        assert!(past.summary.buffers.contains(buffer));
        let board = device.number().unwrap() as usize - 1;
        for metric in [Metric::Temperature, Metric::Ph, Metric::Tds, Metric::Volume] {
            let times: Vec<i64> = readings.iter().filter(|of| of.metric == metric).map(|of| of.stamp.at.0).collect();
            assert!(times.len() > 2 * 1440 * 8 / 10, "{device} {metric}");
            for two in times.windows(2).filter(|two| two[1] - two[0] != MINUTE) {
                let meant = |at| plan.absences_of(board).any(|away| away.why.is_dark() && away.time.has(at));
                assert!(two[1] > two[0] && meant(two[0] + MINUTE), "{device} {metric}: {two:?}");
            }
        }
    }

    // What was to happen has happened, and was seen as what it was.
    let outages = past.store.outages(&WhichOutages::default(), 500).await.unwrap();
    for absence in plan.absences.iter().filter(|absence| absence.time.ms() > 5 * MINUTE) {
        let name = members(DEVICES)[absence.board].name().to_string();
        let near = |a: i64, b: i64| (a - b).abs() <= 6 * MINUTE;
        let seen =
            outages.iter().find(|of| of.device.as_ref() == Some(&name) && near(of.started_at, absence.time.from));
        let seen = seen.unwrap_or_else(|| panic!("{name} was away, and nobody noticed: {absence:?} {outages:?}"));
        assert!(near(seen.ended_at.unwrap(), absence.time.to), "{absence:?} {seen:?}");
        let cause = if absence.why == Why::Power { "power" } else { "network" };
        assert_eq!(seen.cause.as_str(), cause, "{absence:?}");
    }
    assert!(outages.iter().all(|outage| outage.device.is_some()), "the server was never out: {outages:?}");

    // Alerts were raised and dealt with.
    let alerts = past.store.alerts(&AlertFilter::default(), None, 500, END).await.unwrap();
    let kinds: BTreeSet<&str> = alerts.iter().map(|alert| alert.kind.as_str()).collect();
    assert!(kinds.contains("fault") && kinds.contains("offline"), "{kinds:?}");
    assert!(kinds.contains("low") || kinds.contains("high"), "{kinds:?}");
    assert!(
        alerts.iter().filter(|alert| alert.device.is_some() && alert.metric.is_some()).all(|alert| alert.simulated)
    );
    assert!(alerts.iter().all(|alert| alert.resolved_at.is_none_or(|at| at >= alert.since)));
    assert!(alerts.iter().any(|alert| alert.acknowledged_by.is_some()));

    let audit = past.audit().await;
    assert!(audit.is_sorted_by_key(|(at, ..)| *at));
    let span = Span::before(END, Days(2));
    assert!(audit.iter().all(|(at, ..)| (span.from..=span.to).contains(at)));
    for act in ["user.created", "registry.imported", "device.enrolled", "threshold.changed", "alert.raised"] {
        assert!(audit.iter().any(|(.., what)| what == act), "{act}");
    }
    assert_eq!(past.summary.made.readings, readings.values().map(|of| of.len() as u64).sum::<u64>());
    assert!(past.summary.made.calibrations >= 2, "{:?}", past.summary.made);

    // Each person has a password of their own.
    let passwords: BTreeSet<&str> = past.summary.accounts.iter().map(|account| account.password.as_str()).collect();
    assert_eq!((past.summary.accounts.len(), passwords.len()), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_is_one_past() {
    let (one, same, other) = tokio::join!(past(SEED), past(SEED), past(SEED + 1));
    assert_eq!(one.readings().await, same.readings().await);
    assert_eq!(one.alerts().await, same.alerts().await);
    assert_eq!(one.outages().await, same.outages().await);
    assert_eq!(one.audit().await, same.audit().await);
    assert_ne!(one.outages().await, other.outages().await);
    assert_eq!(one.summary.made, same.summary.made);
    assert!(one.audit().await.iter().any(|(at, ..)| at - (END.0 - 2 * DAY) < 30 * MINUTE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_has_lived_gets_no_other_past() {
    let folder = tempfile::tempdir().unwrap();
    let file = config_of(folder.path());
    let data = file.parent().unwrap().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(&file, config(&data)).unwrap();
    std::fs::write(data.join("tirta.db"), "something").unwrap();
    let wanted = Wanted { days: Days(1), devices: 1, seed: 1, folder: folder.path().to_owned() };
    let config = Config::load(&file).unwrap();
    let refused = play(&config, &wanted, Some(END), &SystemClock, |_, _| {}).await.unwrap_err().to_string();
    assert!(refused.contains("leave --history out"), "{refused}");
}
