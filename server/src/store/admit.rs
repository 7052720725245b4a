//! The one transaction in which a board that asks is judged and gets its name, or is written down as waiting. It collects
//! the facts for [`crate::admission`] and does what that decides; only one runs at a time.

use super::{
    Store, StoreError,
    audit::audit,
    device::is_online,
    on_pool,
    registration::first_of,
    stored_name,
    token::{random_text, stored_admits, stored_serials},
};
use crate::admission::{Decision, Facts, Holder, Refusal, Token, decide};
use crate::audit::{Act, Actor};
use crate::{ca::PublicKeySha256, digest::sha256_hex, registry::free_names};
use shared::{
    DeviceName, Serial, UtcMillis,
    enrol::{CopiedFrom, WaitReason},
};

/// Boards that may wait at a time with one token: its holder could fill the table with serials of his invention.
const MOST_WAITING: i64 = 1000;
/// A board that asks again sooner is not written down anew: it asks every few seconds.
const NOTICED_MS: i64 = 30_000;

/// A board that asks for an identity, and has proved its key.
#[derive(Debug, Clone)]
pub struct Knock {
    /// The token's text.
    pub token: String,
    /// What it says to be.
    pub serial: Serial,
    /// Its key.
    pub key: PublicKeySha256,
    /// Its model, for people.
    pub model: Option<String>,
    /// Whose card it was given.
    pub copied_from: Option<CopiedFrom>,
    /// Where it asks from.
    pub address: String,
}

impl Knock {
    /// A board of which no more is known.
    pub fn new(token: &str, serial: Serial, key: PublicKeySha256) -> Self {
        let (token, address) = (token.to_owned(), String::new());
        Self { token, serial, key, model: None, copied_from: None, address }
    }
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It gets this name, which nobody had before.
    New(DeviceName),
    /// It has this name already.
    Again(DeviceName),
    /// It has this name from now on, and whoever had it before has lost it: other key, other board, or both.
    Instead(DeviceName),
    /// Somebody has to approve it. `news`: nobody has seen it yet.
    Waits {
        /// Why.
        reason: WaitReason,
        /// Whether this is its first request.
        news: bool,
    },
    /// No.
    Refused(Refusal),
    /// Too many wait already.
    Crowded,
}

type TokenRow = (String, i64, i64, Option<i64>, String, Option<String>, Option<String>);
type HolderRow = (String, String, Option<i64>, Option<i64>, Option<i64>, Option<String>);

impl Store {
    /// Judges a board and gives it its name for one use of the token, or writes down that it waits.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn admit(&self, knock: &Knock, now: UtcMillis) -> Result<Admission, StoreError> {
        const TOKEN: &str = "SELECT id, uses_left, expires_at, revoked_at, admits, location, serials
            FROM enrolment_token WHERE hash = $1";
        const HOLDER: &str = "SELECT name, public_key, revoked_at, quarantined_at, last_seen, status
            FROM device WHERE serial = $1";
        const CERTIFIED: &str = "SELECT COUNT(*) FROM certificate WHERE public_key = $1";
        const DEAD: &str = "SELECT COUNT(*) FROM certificate WHERE public_key = $1 AND revoked_at IS NOT NULL";
        const SUCCEEDS: &str = "SELECT name FROM device WHERE successor = $1";
        const REGISTERED: &str = "SELECT name, location FROM registration WHERE serial = $1";
        const RESERVED: &str = "SELECT name FROM registration WHERE serial IS NULL AND (location = $1 OR $2)
            AND name NOT IN (SELECT name FROM device)";
        const POLICY: &str = "SELECT value FROM policy WHERE name = 'returns_until'";
        const ASKED: &str = "SELECT id, refused_at FROM waiting WHERE serial = $1 AND public_key = $2";
        const WAITING: &str = "SELECT COUNT(*) FROM waiting WHERE token = $1 AND refused_at IS NULL";
        const WAIT: &str = "INSERT INTO waiting (id, serial, public_key, reason, model, address, copied_name,
            copied_serial, token, first_at, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
        const WAIT_ON: &str = "UPDATE waiting SET last_at = $2, reason = $3, address = $4, token = $5
            WHERE id = $1 AND (last_at < $6 OR reason <> $3)";
        const GO: &str = "DELETE FROM waiting WHERE serial = $1 AND public_key = $2";
        const HAND_OUT: &str = "UPDATE registration SET serial = $2, changed_at = $3 WHERE name = $1";
        const ENROLLED: &str = "SELECT name FROM device";
        const EXPECTED: &str = "SELECT name FROM registration";
        const USE: &str = "UPDATE enrolment_token SET uses_left = uses_left - 1 WHERE hash = $1";
        const ENROL: &str = "INSERT INTO device (name, serial, public_key, enrolled_at, model)
            VALUES ($1, $2, $3, $4, $5)";
        let (begin, alone) = self.one_at_a_time();
        let hash = sha256_hex(knock.token.as_bytes());
        let (serial, key) = (knock.serial.to_string(), knock.key.as_str());
        let actor = Actor::device().at(&knock.address);
        let did = |act| actor.did(act, now).board(knock.serial).with("key", key);
        on_pool!(&self.pool, |pool| {
            let mut tx = pool.begin_with(begin).await?;
            sqlx::query(alone).execute(&mut *tx).await?;
            let token: Option<TokenRow> = sqlx::query_as(TOKEN).bind(&hash).fetch_optional(&mut *tx).await?;
            let token_id = token.as_ref().map(|row| row.0.clone()).unwrap_or_default();
            let token = token.map(stored_token).transpose()?;
            let holder: Option<HolderRow> = sqlx::query_as(HOLDER).bind(&serial).fetch_optional(&mut *tx).await?;
            let certified: i64 = sqlx::query_scalar(CERTIFIED).bind(key).fetch_one(&mut *tx).await?;
            let dead: i64 = sqlx::query_scalar(DEAD).bind(key).fetch_one(&mut *tx).await?;
            let succeeds: Option<String> = sqlx::query_scalar(SUCCEEDS).bind(&serial).fetch_optional(&mut *tx).await?;
            let registered: Option<(String, String)> =
                sqlx::query_as(REGISTERED).bind(&serial).fetch_optional(&mut *tx).await?;
            let reserved = match &token {
                // Only whoever could be given one is worth a look through all of them.
                Some(token) if holder.is_none() && registered.is_none() => {
                    let only = token.location.clone();
                    let query =
                        sqlx::query_scalar(RESERVED).bind(only.clone().unwrap_or_default()).bind(only.is_none());
                    first_of(&query.fetch_all(&mut *tx).await?)?
                }
                _ => None,
            };
            let returns_until: Option<i64> = sqlx::query_scalar(POLICY).fetch_optional(&mut *tx).await?;
            let asked: Option<(String, Option<i64>)> =
                sqlx::query_as(ASKED).bind(&serial).bind(key).fetch_optional(&mut *tx).await?;
            let facts = Facts {
                now,
                serial: knock.serial,
                holder: holder.map(|row| stored_holder(row, key, certified > 0, now)).transpose()?,
                dead_key: dead > 0,
                succeeds: succeeds.as_deref().map(stored_name).transpose()?,
                registered: registered
                    .map(|(name, place)| Ok::<_, StoreError>((stored_name(&name)?, place)))
                    .transpose()?,
                reserved,
                returns_until: returns_until.map(UtcMillis),
                refused: asked.as_ref().is_some_and(|(_, refused_at)| refused_at.is_some()),
                token,
            };
            let decision = decide(&facts);
            let name = match decision {
                Decision::Refuse(refusal) => return Ok(Admission::Refused(refusal)),
                Decision::Wait(reason) => {
                    let news = asked.is_none();
                    match asked {
                        Some((id, _)) => {
                            let again = sqlx::query(WAIT_ON).bind(id).bind(now.0).bind(reason.as_str());
                            let again = again.bind(&knock.address).bind(&token_id).bind(now.0 - NOTICED_MS);
                            again.execute(&mut *tx).await?;
                        }
                        None => {
                            let waiting: i64 = sqlx::query_scalar(WAITING).bind(&token_id).fetch_one(&mut *tx).await?;
                            if waiting >= MOST_WAITING {
                                return Ok(Admission::Crowded);
                            }
                            let copied = knock.copied_from.as_ref();
                            let wait = sqlx::query(WAIT).bind(random_text::<9>()?).bind(&serial).bind(key);
                            let wait = wait.bind(reason.as_str()).bind(&knock.model).bind(&knock.address);
                            let wait = wait.bind(copied.map(|from| from.name.to_string()));
                            let wait = wait.bind(copied.map(|from| from.serial.to_string()));
                            wait.bind(&token_id).bind(now.0).execute(&mut *tx).await?;
                            let entry = did(Act::DeviceWaiting).with("reason", reason.as_str());
                            let known = facts.holder.as_ref().map(|holder| holder.name.clone());
                            // At the device whose serial it says, so that its history shows it.
                            audit!(
                                tx,
                                match known {
                                    Some(name) => did(Act::DeviceSecondKey).to(&name).with("reason", reason.as_str()),
                                    None => entry,
                                }
                            );
                        }
                    }
                    note_copied_card!(tx, knock, did, news);
                    tx.commit().await?;
                    return Ok(Admission::Waits { reason, news });
                }
                Decision::Again(name) => {
                    sqlx::query(GO).bind(&serial).bind(key).execute(&mut *tx).await?;
                    tx.commit().await?;
                    return Ok(Admission::Again(name));
                }
                Decision::Return(name) => {
                    super::takeover::take_over!(tx, &name, knock.serial, key, knock.model.as_deref(), now);
                    audit!(tx, did(Act::DeviceReturned).to(&name));
                    tx.commit().await?;
                    return Ok(Admission::Instead(name));
                }
                Decision::Succeed(name) => {
                    super::takeover::take_over!(tx, &name, knock.serial, key, knock.model.as_deref(), now);
                    audit!(tx, did(Act::DeviceReplaced).to(&name));
                    tx.commit().await?;
                    return Ok(Admission::Instead(name));
                }
                Decision::Expected(name) => name,
                Decision::Reserved(name) => {
                    let hand_out = sqlx::query(HAND_OUT).bind(name.as_str()).bind(&serial).bind(now.0);
                    hand_out.execute(&mut *tx).await?;
                    name
                }
                Decision::Free => {
                    let enrolled: Vec<String> = sqlx::query_scalar(ENROLLED).fetch_all(&mut *tx).await?;
                    next_name(&enrolled, &sqlx::query_scalar(EXPECTED).fetch_all(&mut *tx).await?)?
                }
            };
            sqlx::query(USE).bind(&hash).execute(&mut *tx).await?;
            let enrol = sqlx::query(ENROL).bind(name.as_str()).bind(&serial).bind(key).bind(now.0).bind(&knock.model);
            enrol.execute(&mut *tx).await?;
            sqlx::query(GO).bind(&serial).bind(key).execute(&mut *tx).await?;
            audit!(tx, did(Act::DeviceEnrolled).to(&name).with("token", token_id));
            note_copied_card!(tx, knock, did, true);
            tx.commit().await?;
            Ok(Admission::New(name))
        })
    }
}

/// A card that held another board's identity is written down once, at the device that was copied.
macro_rules! note_copied_card {
    ($tx:expr, $knock:expr, $did:expr, $news:expr) => {
        if let (Some(from), true) = (&$knock.copied_from, $news) {
            audit!($tx, $did(Act::DeviceCopiedCard).to(&from.name).with("card_of", from.serial.to_string()));
        }
    };
}
use note_copied_card;

fn stored_token(
    (_, uses_left, expires_at, revoked_at, admits, location, serials): TokenRow,
) -> Result<Token, StoreError> {
    Ok(Token {
        uses_left,
        expires_at: UtcMillis(expires_at),
        revoked: revoked_at.is_some(),
        admits: stored_admits(&admits)?,
        location,
        serials: serials.as_deref().map(stored_serials).transpose()?,
    })
}

fn stored_holder(row: HolderRow, key: &str, certified: bool, now: UtcMillis) -> Result<Holder, StoreError> {
    let (name, public_key, revoked_at, quarantined_at, last_seen, status) = row;
    Ok(Holder {
        name: stored_name(&name)?,
        same_key: public_key == key,
        certified,
        revoked: revoked_at.is_some(),
        quarantined: quarantined_at.is_some(),
        online: is_online(status.as_deref(), last_seen, now),
    })
}

/// The first of the series that nobody has or is meant to have.
pub(super) fn next_name(enrolled: &[String], expected: &[String]) -> Result<DeviceName, StoreError> {
    let names = |texts: &[String]| texts.iter().filter_map(|name| name.parse().ok()).collect::<Vec<DeviceName>>();
    let (enrolled, expected) = (names(enrolled), names(expected));
    let used_up = || StoreError::Corrupt { what: "name", why: "the series pi-1, pi-2, ... is used up".to_owned() };
    free_names(enrolled.iter(), &expected.iter().collect()).next().ok_or_else(used_up)
}
