//! Small private files, written whole or not at all. Knows nothing of what is in them.

use super::CaError;
use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CaError {
    move |source| CaError::Io { path: path.to_owned(), source }
}

pub(super) fn make_private_dir(dir: &Path) -> Result<(), CaError> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed(dir))
}

/// Waits until nobody else holds the folder, and holds it until dropped.
pub(super) fn lock(dir: &Path) -> Result<File, CaError> {
    let handle = File::open(dir).map_err(failed(dir))?;
    handle.lock().map_err(failed(dir))?;
    Ok(handle)
}

/// The text of a file, or `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<String>, CaError> {
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(CaError::Unreadable { path: path.to_owned(), why: "it is not text".to_owned() }),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(path)(e)),
    }
}

/// The text of a file that need not be good: `None` also for one that is no text.
pub(super) fn read_if_text(path: &Path) -> Result<Option<String>, CaError> {
    match read(path) {
        Err(CaError::Unreadable { .. }) => Ok(None),
        other => other,
    }
}

pub(super) fn exists(path: &Path) -> Result<bool, CaError> {
    path.try_exists().map_err(failed(path))
}

/// Removes a file, down to the disk, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), CaError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed(path)(e)),
        Ok(()) => sync_folder_of(path),
    }
}

/// Moves a file out of its place, to where one waits that is not complete.
pub(super) fn set_aside(path: &Path) -> Result<(), CaError> {
    std::fs::rename(path, aside(path)).map_err(failed(path))?;
    sync_folder_of(path)
}

/// Where a file waits until it is complete.
pub(super) fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Writes a file beside its place, readable only by its owner from its first byte on, and down to the disk.
pub(super) fn write_aside(path: &Path, text: &str) -> Result<(), CaError> {
    let aside = aside(path);
    // What an interrupted start left would keep its own permissions.
    match std::fs::remove_file(&aside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(&aside)(e)),
        _ => {}
    }
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(failed(&aside))
}

/// Moves a file that [`write_aside`] completed to its place.
pub(super) fn put_in_place(path: &Path) -> Result<(), CaError> {
    std::fs::rename(aside(path), path).map_err(failed(path))?;
    sync_folder_of(path)
}

fn sync_folder_of(path: &Path) -> Result<(), CaError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed(dir))
}

/// Takes back permissions that somebody else's copy or backup gave to a private file.
pub(super) fn keep_private(path: &Path) {
    let Ok(meta) = std::fs::metadata(path) else { return };
    if meta.permissions().mode() & 0o077 == 0 {
        return;
    }
    tracing::warn!(file = %path.display(), "a private key could be read by others: its permissions are now 0600");
    if let Err(error) = std::fs::set_permissions(path, Permissions::from_mode(0o600)) {
        tracing::error!(file = %path.display(), %error, "the permissions of a private key can't be changed");
    }
}
