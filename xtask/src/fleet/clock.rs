//! An agent's wall clock that lies: libfaketime before the program, an offset in a file, and the file of a time daemon.
//!
//! The offset can be changed while the program runs. The clock that nobody can set is left alone, as it is on
//! a real machine whose wall clock is set.

use crate::error::{Error, Tried, write};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Where Debian's package `faketime` puts its library, below the folder of the architecture.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The clock of one agent.
#[derive(Debug, Clone)]
pub struct FakeClock {
    library: PathBuf,
    offset: PathBuf,
    synced: PathBuf,
}

impl FakeClock {
    /// A clock that is off by some days and was never synchronised; its files are in this folder.
    ///
    /// # Errors
    /// When libfaketime is not installed or the offset can't be written.
    pub fn new(folder: &Path, days: i32) -> Result<Self, Error> {
        let clock = Self {
            library: library()?,
            offset: folder.join("clock-offset"),
            synced: folder.join("clock-synchronized"),
        };
        clock.set(days)?;
        Ok(clock)
    }

    /// What an agent's process has to be started with.
    pub fn environment(&self) -> [(&'static str, OsString); 5] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.offset.clone().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }

    /// The time daemon's file, for the configuration.
    pub fn synced_file(&self) -> &Path {
        &self.synced
    }

    /// Somebody sets the clock: it is off by some days.
    ///
    /// # Errors
    /// When the offset can't be written.
    pub fn set(&self, days: i32) -> Result<(), Error> {
        // Renamed, so that the agent never reads half of it.
        let aside = self.offset.with_extension("new");
        write(&aside, &format!("{:+}\n", i64::from(days) * 86_400))?;
        fs::rename(&aside, &self.offset).tried(|| format!("write {}", self.offset.display()))
    }

    /// The time daemon sets it right and says so.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn sync(&self) -> Result<(), Error> {
        self.set(0)?;
        write(&self.synced, "")
    }

    /// The time daemon has not synchronised any more, as after a boot.
    ///
    /// # Errors
    /// When its file can't be removed.
    pub fn forget(&self) -> Result<(), Error> {
        match fs::remove_file(&self.synced) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).tried(|| format!("remove {}", self.synced.display()))
            }
            _ => Ok(()),
        }
    }
}

fn library() -> Result<PathBuf, Error> {
    let folders = fs::read_dir("/usr/lib").tried(|| "look into /usr/lib".to_owned())?;
    let mut found = folders.flatten().map(|folder| folder.path().join(LIBRARY)).filter(|file| file.exists());
    found.next().ok_or_else(|| Error::Missing("install what Debian calls faketime: clocks are made to jump".to_owned()))
}

/// What this machine's clock shows, in milliseconds since 1970.
#[allow(clippy::disallowed_methods)] // the fleet's agents are judged by it, so nobody can pass it in
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_in_the_file_and_a_sync_undoes_it_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let clock = FakeClock::new(folder.path(), -30).unwrap();
        let offset = || fs::read_to_string(folder.path().join("clock-offset")).unwrap();
        assert_eq!(offset(), "-2592000\n");
        assert!(!clock.synced_file().exists());
        clock.sync().unwrap();
        assert_eq!(offset(), "+0\n");
        assert!(clock.synced_file().exists());
        clock.forget().unwrap();
        clock.forget().unwrap();
        assert!(!clock.synced_file().exists());
    }
}
