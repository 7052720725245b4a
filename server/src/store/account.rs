//! Accounts: made, changed, disabled, never deleted. Knows hashes only: no password ever comes here.

use super::conn::{Conn, on_conn, transaction};
use super::{Store, StoreError, audit::audit, audit::audit_on, on_pool};
use super::{session::end_sessions, totp::remove_totp, withdraw::withdraw_made};
use crate::access::{Permission, Role};
use crate::audit::{Act, Actor, Entry};
use serde_json::{Value, json};
use shared::UtcMillis;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name, in small letters.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What others call its owner, if that is not its name.
    pub display_name: Option<String>,
    /// In small letters.
    pub email: Option<String>,
    /// Its owner has not yet chosen a password.
    pub must_change: bool,
    /// When it was made; 0 if that was before it was written down.
    pub created_at: UtcMillis,
    /// Since when nobody signs in with it.
    pub disabled_at: Option<UtcMillis>,
}

/// What somebody signs in with, as it is stored.
#[derive(Debug)]
pub struct StoredPassword {
    /// The account's name.
    pub name: String,
    /// PHC string.
    pub hash: String,
    /// Nobody signs in with it.
    pub disabled: bool,
    /// It is no account yet: its owner asked for one and waits for approval.
    pub waits: bool,
}

/// An account that is to be made.
#[derive(Debug)]
pub(super) struct Fresh<'a> {
    pub name: &'a str,
    /// PHC string.
    pub hash: &'a str,
    pub role: Role,
    pub email: Option<&'a str>,
    pub display_name: Option<&'a str>,
    pub must_change: bool,
}

/// What is to become of an account; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Another role.
    pub role: Option<Role>,
    /// Whether nobody signs in with it.
    pub disabled: Option<bool>,
    /// Another address, or none.
    pub email: Option<Option<String>>,
}

/// What came of making or changing an account.
#[derive(Debug, PartialEq, Eq)]
pub enum AccountDone {
    /// It is so; the ids of the sessions that ended by it, and the words of the keys that were withdrawn.
    Done(Account, Vec<String>),
    /// There is no such account.
    Unknown,
    /// There is one of this name already.
    NameTaken,
    /// Another account has this e-mail address.
    EmailTaken,
    /// Nobody would be left who may do everything.
    LastAdmin,
}

pub(super) type Row = (String, String, Option<String>, Option<String>, bool, i64, Option<i64>);
pub(super) const ONE: &str = "SELECT name, role, display_name, email, must_change, created_at, disabled_at FROM account
    WHERE name = $1";
pub(super) const HAS_EMAIL: &str = "SELECT COUNT(*) FROM account WHERE email = $1 AND name <> $2";

pub(super) fn stored_role(word: &str) -> Result<Role, StoreError> {
    Role::from_word(word).ok_or_else(|| StoreError::Corrupt { what: "account", why: format!("its role is {word:?}") })
}

pub(super) fn account(row: Row) -> Result<Account, StoreError> {
    let (name, role, display_name, email, must_change, created_at, disabled_at) = row;
    let (created_at, disabled_at) = (UtcMillis(created_at), disabled_at.map(UtcMillis));
    Ok(Account { name, role: stored_role(&role)?, display_name, email, must_change, created_at, disabled_at })
}

/// What the audit log says of how an account is.
pub(super) fn told(account: &Account) -> Value {
    let Account { role, email, display_name, disabled_at, .. } = account;
    json!({"role": role.as_str(), "disabled": disabled_at.is_some(), "email": email, "display_name": display_name})
}

/// Makes an account, if neither its name nor its address is taken. Whoever calls holds the lock and writes it down.
pub(super) async fn insert(conn: &mut Conn<'_>, fresh: &Fresh<'_>, now: UtcMillis) -> Result<AccountDone, StoreError> {
    const QUERY: &str = "INSERT INTO account (name, password, role, email, display_name, must_change, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let Fresh { name, hash, role, email, display_name, must_change } = *fresh;
    on_conn!(conn, |c| {
        if sqlx::query(ONE).bind(name).fetch_optional(&mut *c).await?.is_some() {
            return Ok(AccountDone::NameTaken);
        }
        let taken: i64 = sqlx::query_scalar(HAS_EMAIL).bind(email).bind(name).fetch_one(&mut *c).await?;
        if taken > 0 {
            return Ok(AccountDone::EmailTaken);
        }
        let query = sqlx::query(QUERY).bind(name).bind(hash).bind(role.as_str()).bind(email).bind(display_name);
        query.bind(must_change).bind(now.0).execute(&mut *c).await?;
        let row: Row = sqlx::query_as(ONE).bind(name).fetch_one(&mut *c).await?;
        Ok(AccountDone::Done(account(row)?, vec![]))
    })
}

pub(super) fn entry(actor: &Actor, act: Act, user: &str, now: UtcMillis) -> Entry {
    actor.did(act, now).with("user", user)
}

impl Store {
    /// Whether any account exists.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_account(&self) -> Result<bool, StoreError> {
        let count: i64 =
            on_pool!(&self.pool, |pool| { sqlx::query_scalar("SELECT COUNT(*) FROM account").fetch_one(pool).await? });
        Ok(count > 0)
    }

    /// Adds the first account, an admin's, unless one of that name exists; says whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_first_admin(&self, name: &str, hash: &str, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "INSERT INTO account (name, password, role, created_at) VALUES ($1, $2, 'admin', $3)
            ON CONFLICT (name) DO NOTHING";
        let added = on_pool!(&self.pool, |pool| {
            sqlx::query(QUERY).bind(name).bind(hash).bind(now.0).execute(pool).await?.rows_affected()
        });
        Ok(added > 0)
    }

    /// Makes an account with a password that its owner must change.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn create_account(
        &self,
        (name, role, email): (&str, Role, Option<&str>),
        hash: &str,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<AccountDone, StoreError> {
        let (begin, alone) = self.one_at_a_time();
        let fresh = Fresh { name, hash, role, email, display_name: None, must_change: true };
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| sqlx::query(alone).execute(&mut *c).await?.rows_affected());
            let done = insert(conn, &fresh, now).await?;
            let AccountDone::Done(made, _) = &done else { return Ok(done) };
            audit_on(conn, entry(actor, Act::UserCreated, name, now).with("after", told(made))).await?;
            done
        }))
    }

    /// Accounts with names after this one, by name.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn accounts(&self, after: &str, limit: u32) -> Result<Vec<Account>, StoreError> {
        const QUERY: &str = "SELECT name, role, display_name, email, must_change, created_at, disabled_at FROM account
            WHERE name > $1 ORDER BY name LIMIT $2";
        let rows: Vec<Row> = on_pool!(&self.pool, |pool| {
            sqlx::query_as(QUERY).bind(after).bind(i64::from(limit)).fetch_all(pool).await?
        });
        rows.into_iter().map(account).collect()
    }

    /// Changes an account. Its sessions end when its role changes or it is disabled, and what it made for others to come in by is
    /// withdrawn when it may not make it any more. One admin who may sign in is always left, also when two are changed at once.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn change_account(
        &self,
        name: &str,
        change: &AccountChange,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<AccountDone, StoreError> {
        const QUERY: &str = "UPDATE account SET role = $2, disabled_at = $3, email = $4 WHERE name = $1";
        const OTHERS: &str = "SELECT COUNT(*) FROM account WHERE role = 'admin' AND disabled_at IS NULL AND name <> $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let row: Option<Row> = sqlx::query_as(ONE).bind(name).fetch_optional(&mut *tx).await?;
            let Some(before) = row.map(account).transpose()? else { return Ok(AccountDone::Unknown) };
            let after = changed(&before, change, now);
            if after == before {
                return Ok(AccountDone::Done(before, vec![]));
            }
            let rules = |account: &Account| account.role == Role::Admin && account.disabled_at.is_none();
            let others: i64 = sqlx::query_scalar(OTHERS).bind(name).fetch_one(&mut *tx).await?;
            if rules(&before) && !rules(&after) && others == 0 {
                return Ok(AccountDone::LastAdmin);
            }
            let taken: i64 = sqlx::query_scalar(HAS_EMAIL).bind(&after.email).bind(name).fetch_one(&mut *tx).await?;
            if taken > 0 {
                return Ok(AccountDone::EmailTaken);
            }
            let query = sqlx::query(QUERY).bind(name).bind(after.role.as_str());
            query.bind(after.disabled_at.map(|at| at.0)).bind(&after.email).execute(&mut *tx).await?;
            let ends = after.role != before.role || after.disabled_at.is_some();
            let reason = if after.disabled_at.is_some() { "disabled" } else { "role" };
            let mut ended = if ends { end_sessions!(tx, actor, name, "", reason, now) } else { vec![] };
            let mut entry = entry(actor, Act::UserChanged, name, now).with("before", told(&before));
            if may_invite(&before) && !may_invite(&after) {
                let withdrawn = withdraw_made!(tx, name, now);
                entry = withdrawn.told(entry);
                ended.extend(withdrawn.ended());
            }
            audit!(tx, entry.with("after", told(&after)));
            tx.commit().await?;
            AccountDone::Done(after, ended)
        }))
    }

    /// Gives an account a password that its owner must change, ends its sessions and withdraws what it made for others to come
    /// in by: somebody else may have had it.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn reset_password(
        &self,
        name: &str,
        hash: &str,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<AccountDone, StoreError> {
        const QUERY: &str = "UPDATE account SET password = $2, must_change = TRUE WHERE name = $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            sqlx::query(QUERY).bind(name).bind(hash).execute(&mut *tx).await?;
            let row: Option<Row> = sqlx::query_as(ONE).bind(name).fetch_optional(&mut *tx).await?;
            let Some(after) = row.map(account).transpose()? else { return Ok(AccountDone::Unknown) };
            let mut ended = end_sessions!(tx, actor, name, "", "password_reset", now);
            let withdrawn = withdraw_made!(tx, name, now);
            let entry = entry(actor, Act::UserPasswordReset, name, now).with("sessions_ended", ended.len());
            audit!(tx, withdrawn.told(entry));
            ended.extend(withdrawn.ended());
            tx.commit().await?;
            AccountDone::Done(after, ended)
        }))
    }

    /// What somebody signs in with, by name or, if there is an `@` in it, by e-mail address. One who waits for approval has
    /// only a name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored_password(&self, user: &str) -> Result<Option<StoredPassword>, StoreError> {
        const BY_NAME: &str = "SELECT name, password, disabled_at, FALSE FROM account WHERE name = $1
            UNION ALL SELECT name, password, NULL, TRUE FROM sign_up
            WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM account WHERE name = $1)";
        const BY_EMAIL: &str = "SELECT name, password, disabled_at, FALSE FROM account WHERE email = $1";
        let query = if user.contains('@') { BY_EMAIL } else { BY_NAME };
        let row: Option<(String, String, Option<i64>, bool)> =
            on_pool!(&self.pool, |pool| sqlx::query_as(query).bind(user).fetch_optional(pool).await?);
        let stored = |(name, hash, disabled_at, waits): (_, _, Option<i64>, _)| StoredPassword {
            name,
            hash,
            disabled: disabled_at.is_some(),
            waits,
        };
        Ok(row.map(stored))
    }

    /// Replaces somebody's own password `old`, and ends all their sessions but that of the id `keep`. `None` if the password is
    /// another meanwhile, else the ids of the sessions that ended.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn change_password(
        &self,
        name: &str,
        (old, new): (&str, &str),
        keep: &str,
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<Option<Vec<String>>, StoreError> {
        const QUERY: &str = "UPDATE account SET password = $2, must_change = FALSE
            WHERE name = $1 AND password = $3 AND disabled_at IS NULL";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let changed = sqlx::query(QUERY).bind(name).bind(new).bind(old).execute(&mut *tx).await?;
            if changed.rows_affected() == 0 {
                return Ok(None);
            }
            let ended = end_sessions!(tx, actor, name, keep, "password_changed", now);
            audit!(tx, entry(actor, Act::UserPasswordChanged, name, now).with("sessions_ended", ended.len()));
            tx.commit().await?;
            Some(ended)
        }))
    }

    /// Makes an account an admin's that may sign in with this password, whatever it was, ends its sessions, takes its second
    /// factor away and withdraws what it made for others to come in by; `false` if there is no such account. For whoever has the machine itself.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn recover_admin(&self, name: &str, hash: &str, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "UPDATE account SET password = $2, role = 'admin', must_change = FALSE, disabled_at = NULL
            WHERE name = $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let row: Option<Row> = sqlx::query_as(ONE).bind(name).fetch_optional(&mut *tx).await?;
            let Some(before) = row.map(account).transpose()? else { return Ok(false) };
            sqlx::query(QUERY).bind(name).bind(hash).execute(&mut *tx).await?;
            end_sessions!(tx, &Actor::server(), name, "", "recovered", now);
            let mut entry = entry(&Actor::server(), Act::UserRecovered, name, now).with("before", told(&before));
            if remove_totp!(tx, name) {
                entry = entry.with("second_factor_removed", true);
            }
            audit!(tx, withdraw_made!(tx, name, now).told(entry));
            tx.commit().await?;
            true
        }))
    }
}

/// Whether this account's owner may make what others come in by: invitations and keys.
pub(super) fn may_invite(account: &Account) -> bool {
    account.disabled_at.is_none() && account.role.may(Permission::ManageUsers)
}

fn changed(before: &Account, change: &AccountChange, now: UtcMillis) -> Account {
    let disabled_at = match change.disabled {
        None => before.disabled_at,
        Some(true) => before.disabled_at.or(Some(now)),
        Some(false) => None,
    };
    let email = change.email.clone().unwrap_or_else(|| before.email.clone());
    Account { role: change.role.unwrap_or(before.role), disabled_at, email, ..before.clone() }
}
