//! Signing in, and one's own password. Says the same for a wrong name and a wrong password, and takes as long for both; asks
//! for a code only whoever knows the password.

use super::auth::{Caller, Peer};
use super::error::{Problem, Problems};
use super::extract::Body;
use super::password;
use super::session::{SignedIn, end_shown, hand_over, tell_ended};
use super::sign_ups::waits_for_approval;
use super::to_the_end;
use super::token_words::{Tokens, Transport};
use crate::run::App;
use crate::store::NewSession;
use crate::{audit::Actor, digest::hex, totp};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use shared::UtcMillis;
use std::{net::IpAddr, sync::Arc};
use utoipa::ToSchema;

/// How long a session lasts at most, in milliseconds: thirty days.
const SESSION_MS: i64 = 30 * 86_400_000;
/// Most characters that are kept of what a browser calls itself.
const LONGEST_AGENT: usize = 200;
/// Longest code that is looked at, in bytes.
const LONGEST_CODE: usize = 64;

/// What a person signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The account's name or its e-mail address.
    user: String,
    /// Its password.
    #[schema(format = Password, max_length = 256)]
    password: String,
    /// The code of the telephone, or a recovery code, where the account has a second factor (401 `code_needed`).
    #[schema(max_length = 64)]
    code: Option<String>,
    /// The tokens are wanted in the answer and no cookies: for programs.
    #[serde(default)]
    bearer: bool,
}

/// A new password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one that holds now.
    #[schema(format = Password, max_length = 256)]
    old: String,
    /// The one that is to hold: 12 characters at least.
    #[schema(format = Password, min_length = 12, max_length = 256)]
    new: String,
}

/// Signs in: the answer sets the session's cookies, or holds its tokens.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "signIn", tag = "session", security(()),
    request_body = Credentials,
    responses((status = 200, body = SignedIn), Problems))]
pub async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(transport): Extension<Transport>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    jar: CookieJar,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Problem> {
    password::not_too_long("password", &credentials.password)?;
    // Telephones begin a word with a capital letter.
    let user = credentials.user.trim().to_lowercase();
    let address = peer.ip().to_canonical();
    let stored = app.store.stored_password(&user).await?;
    let hash = stored.as_ref().map(|stored| stored.hash.clone());
    let right = try_password(&app, address, credentials.password, hash).await?;
    let known = stored.as_ref().filter(|stored| !stored.waits).map(|stored| stored.name.clone());
    let Some(stored) = stored.filter(|stored| right && !stored.disabled) else {
        refused(&app, address, known.as_deref()).await?;
        return Err(bad_credentials());
    };
    if stored.waits {
        return Err(waits_for_approval());
    }
    let second_factor = second_factor(&app, address, &stored.name, credentials.code).await?;
    end_shown(&app, &headers, &jar, address, "signed_in_again").await?;
    let (tokens, id) = (Tokens::make(), password::random::<8>());
    let (tokens, id) = (tokens.map_err(|e| Problem::internal(&e))?, hex(&id.map_err(|e| Problem::internal(&e))?));
    let now = app.clock.now();
    let kept = tokens.kept(now);
    let new = NewSession {
        id: &id,
        tokens: kept,
        account: &stored.name,
        password_hash: &stored.hash,
        expires_at: UtcMillis(now.0 + SESSION_MS),
        address: address.to_string(),
        agent: agent(&headers),
        second_factor,
    };
    if !app.store.add_session(&new, &Actor::account(&stored.name).at(address), now).await? {
        return Err(bad_credentials());
    }
    let owner = app.store.session_owner(kept.access, now).await?.ok_or_else(bad_credentials)?;
    tracing::info!(user = owner.account, peer = %address, "signed in");
    Ok(hand_over(&app, owner, tokens, credentials.bearer, transport))
}

/// What was shown besides the password, where the account wants something.
async fn second_factor(
    app: &App,
    from: IpAddr,
    account: &str,
    code: Option<String>,
) -> Result<Option<&'static str>, Problem> {
    let Some(totp) = app.store.totp(account).await?.filter(|totp| totp.confirmed_at.is_some()) else {
        return Ok(None);
    };
    let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
        let detail = "the password is right; this account also needs the code of its telephone, or a recovery code";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "code_needed", detail).about("code"));
    };
    if code.len() > LONGEST_CODE {
        return Err(Problem::invalid("code", format!("at most {LONGEST_CODE} bytes")));
    }
    let now = app.clock.now();
    app.throttle.attempt(from, now).map_err(too_many)?;
    let shown = match totp::step(&totp.secret, &code, now) {
        Some(step) => app.store.take_totp_step(account, step).await?.then_some("totp"),
        None => app.store.take_recovery_code(account, &totp::recovery_hash(&code)).await?.then_some("recovery_code"),
    };
    if shown.is_none() {
        refused(app, from, Some(account)).await?;
        let detail = "the code is wrong, was used before or is out of date: take the one that is shown now";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong_code", detail).about("code"));
    }
    app.throttle.take_back(from);
    Ok(shown)
}

/// Changes one's own password; all other sessions end at once.
#[utoipa::path(post, path = "/api/v1/session/password", operation_id = "changePassword", tag = "session",
    request_body = PasswordChange,
    responses((status = 204, description = "changed"), Problems))]
pub async fn change_password(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    caller: Caller,
    Body(PasswordChange { old, new }): Body<PasswordChange>,
) -> Result<StatusCode, Problem> {
    password::not_too_long("old", &old)?;
    password::acceptable("new", &new, &caller.account)?;
    if old == new {
        return Err(Problem::invalid("new", "it is the old one: choose another"));
    }
    let held = own_password(&app, &caller, peer.ip(), "old", old).await?;
    let hash = password::hash(new).await.map_err(|e| Problem::internal(&e))?;
    to_the_end(async move {
        let (passwords, actor, now) = ((held.as_str(), hash.as_str()), caller.actor(), app.clock.now());
        let ended = app.store.change_password(&caller.account, passwords, caller.session()?, &actor, now).await?;
        // Somebody else has changed it meanwhile: then this session has ended, too.
        tell_ended(&app, ended.ok_or_else(Problem::no_session)?);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Lets pass only whoever knows the password of the account that is signed in; what is stored of it.
///
/// # Errors
/// 403 that names the field where it was given, 429 for whoever guesses.
pub async fn own_password(
    app: &App,
    caller: &Caller,
    from: IpAddr,
    field: &'static str,
    given: String,
) -> Result<String, Problem> {
    password::not_too_long(field, &given)?;
    let stored = app.store.stored_password(&caller.account).await?.ok_or_else(Problem::no_session)?;
    if !try_password(app, from, given, Some(stored.hash.clone())).await? {
        tracing::warn!(user = caller.account, peer = %from, "a wrong password of somebody who is signed in");
        return Err(Problem::new(StatusCode::FORBIDDEN, "wrong_password", "the password is wrong").about(field));
    }
    Ok(stored.hash)
}

/// Whether a password is right, at the pace that its address has earned.
async fn try_password(app: &App, from: IpAddr, given: String, hash: Option<String>) -> Result<bool, Problem> {
    app.throttle.attempt(from, app.clock.now()).map_err(too_many)?;
    let right = password::verify(given, hash).await.map_err(|e| Problem::internal(&e))?;
    if right {
        app.throttle.take_back(from);
    }
    Ok(right)
}

/// Writes down that somebody was refused, or counts it for the next entry.
async fn refused(app: &App, from: IpAddr, account: Option<&str>) -> Result<(), Problem> {
    tracing::warn!(peer = %from, "a sign-in was refused");
    Ok(app.refusals.count(&app.store, from, account, app.clock.now()).await?)
}

/// What a browser calls itself, if it can be shown.
fn agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(LONGEST_AGENT).collect())
}

fn bad_credentials() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad_credentials", "the name or the password is wrong")
}

/// Somebody has to wait before the next attempt.
pub fn too_many(wait_ms: i64) -> Problem {
    Problem::too_often("too_many_attempts", "too many wrong passwords from this address", wait_ms)
}
