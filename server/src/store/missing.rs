//! Data that is missing although its device is there: time alone has to tell, because no reading does.

use super::conn::transaction;
use super::device::is_online;
use super::watched::{Watched, save, watched};
use super::{Store, StoreError, on_pool};
use shared::{ClockQuality, Status, UtcMillis};

/// What a device measures is here after so long, if nothing waits on it.
const ARRIVES_MS: i64 = 120_000;

/// Device, thresholds, state, status, last_seen.
type Row = (String, String, String, Option<String>, Option<i64>);

impl Store {
    /// Notices what is missing of devices that are there and send nothing at all. To be called each few seconds.
    ///
    /// # Errors
    /// When the database fails; what was noticed before stays.
    pub async fn notice_missing(&self, now: UtcMillis) -> Result<(), StoreError> {
        const ALL: &str = "SELECT watch.device, watch.thresholds, watch.state, device.status, device.last_seen
            FROM watch JOIN device ON device.name = watch.device ORDER BY watch.device";
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(ALL).fetch_all(pool).await?);
        let until = UtcMillis(now.0 - ARRIVES_MS);
        for (device, rules, state, status, last_seen) in rows {
            if !has_sent_all(status.as_deref(), last_seen, now) {
                continue;
            }
            let watch = Watched::from((device, rules, state, None));
            // Most devices have readings, and need no lock.
            if watch.rules.values().any(|rule| rule.missing.is_some()) && !is_told_by_readings(&watch, until) {
                self.notice(&watch.device, until, now).await?;
            }
        }
        Ok(())
    }

    async fn notice(&self, device: &str, until: UtcMillis, now: UtcMillis) -> Result<(), StoreError> {
        let (begin, _) = self.writing();
        transaction!(self, begin, |conn| {
            for mut watch in watched(conn, &[device]).await? {
                if is_told_by_readings(&watch, until) {
                    continue;
                }
                let verdict = watch.standing.pass(&watch.rules, until);
                self.carry_out(conn, device, &verdict, now).await?;
                save(conn, &[watch]).await?;
            }
        });
        Ok(())
    }
}

/// Readings tell what time would, and better.
fn is_told_by_readings(watch: &Watched, until: UtcMillis) -> bool {
    watch.standing.newest.is_some_and(|newest| newest >= until)
}

/// Whether all that a device has measured is here: it is there, knows the time, and nothing waits on it.
fn has_sent_all(status: Option<&str>, last_seen: Option<i64>, now: UtcMillis) -> bool {
    let said = status.and_then(|text| Status::decode(text.as_bytes()).ok());
    let sent = said.is_some_and(|said| {
        said.clock == Some(ClockQuality::Synced) && said.buffer.is_some_and(|buffer| buffer.pending == 0)
    });
    sent && is_online(status, last_seen, now)
}
