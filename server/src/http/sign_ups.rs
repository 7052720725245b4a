//! Asking for an account, where the configuration allows it, and the answer of an admin. Until that there is no account: no
//! role, no session. Nobody is told whose an e-mail address is.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::{Caller, Peer};
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::join::slowed;
use super::password;
use super::person::{changed_email, given, valid_display_name, valid_email, valid_name};
use super::throttle::network;
use super::users::{User, done_or_problem};
use super::words;
use crate::access::Role;
use crate::config::Registration;
use crate::live::Event;
use crate::run::App;
use crate::store::{NewSignUp as Wanted, SigningUp};
use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Whether accounts can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignUpRule {
    /// `closed`: by invitation only; `approval`: an admin decides on each.
    registration: Registration,
}

/// The account that somebody asks for. The role is an admin's to give.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSignUp {
    /// The user name: 2 to 32 small letters, digits, '-' and '_'; a letter first.
    #[schema(value_type = words::UserName)]
    name: String,
    /// The password: 12 characters at least.
    #[schema(format = Password, min_length = 12, max_length = 256)]
    password: String,
    /// What others call the person, so that an admin knows who asks: at most 80 characters.
    #[schema(value_type = Option<words::DisplayName>)]
    display_name: Option<String>,
    /// The person's e-mail address.
    #[schema(value_type = Option<words::Email>)]
    email: Option<String>,
}

/// What comes next.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedForAccount {
    /// `waiting`: signing in says when an admin has approved it.
    state: &'static str,
}

/// An account that somebody asks for, and waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignUp {
    /// The user name.
    name: String,
    /// What others call the person.
    #[schema(required)]
    display_name: Option<String>,
    /// The person's e-mail address.
    #[schema(required)]
    email: Option<String>,
    /// From which address they asked; of IPv6, from which network.
    address: String,
    /// When (UTC milliseconds).
    asked_at: i64,
}

/// All that wait.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignUps {
    /// The one that waits longest first.
    sign_ups: Vec<SignUp>,
}

/// On what terms somebody is let in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUpApproval {
    /// What the person is to be.
    role: Role,
    /// Another e-mail address than they asked for; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<words::Email>)]
    email: Option<Option<String>>,
}

/// Whether accounts can be asked for.
#[utoipa::path(get, path = "/api/v1/sign-up", operation_id = "getSignUpRule", tag = "users", security(()),
    responses((status = 200, body = SignUpRule), Problems))]
pub async fn rule(State(app): State<Arc<App>>) -> Json<SignUpRule> {
    Json(SignUpRule { registration: app.config.registration })
}

/// Asks for an account. It is none before an admin has approved it.
#[utoipa::path(post, path = "/api/v1/sign-up", operation_id = "signUp", tag = "users", security(()),
    request_body = NewSignUp, responses((status = 202, body = AskedForAccount), Problems))]
pub async fn ask(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(new): Body<NewSignUp>,
) -> Result<(StatusCode, Json<AskedForAccount>), Problem> {
    if app.config.registration == Registration::Closed {
        let detail = "this server takes nobody who only asks: let an admin send you an invitation";
        return Err(Problem::new(StatusCode::FORBIDDEN, "registration_closed", detail));
    }
    let name = valid_name(&new.name)?;
    let display_name = new.display_name.as_deref().map(|name| valid_display_name("display_name", name));
    let display_name = display_name.transpose()?.flatten();
    let email = new.email.as_deref().map(valid_email).transpose()?;
    password::acceptable("password", &new.password, name)?;
    // Each one counts: asking which names there are is slow.
    slowed(&app.sign_up_throttle, &app, peer.ip())?;
    let hash = password::hash(new.password).await.map_err(|error| Problem::internal(&error))?;
    let (display_name, email) = (display_name.as_deref(), email.as_deref());
    let wanted = Wanted { name, hash: &hash, display_name, email, address: network(peer.ip()) };
    match app.store.sign_up(&wanted, app.clock.now()).await? {
        SigningUp::Waits => {
            tracing::info!(user = name, peer = %peer.ip(), "somebody asks for an account");
            app.live.publish(Event::SignUps);
            Ok((StatusCode::ACCEPTED, Json(AskedForAccount { state: "waiting" })))
        }
        SigningUp::NameTaken => {
            let detail = "somebody has or asks for this name: choose another";
            Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("name"))
        }
        SigningUp::TooMany => {
            let detail = "too many wait for approval already: ask an admin for an invitation, or try again tomorrow";
            Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_waiting", detail).retry_after(3600))
        }
    }
}

/// Who asks for an account and waits.
#[utoipa::path(get, path = "/api/v1/sign-ups", operation_id = "listSignUps", tag = "users",
    responses((status = 200, body = SignUps), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<SignUps>, Problem> {
    let shown = |waits: crate::store::SignUp| {
        let crate::store::SignUp { name, display_name, email, address, asked_at } = waits;
        SignUp { name, display_name, email, address, asked_at }
    };
    Ok(Json(SignUps { sign_ups: app.store.sign_ups().await?.into_iter().map(shown).collect() }))
}

/// Gives somebody the account that they asked for, and its role.
#[utoipa::path(post, path = "/api/v1/sign-ups/{name}/approve", operation_id = "approveSignUp", tag = "users",
    params(("name" = words::UserName, Path, description = "the name that was asked for")), request_body = SignUpApproval,
    responses((status = 200, body = User), Problems))]
pub async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(name): Id,
    Body(SignUpApproval { role, email }): Body<SignUpApproval>,
) -> Result<Json<User>, Problem> {
    let email = changed_email(email)?;
    let terms = (role, email.as_ref().map(Option::as_deref));
    let done = app.store.approve_sign_up(&name, terms, &caller.actor(), app.clock.now()).await?;
    if done == crate::store::AccountDone::Unknown {
        return Err(unknown());
    }
    let user = done_or_problem(&app, done)?;
    app.live.publish(Event::SignUps);
    Ok(Json(user))
}

/// Turns a wish for an account down. The name is free again.
#[utoipa::path(post, path = "/api/v1/sign-ups/{name}/refuse", operation_id = "refuseSignUp", tag = "users",
    params(("name" = words::UserName, Path, description = "the name that was asked for")),
    responses((status = 204, description = "refused"), Problems))]
pub async fn refuse(State(app): State<Arc<App>>, caller: Caller, Id(name): Id) -> Result<StatusCode, Problem> {
    if !app.store.refuse_sign_up(&name, &caller.actor(), app.clock.now()).await? {
        return Err(unknown());
    }
    app.live.publish(Event::SignUps);
    Ok(StatusCode::NO_CONTENT)
}

fn unknown() -> Problem {
    Problem::not_found("unknown_sign_up", "nobody asks for an account of this name (any more)")
}

/// The right password of an account that is none yet.
pub fn waits_for_approval() -> Problem {
    let detail = "an admin has yet to approve this account: try again later";
    Problem::new(StatusCode::FORBIDDEN, "awaiting_approval", detail)
}
