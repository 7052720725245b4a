//! One question to the server over HTTPS, and its answer. Knows no identity; whom to believe is the caller's to say.

use crate::seek::Server;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;

/// An answer longer than this is none of ours.
const MAX_REPLY: usize = 64 * 1024;
/// One attempt, from the name's look-up to the last byte.
const ATTEMPT: Duration = Duration::from_secs(30);

/// Why there is no answer that helps.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The server can't be reached, or is not the right one.
    #[error("{host}:{port}: {problem}")]
    Connection {
        /// Its name.
        host: String,
        /// Its port.
        port: u16,
        /// What went wrong.
        problem: String,
    },
    /// The server said no: trying again helps only once somebody changed something.
    #[error("the server refused ({status}, {code}): {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The reason's code.
        code: String,
        /// The reason in words.
        detail: String,
    },
    /// The server is not able now.
    #[error("the server failed ({0})")]
    Failed(u16),
    /// The answer is not what was agreed.
    #[error("the server's answer can't be used: {0}")]
    Answer(String),
}

impl AskError {
    /// The code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// A good answer.
#[derive(Debug)]
pub struct Answer {
    /// One of the 2xx.
    pub status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// Its content.
    ///
    /// # Errors
    /// When it has another form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, AskError> {
        serde_json::from_slice(&self.body).map_err(|error| AskError::Answer(error.to_string()))
    }
}

/// Asks once.
///
/// # Errors
/// When the answer is no good one, or there is none in time.
pub async fn post(
    server: &Server,
    path: &str,
    question: &impl Serialize,
    tls: ClientConfig,
) -> Result<Answer, AskError> {
    let body = serde_json::to_vec(question).map_err(|error| AskError::Answer(error.to_string()))?;
    match tokio::time::timeout(ATTEMPT, exchange(server, path, body, tls)).await {
        Ok(answer) => answer,
        Err(_) => Err(connection(server, "no answer in time")),
    }
}

fn connection(server: &Server, problem: impl ToString) -> AskError {
    AskError::Connection { host: server.host.clone(), port: server.port, problem: problem.to_string() }
}

async fn exchange(server: &Server, path: &str, body: Vec<u8>, tls: ClientConfig) -> Result<Answer, AskError> {
    let failed = |problem: &dyn ToString| connection(server, problem.to_string());
    let tls = TlsConnector::from(Arc::new(tls));
    let name = ServerName::try_from(server.host.clone()).map_err(|error| failed(&error))?;
    let tcp = server.connect().await.map_err(|error| failed(&error))?;
    let stream = tls.connect(name, tcp).await.map_err(|error| failed(&error))?;
    let (mut sender, http) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
    let request = Request::post(path)
        .header(HOST, format!("{host}:{}", server.port))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| failed(&error))?;
    let exchange = async {
        let reply = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), MAX_REPLY).collect().await.map_err(|error| failed(&error))?;
        judge(status, body.to_bytes())
    };
    // The connection must be driven while the exchange goes on; it ends with it.
    tokio::select! {
        answer = exchange => answer,
        Err(error) = http => Err(failed(&error)),
    }
}

fn judge(status: StatusCode, body: Bytes) -> Result<Answer, AskError> {
    /// The part of a problem document that is of use here.
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Problem {
        code: String,
        title: String,
        detail: String,
    }
    if status.is_success() {
        return Ok(Answer { status, body });
    }
    if !status.is_client_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT {
        return Err(AskError::Failed(status.as_u16()));
    }
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    let detail = [problem.detail, problem.title].into_iter().find(|text| !text.is_empty());
    Err(AskError::Refused {
        status: status.as_u16(),
        code: if problem.code.is_empty() { "no code".to_owned() } else { problem.code },
        detail: detail.unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned()),
    })
}
