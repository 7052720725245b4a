//! How a device gets its identity: one HTTPS request, repeated until it is answered, and for as long as somebody has
//! to approve this board. Knows no broker. Certificates are judged in [`crate::trust`], files are kept by
//! [`crate::identity`].

use crate::backoff::Backoff;
use crate::certificate;
use crate::config::Token;
use crate::https::{self, AskError};
use crate::identity::{Home, Identity, IdentityError, certificate_request};
use crate::lamp::Standing;
use crate::repeats::Repeats;
use crate::seek::{SeekError, Seeker, Server};
use crate::time::Time;
use crate::trust::{self, TrustError};
use hyper::StatusCode;
use shared::Serial;
use shared::enrol::{ENROL_PATH, EnrolReply, EnrolRequest, WaitReason, Waiting};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A board that waits asks again after this many seconds, whatever the server says.
const RETRY_S: (u32, u32) = (5, 300);

/// The board that enrols.
#[derive(Debug, Clone)]
pub struct Board {
    /// Its serial.
    pub serial: Serial,
    /// Its model, if it says one.
    pub model: Option<String>,
}

/// What the server answers.
#[derive(Debug)]
pub enum Outcome {
    /// The device has its identity, and it is saved.
    Enrolled(Box<Identity>),
    /// Somebody has to approve this board.
    Waiting(Waiting),
}

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
    /// There is no answer, or no good one.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Key or files.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// TLS can't be set up.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl EnrolError {
    /// Whether only a person can change it, so that there is no need to hurry.
    fn is_lasting(&self) -> bool {
        matches!(self, Self::Ask(AskError::Refused { .. }) | Self::NoToken | Self::Identity(_))
    }
}

/// Enrols, trying for ever; says meanwhile how the device stands.
pub async fn until_enrolled(
    seeker: &Seeker,
    home: &Home,
    board: &Board,
    time: &Time,
    mut backoff: Backoff,
    standing: &watch::Sender<Standing>,
) -> Identity {
    let (repeats, serial) = (Repeats::default(), board.serial);
    loop {
        let outcome = anywhere(seeker, home, board, time).await;
        standing.send_replace(standing_of(&outcome));
        let delay = match outcome {
            Ok(Outcome::Enrolled(identity)) => {
                tracing::info!(device = %identity.name, %serial, "enrolled");
                return *identity;
            }
            Ok(Outcome::Waiting(waiting)) => {
                backoff.reset();
                if let Some(unsaid) = repeats.say(waiting.reason.as_str(), Instant::now()) {
                    let (reason, why) = (waiting.reason.as_str(), why(waiting.reason));
                    tracing::warn!(%serial, reason, why, unsaid,
                        "this board waits for approval: see the page Waiting devices; readings are kept meanwhile");
                }
                patience(waiting.retry_s, &mut fastrand::Rng::new())
            }
            // Only a server that proved to be of this fleet was asked.
            Err(EnrolError::Ask(error)) if error.code() == Some("unknown_key") => {
                tracing::warn!(%serial, "this device's key was withdrawn: it makes another");
                if let Err(error) = home.put_away() {
                    tracing::error!(%error, "the withdrawn key can't be removed");
                }
                backoff.next_delay()
            }
            Err(error) => {
                if error.is_lasting() {
                    backoff.exhaust();
                }
                let delay = backoff.next_delay();
                if let Some(unsaid) = repeats.say(&error.to_string(), Instant::now()) {
                    let again_in_s = delay.as_secs_f32();
                    tracing::warn!(%error, %serial, again_in_s, unsaid, "not enrolled; readings are kept meanwhile");
                }
                delay
            }
        };
        tokio::time::sleep(delay).await;
    }
}

/// One attempt at each server that there is, until one has answered.
async fn anywhere(seeker: &Seeker, home: &Home, board: &Board, time: &Time) -> Result<Outcome, EnrolError> {
    let mut outcome = Err(EnrolError::Seek(SeekError::Nobody));
    for server in seeker.servers().await? {
        outcome = once(&server, home, board, time).await;
        if !matches!(outcome, Err(EnrolError::Ask(AskError::Connection { .. } | AskError::Failed(_)))) {
            break;
        }
    }
    outcome
}

/// How a device stands after an attempt: whether it gets on by itself, or once somebody has approved it.
fn standing_of(outcome: &Result<Outcome, EnrolError>) -> Standing {
    match outcome {
        Ok(Outcome::Enrolled(_)) => Standing::CutOff,
        // Two boards with one key: one of them has to be set up anew.
        Ok(Outcome::Waiting(Waiting { reason: WaitReason::SharedKey, .. })) => Standing::Stuck,
        Ok(Outcome::Waiting(_)) => Standing::Nameless,
        Err(EnrolError::Ask(error)) if error.code() == Some("unknown_key") => Standing::Nameless,
        Err(
            EnrolError::Ask(AskError::Refused { .. })
            | EnrolError::Seek(SeekError::Unusable(_))
            | EnrolError::TokenFile { .. }
            | EnrolError::Identity(_),
        ) => Standing::Stuck,
        Err(_) => Standing::Nameless,
    }
}

fn why(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::NotExpected => "neither the registry nor its token lets it in",
        WaitReason::SecondKey => "another key has enrolled with its serial: it was set up anew",
        WaitReason::SharedKey => "two boards used one key",
        WaitReason::Other => "the server is newer than this agent; it says why there",
    }
}

/// Up to a tenth more than the server says, so that boards that were switched on together do not ask together.
fn patience(retry_s: u32, random: &mut fastrand::Rng) -> Duration {
    Duration::from_secs(retry_s.clamp(RETRY_S.0, RETRY_S.1).into()).mul_f64(1.0 + random.f64() / 10.0)
}

/// One attempt to enrol.
///
/// # Errors
/// With what is to be done about it. The device's key stays the same at the next attempt.
pub async fn once(server: &Server, home: &Home, board: &Board, time: &Time) -> Result<Outcome, EnrolError> {
    let (token, serial, model) = (token(server)?, board.serial, board.model.clone());
    let key = home.key_pair(serial)?;
    let csr = certificate_request(&key, serial)?;
    let request = EnrolRequest { serial, token, csr, model, copied_from: home.copied_from()? };
    let answer = https::post(server, ENROL_PATH, &request, trust::pinned(server.ca_sha256, time.clone())?).await?;
    if answer.status == StatusCode::ACCEPTED {
        return Ok(Outcome::Waiting(answer.read()?));
    }
    let reply: EnrolReply = answer.read()?;
    // A floor for a clock that is in the past, and better than nothing for the readings until now.
    time.server_said(reply.server_time);
    let identity = Identity {
        name: reply.name,
        broker: reply.broker,
        server: Some(server.origin()),
        key: key.serialize_pem(),
        certificate: certificate::obtained(&reply.certificate, reply.server_time),
        // Not always the pinned one: a server whose authority was replaced has proved itself by the former.
        ca: reply.ca,
    };
    // A certificate that TLS would refuse must not be saved: the device would never ask again.
    trust::mutual(&identity.ca, &identity.certificate, &identity.key, time.clone())?;
    home.save(serial, &identity)?;
    Ok(Outcome::Enrolled(Box::new(identity)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_that_waits_neither_hurries_nor_sleeps_for_a_day() {
        let mut random = fastrand::Rng::with_seed(7);
        for (said, least) in [(0, 5), (30, 30), (86_400, 300)] {
            let (delay, least) = (patience(said, &mut random), Duration::from_secs(least));
            assert!(least <= delay && delay <= least.mul_f64(1.1), "{said}: {delay:?}");
        }
        assert_ne!(patience(60, &mut random), patience(60, &mut random));
    }

    #[test]
    fn patience_is_enough_unless_somebody_refused_or_a_file_is_broken() {
        let waiting = |reason| Ok(Outcome::Waiting(Waiting { reason, retry_s: 30 }));
        let refused = |code: &str| {
            let (code, detail) = (code.to_owned(), String::new());
            Err(EnrolError::Ask(AskError::Refused { status: 403, code, detail }))
        };
        for (outcome, standing) in [
            (waiting(WaitReason::NotExpected), Standing::Nameless),
            (waiting(WaitReason::SharedKey), Standing::Stuck),
            (refused("bad_token"), Standing::Stuck),
            (refused("unknown_key"), Standing::Nameless),
            (Err(EnrolError::Ask(AskError::Failed(503))), Standing::Nameless),
            (Err(EnrolError::NoToken), Standing::Nameless),
            (Err(SeekError::NoPin(String::new()).into()), Standing::Nameless),
            (Err(SeekError::Unusable(String::new()).into()), Standing::Stuck),
            (Err(SeekError::Nobody.into()), Standing::Nameless),
        ] {
            assert_eq!(standing_of(&outcome), standing, "{outcome:?}");
        }
    }
}
