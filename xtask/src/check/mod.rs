//! `cargo xtask test`: what has to hold before anything lands, as a list of steps; the first that fails ends it.

mod deny;
mod packages;
mod shots;
mod tests;

pub use deny::tools_folder;
pub use packages::{install as install_tools, install_one};
pub use shots::{ShotsOptions, documents, shots};

use crate::error::Error;
use crate::fleet::{Fleet, FleetSetup, Folder, Programs};
use crate::fuzz::{self, FuzzOptions};
use crate::prepare::{cargo, dashboard_folder, install_packages, root, run, run_with};
use std::{future::Future, path::Path, time::Instant};

/// How much is checked.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckOptions {
    /// Only what needs no other program: format, lints, unit tests.
    #[arg(long)]
    pub fast: bool,
}

/// Runs all steps.
///
/// # Errors
/// The first that fails.
pub async fn run_checks(options: &CheckOptions) -> Result<(), Error> {
    let start = Instant::now();
    if options.fast {
        step("Format", async { format() }).await?;
        step("Lints", async { lints() }).await?;
        step("Unit tests", async { unit_tests() }).await?;
    } else {
        let deny = deny::begin()?;
        step("Programs that the tests use", async { packages::install_missing() }).await?;
        step("Format", async { format() }).await?;
        step("Dashboard: types, style, build, unit tests", async { dashboard() }).await?;
        step("Lints", async { lints() }).await?;
        let tests = step("Tests are built", tests::build()).await?;
        // Most of either is waiting for the other end.
        let both = async {
            let (tests, browser) = tokio::join!(tests.run(), browser(None, &[]));
            tests.and(browser)
        };
        step("Tests, on SQLite and PostgreSQL, and the dashboard in a browser, on running fleets", both).await?;
        step("The interface, by made-up requests", fuzz::run_fuzz(&FuzzOptions::short())).await?;
        step("Dependencies: licences, bans, sources", async { deny.check() }).await?;
    }
    println!("\nAll checks passed in {} s", start.elapsed().as_secs());
    Ok(())
}

async fn step<T>(name: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    println!("\n== {name}");
    let start = Instant::now();
    let result = work.await;
    let how = if result.is_ok() { "passed" } else { "FAILED" };
    println!("== {name}: {how} after {:.1} s", start.elapsed().as_secs_f64());
    result
}

fn format() -> Result<(), Error> {
    run(&root(), &cargo(), &["fmt", "--all", "--check"])
}

fn lints() -> Result<(), Error> {
    run(&root(), &cargo(), &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
}

fn unit_tests() -> Result<(), Error> {
    run(&root(), &cargo(), &["test", "--workspace", "--lib", "--bins", "--test", "repository", "--test", "wire"])
}

fn dashboard() -> Result<(), Error> {
    let folder = dashboard_folder();
    install_packages(&folder)?;
    for script in ["build", "check", "test"] {
        run(&folder, "npm", &["run", script])?;
    }
    Ok(())
}

/// What the dashboard's tests call the sizes of screen that they are run at.
const SCREENS: [&str; 2] = ["phone", "desktop"];

/// Each size of screen has a fleet of its own, so that both go on at once: most of a journey is waiting.
/// `which` says to Playwright which journeys.
async fn browser(shots: Option<&Path>, which: &'static [&'static str]) -> Result<(), Error> {
    let [phone, desktop] = SCREENS.map(|screen| Box::pin(journeys(screen, shots, which)));
    let (phone, desktop) = tokio::join!(phone, desktop);
    phone.and(desktop)
}

async fn journeys(screen: &'static str, shots: Option<&Path>, which: &'static [&'static str]) -> Result<(), Error> {
    let folder = Folder::open(None, &format!("browser-{screen}"))?;
    let setup = FleetSetup::new(&folder.path, 5)?;
    let mut fleet = Fleet::start(&Programs::beside_us()?, &setup).await?;
    let mut environment =
        vec![("TIRTA_URL", fleet.server.http_url()), ("TIRTA_PASSWORD", fleet.server.password()?.to_owned())];
    environment.extend(shots.map(|folder| ("TIRTA_SHOTS", folder.to_string_lossy().into_owned())));
    let run = move || {
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let results = format!("test-results/{screen}");
        let words = [&["run", "e2e", "--", "--project", screen, "--output", &results][..], which].concat();
        run_with(&dashboard_folder(), "npm", &words, &environment)
    };
    let seen = tokio::task::spawn_blocking(run).await.map_err(|error| Error::Missing(error.to_string()))?;
    if seen.is_err() {
        folder.keep();
    }
    seen.and(fleet.stop().await)
}
