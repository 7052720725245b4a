//! API keys: what lets a program in. Made by an admin, shown once, withdrawn at any time.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::key_caller::word;
use super::person::valid_label;
use super::session::tell_ended;
use super::to_the_end;
use super::words;
use crate::access::Permission;
use crate::run::App;
use crate::store::{Key as Kept, MakingKey, NewKey as Wanted, Spent};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::{DeviceName, UtcMillis};
use std::{collections::BTreeSet, sync::Arc};
use utoipa::ToSchema;

/// The longest life of a key that ends: ten years.
const LONGEST_S: u32 = 10 * 366 * 86_400;
/// The shortest: a minute.
const SHORTEST_S: u32 = 60;
/// Most devices that one key names.
const MOST_DEVICES: usize = 1000;

/// The key that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What gets it: 1 to 40 of a-z, 0-9 and -.
    #[schema(pattern = "^[a-z0-9-]{1,40}$")]
    name: String,
    /// What it may do: permissions that its maker has, without those that are for people alone.
    #[schema(value_type = Vec<Permission>, min_items = 1)]
    scopes: Vec<String>,
    /// It hands in readings of these devices only; of any if absent.
    #[schema(value_type = Option<Vec<words::DeviceName>>, min_items = 1, max_items = 1000)]
    devices: Option<Vec<DeviceName>>,
    /// For how many seconds it is good, 60 to 316224000; until it is withdrawn if absent.
    #[schema(minimum = 60, maximum = 316224000)]
    valid_s: Option<u32>,
}

/// What a key is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// It opens what its scopes say.
    Good,
    /// It was withdrawn, be it with its maker's right to make keys.
    Revoked,
    /// Its time is over.
    Expired,
}

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKey {
    /// Names it; no secret.
    id: String,
    /// What has it.
    name: String,
    /// What it was made for. It may no more of it than its maker's role may now.
    scopes: Vec<Permission>,
    /// It hands in readings of these devices only; null: of any.
    #[schema(required)]
    devices: Option<Vec<String>>,
    /// What it is worth.
    state: KeyState,
    /// By whom it was made.
    made_by: String,
    /// When (UTC milliseconds).
    made_at: i64,
    /// Until when it is good (UTC milliseconds); null: until it is withdrawn.
    #[schema(required)]
    expires_at: Option<i64>,
    /// When it was last used, to the minute (UTC milliseconds).
    #[schema(required)]
    used_at: Option<i64>,
    /// When it was withdrawn (UTC milliseconds).
    #[schema(required)]
    revoked_at: Option<i64>,
}

/// An API key with its secret: this is the only time it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedKey {
    /// What the program sends as `Authorization: Bearer ...`.
    key: String,
    #[serde(flatten)]
    about: ApiKey,
}

/// All API keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeys {
    /// In the order of their creation.
    keys: Vec<ApiKey>,
}

impl ApiKey {
    fn new(kept: Kept, now: UtcMillis) -> Self {
        let state = match kept.may(now) {
            Ok(_) => KeyState::Good,
            Err(Spent::Revoked) => KeyState::Revoked,
            Err(Spent::Expired) => KeyState::Expired,
        };
        let Kept { id, made, made_by, made_at, used_at, revoked_at, .. } = kept;
        Self {
            id,
            name: made.name,
            scopes: made.scopes,
            devices: made.devices.map(|names| names.into_iter().map(String::from).collect()),
            state,
            made_by,
            made_at: made_at.0,
            expires_at: made.expires_at.map(|at| at.0),
            used_at: used_at.map(|at| at.0),
            revoked_at: revoked_at.map(|at| at.0),
        }
    }
}

impl NewKey {
    fn check(self, maker: &Caller, now: UtcMillis) -> Result<Wanted, Problem> {
        valid_label(&self.name)?;
        if self.scopes.is_empty() {
            return Err(Problem::invalid("scopes", "say what it may do, such as [\"read\"]"));
        }
        let mut scopes = Vec::new();
        for (n, said) in self.scopes.iter().enumerate() {
            let scope = scope(said, maker).map_err(|detail| Problem::invalid(format!("scopes[{n}]"), detail))?;
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        if self.valid_s.is_some_and(|s| !(SHORTEST_S..=LONGEST_S).contains(&s)) {
            return Err(Problem::invalid("valid_s", format!("use {SHORTEST_S} to {LONGEST_S} s")));
        }
        let devices: Option<BTreeSet<DeviceName>> = self.devices.map(|names| names.into_iter().collect());
        if devices.as_ref().is_some_and(|names| names.is_empty() || names.len() > MOST_DEVICES) {
            return Err(Problem::invalid("devices", format!("name 1 to {MOST_DEVICES}, or leave it out for any")));
        }
        let devices = devices.map(Vec::from_iter);
        let expires_at = self.valid_s.map(|s| UtcMillis(now.0 + i64::from(s) * 1000));
        Ok(Wanted { name: self.name, scopes, devices, expires_at })
    }
}

/// A scope that this maker can give.
fn scope(word: &str, maker: &Caller) -> Result<Permission, String> {
    let known = || Permission::ALL.map(Permission::as_str).join(", ");
    let scope = Permission::from_word(word).ok_or_else(|| format!("there is no permission {word:?}: {}", known()))?;
    if scope.is_for_people() {
        return Err(format!("no key has {word}: accounts, keys and calibrations are for a person who is signed in"));
    }
    if maker.may(scope) {
        Ok(scope)
    } else {
        Err(format!("you have not the permission {word}, so no key of yours has it"))
    }
}

/// Makes an API key. It is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/keys", operation_id = "createKey", tag = "keys",
    request_body = NewKey, responses((status = 201, body = CreatedKey), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Json<CreatedKey>), Problem> {
    let now = app.clock.now();
    let wanted = new.check(&caller, now)?;
    let (id, key) = match app.store.create_key(&wanted, &caller.actor(), now).await? {
        MakingKey::Done(id, key) => (id, key),
        MakingKey::NameTaken => {
            let detail = format!("a key {:?} is in use: withdraw it first, or take another name", wanted.name);
            return Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("name"));
        }
        MakingKey::MayNot => {
            let detail = "only a person whose own account manages users makes keys: sign in as one";
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
        }
    };
    tracing::info!(key = id, name = wanted.name, user = caller.account, "made an API key");
    let kept = app.store.key(&id).await?.ok_or_else(unknown_key)?;
    Ok((StatusCode::CREATED, Json(CreatedKey { key, about: ApiKey::new(kept, now) })))
}

/// All API keys, without their secrets.
#[utoipa::path(get, path = "/api/v1/keys", operation_id = "listKeys", tag = "keys",
    responses((status = 200, body = ApiKeys), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<ApiKeys>, Problem> {
    let (kept, now) = (app.store.keys().await?, app.clock.now());
    Ok(Json(ApiKeys { keys: kept.into_iter().map(|key| ApiKey::new(key, now)).collect() }))
}

/// Withdraws an API key, at once: connections that it opened end. What came by it stays.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", operation_id = "deleteKey", tag = "keys",
    params(("id" = words::ShortId, Path, description = "the key's id")),
    responses((status = 204, description = "withdrawn, or was so already"), Problems))]
pub async fn delete(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    to_the_end(async move {
        if !app.store.revoke_key(&id, &caller.actor(), app.clock.now()).await? {
            return Err(unknown_key());
        }
        tell_ended(&app, [word(&id)]);
        tracing::info!(key = id, user = caller.account, "withdrew an API key");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn unknown_key() -> Problem {
    Problem::not_found("unknown_api_key", "there is no such API key")
}
