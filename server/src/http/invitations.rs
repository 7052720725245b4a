//! Invitations, for admins: made, shown once, listed and withdrawn. Who comes by one is [`super::join`]'s.

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id};
use super::person::{valid_display_name, valid_email};
use super::words;
use crate::access::Role;
use crate::run::App;
use crate::store::{Invitation as Kept, InvitationState, Inviting, NewInvitation as Wanted};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use shared::UtcMillis;
use std::sync::Arc;
use utoipa::ToSchema;

/// The shortest life of an invitation: an hour.
const SHORTEST_S: u32 = 3600;
/// The longest life of an invitation: thirty days.
const LONGEST_S: u32 = 30 * 86_400;
/// Its life if nothing is said: a week.
const USUAL_S: u32 = 7 * 86_400;

/// The invitation that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// What the person is to be.
    role: Role,
    /// What others call the person: at most 80 characters.
    #[schema(value_type = Option<words::DisplayName>)]
    name: Option<String>,
    /// The person's e-mail address.
    #[schema(value_type = Option<words::Email>)]
    email: Option<String>,
    /// For how many seconds it is open, 3600 to 2592000; a week if nothing is said.
    #[schema(minimum = 3600, maximum = 2592000)]
    valid_s: Option<u32>,
}

/// Whether somebody can still join by an invitation.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvitationState)]
pub enum Standing {
    /// Yes.
    Open,
    /// Somebody has.
    Used,
    /// It was withdrawn, or whoever invited lost the right to.
    Withdrawn,
    /// It is too old.
    Expired,
}

/// An invitation, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Names it; no secret.
    id: String,
    /// How it stands.
    state: Standing,
    /// What the person will be.
    role: Role,
    /// What others call the person.
    #[schema(required)]
    name: Option<String>,
    /// The person's e-mail address.
    #[schema(required)]
    email: Option<String>,
    /// By whom.
    invited_by: String,
    /// When (UTC milliseconds).
    created_at: i64,
    /// Until when it is open (UTC milliseconds).
    expires_at: i64,
    /// The account that came of it.
    #[schema(required)]
    used_by: Option<String>,
    /// When it was used or withdrawn (UTC milliseconds).
    #[schema(required)]
    ended_at: Option<i64>,
}

/// An invitation with its secret: this is the only time it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedInvitation {
    /// What whoever joins shows. In a link it stands behind `#`, where no server and no log sees it.
    secret: String,
    /// The link for the person, if the server's configuration says where people reach it.
    #[schema(required)]
    link: Option<String>,
    #[serde(flatten)]
    about: Invitation,
}

/// All invitations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitations {
    /// The newest first; those that ended stay for a month.
    invitations: Vec<Invitation>,
}

impl From<InvitationState> for Standing {
    fn from(state: InvitationState) -> Self {
        match state {
            InvitationState::Open => Self::Open,
            InvitationState::Used => Self::Used,
            InvitationState::Withdrawn => Self::Withdrawn,
            InvitationState::Expired => Self::Expired,
        }
    }
}

fn shown(kept: Kept, now: UtcMillis) -> Invitation {
    let state = kept.state(now).into();
    let Kept { id, made, invited_by, created_at, withdrawn_at, used } = kept;
    let Wanted { role, name, email, expires_at } = made;
    let ended_at = used.as_ref().map(|(_, at)| *at).or(withdrawn_at).map(|at| at.0);
    let (used_by, created_at, expires_at) = (used.map(|(by, _)| by), created_at.0, expires_at.0);
    Invitation { id, state, role, name, email, invited_by, created_at, expires_at, used_by, ended_at }
}

impl NewInvitation {
    fn check(self, now: UtcMillis) -> Result<Wanted, Problem> {
        let valid_s = self.valid_s.unwrap_or(USUAL_S);
        if !(SHORTEST_S..=LONGEST_S).contains(&valid_s) {
            let detail = format!("{valid_s} s is not between {SHORTEST_S} and {LONGEST_S} s");
            return Err(Problem::invalid("valid_s", detail));
        }
        let name = self.name.as_deref().map(|name| valid_display_name("name", name)).transpose()?.flatten();
        let email = self.email.as_deref().map(valid_email).transpose()?;
        Ok(Wanted { role: self.role, name, email, expires_at: UtcMillis(now.0 + i64::from(valid_s) * 1000) })
    }
}

/// Invites somebody. The secret is shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/invitations", operation_id = "createInvitation", tag = "users",
    request_body = NewInvitation, responses((status = 201, body = CreatedInvitation), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewInvitation>,
) -> Result<(StatusCode, Json<CreatedInvitation>), Problem> {
    let now = app.clock.now();
    let wanted = new.check(now)?;
    match app.store.invite(&wanted, &caller.actor(), now).await? {
        Inviting::Done(kept, secret) => {
            tracing::info!(invitation = kept.id, user = caller.account, "invited somebody");
            let link = app.public_url.as_ref().map(|url| format!("{url}/join#{secret}"));
            Ok((StatusCode::CREATED, Json(CreatedInvitation { secret, link, about: shown(kept, now) })))
        }
        Inviting::EmailTaken => {
            let detail = "an account has this address";
            Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("email"))
        }
        Inviting::TooMany => {
            let detail = "too many invitations are open: withdraw some that nobody uses";
            Err(Problem::new(StatusCode::CONFLICT, "too_many_invitations", detail))
        }
        Inviting::MayNot => {
            let detail = "only a person whose own account manages users can invite: sign in as one";
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
        }
    }
}

/// All invitations, without their secrets.
#[utoipa::path(get, path = "/api/v1/invitations", operation_id = "listInvitations", tag = "users",
    responses((status = 200, body = Invitations), Problems))]
pub async fn list(State(app): State<Arc<App>>) -> Result<Json<Invitations>, Problem> {
    let now = app.clock.now();
    let invitations = app.store.invitations().await?.into_iter().map(|kept| shown(kept, now)).collect();
    Ok(Json(Invitations { invitations }))
}

/// Withdraws an invitation. Whoever joined by it stays.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", operation_id = "withdrawInvitation", tag = "users",
    params(("id" = words::ShortId, Path, description = "the invitation's id")),
    responses((status = 204, description = "withdrawn, or not open any more"), Problems))]
pub async fn withdraw(State(app): State<Arc<App>>, caller: Caller, Id(id): Id) -> Result<StatusCode, Problem> {
    if app.store.withdraw_invitation(&id, &caller.actor(), app.clock.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found("unknown_invitation", "there is no such invitation"))
}
