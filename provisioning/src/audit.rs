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
    /// An account, `key:` and the name of a key, `device`, `visitor` or `server`.
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

/// Which part of the log, in which form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part {
    /// For spreadsheets, instead of the form that can be verified.
    pub csv: bool,
    /// From when on (UTC milliseconds).
    pub from: Option<i64>,
    /// Until before when.
    pub to: Option<i64>,
}

impl Client {
    /// Gives the log as a file, oldest first, to `sink` as it comes; `false` from it ends that. Says how the log ends.
    ///
    /// # Errors
    /// When the server refuses, does not answer, or breaks off.
    pub async fn export_audit(&self, part: &Part, sink: impl FnMut(&[u8]) -> bool) -> Result<String, ClientError> {
        let mut path = format!("/api/v1/audit/export?format={}", if part.csv { "csv" } else { "jsonl" });
        path.extend(part.from.map(|from| format!("&from={from}")));
        path.extend(part.to.map(|to| format!("&to={to}")));
        let headers = self.download(&path, sink).await?;
        let head = headers.get("tirta-audit-head").and_then(|head| head.to_str().ok());
        Ok(head.unwrap_or_default().to_owned())
    }

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
