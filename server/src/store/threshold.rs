//! Thresholds in the database: each change is a row. What follows from them for each device (what it watches, its settings'
//! version, what is over) is worked out in one place, `rewatch`, in the transaction that changes something or soon after.

use super::conn::{Conn, on_conn, transaction};
use super::watched::{WatchRow, Watched};
use super::{Store, StoreError, audit::audit_on, on_pool, stored_name};
use crate::audit::{Act, Actor};
use crate::threshold::{Kept, Scope, Target, effective};
use serde_json::Value;
use shared::rule::{Threshold, Thresholds};
use shared::{DeviceName, Metric, Status, UtcMillis};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashMap};

/// Scope, target, metric, version, threshold, preset, changed_at, changed_by.
pub(super) type Row = (String, String, String, i64, Option<String>, Option<String>, i64, String);

const IN_FORCE: &str = "SELECT scope, target, metric, version, threshold, preset, changed_at, changed_by FROM threshold
    WHERE threshold IS NOT NULL AND NOT EXISTS (SELECT 1 FROM threshold later WHERE later.scope = threshold.scope
      AND later.target = threshold.target AND later.metric = threshold.metric AND later.version > threshold.version)
    ORDER BY scope, target, metric";
/// What each device said that it measures: its newest word of each probe.
const MEASURED: &str = "SELECT device, metric, report IS NOT NULL FROM sensors
    WHERE NOT EXISTS (SELECT 1 FROM sensors later WHERE later.device = sensors.device
      AND later.metric = sensors.metric AND later.since > sensors.since)";

/// What is to be set.
#[derive(Debug, Clone)]
pub struct NewThreshold {
    /// For what.
    pub targets: Vec<Target>,
    /// Of which metric.
    pub metric: Metric,
    /// What is asked; `None`: it is taken away.
    pub threshold: Option<Threshold>,
    /// The preset that it was filled from.
    pub preset: Option<String>,
}

impl Store {
    /// The thresholds in force.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn thresholds(&self) -> Result<Vec<Kept>, StoreError> {
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(IN_FORCE).fetch_all(pool).await?);
        rows.into_iter().map(kept).collect()
    }

    /// All that was ever set for a target, newest first; only of one metric if it is named.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn threshold_history(&self, target: &Target, metric: Option<Metric>) -> Result<Vec<Kept>, StoreError> {
        const QUERY: &str = "SELECT scope, target, metric, version, threshold, preset, changed_at, changed_by FROM threshold
            WHERE scope = $1 AND target = $2 AND (metric = $3 OR $3 IS NULL) ORDER BY changed_at DESC, version DESC LIMIT 500";
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(QUERY)
            .bind(target.scope.as_str())
            .bind(&target.target)
            .bind(metric.map(Metric::as_str))
            .fetch_all(pool)
            .await?);
        rows.into_iter().map(kept).collect()
    }

    /// What each device under rules watches, by name.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn watched_thresholds(
        &self,
        only: Option<&DeviceName>,
    ) -> Result<HashMap<DeviceName, Thresholds>, StoreError> {
        const QUERY: &str = "SELECT device, thresholds FROM watch WHERE device = $1 OR $1 IS NULL";
        let only = only.map(DeviceName::as_str);
        let rows: Vec<(String, String)> =
            on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).bind(only).fetch_all(pool).await?);
        rows.into_iter().map(|(name, rules)| Ok((stored_name(&name)?, read(&rules)?))).collect()
    }

    /// Sets or takes away a threshold for all the targets, or for none. Returns the devices whose settings change by that.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn set_thresholds(
        &self,
        new: &NewThreshold,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Vec<DeviceName>, StoreError> {
        Ok(self.set_seen_thresholds(new, None, actor, now).await?.unwrap_or_default())
    }

    /// The same if each has the version `seen` still, 0 if there never was one; else the version that one has.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn set_seen_thresholds(
        &self,
        new: &NewThreshold,
        seen: Option<u32>,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Result<Vec<DeviceName>, u32>, StoreError> {
        const NEWEST: &str = "SELECT version, threshold, preset FROM threshold
            WHERE scope = $1 AND target = $2 AND metric = $3 ORDER BY version DESC LIMIT 1";
        const INSERT: &str =
            "INSERT INTO threshold (scope, target, metric, version, threshold, preset, changed_at, changed_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let text = new.threshold.as_ref().map(serde_json::to_string).transpose().map_err(corrupt)?;
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            for Target { scope, target } in &new.targets {
                let (scope, metric) = (scope.as_str(), new.metric.as_str());
                let newest: Option<(i64, Option<String>, Option<String>)> = on_conn!(conn, |c| sqlx::query_as(NEWEST)
                    .bind(scope)
                    .bind(target)
                    .bind(metric)
                    .fetch_optional(&mut *c)
                    .await?);
                let (version, before, preset) = newest.unwrap_or_default();
                if seen.is_some_and(|seen| i64::from(seen) != version) {
                    return Ok(Err(u32::try_from(version).unwrap_or(u32::MAX)));
                }
                if before == text && preset == new.preset {
                    continue;
                }
                on_conn!(conn, |c| sqlx::query(INSERT)
                    .bind(scope)
                    .bind(target)
                    .bind(metric)
                    .bind(version + 1)
                    .bind(&text)
                    .bind(&new.preset)
                    .bind(now.0)
                    .bind(actor.name())
                    .execute(&mut *c)
                    .await?
                    .rows_affected());
                let mut entry =
                    actor.did(Act::ThresholdChanged, now).with("scope", scope).with("target", target.as_str());
                entry = entry.with("metric", metric).with("version", version + 1);
                entry = entry.with("threshold", json(text.as_deref())).with("before", json(before.as_deref()));
                if scope == Scope::Device.as_str()
                    && let Ok(name) = stored_name(target)
                {
                    entry = entry.to(&name);
                }
                audit_on(conn, entry).await?;
            }
            Ok(self.rewatch_on(conn, now).await?)
        }))
    }

    /// Makes each device watch what now follows from thresholds, registry and probes; returns those whose settings change. It
    /// changes nothing where nothing has to, so it may be called whenever something might have changed, and now and then.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn rewatch(&self, now: UtcMillis) -> Result<Vec<DeviceName>, StoreError> {
        // Nearly always nothing differs: that is seen without the lock that everybody waits for.
        let differs = on_pool!(&self.pool, |pool| {
            let mut connection = pool.acquire().await?;
            !differing(&mut Conn::from(&mut *connection)).await?.is_empty()
        });
        if !differs {
            return Ok(vec![]);
        }
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            self.rewatch_on(conn, now).await?
        }))
    }

    async fn rewatch_on(&self, conn: &mut Conn<'_>, now: UtcMillis) -> Result<Vec<DeviceName>, StoreError> {
        let mut changed = Vec::new();
        // Locked in the order of their names, as everywhere.
        for (name, rules) in differing(conn).await? {
            self.watch(conn, &name, rules, now).await?;
            changed.push(stored_name(&name)?);
        }
        Ok(changed)
    }

    /// Makes a device watch something else, as a new version of its settings.
    async fn watch(
        &self,
        conn: &mut Conn<'_>,
        device: &str,
        rules: Thresholds,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        const OWN: &str = "SELECT device, thresholds, state, late_at FROM watch WHERE device = $1";
        const VERSION: &str = "UPDATE device SET settings_version =
            CASE WHEN settings_version > $2 THEN settings_version ELSE $2 END + 1 WHERE name = $1";
        const KEEP: &str = "INSERT INTO watch (device, thresholds, state, late_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (device) DO UPDATE SET thresholds = excluded.thresholds, state = excluded.state";
        const FORGET: &str = "DELETE FROM watch WHERE device = $1";
        let lock = conn.lock();
        let device_row = AssertSqlSafe(format!("SELECT status FROM device WHERE name = $1{lock}"));
        let own = AssertSqlSafe(format!("{OWN}{lock}"));
        let status: Option<Option<String>> =
            on_conn!(conn, |c| sqlx::query_scalar(device_row).bind(device).fetch_optional(&mut *c).await?);
        let reported = status.flatten().and_then(|text| Status::decode(text.as_bytes()).ok()).map_or(0, |s| s.settings);
        let own: Option<WatchRow> =
            on_conn!(conn, |c| sqlx::query_as(own).bind(device).fetch_optional(&mut *c).await?);
        let mut watch = match own {
            Some(row) => Watched::from(row),
            None => Watched::new(device),
        };
        let verdict = watch.standing.change(&rules, now);
        self.carry_out(conn, device, &verdict, now).await?;
        if rules.is_empty() {
            on_conn!(conn, |c| sqlx::query(FORGET).bind(device).execute(&mut *c).await?.rows_affected());
            self.settle(conn, device, now).await?;
        } else {
            let (rules, state) = (serde_json::to_string(&rules), serde_json::to_string(&watch.standing));
            let (rules, state) = (rules.map_err(corrupt)?, state.map_err(corrupt)?);
            on_conn!(conn, |c| sqlx::query(KEEP)
                .bind(device)
                .bind(rules)
                .bind(state)
                .bind(watch.late_at)
                .execute(&mut *c)
                .await?
                .rows_affected());
        }
        on_conn!(conn, |c| sqlx::query(VERSION)
            .bind(device)
            .bind(i64::from(reported))
            .execute(&mut *c)
            .await?
            .rows_affected());
        Ok(())
    }
}

/// The devices that watch something else than they should, and what they should.
async fn differing(conn: &mut Conn<'_>) -> Result<BTreeMap<String, Thresholds>, StoreError> {
    const DEVICES: &str = "SELECT name, (SELECT location FROM registration WHERE registration.name = device.name)
        FROM device WHERE revoked_at IS NULL AND quarantined_at IS NULL";
    const WATCHED: &str = "SELECT device, thresholds FROM watch";
    let in_force: Vec<Row> = on_conn!(conn, |c| sqlx::query_as(IN_FORCE).fetch_all(&mut *c).await?);
    let in_force = in_force.into_iter().map(kept).collect::<Result<Vec<_>, _>>()?;
    let watched: HashMap<String, String> =
        on_conn!(conn, |c| sqlx::query_as(WATCHED).fetch_all(&mut *c).await?).into_iter().collect();
    if in_force.is_empty() && watched.is_empty() {
        return Ok(BTreeMap::new());
    }
    let devices: Vec<(String, Option<String>)> = on_conn!(conn, |c| sqlx::query_as(DEVICES).fetch_all(&mut *c).await?);
    let measured: Vec<(String, String, bool)> = on_conn!(conn, |c| sqlx::query_as(MEASURED).fetch_all(&mut *c).await?);
    let mut measures: HashMap<&str, Vec<Metric>> = HashMap::new();
    for (device, metric, reports) in &measured {
        let metrics = measures.entry(device).or_default();
        metrics.extend(Metric::from_wire(metric).filter(|_| *reports));
    }
    let mut wanted: BTreeMap<String, Thresholds> =
        watched.keys().map(|name| (name.clone(), Thresholds::new())).collect();
    for (name, location) in devices {
        let measures = measures.get(name.as_str()).map(Vec::as_slice);
        let holds = effective(&in_force, &name, location.as_deref(), measures);
        wanted.insert(name, holds.into_iter().map(|(metric, (_, threshold))| (metric, threshold)).collect());
    }
    let mut differing = BTreeMap::new();
    for (name, rules) in wanted {
        let before: Thresholds = watched.get(&name).map(|rules| read(rules)).transpose()?.unwrap_or_default();
        if before != rules {
            differing.insert(name, rules);
        }
    }
    Ok(differing)
}

pub(super) fn kept(row: Row) -> Result<Kept, StoreError> {
    let (scope, target, metric, version, threshold, preset, changed_at, changed_by) = row;
    let unknown = |what: &str| StoreError::Corrupt { what: "threshold", why: format!("unknown {what}") };
    Ok(Kept {
        target: Target { scope: Scope::from_word(&scope).ok_or_else(|| unknown("scope"))?, target },
        metric: Metric::from_wire(&metric).ok_or_else(|| unknown("metric"))?,
        version: u32::try_from(version).map_err(|_| unknown("version"))?,
        threshold: threshold.as_deref().map(read).transpose()?,
        preset,
        changed_at: UtcMillis(changed_at),
        changed_by,
    })
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(corrupt)
}

fn json(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt { what: "threshold", why: error.to_string() }
}
