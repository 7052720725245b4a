//! The databases that a contract is tested on: SQLite always, PostgreSQL if there is one to make databases in.

use server::store::Store;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// Says where PostgreSQL is: `postgres://USER@HOST/NAME`, of a user who may make databases. `cargo xtask test` sets it.
const POSTGRES: &str = "TIRTA_TEST_POSTGRES";

/// An empty database.
pub struct Database {
    pub engine: &'static str,
    pub store: Store,
    pub folder: TempDir,
}

/// One empty database of each engine.
pub async fn databases() -> Vec<Database> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}/tirta.db", folder.path().display())).await.unwrap();
    let mut all = vec![Database { engine: "SQLite", store, folder }];
    match std::env::var(POSTGRES) {
        Ok(url) => all.push(on_postgres(&url).await),
        Err(_) => eprintln!("{POSTGRES} is not set: tested on SQLite only"),
    }
    all
}

async fn on_postgres(url: &str) -> Database {
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    let name = format!("tirta_test_{:016x}", u64::from_be_bytes(random));
    let mut admin = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let store = Store::open(&format!("{server}/{name}")).await.unwrap();
    Database { engine: "PostgreSQL", store, folder: tempfile::tempdir().unwrap() }
}
