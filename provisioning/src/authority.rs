//! What the server's API says of the authority that signs the fleet's certificates. Knows no terminal and no key.

use crate::client::{Client, ClientError};
use crate::connect::PATIENCE;
use hyper::Method;
use serde::Deserialize;

/// The authority in force, and the one before it while devices still have certificates of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Authority {
    /// SHA-256 of its certificate.
    pub ca_sha256: String,
    /// Its name.
    pub subject: String,
    /// UTC milliseconds.
    pub expires_at: i64,
    /// The one before.
    pub previous: Option<Previous>,
}

/// An authority that signs nothing any more, and is still believed.
#[derive(Debug, Clone, Deserialize)]
pub struct Previous {
    /// SHA-256 of its certificate.
    pub ca_sha256: String,
    /// How many devices have no certificate of the new one yet.
    pub devices: u64,
    /// UTC milliseconds.
    pub expires_at: i64,
}

impl Client {
    /// Who signs.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn authority(&self) -> Result<Authority, ClientError> {
        self.json(Method::GET, "/api/v1/authority", None).await
    }

    /// Has a new key sign from now on; the old one is believed until it is retired.
    ///
    /// # Errors
    /// When an old one is still there, the server refuses or does not answer.
    pub async fn rotate_authority(&self) -> Result<Authority, ClientError> {
        self.changed("/api/v1/authority/rotate").await
    }

    /// Ends the trust in the old one: devices that still are on it have to enrol again.
    ///
    /// # Errors
    /// When there is no old one, the server refuses or does not answer.
    pub async fn retire_authority(&self) -> Result<Authority, ClientError> {
        self.changed("/api/v1/authority/retire").await
    }

    /// Does it and asks what is so now, whatever the answer to the act itself holds.
    async fn changed(&self, path: &str) -> Result<Authority, ClientError> {
        self.ask(Method::POST, path, None, PATIENCE).await?;
        self.authority().await
    }
}
