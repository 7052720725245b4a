//! The server's API as an administrator's tool sees it: sign in, the list of devices. Knows no terminal and no arguments.

use crate::connect::{Address, PATIENCE};
use crate::session::{Session, Tokens};
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, body::Bytes, header};
use serde::{Deserialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What can go wrong between this tool and the server.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address can't be used.
    #[error("--server {server:?}: {why}")]
    Address {
        /// As it was given.
        server: String,
        /// What to write instead.
        why: String,
    },
    /// The authority's certificate can't be used.
    #[error("--ca {}: {why}", file.display())]
    Ca {
        /// As it was given.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody there, or nobody to trust.
    #[error("{server} can't be reached: {why}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// In the words of the layer that failed.
        why: String,
    },
    /// The server says no.
    #[error("the server refuses ({status}, {code}): {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The word for programs.
        code: String,
        /// The sentence for people.
        detail: String,
    },
    /// Something that can't be the name of anything.
    #[error("{what} {name:?}: use letters, digits, '-' and '_'")]
    Name {
        /// Of what.
        what: String,
        /// As it was given.
        name: String,
    },
    /// The server says something else than its API does.
    #[error("{path}: the answer can't be read: {why}")]
    Answer {
        /// What was asked.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A text, or the empty one for null.
fn or_nothing<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// What the list of devices says of each.
#[derive(Debug, Clone, Deserialize)]
pub struct Device {
    /// Allocated name.
    pub name: String,
    /// CPU serial; empty for one without a board.
    #[serde(default, deserialize_with = "or_nothing")]
    pub serial: String,
    /// `online`, `offline`, `never`, `revoked` or `quarantined`.
    pub state: String,
    /// UTC milliseconds.
    #[serde(default)]
    pub last_seen: Option<i64>,
    /// Its readings are simulated.
    #[serde(default)]
    pub simulated: bool,
    /// Version of its agent.
    #[serde(default)]
    pub agent: Option<String>,
    /// Its buffer.
    #[serde(default)]
    pub buffer: Option<DeviceBuffer>,
    /// Its newest certificate.
    #[serde(default)]
    pub certificate: Option<DeviceCertificate>,
}

/// A device's certificate.
#[derive(Debug, Clone, Deserialize)]
pub struct DeviceCertificate {
    /// UTC milliseconds.
    pub expires_at: i64,
}

/// The state of a device's buffer, as it last said.
#[derive(Debug, Clone, Deserialize)]
pub struct DeviceBuffer {
    /// Readings not yet acknowledged.
    pub pending: u64,
    /// Readings dropped because it was full.
    pub dropped: u64,
}

/// A conversation with a server.
#[derive(Clone)]
pub struct Client {
    address: Address,
    session: Session,
}

impl Client {
    /// A client that has not signed in.
    ///
    /// # Errors
    /// See [`Address::parse`].
    pub fn new(server: &str, ca: Option<&Path>) -> Result<Self, ClientError> {
        Ok(Self { address: Address::parse(server, ca)?, session: Session::default() })
    }

    /// Signs in; what follows is asked in this name.
    ///
    /// # Errors
    /// When the user or the password is wrong, a code is needed, or the server does not answer.
    pub async fn sign_in(&mut self, user: &str, password: &str) -> Result<(), ClientError> {
        self.sign_in_with(serde_json::json!({ "user": user, "password": password, "bearer": true })).await
    }

    /// The same for an account with a second factor.
    ///
    /// # Errors
    /// As above, or when the code is wrong.
    pub async fn sign_in_with_code(&mut self, user: &str, password: &str, code: &str) -> Result<(), ClientError> {
        self.sign_in_with(serde_json::json!({ "user": user, "password": password, "code": code, "bearer": true })).await
    }

    async fn sign_in_with(&mut self, credentials: serde_json::Value) -> Result<(), ClientError> {
        let tokens: Tokens = self.json(Method::POST, "/api/v1/session", Some(credentials.to_string())).await?;
        self.session.keep(tokens);
        Ok(())
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        self.ask(Method::DELETE, "/api/v1/session", None, PATIENCE).await.map(|_| ())
    }

    /// What a request shows in the header `Authorization`; `None` before signing in.
    pub fn authorization(&self) -> Option<String> {
        self.session.access().map(|access| format!("Bearer {access}"))
    }

    /// The devices that ever enrolled.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn devices(&self) -> Result<Vec<Device>, ClientError> {
        #[derive(Deserialize)]
        struct Devices {
            devices: Vec<Device>,
        }
        Ok(self.json::<Devices>(Method::GET, "/api/v1/devices", None).await?.devices)
    }

    /// Asks for anything that the API has.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<String>) -> Result<Bytes, ClientError> {
        Ok(self.ask(method, path, body, PATIENCE).await?.into_body())
    }

    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<T, ClientError> {
        self.json_within(method, path, body, PATIENCE).await
    }

    pub(crate) async fn json_within<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let answer = self.ask(method, path, body, patience).await?;
        serde_json::from_slice(answer.body()).map_err(|e| unreadable(path, e))
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        patience: Duration,
    ) -> Result<hyper::Response<Bytes>, ClientError> {
        let body = body.map(|text| ("application/json", Bytes::from(text)));
        let answer = self.send(method, path, body, patience).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refusal(&answer)) }
    }

    /// One exchange, whatever the answer; `body` goes with its type. A session that wants its tokens changed goes on.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
        patience: Duration,
    ) -> Result<hyper::Response<Bytes>, ClientError> {
        let shown = self.session.access();
        let answer = self.send_once(method.clone(), path, body.clone(), patience).await?;
        match shown {
            // It was refused before anything was done, so it can be asked again.
            Some(shown) if answer.status() == StatusCode::UNAUTHORIZED && self.refreshed(&shown).await? => {
                self.send_once(method, path, body, patience).await
            }
            _ => Ok(answer),
        }
    }

    /// Whether there is another access token than the one that was shown. One asks for it, the others wait.
    async fn refreshed(&self, shown: &str) -> Result<bool, ClientError> {
        let _turn = self.session.turn().await;
        if self.session.access().as_deref() != Some(shown) {
            return Ok(true);
        }
        let path = "/api/v1/session/refresh";
        let body = self.session.refresh().map(|token| serde_json::json!({ "refresh_token": token }).to_string());
        let body = body.map(|text| ("application/json", Bytes::from(text)));
        let answer = self.send_once(Method::POST, path, body, PATIENCE).await?;
        if !answer.status().is_success() {
            return Ok(false);
        }
        self.session.keep(serde_json::from_slice(answer.body()).map_err(|e| unreadable(path, e))?);
        Ok(true)
    }

    async fn send_once(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
        patience: Duration,
    ) -> Result<hyper::Response<Bytes>, ClientError> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, self.address.authority());
        request = request.header(header::USER_AGENT, concat!("tirta/", env!("CARGO_PKG_VERSION")));
        if let Some((content_type, _)) = body {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(bearer) = self.authorization() {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        let body = Full::new(body.map(|(_, bytes)| bytes).unwrap_or_default());
        // Boxed: it holds a whole TLS handshake, and every caller's future would.
        Box::pin(self.address.exchange(request.body(body).map_err(|e| unreadable(path, e))?, patience)).await
    }
}

impl Client {
    /// Gives an answer of any length to `sink` as it comes; `false` from it ends that.
    pub(crate) async fn download(
        &self,
        path: &str,
        sink: impl FnMut(&[u8]) -> bool,
    ) -> Result<hyper::HeaderMap, ClientError> {
        let mut request = Request::builder().uri(path).header(header::HOST, self.address.authority());
        if let Some(bearer) = self.authorization() {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        let request = request.body(Full::default()).map_err(|e| unreadable(path, e))?;
        let answer = Box::pin(self.address.download(request, PATIENCE, sink)).await?;
        if answer.status().is_success() { Ok(answer.into_parts().0.headers) } else { Err(refusal(&answer)) }
    }
}

/// Reads a problem document; a proxy in between may answer something else.
pub(crate) fn refusal(answer: &hyper::Response<Bytes>) -> ClientError {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Problem {
        code: String,
        title: String,
        detail: String,
    }
    let problem: Problem = serde_json::from_slice(answer.body()).unwrap_or_default();
    let detail = if problem.detail.is_empty() { problem.title } else { problem.detail };
    ClientError::Refused { status: answer.status().as_u16(), code: problem.code, detail }
}

/// What may stand in a path as it is.
pub(crate) fn plain<'a>(what: &str, name: &'a str) -> Result<&'a str, ClientError> {
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain { Ok(name) } else { Err(ClientError::Name { what: what.to_owned(), name: name.to_owned() }) }
}

pub(crate) fn unreadable(path: &str, why: impl ToString) -> ClientError {
    ClientError::Answer { path: path.to_owned(), why: why.to_string() }
}
