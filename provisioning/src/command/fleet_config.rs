//! `tirta fleet-config`: the file that makes cards of one image belong to a fleet, with a token made for it.

use super::access::Access;
use super::error::TirtaError;
use super::token::{Wanted, devices};
use super::words::address;
use clap::Args;
use provisioning::fleet_file::{Names, naming, read, write};
use provisioning::instant::day;
use provisioning::tokens::Token;
use shared::fleet::FLEET_FILE;
use std::{io, io::Write, path::Path, path::PathBuf};

/// Makes the fleet file.
#[derive(Args)]
pub struct FleetConfig {
    /// Where to write it; - is the standard output.
    #[arg(long, value_name = "FILE", default_value = FLEET_FILE)]
    out: PathBuf,
    /// Replaces a file that is there.
    #[arg(long)]
    force: bool,
    /// The address at which devices find the server; what the server says of itself if absent.
    #[arg(long, value_name = "https://HOST:PORT", value_parser = address, conflicts_with = "discover")]
    address: Option<String>,
    /// Names no server: devices look for it on their local network.
    #[arg(long)]
    discover: bool,
    #[command(flatten)]
    token: Wanted,
}

impl FleetConfig {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        let to_output = self.out == Path::new("-");
        // Before there is a token that nobody would have.
        if !to_output && !self.force && self.out.symlink_metadata().is_ok() {
            return Err(TirtaError::Exists(self.out));
        }
        let names = match (self.address, self.discover) {
            (Some(address), _) => Names::Server(address),
            (None, true) => Names::Nobody,
            (None, false) => Names::AsGiven,
        };
        let wanted = self.token.read()?;
        let made = access.sign_in().await?.create_token(&wanted).await?;
        let stranded = |why: String| TirtaError::Stranded { id: made.id.clone(), why };
        let text = made.fleet_file.as_deref().ok_or_else(|| stranded("the answer holds no fleet file".to_owned()))?;
        let text = naming(text, &names).map_err(|e| stranded(format!("the fleet file: {e}")))?;
        if to_output {
            out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| stranded(e.to_string()))?;
        } else {
            let why = |e: io::Error| stranded(format!("{}: {e}", self.out.display()));
            write(&self.out, &text, self.force).map_err(why)?;
        }
        let server = read(&text).map_err(stranded)?.server;
        let whither = (!to_output).then_some(self.out.as_path());
        Ok(writeln!(io::stderr(), "{}", advice(whither, server.as_deref(), &made))?)
    }
}

/// What to do with the file.
fn advice(file: Option<&Path>, server: Option<&str>, token: &Token) -> String {
    let which = match file {
        Some(file) if file.file_name().is_some_and(|name| name == FLEET_FILE) => {
            format!("Copy {} to the boot partition of each card.", file.display())
        }
        Some(file) => format!("Copy {} to the boot partition of each card, as {FLEET_FILE}.", file.display()),
        None => format!("Put it on the boot partition of each card, as {FLEET_FILE}."),
    };
    let server = match server {
        Some(server) => format!("Devices ask {server}."),
        None => "Devices look for the server on their local network.".to_owned(),
    };
    let Token { id, uses_left, expires_at, .. } = token;
    let left = devices(*uses_left);
    format!(
        "{which}\n{server}\nToken {id} in it is good for {left} until {}: tirta token revoke {id} ends it.",
        day(*expires_at)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_the_file_as_the_card_needs_it() {
        let token = serde_json::from_str(r#"{"id":"t1","uses_left":1,"expires_at":0}"#).unwrap();
        let said = advice(Some(Path::new("x/tirta-fleet.toml")), Some("https://a:1"), &token);
        assert_eq!(
            said,
            "Copy x/tirta-fleet.toml to the boot partition of each card.\nDevices ask https://a:1.\n\
             Token t1 in it is good for 1 device until 1970-01-01: tirta token revoke t1 ends it."
        );
        assert!(advice(Some(Path::new("pond.toml")), None, &token).contains("of each card, as tirta-fleet.toml.\n"));
        assert!(advice(None, None, &token).contains("look for the server"));
    }
}
