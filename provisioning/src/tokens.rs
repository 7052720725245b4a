//! What the server's API says of enrolment tokens: made, listed, withdrawn. Knows no terminal.

use crate::client::{Client, ClientError, plain, unreadable};
use crate::connect::PATIENCE;
use hyper::Method;
use serde::{Deserialize, Serialize};
use shared::Serial;

/// Which boards a token lets in without anybody's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admits {
    /// Those that the registry expects.
    Registered,
    /// The others too.
    Any,
}

/// A token to ask for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewToken {
    /// How many devices may enrol with it.
    pub uses: u32,
    /// For how many seconds.
    pub valid_s: u64,
    /// What it is for.
    pub note: String,
    /// Which boards it lets in; the server's choice if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admits: Option<Admits>,
    /// Only names that are registered at this location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Only these boards; any if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub serials: Vec<Serial>,
}

/// A token; the secret itself is there only in the answer to its creation.
#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    /// Names it without giving it away.
    pub id: String,
    /// The secret.
    #[serde(default)]
    pub token: Option<String>,
    /// The whole text of the fleet file with it; only with the secret.
    #[serde(default)]
    pub fleet_file: Option<String>,
    /// Devices that may enrol with it in all.
    #[serde(default)]
    pub uses: i64,
    /// Devices that may still enrol.
    pub uses_left: i64,
    /// UTC milliseconds.
    pub expires_at: i64,
    /// What it is for.
    #[serde(default)]
    pub note: String,
    /// `registered` or `any`; empty if the server does not say.
    #[serde(default)]
    pub admits: String,
    /// Only names that are registered at this location.
    #[serde(default)]
    pub location: Option<String>,
    /// Only these boards; any if empty.
    #[serde(default)]
    pub serials: Vec<String>,
    /// Since when it is withdrawn, UTC milliseconds.
    #[serde(default)]
    pub revoked_at: Option<i64>,
}

impl Token {
    /// What it is worth at `now`: `revoked`, `expired`, `used up` or `valid`.
    pub fn state(&self, now: i64) -> &'static str {
        match self {
            Self { revoked_at: Some(_), .. } => "revoked",
            _ if self.expires_at <= now => "expired",
            _ if self.uses_left <= 0 => "used up",
            _ => "valid",
        }
    }
}

impl Client {
    /// Makes an enrolment token.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn create_token(&self, token: &NewToken) -> Result<Token, ClientError> {
        let body = serde_json::to_string(token).map_err(|e| unreadable("token", e))?;
        self.json(Method::POST, "/api/v1/enrolment-tokens", Some(body)).await
    }

    /// The tokens that exist, without their secrets.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn tokens(&self) -> Result<Vec<Token>, ClientError> {
        #[derive(Deserialize)]
        struct Tokens {
            tokens: Vec<Token>,
        }
        Ok(self.json::<Tokens>(Method::GET, "/api/v1/enrolment-tokens", None).await?.tokens)
    }

    /// Withdraws a token: nobody enrols with it any more.
    ///
    /// # Errors
    /// When there is none of this id, the server refuses or does not answer.
    pub async fn revoke_token(&self, id: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/enrolment-tokens/{}", plain("token id", id)?);
        self.ask(Method::DELETE, &path, None, PATIENCE).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(uses_left: i64, revoked: bool) -> Token {
        let text = format!(r#"{{"id":"a","uses":9,"uses_left":{uses_left},"expires_at":1000}}"#);
        Token { revoked_at: revoked.then_some(5), ..serde_json::from_str(&text).unwrap() }
    }

    #[test]
    fn a_token_is_valid_until_something_ends_it() {
        assert_eq!(token(1, false).state(999), "valid");
        assert_eq!(token(1, false).state(1000), "expired");
        assert_eq!(token(0, false).state(999), "used up");
        assert_eq!(token(1, true).state(999), "revoked");
    }
}
