//! A session while it lasts: who is signed in, its tokens changed for the next, and signing out. How it begins is
//! [`super::sign_in`]'s.

use super::auth::{By, Caller, Peer};
use super::error::{Problem, Problems};
use super::extract::Body;
use super::reports::zone_name;
use super::to_the_end;
use super::token_words::{self, ACCESS, ACCESS_MS, REFRESH, Tokens, Transport};
use crate::access::{Permission, Role};
use crate::run::App;
use crate::store::{Refreshed, SessionOwner};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

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
    /// The fleet's time zone, such as `Asia/Jakarta`: of the times that people read, and of the days in reports.
    time_zone: String,
}

/// Who is signed in, with the tokens if they were asked for in the answer (RFC 6749, 5.1); a browser has them as cookies.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// The account's name.
    user: String,
    /// What it is.
    role: Role,
    /// What it may do.
    permissions: Vec<Permission>,
    /// Nothing can be done before a password is chosen.
    must_change: bool,
    /// The fleet's time zone, such as `Asia/Jakarta`: of the times that people read, and of the days in reports.
    time_zone: String,
    /// To be sent as `Authorization: Bearer ...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    access_token: Option<String>,
    /// Gives the next two tokens, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// Always `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token_type: Option<&'static str>,
    /// For how many seconds the access token is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_in: Option<i64>,
}

/// The refresh token of a program; a browser sends its cookie instead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshToken {
    /// As it came with the last answer.
    #[schema(format = Password)]
    refresh_token: String,
}

/// Hands over a session's new tokens: in the answer to whoever is a bearer, else as cookies.
pub fn hand_over(app: &App, owner: SessionOwner, tokens: Tokens, bearer: bool, transport: Transport) -> Response {
    let left_ms = owner.expires_at.0 - app.clock.now().0;
    let cookies = (!bearer).then(|| AppendHeaders(tokens.cookies(left_ms, transport)));
    let SessionOwner { account: user, role, must_change, .. } = owner;
    let answer = SignedIn {
        user,
        role,
        permissions: role.permissions().collect(),
        must_change,
        time_zone: zone_name(app),
        access_token: bearer.then_some(tokens.access),
        refresh_token: bearer.then_some(tokens.refresh),
        token_type: bearer.then_some("Bearer"),
        expires_in: bearer.then_some(ACCESS_MS / 1000),
    };
    match cookies {
        Some(cookies) => (cookies, Json(answer)).into_response(),
        None => Json(answer).into_response(),
    }
}

/// Who is signed in, and what they may do.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "getSession", tag = "session",
    responses((status = 200, body = Session), Problems))]
pub async fn who(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Session>, Problem> {
    let By::Session { role, must_change, .. } = caller.by else { return Err(Problem::no_person()) };
    let permissions = role.permissions().collect();
    Ok(Json(Session { user: caller.account, role, permissions, must_change, time_zone: zone_name(&app) }))
}

/// Changes the refresh token for the next two tokens. One that is shown a second time, later than a lost answer explains, ends
/// its session: then two have it.
#[utoipa::path(post, path = "/api/v1/session/refresh", operation_id = "refreshSession", tag = "session", security(()),
    request_body = Option<RefreshToken>,
    responses((status = 200, body = SignedIn), Problems))]
pub async fn refresh(
    State(app): State<Arc<App>>,
    Extension(transport): Extension<Transport>,
    Extension(Peer(peer)): Extension<Peer>,
    jar: CookieJar,
    request: Request,
) -> Result<Response, Problem> {
    let is_bearer =
        [header::CONTENT_TYPE, header::AUTHORIZATION].iter().any(|name| request.headers().contains_key(name));
    let hash = if request.headers().contains_key(header::CONTENT_TYPE) {
        REFRESH.hash_of(&Body::<RefreshToken>::from_request(request, &app).await?.0.refresh_token)
    } else {
        REFRESH.hash_in(request.headers(), &jar)
    };
    let tokens = Tokens::make().map_err(|e| Problem::internal(&e))?;
    let (address, now) = (peer.ip().to_canonical(), app.clock.now());
    let renewing = Arc::clone(&app);
    let (refreshed, tokens) = to_the_end(async move {
        let refreshed = match hash {
            Some(hash) => renewing.store.refresh_session(&hash, tokens.kept(now), address, now).await?,
            None => Refreshed::Unknown,
        };
        if let Refreshed::Reused { id, .. } = &refreshed {
            tell_ended(&renewing, [id.clone()]);
        }
        Ok((refreshed, tokens))
    })
    .await?;
    let refused = match refreshed {
        Refreshed::Done(owner) => return Ok(hand_over(&app, owner, tokens, is_bearer, transport)),
        Refreshed::Unknown => refused("bad_refresh_token", "this session has ended: sign in again"),
        Refreshed::Reused { account, .. } => {
            tracing::warn!(user = account, peer = %address, "a refresh token came from two: the session has ended");
            let detail = "somebody else has used this session's token, so it has ended: sign in again";
            refused("session_reused", detail)
        }
    };
    Ok((AppendHeaders(token_words::no_cookies(transport)), refused).into_response())
}

fn refused(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}

/// Signs out: the session ends at once, with every connection that it opened. Its refresh token will do, also when the access
/// token has expired. Whoever is not signed in is not so afterwards, either.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "signOut", tag = "session", security(()),
    responses((status = 204, description = "signed out"), Problems))]
pub async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(transport): Extension<Transport>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    jar: CookieJar,
) -> Result<Response, Problem> {
    end_shown(&app, &headers, &jar, peer.ip().to_canonical(), "signed_out").await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders(token_words::no_cookies(transport))).into_response())
}

/// Ends the session whose tokens a request shows, be they out of date.
pub async fn end_shown(
    app: &Arc<App>,
    headers: &HeaderMap,
    jar: &CookieJar,
    address: std::net::IpAddr,
    reason: &'static str,
) -> Result<(), Problem> {
    let hashes: Vec<_> = [ACCESS, REFRESH].into_iter().filter_map(|kind| kind.hash_in(headers, jar)).collect();
    let app = Arc::clone(app);
    to_the_end(async move {
        for hash in hashes {
            let ended = app.store.end_session_of_token(&hash, reason, address, app.clock.now()).await?;
            if let Some((id, account)) = ended {
                tracing::info!(user = account, reason, "signed out");
                tell_ended(&app, [id]);
            }
        }
        Ok(())
    })
    .await
}

/// Tells whoever watches with sessions that have ended. Nobody watching is no failure.
pub fn tell_ended(app: &App, ids: impl IntoIterator<Item = String>) {
    for id in ids {
        let _ = app.signed_out.send(id);
    }
}
