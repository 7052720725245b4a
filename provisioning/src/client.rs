//! The server's API as an administrator's tool sees it: sign in, tokens, devices. Knows no terminal and no arguments.

use crate::connect::Address;
use http_body_util::Full;
use hyper::{Method, Request, body::Bytes, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};

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
    /// The server says something else than its API does.
    #[error("{path}: the answer can't be read: {why}")]
    Answer {
        /// What was asked.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A token to ask for.
#[derive(Debug, Clone, Serialize)]
pub struct NewToken {
    /// How many devices may enrol with it.
    pub uses: u32,
    /// For how many seconds.
    pub valid_s: u64,
    /// What it is for.
    pub note: String,
}

/// A token; the secret itself is there only in the answer to its creation.
#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    /// Names it without giving it away.
    pub id: String,
    /// The secret.
    #[serde(default)]
    pub token: Option<String>,
    /// Devices that may still enrol.
    pub uses_left: i64,
    /// UTC milliseconds.
    pub expires_at: i64,
    /// What it is for.
    #[serde(default)]
    pub note: String,
}

/// What the list of devices says of each.
#[derive(Debug, Clone, Deserialize)]
pub struct Device {
    /// Allocated name.
    pub name: String,
    /// CPU serial.
    pub serial: String,
    /// `online`, `offline`, `never` or `revoked`.
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
}

/// The state of a device's buffer, as it last said.
#[derive(Debug, Clone, Deserialize)]
pub struct DeviceBuffer {
    /// Readings not yet acknowledged.
    pub pending: u64,
    /// Readings dropped because it was full.
    pub dropped: u64,
}

/// Names to reserve.
#[derive(Debug, Clone, Serialize)]
pub struct NewRange {
    /// The first number.
    pub from: u32,
    /// The last number.
    pub to: u32,
    /// Where all of them will stand.
    pub location: String,
}

/// What became of a range.
#[derive(Debug, Clone, Deserialize)]
pub struct ReservedRange {
    /// How many names are reserved now that were not before.
    pub reserved: usize,
    /// Names that were registered or had enrolled already.
    pub taken: Vec<String>,
}

/// What becomes of each line of a spreadsheet.
#[derive(Debug, Clone, Deserialize)]
pub struct ImportPlan {
    /// Whether it was done.
    pub imported: bool,
    /// How many lines are new.
    pub created: usize,
    /// How many change something.
    pub changed: usize,
    /// How many say what is known.
    pub unchanged: usize,
    /// How many can't be taken.
    pub refused: usize,
    /// Headings that mean nothing.
    pub unknown_columns: Vec<String>,
    /// In the order of the file.
    pub lines: Vec<ImportLine>,
}

/// What becomes of one line.
#[derive(Debug, Clone, Deserialize)]
pub struct ImportLine {
    /// Its number in the file.
    pub line: u64,
    /// `created`, `changed`, `unchanged` or `refused`.
    pub verdict: String,
    /// The name; as it is written if the line is refused.
    pub name: String,
    /// The serial.
    pub serial: String,
    /// The fields that change.
    pub changes: Vec<FieldChange>,
    /// Why it is refused.
    pub problems: Vec<LineProblem>,
}

/// A field that changes.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldChange {
    /// Which.
    pub field: String,
    /// What it was.
    pub from: String,
    /// What it will be.
    pub to: String,
}

/// Something wrong with a line.
#[derive(Debug, Clone, Deserialize)]
pub struct LineProblem {
    /// The column at fault.
    pub field: Option<String>,
    /// What is wrong and what to do.
    pub detail: String,
}

/// A conversation with a server.
#[derive(Clone)]
pub struct Client {
    address: Address,
    cookie: Option<String>,
}

impl Client {
    /// A client that has not signed in.
    ///
    /// # Errors
    /// See [`Address::parse`].
    pub fn new(server: &str, ca: Option<&Path>) -> Result<Self, ClientError> {
        Ok(Self { address: Address::parse(server, ca)?, cookie: None })
    }

    /// Signs in; what follows is asked in this name.
    ///
    /// # Errors
    /// When the user or the password is wrong, or the server does not answer.
    pub async fn sign_in(&mut self, user: &str, password: &str) -> Result<(), ClientError> {
        let body = serde_json::json!({ "user": user, "password": password });
        let path = "/api/v1/session";
        let answer = self.ask(Method::POST, path, Some(body.to_string())).await?;
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|c| c.to_str().ok());
        let pair = cookie.and_then(|c| c.split(';').next()).map(str::to_owned);
        self.cookie = Some(pair.ok_or_else(|| unreadable(path, "it sets no cookie"))?);
        Ok(())
    }

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
    pub async fn delete_token(&self, id: &str) -> Result<(), ClientError> {
        let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !plain {
            return Err(unreadable("token id", "letters, digits, '-' and '_' are allowed"));
        }
        self.ask(Method::DELETE, &format!("/api/v1/enrolment-tokens/{id}"), None).await.map(|_| ())
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

    /// Sends a spreadsheet of registrations; `dry_run` only says what would happen. Lines that are refused are no
    /// error here: they stand in the plan, and nothing was imported.
    ///
    /// # Errors
    /// When the file can't be read at all, the server refuses or does not answer.
    pub async fn import(&self, file: Vec<u8>, dry_run: bool) -> Result<ImportPlan, ClientError> {
        #[derive(Deserialize)]
        struct Refused {
            plan: ImportPlan,
        }
        let path = format!("/api/v1/registrations/import?dry_run={dry_run}");
        let answer = self.send(Method::POST, &path, Some(("text/csv", Bytes::from(file)))).await?;
        let plan = match answer.status().as_u16() {
            200 => serde_json::from_slice(answer.body()),
            422 => serde_json::from_slice::<Refused>(answer.body()).map(|refused| refused.plan),
            _ => return Err(refusal(&answer)),
        };
        plan.map_err(|e| unreadable(&path, e))
    }

    /// All registrations as a spreadsheet.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn export(&self) -> Result<Bytes, ClientError> {
        Ok(self.ask(Method::GET, "/api/v1/registrations/export", None).await?.into_body())
    }

    /// Reserves the names `pi-from` to `pi-to` for boards that are not known yet.
    ///
    /// # Errors
    /// When the range is none, the server refuses or does not answer.
    pub async fn reserve(&self, range: &NewRange) -> Result<ReservedRange, ClientError> {
        let body = serde_json::to_string(range).map_err(|e| unreadable("range", e))?;
        self.json(Method::POST, "/api/v1/registrations/range", Some(body)).await
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<T, ClientError> {
        let answer = self.ask(method, path, body).await?;
        serde_json::from_slice(answer.body()).map_err(|e| unreadable(path, e))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<hyper::Response<Bytes>, ClientError> {
        let answer = self.send(method, path, body.map(|text| ("application/json", Bytes::from(text)))).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refusal(&answer)) }
    }

    /// One exchange; `body` goes with its type.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
    ) -> Result<hyper::Response<Bytes>, ClientError> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, self.address.authority());
        if let Some((content_type, _)) = body {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let body = Full::new(body.map(|(_, bytes)| bytes).unwrap_or_default());
        // Boxed: it holds a whole TLS handshake, and every caller's future would.
        Box::pin(self.address.exchange(request.body(body).map_err(|e| unreadable(path, e))?)).await
    }
}

/// Reads a problem document; a proxy in between may answer something else.
fn refusal(answer: &hyper::Response<Bytes>) -> ClientError {
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

fn unreadable(path: &str, why: impl ToString) -> ClientError {
    ClientError::Answer { path: path.to_owned(), why: why.to_string() }
}
