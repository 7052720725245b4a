//! The registry in the database: read as a whole, changed as a whole, and asked for the name of a board that enrols.

use super::conn::{Conn, on_conn};
use super::{Pool, Store, StoreError, audit::audit, on_pool, stored_name};
use crate::audit;
use crate::registry::{Changes, Entry, Registration, Registry, cell};
use shared::{DeviceName, Serial, UtcMillis};
use sqlx::QueryBuilder;

/// Rows of one INSERT: ten values each must stay below what SQLite binds.
const ROWS: usize = 500;

const REGISTRATIONS: &str = "SELECT name, serial, location, latitude, longitude, metrics, notes, created_at, changed_at
    FROM registration";
const DEVICES: &str = "SELECT name, serial FROM device";

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    serial: Option<String>,
    location: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
    metrics: String,
    notes: String,
    created_at: i64,
    changed_at: i64,
}

impl TryFrom<Row> for Registration {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt { what: "registration", why: format!("{}: {why}", row.name) };
        let entry = Entry {
            name: stored_name(&row.name)?,
            serial: row
                .serial
                .map(|s| s.parse())
                .transpose()
                .map_err(|e: shared::id::IdError| corrupt(e.to_string()))?,
            location: row.location,
            latitude: row.latitude,
            longitude: row.longitude,
            metrics: cell::metrics(&row.metrics).map_err(|e| corrupt(e.to_string()))?,
            notes: row.notes,
        };
        Ok(Self { entry, created_at: UtcMillis(row.created_at), changed_at: UtcMillis(row.changed_at) })
    }
}

/// Puts the rows of both tables together.
fn registry(rows: Vec<Row>, devices: Vec<(String, Option<String>)>) -> Result<Registry, StoreError> {
    let mut registrations = rows.into_iter().map(Registration::try_from).collect::<Result<Vec<_>, _>>()?;
    registrations.sort_by(|a, b| order(&a.entry.name).cmp(&order(&b.entry.name)));
    let device = |(name, serial): (String, Option<String>)| {
        let corrupt = |e: shared::id::IdError| StoreError::Corrupt { what: "device", why: e.to_string() };
        Ok((stored_name(&name)?, serial.map(|serial| serial.parse::<Serial>()).transpose().map_err(corrupt)?))
    };
    let devices = devices.into_iter().map(device).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Registry { registrations, devices })
}

/// pi-2 before pi-10, and other names after the series.
fn order(name: &DeviceName) -> (u32, &DeviceName) {
    (name.number().unwrap_or(u32::MAX), name)
}

/// The name that is handed out first of those that wait for a board.
pub(super) fn first_of(reserved: &[String]) -> Result<Option<DeviceName>, StoreError> {
    let names = reserved.iter().map(|name| stored_name(name)).collect::<Result<Vec<_>, _>>()?;
    Ok(names.into_iter().min_by(|a, b| order(a).cmp(&order(b))))
}

/// What is expected under one name, within a transaction.
pub(super) async fn registered(conn: &mut Conn<'_>, name: &DeviceName) -> Result<Option<Registration>, StoreError> {
    const ONE: &str = "SELECT name, serial, location, latitude, longitude, metrics, notes, created_at, changed_at
        FROM registration WHERE name = $1";
    let row: Option<Row> = on_conn!(conn, |c| sqlx::query_as(ONE).bind(name.as_str()).fetch_optional(&mut *c).await?);
    row.map(Registration::try_from).transpose()
}

impl Store {
    /// What is expected and who has come.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn registry(&self) -> Result<Registry, StoreError> {
        on_pool!(&self.pool, |pool| {
            let rows = sqlx::query_as(REGISTRATIONS).fetch_all(pool).await?;
            registry(rows, sqlx::query_as(DEVICES).fetch_all(pool).await?)
        })
    }

    /// Decides upon the registry as it is and writes the changes, all or none, while no device enrols and nobody
    /// else changes it. `tell` says what is written into the audit log about it.
    ///
    /// # Errors
    /// When the database fails or a row can't be read; nothing has changed then.
    pub async fn change_registry<T>(
        &self,
        now: UtcMillis,
        decide: impl FnOnce(&Registry) -> (T, Changes),
        tell: impl FnOnce(&T) -> Option<audit::Entry>,
    ) -> Result<T, StoreError> {
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let rows = sqlx::query_as(REGISTRATIONS).fetch_all(&mut *tx).await?;
            let before = registry(rows, sqlx::query_as(DEVICES).fetch_all(&mut *tx).await?)?;
            let (answer, changes) = decide(&before);
            // Taken out and written anew, so that two can change places though a serial stands only once.
            for some in changes.changed.chunks(ROWS) {
                let mut query = QueryBuilder::new("DELETE FROM registration WHERE name IN (");
                let mut names = query.separated(", ");
                for (name, _) in some {
                    names.push_bind(name.as_str().to_owned());
                }
                query.push(")").build().execute(&mut *tx).await?;
            }
            for some in written(before, changes, now).chunks(ROWS) {
                let mut query = QueryBuilder::new("INSERT INTO registration (name, serial, location, latitude, ");
                query.push("longitude, metrics, notes, created_at, changed_at) ");
                query.push_values(some, |mut row, Registration { entry, created_at, changed_at }| {
                    row.push_bind(entry.name.as_str().to_owned())
                        .push_bind(entry.serial.map(String::from))
                        .push_bind(entry.location.clone())
                        .push_bind(entry.latitude)
                        .push_bind(entry.longitude)
                        .push_bind(cell::joined(&entry.metrics))
                        .push_bind(entry.notes.clone())
                        .push_bind(created_at.0)
                        .push_bind(changed_at.0);
                });
                query.build().execute(&mut *tx).await?;
            }
            if let Some(entry) = tell(&answer) {
                audit!(tx, entry);
            }
            tx.commit().await?;
            Ok(answer)
        })
    }

    /// How a transaction begins in which names are given out, and its first statement: only one runs at a time.
    pub(super) fn one_at_a_time(&self) -> (&'static str, &'static str) {
        // SQLite has one writer anyway, if it says at once that it will write; PostgreSQL waits at a lock of this number.
        match &self.pool {
            Pool::Sqlite(_) => ("BEGIN IMMEDIATE", "SELECT 1"),
            Pool::Postgres(_) => ("BEGIN", "SELECT pg_advisory_xact_lock(7469727461)"),
        }
    }
}

/// The rows to write. One that changes keeps the time of its creation.
fn written(before: Registry, changes: Changes, now: UtcMillis) -> Vec<Registration> {
    let since: std::collections::HashMap<DeviceName, UtcMillis> =
        before.registrations.into_iter().map(|r| (r.entry.name, r.created_at)).collect();
    let created = changes.created.into_iter().map(|entry| (now, entry));
    let changed = changes.changed.into_iter().map(|(name, entry)| (since.get(&name).copied().unwrap_or(now), entry));
    created.chain(changed).map(|(created_at, entry)| Registration { entry, created_at, changed_at: now }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_number_is_handed_out_first_and_other_names_last() {
        let reserved = |names: &[&str]| {
            first_of(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap().map(String::from)
        };
        assert_eq!(reserved(&["pond", "pi-10", "pi-9"]), Some("pi-9".to_owned()));
        assert_eq!(reserved(&["pond", "lake"]), Some("lake".to_owned()));
        assert_eq!(reserved(&[]), None);
    }
}
