//! What people have decided to do, whatever happens.

use super::Player;
use crate::cast::{Member, SITES, serial};
use crate::error::PlayError;
use crate::plan::Deed;
use crate::span::{DAY, HOUR, MINUTE};
use crate::words;
use agent::probe::simulated::Simulated;
use agent::probe::{Circumstances, Probe};
use hyper::Method;
use serde_json::{Value, json};
use server::run::ADMIN;
use shared::{Metric, Outcome, UtcMillis};

/// Of warning and critical, low; and the same high.
type Limits = [Option<f64>; 4];

/// What is to hold at each place, by metric.
const LIMITS: [&[(&str, Limits)]; 3] = [
    &[
        ("ph", [Some(6.8), Some(6.5), Some(8.3), Some(8.6)]),
        ("temperature", [Some(25.0), Some(23.5), Some(31.4), Some(33.0)]),
        ("tds", [None, None, Some(600.0), Some(700.0)]),
        ("volume", [Some(760.0), Some(650.0), None, None]),
    ],
    &[
        ("ph", [Some(5.4), Some(5.0), Some(7.05), Some(7.5)]),
        ("temperature", [None, None, Some(31.3), Some(33.0)]),
        ("tds", [Some(520.0), Some(420.0), Some(950.0), None]),
        ("volume", [Some(440.0), Some(330.0), None, None]),
    ],
    &[
        ("ph", [Some(6.3), Some(6.0), Some(8.7), Some(9.0)]),
        ("temperature", [None, None, Some(36.0), Some(38.0)]),
        ("tds", [None, None, Some(840.0), Some(920.0)]),
        ("volume", [None, None, Some(870.0), Some(950.0)]),
    ],
];

impl Player {
    pub(super) async fn do_deed(&mut self, deed: Deed) -> Result<(), PlayError> {
        let now = self.now();
        match deed {
            Deed::Enrol(board, successor) => self.enrol(board, successor).await?,
            Deed::Thresholds => {
                for (site, limits) in SITES.iter().zip(LIMITS) {
                    if self.members.iter().any(|member| member.site().name == site.name) {
                        for (metric, limits) in limits {
                            self.set("location", site.name, metric, *limits).await?;
                        }
                    }
                }
            }
            Deed::Stricter => {
                let limits = [Some(6.9), Some(6.5), Some(8.2), Some(8.6)];
                self.set("location", SITES[0].name, "ph", limits).await?;
            }
            Deed::NearLimit(board) => {
                let Some(member) = self.members.get(board) else { return Ok(()) };
                let (name, warmest) = (member.name().to_string(), warmest(member, now.0));
                // Whole tenths, as a person would write them.
                let tenths = (warmest * 10.0).ceil() + 1.0;
                let limits = [None, None, Some(tenths / 10.0), Some((tenths + 20.0) / 10.0)];
                self.set("device", &name, "temperature", limits).await?;
            }
            Deed::Maintenance(board, time) => {
                let Some(line) = self.lines.get(board) else { return Ok(()) };
                let body = json!({"kind": "maintenance", "scope": "device", "target": line.name.as_str(),
                    "from": time.from, "to": time.to, "reason": words::MAINTENANCE});
                self.ask("sari", Method::POST, "/api/v1/silences", body).await?;
            }
            Deed::Storm(site, time) => {
                let Some(member) = self.members.iter().find(|member| member.site == site) else { return Ok(()) };
                let body = json!({"kind": "silence", "scope": "location", "target": member.site().name,
                    "to": time.to, "reason": words::STORM});
                self.ask("sari", Method::POST, "/api/v1/silences", body).await?;
            }
            Deed::Replace(board) => {
                let Some(member) = self.members.get(board) else { return Ok(()) };
                let path = format!("/api/v1/devices/{}/replace", member.name());
                let body = json!({"serial": serial(member.number)?.to_string()});
                self.ask(ADMIN, Method::POST, &path, body).await?;
            }
            Deed::Retire(board) => {
                let Some(member) = self.members.get(board) else { return Ok(()) };
                let path = format!("/api/v1/devices/{}/revoke", member.name());
                self.crew.ask(ADMIN, Method::POST, &path, None, now).await?;
            }
        }
        Ok(())
    }

    async fn ask(&mut self, who: &str, method: Method, path: &str, body: Value) -> Result<(), PlayError> {
        let now = self.now();
        self.crew.ask(who, method, path, Some(body), now).await.map(drop)
    }

    async fn set(
        &mut self,
        scope: &str,
        target: &str,
        metric: &str,
        [low, lowest, high, highest]: Limits,
    ) -> Result<(), PlayError> {
        let (hysteresis, hold_ms) = match metric {
            "ph" => (0.1, 5 * MINUTE),
            "temperature" => (0.3, 20 * MINUTE),
            _ => (8.0, 10 * MINUTE),
        };
        let side = |warning: Option<f64>, critical: Option<f64>| {
            let limits = [("warning", warning), ("critical", critical)].into_iter();
            Value::Object(limits.filter_map(|(word, limit)| Some((word.to_owned(), json!(limit?)))).collect())
        };
        let threshold = json!({"low": side(low, lowest), "high": side(high, highest), "hysteresis": hysteresis,
            "hold_ms": hold_ms, "clear_ms": hold_ms, "fault": {"after_ms": 10 * MINUTE}});
        let body = json!({"targets": [{"scope": scope, "target": target}], "metric": metric, "threshold": threshold});
        self.told = true;
        self.ask("sari", Method::PUT, "/api/v1/thresholds", body).await
    }
}

/// The highest temperature that a device has around a time and in the days after it.
fn warmest(member: &Member, now: i64) -> f64 {
    let Some(probe) = Simulated::new(Metric::Temperature, u64::from(member.number), false) else { return 30.0 };
    let mut probe = probe.holding(member.site().water);
    let times = (0..6 * DAY / HOUR * 2).map(|half| now - DAY + half * HOUR / 2);
    let value = |at| match probe.sample(&Circumstances { now: UtcMillis(at), water: None, calibration: None }).outcome {
        Outcome::Measured(value) => value.get(),
        Outcome::Fault(_) => f64::MIN,
    };
    times.map(value).fold(f64::MIN, f64::max)
}
