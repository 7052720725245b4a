//! What the server's API says of who did what. Knows no terminal.

use crate::client::{Client, ClientError, plain};
use hyper::Method;
use serde::Deserialize;

/// Most entries of one answer; the log is read in pages of it.
const PAGE: usize = 200;

/// An act and whoever did it.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// UTC milliseconds.
    pub at: i64,
    /// An account, `device` or `server`.
    pub who: String,
    /// What was done, such as `device.approved`.
    pub act: String,
    /// To which device.
    pub device: Option<String>,
    /// To which board.
    pub serial: Option<String>,
    /// Whence.
    pub address: Option<String>,
    /// Whatever else belongs to it.
    #[serde(default)]
    pub detail: serde_json::Map<String, serde_json::Value>,
}

impl Client {
    /// The newest `limit` entries, of one device or of all, newest first.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn audit(&self, device: Option<&str>, limit: usize) -> Result<Vec<Entry>, ClientError> {
        #[derive(Deserialize)]
        struct Page {
            entries: Vec<Entry>,
            next: Option<i64>,
        }
        let device = device.map(|name| plain("device", name)).transpose()?;
        let mut found = Vec::new();
        let mut before = None;
        while found.len() < limit {
            let mut path = format!("/api/v1/audit?limit={}", PAGE.min(limit - found.len()));
            path.extend(device.map(|name| format!("&device={name}")));
            path.extend(before.map(|id: i64| format!("&before={id}")));
            let page: Page = self.json(Method::GET, &path, None).await?;
            found.extend(page.entries);
            // A server that gives the same page again must not keep anybody here for ever.
            match page.next {
                Some(next) if before.is_none_or(|before| next < before) => before = Some(next),
                _ => break,
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}
