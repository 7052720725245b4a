//! Man pages and completions: made by an example of this crate, so that `cargo xtask` itself compiles nothing for them.

use super::{program::target_folder, shell};
use crate::error::Error;
use crate::prepare::{cargo, root, run};
use std::path::PathBuf;

/// Writes them; the folder has one of each program's name, laid out from the root of the file system.
///
/// # Errors
/// When they can't be built or written.
pub fn write() -> Result<PathBuf, Error> {
    let folder = target_folder().join("manual");
    shell::empty_folder(&folder)?;
    println!("Writing man pages and completions");
    let to = folder.to_string_lossy();
    run(&root(), &cargo(), &["run", "--quiet", "--package", "xtask", "--example", "manual", "--", &to])?;
    Ok(folder)
}
