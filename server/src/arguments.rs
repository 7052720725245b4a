//! What can be typed after `tirta-server`. The man pages are made from it too, so it knows nothing of the server.

use clap::{Parser, Subcommand};
use shared::DeviceName;
use std::path::PathBuf;

/// Takes in the readings of a fleet of water probes, keeps them, shows them and tells the devices what to do.
#[derive(Parser)]
#[command(name = "tirta-server", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run the server until SIGTERM or SIGINT.
    Run {
        /// Configuration file; server.example.toml shows every key.
        #[arg(long)]
        config: PathBuf,
    },
    /// Print every stored reading, one JSON object a line, in the order of device, buffer and sequence.
    Export {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Only this device.
        #[arg(long)]
        device: Option<DeviceName>,
    },
    /// Give the admin a new password, print it, take the second factor away, end the admin's sessions and withdraw what the admin let in (invitations, API keys); works beside a running server.
    NewPassword {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Save the fleet's authority under a passphrase, or restore it.
    #[command(subcommand)]
    Authority(AuthorityCommand),
    /// Ask the server that runs with this configuration, on this machine, whether it is ready. Exit status: 0 if it is.
    Health {
        /// Configuration file; it has to name `http.plain`.
        #[arg(long)]
        config: PathBuf,
    },
    /// Print the description of the HTTP interface (OpenAPI 3.1, JSON).
    Openapi,
}

/// What can be done with the authority's files.
#[derive(Subcommand)]
pub enum AuthorityCommand {
    /// Write the authority to a file, its key under a passphrase: of TIRTA_PASSPHRASE, or the first line of standard
    /// input. Works beside a running server.
    Backup {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
        /// File to make; it must not be there.
        #[arg(long)]
        to: PathBuf,
    },
    /// Put the authority of a back-up into an empty data folder; the passphrase comes as for the back-up.
    Restore {
        /// Configuration file.
        #[arg(long)]
        config: PathBuf,
        /// The back-up.
        #[arg(long)]
        from: PathBuf,
    },
}
