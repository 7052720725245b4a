//! `cargo xtask fuzz-api`: makes up requests for every operation of the interface, good ones and bad ones, and holds each answer against
//! the document (schemathesis). `cargo xtask test` does the same for a shorter time. The rules are in `xtask/fuzz`.

use crate::check::{install_tools, tools_folder};
use crate::error::{Error, Tried};
use crate::fleet::{Fleet, FleetSetup, Folder, Programs};
use crate::prepare::{root, run, run_with};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Devices whose readings the interface has to show meanwhile.
const DEVICES: u32 = 2;

/// How much is tried.
#[derive(Debug, Clone, clap::Args)]
pub struct FuzzOptions {
    /// Requests for each operation and phase.
    #[arg(long, default_value_t = 200)]
    pub examples: u32,
    /// Ends after so many seconds at the latest; an access token is good for 900.
    #[arg(long, default_value_t = 840)]
    pub seconds: u32,
    /// The same seed makes up the same requests.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only these phases.
    #[arg(long, default_value = "examples,coverage,fuzzing,stateful")]
    pub phases: String,
    /// Uses the programs as they were built before.
    #[arg(long)]
    pub no_build: bool,
}

impl FuzzOptions {
    /// What every change has to stand: about a minute and a half.
    pub fn short() -> Self {
        let phases = "examples,coverage".to_owned();
        Self { examples: 5, seconds: 90, seed: 1, phases, no_build: true }
    }
}

/// Runs it against a server of its own with some devices; the last line is JSON.
///
/// # Errors
/// When anything is found, or can't be run.
pub async fn run_fuzz(options: &FuzzOptions) -> Result<(), Error> {
    let start = Instant::now();
    let program = schemathesis()?;
    let folder = Folder::open(None, "fuzz")?;
    let setup = FleetSetup::new(&folder.path, DEVICES)?;
    let mut fleet = Fleet::start(&Programs::beside_us()?, &setup).await?;
    let report = folder.path.join("report.json");
    let result = tried(options, &program, &fleet, &report);
    let found = if result.is_ok() { "nothing" } else { "something" };
    if result.is_err() {
        folder.keep();
    }
    let stopped = fleet.stop().await;
    println!(
        "{{\"fuzz_api\":\"{found}\",\"examples\":{},\"seed\":{},\"seconds\":{}}}",
        options.examples,
        options.seed,
        start.elapsed().as_secs()
    );
    result.and(stopped)
}

fn tried(options: &FuzzOptions, program: &str, fleet: &Fleet, report: &Path) -> Result<(), Error> {
    let signed_in = fleet.client().authorization();
    let token = signed_in.as_deref().and_then(|bearer| bearer.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| Error::Missing("the client is not signed in".to_owned()))?;
    let document = root().join("server").join("openapi.json");
    let (examples, seconds, seed) =
        (options.examples.to_string(), options.seconds.to_string(), options.seed.to_string());
    let (url, document, report) = (fleet.server.http_url(), document.to_string_lossy(), report.to_string_lossy());
    let what = ["--config-file", "schemathesis.toml", "run", &document, "--url", &url];
    let bounds = ["--max-examples", &examples, "--max-time", &seconds, "--seed", &seed, "--phases", &options.phases];
    let shown = ["--no-color", "--report", "json", "--report-json-path", &report];
    let environment = [("TIRTA_SESSION", token), ("TIRTA_URL", &url)];
    run_with(&rules(), program, &[&what[..], &bounds, &shown].concat(), &environment)
}

/// Where the rules are.
fn rules() -> PathBuf {
    root().join("xtask").join("fuzz")
}

/// The program, in a Python environment of its own in the target folder; made when it is not there or the list of its packages changed.
fn schemathesis() -> Result<String, Error> {
    let wanted = rules().join("requirements.txt");
    let list = std::fs::read(&wanted).tried(|| format!("read {}", wanted.display()))?;
    let folder = tools_folder()?.join("schemathesis");
    let (program, done) = (folder.join("bin").join("schemathesis"), folder.join("requirements.txt"));
    if !std::fs::read(&done).is_ok_and(|done| done == list) || !program.is_file() {
        let (home, wanted) = (folder.to_string_lossy(), wanted.to_string_lossy());
        println!("Installing schemathesis into {home}: this takes a minute, once");
        install_tools(&[("python3", "python3")])?;
        if run(&root(), "python3", &["-c", "import ensurepip, venv"]).is_err() {
            // No program of it is for people.
            install_tools(&[("python3-venv", "python3-venv")])?;
        }
        run(&root(), "python3", &["-m", "venv", "--clear", &home])?;
        let pip = folder.join("bin").join("pip");
        run(&root(), &pip.to_string_lossy(), &["install", "--quiet", "--requirement", &wanted])?;
        std::fs::write(&done, &list).tried(|| format!("write {}", done.display()))?;
    }
    Ok(program.to_string_lossy().into_owned())
}
