//! One connection within a transaction, of either engine: what several use cases do is a function that takes it.

use sqlx::{PgConnection, SqliteConnection};

/// A connection in a transaction that writes.
pub(crate) struct Conn<'a> {
    pub(super) engine: Engine<'a>,
    /// Whether something was written that is to be told: whoever tells is woken after the commit.
    pub(super) news: bool,
}

pub(super) enum Engine<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Conn<'_> {
    /// What makes a SELECT lock its rows.
    pub(super) fn lock(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "",
            Engine::Postgres(_) => " FOR UPDATE",
        }
    }
}

impl<'a> From<&'a mut SqliteConnection> for Conn<'a> {
    fn from(connection: &'a mut SqliteConnection) -> Self {
        Self { engine: Engine::Sqlite(connection), news: false }
    }
}

impl<'a> From<&'a mut PgConnection> for Conn<'a> {
    fn from(connection: &'a mut PgConnection) -> Self {
        Self { engine: Engine::Postgres(connection), news: false }
    }
}

/// Runs one piece of code, written once, on whichever engine: `on_conn!(conn, |c| sqlx::query("...").execute(&mut *c).await?)`.
macro_rules! on_conn {
    ($conn:expr, |$name:ident| $body:expr) => {
        match &mut $conn.engine {
            $crate::store::conn::Engine::Sqlite($name) => {
                let $name = &mut **$name;
                $body
            }
            $crate::store::conn::Engine::Postgres($name) => {
                let $name = &mut **$name;
                $body
            }
        }
    };
}
pub(super) use on_conn;

/// Runs code in a transaction that begins so, commits it, and then wakes whoever tells of alerts:
/// `transaction!(self, begin, |conn| { ... })`. What returns early has changed nothing.
macro_rules! transaction {
    ($store:expr, $begin:expr, |$conn:ident| $body:expr) => {
        $crate::store::on_pool!(&$store.pool, |pool| {
            let mut tx = pool.begin_with($begin).await?;
            let mut held = $crate::store::conn::Conn::from(&mut *tx);
            let $conn = &mut held;
            let answer = $body;
            let news = held.news;
            tx.commit().await?;
            if news {
                $store.wake();
            }
            answer
        })
    };
}
pub(super) use transaction;
