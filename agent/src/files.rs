//! Files that are old or new after a power cut, never half. Knows nothing of what is in them.

use shared::UtcMillis;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Replaces a file: the content is written beside it, flushed, renamed over it, and the folder is flushed.
///
/// # Errors
/// When any step fails; the old file is then still there.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let aside = beside(path, ".new");
    replace(path, &aside, content, mode).inspect_err(|_| {
        // On a full disk half a file would take the room that the next attempt needs.
        let _ = std::fs::remove_file(&aside);
    })
}

fn replace(path: &Path, aside: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(aside)?;
    // A file left over from a power cut keeps the mode that it was created with.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(aside, path)?;
    sync_folder_of(path)
}

/// Makes a folder and those above it, so that a power cut does not take it away again with all that is in it.
///
/// # Errors
/// When it can't be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above)?;
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        _ => sync_folder_of(path),
    }
}

/// Reads a text that may be anybody's: no longer than so many bytes, and without the mark that some editors put before
/// it. `None`: there is no such file.
///
/// # Errors
/// When it can't be read, is longer, or is no text.
pub fn read_text(path: &Path, longest: u64) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![];
    file.take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        return Err(io::Error::other(format!("it is longer than {longest} bytes, so it is another file")));
    }
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))?;
    Ok(Some(text.trim_start_matches('\u{feff}').to_owned()))
}

/// Whether an error says that there is no such file.
pub fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Puts a symbolic link in the place of whatever file is there.
///
/// # Errors
/// When any step fails; what was there is then still there.
pub fn link_atomically(path: &Path, target: &Path) -> io::Result<()> {
    let aside = beside(path, ".new");
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(target, &aside)?;
    std::fs::rename(&aside, path)?;
    sync_folder_of(path)
}

/// Moves a file that can't be used out of the way, without destroying what may be in it.
///
/// # Errors
/// When it can't be renamed.
pub fn set_aside(path: &Path, now: UtcMillis) -> io::Result<PathBuf> {
    // A clock that stands still (no network, no battery) must not overwrite an earlier one.
    let mut aside = beside(path, &format!(".set-aside-{}", now.0));
    let mut again = 1;
    while aside.exists() {
        aside = beside(path, &format!(".set-aside-{}-{again}", now.0));
        again += 1;
    }
    std::fs::rename(path, &aside)?;
    sync_folder_of(path)?;
    Ok(aside)
}

/// Removes a file, and what a power cut left half written beside it. That it is not there is well too.
///
/// # Errors
/// When it is there and can't be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    for path in [path.to_owned(), beside(path, ".new")] {
        match std::fs::remove_file(&path) {
            Ok(()) => sync_folder_of(&path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Moves a file into another folder of the same card, if it is there.
///
/// # Errors
/// When it can't be renamed.
pub fn move_into(path: &Path, folder: &Path) -> io::Result<()> {
    let target = folder.join(path.file_name().unwrap_or_default());
    match std::fs::rename(path, &target) {
        Ok(()) => sync_folder_of(&target).and_then(|()| sync_folder_of(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The path with something added to the file's name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_readable_only_by_its_owner_even_over_a_left_over_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.key");
        std::fs::write(beside(&path, ".new"), "half of a k").unwrap();
        write_atomically(&path, b"the key", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"the key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!beside(&path, ".new").exists());
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        write_atomically(&path, b"old", 0o644).unwrap();
        std::fs::create_dir(beside(&path, ".new")).unwrap();
        assert!(write_atomically(&path, b"new", 0o644).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn setting_aside_twice_at_the_same_time_keeps_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("buffer.db");
        let mut kept = vec![];
        for content in ["first", "second"] {
            std::fs::write(&path, content).unwrap();
            kept.push(set_aside(&path, UtcMillis(7)).unwrap());
        }
        assert!(!path.exists());
        assert_eq!(std::fs::read_to_string(&kept[0]).unwrap(), "first");
        assert_eq!(std::fs::read_to_string(&kept[1]).unwrap(), "second");
    }
}
