//! What can go wrong with the authority, and the way out of it. Knows nothing else.

use super::CsrError;
use std::{io, path::PathBuf};

/// What can go wrong with the authority.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file or folder can't be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of the two files of an authority is missing.
    #[error(
        "{} is missing, but {} is there: restore it from a backup, or move the other away to begin without it (every device that knows only this authority has then to enrol again)",
        missing.display(), present.display()
    )]
    Half {
        /// The file that should be there.
        missing: PathBuf,
        /// The file that is.
        present: PathBuf,
    },
    /// A file is there but is not what it should be, perhaps half-written.
    #[error("{}: {why}: restore it from a backup", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Key and certificate of the authority are both fine but do not belong together.
    #[error("{} is not the key of {}: restore both from the same backup", key.display(), certificate.display())]
    Mismatch {
        /// The key.
        key: PathBuf,
        /// The certificate.
        certificate: PathBuf,
    },
    /// A name that no certificate can carry.
    #[error("public_hosts: {0:?} is neither a host name nor an address")]
    Host(String),
    /// The authority before the last one is still accepted: one more would leave its devices behind.
    #[error(
        "the previous authority ({sha256}) is still accepted: retire it when no device needs it any more, then rotate again"
    )]
    StillPrevious {
        /// SHA-256 of the previous authority's certificate.
        sha256: String,
    },
    /// There is only one authority.
    #[error("there is no previous authority to retire: only a rotation leaves one")]
    NoPrevious,
    /// A certificate's serial number that is none.
    #[error("serial_number: {0:?} is not hexadecimal, as it was given when the certificate was signed")]
    SerialNumber(String),
    /// A device's request was refused.
    #[error("{0}")]
    Csr(#[from] CsrError),
    /// A certificate could not be made.
    #[error("making a certificate: {0}")]
    Sign(#[from] rcgen::Error),
    /// The TLS library refused what was made.
    #[error("setting up TLS: {0}")]
    Tls(String),
    /// The system gave no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}
