//! Alerts that third-party systems hand in: raised once for each key, ended by the same.

use super::alert::{Raise, Resolve};
use super::conn::{on_conn, transaction};
use super::{Store, StoreError};
use crate::alert::{Kind, Source};
use crate::intake::{Reported, State};
use serde_json::{Map, Value};
use shared::UtcMillis;

/// Alerts of one token that may be unresolved at once: a system that makes up keys must not fill the lists.
const MOST_ACTIVE: i64 = 1000;

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// It is new.
    Raised(i64),
    /// It was known.
    Repeated(i64),
    /// It is over.
    Resolved(i64),
    /// It is said to be over, and was not known.
    Unknown,
    /// Too many of this token are not resolved.
    TooMany,
}

impl Store {
    /// Takes a report of the system that has the token `token`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_report(&self, token: &str, report: &Reported, now: UtcMillis) -> Result<Intake, StoreError> {
        const ACTIVE: &str = "SELECT id FROM alert WHERE dedup_key = $1 AND state <> 'resolved' AND cleared IS NULL";
        // By its beginning and not as a range, which would depend on how the database sorts.
        const ALL: &str = "SELECT COUNT(*) FROM alert WHERE kind = 'external' AND state <> 'resolved'
            AND cleared IS NULL AND substr(dedup_key, 1, $2) = $1";
        let key = format!("intake/{token}/{}", report.key);
        let (by, at) = (format!("intake/{token}"), UtcMillis(report.at.unwrap_or(now.0)));
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let known: Option<i64> =
                on_conn!(conn, |c| sqlx::query_scalar(ACTIVE).bind(&key).fetch_optional(&mut *c).await?);
            match (report.state, known) {
                (State::Firing, None) => {
                    let own = format!("{by}/");
                    let letters = i32::try_from(own.chars().count()).unwrap_or(i32::MAX);
                    let active: i64 =
                        on_conn!(conn, |c| sqlx::query_scalar(ALL).bind(own).bind(letters).fetch_one(&mut *c).await?);
                    if active >= MOST_ACTIVE {
                        return Ok(Intake::TooMany);
                    }
                    Intake::Raised(self.raise(conn, &raise(token, key.clone(), report, at), now).await?)
                }
                (State::Firing, Some(alert)) => {
                    self.raise(conn, &raise(token, key.clone(), report, at), now).await?;
                    Intake::Repeated(alert)
                }
                (State::Resolved, _) => {
                    let resolve = Resolve { key: &key, at, by: &by, reason: None, extreme: None };
                    match self.resolve(conn, &resolve, now).await? {
                        Some(alert) => Intake::Resolved(alert),
                        None => Intake::Unknown,
                    }
                }
            }
        }))
    }
}

fn raise(token: &str, key: String, report: &Reported, at: UtcMillis) -> Raise {
    let mut detail =
        Map::from_iter([("from".to_owned(), Value::from(token)), ("title".to_owned(), report.title.clone().into())]);
    if let Some(text) = &report.text {
        detail.insert("text".to_owned(), text.clone().into());
    }
    Raise {
        source: Source::Intake,
        kind: Kind::External,
        device: report.device.as_ref().map(ToString::to_string),
        location: None,
        metric: report.metric,
        key,
        severity: report.severity,
        since: at,
        at,
        value: report.value,
        limit: None,
        detail,
        simulated: false,
        announced: true,
        parent: None,
    }
}
