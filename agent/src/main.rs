//! The command line of Tirta's edge agent. Everything it does is in the library.

use agent::config::{Config, ConfigError};
use agent::time::SystemClock;
use agent::{records, run};
use clap::{Parser, Subcommand};
use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Tirta's edge agent: measures, keeps, and sends until the server has it.
#[derive(Parser)]
#[command(name = "tirta-agent", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure and send until SIGTERM or SIGINT.
    Run {
        /// The configuration (TOML).
        #[arg(long)]
        config: PathBuf,
    },
    /// Print every reading that the buffer still has, and its ledger: one JSON a line.
    Records {
        /// The configuration (TOML).
        #[arg(long)]
        config: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run { config } => run_agent(&config),
        Command::Records { config } => print_records(&config),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up yet.
            let _ = writeln!(std::io::stderr(), "tirta-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_agent(path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let config = Config::load(path)?;
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| ConfigError::Field { field: "log".to_owned(), problem: error.to_string() })?;
    // A log that can't be written (a full disk) would be complained about on the same output, and end the thread.
    let log = tracing_subscriber::fmt().log_internal_errors(false);
    log.with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    // One thread is plenty for one connection, and keeps the agent small.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        Ok(run::run(config, Arc::new(SystemClock), stop).await?)
    });
    // A name look-up may still be going on in its thread.
    runtime.shutdown_background();
    done
}

fn print_records(path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let config = Config::load(path)?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    Ok(records::print(&config.data_dir, &mut output)?)
}
