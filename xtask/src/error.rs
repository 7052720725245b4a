//! Why a tool of the project stopped: one sentence that a person can act on.

use provisioning::client::ClientError;
use std::{io, path::Path};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system says no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ended otherwise than it should.
    #[error("{program} {how}")]
    Program {
        /// Its name, as a person knows it.
        program: String,
        /// How it ended, and where to read more.
        how: String,
    },
    /// A program printed what can't be read.
    #[error("{program} printed what can't be read: {line}")]
    Output {
        /// Its name.
        program: String,
        /// What it printed, or what is wrong with it.
        line: String,
    },
    /// A condition did not come true in time.
    #[error("not within {seconds} s: {what}")]
    TimedOut {
        /// The condition.
        what: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The server's API refuses or can't be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// MQTT or its TLS.
    #[error("{what}: {why}")]
    Mqtt {
        /// What was tried.
        what: String,
        /// What the other side, or the library, said.
        why: String,
    },
    /// Something that has to be on the machine is not.
    #[error("{0}")]
    Missing(String),
    /// Everything ran, and the result is not good.
    #[error("{0}")]
    Verdict(String),
}

/// Gives an I/O error the thing that was tried.
pub trait Tried<T> {
    /// `what`: a few words, such as "write agent.toml".
    ///
    /// # Errors
    /// The same, with these words.
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Tried<T> for io::Result<T> {
    fn tried(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}

/// Writes a file; the error names it.
///
/// # Errors
/// When it can't be written.
pub fn write(file: &Path, content: &str) -> Result<(), Error> {
    std::fs::write(file, content).tried(|| format!("write {}", file.display()))
}

/// Makes a folder and those above it; the error names it.
///
/// # Errors
/// When it can't be made.
pub fn make_folder(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).tried(|| format!("make the folder {}", folder.display()))
}
