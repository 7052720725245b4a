//! Where a fleet lives on disk: in a folder that somebody named, or in one that goes with it.

use crate::error::{Error, Tried};
use std::{
    cell::Cell,
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// A folder for keys, databases and logs. A temporary one goes when it is dropped, but not after a failed test.
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    temporary: Cell<bool>,
}

impl Folder {
    /// The named folder, which is made if need be, or a new one of our own.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn open(named: Option<&Path>, purpose: &str) -> Result<Self, Error> {
        let path = match named {
            Some(path) => std::path::absolute(path).tried(|| format!("find {}", path.display()))?,
            None => std::env::temp_dir().join(format!("tirta-{purpose}-{:08x}", fastrand::u32(..))),
        };
        // It will hold keys and a password.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.tried(|| format!("make the folder {}", path.display()))?;
        Ok(Self { path, temporary: Cell::new(named.is_none()) })
    }

    /// Leaves it where it is, for somebody to look into.
    pub fn keep(&self) {
        self.temporary.set(false);
        eprintln!("Everything is kept in {}", self.path.display());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary.get() && std::thread::panicking() {
            self.keep();
        } else if self.temporary.get() {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
