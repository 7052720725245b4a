//! Alerts of third-party systems: the tokens that let them in, and the one path that they post to.

use super::auth::{Caller, Peer, unknown_token};
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::person::valid_label;
use super::token_words::bearer;
use super::words;
use crate::intake::{Reported, State as Said};
use crate::run::App;
use crate::store::{Intake, IntakeToken as Kept};
use axum::extract::{FromRequestParts, State};
use axum::http::{StatusCode, request::Parts};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The intake token that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIntakeToken {
    /// Which system gets it: 1 to 40 of a-z, 0-9 and -.
    #[schema(pattern = "^[a-z0-9-]{1,40}$")]
    name: String,
}

/// An intake token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntakeToken {
    /// Names it; no secret.
    id: String,
    /// Which system has it.
    name: String,
    /// By whom it was made.
    made_by: String,
    /// When (UTC milliseconds).
    made_at: i64,
    /// When it was last used, to the minute (UTC milliseconds).
    #[schema(required)]
    used_at: Option<i64>,
    /// When it was withdrawn (UTC milliseconds).
    #[schema(required)]
    revoked_at: Option<i64>,
}

/// An intake token with its secret: this is the only time it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedIntakeToken {
    /// What the system sends as `Authorization: Bearer ...`.
    token: String,
    #[serde(flatten)]
    about: IntakeToken,
}

/// All intake tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntakeTokens {
    /// In the order of their creation.
    tokens: Vec<IntakeToken>,
}

impl From<Kept> for IntakeToken {
    fn from(kept: Kept) -> Self {
        let Kept { id, name, made_by, made_at, used_at, revoked_at } = kept;
        Self { id, name, made_by, made_at, used_at, revoked_at }
    }
}

/// Makes an intake token. It is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/intake-tokens", operation_id = "createIntakeToken", tag = "alerts",
    request_body = NewIntakeToken, responses((status = 201, body = CreatedIntakeToken), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewIntakeToken>,
) -> Result<(StatusCode, Json<CreatedIntakeToken>), Problem> {
    valid_label(&new.name)?;
    let made = app.store.create_intake_token(&new.name, &caller.actor(), app.clock.now()).await?;
    let Some((kept, token)) = made else {
        let detail = format!("a token {:?} is in use: withdraw it first, or take another name", new.name);
        return Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("name"));
    };
    tracing::info!(token = kept.id, name = kept.name, user = caller.account, "made an intake token");
    Ok((StatusCode::CREATED, Json(CreatedIntakeToken { token, about: kept.into() })))
}

/// All intake tokens, without their secrets.
#[utoipa::path(get, path = "/api/v1/intake-tokens", operation_id = "listIntakeTokens", tag = "alerts",
    responses((status = 200, body = IntakeTokens), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<IntakeTokens>, Problem> {
    let tokens = app.store.intake_tokens().await?.into_iter().map(IntakeToken::from).collect();
    Ok(Json(IntakeTokens { tokens }))
}

/// Withdraws an intake token. Alerts that came by it stay.
#[utoipa::path(delete, path = "/api/v1/intake-tokens/{id}", operation_id = "deleteIntakeToken", tag = "alerts",
    params(("id" = words::ShortId, Path, description = "the token's id")),
    responses((status = 204, description = "withdrawn, or was so already"), Problems))]
pub async fn delete(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    if app.store.revoke_intake_token(&id, &caller.actor(), app.clock.now()).await? {
        tracing::info!(token = id, user = caller.account, "withdrew an intake token");
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("unknown_token", "there is no such intake token"))
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntakeReply {
    /// The alert; null if a thing was said to be over of which nothing was known.
    #[schema(required)]
    alert: Option<i64>,
    /// `raised`, `repeated` (it was known), `resolved` or `unknown`.
    outcome: &'static str,
}

/// The system that a valid bearer token names. Whoever tries tokens is told to wait, each time for longer.
pub struct Reporter(Kept);

impl FromRequestParts<Arc<App>> for Reporter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Extension(Peer(peer)) =
            Extension::<Peer>::from_request_parts(parts, app).await.map_err(|error| Problem::internal(&error))?;
        let now = app.clock.now();
        if let Some(token) = bearer(&parts.headers)
            && let Some(kept) = app.store.intake_of(token, now).await?
        {
            app.report_rate.take(&kept.id, now).map_err(too_fast)?;
            return Ok(Self(kept));
        }
        let detail = "send a token that a signed-in person made for you: Authorization: Bearer tirta_in_...";
        Err(unknown_token(app, Some(peer.ip()), detail))
    }
}

fn too_fast(wait_ms: i64) -> Problem {
    Problem::too_often("too_fast", "this token reports too fast", wait_ms).about("authorization")
}

/// Hands in an alert of a third-party system, or that it is over. The same `key` again is the same alert.
#[utoipa::path(post, path = "/api/v1/webhooks/alerts", operation_id = "reportAlert", tag = "alerts",
    security(("intake" = [])), request_body = Reported,
    responses((status = 200, body = IntakeReply), Problems))]
pub async fn report(
    State(app): State<Arc<App>>,
    Reporter(token): Reporter,
    Body(reported): Body<Reported>,
) -> Result<Json<IntakeReply>, Problem> {
    let now = app.clock.now();
    let checked = reported.check(now).map_err(|(field, detail)| Problem::invalid(field, detail))?;
    if let Some(device) = &checked.device
        && app.store.device(device).await?.is_none()
    {
        return Err(Problem::invalid("device", format!("there is no device {device}")));
    }
    let firing = checked.state == Said::Firing;
    let (alert, outcome) = match app.store.take_report(&token.name, &checked, now).await? {
        Intake::Raised(alert) => (Some(alert), "raised"),
        Intake::Repeated(alert) => (Some(alert), "repeated"),
        Intake::Resolved(alert) => (Some(alert), "resolved"),
        Intake::Unknown => (None, "unknown"),
        Intake::TooMany => {
            let detail = "too many alerts of this token are not resolved: resolve some by state \"resolved\"";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_alerts", detail).retry_after(60));
        }
    };
    tracing::debug!(token = token.name, firing, outcome, "an alert was handed in");
    Ok(Json(IntakeReply { alert, outcome }))
}
