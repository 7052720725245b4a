//! Who calls by an API key: from the secret in the header to the caller, at the pace that the key may have. Knows no operation.

use super::auth::{By, Caller, bad_token, unknown_token};
use super::error::Problem;
use super::token_words::bearer;
use crate::access::Permission;
use crate::run::App;
pub use crate::store::key_word as word;
use crate::store::{KEY_PREFIX, Spent};
use axum::http::{HeaderMap, header};
use shared::UtcMillis;
use std::{net::IpAddr, sync::Arc};

/// What the header says, if there is one: then it counts, and no cookie does.
pub fn header(headers: &HeaderMap) -> Option<Result<&str, Problem>> {
    headers.get(header::AUTHORIZATION)?;
    let token = bearer(headers);
    Some(token.ok_or_else(|| bad_token("send the key as: Authorization: Bearer tirta_key_...")))
}

/// Whom the secret of a key makes of whoever sent it.
///
/// # Errors
/// 401 if it is none that counts, 429 if it is used too fast, or too many that are none came from this address.
pub async fn caller(app: &Arc<App>, secret: &str, address: Option<IpAddr>, now: UtcMillis) -> Result<Caller, Problem> {
    let key = if secret.starts_with(KEY_PREFIX) { app.store.key_of(secret).await? } else { None };
    let Some(key) = key else {
        let detail = "no such token; an API key begins with tirta_key_, and an admin makes it";
        return Err(unknown_token(app, address, detail));
    };
    let too_fast = |wait_ms| Problem::too_often("too_fast", "this key asks too fast", wait_ms).about("authorization");
    app.key_rate.take(&key.id, now).map_err(too_fast)?;
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
    bad_token(match why {
        Spent::Revoked => "this key was withdrawn: ask an admin for another",
        Spent::Expired => "the time of this key is over: ask an admin for another",
    })
}
