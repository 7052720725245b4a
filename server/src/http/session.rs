//! Signing in and out. Says the same for a wrong name and a wrong password, and takes as long for both.

use super::auth::{self, Caller, Peer, SESSION_MS, Transport};
use super::error::{Problem, Problems};
use super::extract::Body;
use super::password;
use crate::run::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use shared::UtcMillis;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a person signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The account's name.
    user: String,
    /// Its password.
    #[schema(format = Password)]
    password: String,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// The account's name.
    user: String,
}

/// Signs in: the answer sets the session cookie.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "signIn", tag = "session", security(()),
    request_body = Credentials,
    responses((status = 200, body = Session), Problems))]
pub async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(transport): Extension<Transport>,
    Extension(Peer(peer)): Extension<Peer>,
    jar: CookieJar,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Problem> {
    if credentials.password.len() > password::LONGEST {
        return Err(Problem::invalid("password", format!("at most {} bytes", password::LONGEST)));
    }
    let now = app.clock.now();
    app.throttle.attempt(peer.ip(), now).map_err(too_many)?;
    let stored = app.store.password_hash(&credentials.user).await?;
    let right = password::verify(credentials.password, stored).await.map_err(|e| Problem::internal(&e))?;
    if !right {
        tracing::warn!(peer = %peer.ip(), "a sign-in was refused");
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "bad_credentials", "the name or the password is wrong"));
    }
    app.throttle.forget(peer.ip());
    if let Some(old) = auth::hash_of_cookie(&jar) {
        end(&app, &old).await?;
    }
    let secret = auth::new_secret().map_err(|e| Problem::internal(&e))?;
    let expires_at = UtcMillis(now.0 + SESSION_MS);
    app.store.add_session(&auth::hash(&secret), &credentials.user, expires_at).await?;
    tracing::info!(user = credentials.user, peer = %peer.ip(), "signed in");
    let cookie = auth::set_cookie(&secret, SESSION_MS / 1000, transport);
    Ok((AppendHeaders([cookie]), Json(Session { user: credentials.user })).into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "getSession", tag = "session",
    responses((status = 200, body = Session), Problems))]
pub async fn who(caller: Caller) -> Json<Session> {
    Json(Session { user: caller.account })
}

/// Signs out: the session ends at once, with every connection that it opened.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "signOut", tag = "session",
    responses((status = 204, description = "signed out"), Problems))]
pub async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(transport): Extension<Transport>,
    caller: Caller,
) -> Result<Response, Problem> {
    end(&app, &caller.hash).await?;
    tracing::info!(user = caller.account, "signed out");
    Ok((StatusCode::NO_CONTENT, AppendHeaders([auth::set_cookie("", 0, transport)])).into_response())
}

/// Ends a session here and tells whoever watches with it. Nobody watching is no failure.
async fn end(app: &App, hash: &str) -> Result<(), Problem> {
    app.store.end_session(hash).await?;
    let _ = app.signed_out.send(hash.to_owned());
    Ok(())
}

fn too_many(wait_ms: i64) -> Problem {
    let seconds = u64::try_from(wait_ms).unwrap_or_default().div_ceil(1000);
    let detail = format!("too many wrong passwords from this address: try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail).retry_after(seconds)
}
