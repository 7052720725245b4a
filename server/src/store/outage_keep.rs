//! What becomes of outages: begun, ended, told of. Each step is one transaction, in which what another server on the same
//! database has done meanwhile counts.

use super::alert::{Raise, Resolve, happened};
use super::conn::{Conn, on_conn, transaction};
use super::outage::GroupDetail;
use super::{Store, StoreError, on_pool};
use crate::alert::{Kind, Source, What};
use crate::outage::{Tell, Turn, Window};
use serde_json::{Map, Value, json};
use shared::UtcMillis;
use shared::rule::Severity;

/// So many outages of a device in so long are worth a notice of their own, which is over after as long without one.
const REPEATED: usize = 3;
const REPEATED_MS: i64 = 86_400_000;

/// An outage `o` that has ended and that nobody meant: not during maintenance, and not ended by taking the device out of
/// service. What was the server's or the location's is no fault of the device either.
macro_rules! is_a_fault {
    () => {
        r#"o.cause NOT IN ('stopped', 'server') AND o.detail NOT LIKE '%"out_of_service":true%'
        AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.id = o.alert AND a.parent IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM silence s WHERE s.kind = 'maintenance' AND s.from_at < o.ended_at
            AND COALESCE(s.ended_at, s.to_at) > o.started_at AND (s.scope = 'fleet'
                OR (s.scope = 'device' AND s.target = o.device) OR (s.scope = 'location' AND s.target = o.location)))"#
    };
}
/// The faults of a device since a time.
pub(super) const FAULTS: &str =
    concat!("SELECT o.id FROM outage o WHERE o.device = $1 AND o.started_at > $2 AND ", is_a_fault!());
/// Notices of devices that are there and had no fault since a time.
pub(super) const QUIET: &str = concat!(
    "SELECT dedup_key FROM alert WHERE kind = 'repeated_outages' AND state <> 'resolved' AND NOT EXISTS
        (SELECT 1 FROM outage o WHERE o.device = alert.device AND (o.ended_at IS NULL OR (o.ended_at > $1 AND ",
    is_a_fault!(),
    ")))"
);

/// By whom an alert of an outage ends.
const SERVER: &str = "server";

/// An outage and what its alert needs of it.
#[derive(sqlx::FromRow)]
struct Gone {
    id: i64,
    device: String,
    location: Option<String>,
    started_at: i64,
    alert: Option<i64>,
    /// What its alert is a part of.
    parent: Option<i64>,
    /// Somebody has resolved its alert or cleared it away, although the device is still gone.
    dismissed: bool,
}

impl Store {
    /// Writes what the watcher saw.
    ///
    /// # Errors
    /// When the database fails: then nothing is written.
    pub async fn keep_turns(&self, turns: &[Turn], now: UtcMillis) -> Result<(), StoreError> {
        let (begin, alone) = self.one_at_a_time();
        transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            for turn in turns {
                self.keep_turn(conn, turn, now).await?;
            }
        });
        Ok(())
    }

    async fn keep_turn(&self, conn: &mut Conn<'_>, turn: &Turn, now: UtcMillis) -> Result<(), StoreError> {
        const BEGIN: &str = "INSERT INTO outage (id, device, location, started_at, cause, detail)
            VALUES ($1, $2, $3, $4, 'unknown', $5) ON CONFLICT (device) WHERE ended_at IS NULL DO NOTHING";
        const END: &str = "UPDATE outage SET ended_at = $2, cause = $3, detail = $4 WHERE id = $1 AND ended_at IS NULL";
        const PASSED: &str = "INSERT INTO outage (id, device, location, started_at, ended_at, cause, detail)
            SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM outage o
                WHERE o.device = $2 AND o.started_at < $5 AND COALESCE(o.ended_at, $5) > $4)";
        match turn {
            Turn::Begin { device, location, started_at, before } => {
                let detail = serde_json::to_string(before)
                    .map_err(|error| StoreError::Corrupt { what: "outage", why: error.to_string() })?;
                on_conn!(conn, |c| sqlx::query(BEGIN)
                    .bind(self.ids.next(now))
                    .bind(device.as_str())
                    .bind(location)
                    .bind(started_at)
                    .bind(detail)
                    .execute(&mut *c)
                    .await?
                    .rows_affected());
            }
            Turn::End { id, device, ended_at, cause, detail } => {
                let detail = Value::Object(detail.clone()).to_string();
                let ended = on_conn!(conn, |c| {
                    let query = sqlx::query(END).bind(id).bind(ended_at).bind(cause.as_str()).bind(detail);
                    query.execute(&mut *c).await?.rows_affected()
                });
                if ended > 0 {
                    let key = format!("outage/{device}");
                    self.over(conn, &key, UtcMillis(*ended_at), now).await?;
                    self.notice_repeated(conn, device.as_str(), *id, now).await?;
                }
            }
            Turn::Passed { device, location, window: Window { from, to }, cause, detail } => {
                let detail = Value::Object(detail.clone()).to_string();
                let outage = self.ids.next(now);
                let passed = on_conn!(conn, |c| sqlx::query(PASSED)
                    .bind(outage)
                    .bind(device.as_str())
                    .bind(location)
                    .bind(from)
                    .bind(to)
                    .bind(cause.as_str())
                    .bind(detail)
                    .execute(&mut *c)
                    .await?
                    .rows_affected());
                // Else another server has seen it, too.
                if passed > 0 {
                    self.notice_repeated(conn, device.as_str(), outage, now).await?;
                }
            }
        }
        Ok(())
    }

    async fn over(&self, conn: &mut Conn<'_>, key: &str, at: UtcMillis, now: UtcMillis) -> Result<(), StoreError> {
        let resolve = Resolve { key, at, by: SERVER, reason: None, extreme: None };
        self.resolve(conn, &resolve, now).await.map(|_| ())
    }

    /// `outage`: the one that has just ended.
    async fn notice_repeated(
        &self,
        conn: &mut Conn<'_>,
        device: &str,
        outage: i64,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        let since = now.0 - REPEATED_MS;
        let faults: Vec<i64> =
            on_conn!(conn, |c| sqlx::query_scalar(FAULTS).bind(device).bind(since).fetch_all(&mut *c).await?);
        let count = faults.len();
        if count < REPEATED || !faults.contains(&outage) {
            return Ok(());
        }
        let detail = json!({"outages": count, "hours": REPEATED_MS / 3_600_000});
        let raise = raise(Kind::RepeatedOutages, format!("repeated/{device}"), UtcMillis(since), now, detail);
        self.raise(conn, &Raise { device: Some(device.to_owned()), ..raise }, now).await.map(|_| ())
    }

    /// Raises the alerts that are due.
    ///
    /// # Errors
    /// When the database fails: then none is raised.
    pub async fn tell_outages(&self, due: &[Tell], now: UtcMillis) -> Result<(), StoreError> {
        let (begin, alone) = self.one_at_a_time();
        transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            for tell in due {
                match tell {
                    Tell::One(id) => self.tell_one(conn, *id, now).await?,
                    Tell::Place { location, outages, of, beside } => {
                        let key = place_key(location.as_deref(), outages.first().filter(|_| *beside));
                        self.tell_place(conn, location.as_deref(), key, outages, *of, now).await?;
                    }
                    Tell::Join { group, outages } => {
                        let all = gone_of(conn, outages).await?;
                        self.join(conn, *group, &all, now).await?;
                    }
                }
            }
        });
        Ok(())
    }

    async fn tell_one(&self, conn: &mut Conn<'_>, id: i64, now: UtcMillis) -> Result<(), StoreError> {
        for gone in gone_of(conn, &[id]).await? {
            match (gone.alert, gone.parent) {
                (None, _) => self.raise_one(conn, &gone, None, now).await?,
                // It was a part of its location's alert, which is over, and is told on its own now, unless somebody knows already.
                (Some(alert), Some(group)) if read_detail(conn, group).await?.over.is_some() => {
                    let seq = link(conn, alert, None, now).await?;
                    if !gone.dismissed {
                        self.tell(conn, alert, seq, What::Raised, now).await?;
                    }
                }
                // Another server was first.
                (Some(_), _) => {}
            }
        }
        Ok(())
    }

    /// One alert for all; those of the devices are kept under it, and nobody is disturbed by them.
    async fn tell_place(
        &self,
        conn: &mut Conn<'_>,
        location: Option<&str>,
        key: String,
        ids: &[i64],
        of: usize,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        let all = gone_of(conn, ids).await?;
        let Some(since) = all.iter().map(|gone| gone.started_at).min() else { return Ok(()) };
        let kind = if location.is_some() { Kind::LocationOffline } else { Kind::FleetOffline };
        let detail = GroupDetail { devices: all.len(), of, over: None };
        let raise = Raise {
            severity: Severity::Critical,
            location: location.map(str::to_owned),
            ..raise(kind, key, UtcMillis(since), now, json!(detail))
        };
        let group = self.raise(conn, &raise, now).await?;
        // Somebody may have reopened one that was over.
        write_detail(conn, group, detail).await?;
        self.join(conn, group, &all, now).await
    }

    async fn join(&self, conn: &mut Conn<'_>, group: i64, all: &[Gone], now: UtcMillis) -> Result<(), StoreError> {
        const PARTS: &str = "SELECT COUNT(*) FROM alert a JOIN outage o ON o.alert = a.id
            WHERE a.parent = $1 AND o.ended_at IS NULL";
        for gone in all {
            match (gone.alert, gone.parent) {
                (None, _) => self.raise_one(conn, gone, Some(group), now).await?,
                (Some(alert), Some(before)) if before != group => {
                    link(conn, alert, Some(group), now).await?;
                }
                // Another server was first.
                (Some(_), _) => {}
            }
        }
        let parts: i64 = on_conn!(conn, |c| sqlx::query_scalar(PARTS).bind(group).fetch_one(&mut *c).await?);
        let (mut detail, parts) = (read_detail(conn, group).await?, usize::try_from(parts).unwrap_or_default());
        if parts > detail.devices {
            detail.devices = parts;
            write_detail(conn, group, detail).await?;
        }
        Ok(())
    }

    async fn raise_one(
        &self,
        conn: &mut Conn<'_>,
        gone: &Gone,
        parent: Option<i64>,
        now: UtcMillis,
    ) -> Result<(), StoreError> {
        const LINK: &str = "UPDATE outage SET alert = $2 WHERE id = $1";
        let key = format!("outage/{}", gone.device);
        let raise = Raise {
            device: Some(gone.device.clone()),
            location: gone.location.clone(),
            parent,
            ..raise(Kind::Offline, key, UtcMillis(gone.started_at), now, json!({"outage": gone.id}))
        };
        let alert = self.raise(conn, &raise, now).await?;
        on_conn!(conn, |c| sqlx::query(LINK).bind(gone.id).bind(alert).execute(&mut *c).await?.rows_affected());
        Ok(())
    }

    /// Ends groups, also those whose alert somebody has resolved by hand, and the notices of devices that were not gone for a
    /// day.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_outage_alerts(&self, groups: &[i64], now: UtcMillis) -> Result<(), StoreError> {
        const KEY: &str = "SELECT dedup_key FROM alert WHERE id = $1 AND state <> 'resolved'";
        let quiet: Vec<String> =
            on_pool!(&self.pool, |pool| { sqlx::query_scalar(QUIET).bind(now.0 - REPEATED_MS).fetch_all(pool).await? });
        if groups.is_empty() && quiet.is_empty() {
            return Ok(());
        }
        let (begin, alone) = self.one_at_a_time();
        transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            for group in groups {
                let detail = read_detail(conn, *group).await?;
                write_detail(conn, *group, GroupDetail { over: detail.over.or(Some(now.0)), ..detail }).await?;
                let key: Option<String> =
                    on_conn!(conn, |c| sqlx::query_scalar(KEY).bind(group).fetch_optional(&mut *c).await?);
                if let Some(key) = key {
                    self.over(conn, &key, now, now).await?;
                }
            }
            for key in &quiet {
                self.over(conn, key, now, now).await?;
            }
        });
        Ok(())
    }
}

/// `beside`: the first outage of those that are told of beside an alert of the same place that goes on.
fn place_key(location: Option<&str>, beside: Option<&i64>) -> String {
    let place = location.map_or_else(|| "outage/fleet".to_owned(), |location| format!("outage/location/{location}"));
    beside.map_or_else(|| place.clone(), |outage| format!("{place}/{outage}"))
}

fn raise(kind: Kind, key: String, since: UtcMillis, now: UtcMillis, detail: Value) -> Raise {
    let detail = match detail {
        Value::Object(detail) => detail,
        _ => Map::new(),
    };
    Raise {
        source: Source::Outage,
        kind,
        device: None,
        location: None,
        metric: None,
        key,
        severity: Severity::Warning,
        since,
        at: now,
        value: None,
        limit: None,
        detail,
        simulated: false,
        announced: true,
        parent: None,
    }
}

/// Those of the outages that have not ended meanwhile.
async fn gone_of(conn: &mut Conn<'_>, ids: &[i64]) -> Result<Vec<Gone>, StoreError> {
    const ONE: &str = "SELECT o.id, o.device, o.location, o.started_at, o.alert, a.parent,
            COALESCE(a.state = 'resolved' OR a.cleared IS NOT NULL, FALSE) AS dismissed
        FROM outage o LEFT JOIN alert a ON a.id = o.alert WHERE o.id = $1 AND o.ended_at IS NULL";
    let mut all = vec![];
    for id in ids {
        all.extend(on_conn!(conn, |c| sqlx::query_as(ONE).bind(id).fetch_optional(&mut *c).await?));
    }
    Ok(all)
}

async fn read_detail(conn: &mut Conn<'_>, group: i64) -> Result<GroupDetail, StoreError> {
    const READ: &str = "SELECT detail FROM alert WHERE id = $1";
    let detail: Option<String> =
        on_conn!(conn, |c| sqlx::query_scalar(READ).bind(group).fetch_optional(&mut *c).await?);
    Ok(detail.and_then(|detail| serde_json::from_str(&detail).ok()).unwrap_or_default())
}

async fn write_detail(conn: &mut Conn<'_>, group: i64, detail: GroupDetail) -> Result<(), StoreError> {
    const WRITE: &str = "UPDATE alert SET detail = $2 WHERE id = $1";
    let detail = json!(detail).to_string();
    on_conn!(conn, |c| sqlx::query(WRITE).bind(group).bind(detail).execute(&mut *c).await?.rows_affected());
    Ok(())
}

/// Puts an alert under another, or on its own; returns the number of the event.
async fn link(conn: &mut Conn<'_>, alert: i64, parent: Option<i64>, now: UtcMillis) -> Result<i64, StoreError> {
    const LINK: &str = "UPDATE alert SET parent = $2, changed_at = $3 WHERE id = $1";
    on_conn!(conn, |c| sqlx::query(LINK).bind(alert).bind(parent).bind(now.0).execute(&mut *c).await?.rows_affected());
    happened(conn, alert, "linked", SERVER, &json!({"parent": parent}), now).await
}
