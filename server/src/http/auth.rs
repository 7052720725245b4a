//! Who is calling, and whether they may: the session cookie, its secret and the guard before every route.

use super::error::Problem;
use super::key_caller;
use super::password::{self, PasswordError};
use crate::access::{Need, Permission, Role, need};
use crate::audit::Actor;
use crate::digest::sha256_hex;
use crate::run::App;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{HeaderName, StatusCode, header, request::Parts};
use axum::{middleware::Next, response::Response};
use axum_extra::extract::CookieJar;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{DeviceName, UtcMillis};
use std::{net::IpAddr, net::SocketAddr, sync::Arc};

/// The cookie's name.
pub const COOKIE: &str = "tirta_session";
/// How long a session lasts, in milliseconds: a working day.
pub const SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// How old the note of a session's last use may be, in milliseconds: each one is a write.
const TOUCH_MS: i64 = 5 * 60_000;

/// How a request came.
#[derive(Debug, Clone, Copy)]
pub struct Transport {
    /// Over TLS.
    pub secure: bool,
}

/// The address that a request came from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Who sent a request that passed [`guard`].
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the audit log names: an account, or `key:` and the name of a key.
    pub account: String,
    /// What they showed.
    pub by: By,
    /// Where the request came from.
    address: Option<IpAddr>,
}

/// What a caller showed.
#[derive(Debug, Clone)]
pub enum By {
    /// A person's session.
    Session {
        /// What the account may do.
        role: Role,
        /// It must choose a password before anything else.
        must_change: bool,
        /// SHA-256 of the session's secret.
        id: String,
    },
    /// A program's key.
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
    /// Somebody who showed this, at this address.
    pub fn new(account: String, by: By, address: Option<IpAddr>) -> Self {
        Self { account, by, address }
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

    /// Whether it is this caller that [`App::signed_out`] tells of.
    pub fn is_ended_by(&self, ended: &str) -> bool {
        match &self.by {
            By::Session { id, .. } => id == ended,
            By::Key { id, .. } => key_caller::word(id) == ended,
        }
    }

    /// Whether what let the caller in is still good, also long after the request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_still_let_in(&self, app: &Arc<App>) -> Result<bool, Problem> {
        let now = app.clock.now();
        match &self.by {
            By::Session { id, .. } => Ok(app.store.session_owner(id, now).await?.is_some()),
            By::Key { id, .. } => key_caller::still_reads(app, id, now).await,
        }
    }

    /// Whether they have a permission.
    pub fn may(&self, permission: Permission) -> bool {
        match &self.by {
            By::Session { role, .. } => role.may(permission),
            By::Key { scopes, .. } => scopes.contains(&permission),
        }
    }

    /// Whom the audit log names.
    pub fn actor(&self) -> Actor {
        let actor = Actor::account(&self.account);
        self.address.into_iter().fold(actor, |actor, address| actor.at(address))
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
    let now = app.clock.now();
    let address = request.extensions().get::<Peer>().map(|Peer(peer)| peer.ip().to_canonical());
    let caller = match key_caller::header(request.headers()) {
        Some(secret) => key_caller::caller(&app, secret?, address, now).await?,
        None => by_cookie(&app, &jar, address, now).await?,
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

/// Whom the session of the cookie makes of whoever sent it.
async fn by_cookie(
    app: &Arc<App>,
    jar: &CookieJar,
    address: Option<IpAddr>,
    now: UtcMillis,
) -> Result<Caller, Problem> {
    let id = hash_of_cookie(jar).ok_or_else(Problem::no_session)?;
    let owner = app.store.session_owner(&id, now).await?.ok_or_else(Problem::no_session)?;
    if now.0 - owner.used_at.0 >= TOUCH_MS {
        touch(app, &id);
    }
    let by = By::Session { role: owner.role, must_change: owner.must_change, id };
    Ok(Caller::new(owner.account, by, address))
}

/// Beside the request, which is not to wait until the database has time for this.
fn touch(app: &Arc<App>, id: &str) {
    let (app, hash) = (Arc::clone(app), id.to_owned());
    tokio::spawn(async move {
        if let Err(error) = app.store.touch_session(&hash, app.clock.now()).await {
            tracing::warn!(%error, "when a session was last used is not written down");
        }
    });
}

/// The hash of the secret in the session cookie, if there is one.
pub fn hash_of_cookie(jar: &CookieJar) -> Option<String> {
    jar.get(COOKIE).map(|cookie| hash(cookie.value()))
}

/// A new secret.
///
/// # Errors
/// When the system has no random bytes.
pub fn new_secret() -> Result<String, PasswordError> {
    Ok(URL_SAFE_NO_PAD.encode(password::random::<32>()?))
}

/// What is stored of a secret. It has 256 random bits: a plain hash is enough.
pub fn hash(secret: &str) -> String {
    sha256_hex(secret.as_bytes())
}

/// The header that sets the cookie for so many seconds; none removes it.
pub fn set_cookie(secret: &str, seconds: i64, transport: Transport) -> (HeaderName, String) {
    let secure = if transport.secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    (header::SET_COOKIE, cookie)
}
