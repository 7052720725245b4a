//! `cargo xtask bench`: hands over to the benchmarks of the packages, in release, and of the dashboard.

use crate::error::Error;
use crate::postgres::Postgres;
use crate::prepare::{cargo, dashboard_folder, root, run_with};

/// What is measured.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Bench {
    /// From publish to ack: simulated devices over mutual TLS against the real server.
    Ingest {
        /// How many devices.
        #[arg(long, default_value_t = 200)]
        devices: u32,
        /// How long the steady run takes.
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// The engine.
        #[arg(long, default_value = "sqlite", value_parser = ["sqlite", "postgres"])]
        database: String,
    },
    /// How much memory the server needs while all that it has is taken out as files.
    Export {
        /// How many readings.
        #[arg(long, default_value_t = 1_000_000)]
        rows: u64,
        /// The engine.
        #[arg(long, default_value = "sqlite", value_parser = ["sqlite", "postgres"])]
        database: String,
    },
    /// What a chart costs in Chromium: a year against a day.
    Chart,
}

/// Runs it; its last line is one line of JSON.
///
/// # Errors
/// When it can't be built or fails.
pub async fn run(bench: Bench) -> Result<(), Error> {
    let (name, options, database) = match bench {
        Bench::Ingest { devices, seconds, database } => {
            ("ingest", vec![format!("--devices={devices}"), format!("--seconds={seconds}")], database)
        }
        Bench::Export { rows, database } => ("export", vec![format!("--rows={rows}")], database),
        Bench::Chart => return run_with(&dashboard_folder(), "npm", &["run", "--silent", "bench"], &[]),
    };
    let engine = format!("--database={database}");
    let words = ["bench", "--package", "server", "--bench", name, "--", &engine];
    let words = [&words[..], &options.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    if database == "postgres" && std::env::var_os("TIRTA_TEST_POSTGRES").is_none() {
        let cluster = Postgres::start().await?;
        return run_with(&root(), &cargo(), &words, &[("TIRTA_TEST_POSTGRES", cluster.url())]);
    }
    run_with(&root(), &cargo(), &words, &[])
}
