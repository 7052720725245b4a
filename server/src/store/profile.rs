//! What belongs to an account's owner alone: how they are called and reached, and how they want the dashboard.

use super::account::{Account, HAS_EMAIL, ONE, Row, account, entry, told};
use super::{Store, StoreError, audit::audit, on_pool};
use crate::audit::{Act, Actor};
use crate::preferences::{Preferences, PreferencesChange};
use shared::UtcMillis;

/// An account and what its owner prefers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The account.
    pub account: Account,
    /// How its owner wants the dashboard.
    pub preferences: Preferences,
}

/// What is to become of it; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// Another name for others to call, or none.
    pub display_name: Option<Option<String>>,
    /// Another e-mail address, or none.
    pub email: Option<Option<String>>,
    /// How the dashboard is wanted.
    pub preferences: PreferencesChange,
}

/// What came of changing it.
#[derive(Debug, PartialEq, Eq)]
pub enum ProfileDone {
    /// It is so.
    Done(Box<Profile>),
    /// There is no such account.
    Unknown,
    /// Another account has this e-mail address.
    EmailTaken,
}

const PREFERENCES: &str = "SELECT preferences FROM account WHERE name = $1";

fn preferences(text: &str) -> Result<Preferences, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { what: "preferences", why: error.to_string() })
}

impl Store {
    /// The profile of an account.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn profile(&self, name: &str) -> Result<Option<Profile>, StoreError> {
        on_pool!(&self.pool, |pool| {
            let row: Option<Row> = sqlx::query_as(ONE).bind(name).fetch_optional(pool).await?;
            let Some(account) = row.map(account).transpose()? else { return Ok(None) };
            let text: String = sqlx::query_scalar(PREFERENCES).bind(name).fetch_one(pool).await?;
            Ok(Some(Profile { account, preferences: preferences(&text)? }))
        })
    }

    /// Changes a profile. How somebody is called and reached is written down; what they like is not.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn change_profile(
        &self,
        name: &str,
        change: &ProfileChange,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<ProfileDone, StoreError> {
        const QUERY: &str = "UPDATE account SET display_name = $2, email = $3, preferences = $4 WHERE name = $1";
        let (begin, alone) = self.one_at_a_time();
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let row: Option<Row> = sqlx::query_as(ONE).bind(name).fetch_optional(&mut *tx).await?;
            let Some(before) = row.map(account).transpose()? else { return Ok(ProfileDone::Unknown) };
            let text: String = sqlx::query_scalar(PREFERENCES).bind(name).fetch_one(&mut *tx).await?;
            let preferences = preferences(&text)?.changed(&change.preferences);
            let display_name = change.display_name.clone().unwrap_or_else(|| before.display_name.clone());
            let email = change.email.clone().unwrap_or_else(|| before.email.clone());
            let after = Account { display_name, email, ..before.clone() };
            let taken: i64 = sqlx::query_scalar(HAS_EMAIL).bind(&after.email).bind(name).fetch_one(&mut *tx).await?;
            if taken > 0 {
                return Ok(ProfileDone::EmailTaken);
            }
            let kept = serde_json::to_string(&preferences)
                .map_err(|error| StoreError::Corrupt { what: "preferences", why: error.to_string() })?;
            let query = sqlx::query(QUERY).bind(name).bind(&after.display_name).bind(&after.email).bind(kept);
            query.execute(&mut *tx).await?;
            if after != before {
                let entry = entry(actor, Act::UserChanged, name, now).with("before", told(&before));
                audit!(tx, entry.with("after", told(&after)));
            }
            tx.commit().await?;
            Ok(ProfileDone::Done(Box::new(Profile { account: after, preferences })))
        })
    }
}
