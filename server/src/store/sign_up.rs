//! Accounts that somebody asks for: kept beside the accounts until an admin decides, so that nothing can be done with one
//! before. Bounded in number, in all and for each address.

use super::account::{AccountDone, Fresh, ONE, entry, insert, told};
use super::conn::{on_conn, transaction};
use super::{Store, StoreError, audit::audit_on, on_pool};
use crate::access::Role;
use crate::audit::{Act, Actor};
use shared::UtcMillis;

/// Most that wait at once: as many as an admin looks through.
const MOST: i64 = 100;
/// Most that wait of one address: a site behind one router.
const MOST_OF_ADDRESS: i64 = 10;

/// An account that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct NewSignUp<'a> {
    /// In small letters.
    pub name: &'a str,
    /// The hash of the password that was chosen.
    pub hash: &'a str,
    /// What others call the person.
    pub display_name: Option<&'a str>,
    /// In small letters.
    pub email: Option<&'a str>,
    /// From which address; of IPv6, from which network.
    pub address: std::net::IpAddr,
}

/// One that waits.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SignUp {
    /// In small letters.
    pub name: String,
    /// What others call the person.
    pub display_name: Option<String>,
    /// In small letters.
    pub email: Option<String>,
    /// From which address.
    pub address: String,
    /// When (UTC milliseconds).
    pub asked_at: i64,
}

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningUp {
    /// It waits.
    Waits,
    /// Somebody has or asks for this name.
    NameTaken,
    /// As many wait as may.
    TooMany,
}

impl Store {
    /// Keeps a wish for an account. Says nothing of whose the e-mail address is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_up(&self, new: &NewSignUp<'_>, now: UtcMillis) -> Result<SigningUp, StoreError> {
        const WAITS: &str = "SELECT COUNT(*) FROM sign_up WHERE name = $1";
        const ALL: &str = "SELECT COUNT(*) FROM sign_up";
        const OF_ADDRESS: &str = "SELECT COUNT(*) FROM sign_up WHERE address = $1";
        const QUERY: &str = "INSERT INTO sign_up (name, password, display_name, email, address, asked_at)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let NewSignUp { name, hash, display_name, email, address } = *new;
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            on_conn!(conn, |c| {
                sqlx::query(alone).execute(&mut *c).await?;
                let of_address = sqlx::query_scalar(OF_ADDRESS).bind(address.to_string());
                let (of_address, all): (i64, i64) =
                    (of_address.fetch_one(&mut *c).await?, sqlx::query_scalar(ALL).fetch_one(&mut *c).await?);
                if all >= MOST || of_address >= MOST_OF_ADDRESS {
                    return Ok(SigningUp::TooMany);
                }
                let waits: i64 = sqlx::query_scalar(WAITS).bind(name).fetch_one(&mut *c).await?;
                if waits > 0 || sqlx::query(ONE).bind(name).fetch_optional(&mut *c).await?.is_some() {
                    return Ok(SigningUp::NameTaken);
                }
                let query = sqlx::query(QUERY).bind(name).bind(hash).bind(display_name).bind(email);
                query.bind(address.to_string()).bind(now.0).execute(&mut *c).await?;
            });
            audit_on(conn, entry(&Actor::visitor().at(address), Act::UserAsked, name, now)).await?;
            SigningUp::Waits
        }))
    }

    /// Those that wait, the longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_ups(&self) -> Result<Vec<SignUp>, StoreError> {
        const QUERY: &str = "SELECT name, display_name, email, address, asked_at FROM sign_up ORDER BY asked_at, name";
        Ok(on_pool!(&self.pool, |pool| sqlx::query_as(QUERY).fetch_all(pool).await?))
    }

    /// Makes the account that somebody asked for, with a role; with another e-mail address, if one is given.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn approve_sign_up(
        &self,
        name: &str,
        (role, email): (Role, Option<Option<&str>>),
        actor: &Actor,
        now: UtcMillis,
    ) -> Result<AccountDone, StoreError> {
        const TAKE: &str = "DELETE FROM sign_up WHERE name = $1 RETURNING password, display_name, email";
        type Taken = (String, Option<String>, Option<String>);
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            let taken: Option<Taken> = on_conn!(conn, |c| {
                sqlx::query(alone).execute(&mut *c).await?;
                sqlx::query_as(TAKE).bind(name).fetch_optional(&mut *c).await?
            });
            let Some((hash, display_name, asked)) = taken else { return Ok(AccountDone::Unknown) };
            let (display_name, email) = (display_name.as_deref(), email.unwrap_or(asked.as_deref()));
            let fresh = Fresh { name, hash: &hash, role, email, display_name, must_change: false };
            let done = insert(conn, &fresh, now).await?;
            // Rolled back, and it waits as before.
            let AccountDone::Done(made, _) = &done else { return Ok(done) };
            audit_on(conn, entry(actor, Act::UserApproved, name, now).with("after", told(made))).await?;
            done
        }))
    }

    /// Turns a wish for an account down; `false` if there is none. The name is free again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse_sign_up(&self, name: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "DELETE FROM sign_up WHERE name = $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            let gone = on_conn!(conn, |c| {
                sqlx::query(alone).execute(&mut *c).await?;
                sqlx::query(QUERY).bind(name).execute(&mut *c).await?.rows_affected()
            });
            if gone == 0 {
                return Ok(false);
            }
            audit_on(conn, entry(actor, Act::UserRefused, name, now)).await?;
            true
        }))
    }

    /// Forgets those that nobody decided on since then; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_sign_ups(&self, then: UtcMillis) -> Result<u64, StoreError> {
        const QUERY: &str = "DELETE FROM sign_up WHERE asked_at <= $1";
        Ok(on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(then.0).execute(pool).await?.rows_affected()))
    }
}
