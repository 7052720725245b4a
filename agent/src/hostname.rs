//! The machine is called as the device is: `/etc/hostname`, the line `127.0.1.1` of `/etc/hosts`, and the kernel.
//! Knows no identity; it is given the name.

use crate::files::write_atomically;
use shared::DeviceName;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The address under which Debian writes down a machine's own name.
const OWN: &str = "127.0.1.1";

/// Why a machine can't be renamed.
#[derive(Debug, thiserror::Error)]
pub enum HostnameError {
    /// A file can't be read or written.
    #[error("{path}: {error}; this needs root (sudo)")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The kernel refuses.
    #[error("the kernel's host name can't be set ({0}); this needs root (sudo)")]
    Kernel(io::Error),
}

/// Whether there was anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Done {
    /// It was right already.
    Nothing,
    /// It is right now.
    Changed,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "the host name is right",
            Self::Changed => "the host name is set",
        })
    }
}

/// Writes the name into the files below `root`. First `hosts`: a machine that can't find its own name is slow.
///
/// # Errors
/// When one can't be read or written; each is either old or new then.
pub fn write(root: &Path, name: &DeviceName) -> Result<Done, HostnameError> {
    let hosts = replace(&root.join("etc/hosts"), |text| hosts(text, name))?;
    let hostname = replace(&root.join("etc/hostname"), |_| format!("{name}\n"))?;
    Ok(hosts.max(hostname))
}

/// Tells the running kernel.
///
/// # Errors
/// When this process may not.
pub fn tell_kernel(name: &DeviceName) -> Result<Done, HostnameError> {
    let known = rustix::system::uname();
    if known.nodename().to_bytes() == name.as_str().as_bytes() {
        return Ok(Done::Nothing);
    }
    rustix::system::sethostname(name.as_str().as_bytes()).map_err(|error| HostnameError::Kernel(error.into()))?;
    Ok(Done::Changed)
}

fn replace(path: &Path, new: impl FnOnce(&str) -> String) -> Result<Done, HostnameError> {
    let failed = |error| HostnameError::File { path: path.to_owned(), error };
    let (old, mode) = match std::fs::read_to_string(path) {
        Ok(text) => (text, std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777),
        Err(error) if error.kind() == ErrorKind::NotFound => (String::new(), 0o644),
        Err(error) => return Err(failed(error)),
    };
    let new = new(&old);
    if new == old {
        return Ok(Done::Nothing);
    }
    write_atomically(path, new.as_bytes(), mode).map_err(failed)?;
    Ok(Done::Changed)
}

/// The file with the machine's own name in the first line for [`OWN`]; other lines, and other names there, stay.
fn hosts(text: &str, name: &DeviceName) -> String {
    let mut written = false;
    let mut lines: Vec<String> = vec![];
    for line in text.lines() {
        let (entry, comment) = line.find('#').map_or((line, ""), |at| line.split_at(at));
        let mut words = entry.split_whitespace();
        if written || words.next() != Some(OWN) {
            lines.push(line.to_owned());
            continue;
        }
        written = true;
        let is_right = words.next() == Some(name.as_str());
        let gap = if comment.is_empty() { "" } else { " " };
        lines.push(if is_right { line.to_owned() } else { format!("{OWN}\t{name}{gap}{comment}") });
    }
    if !written {
        lines.push(format!("{OWN}\t{name}"));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n\n127.0.1.1\traspberrypi\n10.0.0.1 nas\n";

    fn root(hosts: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        if let Some(hosts) = hosts {
            std::fs::write(folder.path().join("etc/hosts"), hosts).unwrap();
            std::fs::write(folder.path().join("etc/hostname"), "raspberrypi\n").unwrap();
        }
        folder
    }

    fn read(root: &tempfile::TempDir, name: &str) -> String {
        std::fs::read_to_string(root.path().join("etc").join(name)).unwrap()
    }

    #[test]
    fn the_machine_is_called_as_the_device_and_all_other_lines_stay() {
        let root = root(Some(HOSTS));
        let name = DeviceName::numbered(7);
        assert_eq!(write(root.path(), &name).unwrap(), Done::Changed);
        assert_eq!(read(&root, "hostname"), "pi-7\n");
        assert_eq!(read(&root, "hosts"), HOSTS.replace("raspberrypi", "pi-7"));
        assert_eq!(write(root.path(), &name).unwrap(), Done::Nothing, "the second time there is nothing to do");
    }

    #[test]
    fn an_image_without_these_files_gets_them() {
        let root = root(None);
        write(root.path(), &DeviceName::numbered(7)).unwrap();
        assert_eq!((read(&root, "hostname").as_str(), read(&root, "hosts").as_str()), ("pi-7\n", "127.0.1.1\tpi-7\n"));
    }

    #[test]
    fn a_comment_stays_and_a_commented_line_is_none() {
        let name = DeviceName::numbered(7);
        assert_eq!(hosts("127.0.1.1 old # ours\n", &name), "127.0.1.1\tpi-7 # ours\n");
        assert_eq!(hosts("# 127.0.1.1 old\n", &name), "# 127.0.1.1 old\n127.0.1.1\tpi-7\n");
        assert_eq!(hosts("127.0.1.1 pi-7 alias\n", &name), "127.0.1.1 pi-7 alias\n");
    }

    #[test]
    fn what_can_not_be_written_says_who_may() {
        let root = tempfile::tempdir().unwrap();
        let error = write(root.path(), &DeviceName::numbered(7)).unwrap_err().to_string();
        assert!(error.contains("etc/hosts") && error.contains("sudo"), "{error}");
    }
}
