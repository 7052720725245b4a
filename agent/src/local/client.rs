//! Asks a running agent.

use super::{Answer, FILE_NAME, Request};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// How long the first answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why an agent can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error(
        "no agent runs with this configuration; start it: systemctl start tirta-agent (or: tirta-agent run --config ...)"
    )]
    NotRunning,
    /// The user may not.
    #[error("the agent's socket is not for this user; say it again with sudo")]
    NotAllowed,
    /// The connection broke.
    #[error("the agent does not answer: {0}")]
    Broken(#[from] io::Error),
    /// It said no.
    #[error("{0}")]
    Refused(String),
}

/// A question that was asked.
pub struct Client {
    answers: Lines<BufReader<OwnedReadHalf>>,
    /// Closing it would tell the agent that nobody listens any more.
    _writes: OwnedWriteHalf,
}

impl Client {
    /// Asks.
    ///
    /// # Errors
    /// When no agent runs, or this user may not ask it.
    pub async fn ask(data_dir: &Path, request: &Request) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(data_dir.join(FILE_NAME)).await.map_err(|error| match error.kind() {
            // A socket that nobody listens at was left by a killed agent.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NotRunning,
            io::ErrorKind::PermissionDenied => ClientError::NotAllowed,
            _ => ClientError::Broken(error),
        })?;
        let (reads, mut writes) = stream.into_split();
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        writes.write_all(&line).await?;
        Ok(Self { answers: BufReader::new(reads).lines(), _writes: writes })
    }

    /// The next answer; `None` after the last.
    ///
    /// # Errors
    /// When the connection breaks, or the agent refuses.
    pub async fn next(&mut self) -> Result<Option<Answer>, ClientError> {
        let Some(line) = self.answers.next_line().await? else { return Ok(None) };
        match serde_json::from_str(&line).map_err(io::Error::from)? {
            Answer::Refused { problem } => Err(ClientError::Refused(problem)),
            answer => Ok(Some(answer)),
        }
    }

    /// Asks what has one answer.
    ///
    /// # Errors
    /// As above, and when there is no answer.
    pub async fn once(data_dir: &Path, request: &Request) -> Result<Answer, ClientError> {
        let answer = async { Self::ask(data_dir, request).await?.next().await };
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let answer = timeout(PATIENCE, answer).await.map_err(late)??;
        answer.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }
}
