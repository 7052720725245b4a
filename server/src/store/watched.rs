//! Devices under rules, in the database: their readings are judged within the transaction that keeps them, and what comes of it
//! becomes alerts there too. Locks go device, watch, alert, in this order.

use super::alert::{Grade, Raise, Resolve};
use super::conn::{Conn, on_conn};
use super::judge::{Extreme, Standing, Verdict, is_late};
use super::{Store, StoreError, append::placeholders};
use crate::alert::Source;
use serde_json::Map;
use shared::rule::{Kind, Severity, Thresholds, Transition};
use shared::{Reading, UtcMillis, Value};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;

/// Most devices of one statement.
const MOST_NAMES: usize = 512;

/// A device under rules.
pub(super) struct Watched {
    pub(super) device: String,
    pub(super) rules: Thresholds,
    pub(super) standing: Standing,
    /// When something late last came, if it is not yet decided what is told of it.
    pub(super) late_at: Option<i64>,
}

impl Watched {
    /// A device that is under rules from now on.
    pub(super) fn new(device: &str) -> Self {
        Self { device: device.to_owned(), rules: Thresholds::new(), standing: Standing::default(), late_at: None }
    }
}

/// Device, thresholds, state, late_at.
pub(super) type WatchRow = (String, String, String, Option<i64>);

impl From<WatchRow> for Watched {
    fn from((device, rules, standing, late_at): WatchRow) -> Self {
        // Refusing readings would mend neither; begun anew, they say again what is wrong.
        let rules = serde_json::from_str(&rules).unwrap_or_else(|error| {
            tracing::error!(device, %error, "the rules of a device can't be read: they are made anew");
            Thresholds::new()
        });
        let standing = serde_json::from_str(&standing).unwrap_or_else(|error| {
            tracing::error!(device, %error, "how a device stands under its rules can't be read: it begins anew");
            Standing::default()
        });
        Self { device, rules, standing, late_at }
    }
}

impl Store {
    /// Judges new readings: those of a device in the order in which they came. Devices without rules cost one question together.
    ///
    /// # Errors
    /// When the database fails or a rule can't be read.
    pub(super) async fn judge(
        &self,
        conn: &mut Conn<'_>,
        fresh: &[(&str, &[Reading])],
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        let names: BTreeSet<&str> = fresh.iter().map(|(device, _)| *device).collect();
        let mut watched = watched(conn, &Vec::from_iter(names)).await?;
        for watch in &mut watched {
            let own = fresh.iter().filter(|(device, _)| *device == watch.device).flat_map(|(_, readings)| *readings);
            let verdict = watch.standing.judge(&watch.rules, own, now);
            self.carry_out(conn, &watch.device, &verdict, now).await?;
            if verdict.late {
                watch.late_at = Some(now.0);
            }
            let before = watch.standing.is_always_late();
            watch.standing.note_lateness(&verdict, now);
            let always = watch.standing.is_always_late();
            if always && !before {
                let device = &watch.device;
                tracing::warn!(device, "all that a device sends is late: is its clock, or the server's, right?");
            }
            if (verdict.caught_up || always) && watch.late_at.take().is_some() {
                self.settle(conn, &watch.device, now).await?;
            }
        }
        save(conn, &watched).await
    }

    /// Makes alerts of what the rules say.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn carry_out(
        &self,
        conn: &mut Conn<'_>,
        device: &str,
        verdict: &Verdict,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        for (told, extreme) in &verdict.transitions {
            let key = key(device, told);
            match (told.before, told.after) {
                (None, Some(severity)) => {
                    self.raise(conn, &raise(device, key, told, severity, now), now).await?;
                }
                (Some(before), Some(severity)) => {
                    let grade = Grade {
                        key: &key,
                        severity,
                        worse: severity > before,
                        value: told.value.map(Value::get),
                        limit: told.limit.map(Value::get),
                        extreme: *extreme,
                        since: told.since,
                        announced: !is_late(told.at, now),
                    };
                    self.grade(conn, &grade, now).await?;
                }
                (_, None) => {
                    let resolve =
                        Resolve { key: &key, at: told.since, by: "rule", reason: verdict.reason, extreme: *extreme };
                    self.resolve(conn, &resolve, now).await?;
                }
            }
        }
        for extreme in &verdict.extremes {
            self.widen(conn, device, extreme).await?;
        }
        Ok(())
    }

    /// The value of an active alert was never so far beyond its limit.
    async fn widen(&self, conn: &mut Conn<'_>, device: &str, extreme: &Extreme) -> Result<(), StoreError> {
        const UPDATE: &str =
            "UPDATE alert SET extreme = $2 WHERE dedup_key = $1 AND state <> 'resolved' AND cleared IS NULL";
        let key = format!("rule/{device}/{}/{}", extreme.metric, extreme.kind);
        on_conn!(conn, |c| sqlx::query(UPDATE).bind(key).bind(extreme.value).execute(&mut *c).await?.rows_affected());
        Ok(())
    }
}

/// What makes an alert of a rule one.
fn key(device: &str, told: &Transition) -> String {
    format!("rule/{device}/{}/{}", told.metric, told.kind)
}

fn raise(device: &str, key: String, told: &Transition, severity: Severity, now: UtcMillis) -> Raise {
    let mut detail = Map::new();
    if let (Kind::Fault, Some(fault)) = (told.kind, told.fault) {
        detail.insert("fault".to_owned(), fault.as_str().into());
    }
    Raise {
        source: Source::Rule,
        kind: told.kind.into(),
        device: Some(device.to_owned()),
        location: None,
        metric: Some(told.metric),
        key,
        severity,
        since: told.since,
        at: told.at,
        value: told.value.map(Value::get),
        limit: told.limit.map(Value::get),
        detail,
        simulated: told.simulated,
        announced: !is_late(told.at, now),
        parent: None,
    }
}

/// Those of the devices that are under rules, locked in the order of their names.
pub(super) async fn watched(conn: &mut Conn<'_>, names: &[&str]) -> Result<Vec<Watched>, StoreError> {
    let mut watched = Vec::new();
    for names in names.chunks(MOST_NAMES) {
        let count = names.len().next_power_of_two();
        let list = placeholders(0, count);
        let sql = format!(
            "SELECT device, thresholds, state, late_at FROM watch WHERE device IN ({list}) ORDER BY device{}",
            conn.lock()
        );
        let rows: Vec<WatchRow> = on_conn!(conn, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql));
            for i in 0..count {
                query = query.bind(names[i.min(names.len() - 1)]);
            }
            query.fetch_all(&mut *c).await?
        });
        for row in rows {
            watched.push(Watched::from(row));
        }
    }
    Ok(watched)
}

/// Saves how devices stand.
pub(super) async fn save(conn: &mut Conn<'_>, watched: &[Watched]) -> Result<(), StoreError> {
    for some in super::append::chunks(watched) {
        let rows: Vec<_> = (0..some.len()).map(|row| format!("({})", placeholders(row * 3, 3))).collect();
        // Both engines name the columns of VALUES so.
        let sql = format!(
            "UPDATE watch SET state = said.column2, late_at = said.column3 FROM (VALUES {}) AS said
             WHERE device = said.column1",
            rows.join(", ")
        );
        let states = some
            .iter()
            .map(|watch| serde_json::to_string(&watch.standing))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| StoreError::Corrupt { what: "watch", why: error.to_string() })?;
        on_conn!(conn, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (watch, state) in some.iter().zip(&states) {
                query = query.bind(watch.device.as_str()).bind(state.as_str()).bind(watch.late_at);
            }
            query.execute(&mut *c).await?.rows_affected()
        });
    }
    Ok(())
}
