//! Who is calling: the session cookie, its secret and the guard before every route that needs one.

use super::error::Problem;
use super::password::{self, PasswordError};
use crate::audit::Actor;
use crate::digest::sha256_hex;
use crate::run::App;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderName, header, request::Parts};
use axum::{middleware::Next, response::Response};
use axum_extra::extract::CookieJar;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{net::IpAddr, net::SocketAddr, sync::Arc};

/// The cookie's name.
pub const COOKIE: &str = "tirta_session";
/// How long a session lasts, in milliseconds: a working day.
pub const SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// How a request came.
#[derive(Debug, Clone, Copy)]
pub struct Transport {
    /// Over TLS.
    pub secure: bool,
}

/// The address that a request came from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The session of a request that passed [`require_session`].
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account's name.
    pub account: String,
    /// SHA-256 of the session's secret.
    pub hash: String,
    /// Where the request came from.
    address: Option<IpAddr>,
}

impl Caller {
    /// Whom the audit log names.
    pub fn actor(&self) -> Actor {
        let actor = Actor::account(&self.account);
        self.address.into_iter().fold(actor, |actor, address| actor.at(address))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::no_session)
    }
}

/// Lets only requests with a valid session pass.
///
/// # Errors
/// 401 without one.
pub async fn require_session(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let hash = hash_of_cookie(&jar).ok_or_else(Problem::no_session)?;
    let account = app.store.session_account(&hash, app.clock.now()).await?.ok_or_else(Problem::no_session)?;
    let address = request.extensions().get::<Peer>().map(|Peer(peer)| peer.ip().to_canonical());
    request.extensions_mut().insert(Caller { account, hash, address });
    Ok(next.run(request).await)
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
