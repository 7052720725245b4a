//! What the server's API says of boards that asked for an identity and wait for somebody. Knows no terminal.

use crate::client::{Client, ClientError, plain, unreadable};
use crate::connect::PATIENCE;
use hyper::Method;
use serde::{Deserialize, Serialize};
use shared::enrol::CopiedFrom;

/// A board that waits.
#[derive(Debug, Clone, Deserialize)]
pub struct Board {
    /// Names the request.
    pub id: String,
    /// CPU serial.
    pub serial: String,
    /// SHA-256 of its public key.
    pub key_sha256: String,
    /// As it says itself.
    pub model: Option<String>,
    /// Whence it asked.
    pub address: String,
    /// `not_expected`, `second_key` or `shared_key`.
    pub reason: String,
    /// Whose identity was on its card.
    pub copied_from: Option<CopiedFrom>,
    /// The device that has this serial.
    pub device: Option<String>,
    /// Since when it waits, UTC milliseconds.
    pub since: i64,
    /// When it last asked, UTC milliseconds.
    pub last_asked: i64,
}

/// On what terms a board is let in.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Approval {
    /// The name that it gets; the server's choice if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The device whose name and history it takes over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Client {
    /// The boards that wait.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn waiting(&self) -> Result<Vec<Board>, ClientError> {
        #[derive(Deserialize)]
        struct Waiting {
            waiting: Vec<Board>,
        }
        Ok(self.json::<Waiting>(Method::GET, "/api/v1/waiting", None).await?.waiting)
    }

    /// Lets a board in; the answer is its name.
    ///
    /// # Errors
    /// When there is none of this id, the terms can't be met, the server refuses or does not answer.
    pub async fn approve(&self, id: &str, approval: &Approval) -> Result<String, ClientError> {
        #[derive(Deserialize)]
        struct Approved {
            name: String,
        }
        let path = format!("/api/v1/waiting/{}/approve", plain("id", id)?);
        let body = serde_json::to_string(approval).map_err(|e| unreadable("approval", e))?;
        Ok(self.json::<Approved>(Method::POST, &path, Some(body)).await?.name)
    }

    /// Lets all boards in that wait only because nobody expected them; the answer is their names.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn approve_all(&self) -> Result<Vec<String>, ClientError> {
        #[derive(Deserialize)]
        struct Approved {
            approved: Vec<String>,
        }
        Ok(self.json::<Approved>(Method::POST, "/api/v1/waiting/approve-all", None).await?.approved)
    }

    /// Turns a board away.
    ///
    /// # Errors
    /// When there is none of this id, the server refuses or does not answer.
    pub async fn refuse(&self, id: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/waiting/{}/refuse", plain("id", id)?);
        self.ask(Method::POST, &path, None, PATIENCE).await.map(|_| ())
    }
}
