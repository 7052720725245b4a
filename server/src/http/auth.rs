//! Who is calling, and whether they may: the guard before every route. What a session is shown by, [`super::token_words`] knows.

use super::error::Problem;
use super::key_caller;
use super::token_words::ACCESS;
use crate::access::{Need, Permission, Role, need};
use crate::audit::Actor;
use crate::run::App;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, request::Parts};
use axum::{middleware::Next, response::Response};
use axum_extra::extract::CookieJar;
use shared::{DeviceName, UtcMillis};
use std::{net::IpAddr, net::SocketAddr, sync::Arc};

/// How old the note of a session's last use may be, in milliseconds: each one is a write.
const TOUCH_MS: i64 = 5 * 60_000;

/// The address that a request came from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Who made a request that passed [`guard`].
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whom the audit log names: the account, or `key:` and the name of a key.
    pub account: String,
    /// By what they may do it.
    pub by: By,
    /// Where the request came from.
    address: Option<IpAddr>,
}

/// By what somebody may do something.
#[derive(Debug, Clone)]
pub enum By {
    /// Somebody is signed in.
    Session {
        /// What their account may do.
        role: Role,
        /// They must choose a password before anything else.
        must_change: bool,
        /// Names the session.
        id: String,
    },
    /// A program shows its key.
    Key {
        /// Names it; no secret.
        id: String,
        /// What it may do.
        scopes: Vec<Permission>,
        /// It hands in readings of these devices only; `None`: of any.
        devices: Option<Vec<DeviceName>>,
    },
}

impl Caller {
    /// Somebody who may do something by this, at this address.
    pub fn new(account: String, by: By, address: Option<IpAddr>) -> Self {
        Self { account, by, address }
    }

    /// Whom the audit log names.
    pub fn actor(&self) -> Actor {
        let actor = Actor::account(&self.account);
        self.address.into_iter().fold(actor, |actor, address| actor.at(address))
    }

    /// Whether they have this permission.
    pub fn may(&self, permission: Permission) -> bool {
        match &self.by {
            By::Session { role, .. } => role.may(permission),
            By::Key { scopes, .. } => !permission.is_for_people() && scopes.contains(&permission),
        }
    }

    /// Lets only those pass who have this permission, where the operation alone does not tell.
    ///
    /// # Errors
    /// 403 for all others.
    pub fn needs(&self, permission: Permission) -> Result<(), Problem> {
        match &self.by {
            _ if self.may(permission) => Ok(()),
            By::Session { role, .. } => Err(Problem::forbidden(permission, *role)),
            By::Key { .. } => Err(Problem::not_in_scope(permission)),
        }
    }

    /// The session, for what is about one's own things.
    ///
    /// # Errors
    /// For whoever calls without one.
    pub fn session(&self) -> Result<&str, Problem> {
        match &self.by {
            By::Session { id, .. } => Ok(id),
            By::Key { .. } => Err(Problem::no_person()),
        }
    }

    /// Lets nobody do to their own account what is for others: a token that was stolen would get round the password.
    ///
    /// # Errors
    /// When the account is the caller's own; `instead` says which way is theirs.
    pub fn not_to_oneself(&self, account: &str, instead: &str) -> Result<(), Problem> {
        if self.account != account {
            return Ok(());
        }
        let detail = format!("this is your own account: use {instead}, which asks for your password");
        Err(Problem::new(StatusCode::CONFLICT, "own_account", detail))
    }

    /// Whether it is this caller that [`App::signed_out`] tells of.
    pub fn is_ended_by(&self, ended: &str) -> bool {
        match &self.by {
            By::Session { id, .. } => id == ended,
            By::Key { id, .. } => key_caller::word(id) == ended,
        }
    }

    /// Whether what let the caller in is still good, also long after the request. Looking is using it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_still_let_in(&self, app: &Arc<App>) -> Result<bool, Problem> {
        let now = app.clock.now();
        match &self.by {
            By::Session { id, .. } => {
                let used_at = app.store.session_used_at(id, now).await?;
                if let Some(used_at) = used_at {
                    touch(app, id, used_at, now);
                }
                Ok(used_at.is_some())
            }
            By::Key { id, .. } => key_caller::still_reads(app, id, now).await,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::no_session)
    }
}

/// Lets pass what [`need`] allows, and nothing else. It stands before every route.
///
/// # Errors
/// 401 without a session that is needed, 403 for whoever may not do this, or has to choose a password first.
pub async fn guard(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let need = match need(request.method().as_str(), path) {
        Ok(Need::Open) => return Ok(next.run(request).await),
        Ok(need) => need,
        Err(true) => return Err(Problem::no_such_method()),
        Err(false) => {
            let detail = "the server has no rule that says who may do this, so nobody may";
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
        }
    };
    let address = request.extensions().get::<Peer>().map(|Peer(peer)| peer.ip().to_canonical());
    let caller = match key_caller::header(request.headers()) {
        Some(word) if !word.as_ref().is_ok_and(|word| word.starts_with(ACCESS.begins)) => {
            key_caller::caller(&app, word?, address, app.clock.now()).await?
        }
        _ => of_session(&app, request.headers(), &jar, address).await?,
    };
    match (need, &caller.by) {
        (Need::Open | Need::Session, By::Session { .. }) => {}
        (_, By::Session { must_change: true, .. }) => {
            let detail = "choose a password of your own first: POST /api/v1/session/password";
            return Err(Problem::new(StatusCode::FORBIDDEN, "change_password", detail));
        }
        (Need::May(permission), _) => caller.needs(permission)?,
        (_, By::Session { .. }) => {}
        (_, By::Key { .. }) => return Err(Problem::no_person()),
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Whoever shows an access token.
async fn of_session(
    app: &Arc<App>,
    headers: &HeaderMap,
    jar: &CookieJar,
    address: Option<IpAddr>,
) -> Result<Caller, Problem> {
    let hash = ACCESS.hash_in(headers, jar).ok_or_else(Problem::no_session)?;
    let now = app.clock.now();
    let owner = app.store.session_owner(&hash, now).await?.ok_or_else(Problem::no_session)?;
    touch(app, &owner.id, owner.used_at, now);
    let by = By::Session { role: owner.role, must_change: owner.must_change, id: owner.id };
    Ok(Caller::new(owner.account, by, address))
}

/// Writes down that a session is in use, beside the request, which is not to wait until the database has time for this.
fn touch(app: &Arc<App>, id: &str, used_at: UtcMillis, now: UtcMillis) {
    if now.0 - used_at.0 < TOUCH_MS {
        return;
    }
    let (app, id) = (Arc::clone(app), id.to_owned());
    tokio::spawn(async move {
        if let Err(error) = app.store.touch_session(&id, now).await {
            tracing::warn!(%error, "when a session was last used is not written down");
        }
    });
}

/// A bearer's token that opens nothing; `detail` says how to do it right.
pub fn bad_token(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad_token", detail).about("authorization")
}

/// The answer to a bearer's token that is none, of whatever kind it was to be: `detail` says how to do it right. Whoever tries
/// tokens is told to wait, each time for longer.
pub fn unknown_token(app: &App, address: Option<IpAddr>, detail: &str) -> Problem {
    let waits = address.map_or(Ok(()), |address| app.token_throttle.attempt(address, app.clock.now()));
    let Err(wait_ms) = waits else {
        tracing::warn!(?address, "a request came with a token that is none");
        return bad_token(detail);
    };
    let what = "too many unknown tokens from this address";
    Problem::too_often("too_many_attempts", what, wait_ms).about("authorization")
}
