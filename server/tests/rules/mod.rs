//! Devices under rules, what they send, and what became of it: what tests of alerts share.

#![allow(dead_code)] // each test file uses a part of it

use crate::databases::{Database, NOW, pi, reading, received, register};
use server::alert::{Alert, News, What};
use server::audit::Actor;
use server::store::{AlertFilter, Incoming, NewThreshold, Store};
use server::threshold::{Scope, Target};
use shared::{DeviceName, Metric, UtcMillis};

pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const PH: &str = r#"{"low":{"warning":5},"high":{"warning":9,"critical":10},"hysteresis":0.25}"#;

/// So many devices under a rule.
pub async fn under(database: &Database, devices: u32, metric: Metric, json: &str) -> Store {
    let store = database.open().await;
    register(database, devices).await;
    rule(&store, metric, Some(json), NOW).await;
    store
}

pub async fn rule(store: &Store, metric: Metric, json: Option<&str>, now: UtcMillis) {
    let targets = vec![Target { scope: Scope::Fleet, target: String::new() }];
    let threshold = json.map(|json| serde_json::from_str(json).unwrap());
    let new = NewThreshold { targets, metric, threshold, preset: None };
    store.set_thresholds(&new, &Actor::account("budi"), now).await.unwrap();
}

pub fn at(ms: i64) -> UtcMillis {
    UtcMillis(NOW.0 + ms)
}

/// A device that sends pH readings, each with its time and value.
pub struct Sender {
    pub device: DeviceName,
    pub seq: u64,
}

impl Sender {
    pub fn new(n: u32) -> Self {
        Self { device: pi(n), seq: 0 }
    }

    pub fn batch(&mut self, now: i64, readings: &[(i64, f64)]) -> Incoming {
        let one = |(ms, value): &(i64, f64)| {
            self.seq += 1;
            reading(self.seq, *ms, Metric::Ph, *value)
        };
        let received = received(1, readings.iter().map(one).collect());
        Incoming { device: self.device.clone(), received, at: at(now) }
    }

    pub async fn send(&mut self, store: &Store, now: i64, readings: &[(i64, f64)]) {
        let batch = self.batch(now, readings);
        store.append(&[batch]).await.unwrap();
    }
}

pub async fn all(store: &Store) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = vec![];
    loop {
        let before = alerts.last().map(|alert| alert.id);
        let some = store.alerts(&AlertFilter::default(), before, 500, at(0)).await.unwrap();
        if some.is_empty() {
            break;
        }
        alerts.extend(some);
    }
    alerts.reverse();
    alerts
}

/// What was told: what of which alert, and why not.
pub async fn told(database: &Database) -> Vec<(News, Option<String>)> {
    let rows = database.texts("SELECT payload, COALESCE(withheld, '') FROM outbox ORDER BY id").await;
    let news =
        |row: (String, String)| (serde_json::from_str(&row.0).unwrap(), Some(row.1).filter(|why| !why.is_empty()));
    rows.into_iter().map(news).collect()
}

pub async fn what_was_told(database: &Database) -> Vec<What> {
    told(database).await.into_iter().map(|(news, _)| news.what).collect()
}

pub async fn events(store: &Store, id: i64) -> Vec<String> {
    store.alert_events(id).await.unwrap().into_iter().map(|event| format!("{} {}", event.who, event.what)).collect()
}
