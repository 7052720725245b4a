//! Reading the audit log: the newest entries that somebody asks for.

use super::{Store, StoreError, on_pool};
use crate::audit::Act;
use serde_json::{Map, Value};
use shared::UtcMillis;
use sqlx::QueryBuilder;

/// Most entries of one answer.
pub const MOST_ENTRIES: u32 = 500;

/// An entry as it was written. Names and words are not checked again: what was written is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Rises with each entry.
    pub id: i64,
    /// When.
    pub at: UtcMillis,
    /// Who.
    pub who: String,
    /// What: [`crate::audit::Act::as_str`].
    pub act: String,
    /// To which device.
    pub device: Option<String>,
    /// To which board.
    pub serial: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// Whatever else belongs to it.
    pub detail: Map<String, Value>,
}

/// Which entries: those that all of it fits.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// About this device; as text, because it may be that of a device which there is no more.
    pub device: Option<String>,
    /// Of these kinds; of all if there is none.
    pub acts: Vec<Act>,
    /// By this one.
    pub who: Option<String>,
    /// From this time on (UTC milliseconds).
    pub from: Option<i64>,
    /// Before this time (UTC milliseconds).
    pub to: Option<i64>,
    /// With this text in who, device, serial, address or detail.
    pub text: Option<String>,
}

/// Which way through the log, and from which entry on, which is not given itself.
#[derive(Debug, Clone, Copy)]
pub enum AuditWalk {
    /// From the newest, or from this one, to older ones.
    Back(Option<i64>),
    /// From this one to newer ones: how somebody follows it.
    On(i64),
}

impl Store {
    /// Entries with a lower number than `before`, newest first: of a device if one is named, and of these kinds unless
    /// none is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &self,
        device: Option<&str>,
        acts: &[Act],
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Written>, StoreError> {
        let filter = AuditFilter { device: device.map(str::to_owned), acts: acts.to_vec(), ..AuditFilter::default() };
        self.audit_log(&filter, AuditWalk::Back(before), limit).await
    }

    /// The same for whatever else may be asked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit_log(
        &self,
        filter: &AuditFilter,
        walk: AuditWalk,
        limit: u32,
    ) -> Result<Vec<Written>, StoreError> {
        type Row = (i64, i64, String, String, Option<String>, Option<String>, Option<String>, String);
        let limit = i64::from(limit.min(MOST_ENTRIES));
        let (beyond, than, order) = match walk {
            AuditWalk::Back(before) => (" < ", before.unwrap_or(i64::MAX), " ORDER BY id DESC LIMIT "),
            AuditWalk::On(after) => (" > ", after, " ORDER BY id LIMIT "),
        };
        // The first of each kind, found by an index, and of those the first: a kind that is rare among many costs
        // no look through all of them.
        let kinds: Vec<Option<Act>> = match &filter.acts[..] {
            [] => vec![None],
            acts => acts.iter().copied().map(Some).collect(),
        };
        let text = filter.text.as_deref().map(super::like);
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| {
            let mut query = QueryBuilder::new("SELECT * FROM (");
            for (n, act) in kinds.into_iter().enumerate() {
                query.push(if n == 0 { "" } else { " UNION ALL " });
                query.push("SELECT * FROM (SELECT id, at, who, act, device, serial, address, detail FROM audit ");
                query.push("WHERE id").push(beyond).push_bind(than);
                if let Some(act) = act {
                    query.push(" AND act = ").push_bind(act.as_str());
                }
                if let Some(device) = &filter.device {
                    query.push(" AND device = ").push_bind(device);
                }
                if let Some(who) = &filter.who {
                    query.push(" AND who = ").push_bind(who);
                }
                if let Some(from) = filter.from {
                    query.push(" AND at >= ").push_bind(from);
                }
                if let Some(to) = filter.to {
                    query.push(" AND at < ").push_bind(to);
                }
                if let Some(text) = &text {
                    query.push(" AND LOWER(who || ' ' || COALESCE(device, '') || ' ' || COALESCE(serial, '') || ' ' ");
                    query.push("|| COALESCE(address, '') || ' ' || detail) LIKE ").push_bind(text.as_str());
                    query.push(" ESCAPE '!'");
                }
                query.push(order).push_bind(limit).push(") AS one_kind");
            }
            query.push(") AS found").push(order).push_bind(limit);
            query.build_query_as().fetch_all(pool).await?
        });
        let written = |(id, at, who, act, device, serial, address, detail): Row| Written {
            id,
            at: UtcMillis(at),
            who,
            act,
            device,
            serial,
            address,
            detail: serde_json::from_str(&detail).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(written).collect())
    }
}
