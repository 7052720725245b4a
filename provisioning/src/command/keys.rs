//! `tirta keys`: API keys for programs, made, listed and withdrawn. What a key may do, the server says.

use super::access::Access;
use super::error::TirtaError;
use super::words::{say, seconds};
use clap::Subcommand;
use provisioning::instant::{day, minute};
use provisioning::keys::{Key, NewKey};
use shared::DeviceName;
use std::io::Write;

/// What can be done with API keys.
#[derive(Subcommand)]
pub enum Command {
    /// Makes a key and prints it; it is not shown again. The program sends it as `Authorization: Bearer ...`.
    Add {
        /// What gets it: a-z, 0-9 and '-'.
        name: String,
        /// What it may do, such as read or write_readings; more than one with commas between them.
        #[arg(long, value_name = "PERMISSION,...", value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// It hands in readings of these devices only.
        #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
        devices: Vec<DeviceName>,
        /// For how long: 12h, 90d; until it is withdrawn if absent.
        #[arg(long, value_name = "DURATION", value_parser = seconds)]
        valid: Option<u64>,
    },
    /// Lists the keys, without their secrets.
    List,
    /// Withdraws a key: it opens nothing any more, and connections that it opened end.
    Revoke {
        /// As `tirta keys list` shows it.
        id: String,
    },
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::Add { name, scopes, devices, valid } => {
                let devices = devices.into_iter().map(String::from).collect();
                let made =
                    access.sign_in().await?.create_key(&NewKey { name, scopes, devices, valid_s: valid }).await?;
                let secret = made.key.as_deref().ok_or(TirtaError::Missing("key"))?;
                // The key alone goes to the output, so that a script can take it from there.
                writeln!(out, "{secret}")?;
                writeln!(std::io::stderr(), "Key {} for {}. It is not shown again.", made.id, made.name)?;
            }
            Self::List => {
                for key in &access.sign_in().await?.keys().await? {
                    say(out, &line(key))?;
                }
            }
            Self::Revoke { id } => access.sign_in().await?.revoke_key(&id).await?,
        }
        Ok(())
    }
}

fn line(key: &Key) -> String {
    let Key { id, name, scopes, devices, state, made_by, expires_at, used_at, .. } = key;
    let until = expires_at.map_or_else(|| "until withdrawn".to_owned(), |at| format!("until {}", day(at)));
    let used = used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", minute(at)));
    let only = devices.as_ref().map(|names| format!("  of {}", names.join(","))).unwrap_or_default();
    format!("{id}  {state:<7}  {name:<20}  {}{only}  {until}, {used}  by {made_by}", scopes.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_with_what_it_may_and_since_when_it_was_not_used() {
        let text = r#"{"id":"k1","name":"scada","scopes":["read","write_readings"],"devices":["well-3"],"state":"good",
            "made_by":"admin","expires_at":1767225599999,"used_at":null}"#;
        let wanted =
            "k1  good     scada                 read,write_readings  of well-3  until 2025-12-31, never used  by admin";
        assert_eq!(line(&serde_json::from_str(text).unwrap()), wanted);
    }
}
