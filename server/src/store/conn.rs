//! One connection within a transaction, of either engine: what several use cases do is a function that takes it.

use super::StoreError;
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

/// How often a transaction is tried that others keep from going through.
pub(super) const TRIES: u32 = 5;

/// Whether the database gave a transaction up only because of others that ran at the same time: it has changed nothing and may
/// be run again. PostgreSQL does so with one of two that wait for each other.
pub(super) fn gave_way(error: &StoreError) -> bool {
    /// `serialization_failure` and `deadlock_detected`: PostgreSQL, Appendix A.
    const CODES: [&str; 2] = ["40001", "40P01"];
    let StoreError::Sql(sqlx::Error::Database(error)) = error else { return false };
    error.code().is_some_and(|code| CODES.contains(&&*code))
}

/// Says what the code of [`again!`] answers.
pub(super) async fn run<T>(code: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    code.await
}

/// Runs code that begins and commits a transaction, and runs it again, some times, if the transaction had to give way to others:
/// `again!({ ...; Ok(answer) })`. `return` and `?` end one run.
macro_rules! again {
    ($body:expr) => {{
        let mut tries = 1;
        loop {
            match $crate::store::conn::run(async { $body }).await {
                Err(error) if tries < $crate::store::conn::TRIES && $crate::store::conn::gave_way(&error) => {
                    tracing::debug!(%error, tries, "a transaction gave way to another; it is run again");
                    tries += 1;
                }
                outcome => break outcome,
            }
        }
    }};
}
pub(super) use again;

/// Runs code in a transaction that begins so, commits it, and then wakes whoever tells of alerts:
/// `transaction!(self, begin, |conn| { ... })`. What returns early has changed nothing. If it has to give way to others, it is run
/// again.
macro_rules! transaction {
    ($store:expr, $begin:expr, |$conn:ident| $body:expr) => {
        $crate::store::conn::again!({
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
                Ok(answer)
            })
        })?
    };
}
pub(super) use transaction;

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::error::{DatabaseError, ErrorKind};
    use std::borrow::Cow;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    #[derive(Debug, thiserror::Error)]
    #[error("code {0}")]
    struct Refused(&'static str);

    impl DatabaseError for Refused {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    /// Fails so often with a code; says how often it ran, and whether it came through in the end.
    async fn run(failures: u32, code: &'static str) -> (u32, bool) {
        let runs = AtomicU32::new(0);
        let outcome = again!({
            if runs.fetch_add(1, Relaxed) < failures {
                return Err(sqlx::Error::Database(Box::new(Refused(code))).into());
            }
            Ok(())
        });
        (runs.into_inner(), outcome.is_ok())
    }

    #[tokio::test]
    async fn a_transaction_that_gave_way_is_run_again_but_not_for_ever_and_no_other_error_is() {
        assert_eq!(run(0, "40P01").await, (1, true));
        assert_eq!(run(2, "40P01").await, (3, true));
        assert_eq!(run(1, "40001").await, (2, true));
        assert_eq!(run(99, "40P01").await, (TRIES, false));
        assert_eq!(run(1, "23505").await, (1, false));
    }
}
