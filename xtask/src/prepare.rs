//! Builds what a demonstration needs, if it is older than its sources. Prints what it does.

use crate::error::{Error, Tried};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// The repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The dashboard's sources.
pub fn dashboard_folder() -> PathBuf {
    root().join("server").join("dashboard")
}

/// Runs a command in a folder with its output shown, and waits for it.
///
/// # Errors
/// When it can't be started or fails.
pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), Error> {
    run_with(folder, program, arguments, &[])
}

/// The same, with environment variables.
///
/// # Errors
/// When it can't be started or fails.
pub fn run_with(folder: &Path, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), Error> {
    let shown = format!("{program} {}", arguments.join(" "));
    match command(folder, program, arguments).envs(environment.iter().copied()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Program { program: shown, how: format!("failed ({status})") }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::Missing(format!("`{program}` is needed and is not on this machine")))
        }
        Err(error) => Err(error).tried(|| format!("run {shown}")),
    }
}

/// A command in a folder, which is shown. It knows nothing of who started it.
pub fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    println!("    $ {program} {}", arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        // `cargo run` describes this package in its environment. A cargo started from here would find
        // what depends on that (ring's build script) changed, and build half the workspace anew.
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo, as it started us.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Builds server and agent, as for the whole workspace: with the features of a part, libraries would be built twice.
///
/// # Errors
/// When the build fails.
pub fn programs() -> Result<(), Error> {
    println!("Building the server and the agent");
    run(&root(), &cargo(), &["build", "--workspace", "--bin", "tirta-server", "--bin", "tirta-agent"])
}

/// Builds what makes a past for the demo.
///
/// # Errors
/// When the build fails.
pub fn past() -> Result<(), Error> {
    println!("Building what makes the history");
    run(&root(), &cargo(), &["build", "--workspace", "--bin", "tirta-history"])
}

/// Builds the victim of `powercut`, which uses the agent's own library.
///
/// # Errors
/// When the build fails.
pub fn victim() -> Result<(), Error> {
    println!("Building the victim");
    run(&root(), &cargo(), &["build", "--workspace", "--example", "powercut"])
}

/// Builds the dashboard if its sources are newer than the result.
///
/// # Errors
/// When npm is missing or the build fails.
pub fn dashboard() -> Result<(), Error> {
    let folder = dashboard_folder();
    install_packages(&folder)?;
    let built = modified(&folder.join("dist").join("index.html"));
    let newest = newest_source(&folder).tried(|| format!("look through {}", folder.display()))?;
    if built.is_some() && built >= newest {
        println!("The dashboard is up to date");
        return Ok(());
    }
    println!("Building the dashboard");
    run(&folder, "npm", &["run", "build"])
}

/// `npm ci`, if it was not done since the list of packages changed.
///
/// # Errors
/// When npm is missing or fails.
pub fn install_packages(folder: &Path) -> Result<(), Error> {
    let wanted = modified(&folder.join("package-lock.json"));
    let installed = modified(&folder.join("node_modules").join(".package-lock.json"));
    if wanted.is_none() {
        return Err(Error::Missing(format!("{} has no package-lock.json", folder.display())));
    }
    if installed.is_some() && installed >= wanted {
        return Ok(());
    }
    println!("Installing the dashboard's packages");
    run(folder, "npm", &["ci", "--no-audit", "--no-fund"])
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|about| about.modified()).ok()
}

/// When something that the dashboard is built from last changed.
fn newest_source(folder: &Path) -> io::Result<Option<SystemTime>> {
    const BUILT: [&str; 4] = ["dist", "node_modules", "test-results", "playwright-report"];
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if BUILT.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let changed =
            if entry.file_type()?.is_dir() { newest_source(&path)? } else { entry.metadata()?.modified().ok() };
        newest = newest.max(changed);
    }
    Ok(newest)
}
