//! Makes a past for the fleet in a folder, before its server starts: `cargo xtask demo --history` calls it.

use clap::Parser;
use history::error::PlayError;
use history::identity::write;
use history::play::{Wanted, config_of, play};
use history::span::Days;
use history::summary::FILE;
use server::clock::SystemClock;
use server::config::Config;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Makes a past for a fleet.
#[derive(Parser)]
struct Arguments {
    /// The fleet's folder, with the configuration of its server.
    #[arg(long)]
    folder: PathBuf,
    /// How long, such as 30d.
    #[arg(long)]
    history: Days,
    /// How many devices.
    #[arg(long)]
    devices: u32,
    /// What is drawn: the same seed is the same past.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tirta-history: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Each line on standard output is the day that has passed; the result is in a file.
async fn run(arguments: Arguments) -> Result<(), PlayError> {
    let Arguments { folder, history: days, devices, seed } = arguments;
    let config = Config::load(&config_of(&folder))?;
    let said = |day: i64, of: i64| {
        let mut out = std::io::stdout();
        let _ = writeln!(out, "{day}/{of}").and_then(|()| out.flush());
    };
    let wanted = Wanted { days, devices, seed, folder: folder.clone() };
    let summary = play(&config, &wanted, None, &SystemClock, said).await?;
    let text = serde_json::to_string(&summary).map_err(history::error::impossible)?;
    keep(&folder.join(FILE), &text)
}

/// It has passwords: for its owner's eyes.
fn keep(file: &Path, text: &str) -> Result<(), PlayError> {
    write(file, "")?;
    let owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(file, owner).map_err(|error| PlayError::File { path: file.to_owned(), error })?;
    write(file, text)
}
