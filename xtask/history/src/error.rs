//! Why a past could not be made.

use std::path::PathBuf;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// How long it is to be.
    #[error("--history {given:?}: give a number of days from 1d to 90d, such as 30d")]
    Span {
        /// As it was given.
        given: String,
    },
    /// There is a past already.
    #[error(
        "{0}: a fleet lives here already, and a past can only be given to a new one: leave --history out, or name another folder"
    )]
    Lived(PathBuf),
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] server::config::ConfigError),
    /// The server does not start.
    #[error(transparent)]
    Run(#[from] server::run::RunError),
    /// The database.
    #[error(transparent)]
    Store(#[from] server::store::StoreError),
    /// A board gets no identity.
    #[error(transparent)]
    Enrol(#[from] server::enrol::EnrolError),
    /// A board's key or its files.
    #[error(transparent)]
    Identity(#[from] agent::identity::IdentityError),
    /// The interface refuses what a person does.
    #[error("{who}: {what}: {error}")]
    Refused {
        /// Who asked.
        who: String,
        /// For what.
        what: String,
        /// What the server says.
        error: provisioning::client::ClientError,
    },
    /// A password can't be drawn.
    #[error(transparent)]
    Password(#[from] server::http::password::PasswordError),
    /// A file or folder.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Something that can't be, unless this program is wrong.
    #[error("this can't be: {0}")]
    Impossible(String),
}

/// For what this program makes up itself, and would be wrong in.
pub fn impossible(why: impl ToString) -> PlayError {
    PlayError::Impossible(why.to_string())
}
