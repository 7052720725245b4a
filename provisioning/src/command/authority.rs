//! `tirta authority`: who signs the fleet's certificates, and the change from one key to the next.

use super::access::Access;
use super::error::TirtaError;
use super::token::devices;
use super::words::say;
use clap::Subcommand;
use provisioning::authority::{Authority, Previous};
use provisioning::instant::day;
use std::io::{self, BufRead, IsTerminal, Write};

/// What can be done with the authority.
#[derive(Subcommand)]
pub enum Command {
    /// Shows who signs, and which devices are still on the one before.
    Show,
    /// Has a new key sign. Devices get their next certificate from it; the old one is believed until it is retired.
    Rotate,
    /// Ends the trust in the old key. Devices that are still on it have to enrol again.
    Retire {
        /// Without asking, and even if devices are still on it.
        #[arg(long)]
        yes: bool,
    },
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        let client = access.sign_in().await?;
        let authority = match self {
            Self::Show => client.authority().await?,
            Self::Rotate => client.rotate_authority().await?,
            Self::Retire { yes } => {
                let authority = client.authority().await?;
                let previous = authority.previous.as_ref();
                confirm(yes, previous.ok_or_else(nothing_to_retire)?)?;
                client.retire_authority().await?
            }
        };
        Ok(show(&authority).iter().try_for_each(|line| say(out, line))?)
    }
}

fn nothing_to_retire() -> TirtaError {
    TirtaError::Arguments("there is no old authority: tirta authority rotate makes a new one first".to_owned())
}

/// Asks on a terminal; elsewhere, and where devices would be lost, only `--yes` will do.
fn confirm(yes: bool, previous: &Previous) -> Result<(), TirtaError> {
    let refuse = |why: String| Err(TirtaError::Unconfirmed(why));
    match (yes, previous.devices) {
        (true, _) => Ok(()),
        (false, 0) if io::stdin().is_terminal() => {
            write!(io::stderr(), "End the trust in {}? It does not come back. [y/N] ", previous.ca_sha256)?;
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line)?;
            let agreed = ["y", "yes"].contains(&line.trim().to_lowercase().as_str());
            if agreed { Ok(()) } else { refuse("nothing was retired".to_owned()) }
        }
        (false, 0) => refuse("the old authority does not come back: say --yes if that is meant".to_owned()),
        (false, still) => refuse(format!(
            "{} still on the old authority would have to enrol again: wait until they have renewed (tirta authority show), or say --yes",
            devices(i64::try_from(still).unwrap_or(i64::MAX))
        )),
    }
}

fn show(authority: &Authority) -> Vec<String> {
    let Authority { ca_sha256, subject, expires_at, previous } = authority;
    let mut lines = vec![format!("{ca_sha256}  {subject}  until {}  signs", day(*expires_at))];
    lines.extend(previous.as_ref().map(|Previous { ca_sha256, devices: still, expires_at }| {
        let still = devices(i64::try_from(*still).unwrap_or(i64::MAX));
        format!("{ca_sha256}  the one before  until {}  {still} still on it", day(*expires_at))
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_that_would_be_lost_are_counted_before_anything_is_retired() {
        let previous = |devices| Previous { ca_sha256: "00".to_owned(), devices, expires_at: 0 };
        let why = confirm(false, &previous(3)).unwrap_err().to_string();
        assert!(why.starts_with("3 devices still on the old authority") && why.contains("--yes"), "{why}");
        assert!(confirm(true, &previous(3)).is_ok());
    }

    #[test]
    fn both_authorities_are_shown_while_there_are_two() {
        let text = r#"{"ca_sha256":"aa","subject":"Tirta","expires_at":0,"previous":{"ca_sha256":"bb","devices":1,"expires_at":0}}"#;
        let authority: Authority = serde_json::from_str(text).unwrap();
        assert_eq!(
            show(&authority),
            ["aa  Tirta  until 1970-01-01  signs", "bb  the one before  until 1970-01-01  1 device still on it"]
        );
    }
}
