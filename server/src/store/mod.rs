//! Everything that is kept. One SQL text for SQLite and PostgreSQL; callers see use cases, never tables.

mod account;
mod admit;
mod alert;
mod alert_act;
mod alert_id;
mod alert_list;
mod alert_row;
mod append;
mod audit;
mod audit_list;
mod bucket;
mod calibration;
mod certificate;
mod chain;
mod channel;
mod clearance;
mod column;
mod conn;
mod copy;
mod count;
mod delivery;
mod device;
mod device_change;
mod episode;
mod handed_in;
mod idempotency;
mod intake;
mod invitation;
mod judge;
mod key;
mod late;
mod machine;
mod missing;
mod outage;
mod outage_keep;
mod outbox;
mod overlay;
mod part;
mod policy;
mod preset;
mod profile;
mod reading;
mod refresh;
mod registration;
mod report;
mod retell;
mod revision;
mod segment;
mod sensors;
mod session;
mod settings;
mod sign_up;
mod silence;
mod sqlite_file;
mod statistics;
mod takeover;
mod threshold;
mod tidy;
mod token;
mod totp;
mod waiting;
mod walk;
mod watched;
mod withdraw;

pub use account::{Account, AccountChange, AccountDone, StoredPassword};
pub use admit::{Admission, Knock};
pub use alert_act::AlertAct;
pub use alert_id::first_of as first_news_of;
pub use alert_list::{AlertCounts, AlertEvent, AlertFilter, Delivery, MOST_ALERTS};
pub(crate) use append::SegmentRow;
pub use audit_list::{AuditFilter, AuditWalk, MOST_ENTRIES, Written};
pub use bucket::Buckets;
pub use calibration::{KeptRecord, Recording};
pub use certificate::Issued;
pub use channel::ChannelRecord;
pub use clearance::Clearance;
pub use count::Count;
pub use delivery::Due;
pub use device::{Device, ONLINE_GRACE_MS};
pub use handed_in::{Fate, HandedIn, Outcome as HandInOutcome};
pub use idempotency::Repeat;
pub use intake::IntakeToken;
pub use invitation::{Invitation, InvitationState, Inviting, Joining, NewInvitation, Newcomer};
pub use key::{KEY_PREFIX, Key, MakingKey, NewKey, Spent, key_word};
pub use machine::Made as MadeMachine;
pub use outage::{MOST_OUTAGES, OpenOutages, Outage, Which as WhichOutages};
pub use outbox::Told;
pub use overlay::Revised;
pub use part::{Newest, Part};
pub use preset::{OwnPreset, PresetDone, PresetWords};
pub use profile::{Profile, ProfileChange, ProfileDone};
pub use reading::{Committed, Incoming};
pub use refresh::Refreshed;
pub use report::Intake;
pub use revision::{Draft, Results, Revision, Wanted};
pub use sensors::Probes;
pub use session::{IDLE_MS, NewSession, OwnSession, Pair, SessionOwner};
pub use settings::{NewSettings, SettingsDone};
pub use sign_up::{NewSignUp, SignUp, SigningUp};
pub use silence::{NewSilence, Silence};
pub use takeover::{Approval, Approved, Replaced};
pub use threshold::NewThreshold;
pub use token::{NewToken, Token};
pub use totp::Totp;
pub use waiting::WaitingBoard;

use crate::alert::words;
use alert_id::Ids;
use jiff::tz::TimeZone;
use shared::DeviceName;
use sqlx::{PgPool, SqlitePool, postgres::PgPoolOptions, sqlite::SqliteConnectOptions, sqlite::SqlitePoolOptions};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::{str::FromStr, sync::Arc, time::Duration};
use tokio::sync::watch;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is none that this server can use.
    #[error("database_url {url:?}: use sqlite:PATH or postgres://USER@HOST/NAME")]
    Url {
        /// The scheme that was given (no secrets).
        url: String,
    },
    /// The database did not do what it was asked.
    #[error("database: {0}")]
    Sql(#[source] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("database migration: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Something stored can't be read back.
    #[error("stored {what} can't be read: {why}")]
    Corrupt {
        /// Which kind of row.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// Errors of the database since the process began, whoever met them.
static ERRORS: AtomicU64 = AtomicU64::new(0);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        ERRORS.fetch_add(1, Relaxed);
        Self::Sql(error)
    }
}

/// How often the database did not do what it was asked since the process began, whoever asked.
pub fn errors() -> u64 {
    ERRORS.load(Relaxed)
}

/// The two engines. `on_pool!` runs the same code on either.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs one piece of code, written once, on whichever engine the store has:
/// `on_pool!(&self.pool, |pool| sqlx::query("...").execute(pool).await?)`.
macro_rules! on_pool {
    ($pool:expr, |$name:ident| $body:expr) => {
        match $pool {
            $crate::store::Pool::Sqlite($name) => $body,
            $crate::store::Pool::Postgres($name) => $body,
        }
    };
}
#[allow(unused_imports)]
pub(crate) use on_pool;

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: Pool,
    ids: Arc<Ids>,
    /// The zone of the times in what people read.
    zone: TimeZone,
    /// Woken after a commit that wrote into the outbox.
    news: watch::Sender<()>,
}

impl Store {
    /// Opens the database, creates it if it is an SQLite file that does not exist, and brings its tables up to date.
    ///
    /// # Errors
    /// When the address is unknown, the database can't be reached or is damaged, or a migration fails.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let migrations = sqlx::migrate!("./migrations");
        let pool = if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)?
                .create_if_missing(true)
                .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                // FULL: an ack promises that the readings outlive a power cut.
                .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(30));
            sqlite_file::check(options.get_filename())?;
            Pool::Sqlite(SqlitePoolOptions::new().max_connections(8).connect_with(options).await?)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Pool::Postgres(PgPoolOptions::new().max_connections(16).connect(url).await?)
        } else {
            let scheme = url.split(':').next().unwrap_or_default();
            return Err(StoreError::Url { url: scheme.to_owned() });
        };
        on_pool!(&pool, |pool| migrations.run(pool).await?);
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
        let (ids, news) = (Arc::new(Ids::new(u16::from_le_bytes(random))), watch::Sender::new(()));
        let zone = words::zone(words::USUAL_ZONE).unwrap_or(TimeZone::UTC);
        Ok(Self { pool, ids, zone, news })
    }

    /// The same, with another zone for the times in what people read.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Changes after each commit that wrote into the outbox.
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    fn wake(&self) {
        self.news.send_replace(());
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on_pool!(&self.pool, |pool| sqlx::query("SELECT 1").execute(pool).await.map(|_| ())?);
        Ok(())
    }

    /// How a transaction begins that will write, and what makes a SELECT lock its rows. In SQLite the
    /// whole database is locked from the beginning: a lock wanted later might be refused.
    fn writing(&self) -> (&'static str, &'static str) {
        match self.pool {
            Pool::Sqlite(_) => ("BEGIN IMMEDIATE", ""),
            Pool::Postgres(_) => ("BEGIN", " FOR UPDATE"),
        }
    }

    /// Waits for what is under way and closes the database.
    pub async fn close(&self) {
        on_pool!(&self.pool, |pool| pool.close().await);
    }
}

fn stored_serial(serial: &str) -> Result<shared::Serial, StoreError> {
    serial.parse().map_err(|e: shared::id::IdError| StoreError::Corrupt { what: "serial", why: e.to_string() })
}

fn stored_name(name: &str) -> Result<DeviceName, StoreError> {
    name.parse().map_err(|e: shared::id::IdError| StoreError::Corrupt { what: "name", why: e.to_string() })
}

/// A text that stands somewhere, as `LIKE` reads it: in small letters, and nothing in it means anything else than itself.
fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
