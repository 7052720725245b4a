//! `tirta`, the administrator's command line. It speaks only to the server's API, and owns its arguments and its output.

mod registry;
mod show;

use clap::{Args, Parser, Subcommand};
use provisioning::client::{Client, ClientError, NewToken};
use provisioning::history::NewRecomputation;
use provisioning::instant;
use registry::RegistryError;
use std::{
    io::{BufRead, IsTerminal, Write},
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

/// Administers a Tirta server.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    access: Access,
    #[command(subcommand)]
    command: What,
}

#[derive(Args)]
struct Access {
    /// The server's address; plain http only on this machine.
    #[arg(long, global = true, env = "TIRTA_SERVER", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The server's ca.pem, for https.
    #[arg(long, global = true, env = "TIRTA_CA")]
    ca: Option<PathBuf>,
    /// Whose password TIRTA_PASSWORD, the prompt or the first line of the input gives.
    #[arg(long, global = true, env = "TIRTA_USER", default_value = "admin")]
    user: String,
}

#[derive(Subcommand)]
enum What {
    /// Enrolment tokens: what a new device shows to be taken into the fleet.
    #[command(subcommand)]
    Token(TokenCommand),
    /// The devices of the fleet.
    #[command(subcommand)]
    Devices(DevicesCommand),
    /// The calibrations of a device.
    #[command(subcommand)]
    Calibrations(CalibrationsCommand),
    /// Computes readings again from the raw millivolts, beside what the device sent.
    Recompute {
        /// Which device.
        #[arg(long)]
        device: String,
        /// Which metric; every one whose sensor is known if absent.
        #[arg(long)]
        metric: Option<String>,
        /// From when on: a day (UTC) or an instant (RFC 3339).
        #[arg(long, value_parser = instant::read)]
        from: i64,
        /// Until when, exclusive.
        #[arg(long, value_parser = instant::read)]
        to: i64,
        /// The calibration to compute all of it with, as `tirta calibrations list` shows it; the one that was in
        /// force at the time of each reading if absent.
        #[arg(long)]
        calibration: Option<String>,
    },
}

#[derive(Subcommand)]
enum CalibrationsCommand {
    /// Lists them, newest first.
    List {
        /// Which device.
        #[arg(long)]
        device: String,
    },
    /// Takes one back that is in force: what was in force before it is so again.
    Undo {
        /// Which device.
        #[arg(long)]
        device: String,
        /// As `tirta calibrations list` shows it.
        id: String,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Makes a token and prints it; it is not shown again.
    Create {
        /// How many devices may enrol with it.
        #[arg(long, default_value_t = 99)]
        uses: u32,
        /// For how long: 30m, 12h, 7d.
        #[arg(long, default_value = "7d", value_parser = seconds)]
        valid: u64,
        /// What it is for.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Lists the tokens, without their secrets.
    List,
    /// Withdraws a token.
    Delete {
        /// As `tirta token list` shows it.
        id: String,
    },
}

#[derive(Subcommand)]
enum DevicesCommand {
    /// Lists the devices.
    List,
    #[command(flatten)]
    Registry(registry::Command),
}

#[derive(Debug, thiserror::Error)]
enum TirtaError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the password can't be read: {0}")]
    Password(std::io::Error),
    #[error("no password: set TIRTA_PASSWORD, or write it on the standard input")]
    NoPassword,
    #[error("{0} has not said what its sensors are: it does so when it connects; name one with --metric")]
    NoSensor(String),
    #[error("the answer holds no token")]
    NoToken,
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tirta: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), TirtaError> {
    // Before anybody is asked for a password.
    let file = match &cli.command {
        What::Devices(DevicesCommand::Registry(command)) => command.file()?,
        _ => None,
    };
    let mut client = Client::new(&cli.access.server, cli.access.ca.as_deref())?;
    client.sign_in(&cli.access.user, &password(&cli.access.user)?).await?;
    let mut out = std::io::stdout().lock();
    match cli.command {
        What::Token(TokenCommand::Create { uses, valid, note }) => {
            let made = client.create_token(&NewToken { uses, valid_s: valid, note }).await?;
            let secret = made.token.ok_or(TirtaError::NoToken)?;
            // The token alone goes to the output, so that a script can take it from there.
            writeln!(out, "{secret}")?;
            writeln!(std::io::stderr(), "Token {}, for {} devices. It is not shown again.", made.id, made.uses_left)?;
        }
        What::Token(TokenCommand::List) => {
            for token in client.tokens().await? {
                writeln!(out, "{}", show::token(&token))?;
            }
        }
        What::Token(TokenCommand::Delete { id }) => client.delete_token(&id).await?,
        What::Devices(DevicesCommand::List) => {
            for device in client.devices().await? {
                writeln!(out, "{}", show::device(&device))?;
            }
        }
        What::Devices(DevicesCommand::Registry(command)) => command.run(&client, file, &mut out).await?,
        What::Calibrations(CalibrationsCommand::List { device }) => {
            for line in show::records(&client.calibrations(&device).await?) {
                writeln!(out, "{line}")?;
            }
        }
        What::Calibrations(CalibrationsCommand::Undo { device, id }) => {
            writeln!(out, "{}", show::record(&client.undo_calibration(&device, &id).await?, "in force"))?;
        }
        What::Recompute { device, metric, from, to, calibration } => {
            let metrics = match metric {
                Some(metric) => vec![metric],
                None => client.computed_metrics(&device).await?,
            };
            if metrics.is_empty() {
                return Err(TirtaError::NoSensor(device));
            }
            for metric in metrics {
                let new = NewRecomputation { metric, from, to, calibration: calibration.clone() };
                writeln!(out, "{}", show::revision(&device, &client.recompute(&device, &new).await?))?;
            }
        }
    }
    Ok(())
}

/// A password is never an argument: every user of the machine could read it in the list of processes.
fn password(user: &str) -> Result<String, TirtaError> {
    if let Ok(password) = std::env::var("TIRTA_PASSWORD") {
        return Ok(password);
    }
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        write!(std::io::stderr(), "Password of {user}: ")?;
        echo(false);
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if terminal {
        echo(true);
        writeln!(std::io::stderr())?;
    }
    read.map_err(TirtaError::Password)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() { Err(TirtaError::NoPassword) } else { Ok(password.to_owned()) }
}

/// Where there is no `stty` the password is seen while it is typed, which is no reason to stop.
fn echo(on: bool) {
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).stdin(Stdio::inherit()).status();
}

/// Reads `90s`, `30m`, `12h` or `7d`.
fn seconds(text: &str) -> Result<u64, String> {
    let why = || format!("{text:?} is no duration: write a number with s, m, h or d, such as 7d");
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(why)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(why()),
    };
    match digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(why()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent_and_the_documented_commands_are_some() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        for words in [
            "tirta token create --server http://127.0.0.1:8080 --user admin --uses 99 --valid 7d --note harbour",
            "tirta devices import fleet.csv --dry-run",
            "tirta devices range 1 99 --location Greenhouse",
            "tirta devices export",
            "tirta calibrations list --device pi-7",
            "tirta calibrations undo --device pi-7 00c0ffee00c0ffee",
            "tirta recompute --device pi-7 --metric ph --from 2026-11-01 --to 2026-11-08T12:00:00Z",
        ] {
            assert!(Cli::try_parse_from(words.split(' ')).is_ok(), "{words}");
        }
    }

    #[test]
    fn a_duration_has_a_unit_and_is_not_nothing() {
        assert_eq!(seconds("7d"), Ok(604_800));
        assert_eq!(seconds("90s"), Ok(90));
        for bad in ["", "d", "7", "7w", "0h", "-1d", "99999999999999999d", "7é"] {
            assert!(seconds(bad).is_err(), "{bad:?}");
        }
    }
}
