//! The Tirta server's command line.

mod arguments;
mod authority_command;
mod health_command;

use arguments::{Cli, Command};
use clap::Parser;
use server::clock::SystemClock;
use server::config::{Config, LogFormat};
use server::run::{ADMIN, RunError, Running, start};
use server::store::{Store, StoreError};
use shared::{Clock, DeviceName, Reading};
use std::io::{self, BufWriter, Write};
use std::{error::Error, process::ExitCode, sync::Arc};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run { config } => run(&config).await,
        Command::Export { config, device } => export(&config, device.as_ref()).await,
        Command::NewPassword { config } => new_password(&config).await,
        Command::Authority(command) => authority_command::run(&command),
        Command::Health { config } => health_command::run(&config).await,
        Command::Openapi => openapi(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tirta-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let config = Config::load(config)?;
    log_to_stderr(&config)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let running = tokio::select! {
        running = start(&config, Arc::new(SystemClock)) => running?,
        () = asked_to_stop(&mut terminate, &mut interrupt) => return Ok(()),
    };
    greet(&running)?;
    asked_to_stop(&mut terminate, &mut interrupt).await;
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        () = asked_to_stop(&mut terminate, &mut interrupt) => return Err("stopped at once: asked a second time".into()),
    }
    Ok(())
}

async fn asked_to_stop(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The only lines on standard output: programs read them.
fn greet(running: &Running) -> io::Result<()> {
    let mut out = io::stdout();
    if let Some(password) = &running.first_password {
        let again = "it is not shown again";
        writeln!(out, "First start: sign in as \"{ADMIN}\" with the password \"{password}\" ({again}).")?;
    }
    let plain = running.plain.map(|address| format!(" http://{address}")).unwrap_or_default();
    writeln!(out, "Ready: https://{}{plain}", running.https)?;
    out.flush()
}

fn log_to_stderr(config: &Config) -> Result<(), RunError> {
    // The broker's library reports each connection: ask for it by name, such as "info,mqtt5=info".
    let filter =
        EnvFilter::try_new(format!("mqtt5=warn,{}", config.log)).map_err(|error| RunError::Log(error.to_string()))?;
    // A log that can't be written would be complained about on the same output, which ends the thread.
    let log = tracing_subscriber::fmt().log_internal_errors(false).with_env_filter(filter).with_writer(io::stderr);
    match config.log_format {
        LogFormat::Text => log.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

/// The configuration of a server that has run before: opening a database would make one.
fn load_with_database(config: &std::path::Path) -> Result<Config, Box<dyn Error>> {
    let config = Config::load(config)?;
    match config.database_file() {
        Some(path) if !path.exists() => Err(format!("{}: there is no database yet", path.display()).into()),
        _ => Ok(config),
    }
}

async fn new_password(config: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let password = server::run::new_password(&load_with_database(config)?, SystemClock.now()).await?;
    writeln!(io::stdout(), "Sign in as \"{ADMIN}\" with the password \"{password}\" (it is not shown again).")?;
    Ok(())
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Write(#[from] io::Error),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

async fn export(config: &std::path::Path, device: Option<&DeviceName>) -> Result<(), Box<dyn Error>> {
    /// One line.
    #[derive(serde::Serialize)]
    struct Line<'a> {
        device: &'a DeviceName,
        buffer: shared::BufferId,
        reading: &'a Reading,
    }
    let config = load_with_database(config)?;
    let store = Store::open(&config.database_url).await?;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = store
        .export(device, |device, buffer, reading| {
            serde_json::to_writer(&mut out, &Line { device, buffer, reading })?;
            Ok::<_, ExportError>(out.write_all(b"\n")?)
        })
        .await
        .and_then(|()| Ok(out.flush()?));
    match written {
        // Whoever reads has seen enough, such as `head`.
        Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(ExportError::Json(error)) if error.io_error_kind() == Some(io::ErrorKind::BrokenPipe) => Ok(()),
        other => Ok(other?),
    }
}

fn openapi() -> Result<(), Box<dyn Error>> {
    let text = server::http::openapi::document()?;
    Ok(io::stdout().write_all(text.as_bytes())?)
}
