//! Changing what is said of a device: where it stands, what it measures, how long it may be silent. All of it, and what the audit
//! log tells of it, in one transaction. Knows not which changes are good: whoever asks says so.

use super::conn::{Conn, on_conn, transaction};
use super::machine::register;
use super::registration::registered;
use super::{Store, StoreError, audit::audit_on};
use crate::audit::{Act, Actor};
use crate::registry::{Entry, cell};
use serde_json::{Map, Value, json};
use shared::{DeviceName, Serial, UtcMillis};

/// What is said of a device.
#[derive(Debug, Clone)]
struct Said {
    entry: Entry,
    silent_after_ms: Option<i64>,
}

impl Store {
    /// Changes what the registry says of a device, and after how long without a reading one without a board counts as offline.
    /// `change` makes the new entry of the old, or says why not. What changes nothing is not written.
    ///
    /// # Errors
    /// When the database fails or a row can't be read; nothing has changed then.
    pub async fn change_device<E>(
        &self,
        name: &DeviceName,
        change: impl Fn(Entry) -> Result<Entry, E>,
        silent_after_ms: Option<i64>,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Result<(), E>, StoreError> {
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let before = said(conn, name).await?;
            let entry = match change(before.entry.clone()) {
                Ok(entry) => entry,
                Err(why) => return Ok(Err(why)),
            };
            // The agent of a board says how it is.
            let silent_after_ms = silent_after_ms.filter(|_| entry.serial.is_none()).or(before.silent_after_ms);
            let after = Said { entry, silent_after_ms };
            let (was, is) = difference(&before, &after);
            if is.is_empty() {
                return Ok(Ok(()));
            }
            register(conn, &after.entry, now).await?;
            set_silence(conn, name, silent_after_ms).await?;
            let entry = actor.did(Act::DeviceChanged, now).to(name).with("before", was).with("after", is);
            audit_on(conn, entry).await?;
            Ok(())
        }))
    }
}

async fn said(conn: &mut Conn<'_>, name: &DeviceName) -> Result<Said, StoreError> {
    const DEVICE: &str = "SELECT serial, silent_after_ms FROM device WHERE name = $1";
    let device: (Option<String>, Option<i64>) =
        on_conn!(conn, |c| sqlx::query_as(DEVICE).bind(name.as_str()).fetch_one(&mut *c).await?);
    let corrupt = |e: shared::id::IdError| StoreError::Corrupt { what: "device", why: e.to_string() };
    let serial = device.0.map(|serial| serial.parse::<Serial>()).transpose().map_err(corrupt)?;
    let registered = registered(conn, name).await?.map(|known| known.entry);
    // One that came before there was a registry.
    let entry = registered.unwrap_or_else(|| Entry { serial, ..Entry::named(name.clone()) });
    Ok(Said { entry, silent_after_ms: device.1 })
}

async fn set_silence(conn: &mut Conn<'_>, name: &DeviceName, silent_after_ms: Option<i64>) -> Result<(), StoreError> {
    const SET: &str = "UPDATE device SET silent_after_ms = $2 WHERE name = $1 AND serial IS NULL";
    on_conn!(conn, |c| sqlx::query(SET)
        .bind(name.as_str())
        .bind(silent_after_ms)
        .execute(&mut *c)
        .await?
        .rows_affected());
    Ok(())
}

/// What is another than before, as it was and as it is.
fn difference(before: &Said, after: &Said) -> (Map<String, Value>, Map<String, Value>) {
    let (was, is) = (fields(before), fields(after));
    let changed = was.into_iter().zip(is).filter(|(was, is)| was != is);
    changed.map(|((field, was), (_, is))| ((field.to_owned(), was), (field.to_owned(), is))).unzip()
}

/// Named as the interface names them.
fn fields(Said { entry, silent_after_ms }: &Said) -> [(&'static str, Value); 6] {
    [
        ("location", json!(entry.location)),
        ("latitude", json!(entry.latitude)),
        ("longitude", json!(entry.longitude)),
        ("metrics", json!(cell::joined(&entry.metrics))),
        ("notes", json!(entry.notes)),
        ("silent_after_s", json!(silent_after_ms.map(|ms| ms / 1000))),
    ]
}
