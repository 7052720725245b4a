//! Accounts, for admins: made, given a role, disabled, helped after a lost password. What a role may is [`crate::access`]'s.
#![allow(unused_qualifications)] // utoipa's macro writes them

use super::auth::Caller;
use super::error::{Problem, Problems};
use super::extract::{Body, Id, Params};
use super::page::within;
use super::person::{changed_email, given, valid_email, valid_name};
use super::session::tell_ended;
use super::{password, to_the_end, words};
use crate::access::Role;
use crate::run::App;
use crate::store::{Account, AccountChange, AccountDone};
use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Accounts of an answer, if nothing is said.
const USUAL: u32 = 100;
/// Most accounts of one answer.
const MOST: u32 = 500;
/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only those with names after this one: `next` of the answer before.
    after: Option<String>,
    /// At most so many, 1 to 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// Its name; it never changes.
    name: String,
    /// What it is.
    role: Role,
    /// What others call its owner, if that is not its name.
    #[schema(required)]
    display_name: Option<String>,
    /// Its e-mail address, which its owner may sign in with, too.
    #[schema(required)]
    email: Option<String>,
    /// Its owner has not yet chosen a password.
    must_change: bool,
    /// When it was made (UTC milliseconds); 0 if that was before it was written down.
    created_at: i64,
    /// Since when nobody signs in with it (UTC milliseconds).
    #[schema(required)]
    disabled_at: Option<i64>,
}

/// A part of the accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Users {
    /// By name.
    users: Vec<User>,
    /// Where it goes on; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// The account that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 2 to 32 small letters, digits, '-' and '_'; a letter first.
    #[schema(value_type = words::UserName)]
    name: String,
    /// What it is to be.
    role: Role,
    /// Its owner's e-mail address.
    #[schema(value_type = Option<words::Email>)]
    email: Option<String>,
}

/// An account with a password that was made for it: this is the only time it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserWithPassword {
    /// The account.
    user: User,
    /// What its owner signs in with once, and changes then.
    password: String,
}

/// What is to become of an account; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Another role: its sessions end.
    role: Option<Role>,
    /// Whether nobody signs in with it any more: its sessions end.
    disabled: Option<bool>,
    /// Another e-mail address; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<words::Email>)]
    email: Option<Option<String>>,
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        let Account { name, role, display_name, email, must_change, created_at, disabled_at } = account;
        let (created_at, disabled_at) = (created_at.0, disabled_at.map(|at| at.0));
        Self { name, role, display_name, email, must_change, created_at, disabled_at }
    }
}

/// The accounts, by name.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "listUsers", tag = "users", params(Which),
    responses((status = 200, body = Users), Problems))]
pub async fn list(State(app): State<Arc<App>>, Params(which): Params<Which>) -> Result<Json<Users>, Problem> {
    let limit = within("limit", which.limit.unwrap_or(USUAL), MOST)?;
    let mut found = app.store.accounts(which.after.as_deref().unwrap_or_default(), limit + 1).await?;
    let is_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| is_more).map(|account| account.name.clone());
    Ok(Json(Users { users: found.into_iter().map(User::from).collect(), next }))
}

/// Makes an account. Its first password is shown in the answer, once.
#[utoipa::path(post, path = "/api/v1/users", operation_id = "createUser", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserWithPassword), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<UserWithPassword>), Problem> {
    let name = valid_name(&new.name)?;
    let email = new.email.as_deref().map(valid_email).transpose()?;
    let (password, hash) = made_password().await?;
    let wanted = (name, new.role, email.as_deref());
    let done = app.store.create_account(wanted, &hash, &caller.actor(), app.clock.now()).await?;
    let user = done_or_problem(&app, done)?;
    Ok((StatusCode::CREATED, Json(UserWithPassword { user, password })))
}

/// Changes an account; takes effect at once. An admin who may sign in is always left.
#[utoipa::path(patch, path = "/api/v1/users/{name}", operation_id = "changeUser", tag = "users",
    params(("name" = words::UserName, Path, description = "The account's name")), request_body = UserChange,
    responses((status = 200, body = User), Problems))]
pub async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(name): Id,
    Body(change): Body<UserChange>,
) -> Result<Json<User>, Problem> {
    let email = changed_email(change.email)?;
    let change = AccountChange { role: change.role, disabled: change.disabled, email };
    to_the_end(async move {
        let done = app.store.change_account(&name, &change, &caller.actor(), app.clock.now()).await?;
        done_or_problem(&app, done).map(Json)
    })
    .await
}

/// Gives somebody else's account another first password, shown once in the answer; its sessions end, and what it made for others
/// to come in by is withdrawn.
#[utoipa::path(post, path = "/api/v1/users/{name}/reset-password", operation_id = "resetPassword", tag = "users",
    params(("name" = words::UserName, Path, description = "The account's name")),
    responses((status = 200, body = UserWithPassword), Problems))]
pub async fn reset(
    State(app): State<Arc<App>>,
    caller: Caller,
    Id(name): Id,
) -> Result<Json<UserWithPassword>, Problem> {
    caller.not_to_oneself(&name, "POST /api/v1/session/password")?;
    let (password, hash) = made_password().await?;
    to_the_end(async move {
        let done = app.store.reset_password(&name, &hash, &caller.actor(), app.clock.now()).await?;
        Ok(Json(UserWithPassword { user: done_or_problem(&app, done)?, password }))
    })
    .await
}

/// What came of it, told to whoever watches with a session that ended.
pub fn done_or_problem(app: &App, done: AccountDone) -> Result<User, Problem> {
    let conflict = |code, detail| Problem::new(StatusCode::CONFLICT, code, detail);
    match done {
        AccountDone::Done(account, ended) => {
            tell_ended(app, ended);
            Ok(account.into())
        }
        AccountDone::Unknown => Err(Problem::not_found("unknown_user", "there is no such account")),
        AccountDone::NameTaken => Err(conflict("taken", "there is an account of this name").about("name")),
        AccountDone::EmailTaken => Err(conflict("taken", "another account has this address").about("email")),
        AccountDone::LastAdmin => {
            Err(conflict("last_admin", "nobody else may do everything: make another account an admin first"))
        }
    }
}

async fn made_password() -> Result<(String, String), Problem> {
    let password = password::make().map_err(|e| Problem::internal(&e))?;
    let hash = password::hash(password.clone()).await.map_err(|e| Problem::internal(&e))?;
    Ok((password, hash))
}
