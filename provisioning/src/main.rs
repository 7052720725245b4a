//! `tirta`, the administrator's command line. It speaks only to the server's API.

mod command;

use clap::Parser;
use std::{io::Write, process::ExitCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match command::run(command::Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tirta: {error}");
            ExitCode::FAILURE
        }
    }
}
