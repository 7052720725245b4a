//! Programs whose output is wanted, and temporary trees. Knows nothing of packages.

use crate::error::{Error, Tried};
use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Runs a program in a folder and gives back what it prints.
///
/// # Errors
/// When it can't be started or fails; its own words are in the error.
pub fn output<A: AsRef<OsStr>>(folder: &Path, program: &str, arguments: &[A]) -> Result<String, Error> {
    let done = Command::new(program).args(arguments).current_dir(folder).env("LC_ALL", "C").output();
    let done = done.tried(|| format!("run {program}"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(Error::Program { program: program.to_owned(), how: format!("failed ({}): {words}", done.status) })
}

/// An empty folder; what was there is gone.
///
/// # Errors
/// When it can't be made.
pub fn empty_folder(folder: &Path) -> Result<(), Error> {
    if folder.exists() {
        fs::remove_dir_all(folder).tried(|| format!("remove {}", folder.display()))?;
    }
    crate::error::make_folder(folder)
}

/// Copies a file below folders that need not be there yet, with this mode.
///
/// # Errors
/// When it can't be read or written.
pub fn install(from: &Path, to: &Path, mode: u32) -> Result<(), Error> {
    let content = fs::read(from).tried(|| format!("read {}", from.display()))?;
    put(&content, to, mode)
}

/// The same with a content.
///
/// # Errors
/// When it can't be written.
pub fn put(content: &[u8], to: &Path, mode: u32) -> Result<(), Error> {
    let wrong = || format!("write {}", to.display());
    to.parent().map_or(Ok(()), crate::error::make_folder)?;
    fs::write(to, content).tried(wrong)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).tried(wrong)
}

/// All files below a folder, relative to it, sorted.
///
/// # Errors
/// When a folder can't be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    fn walk(folder: &Path, below: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let below = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &below, found)?;
            } else {
                found.push(below);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(folder, Path::new(""), &mut found).tried(|| format!("look through {}", folder.display()))?;
    found.sort();
    Ok(found)
}
