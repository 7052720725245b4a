//! The commands of `tirta`, a module per noun: each owns its arguments and what it prints. What is so, the server says.

mod access;
mod audit;
mod audit_chain;
mod authority;
mod calibrations;
mod devices;
mod error;
mod fleet_config;
mod image;
mod keys;
mod labels;
mod people;
mod registry;
mod token;
mod users;
mod waiting;
mod words;

use clap::{Parser, Subcommand};

/// Administers a Tirta server: who is in the fleet, who may join, and what was done.
#[derive(Parser)]
#[command(name = "tirta", version, subcommand_help_heading = "What", disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    access: access::Access,
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// Makes the file for the boot partition of each card, which brings devices into the fleet.
    FleetConfig(fleet_config::FleetConfig),
    /// The image for the cards.
    #[command(subcommand)]
    Image(image::Command),
    /// Makes labels with a code to scan, as PDF or PNG for the printer.
    Labels(labels::Labels),
    /// Boards that ask for an identity and wait for approval.
    #[command(subcommand)]
    Waiting(waiting::Command),
    /// The devices of the fleet, expected and enrolled; boards that change places.
    #[command(subcommand)]
    Devices(devices::Command),
    /// Enrolment tokens: what a new device shows to be taken into the fleet.
    #[command(subcommand)]
    Token(token::Command),
    /// API keys: what lets other programs in.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Who may sign in, and what they may do.
    #[command(subcommand)]
    Users(users::Command),
    /// The authority that signs the fleet's certificates.
    #[command(subcommand)]
    Authority(authority::Command),
    /// Who did what, newest first; all of it as a file, and whether it is whole.
    Audit(audit::Audit),
    /// The calibrations of a device.
    #[command(subcommand)]
    Calibrations(calibrations::Command),
    /// Computes readings again from the raw millivolts, beside what the device sent.
    Recompute(calibrations::Recompute),
}

/// Does what was typed.
pub async fn run(cli: Cli) -> Result<(), error::TirtaError> {
    let access = &cli.access;
    let mut out = std::io::stdout().lock();
    let done = match cli.command {
        What::FleetConfig(command) => command.run(access, &mut out).await,
        What::Image(command) => command.run(&mut out),
        What::Labels(command) => command.run(access).await,
        What::Waiting(command) => command.run(access, &mut out).await,
        What::Devices(command) => command.run(access, &mut out).await,
        What::Token(command) => command.run(access, &mut out).await,
        What::Keys(command) => command.run(access, &mut out).await,
        What::Users(command) => command.run(access, &mut out).await,
        What::Authority(command) => command.run(access, &mut out).await,
        What::Audit(command) => command.run(access, &mut out).await,
        What::Calibrations(command) => command.run(access, &mut out).await,
        What::Recompute(command) => command.run(access, &mut out).await,
    };
    access.sign_out().await;
    done
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
            "tirta token create --admits any --location Greenhouse --serials 10000000a3c40011,10000000a3c40012",
            "tirta token revoke 0123",
            "tirta token delete 0123",
            "tirta fleet-config --out - --uses 99 --valid 7d --admits registered --address https://tirta.local:8443",
            "tirta fleet-config --discover --serials-file boards.txt --force",
            "tirta image customise tirta.img.zst --fleet-config tirta-fleet.toml --out pond.img --time-zone Asia/Jakarta",
            "tirta image customise /dev/sdx --wifi-ssid Kolam --wifi-country ID --wifi-passphrase-file - --ssh-key a.pub",
            "tirta labels --format pdf --out labels.pdf --names pi-1..pi-99 --address https://tirta.local:8443",
            "tirta labels --out labels.png --location Greenhouse --paper letter --columns 2 --rows 7",
            "tirta waiting list",
            "tirta waiting approve w1 w2 --location Greenhouse",
            "tirta waiting approve --all",
            "tirta waiting approve w1 --replaces pi-3",
            "tirta waiting refuse w1",
            "tirta devices import fleet.csv --dry-run",
            "tirta devices range 1 99 --location Greenhouse",
            "tirta devices export",
            "tirta devices replace pi-7 --serial 10000000a3c40011",
            "tirta devices revoke pi-7",
            "tirta devices returns",
            "tirta devices returns --for 2h",
            "tirta devices returns --close",
            "tirta devices claim pi-7 --location Greenhouse --serial 10000000a3c40011",
            "tirta audit --device pi-7 --limit 20",
            "tirta audit export --out audit.jsonl",
            "tirta audit export --out - --format csv --from 2026-11-01 --to 2026-12-01",
            "tirta audit verify",
            "tirta audit verify --file audit.jsonl",
            "tirta audit verify --database tirta.db --head 0:0000000000000000000000000000000000000000000000000000000000000000",
            "tirta keys list",
            "tirta keys add scada --scopes read,write_readings --devices well-3,well-4 --valid 90d",
            "tirta keys revoke k1",
            "tirta users list",
            "tirta users add tono --role technician --email tono@example.org",
            "tirta users role tono supervisor",
            "tirta users disable tono",
            "tirta users disable tono --undo",
            "tirta users reset-password tono",
            "tirta users password",
            "tirta users invite --role technician",
            "tirta users invite --role auditor --name Rini --email rini@example.org --valid 12h",
            "tirta users invitations",
            "tirta users withdraw a1",
            "tirta users pending",
            "tirta users approve tono --role technician --without-email",
            "tirta users refuse tono",
            "tirta authority show",
            "tirta authority rotate",
            "tirta authority retire --yes",
            "tirta calibrations list --device pi-7",
            "tirta calibrations undo --device pi-7 00c0ffee00c0ffee",
            "tirta recompute --device pi-7 --metric ph --from 2026-11-01 --to 2026-11-08T12:00:00Z",
        ] {
            assert!(Cli::try_parse_from(words.split(' ')).is_ok(), "{words}");
        }
        for words in [
            "tirta labels --out labels.pdf --names pi-9..pi-1",
            "tirta labels --out labels.pdf --columns 0",
            "tirta waiting approve",
            "tirta waiting approve w1 --all",
            "tirta waiting approve --all --location Greenhouse",
            "tirta waiting approve w1 --name pi-3 --replaces pi-4",
            "tirta devices returns --for 2h --close",
            "tirta audit export",
            "tirta audit verify --file a --database b",
            "tirta audit verify --head 7",
            "tirta devices replace pi/7 --serial 10000000a3c40011",
            "tirta devices replace pi-7 --serial 7",
            "tirta fleet-config --discover --address https://tirta.local:8443",
            "tirta fleet-config --address http://tirta.local",
            "tirta token create --serials a3c40011,x",
            "tirta keys add scada",
            "tirta users add tono",
            "tirta users role tono god",
            "tirta users invite",
            "tirta users approve tono",
            "tirta image customise tirta.img",
            "tirta image customise tirta.img --wifi-ssid Kolam",
            "tirta image customise tirta.img --wifi-country ID",
            "tirta image customise tirta.img --time-zone UTC --wifi-hidden",
        ] {
            assert!(Cli::try_parse_from(words.split(' ')).is_err(), "{words}");
        }
    }
}
