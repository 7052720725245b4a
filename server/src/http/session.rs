//! Signing in and out, and one's own password. Says the same for a wrong name and a wrong password, and takes as long for
//! both.

use super::auth::{self, Caller, Peer, SESSION_MS, Transport};
use super::error::{Problem, Problems};
use super::extract::Body;
use super::password;
use crate::access::{Permission, Role};
use crate::run::App;
use crate::store::NewSession;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use shared::UtcMillis;
use std::{net::IpAddr, sync::Arc};
use utoipa::ToSchema;

/// Most characters that are kept of what a browser calls itself.
const LONGEST_AGENT: usize = 200;

/// What a person signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The account's name or its e-mail address.
    user: String,
    /// Its password.
    #[schema(format = Password, max_length = 256)]
    password: String,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// The account's name.
    user: String,
    /// What it is.
    role: Role,
    /// What it may do.
    permissions: Vec<Permission>,
    /// Nothing can be done before a password is chosen.
    must_change: bool,
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

fn session(user: String, role: Role, must_change: bool) -> Session {
    Session { user, role, permissions: role.permissions().collect(), must_change }
}

/// Signs in: the answer sets the session cookie.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "signIn", tag = "session", security(()),
    request_body = Credentials,
    responses((status = 200, body = Session), Problems))]
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
    let stored = app.store.stored_password(&user).await?;
    let hash = stored.as_ref().map(|stored| stored.hash.clone());
    let right = try_password(&app, peer.ip(), credentials.password, hash).await?;
    let Some(stored) = stored.filter(|stored| right && !stored.disabled) else {
        tracing::warn!(peer = %peer.ip(), "a sign-in was refused");
        return Err(bad_credentials());
    };
    if let Some(old) = auth::hash_of_cookie(&jar) {
        app.store.end_session(&old).await?;
        tell_ended(&app, [old]);
    }
    let secret = auth::new_secret().map_err(|e| Problem::internal(&e))?;
    let (hash, now) = (auth::hash(&secret), app.clock.now());
    let new = NewSession {
        hash: &hash,
        account: &stored.name,
        password_hash: &stored.hash,
        expires_at: UtcMillis(now.0 + SESSION_MS),
        address: peer.ip().to_canonical().to_string(),
        agent: agent(&headers),
    };
    if !app.store.add_session(&new, now).await? {
        return Err(bad_credentials());
    }
    let owner = app.store.session_owner(&hash, now).await?.ok_or_else(bad_credentials)?;
    tracing::info!(user = owner.account, peer = %peer.ip(), "signed in");
    let cookie = auth::set_cookie(&secret, SESSION_MS / 1000, transport);
    let shown = session(owner.account, owner.role, owner.must_change);
    Ok((AppendHeaders([cookie]), Json(shown)).into_response())
}

/// Who is signed in, and what they may do.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "getSession", tag = "session",
    responses((status = 200, body = Session), Problems))]
pub async fn who(caller: Caller) -> Json<Session> {
    Json(session(caller.account, caller.role, caller.must_change))
}

/// Signs out: the session ends at once, with every connection that it opened.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "signOut", tag = "session",
    responses((status = 204, description = "signed out"), Problems))]
pub async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(transport): Extension<Transport>,
    caller: Caller,
) -> Result<Response, Problem> {
    app.store.end_session(&caller.hash).await?;
    tell_ended(&app, [caller.hash]);
    tracing::info!(user = caller.account, "signed out");
    Ok((StatusCode::NO_CONTENT, AppendHeaders([auth::set_cookie("", 0, transport)])).into_response())
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
    let stored = app.store.stored_password(&caller.account).await?.ok_or_else(Problem::no_session)?;
    if !try_password(&app, peer.ip(), old, Some(stored.hash.clone())).await? {
        tracing::warn!(user = caller.account, peer = %peer.ip(), "a change of password was refused");
        return Err(Problem::new(StatusCode::FORBIDDEN, "wrong_password", "the old password is wrong").about("old"));
    }
    let hash = password::hash(new).await.map_err(|e| Problem::internal(&e))?;
    let passwords = (stored.hash.as_str(), hash.as_str());
    let (actor, now) = (caller.actor(), app.clock.now());
    let ended = app.store.change_password(&caller.account, passwords, &caller.hash, &actor, now).await?;
    // Somebody else has changed it meanwhile: then this session has ended, too.
    tell_ended(&app, ended.ok_or_else(Problem::no_session)?);
    Ok(StatusCode::NO_CONTENT)
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

/// Tells whoever watches with sessions that have ended. Nobody watching is no failure.
pub fn tell_ended(app: &App, hashes: impl IntoIterator<Item = String>) {
    for hash in hashes {
        let _ = app.signed_out.send(hash);
    }
}

/// What a browser calls itself, if it can be shown.
fn agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(LONGEST_AGENT).collect())
}

fn bad_credentials() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad_credentials", "the name or the password is wrong")
}

fn too_many(wait_ms: i64) -> Problem {
    let seconds = u64::try_from(wait_ms).unwrap_or_default().div_ceil(1000);
    let detail = format!("too many wrong passwords from this address: try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail).retry_after(seconds)
}
