//! The second factor of one's own account: shown, set up with a code, switched off with the password; and an admin's way to
//! switch it off for whoever has lost the telephone.

use super::auth::{Caller, Peer};
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::password;
use super::sign_in::{own_password, too_many};
use super::words;
use crate::run::App;
use crate::totp;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How one's own second factor stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SecondFactor {
    /// Since when signing in needs a code (UTC milliseconds); null: it does not.
    #[schema(required)]
    enabled_at: Option<i64>,
    /// Recovery codes that are left.
    recovery_codes: u64,
}

/// One's own password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    /// The one that holds now.
    #[schema(format = Password, max_length = 256)]
    password: String,
}

/// What the telephone needs; nothing is in force before a code of it was shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedSecret {
    /// To be typed: base32.
    secret: String,
    /// To be shown as a picture: an `otpauth` address.
    uri: String,
}

/// A code of the telephone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits.
    code: String,
}

/// What opens the account once each when the telephone is lost: this is the only time they are shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Ten of them.
    recovery_codes: Vec<String>,
}

/// How one's own second factor stands.
#[utoipa::path(get, path = "/api/v1/session/second-factor", operation_id = "getSecondFactor", tag = "session",
    responses((status = 200, body = SecondFactor), Problems))]
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<SecondFactor>, Problem> {
    let totp = app.store.totp(&caller.account).await?;
    let enabled_at = totp.as_ref().and_then(|totp| totp.confirmed_at).map(|at| at.0);
    let recovery_codes = totp.map(|totp| totp.recovery_codes).unwrap_or_default();
    Ok(Json(SecondFactor { enabled_at, recovery_codes }))
}

/// Draws a secret for a telephone. It is in force only when one of its codes was shown.
#[utoipa::path(post, path = "/api/v1/session/second-factor", operation_id = "proposeSecondFactor", tag = "session",
    request_body = OwnPassword,
    responses((status = 200, body = ProposedSecret), Problems))]
pub async fn propose(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    caller: Caller,
    Body(given): Body<OwnPassword>,
) -> Result<Json<ProposedSecret>, Problem> {
    own_password(&app, &caller, peer.ip(), "password", given.password).await?;
    let secret = totp::secret(password::random().map_err(|e| Problem::internal(&e))?);
    if !app.store.propose_totp(&caller.account, &secret).await? {
        return Err(enabled_already());
    }
    let uri = totp::uri(&secret, &caller.account);
    Ok(Json(ProposedSecret { secret, uri }))
}

/// Puts the second factor in force by a code of the telephone. The recovery codes are shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/session/second-factor/confirm", operation_id = "confirmSecondFactor",
    tag = "session", request_body = Code,
    responses((status = 200, body = RecoveryCodes), Problems))]
pub async fn confirm(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    caller: Caller,
    Body(Code { code }): Body<Code>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let now = app.clock.now();
    let proposed = app.store.totp(&caller.account).await?.ok_or_else(|| {
        let detail = "ask for a secret first: POST /api/v1/session/second-factor";
        Problem::new(StatusCode::CONFLICT, "nothing_proposed", detail)
    })?;
    if proposed.confirmed_at.is_some() {
        return Err(enabled_already());
    }
    app.throttle.attempt(peer.ip(), now).map_err(too_many)?;
    let Some(step) = totp::step(&proposed.secret, &code, now) else {
        let detail =
            "the code is wrong: take the one that is shown now, and look whether the telephone's clock is right";
        return Err(Problem::invalid("code", detail));
    };
    app.throttle.take_back(peer.ip());
    let made: Result<Vec<_>, _> = (0..totp::RECOVERY_CODES).map(|_| password::make_of(15)).collect();
    let recovery_codes = made.map_err(|e| Problem::internal(&e))?;
    let hashes: Vec<_> = recovery_codes.iter().map(|code| totp::recovery_hash(code)).collect();
    let of = (caller.account.as_str(), proposed.secret.as_str());
    if !app.store.confirm_totp(of, step, &hashes, &caller.actor(), now).await? {
        return Err(enabled_already());
    }
    tracing::info!(user = caller.account, "a second factor is in force");
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Switches one's own second factor off.
#[utoipa::path(post, path = "/api/v1/session/second-factor/disable", operation_id = "disableSecondFactor",
    tag = "session", request_body = OwnPassword,
    responses((status = 204, description = "switched off"), Problems))]
pub async fn disable(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    caller: Caller,
    Body(given): Body<OwnPassword>,
) -> Result<StatusCode, Problem> {
    own_password(&app, &caller, peer.ip(), "password", given.password).await?;
    remove(&app, &caller.account, &caller).await
}

/// Switches the second factor of somebody else's account off, for whoever has lost telephone and recovery codes.
#[utoipa::path(delete, path = "/api/v1/users/{name}/second-factor", operation_id = "removeSecondFactor", tag = "users",
    params(("name" = words::UserName, Path, description = "The account's name")),
    responses((status = 204, description = "switched off"), Problems))]
pub async fn remove_of(State(app): State<Arc<App>>, caller: Caller, Id(name): Id) -> Result<StatusCode, Problem> {
    caller.not_to_oneself(&name, "POST /api/v1/session/second-factor/disable")?;
    if app.store.profile(&name).await?.is_none() {
        return Err(Problem::not_found("unknown_user", "there is no such account"));
    }
    remove(&app, &name, &caller).await
}

async fn remove(app: &App, account: &str, by: &Caller) -> Result<StatusCode, Problem> {
    if !app.store.remove_totp(account, &by.actor(), app.clock.now()).await? {
        return Err(Problem::new(StatusCode::CONFLICT, "not_enabled", "this account has no second factor"));
    }
    tracing::warn!(user = by.account, account, "a second factor was switched off");
    Ok(StatusCode::NO_CONTENT)
}

fn enabled_already() -> Problem {
    let detail = "a second factor is in force already: switch it off first";
    Problem::new(StatusCode::CONFLICT, "enabled_already", detail)
}
