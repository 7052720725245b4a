//! Programs of other people that the tests talk to, installed from Debian's packages when they are missing.

use crate::error::Error;
use crate::postgres::{self, is_root};
use crate::prepare::{root, run_with};
use std::path::Path;

/// Debian's name of a package, and a program of it.
const WANTED: [(&str, &str); 9] = [
    ("mosquitto", "mosquitto"),
    ("mosquitto-clients", "mosquitto_pub"),
    ("chromium", "chromium"),
    ("postgresql", "initdb"),
    ("strace", "strace"),
    ("faketime", "faketime"),
    ("openssl", "openssl"),
    ("curl", "curl"),
    ("jq", "jq"),
];

/// Installs what the tests need and is missing, and says so.
///
/// # Errors
/// When it can't, with the list of what a person has to install.
pub fn install_missing() -> Result<(), Error> {
    install(&WANTED)
}

/// The same for one program.
///
/// # Errors
/// When it is missing and can't be installed.
pub fn install_one(program: &str) -> Result<(), Error> {
    let wanted: Vec<_> = WANTED.into_iter().filter(|(_, known)| *known == program).collect();
    install(&wanted)
}

/// The same for these: Debian's name of a package, and a program of it.
///
/// # Errors
/// When one is missing and can't be installed.
pub fn install(wanted: &[(&str, &str)]) -> Result<(), Error> {
    let missing: Vec<&str> = wanted.iter().filter(|(_, program)| !is_there(program)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        println!("All there");
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_there("apt-get") {
        return Err(Error::Missing(format!("install what Debian calls {list}, or use `cargo xtask test --fast`")));
    }
    println!("Installing {list} from Debian's packages");
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"][..], &missing].concat())
}

fn apt(arguments: &[&str]) -> Result<(), Error> {
    let silent = [("DEBIAN_FRONTEND", "noninteractive")];
    if is_root() {
        run_with(&root(), "apt-get", arguments, &silent)
    } else {
        run_with(&root(), "sudo", &[&["--preserve-env=DEBIAN_FRONTEND", "apt-get"], arguments].concat(), &silent)
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Daemons are where only root looks, and PostgreSQL's programs are in a folder for each version.
    let more = ["/usr/sbin", "/usr/local/sbin"].map(|folder| Path::new(folder).to_owned());
    let folders = std::env::split_paths(&path).chain(more).chain(postgres::programs());
    folders.into_iter().any(|folder| folder.join(program).is_file())
}
