//! `tirta`, the administrator's command line. It speaks only to the server's API, and owns its arguments and its output.

mod registry;

use clap::{Args, Parser, Subcommand};
use provisioning::client::{Client, ClientError, Device, NewToken};
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
                let until = day(token.expires_at);
                writeln!(out, "{}  {:>5} left  until {until}  {}", token.id, token.uses_left, token.note)?;
            }
        }
        What::Token(TokenCommand::Delete { id }) => client.delete_token(&id).await?,
        What::Devices(DevicesCommand::List) => {
            for device in client.devices().await? {
                writeln!(out, "{}", line(&device))?;
            }
        }
        What::Devices(DevicesCommand::Registry(command)) => command.run(&client, file, &mut out).await?,
    }
    Ok(())
}

fn line(device: &Device) -> String {
    let pending = device.buffer.as_ref().map_or_else(|| "-".to_owned(), |buffer| buffer.pending.to_string());
    let agent = device.agent.as_deref().unwrap_or("-");
    let note = if device.simulated { "simulated" } else { "" };
    format!("{:<12} {:<16} {:<8} {pending:>8} pending  {agent:<8} {note}", device.name, device.serial, device.state)
        .trim_end()
        .to_owned()
}

/// The UTC day of an instant in milliseconds, as `2026-11-21`.
fn day(millis: i64) -> String {
    // Years that begin in March put the leap day at their end; an era is 400 of them.
    let days = millis.div_euclid(86_400_000) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
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
    fn the_arguments_are_consistent_and_the_documented_command_is_one() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let words =
            "tirta token create --server http://127.0.0.1:8080 --user admin --uses 99 --valid 7d --note harbour";
        assert!(Cli::try_parse_from(words.split(' ')).is_ok());
        for words in ["import fleet.csv --dry-run", "range 1 99 --location Greenhouse", "export"] {
            assert!(Cli::try_parse_from(format!("tirta devices {words}").split(' ')).is_ok(), "{words}");
        }
    }

    #[test]
    fn a_day_is_right_around_leap_days_and_new_years() {
        for (millis, wanted) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400_000, "2000-02-29"),
            (1_709_251_199_999, "2024-02-29"),
            (1_709_251_200_000, "2024-03-01"),
            (1_767_225_599_999, "2025-12-31"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(day(millis), wanted);
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
