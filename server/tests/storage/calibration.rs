//! What the store promises about calibrations and about what devices measure with, on every engine.

use crate::databases::{Database, NOW, on_each_database, pi, register};
use server::audit::{Act, Actor};
use server::store::{KeptRecord, NewSettings, Recording, SettingsDone, Store};
use shared::calibration::{Buffers, By, Calibration, CalibrationRecord, Health, Point, RecordId};
use shared::message::{Intervals, ProbeReport, Sensors};
use shared::sensor::Sensor;
use shared::{ClockQuality, DeviceName, Metric, Settings, Stamp, Status, UtcMillis};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn id(n: u64) -> RecordId {
    RecordId::from_random(n)
}

fn admin() -> By {
    By::Dashboard { name: "admin".to_owned() }
}

fn slope(percent: f64) -> Calibration {
    Calibration::Ph { zero_mv: 1503.5, acid_percent: percent, base_percent: percent - 1.0 }
}

/// A calibration of pH with everything that a record can have.
fn record(n: u64, percent: f64) -> CalibrationRecord {
    let stamp = Stamp { at: UtcMillis(NOW.0 - 5000), clock: ClockQuality::Repaired };
    let by = By::Device { name: "Siti 'the hand' \u{1f9ea}".to_owned() };
    let mut record = CalibrationRecord::new(id(n), Metric::Ph, stamp, by, Some(slope(percent)));
    record.buffers = Some(Buffers::Nist);
    record.lot = Some("A12 / 2027-01".to_owned());
    let point = |nominal, millivolts| Point { nominal, millivolts, celsius: Some(24.5), spread: Some(0.25) };
    record.points = vec![point(4.01, 2025.125), Point { celsius: None, spread: None, ..point(6.86, 1525.0) }];
    record.health = Some(Health { slope_percent: percent - 1.0, offset_mv: 1.0 / 3.0 });
    record
}

async fn add(store: &Store, device: u32, record: &CalibrationRecord) -> Recording {
    store.add_calibration(&pi(device), record, 0, NOW).await.unwrap()
}

async fn undo(store: &Store, undone: u64, new: u64) -> Recording {
    store.undo_calibration(&pi(1), id(undone), id(new), &Actor::account("admin"), 0, NOW).await.unwrap()
}

/// What a device is told.
async fn told(store: &Store, device: u32) -> Settings {
    store.settings(Some(&pi(device))).await.unwrap().pop().unwrap().1
}

fn stored(recording: Recording) -> KeptRecord {
    match recording {
        Recording::Stored(kept) => kept,
        other => panic!("it should have been stored: {other:?}"),
    }
}

#[test]
fn a_record_comes_back_exactly_and_is_in_the_settings_of_the_next_version() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let kept = stored(add(&store, 1, &record(7, 97.0)).await);
        let expected = KeptRecord { device: pi(1), record: record(7, 97.0), received_at: NOW, settings: 1 };
        assert_eq!(kept, expected);
        assert_eq!(store.calibrations(&pi(1)).await.unwrap(), std::slice::from_ref(&expected));
        assert_eq!(store.in_force(None).await.unwrap(), [expected]);
        let told = told(&store, 1).await;
        assert_eq!((told.version, told.calibration(Metric::Ph)), (1, Some(slope(97.0))));
        assert_eq!(told.calibrations[&Metric::Ph].id, id(7));
    });
}

#[test]
fn a_record_that_comes_twice_is_kept_once_and_answered_with_the_same_version() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let first = stored(add(&store, 1, &record(7, 97.0)).await);
        stored(add(&store, 1, &record(8, 98.0)).await);
        assert_eq!(add(&store, 1, &record(7, 97.0)).await, Recording::Known(first));
        // The first one counts, whatever comes later under its id.
        assert!(matches!(add(&store, 1, &record(7, 50.0)).await, Recording::Known(kept) if kept.settings == 1));
        let told = told(&store, 1).await;
        assert_eq!((told.version, told.calibrations[&Metric::Ph].id), (2, id(8)));
        assert_eq!(store.calibrations(&pi(1)).await.unwrap().len(), 2);
    });
}

#[test]
fn a_record_of_another_devices_id_or_of_a_device_that_is_no_longer_one_is_not_kept() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        stored(add(&store, 1, &record(7, 97.0)).await);
        assert_eq!(add(&store, 2, &record(7, 97.0)).await, Recording::OfAnother);
        store.revoke_device(&pi(2), &Actor::server(), NOW).await.unwrap();
        assert_eq!(add(&store, 2, &record(8, 97.0)).await, Recording::NoDevice);
        assert_eq!(add(&store, 9, &record(9, 97.0)).await, Recording::NoDevice);
        assert_eq!(database.number("SELECT COUNT(*) FROM calibration").await, 1);
        assert_eq!(store.device(&pi(2)).await.unwrap().unwrap().settings_version, 0);
    });
}

#[test]
fn the_last_to_arrive_is_in_force_and_each_metric_has_its_own() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        let mut later = record(1, 97.0);
        later.stamp.at = UtcMillis(NOW.0 + 9000);
        let stamp = Stamp { at: NOW, clock: ClockQuality::Synced };
        let cell = Calibration::Cell { k: 1.1 };
        let mut tds = CalibrationRecord::new(id(3), Metric::Tds, stamp, admin(), Some(cell));
        tds.points = vec![Point { nominal: 1413.0, millivolts: 1990.0, celsius: Some(25.0), spread: None }];
        for record in [&later, &record(2, 96.0), &tds] {
            stored(add(&store, 1, record).await);
        }
        stored(add(&store, 2, &record(4, 99.0)).await);
        let told_one = told(&store, 1).await;
        assert_eq!(told_one.calibration(Metric::Ph), Some(slope(96.0)));
        assert_eq!(told_one.calibration(Metric::Ec), Some(cell), "it comes from the same probe");
        let all: BTreeMap<DeviceName, Settings> = store.settings(None).await.unwrap().into_iter().collect();
        assert_eq!((&all[&pi(1)], &all[&pi(2)]), (&told_one, &told(&store, 2).await));
    });
}

#[test]
fn an_undo_reinstates_what_was_in_force_before_by_a_record_of_its_own() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        stored(add(&store, 1, &record(1, 97.0)).await);
        stored(add(&store, 1, &record(2, 90.0)).await);
        assert_eq!(undo(&store, 1, 10).await, Recording::NotInForce);
        assert_eq!(undo(&store, 9, 10).await, Recording::Unknown);

        let undone = stored(undo(&store, 2, 10).await);
        let (again, first) = (&undone.record, record(1, 97.0));
        assert_eq!((again.id, again.undoes, &again.by), (id(10), Some(id(2)), &admin()));
        assert_eq!((again.calibration, again.health, again.points.len()), (first.calibration, first.health, 0));
        assert_eq!(again.check(), Ok(()));
        assert_eq!((undone.settings, told(&store, 1).await.calibrations[&Metric::Ph]), (3, again.active()));

        assert_eq!(undo(&store, 2, 11).await, Recording::NotInForce, "it was taken back already");
        let redone = stored(undo(&store, 10, 11).await);
        assert_eq!(redone.record.calibration, Some(slope(90.0)), "an undo can be taken back too");
        assert_eq!(store.calibrations(&pi(1)).await.unwrap().len(), 4);
        let told = store.audit(None, &[Act::CalibrationUndone], None, 9).await.unwrap();
        let told: Vec<_> = told.into_iter().map(|entry| (entry.who, entry.detail["calibration"].clone())).collect();
        let entry = |n| ("admin".to_owned(), serde_json::Value::from(id(n).to_string()));
        assert_eq!(told, [entry(10), entry(2)], "what was done, and nothing that was refused");
    });
}

#[test]
fn to_undo_the_first_calibration_leaves_a_probe_that_is_not_calibrated() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        stored(add(&store, 1, &record(1, 97.0)).await);
        assert_eq!(stored(undo(&store, 1, 2).await).record.calibration, None);
        let told = told(&store, 1).await;
        assert_eq!((told.calibration(Metric::Ph), told.calibrations[&Metric::Ph].id), (None, id(2)));
    });
}

#[test]
fn a_change_of_interval_and_a_reflash_keep_the_calibrations() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        stored(add(&store, 1, &record(1, 97.0)).await);
        let mut intervals = Intervals::default();
        intervals.set(Metric::Ph, 5000).unwrap();
        let new = NewSettings::of(intervals.clone());
        assert_eq!(store.change_settings(&pi(1), &new, &Actor::server(), NOW).await.unwrap(), SettingsDone::Done(2));
        let changed = told(&store, 1).await;
        assert_eq!((changed.version, &changed.intervals), (2, &intervals));
        assert_eq!(changed.calibration(Metric::Ph), Some(slope(97.0)));
        // An agent on a new card begins with nothing.
        let mut fresh = Status::new(shared::message::LinkState::Online);
        fresh.settings = 0;
        store.record_status(&pi(1), &fresh, NOW).await.unwrap();
        assert_eq!(told(&store, 1).await, changed);

        // A server that was restored from a back-up: the device already runs a later version.
        let kept = store.add_calibration(&pi(1), &record(2, 98.0), 40, NOW).await.unwrap();
        assert_eq!((stored(kept).settings, told(&store, 1).await.intervals), (41, intervals));
    });
}

#[test]
fn records_that_arrive_at_two_servers_at_once_are_all_kept_one_after_the_other() {
    on_each_database(|database| async move {
        let servers = [database.open().await, database.open().await];
        register(&database, 1).await;
        let mut running = tokio::task::JoinSet::new();
        for (server, store) in servers.iter().cloned().enumerate() {
            running.spawn(async move {
                for n in 0..20 {
                    stored(add(&store, 1, &record(1 + 100 * server as u64 + n, 97.0)).await);
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
        let mut settings: Vec<_> =
            servers[0].calibrations(&pi(1)).await.unwrap().iter().map(|kept| kept.settings).collect();
        assert_eq!(settings.len(), 40);
        settings.dedup();
        assert_eq!(settings, (1..=40).collect::<Vec<_>>());
    });
}

#[test]
fn no_code_changes_or_deletes_a_record() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![];
    let mut folders = vec![root.join("src"), root.join("migrations")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let statements = |path: &PathBuf| {
        let words = std::fs::read_to_string(path).unwrap().to_lowercase();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let all: Vec<_> = files.iter().map(|path| (path, statements(path))).collect();
    assert!(all.iter().any(|(_, text)| text.contains("insert into calibration")), "it looks at the right files");
    for (path, text) in all {
        for change in ["update calibration", "delete from calibration", "replace into calibration", "drop table calib"]
        {
            assert!(!text.contains(change), "{}: {change}", path.display());
        }
        let upsert = text
            .split("insert into calibration")
            .skip(1)
            .any(|rest| rest.split(';').next().unwrap().contains("do update"));
        assert!(!upsert, "{}", path.display());
    }
}

fn report(source: &str, metric: Metric) -> ProbeReport {
    let sensor = Sensor::usual(metric);
    let limits = sensor.as_ref().map(|sensor| sensor.law().limits());
    ProbeReport { source: source.to_owned(), sensor, limits }
}

fn sensors<const N: usize>(probes: [(Metric, ProbeReport); N]) -> Sensors {
    Sensors::new(probes.into())
}

async fn rows(database: &Database) -> i64 {
    database.number("SELECT COUNT(*) FROM sensors").await
}

#[test]
fn what_a_device_measures_with_is_kept_when_it_changed_and_not_forgotten() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 2).await;
        let ph = report("ads1115 0x48 A0", Metric::Ph);
        let w1 = ProbeReport { source: "w1 28-0316a2798b2f".to_owned(), sensor: None, limits: None };
        let first = sensors([(Metric::Ph, ph.clone()), (Metric::Temperature, w1.clone())]);
        assert!(store.record_sensors(&pi(1), &first, NOW).await.unwrap());
        assert!(!store.record_sensors(&pi(1), &first, UtcMillis(NOW.0 + 1)).await.unwrap());
        assert_eq!(rows(&database).await, 2);
        let shown = store.probes(None).await.unwrap();
        assert_eq!((shown.len(), &shown[&pi(1)]), (1, &first.probes));

        // Twice while the clock stands: both are kept, in their order.
        let moved = report("ads1115 0x49 A0", Metric::Ph);
        for probe in [&moved, &ph] {
            let changed = sensors([(Metric::Ph, probe.clone()), (Metric::Temperature, w1.clone())]);
            assert!(store.record_sensors(&pi(1), &changed, NOW).await.unwrap());
        }
        let history = store.probe_history(&pi(1), Metric::Ph).await.unwrap();
        let at = |ms| UtcMillis(NOW.0 + ms);
        assert_eq!(history, [(at(0), ph.clone()), (at(1), moved), (at(2), ph.clone())]);

        let without = sensors([(Metric::Temperature, w1)]);
        assert!(store.record_sensors(&pi(1), &without, at(50)).await.unwrap());
        assert_eq!(store.probes(Some(&pi(1))).await.unwrap()[&pi(1)], without.probes);
        assert_eq!(store.probe_history(&pi(1), Metric::Ph).await.unwrap().len(), 3, "what it was stays known");

        store.revoke_device(&pi(2), &Actor::server(), NOW).await.unwrap();
        assert!(!store.record_sensors(&pi(2), &first, NOW).await.unwrap());
        assert_eq!(store.probes(Some(&pi(2))).await.unwrap(), BTreeMap::new());
    });
}
