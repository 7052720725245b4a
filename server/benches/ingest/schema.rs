//! A place of a benchmark's own on a PostgreSQL server, gone afterwards.

#![allow(dead_code)] // each benchmark uses a part of it

use sqlx::{Connection, PgConnection};

/// A schema of its own on a PostgreSQL server.
pub struct Schema {
    server: String,
    name: String,
}

impl Schema {
    pub async fn create(server: String) -> Self {
        let schema = Self { server, name: format!("bench_{}", std::process::id()) };
        schema.execute(format!("CREATE SCHEMA {}", schema.name)).await;
        schema
    }

    pub fn url(&self) -> String {
        let mark = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{mark}options[search_path]={}", self.server, self.name)
    }

    pub async fn bytes(&self) -> u64 {
        let sql = "SELECT CAST(COALESCE(SUM(pg_total_relation_size(oid)), 0) AS BIGINT) FROM pg_class
             WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)";
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        let bytes: i64 = sqlx::query_scalar(sql).bind(&self.name).fetch_one(&mut connection).await.unwrap();
        bytes as u64
    }

    pub async fn remove(self) {
        self.execute(format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }

    async fn execute(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.server).await.expect("PostgreSQL");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
}
