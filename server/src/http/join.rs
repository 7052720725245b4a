//! Joining by an invitation: whoever has its secret chooses a name and a password, once. The role is the invitation's and
//! never the caller's to say. Signing in is a request of its own.

use super::auth::Peer;
use super::error::{Problem, Problems};
use super::extract::Body;
use super::password;
use super::person::valid_name;
use super::throttle::Throttle;
use super::words;
use crate::access::Role;
use crate::run::App;
use crate::store::{Invitation, InvitationState, Joining, Newcomer};
use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};
use utoipa::ToSchema;

/// The secret of an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationSecret {
    /// What stands behind `#` in the link.
    secret: String,
}

/// What an invitation offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferedAccount {
    /// What the person will be.
    role: Role,
    /// What others call the person.
    #[schema(required)]
    name: Option<String>,
    /// The e-mail address that the account gets.
    #[schema(required)]
    email: Option<String>,
    /// By whom.
    invited_by: String,
    /// Until when (UTC milliseconds).
    expires_at: i64,
}

/// Who joins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// What stands behind `#` in the link.
    secret: String,
    /// The user name: 2 to 32 small letters, digits, '-' and '_'; a letter first.
    #[schema(value_type = words::UserName)]
    name: String,
    /// The password: 12 characters at least.
    #[schema(format = Password, min_length = 12, max_length = 256)]
    password: String,
}

/// Who has joined, and may sign in now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    /// The account's name.
    user: String,
    /// What it is.
    role: Role,
    /// Its e-mail address.
    #[schema(required)]
    email: Option<String>,
}

/// What an invitation offers, for whoever has its secret.
#[utoipa::path(post, path = "/api/v1/join/look", operation_id = "lookAtInvitation", tag = "users", security(()),
    request_body = InvitationSecret, responses((status = 200, body = OfferedAccount), Problems))]
pub async fn look(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(InvitationSecret { secret }): Body<InvitationSecret>,
) -> Result<Json<OfferedAccount>, Problem> {
    let Invitation { made, invited_by, .. } = open(&app, peer.ip(), &secret).await?;
    let expires_at = made.expires_at.0;
    Ok(Json(OfferedAccount { role: made.role, name: made.name, email: made.email, invited_by, expires_at }))
}

/// Makes the account that an invitation offers. A name that is taken leaves the invitation open.
#[utoipa::path(post, path = "/api/v1/join", operation_id = "join", tag = "users", security(()),
    request_body = NewMember, responses((status = 201, body = Member), Problems))]
pub async fn join(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(NewMember { secret, name, password }): Body<NewMember>,
) -> Result<(StatusCode, Json<Member>), Problem> {
    // Before anything that takes time: hashing is for those who were invited.
    open(&app, peer.ip(), &secret).await?;
    let name = valid_name(&name)?;
    password::acceptable("password", &password, name)?;
    let hash = password::hash(password).await.map_err(|error| Problem::internal(&error))?;
    let who = Newcomer { name, hash: &hash, address: peer.ip().to_canonical() };
    match app.store.accept_invitation(&secret, who, app.clock.now()).await? {
        Joining::Done(account) => {
            tracing::info!(user = account.name, peer = %peer.ip(), "joined by an invitation");
            let member = Member { user: account.name, role: account.role, email: account.email };
            Ok((StatusCode::CREATED, Json(member)))
        }
        Joining::NameTaken => {
            let detail = "there is an account of this name: choose another";
            Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("name"))
        }
        Joining::Ended(state) => Err(ended(state)),
        Joining::Unknown => Err(unknown()),
    }
}

/// The open invitation of a secret. Whoever tries secrets is told to wait, each time for longer; one that exists is never
/// kept waiting, so that nobody who guesses keeps out those who were invited behind the same router.
async fn open(app: &App, from: IpAddr, secret: &str) -> Result<Invitation, Problem> {
    let now = app.clock.now();
    let Some(invitation) = app.store.invitation(secret).await? else {
        slowed(&app.join_throttle, app, from)?;
        tracing::warn!(peer = %from, "an unknown invitation was shown");
        return Err(unknown());
    };
    match invitation.state(now) {
        InvitationState::Open => Ok(invitation),
        state => Err(ended(state)),
    }
}

/// Lets pass who has not tried too often.
///
/// # Errors
/// When to try again.
pub fn slowed(throttle: &Throttle, app: &App, from: IpAddr) -> Result<(), Problem> {
    let too_many = |wait_ms| Problem::too_often("too_many_attempts", "too many attempts from this address", wait_ms);
    throttle.attempt(from, app.clock.now()).map_err(too_many)
}

fn unknown() -> Problem {
    let detail = "there is no such invitation: is the link complete?";
    Problem::not_found("unknown_invitation", detail).about("secret")
}

fn ended(state: InvitationState) -> Problem {
    let (code, detail) = match state {
        InvitationState::Used => ("invitation_used", "somebody has joined by it: if it was you, sign in"),
        InvitationState::Expired => ("invitation_expired", "the invitation is too old: ask for another"),
        InvitationState::Open | InvitationState::Withdrawn => {
            ("invitation_withdrawn", "the invitation was withdrawn: ask for another")
        }
    };
    Problem::new(StatusCode::GONE, code, detail).about("secret")
}
