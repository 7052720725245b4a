//! What the store promises about thresholds, on every engine: which holds for which device, and that all that follows from a
//! change happens with it.

use crate::databases::{Database, NOW, on_each_database, pi, reading, received, register};
use server::audit::Actor;
use server::store::{AlertFilter, Incoming, NewThreshold, Store};
use server::threshold::{Scope, Target};
use shared::message::{BufferStatus, LinkState, ProbeReport, Sensors};
use shared::{BufferId, ClockQuality, DeviceName, Metric, Status, UtcMillis};
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::time::Duration;

fn target(scope: Scope, target: &str) -> Target {
    Target { scope, target: target.to_owned() }
}

fn fleet() -> Target {
    target(Scope::Fleet, "")
}

fn new(targets: &[Target], metric: Metric, json: Option<&str>) -> NewThreshold {
    let threshold = json.map(|json| serde_json::from_str(json).unwrap());
    NewThreshold { targets: targets.to_vec(), metric, threshold, preset: None }
}

const HIGH: &str = r#"{"high":{"warning":9.0}}"#;
const HIGHER: &str = r#"{"high":{"warning":10.0}}"#;

async fn set(store: &Store, targets: &[Target], json: Option<&str>) -> Vec<String> {
    let changed = store.set_thresholds(&new(targets, Metric::Ph, json), &Actor::account("budi"), NOW).await.unwrap();
    changed.into_iter().map(String::from).collect()
}

async fn settings(store: &Store, device: &DeviceName) -> (u32, String) {
    let (_, settings) = store.settings(Some(device)).await.unwrap().remove(0);
    (settings.version, serde_json::to_string(&settings.thresholds).unwrap())
}

/// pi-1 and pi-2 at Lembang, pi-3 at Garut.
async fn places(database: &Database) {
    register(database, 3).await;
    let rows = [(1, "Lembang"), (2, "Lembang"), (3, "Garut")]
        .map(|(n, place)| format!("('pi-{n}', '{n:016x}', '{place}', NULL, NULL, '', '', 0, 0)"));
    database
        .tamper(format!(
            "INSERT INTO registration (name, serial, location, latitude, longitude, metrics, notes, created_at, changed_at)
             VALUES {}",
            rows.join(",")
        ))
        .await;
}

#[test]
fn a_change_reaches_the_settings_of_those_for_whom_it_counts_and_of_nobody_else() {
    on_each_database(|database| async move {
        let store = database.open().await;
        places(&database).await;
        assert_eq!(set(&store, &[fleet()], Some(HIGH)).await, ["pi-1", "pi-2", "pi-3"]);
        assert_eq!(set(&store, &[target(Scope::Location, "Lembang")], Some(HIGHER)).await, ["pi-1", "pi-2"]);
        assert_eq!(set(&store, &[target(Scope::Device, "pi-1")], Some(HIGH)).await, ["pi-1"]);
        assert_eq!(
            settings(&store, &pi(1)).await,
            (3, r#"{"ph":{"high":{"warning":9.0},"hold_ms":0,"clear_ms":0}}"#.to_owned())
        );
        assert_eq!(settings(&store, &pi(2)).await.0, 2);
        assert_eq!(settings(&store, &pi(3)).await.0, 1);
        assert_eq!(set(&store, &[fleet()], Some(HIGH)).await, Vec::<String>::new(), "nothing changed");
        assert_eq!(set(&store, &[target(Scope::Device, "pi-1")], None).await, ["pi-1"]);
        assert!(settings(&store, &pi(1)).await.1.contains("10.0"), "its location's counts again");
        assert!(store.rewatch(NOW).await.unwrap().is_empty(), "all of it is done already");
    });
}

#[test]
fn every_change_is_a_version_with_its_author_and_stands_in_the_audit_log() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let own = [target(Scope::Device, "pi-1")];
        for json in [Some(HIGH), Some(HIGH), Some(HIGHER), None] {
            set(&store, &own, json).await;
        }
        let history = store.threshold_history(&own[0], Some(Metric::Ph)).await.unwrap();
        let versions: Vec<_> = history.iter().map(|kept| (kept.version, kept.threshold.is_some())).collect();
        assert_eq!(versions, [(3, false), (2, true), (1, true)]);
        assert!(history.iter().all(|kept| kept.changed_by == "budi" && kept.changed_at == NOW));
        assert!(store.thresholds().await.unwrap().is_empty());
        let log = store.audit(Some("pi-1"), &[], None, 10).await.unwrap();
        assert_eq!(log.iter().map(|entry| entry.act.as_str()).collect::<Vec<_>>(), ["threshold.changed"; 3]);
        assert_eq!(log[1].detail["threshold"]["high"]["warning"], 10.0);
        assert_eq!(log[1].detail["before"]["high"]["warning"], 9.0);
    });
}

#[test]
fn the_version_exceeds_what_a_device_says_that_it_runs() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        let mut status = Status::new(LinkState::Online);
        status.settings = 41;
        store.record_status(&pi(1), &status, NOW).await.unwrap();
        set(&store, &[fleet()], Some(HIGH)).await;
        assert_eq!(settings(&store, &pi(1)).await.0, 42);
    });
}

#[test]
fn devices_follow_their_location_their_probes_and_their_end() {
    on_each_database(|database| async move {
        let store = database.open().await;
        places(&database).await;
        set(&store, &[target(Scope::Location, "Garut")], Some(HIGH)).await;
        let follow = async || store.rewatch(NOW).await.unwrap().into_iter().map(String::from).collect::<Vec<_>>();
        database.tamper("UPDATE registration SET location = 'Garut' WHERE name = 'pi-1'").await;
        assert_eq!(follow().await, ["pi-1"]);
        database.tamper("UPDATE registration SET location = 'Lembang' WHERE name = 'pi-1'").await;
        assert_eq!(follow().await, ["pi-1"]);
        assert_eq!(settings(&store, &pi(1)).await, (2, "{}".to_owned()));

        let probe = ProbeReport { source: "simulated".to_owned(), sensor: None, limits: None };
        let mut sensors = Sensors::new([(Metric::Tds, probe.clone())].into());
        assert!(store.record_sensors(&pi(3), &sensors, NOW).await.unwrap());
        assert_eq!(follow().await, ["pi-3"], "it has no pH probe");
        sensors.probes.insert(Metric::Ph, probe);
        assert!(store.record_sensors(&pi(3), &sensors, UtcMillis(NOW.0 + 5)).await.unwrap());
        assert_eq!(follow().await, ["pi-3"]);

        assert!(store.revoke_device(&pi(3), &Actor::server(), NOW).await.unwrap());
        assert_eq!(follow().await, ["pi-3"]);
        assert_eq!(database.number("SELECT COUNT(*) FROM watch").await, 0);
    });
}

#[test]
fn what_a_rule_raised_ends_with_the_rule() {
    on_each_database(|database| async move {
        let store = database.open().await;
        register(&database, 1).await;
        set(&store, &[fleet()], Some(HIGH)).await;
        let batch = Incoming { device: pi(1), received: received(1, vec![reading(1, 0, Metric::Ph, 9.5)]), at: NOW };
        store.append(&[batch]).await.unwrap();
        set(&store, &[fleet()], None).await;
        let alerts = store.alerts(&AlertFilter::default(), None, 10, NOW).await.unwrap();
        assert_eq!(alerts.len(), 1);
        assert_eq!(
            (alerts[0].resolved_by.as_deref(), alerts[0].reason.as_deref()),
            (Some("rule"), Some("rules_changed"))
        );
    });
}

/// Keeps the lock that everybody waits for who writes.
async fn hold_the_lock<T>(database: &Database, meanwhile: impl Future<Output = T>) -> T {
    if database.url.starts_with("postgres") {
        let mut other = PgConnection::connect(&database.url).await.unwrap();
        let mut other = other.begin().await.unwrap();
        sqlx::query("SELECT pg_advisory_xact_lock(7469727461)").execute(&mut *other).await.unwrap();
        sqlx::query("LOCK TABLE watch IN EXCLUSIVE MODE").execute(&mut *other).await.unwrap();
        meanwhile.await
    } else {
        let mut other = SqliteConnection::connect(&database.url).await.unwrap();
        let _other = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        meanwhile.await
    }
}

#[test]
fn what_is_looked_at_every_few_seconds_waits_for_no_lock_if_nothing_has_changed() {
    on_each_database(|database| async move {
        let store = database.open().await;
        places(&database).await;
        let rules = r#"{"high":{"warning":9.0},"missing":{"after_ms":60000}}"#;
        set(&store, &[fleet()], Some(rules)).await;
        let mut status = Status::new(LinkState::Online);
        status.clock = Some(ClockQuality::Synced);
        status.buffer = Some(BufferStatus::new(BufferId::from_random(1), 0, 0));
        store.record_status(&pi(1), &status, NOW).await.unwrap();
        let batch = Incoming { device: pi(1), received: received(1, vec![reading(1, 0, Metric::Ph, 7.0)]), at: NOW };
        store.append(&[batch]).await.unwrap();
        let looking = async {
            assert!(store.rewatch(NOW).await.unwrap().is_empty());
            store.notice_missing(NOW).await.unwrap();
        };
        let looking = tokio::time::timeout(Duration::from_secs(20), Box::pin(looking));
        let looked = hold_the_lock(&database, looking).await;
        assert!(looked.is_ok(), "it waited for the lock");
        // What differs is written all the same.
        database.tamper("UPDATE device SET revoked_at = 1 WHERE name = 'pi-2'").await;
        assert_eq!(store.rewatch(NOW).await.unwrap(), [pi(2)]);
    });
}
