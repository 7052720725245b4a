//! Enrolment tokens: limited in time and count, shown once.

use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use crate::run::App;
use crate::store::Token as Stored;
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::UtcMillis;
use std::sync::Arc;
use utoipa::ToSchema;

/// Most devices that one token may enrol.
const MOST_USES: u32 = 10_000;
/// The shortest life of a token: a minute.
const SHORTEST_S: u32 = 60;
/// The longest life of a token: a year.
const LONGEST_S: u32 = 366 * 86_400;
/// Longest note, in bytes.
const LONGEST_NOTE: usize = 200;

/// The token that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// How many devices may enrol with it, 1 to 10000.
    uses: u32,
    /// For how many seconds it is valid, 60 to 31622400.
    valid_s: u32,
    /// What it is for.
    #[serde(default)]
    note: String,
}

/// An enrolment token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Names it; no secret.
    id: String,
    /// How many devices may still enrol with it.
    uses_left: u32,
    /// Until when (UTC milliseconds).
    expires_at: i64,
    /// What it is for.
    note: String,
    /// Since when (UTC milliseconds).
    created_at: i64,
}

/// An enrolment token with its secret: this is the only time it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedToken {
    /// What an agent's configuration gets.
    token: String,
    /// What it gets beside the token: the SHA-256 of the authority's certificate, which pins this server.
    ca_sha256: String,
    #[serde(flatten)]
    about: Token,
}

/// All enrolment tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// In the order of their creation.
    tokens: Vec<Token>,
}

impl From<Stored> for Token {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            uses_left: stored.uses_left,
            expires_at: stored.expires_at.0,
            note: stored.note,
            created_at: stored.created_at.0,
        }
    }
}

/// Makes an enrolment token. It is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/enrolment-tokens", operation_id = "createToken", tag = "enrolment",
    request_body = NewToken, responses((status = 201, body = CreatedToken), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    if !(1..=MOST_USES).contains(&new.uses) {
        return Err(Problem::invalid("uses", format!("{} is not between 1 and {MOST_USES}", new.uses)));
    }
    if !(SHORTEST_S..=LONGEST_S).contains(&new.valid_s) {
        let detail = format!("{} s is not between {SHORTEST_S} and {LONGEST_S} s", new.valid_s);
        return Err(Problem::invalid("valid_s", detail));
    }
    if new.note.len() > LONGEST_NOTE {
        return Err(Problem::invalid("note", format!("at most {LONGEST_NOTE} bytes")));
    }
    let now = app.clock.now();
    let expires_at = UtcMillis(now.0 + i64::from(new.valid_s) * 1000);
    let (id, token) = app.store.create_token(&new.note, new.uses, expires_at, now).await?;
    tracing::info!(token = id, uses = new.uses, "made an enrolment token");
    let about = Token { id, uses_left: new.uses, expires_at: expires_at.0, note: new.note, created_at: now.0 };
    Ok((StatusCode::CREATED, Json(CreatedToken { token, ca_sha256: app.authority.ca_sha256(), about })))
}

/// All enrolment tokens, without their secrets.
#[utoipa::path(get, path = "/api/v1/enrolment-tokens", operation_id = "listTokens", tag = "enrolment",
    responses((status = 200, body = Tokens), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Tokens>, Problem> {
    let tokens = app.store.tokens().await?.into_iter().map(Token::from).collect();
    Ok(Json(Tokens { tokens }))
}

/// Deletes an enrolment token. Devices that enrolled with it stay.
#[utoipa::path(delete, path = "/api/v1/enrolment-tokens/{id}", operation_id = "deleteToken", tag = "enrolment",
    params(("id" = String, Path, description = "the token's id")),
    responses((status = 204, description = "deleted"), Problems))]
pub async fn delete(State(app): State<Arc<App>>, Id(id): Id) -> Result<StatusCode, Problem> {
    if app.store.delete_token(&id).await? {
        tracing::info!(token = id, "deleted an enrolment token");
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("unknown_token", "there is no such enrolment token"))
}
