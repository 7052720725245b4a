//! One's own sessions: where one is signed in, and ending that. Shows nobody else's.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::Id;
use super::session::tell_ended;
use super::to_the_end;
use super::token_words::{Transport, no_cookies};
use super::words;
use crate::run::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Somewhere that one is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSession {
    /// Names it; no secret.
    id: String,
    /// Since when (UTC milliseconds).
    created_at: i64,
    /// When it was last used, to within five minutes (UTC milliseconds).
    used_at: i64,
    /// When it ends by itself, however much it is used (UTC milliseconds); one that is not used for a week ends before.
    expires_at: i64,
    /// The address from which it was made.
    address: String,
    /// What the browser or program called itself; 200 characters at most.
    #[schema(required)]
    agent: Option<String>,
    /// It is the one that asks.
    current: bool,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSessions {
    /// The newest first.
    sessions: Vec<OwnSession>,
}

/// Where one is signed in.
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "listSessions", tag = "session",
    responses((status = 200, body = OwnSessions), Problems))]
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<OwnSessions>, Problem> {
    let own = caller.session()?;
    let stored = app.store.sessions_of(&caller.account, app.clock.now()).await?;
    let shown = |session: crate::store::OwnSession| OwnSession {
        current: session.id == own,
        id: session.id,
        created_at: session.created_at.0,
        used_at: session.used_at.0,
        expires_at: session.expires_at.0,
        address: session.address,
        agent: session.agent,
    };
    Ok(Json(OwnSessions { sessions: stored.into_iter().map(shown).collect() }))
}

/// Ends one of one's own sessions at once, with every connection that it opened.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", operation_id = "endSession", tag = "session",
    params(("id" = words::SessionId, Path, description = "The session's id")),
    responses((status = 204, description = "ended"), Problems))]
pub async fn end(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    if end_own(app, caller, Some(id)).await? == 0 {
        return Err(Problem::not_found("unknown_session", "you have no such session"));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Signs out everywhere, here too.
#[utoipa::path(delete, path = "/api/v1/sessions", operation_id = "endAllSessions", tag = "session",
    responses((status = 204, description = "signed out everywhere"), Problems))]
pub async fn end_all(
    State(app): State<Arc<App>>,
    Extension(transport): Extension<Transport>,
    caller: Caller,
) -> Result<Response, Problem> {
    end_own(app, caller, None).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders(no_cookies(transport))).into_response())
}

/// Ends the session of this id, or all, with their connections; how many there were.
async fn end_own(app: Arc<App>, caller: Caller, id: Option<String>) -> Result<usize, Problem> {
    to_the_end(async move {
        let (of, actor, now) = (&caller.account, caller.actor(), app.clock.now());
        let ended = app.store.end_sessions_of(of, id.as_deref(), &actor, now).await?;
        let count = ended.len();
        tell_ended(&app, ended);
        tracing::info!(user = caller.account, count, "ended sessions of their own");
        Ok(count)
    })
    .await
}
