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
            None => new_name(&std::env::temp_dir(), purpose),
        };
        Self::make(path, named.is_none())
    }

    /// A new one, in memory where the system has such a place: for many small files that nobody keeps.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn in_memory(purpose: &str) -> Result<Self, Error> {
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Self::make(new_name(&above, purpose), true)
    }

    /// A new one in the target folder, which is on a disk, whatever `/tmp` is.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn on_disk(purpose: &str) -> Result<Self, Error> {
        let us = std::env::current_exe().tried(|| "find this program's own file".to_owned())?;
        Self::make(new_name(us.parent().unwrap_or(Path::new(".")), purpose), true)
    }

    fn make(path: PathBuf, temporary: bool) -> Result<Self, Error> {
        // It will hold keys and a password.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.tried(|| format!("make the folder {}", path.display()))?;
        Ok(Self { path, temporary: Cell::new(temporary) })
    }

    /// Leaves it where it is, for somebody to look into.
    pub fn keep(&self) {
        self.temporary.set(false);
        eprintln!("Everything is kept in {}", self.path.display());
    }
}

fn new_name(above: &Path, purpose: &str) -> PathBuf {
    above.join(format!("tirta-{purpose}-{:08x}", fastrand::u32(..)))
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
