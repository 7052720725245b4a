//! Who calls by an API key: from the secret in the header to the caller, at the pace that the key may have. Whoever tries
//! keys is told to wait, each time for longer. Knows no operation.

use super::auth::{By, Caller};
use super::error::Problem;
use super::token_words::bearer;
use crate::access::Permission;
use crate::run::App;
use crate::store::{KEY_PREFIX, Spent};
use axum::http::{HeaderMap, StatusCode, header};
use shared::UtcMillis;
use std::{net::IpAddr, sync::Arc};

/// What the audit log and [`App::signed_out`] call a key: no account's name has a colon.
pub fn word(id_or_name: &str) -> String {
    format!("key:{id_or_name}")
}

/// What the header says, if there is one: then it counts, and no cookie does.
pub fn header(headers: &HeaderMap) -> Option<Result<&str, Problem>> {
    headers.get(header::AUTHORIZATION)?;
    let token = bearer(headers);
    Some(token.ok_or_else(|| bad("send the key as: Authorization: Bearer tirta_key_...")))
}

/// Whom the secret of a key makes of whoever sent it.
///
/// # Errors
/// 401 if it is none that counts, 429 if it is used too fast, or too many that are none came from this address.
pub async fn caller(app: &Arc<App>, secret: &str, address: Option<IpAddr>, now: UtcMillis) -> Result<Caller, Problem> {
    let key = if secret.starts_with(KEY_PREFIX) { app.store.key_of(secret).await? } else { None };
    let Some(key) = key else { return Err(guessed(app, address, now)) };
    app.key_rate.take(&key.id, now).map_err(|wait_ms| too_many("too_fast", "this key asks too fast", wait_ms))?;
    let scopes = key.may(now).map_err(spent)?.to_vec();
    if let Err(error) = app.store.touch_key(&key, now).await {
        tracing::warn!(%error, "when a key was last used is not written down");
    }
    let by = By::Key { id: key.id, scopes, devices: key.made.devices };
    Ok(Caller::new(word(&key.made.name), by, address))
}

/// Whether a key may still read, as when it opened a connection.
///
/// # Errors
/// When the database fails.
pub async fn still_reads(app: &App, id: &str, now: UtcMillis) -> Result<bool, Problem> {
    let key = app.store.key(id).await?;
    Ok(key.is_some_and(|key| key.may(now).is_ok_and(|scopes| scopes.contains(&Permission::Read))))
}

fn spent(why: Spent) -> Problem {
    bad(match why {
        Spent::Revoked => "this key was withdrawn: ask an admin for another",
        Spent::Expired => "the time of this key is over: ask an admin for another",
        Spent::Stopped => "nobody may sign in as the account that made this key: ask an admin for another",
    })
}

fn bad(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad_token", detail).about("authorization")
}

fn guessed(app: &App, address: Option<IpAddr>, now: UtcMillis) -> Problem {
    let waits = address.map_or(Ok(()), |address| app.token_throttle.attempt(address, now));
    let Err(wait_ms) = waits else {
        tracing::warn!(?address, "a request came with a token that is none");
        return bad("no such token; an API key begins with tirta_key_, and an admin makes it");
    };
    too_many("too_many_attempts", "too many unknown tokens from this address", wait_ms)
}

fn too_many(code: &'static str, what: &str, wait_ms: i64) -> Problem {
    let seconds = u64::try_from(wait_ms).unwrap_or_default().div_ceil(1000);
    let detail = format!("{what}: try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, code, detail).about("authorization").retry_after(seconds)
}
