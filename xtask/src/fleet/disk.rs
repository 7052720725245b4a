//! A disk of a few megabytes that can be filled: a file system in memory, mounted over a folder.

use crate::error::{Error, Tried};
use crate::postgres::is_root;
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Room for the readings of some hours.
const SIZE: &str = "24m";
/// What fills it.
const BALLAST: &str = "ballast";

/// A mounted disk; unmounted when it is dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one over a folder; `None` where that is not allowed.
    pub fn mount(folder: &Path) -> Option<Self> {
        let options = format!("size={SIZE},mode=700");
        let owner = fs::metadata(folder).ok().map(|about| {
            use std::os::unix::fs::MetadataExt;
            format!(",uid={},gid={}", about.uid(), about.gid())
        })?;
        let options = format!("{options}{owner}");
        let mounted = privileged(&["mount", "-t", "tmpfs", "-o", &options, "tirta-small-disk"], folder);
        mounted.then(|| Self(folder.to_owned()))
    }

    /// Writes until nothing fits any more.
    ///
    /// # Errors
    /// When it fails for another reason.
    pub fn fill(&self) -> Result<(), Error> {
        let path = self.0.join(BALLAST);
        let mut file = File::create(&path).tried(|| format!("create {}", path.display()))?;
        let block = [0_u8; 4096];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).tried(|| format!("fill {}", path.display())),
            }
        }
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When what fills it can't be removed.
    pub fn relieve(&self) -> Result<(), Error> {
        let path = self.0.join(BALLAST);
        fs::remove_file(&path).tried(|| format!("remove {}", path.display()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is on it stays where it was, for somebody who looks into the folder after a failure.
        let copy = self.0.with_extension("copy");
        let copied = Command::new("cp").arg("-a").arg(&self.0).arg(&copy).status().is_ok_and(|status| status.success());
        // Lazily: whoever still has a file open keeps it.
        if privileged(&["umount", "--lazy"], &self.0) && copied {
            let _ = fs::rename(&copy, &self.0);
        }
    }
}

/// Runs a command on a folder as root, if we are or may become it without a question.
fn privileged(command: &[&str], folder: &Path) -> bool {
    let mut words = if is_root() { vec![] } else { vec!["sudo", "-n"] };
    words.extend(command);
    let [program, arguments @ ..] = words.as_slice() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
