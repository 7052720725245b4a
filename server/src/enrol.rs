//! The use case "a device asks for an identity". Knows the store and the authority, not HTTP.

use crate::{
    ca::{self, Authority, CaError, CsrError},
    store::{Allocation, Store, StoreError},
};
use shared::{
    Serial, UtcMillis,
    enrol::{Broker, EnrolReply, EnrolRequest},
};

/// Why a device gets no identity.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// No token of this text was ever made, or it was deleted.
    #[error("token: it is not known: make one on the server and put it into the agent's configuration")]
    BadToken,
    /// Its time is over.
    #[error("token: it has expired: make a new one on the server")]
    TokenExpired,
    /// It was made for fewer devices.
    #[error("token: as many devices as allowed have enrolled with it: make a new one on the server")]
    TokenUsedUp,
    /// The board is known with another key: it was set up anew, or somebody else says its serial.
    #[error(
        "serial {0}: it is enrolled with another key: restore the folder that holds the device's key; a new key for a known serial can't be approved yet"
    )]
    SerialInUse(Serial),
    /// The board was thrown out.
    #[error("serial {0}: this device was revoked")]
    Revoked(Serial),
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

impl EnrolError {
    /// The word by which a program recognises the reason; `None` when the server itself is at fault.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::BadToken => Some("bad_token"),
            Self::TokenExpired => Some("token_expired"),
            Self::TokenUsedUp => Some("token_used_up"),
            Self::SerialInUse(_) => Some("serial_in_use"),
            Self::Revoked(_) => Some("revoked"),
            Self::Csr(CsrError::Malformed(_)) => Some("csr_malformed"),
            Self::Csr(CsrError::Mismatch { .. }) => Some("csr_mismatch"),
            Self::Csr(CsrError::WeakKey(_)) => Some("weak_key"),
            Self::Authority(_) | Self::Store(_) => None,
        }
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

/// Gives a device its name and certificate. `broker` is where it is told to connect.
///
/// A device that never got the answer asks again with the same key: it gets the same name, and no second use of
/// the token is spent. The name is taken before the certificate is signed, so a crash between the two costs nothing.
///
/// # Errors
/// With the reason; nothing has changed then.
pub async fn enrol(
    store: &Store,
    authority: &Authority,
    request: &EnrolRequest,
    broker: Broker,
    now: UtcMillis,
) -> Result<EnrolReply, EnrolError> {
    let serial = request.serial;
    let key = authority.check_csr(&request.csr, serial)?;
    let name = match store.allocate_device(&request.token, serial, &key, now).await? {
        Allocation::New(name) | Allocation::Again(name) => name,
        Allocation::BadToken => return Err(EnrolError::BadToken),
        Allocation::TokenExpired => return Err(EnrolError::TokenExpired),
        Allocation::TokenUsedUp => return Err(EnrolError::TokenUsedUp),
        Allocation::SerialInUse => return Err(EnrolError::SerialInUse(serial)),
        Allocation::Revoked => return Err(EnrolError::Revoked(serial)),
    };
    let certificate = authority.sign_device(&request.csr, serial, &name, ca::DEFAULT_LIFE, now)?.certificate;
    tracing::info!(device = name.as_str(), %serial, "enrolled");
    Ok(EnrolReply { name, certificate, ca: authority.ca_pem(), broker, server_time: now })
}
