//! What the server's API says of boards that change places: replaced, decommissioned, returning, claimed where they
//! stand. Knows no terminal.

use crate::client::{Client, ClientError, plain, unreadable};
use crate::connect::PATIENCE;
use hyper::Method;
use serde::{Deserialize, Serialize};
use shared::Serial;

/// Who takes over a name and its history.
#[derive(Debug, Clone, Deserialize)]
pub struct Replaced {
    /// The name.
    pub name: String,
    /// Whether the board waited, so that it has the name at once; else it gets it when it first asks.
    pub waiting: bool,
}

/// Until when re-flashed boards come back to their names by themselves.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Policy {
    /// UTC milliseconds; `None` if somebody has to approve each.
    pub returns_until: Option<i64>,
}

/// What somebody at the device says of it.
#[derive(Debug, Clone, Serialize)]
pub struct Claim {
    /// Its name, as on the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its serial, as on the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
    /// Where it stands.
    pub location: String,
}

/// What became of a claim.
#[derive(Debug, Clone, Deserialize)]
pub struct Claimed {
    /// The device.
    pub name: String,
    /// Its board, if that is known.
    pub serial: Option<String>,
    /// Where it stands now.
    pub location: String,
    /// Whether a board that waited was let in by it.
    pub approved: bool,
}

impl Client {
    /// Has the board of `serial` take over a device's name and history.
    ///
    /// # Errors
    /// When there is no such device, the server refuses or does not answer.
    pub async fn replace(&self, name: &str, serial: Serial) -> Result<Replaced, ClientError> {
        let path = format!("/api/v1/devices/{}/replace", plain("device", name)?);
        self.json(Method::POST, &path, Some(serde_json::json!({ "serial": serial }).to_string())).await
    }

    /// Decommissions a device: its certificate is worth nothing from then on.
    ///
    /// # Errors
    /// When there is no such device, the server refuses or does not answer.
    pub async fn revoke(&self, name: &str) -> Result<(), ClientError> {
        let path = format!("/api/v1/devices/{}/revoke", plain("device", name)?);
        self.ask(Method::POST, &path, None, PATIENCE).await.map(|_| ())
    }

    /// Whether re-flashed boards may return by themselves.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn policy(&self) -> Result<Policy, ClientError> {
        self.json(Method::GET, "/api/v1/enrolment-policy", None).await
    }

    /// Lets re-flashed boards return by themselves for so many seconds; 0 ends it.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn allow_returns(&self, seconds: u64) -> Result<Policy, ClientError> {
        let body = serde_json::json!({ "returns_for_s": seconds }).to_string();
        self.json(Method::PUT, "/api/v1/enrolment-policy", Some(body)).await
    }

    /// Says where a device stands; lets its board in if that waits.
    ///
    /// # Errors
    /// When name and serial do not belong together, the server refuses or does not answer.
    pub async fn claim(&self, claim: &Claim) -> Result<Claimed, ClientError> {
        let body = serde_json::to_string(claim).map_err(|e| unreadable("claim", e))?;
        self.json(Method::POST, "/api/v1/claim", Some(body)).await
    }
}
