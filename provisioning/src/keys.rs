//! What the server's API says of API keys: made, listed, withdrawn. Knows no terminal.

use crate::client::{Client, ClientError, plain, unreadable};
use crate::connect::PATIENCE;
use hyper::Method;
use serde::{Deserialize, Serialize};

/// A key to ask for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewKey {
    /// What gets it.
    pub name: String,
    /// What it may do, by the words of the server.
    pub scopes: Vec<String>,
    /// It hands in readings of these devices only; of any if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// For how many seconds; until it is withdrawn if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_s: Option<u64>,
}

/// A key; the secret itself is there only in the answer to its creation.
#[derive(Debug, Clone, Deserialize)]
pub struct Key {
    /// Names it without giving it away.
    pub id: String,
    /// The secret.
    #[serde(default)]
    pub key: Option<String>,
    /// What has it.
    pub name: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// It hands in readings of these devices only.
    #[serde(default)]
    pub devices: Option<Vec<String>>,
    /// `good`, `revoked` or `expired`.
    #[serde(default)]
    pub state: String,
    /// By whom it was made.
    #[serde(default)]
    pub made_by: String,
    /// UTC milliseconds.
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// UTC milliseconds.
    #[serde(default)]
    pub used_at: Option<i64>,
}

impl Client {
    /// Makes an API key.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn create_key(&self, key: &NewKey) -> Result<Key, ClientError> {
        let body = serde_json::to_string(key).map_err(|e| unreadable("key", e))?;
        self.json(Method::POST, "/api/v1/keys", Some(body)).await
    }

    /// The keys that exist, without their secrets.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn keys(&self) -> Result<Vec<Key>, ClientError> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<Key>,
        }
        Ok(self.json::<Keys>(Method::GET, "/api/v1/keys", None).await?.keys)
    }

    /// Withdraws a key: it opens nothing from now on.
    ///
    /// # Errors
    /// When there is none of this id, the server refuses or does not answer.
    pub async fn revoke_key(&self, id: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/keys/{}", plain("key id", id)?);
        self.ask(Method::DELETE, &path, None, PATIENCE).await.map(|_| ())
    }
}
