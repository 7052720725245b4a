//! The use cases "a board asks for an identity" and "a device asks for its next certificate". Knows the store and the
//! authority, not HTTP and not MQTT.

use crate::{
    admission::Refusal,
    audit::{Act, Actor},
    ca::{Authority, CaError, CsrError, PublicKeySha256},
    store::{Admission, Issued, Knock, Store, StoreError},
};
use shared::{
    DeviceName, Serial, UtcMillis,
    enrol::{EnrolRequest, WaitReason},
};
use std::time::Duration;

/// Longest model of a board that is kept, in characters.
const LONGEST_MODEL: usize = 100;

/// How long certificates are good, and how long after that their devices may still renew them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of a device's certificate.
    pub life: Duration,
    /// After its end, in which the key alone is proof enough for the next.
    pub grace: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        let days = |n: u64| Duration::from_secs(n * 86_400);
        Self { life: days(30), grace: days(365) }
    }
}

/// Why a device gets no identity.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The token, the board or its key is not let in.
    #[error("{}", refusal_in_words(*.0, *.1))]
    Refused(Refusal, Serial),
    /// Too many boards wait.
    #[error("too many boards wait for approval: approve or refuse some, on the page \"Waiting devices\"")]
    Crowded,
    /// The device that asks for its next certificate was thrown out.
    #[error("name {0}: this device was revoked")]
    Revoked(DeviceName),
    /// The key is not, or not any more, the one of this device.
    #[error("csr: its key is not that of {0}: make a new key and enrol")]
    UnknownKey(DeviceName),
    /// Its last certificate ended too long ago.
    #[error("name {0}: its certificate ended longer ago than the grace time: enrol again")]
    TooLate(DeviceName),
    /// The certificate request is no good.
    #[error(transparent)]
    Csr(CsrError),
    /// The authority failed.
    #[error(transparent)]
    Authority(CaError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn refusal_in_words(refusal: Refusal, serial: Serial) -> String {
    let made = "make one on the server and put it into the agent's configuration or the fleet file";
    match refusal {
        Refusal::BadToken => format!("token: it is not known: {made}"),
        Refusal::TokenRevoked => format!("token: it was withdrawn: {made}"),
        Refusal::TokenExpired => format!("token: it has expired: {made}"),
        Refusal::TokenUsedUp => format!("token: as many devices as allowed have enrolled with it: {made}"),
        Refusal::Revoked => format!("serial {serial}: this device was revoked"),
        Refusal::DeadKey => "csr: this key was withdrawn: make a new one".to_owned(),
        Refusal::Refused => format!("serial {serial}: somebody has refused this board"),
    }
}

impl EnrolError {
    /// The word by which a program recognises the reason; `None` when the server itself is at fault.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::Refused(Refusal::BadToken, _) => "bad_token",
            Self::Refused(Refusal::TokenRevoked, _) => "token_revoked",
            Self::Refused(Refusal::TokenExpired, _) => "token_expired",
            Self::Refused(Refusal::TokenUsedUp, _) => "token_used_up",
            Self::Refused(Refusal::Revoked, _) | Self::Revoked(_) => "revoked",
            Self::Refused(Refusal::DeadKey, _) | Self::UnknownKey(_) => "unknown_key",
            Self::Refused(Refusal::Refused, _) => "refused",
            Self::Crowded => "too_many_waiting",
            Self::TooLate(_) => "too_late",
            Self::Csr(CsrError::Malformed(_)) => "csr_malformed",
            Self::Csr(CsrError::Mismatch { .. }) => "csr_mismatch",
            Self::Csr(CsrError::WeakKey(_)) => "weak_key",
            Self::Authority(_) | Self::Store(_) => return None,
        })
    }
}

impl From<CaError> for EnrolError {
    fn from(error: CaError) -> Self {
        match error {
            CaError::Csr(csr) => Self::Csr(csr),
            other => Self::Authority(other),
        }
    }
}

/// A name and a certificate for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The device's name.
    pub name: DeviceName,
    /// Its certificate, PEM.
    pub certificate: String,
    /// The authority's, PEM.
    pub ca: String,
}

/// What a board gets that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// An identity.
    As(Credentials),
    /// The advice to ask again, when somebody has approved it.
    Waits {
        /// Why.
        reason: WaitReason,
        /// Whether nobody has heard of it before.
        news: bool,
    },
}

/// Gives a board its name and certificate, if it may have one.
///
/// A device that never got the answer asks again with the same key: it gets the same name and the same certificate, and no
/// second use of the token is spent. `replaced` is called when somebody else has lost the name by it. The name is taken before the certificate is signed, so a crash between the two costs nothing.
///
/// # Errors
/// With the reason; nothing has changed then.
pub async fn enrol(
    store: &Store,
    authority: &Authority,
    lifetimes: Lifetimes,
    request: &EnrolRequest,
    address: &str,
    now: UtcMillis,
    replaced: impl AsyncFnOnce(&DeviceName),
) -> Result<Enrolled, EnrolError> {
    let serial = request.serial;
    let key = authority.check_csr(&request.csr, serial)?;
    let knock = Knock {
        token: request.token.clone(),
        serial,
        key: key.clone(),
        model: request.model.as_deref().map(printable),
        copied_from: request.copied_from.clone(),
        address: address.to_owned(),
    };
    let name = match store.admit(&knock, now).await? {
        Admission::New(name) | Admission::Again(name) => name,
        Admission::Instead(name) => {
            // Before anything else can fail: the other has lost the name already.
            replaced(&name).await;
            name
        }
        Admission::Waits { reason, news } => return Ok(Enrolled::Waits { reason, news }),
        Admission::Refused(refusal) => return Err(EnrolError::Refused(refusal, serial)),
        Admission::Crowded => return Err(EnrolError::Crowded),
    };
    let certify = Certify { store, authority, lifetimes, now };
    let certificate = certify.certificate(&request.csr, serial, &name, &key, None).await?;
    tracing::info!(device = name.as_str(), %serial, "enrolled");
    Ok(Enrolled::As(Credentials { name, certificate, ca: authority.ca_pem() }))
}

/// Gives a device its next certificate. `expired`: it comes without its certificate, by its key alone; then the grace time counts.
///
/// # Errors
/// With the reason.
pub async fn renew(
    store: &Store,
    authority: &Authority,
    lifetimes: Lifetimes,
    (name, csr): (&DeviceName, &str),
    expired: Option<&str>,
    now: UtcMillis,
) -> Result<Credentials, EnrolError> {
    let unknown = || EnrolError::UnknownKey(name.clone());
    let device = store.device(name).await?.ok_or_else(unknown)?;
    // One without a board has no key, and so no certificate.
    let serial = device.serial.ok_or_else(unknown)?;
    let key = match authority.check_csr(csr, serial) {
        Ok(key) => key,
        // Whoever has not the key is not told the serial either.
        Err(CaError::Csr(CsrError::Mismatch { .. })) => return Err(unknown()),
        Err(error) => return Err(error.into()),
    };
    if device.public_key != key.as_str() {
        return Err(unknown());
    }
    if device.revoked_at.is_some() {
        return Err(EnrolError::Revoked(name.clone()));
    }
    if expired.is_some()
        && let Some(last) = store.certificate(name).await?
    {
        let grace = i64::try_from(lifetimes.grace.as_millis()).unwrap_or(i64::MAX);
        if last.expires_at.saturating_add(grace) < now.0 {
            return Err(EnrolError::TooLate(name.clone()));
        }
    }
    let actor = expired.map_or_else(Actor::device, |address| Actor::device().at(address));
    let certify = Certify { store, authority, lifetimes, now };
    let certificate = certify.certificate(csr, serial, name, &key, Some(&actor)).await?;
    Ok(Credentials { name: name.clone(), certificate, ca: authority.ca_pem() })
}

struct Certify<'a> {
    store: &'a Store,
    authority: &'a Authority,
    lifetimes: Lifetimes,
    now: UtcMillis,
}

impl Certify<'_> {
    /// The certificate that the device got a moment ago, or a new one. `renewed_by`: whom the audit log names for it.
    async fn certificate(
        &self,
        csr: &str,
        serial: Serial,
        name: &DeviceName,
        key: &PublicKeySha256,
        renewed_by: Option<&Actor>,
    ) -> Result<String, EnrolError> {
        let Self { store, authority, lifetimes, now } = self;
        let last = store.certificate(name).await?;
        // In the first tenth of its life it is given again: an answer was lost, or a request is replayed.
        let fresh = |last: &Issued| {
            let (age, life) = (now.0.saturating_sub(last.issued_at), last.expires_at - last.issued_at);
            last.public_key == key.as_str() && last.ca == authority.ca_sha256() && (0..life / 10).contains(&age)
        };
        if let Some(last) = last.filter(fresh) {
            return Ok(last.pem);
        }
        let signed = authority.sign_device(csr, serial, name, lifetimes.life, *now)?;
        let issued = Issued {
            serial_number: signed.serial_number,
            device: name.to_string(),
            public_key: key.as_str().to_owned(),
            ca: signed.ca_sha256,
            issued_at: signed.issued_at.0,
            expires_at: signed.valid_until.0,
            pem: signed.certificate,
        };
        let entry = renewed_by.map(|actor| {
            let entry = actor.did(Act::DeviceRenewed, *now).to(name).board(serial);
            entry.with("serial_number", issued.serial_number.clone()).with("expires_at", issued.expires_at)
        });
        if store.keep_certificate(&issued, entry).await? {
            Ok(issued.pem)
        } else {
            Err(EnrolError::UnknownKey(name.clone()))
        }
    }
}

/// What a board says of its model, so that it can be shown.
fn printable(model: &str) -> String {
    model.chars().filter(|c| !c.is_control()).take(LONGEST_MODEL).collect()
}
