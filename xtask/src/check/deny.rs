//! `cargo deny`, without the advisories: their database can't be reached from every machine, so the public CI checks them.

use crate::error::{Error, Tried};
use crate::prepare::{cargo, command, root, run};
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// A known version, so that a new release of the tool breaks nobody's build.
const VERSION: &str = "0.20.2";

/// The tool, which is there, or is being installed into the target folder with the time that nothing else wants.
pub struct Tool {
    program: PathBuf,
    coming: Option<Child>,
}

/// Begins to install it if it is not there.
///
/// # Errors
/// When that can't be begun.
pub fn begin() -> Result<Tool, Error> {
    let tools = tools_folder()?;
    let program = tools.join("bin").join("cargo-deny");
    if program.is_file() {
        return Ok(Tool { program, coming: None });
    }
    println!("Installing cargo-deny {VERSION} into {} meanwhile", tools.display());
    let (cargo, tools) = (cargo(), tools.to_string_lossy().into_owned());
    let install = ["-n", "19", &cargo, "install", "cargo-deny", "--locked", "--debug", "--version", VERSION, "--quiet"];
    let mut command = command(&root(), "nice", &[&install[..], &["--root", &tools]].concat());
    // Nobody debugs it, and it is built a quarter faster so; in a folder of its own no other build waits for it.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("CARGO_TARGET_DIR").stdin(Stdio::null());
    Ok(Tool { program, coming: Some(command.spawn().tried(|| "begin to install cargo-deny".to_owned())?) })
}

impl Tool {
    /// Checks licences, bans and sources.
    ///
    /// # Errors
    /// When the tool could not be installed, or finds something.
    pub fn check(mut self) -> Result<(), Error> {
        if let Some(coming) = &mut self.coming {
            let ended = coming.wait().tried(|| "wait for cargo-deny".to_owned())?;
            if !ended.success() {
                return Err(Error::Missing(format!("cargo-deny {VERSION} could not be installed")));
            }
        }
        let words = ["--log-level", "warn", "check", "licenses", "bans", "sources"];
        run(&root(), &self.program.to_string_lossy(), &words)
    }
}

impl Drop for Tool {
    /// Nobody waits for it any more: something else failed.
    fn drop(&mut self) {
        if let Some(coming) = &mut self.coming {
            let _ = coming.kill();
            let _ = coming.wait();
        }
    }
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
