//! Enrolment tokens: limited in time, count, place and boards; shown once, and withdrawn at any time.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::words;
use crate::admission::Admits;
use crate::run::App;
use crate::store::{NewToken as Wanted, Token as Stored};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{Serial, UtcMillis, fleet::FleetFile};
use std::sync::Arc;
use utoipa::ToSchema;

/// Most devices that one token may enrol.
const MOST_USES: u32 = 10_000;
/// The shortest life of a token: a minute.
const SHORTEST_S: u32 = 60;
/// The longest life of a token: a year.
const LONGEST_S: u32 = 366 * 86_400;
/// Longest note and location, in characters.
const LONGEST_TEXT: usize = 200;
/// Most boards that one token names.
const MOST_SERIALS: usize = 1000;

/// Whom a token lets in without anybody's approval.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TokenAdmits)]
pub enum Whom {
    /// Boards that the registry expects.
    #[default]
    Registered,
    /// Any board.
    Any,
}

/// The token that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// How many devices may enrol with it, 1 to 10000.
    #[schema(minimum = 1, maximum = 10000)]
    uses: u32,
    /// For how many seconds it is valid, 60 to 31622400.
    #[schema(minimum = 60, maximum = 31622400)]
    valid_s: u32,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
    /// Whom it lets in; all others wait for approval.
    #[serde(default)]
    admits: Whom,
    /// Only names that are registered at this location.
    #[schema(max_length = 200)]
    location: Option<String>,
    /// Only boards with these serials.
    #[schema(value_type = Option<Vec<words::Serial>>, max_items = 1000)]
    serials: Option<Vec<Serial>>,
}

/// An enrolment token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Names it; no secret.
    id: String,
    /// How many devices it was made for.
    uses: u32,
    /// How many devices may still enrol with it.
    uses_left: u32,
    /// Until when (UTC milliseconds).
    expires_at: i64,
    /// What it is for.
    note: String,
    /// Whom it lets in.
    admits: Whom,
    /// Only names that are registered at this location; null: at any.
    #[schema(required)]
    location: Option<String>,
    /// Only boards with these serials; empty: any.
    serials: Vec<String>,
    /// Since when (UTC milliseconds).
    created_at: i64,
    /// By whom.
    created_by: String,
    /// When it was withdrawn (UTC milliseconds).
    #[schema(required)]
    revoked_at: Option<i64>,
}

/// An enrolment token with its secret: this is the only time it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedToken {
    /// What an agent's configuration gets.
    token: String,
    /// What it gets beside the token: the SHA-256 of the authority's certificate, which pins this server.
    ca_sha256: String,
    /// All of it as a file (TOML) for the boot partition of each card or a USB stick.
    fleet_file: String,
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
        let Stored { id, made, uses_left, created_at, made_by, revoked_at } = stored;
        Self {
            id,
            uses: made.uses,
            uses_left,
            expires_at: made.expires_at.0,
            note: made.note,
            admits: match made.admits {
                Admits::Registered => Whom::Registered,
                Admits::Any => Whom::Any,
            },
            location: made.location,
            serials: made.serials.unwrap_or_default().iter().map(Serial::to_string).collect(),
            created_at: created_at.0,
            created_by: made_by,
            revoked_at: revoked_at.map(|at| at.0),
        }
    }
}

impl NewToken {
    fn check(self, now: UtcMillis) -> Result<Wanted, Problem> {
        if !(1..=MOST_USES).contains(&self.uses) {
            return Err(Problem::invalid("uses", format!("{} is not between 1 and {MOST_USES}", self.uses)));
        }
        if !(SHORTEST_S..=LONGEST_S).contains(&self.valid_s) {
            let detail = format!("{} s is not between {SHORTEST_S} and {LONGEST_S} s", self.valid_s);
            return Err(Problem::invalid("valid_s", detail));
        }
        if self.note.chars().count() > LONGEST_TEXT {
            return Err(Problem::invalid("note", format!("at most {LONGEST_TEXT} characters")));
        }
        let location = self.location.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if location.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            return Err(Problem::invalid("location", format!("at most {LONGEST_TEXT} characters")));
        }
        let serials = self.serials.filter(|serials| !serials.is_empty());
        if serials.as_ref().is_some_and(|serials| serials.len() > MOST_SERIALS) {
            return Err(Problem::invalid("serials", format!("at most {MOST_SERIALS}: register the others by CSV")));
        }
        let admits = match self.admits {
            Whom::Registered => Admits::Registered,
            Whom::Any => Admits::Any,
        };
        let expires_at = UtcMillis(now.0 + i64::from(self.valid_s) * 1000);
        Ok(Wanted { note: self.note, uses: self.uses, expires_at, admits, location, serials })
    }
}

/// Makes an enrolment token. It is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/enrolment-tokens", operation_id = "createToken", tag = "enrolment",
    request_body = NewToken, responses((status = 201, body = CreatedToken), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    let now = app.clock.now();
    let wanted = new.check(now)?;
    let (id, token) = app.store.create_token(&wanted, &caller.actor(), now).await?;
    tracing::info!(token = id, uses = wanted.uses, user = caller.account, "made an enrolment token");
    let ca_sha256 = app.authority.ca_sha256();
    let fleet = FleetFile { server: app.public_url.clone(), ca_sha256: ca_sha256.clone(), token: token.clone() };
    let uses_left = wanted.uses;
    let stored = Stored { id, made: wanted, uses_left, created_at: now, made_by: caller.account, revoked_at: None };
    let fleet_file = fleet_file(&fleet).map_err(|error| Problem::internal(&error))?;
    Ok((StatusCode::CREATED, Json(CreatedToken { token, ca_sha256, fleet_file, about: stored.into() })))
}

fn fleet_file(fleet: &FleetFile) -> Result<String, toml::ser::Error> {
    let about = "# Which fleet this card belongs to. Put it as tirta-fleet.toml on the boot partition of each card, or on a USB stick.\n";
    Ok(format!("{about}{}", toml::to_string(fleet)?))
}

/// All enrolment tokens, without their secrets. Those that expired or were withdrawn stay for a month.
#[utoipa::path(get, path = "/api/v1/enrolment-tokens", operation_id = "listTokens", tag = "enrolment",
    responses((status = 200, body = Tokens), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Tokens>, Problem> {
    let tokens = app.store.tokens().await?.into_iter().map(Token::from).collect();
    Ok(Json(Tokens { tokens }))
}

/// Withdraws an enrolment token. Devices that enrolled with it stay.
#[utoipa::path(delete, path = "/api/v1/enrolment-tokens/{id}", operation_id = "deleteToken", tag = "enrolment",
    params(("id" = words::ShortId, Path, description = "the token's id")),
    responses((status = 204, description = "withdrawn, or was so already"), Problems))]
pub async fn delete(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    if app.store.revoke_token(&id, &caller.actor(), app.clock.now()).await? {
        tracing::info!(token = id, user = caller.account, "withdrew an enrolment token");
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("unknown_token", "there is no such enrolment token"))
}
