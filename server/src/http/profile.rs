//! One's own profile: how one is called and reached, and how one wants the dashboard, on whatever phone. Nobody else's.

use super::auth::{Caller, Peer};
use super::error::{Problem, Problems};
use super::extract::Body;
use super::join::slowed;
use super::person::{changed_email, given, valid_display_name};
use super::words;
use crate::access::Role;
use crate::preferences::{Language, Notifications, PreferencesChange, Theme};
use crate::run::App;
use crate::store::{Profile as Kept, ProfileChange as Change, ProfileDone};
use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// One's own profile.
#[derive(Debug, Serialize, ToSchema)]
pub struct Profile {
    /// The account's name; it never changes.
    name: String,
    /// What it is; an admin changes it.
    role: Role,
    /// What others call its owner, if that is not its name.
    #[schema(required)]
    display_name: Option<String>,
    /// Its e-mail address, to sign in with, too.
    #[schema(required)]
    email: Option<String>,
    /// The language of the dashboard; null: that of the browser.
    #[schema(required)]
    language: Option<Language>,
    /// Light or dark.
    theme: Theme,
    /// When the dashboard makes itself heard.
    notifications: Notifications,
}

/// What is to become of it; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    /// Another name to show: at most 80 characters; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<words::DisplayName>)]
    display_name: Option<Option<String>>,
    /// Another e-mail address; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<words::Email>)]
    email: Option<Option<String>>,
    /// Another language; null: that of the browser.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Language>)]
    language: Option<Option<Language>>,
    /// Light or dark.
    theme: Option<Theme>,
    /// When the dashboard makes itself heard; all of it.
    notifications: Option<Notifications>,
}

impl From<Kept> for Profile {
    fn from(Kept { account, preferences }: Kept) -> Self {
        Self {
            name: account.name,
            role: account.role,
            display_name: account.display_name,
            email: account.email,
            language: preferences.language,
            theme: preferences.theme,
            notifications: preferences.notifications,
        }
    }
}

impl ProfileChange {
    fn check(self) -> Result<Change, Problem> {
        let display_name = match self.display_name {
            Some(Some(name)) => Some(valid_display_name("display_name", &name)?),
            other => other,
        };
        let quiet = self.notifications.as_ref().and_then(|wanted| wanted.quiet);
        if quiet.is_some_and(|quiet| quiet.from == quiet.to) {
            let detail = "it ends when it begins: turn sound and notifications off instead";
            return Err(Problem::invalid("notifications.quiet.to", detail));
        }
        let Self { language, theme, notifications, .. } = self;
        let preferences = PreferencesChange { language, theme, notifications };
        Ok(Change { display_name, email: changed_email(self.email)?, preferences })
    }
}

/// One's own profile.
#[utoipa::path(get, path = "/api/v1/profile", operation_id = "getProfile", tag = "session",
    responses((status = 200, body = Profile), Problems))]
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Profile>, Problem> {
    let kept = app.store.profile(&caller.account).await?.ok_or_else(Problem::no_session)?;
    Ok(Json(kept.into()))
}

/// Changes one's own profile.
#[utoipa::path(patch, path = "/api/v1/profile", operation_id = "changeProfile", tag = "session",
    request_body = ProfileChange, responses((status = 200, body = Profile), Problems))]
pub async fn change(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    caller: Caller,
    Body(change): Body<ProfileChange>,
) -> Result<Json<Profile>, Problem> {
    let change = change.check()?;
    if matches!(change.email, Some(Some(_))) {
        // Each one counts: asking which addresses there are is slow.
        slowed(&app.sign_up_throttle, &app, peer.ip())?;
    }
    match app.store.change_profile(&caller.account, &change, &caller.actor(), app.clock.now()).await? {
        ProfileDone::Done(kept) => Ok(Json((*kept).into())),
        ProfileDone::Unknown => Err(Problem::no_session()),
        ProfileDone::EmailTaken => {
            let detail = "another account has this address";
            Err(Problem::new(StatusCode::CONFLICT, "taken", detail).about("email"))
        }
    }
}
