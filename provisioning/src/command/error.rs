//! Why a command failed, in words for whoever typed it.

use provisioning::client::ClientError;
use provisioning::labels::LabelError;
use shared::chain::Broken;
use std::{io, path::PathBuf};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum TirtaError {
    /// The server, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The labels.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// A file that was named.
    #[error("{}: {why}", file.display())]
    File {
        /// As it was given.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Something that would replace a file.
    #[error("{} is there already: take another --out, or --force to replace it", .0.display())]
    Exists(PathBuf),
    /// Arguments that do not go together with each other or with what the server knows.
    #[error("{0}")]
    Arguments(String),
    /// The password was not to be had.
    #[error("the password can't be read: {0}")]
    Password(io::Error),
    /// There was none.
    #[error("no password: set TIRTA_PASSWORD, or write it on the standard input")]
    NoPassword,
    /// Lines that can't be taken.
    #[error("{0} lines are refused, so nothing was imported")]
    Refused(usize),
    /// A device of which nobody knows what it measures.
    #[error("{0} has not said what its sensors are: it does so when it connects; name one with --metric")]
    NoSensor(String),
    /// The server made a token and kept it for itself.
    #[error("the answer holds no {0}: is the server as new as this tirta?")]
    Missing(&'static str),
    /// A token that was made and can't be handed out.
    #[error("{why}; token {id} was made and nobody has it: tirta token revoke {id}")]
    Stranded {
        /// The token.
        id: String,
        /// What went wrong then.
        why: String,
    },
    /// Something that can't be undone.
    #[error("{0}")]
    Unconfirmed(String),
    /// Somebody was at the audit log.
    #[error("the audit log is broken: {0}")]
    Broken(Broken),
    /// Some of several could not be done.
    #[error("{failed} of {all} failed")]
    Some {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
    },
    /// Nobody reads what is said.
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}
