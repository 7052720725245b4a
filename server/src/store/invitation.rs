//! Invitations: made by an admin, used once by whoever has the secret, withdrawn at any time. Their secrets are stored as hashes.

use super::account::{AccountDone, Fresh, ONE, Row as AccountRow, account, insert, may_invite, stored_role, told};
use super::conn::{on_conn, transaction};
use super::{Account, Store, StoreError, audit::audit_on, on_pool, token::random_text};
use crate::access::Role;
use crate::audit::{Act, Actor};
use crate::digest::sha256_hex;
use shared::UtcMillis;

/// Every secret begins with this, so that one that leaks into a log or a repository is recognised.
const PREFIX: &str = "tirta_iv_";
/// Most invitations that are open at once.
const MOST_OPEN: i64 = 200;
/// Most invitations of one answer, open or not.
const MOST_SHOWN: i64 = 500;

const COLUMNS: &str = "id, role, name, email, invited_by, created_at, expires_at, withdrawn_at, used_by, used_at";

/// An invitation that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// What the person will be.
    pub role: Role,
    /// What others call the person.
    pub name: Option<String>,
    /// In small letters.
    pub email: Option<String>,
    /// From when on it is worth nothing.
    pub expires_at: UtcMillis,
}

/// An invitation, without its secret: that is shown once and never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// What it is called when it is withdrawn.
    pub id: String,
    /// What it was made as.
    pub made: NewInvitation,
    /// By whom.
    pub invited_by: String,
    /// When.
    pub created_at: UtcMillis,
    /// When it was withdrawn.
    pub withdrawn_at: Option<UtcMillis>,
    /// The account that came of it, and when.
    pub used: Option<(String, UtcMillis)>,
}

/// Whether somebody can still join by an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// Yes.
    Open,
    /// Somebody has.
    Used,
    /// It was withdrawn.
    Withdrawn,
    /// It is too old.
    Expired,
}

impl Invitation {
    /// How it stands.
    pub fn state(&self, now: UtcMillis) -> InvitationState {
        match self {
            Self { used: Some(_), .. } => InvitationState::Used,
            Self { withdrawn_at: Some(_), .. } => InvitationState::Withdrawn,
            Self { made, .. } if made.expires_at <= now => InvitationState::Expired,
            _ => InvitationState::Open,
        }
    }
}

/// What came of inviting.
#[derive(Debug)]
pub enum Inviting {
    /// It is there; its secret, which can be seen only now.
    Done(Invitation, String),
    /// Another account has this e-mail address.
    EmailTaken,
    /// As many are open as may be.
    TooMany,
    /// Whoever invites has no account of their own that may.
    MayNot,
}

/// Who comes by an invitation.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// The name that they chose.
    pub name: &'a str,
    /// The hash of the password that they chose.
    pub hash: &'a str,
    /// From which address.
    pub address: std::net::IpAddr,
}

/// What came of joining.
#[derive(Debug, PartialEq, Eq)]
pub enum Joining {
    /// The account is there.
    Done(Account),
    /// There is an account of this name; the invitation stays open.
    NameTaken,
    /// The invitation is not open any more.
    Ended(InvitationState),
    /// There is none with this secret.
    Unknown,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    role: String,
    name: Option<String>,
    email: Option<String>,
    invited_by: String,
    created_at: i64,
    expires_at: i64,
    withdrawn_at: Option<i64>,
    used_by: Option<String>,
    used_at: Option<i64>,
}

impl TryFrom<Row> for Invitation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (role, expires_at) = (stored_role(&row.role)?, UtcMillis(row.expires_at));
        Ok(Self {
            id: row.id,
            made: NewInvitation { role, name: row.name, email: row.email, expires_at },
            invited_by: row.invited_by,
            created_at: UtcMillis(row.created_at),
            withdrawn_at: row.withdrawn_at.map(UtcMillis),
            used: row.used_by.zip(row.used_at.map(UtcMillis)),
        })
    }
}

impl Store {
    /// Makes an invitation.
    ///
    /// # Errors
    /// When the database fails or there are no random numbers.
    pub async fn invite(&self, new: &NewInvitation, actor: &Actor, now: UtcMillis) -> Result<Inviting, StoreError> {
        const HAS_EMAIL: &str = "SELECT COUNT(*) FROM account WHERE email = $1";
        const OPEN: &str = "SELECT COUNT(*) FROM invitation
            WHERE used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $1";
        const QUERY: &str = "INSERT INTO invitation (id, hash, role, name, email, invited_by, created_at, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let NewInvitation { role, name, email, expires_at } = new;
        let (id, secret) = (random_text::<9>()?, format!("{PREFIX}{}", random_text::<24>()?));
        let (hash, by) = (sha256_hex(secret.as_bytes()), actor.name());
        let (begin, alone) = self.one_at_a_time();
        let refused = transaction!(self, begin, |conn| {
            on_conn!(conn, |c| {
                sqlx::query(alone).execute(&mut *c).await?;
                let row: Option<AccountRow> = sqlx::query_as(ONE).bind(by).fetch_optional(&mut *c).await?;
                if !row.map(account).transpose()?.is_some_and(|account| may_invite(&account)) {
                    return Ok(Some(Inviting::MayNot));
                }
                let taken: i64 = sqlx::query_scalar(HAS_EMAIL).bind(email).fetch_one(&mut *c).await?;
                if taken > 0 {
                    return Ok(Some(Inviting::EmailTaken));
                }
                let open: i64 = sqlx::query_scalar(OPEN).bind(now.0).fetch_one(&mut *c).await?;
                if open >= MOST_OPEN {
                    return Ok(Some(Inviting::TooMany));
                }
                let query = sqlx::query(QUERY).bind(&id).bind(&hash).bind(role.as_str()).bind(name).bind(email);
                query.bind(by).bind(now.0).bind(expires_at.0).execute(&mut *c).await?;
            });
            let entry = actor.did(Act::UserInvited, now).with("invitation", id.clone()).with("role", role.as_str());
            let entry = entry.with("name", name.clone()).with("email", email.clone());
            audit_on(conn, entry.with("expires_at", expires_at.0)).await?;
            None
        });
        if let Some(refused) = refused {
            return Ok(refused);
        }
        let (made, invited_by) = (new.clone(), by.to_owned());
        let made = Invitation { id, made, invited_by, created_at: now, withdrawn_at: None, used: None };
        Ok(Inviting::Done(made, secret))
    }

    /// The invitations that are known yet, the newest first.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM invitation ORDER BY created_at DESC, id LIMIT {MOST_SHOWN}");
        let rows: Vec<Row> =
            on_pool!(&self.pool, |pool| sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await?);
        rows.into_iter().map(Invitation::try_from).collect()
    }

    /// The invitation of a secret. Costs no lock, so that whoever guesses holds up nobody.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn invitation(&self, secret: &str) -> Result<Option<Invitation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM invitation WHERE hash = $1");
        let hash = sha256_hex(secret.as_bytes());
        let row: Option<Row> = on_pool!(&self.pool, |pool| sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(hash)
            .fetch_optional(pool)
            .await?);
        row.map(Invitation::try_from).transpose()
    }

    /// Withdraws an invitation; `false` if there is none of this id. Whoever joined by it stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw_invitation(&self, id: &str, actor: &Actor, now: UtcMillis) -> Result<bool, StoreError> {
        const QUERY: &str = "UPDATE invitation SET withdrawn_at = $2
            WHERE id = $1 AND withdrawn_at IS NULL AND used_at IS NULL";
        const THERE: &str = "SELECT COUNT(*) FROM invitation WHERE id = $1";
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            let withdrawn = on_conn!(conn, |c| {
                sqlx::query(alone).execute(&mut *c).await?;
                let there: i64 = sqlx::query_scalar(THERE).bind(id).fetch_one(&mut *c).await?;
                if there == 0 {
                    return Ok(false);
                }
                sqlx::query(QUERY).bind(id).bind(now.0).execute(&mut *c).await?.rows_affected()
            });
            if withdrawn > 0 {
                audit_on(conn, actor.did(Act::UserInvitationWithdrawn, now).with("invitation", id)).await?;
            }
            true
        }))
    }

    /// Makes the account of whoever has the secret, once.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn accept_invitation(
        &self,
        secret: &str,
        who: Newcomer<'_>,
        now: UtcMillis,
    ) -> Result<Joining, StoreError> {
        const USED: &str = "UPDATE invitation SET used_by = $2, used_at = $3 WHERE id = $1";
        let sql = format!("SELECT {COLUMNS} FROM invitation WHERE hash = $1");
        let secret_hash = sha256_hex(secret.as_bytes());
        let Newcomer { name, hash, address } = who;
        let (begin, alone) = self.one_at_a_time();
        Ok(transaction!(self, begin, |conn| {
            let row: Option<Row> = on_conn!(conn, |c| {
                sqlx::query(alone).execute(&mut *c).await?;
                let found = sqlx::query_as(sqlx::AssertSqlSafe(sql.clone()));
                found.bind(&secret_hash).fetch_optional(&mut *c).await?
            });
            let Some(invitation) = row.map(Invitation::try_from).transpose()? else { return Ok(Joining::Unknown) };
            let state = invitation.state(now);
            if state != InvitationState::Open {
                return Ok(Joining::Ended(state));
            }
            let NewInvitation { role, name: display_name, email, .. } = &invitation.made;
            let (email, display_name) = (email.as_deref(), display_name.as_deref());
            let mut fresh = Fresh { name, hash, role: *role, email, display_name, must_change: false };
            let mut done = insert(conn, &fresh, now).await?;
            if done == AccountDone::EmailTaken {
                // Somebody else took the address meanwhile: no reason to keep the person out, who can't change it here.
                fresh.email = None;
                done = insert(conn, &fresh, now).await?;
            }
            let AccountDone::Done(made, _) = done else { return Ok(Joining::NameTaken) };
            let id = &invitation.id;
            on_conn!(conn, |c| {
                sqlx::query(USED).bind(id).bind(name).bind(now.0).execute(&mut *c).await?.rows_affected()
            });
            let entry = Actor::account(name).at(address).did(Act::UserJoined, now).with("user", name);
            let entry = entry.with("invitation", id.clone()).with("invited_by", invitation.invited_by.clone());
            audit_on(conn, entry.with("after", told(&made))).await?;
            Joining::Done(made)
        }))
    }

    /// Forgets the invitations that ended before then; says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_invitations(&self, then: UtcMillis) -> Result<u64, StoreError> {
        const QUERY: &str = "DELETE FROM invitation WHERE expires_at <= $1 OR withdrawn_at <= $1 OR used_at <= $1";
        Ok(on_pool!(&self.pool, |pool| sqlx::query(QUERY).bind(then.0).execute(pool).await?.rows_affected()))
    }
}
