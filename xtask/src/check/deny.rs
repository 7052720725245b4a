//! `cargo deny`, without the advisories: their database can't be reached from every machine, so the public CI checks them.

use crate::error::Error;
use crate::prepare::{cargo, root, run, run_with};
use std::path::PathBuf;

/// A known version, so that a new release of the tool breaks nobody's build.
const VERSION: &str = "0.20.2";

/// Checks licences, bans and sources, and installs the tool into the target folder if it is not there.
///
/// # Errors
/// When it can't be installed, or finds something.
pub fn check() -> Result<(), Error> {
    let tools = tools_folder()?;
    let program = tools.join("bin").join("cargo-deny");
    let (program, tools) = (program.to_string_lossy(), tools.to_string_lossy());
    if !PathBuf::from(program.as_ref()).is_file() {
        println!("Installing cargo-deny {VERSION} into {tools}: this takes some minutes, once");
        let install = ["install", "cargo-deny", "--locked", "--debug", "--version", VERSION, "--root", &tools];
        // Nobody debugs it, and it is built a quarter faster so.
        let plain = [("CARGO_PROFILE_DEV_DEBUG", "0")];
        run_with(&root(), &cargo(), &[&install[..], &["--quiet"]].concat(), &plain)?;
    }
    run(&root(), &program, &["--log-level", "warn", "check", "licenses", "bans", "sources"])
}

/// Where tools are kept: in the target folder, where this program itself is.
///
/// # Errors
/// When it is not to be found.
pub fn tools_folder() -> Result<PathBuf, Error> {
    let us = std::env::current_exe().ok();
    let target = us.as_deref().and_then(|us| us.parent()?.parent());
    let target = target.ok_or_else(|| Error::Missing("the target folder is not to be found".to_owned()))?;
    Ok(target.join("tools"))
}
