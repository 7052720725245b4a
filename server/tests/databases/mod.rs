//! The databases that a contract is tested on: SQLite always, PostgreSQL when `TIRTA_TEST_POSTGRES` says where.

#![allow(dead_code)] // each test file uses a part of it

use server::store::Store;
use shared::{
    BufferId, Clock, ClockQuality, DeviceName, Flags, Metric, Outcome, Reading, Stamp, UtcMillis, Value,
    message::Received,
};
use sqlx::{Connection, PgConnection};
use std::future::Future;

/// A database of a test's own, empty, and gone afterwards.
pub struct Database {
    pub url: String,
    _folder: Option<tempfile::TempDir>,
    schema: Option<(String, String)>,
}

impl Database {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("tirta.db").display());
        Self { url, _folder: Some(folder), schema: None }
    }

    /// A schema of its own on the server that the tests were given.
    pub async fn postgres() -> Option<Self> {
        let server = std::env::var("TIRTA_TEST_POSTGRES").ok()?;
        let mut bits = [0; 8];
        getrandom::fill(&mut bits).unwrap();
        let schema = format!("test_{:016x}", u64::from_le_bytes(bits));
        Self::statement(&server, format!("CREATE SCHEMA {schema}")).await;
        let mark = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{mark}options[search_path]={schema}");
        Some(Self { url, _folder: None, schema: Some((server, schema)) })
    }

    async fn statement(server: &str, sql: String) {
        let mut connection = PgConnection::connect(server).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }

    /// Executes a statement behind the store's back.
    pub async fn tamper(&self, sql: impl Into<String>) {
        let sql = sqlx::AssertSqlSafe(sql.into());
        if self.schema.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
    }

    /// The same for what may be refused; why, if it is.
    pub async fn try_tamper(&self, sql: impl Into<String>) -> Result<(), String> {
        let sql = sqlx::AssertSqlSafe(sql.into());
        let done = if self.schema.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.map(|_| ())
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.map(|_| ())
        };
        done.map_err(|error| error.to_string())
    }

    /// Writes as another instance does, and so keeps all that write waiting, until what comes back is dropped.
    pub async fn hold_the_lock(&self) -> Box<dyn std::any::Any> {
        const LOCK: &str = "BEGIN; SELECT pg_advisory_xact_lock(7469727461)";
        if self.schema.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql(LOCK).execute(&mut connection).await.unwrap();
            Box::new(connection)
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
            Box::new(connection)
        }
    }

    /// The rows of a question, two texts each.
    pub async fn texts(&self, sql: &'static str) -> Vec<(String, String)> {
        if self.schema.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
        }
    }

    /// The first column of a question's first row, a number.
    pub async fn number(&self, sql: &'static str) -> i64 {
        if self.schema.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        }
    }
}

/// Runs a test on each engine that there is.
pub fn on_each_database<F: Future<Output = ()>>(test: impl Fn(std::sync::Arc<Database>) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        test(std::sync::Arc::new(Database::sqlite())).await;
        if let Some(database) = Database::postgres().await {
            let database = std::sync::Arc::new(database);
            test(std::sync::Arc::clone(&database)).await;
            let (server, schema) = database.schema.clone().unwrap();
            Database::statement(&server, format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    });
}

/// 2025-11-21T02:00:00Z.
pub const NOW: UtcMillis = UtcMillis(1_763_690_400_000);

/// A clock that stands at [`NOW`].
pub struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> UtcMillis {
        NOW
    }
}

pub fn pi(n: u32) -> DeviceName {
    DeviceName::numbered(n)
}

/// Registers pi-1 to pi-`count`.
pub async fn register(database: &Database, count: u32) {
    let rows: Vec<_> = (1..=count).map(|n| format!("('pi-{n}', '{n:016x}', 'key of {n}', {})", NOW.0)).collect();
    let sql = format!("INSERT INTO device (name, serial, public_key, enrolled_at) VALUES {}", rows.join(","));
    database.tamper(sql).await;
}

/// A measured value, `at` milliseconds after [`NOW`].
pub fn reading(seq: u64, at: i64, metric: Metric, value: f64) -> Reading {
    Reading {
        seq,
        stamp: Stamp { at: UtcMillis(NOW.0 + at), clock: ClockQuality::Synced },
        metric,
        outcome: Outcome::Measured(Value::new(value).unwrap()),
        millivolts: Some(Value::new(1497.25).unwrap()),
        flags: Flags::NONE,
        spread: Some(Value::new(0.125).unwrap()),
    }
}

/// A batch of readings of buffer `buffer`, without a refused row.
pub fn received(buffer: u64, readings: Vec<Reading>) -> Received {
    Received {
        buffer: BufferId::from_random(buffer),
        first: readings[0].seq,
        last: readings[readings.len() - 1].seq,
        readings,
        refused: vec![],
    }
}
