//! The words that a session is shown by: made, read from a request (a bearer's header or a browser's cookie) and set. Their kind
//! stands at their beginning, so that none is taken for another. Knows neither accounts nor tables.

use super::password::{self, PasswordError};
use crate::digest::sha256_hex;
use crate::store::Pair;
use axum::http::{HeaderMap, HeaderName, header};
use axum_extra::extract::CookieJar;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::UtcMillis;

/// How long an access token is good, in milliseconds.
pub const ACCESS_MS: i64 = 15 * 60_000;

/// One kind of word.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// How words of it begin.
    pub begins: &'static str,
    /// The cookie that a browser keeps it in.
    pub cookie: &'static str,
    /// Which paths a browser shows it to.
    path: &'static str,
}

/// Shown with each request.
pub const ACCESS: Kind = Kind { begins: "tirta_at_", cookie: "tirta_session", path: "/" };
/// Gives the next two tokens, and is shown for nothing else.
pub const REFRESH: Kind = Kind { begins: "tirta_rt_", cookie: "tirta_refresh", path: "/api/v1/session" };

/// How a request came.
#[derive(Debug, Clone, Copy)]
pub struct Transport {
    /// Over TLS.
    pub secure: bool,
}

impl Kind {
    /// A new word.
    fn make(self) -> Result<String, PasswordError> {
        Ok(format!("{}{}", self.begins, URL_SAFE_NO_PAD.encode(password::random::<32>()?)))
    }

    /// What is stored of the word of this kind that a request shows. A header that is there but holds no such word is not
    /// made good by a cookie.
    pub fn hash_in(self, headers: &HeaderMap, jar: &CookieJar) -> Option<String> {
        let word =
            if headers.contains_key(header::AUTHORIZATION) { bearer(headers)? } else { jar.get(self.cookie)?.value() };
        self.hash_of(word)
    }

    /// What is stored of a word, if it is of this kind.
    pub fn hash_of(self, word: &str) -> Option<String> {
        word.starts_with(self.begins).then(|| hash(word))
    }

    /// The header that sets the cookie for so many seconds; none removes it.
    fn set_cookie(self, word: &str, seconds: i64, transport: Transport) -> (HeaderName, String) {
        let (name, path) = (self.cookie, self.path);
        let secure = if transport.secure { "; Secure" } else { "" };
        let cookie = format!("{name}={word}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        (header::SET_COOKIE, cookie)
    }
}

/// The word of the header `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, word) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| word.trim())
}

/// What is stored of a word. It has 256 random bits: a plain hash is enough.
fn hash(word: &str) -> String {
    sha256_hex(word.as_bytes())
}

/// The two tokens of a session, new.
pub struct Tokens {
    /// Shown with each request.
    pub access: String,
    /// Gives the next two.
    pub refresh: String,
    hashes: (String, String),
}

impl Tokens {
    /// Two that nobody can guess.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn make() -> Result<Self, PasswordError> {
        let (access, refresh) = (ACCESS.make()?, REFRESH.make()?);
        let hashes = (hash(&access), hash(&refresh));
        Ok(Self { access, refresh, hashes })
    }

    /// What is stored of them, from now on.
    pub fn kept(&self, now: UtcMillis) -> Pair<'_> {
        let (access, refresh) = &self.hashes;
        Pair { access, refresh, access_until: UtcMillis(now.0 + ACCESS_MS) }
    }

    /// The headers that give them to a browser, for a session that ends in so many milliseconds.
    pub fn cookies(&self, session_ms: i64, transport: Transport) -> [(HeaderName, String); 2] {
        [
            ACCESS.set_cookie(&self.access, ACCESS_MS / 1000, transport),
            REFRESH.set_cookie(&self.refresh, session_ms / 1000, transport),
        ]
    }
}

/// The headers that take the tokens from a browser.
pub fn no_cookies(transport: Transport) -> [(HeaderName, String); 2] {
    [ACCESS, REFRESH].map(|kind| kind.set_cookie("", 0, transport))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn shown(authorization: Option<&'static str>, cookie: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
        if let Some(text) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(text));
        }
        ACCESS.hash_in(&headers, &CookieJar::from_headers(&headers))
    }

    #[test]
    fn a_header_counts_before_a_cookie_and_is_not_made_good_by_one() {
        let cookie = "tirta_session=tirta_at_a";
        assert_eq!(shown(None, cookie), Some(hash("tirta_at_a")));
        assert_eq!(shown(Some("bearer tirta_at_b"), cookie), Some(hash("tirta_at_b")));
        for wrong in ["Bearer tirta_rt_a", "Bearer tirta_key_a", "Basic dGlydGE6", "tirta_at_a", ""] {
            assert_eq!(shown(Some(wrong), cookie), None, "{wrong}");
        }
        assert_eq!(shown(None, "tirta_session=tirta_rt_a"), None, "of another kind");
    }
}
