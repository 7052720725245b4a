//! How a device gets its identity: one HTTPS request, repeated until it is answered.
//! Knows no broker. Certificates are judged in [`crate::trust`], files are kept by [`crate::identity`].

use crate::backoff::Backoff;
use crate::config::Token;
use crate::identity::{Home, Identity, IdentityError, certificate_request};
use crate::repeats::Repeats;
use crate::seek::{SeekError, Seeker, Server};
use crate::time::Time;
use crate::trust::{self, TrustError};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use shared::Serial;
use shared::enrol::{ENROL_PATH, EnrolReply, EnrolRequest};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::TlsConnector;

/// An answer longer than this is none of ours.
const MAX_REPLY: usize = 64 * 1024;
/// One attempt, from the name's look-up to the last byte.
const ATTEMPT: Duration = Duration::from_secs(30);

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Neither configuration nor fleet file has a token.
    #[error(
        "no enrolment token: put the fleet file (tirta-fleet.toml) on a USB stick or on the card's boot partition, or \
         set server.token or server.token_file"
    )]
    NoToken,
    /// Nothing says where to ask.
    #[error(transparent)]
    Seek(#[from] SeekError),
    /// The token's file can't be read.
    #[error("server.token_file {path}: {error}")]
    TokenFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
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
    /// Key or files.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// TLS can't be set up.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// Enrols, trying for ever.
pub async fn until_enrolled(
    seeker: &Seeker,
    home: &Home,
    serial: Serial,
    time: &Time,
    mut backoff: Backoff,
) -> Identity {
    let repeats = Repeats::default();
    loop {
        match anywhere(seeker, home, serial, time).await {
            Ok(identity) => {
                tracing::info!(device = %identity.name, %serial, "enrolled");
                return identity;
            }
            Err(error) => {
                if matches!(error, EnrolError::Refused { .. } | EnrolError::NoToken | EnrolError::Identity(_)) {
                    // Only a person can change this; no need to hurry.
                    backoff.exhaust();
                }
                let delay = backoff.next_delay();
                if let Some(unsaid) = repeats.say(&error.to_string(), Instant::now()) {
                    let again_in_s = delay.as_secs_f32();
                    tracing::warn!(%error, %serial, again_in_s, unsaid, "not enrolled; readings are kept meanwhile");
                }
                tokio::time::sleep(delay).await;
            }
        }
    }
}

/// One attempt at each server that there is, until one has answered.
async fn anywhere(seeker: &Seeker, home: &Home, serial: Serial, time: &Time) -> Result<Identity, EnrolError> {
    let mut outcome = Err(EnrolError::Seek(SeekError::Nobody));
    for server in seeker.servers().await? {
        outcome = once(&server, home, serial, time).await;
        if !matches!(outcome, Err(EnrolError::Connection { .. } | EnrolError::Failed(_))) {
            break;
        }
    }
    outcome
}

/// One attempt to enrol.
///
/// # Errors
/// With what is to be done about it. The device's key stays the same at the next attempt.
pub async fn once(server: &Server, home: &Home, serial: Serial, time: &Time) -> Result<Identity, EnrolError> {
    let token = token(server)?;
    let key = home.key_pair()?;
    let csr = certificate_request(&key, serial)?;
    let request = EnrolRequest { serial, token, csr, model: None, copied_from: None };
    let reply = match tokio::time::timeout(ATTEMPT, ask(server, &request, time)).await {
        Ok(reply) => reply?,
        Err(_) => return Err(connection(server, "no answer in time")),
    };
    if trust::fingerprint(&reply.ca)? != server.ca_sha256 {
        return Err(EnrolError::Answer("its authority is not the one that ca_sha256 names".to_owned()));
    }
    // A floor for a clock that is in the past, and better than nothing for the readings until now.
    time.server_said(reply.server_time);
    let identity = Identity {
        name: reply.name,
        broker: reply.broker,
        server: Some(server.origin()),
        key: key.serialize_pem(),
        certificate: reply.certificate,
        ca: reply.ca,
    };
    // A certificate that TLS would refuse must not be saved: the device would never ask again.
    trust::mutual(&identity.ca, &identity.certificate, &identity.key, time.clone())?;
    home.save(serial, &identity)?;
    Ok(identity)
}

fn token(server: &Server) -> Result<String, EnrolError> {
    let text = match &server.token {
        None => return Err(EnrolError::NoToken),
        Some(Token::Inline(text)) => text.clone(),
        Some(Token::File(path)) => {
            std::fs::read_to_string(path).map_err(|error| EnrolError::TokenFile { path: path.clone(), error })?
        }
    };
    Ok(text.trim().to_owned())
}

fn connection(server: &Server, problem: impl ToString) -> EnrolError {
    EnrolError::Connection { host: server.host.clone(), port: server.port, problem: problem.to_string() }
}

async fn ask(server: &Server, request: &EnrolRequest, time: &Time) -> Result<EnrolReply, EnrolError> {
    let failed = |problem: &dyn ToString| connection(server, problem.to_string());
    let tls = TlsConnector::from(Arc::new(trust::pinned(server.ca_sha256, time.clone())?));
    let name = ServerName::try_from(server.host.clone()).map_err(|error| failed(&error))?;
    let tcp = server.connect().await.map_err(|error| failed(&error))?;
    let stream = tls.connect(name, tcp).await.map_err(|error| failed(&error))?;
    let (mut sender, http) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let body = serde_json::to_vec(request).map_err(|error| EnrolError::Answer(error.to_string()))?;
    let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
    let request = Request::post(ENROL_PATH)
        .header(HOST, format!("{host}:{}", server.port))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| failed(&error))?;
    let exchange = async {
        let reply = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), MAX_REPLY).collect().await.map_err(|error| failed(&error))?;
        judge(status, &body.to_bytes())
    };
    // The connection must be driven while the exchange goes on; it ends with it.
    tokio::select! {
        answer = exchange => answer,
        Err(error) = http => Err(failed(&error)),
    }
}

fn judge(status: StatusCode, body: &[u8]) -> Result<EnrolReply, EnrolError> {
    /// The part of a problem document that is of use here.
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Problem {
        code: String,
        title: String,
        detail: String,
    }
    if status.is_success() {
        return serde_json::from_slice(body).map_err(|error| EnrolError::Answer(error.to_string()));
    }
    if !status.is_client_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT {
        return Err(EnrolError::Failed(status.as_u16()));
    }
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let detail = [problem.detail, problem.title].into_iter().find(|text| !text.is_empty());
    Err(EnrolError::Refused {
        status: status.as_u16(),
        code: if problem.code.is_empty() { "no code".to_owned() } else { problem.code },
        detail: detail.unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned()),
    })
}
