//! `tirta devices`: the fleet, and boards that change places in it.

use super::access::Access;
use super::error::TirtaError;
use super::registry;
use super::words::{say, seconds};
use clap::Subcommand;
use provisioning::boards::{Claim, Claimed};
use provisioning::client::Device;
use provisioning::instant::{day, minute};
use shared::{DeviceName, Serial};
use std::io::Write;

/// What can be done with devices.
#[derive(Subcommand)]
pub enum Command {
    /// Lists the devices: serial, state, readings that wait on it, its agent, until when its certificate is good.
    List,
    #[command(flatten)]
    Registry(registry::Command),
    /// Says where a device stands, as scanning its label does; lets its board in if that waits.
    Claim {
        /// As on the label.
        name: DeviceName,
        /// Where it stands.
        #[arg(long, value_name = "TEXT")]
        location: String,
        /// As on the label or the board.
        #[arg(long)]
        serial: Option<Serial>,
    },
    /// Has another board take over a device's name and history.
    Replace {
        /// The device.
        name: DeviceName,
        /// Of the board that takes its place; one that has not asked yet gets the name when it does.
        #[arg(long)]
        serial: Serial,
    },
    /// Decommissions a device: it is cut off at once, and its data stays.
    Revoke {
        /// The device.
        name: DeviceName,
    },
    /// Lets boards that were set up anew come back to their names by themselves, for a while; shows whether they may.
    Returns {
        /// For how long: 30m, 2h.
        #[arg(long = "for", value_name = "DURATION", value_parser = seconds, conflicts_with = "close")]
        duration: Option<u64>,
        /// From now on each of them waits for approval again.
        #[arg(long)]
        close: bool,
    },
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::List => {
                for device in &access.sign_in().await?.devices().await? {
                    say(out, &line(device))?;
                }
            }
            Self::Registry(command) => command.run(access, out).await?,
            Self::Claim { name, location, serial } => {
                let claim = Claim { name: Some(name.to_string()), serial, location };
                say(out, &claimed(&access.sign_in().await?.claim(&claim).await?))?;
            }
            Self::Replace { name, serial } => {
                let done = access.sign_in().await?.replace(name.as_str(), serial).await?;
                let name = &done.name;
                let how = if done.waiting { "is" } else { "becomes, when it first asks," };
                say(out, &format!("{serial} {how} {name}"))?;
            }
            Self::Revoke { name } => access.sign_in().await?.revoke(name.as_str()).await?,
            Self::Returns { duration, close } => {
                let client = access.sign_in().await?;
                let policy = match duration.or(close.then_some(0)) {
                    Some(seconds) => client.allow_returns(seconds).await?,
                    None => client.policy().await?,
                };
                match policy.returns_until {
                    Some(until) => say(out, &format!("boards come back by themselves until {} UTC", minute(until)))?,
                    None => say(out, "closed: a board that was set up anew waits for approval")?,
                }
            }
        }
        Ok(())
    }
}

fn line(device: &Device) -> String {
    let pending = device.buffer.as_ref().map_or_else(|| "-".to_owned(), |buffer| buffer.pending.to_string());
    let agent = device.agent.as_deref().unwrap_or("-");
    let until = device.certificate.as_ref().map_or_else(|| "-".to_owned(), |certificate| day(certificate.expires_at));
    let note = if device.simulated { "simulated" } else { "" };
    let Device { name, serial, state, .. } = device;
    format!("{name:<12} {serial:<16} {state:<11} {pending:>8} pending  {agent:<8} until {until:<10} {note}")
}

fn claimed(claimed: &Claimed) -> String {
    let Claimed { name, serial, location, approved } = claimed;
    let serial = serial.as_deref().unwrap_or("board not known yet");
    let approved = if *approved { ", let in" } else { "" };
    format!("{name} ({serial}) stands at {location:?}{approved}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_a_line_with_what_is_known_of_it() {
        let text = r#"{"name":"pi-7","serial":"10000000a3c40011","state":"online","agent":"0.1.0","buffer":{"pending":3,
            "dropped":0},"certificate":{"serial_number":"01","issued_at":0,"expires_at":86400000,"ca_sha256":"aa"}}"#;
        let wanted = "pi-7         10000000a3c40011 online             3 pending  0.1.0    until 1970-01-02 ";
        assert_eq!(line(&serde_json::from_str(text).unwrap()), wanted);
        let bare = r#"{"name":"pi-8","serial":"10000000a3c40012","state":"quarantined","simulated":true}"#;
        let wanted = "pi-8         10000000a3c40012 quarantined        - pending  -        until -          simulated";
        assert_eq!(line(&serde_json::from_str(bare).unwrap()), wanted);
    }

    #[test]
    fn a_claim_is_told_with_what_it_did() {
        let mut done =
            Claimed { name: "pi-7".to_owned(), serial: None, location: "Pond 3".to_owned(), approved: false };
        assert_eq!(claimed(&done), "pi-7 (board not known yet) stands at \"Pond 3\"");
        done.serial = Some("10000000a3c40011".to_owned());
        done.approved = true;
        assert_eq!(claimed(&done), "pi-7 (10000000a3c40011) stands at \"Pond 3\", let in");
    }
}
