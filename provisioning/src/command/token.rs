//! `tirta token`: enrolment tokens made, listed and withdrawn. What a token means, the server says.

use super::access::Access;
use super::error::TirtaError;
use super::words::{say, seconds, serials_in};
use clap::{Args, Subcommand, ValueEnum};
use provisioning::instant::day;
use provisioning::tokens::{Admits, NewToken, Token};
use shared::Serial;
use std::{io::Write, path::PathBuf};

/// What can be done with tokens.
#[derive(Subcommand)]
pub enum Command {
    /// Makes a token and prints it; it is not shown again. `tirta fleet-config` makes the whole file instead.
    Create(Wanted),
    /// Lists the tokens, without their secrets.
    List,
    /// Withdraws a token: nobody enrols with it any more.
    #[command(visible_alias = "delete")]
    Revoke {
        /// As `tirta token list` shows it.
        id: String,
    },
}

/// The token that is wanted.
#[derive(Args)]
pub struct Wanted {
    /// How many devices may enrol with it.
    #[arg(long, value_name = "N", default_value_t = 99)]
    uses: u32,
    /// For how long: 30m, 12h, 7d.
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = seconds)]
    valid: u64,
    /// Whom it lets in at once; the others wait for approval.
    #[arg(long, default_value = "registered")]
    admits: Whom,
    /// Only names that are registered at this location.
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
    /// Only these boards.
    #[arg(long, value_name = "SERIAL,...", value_delimiter = ',', conflicts_with = "serials_file")]
    serials: Vec<Serial>,
    /// Only the boards in this file: a serial a line, remarks after #.
    #[arg(long, value_name = "FILE")]
    serials_file: Option<PathBuf>,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// The words of `--admits`.
#[derive(Clone, Copy, ValueEnum)]
enum Whom {
    Registered,
    Any,
}

impl Wanted {
    /// What to ask the server for; reads the file of serials.
    pub fn read(self) -> Result<NewToken, TirtaError> {
        let serials = match &self.serials_file {
            Some(file) => serials_in(file)?,
            None => self.serials,
        };
        let admits = match self.admits {
            Whom::Registered => Admits::Registered,
            Whom::Any => Admits::Any,
        };
        let Self { uses, valid: valid_s, note, location, .. } = self;
        Ok(NewToken { uses, valid_s, note, admits: Some(admits), location, serials })
    }
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::Create(wanted) => {
                let wanted = wanted.read()?;
                let made = access.sign_in().await?.create_token(&wanted).await?;
                let secret = made.token.as_deref().ok_or(TirtaError::Missing("token"))?;
                // The token alone goes to the output, so that a script can take it from there.
                writeln!(out, "{secret}")?;
                let id = &made.id;
                writeln!(std::io::stderr(), "Token {id}, for {}. It is not shown again.", devices(made.uses_left))?;
            }
            Self::List => {
                let tokens = access.sign_in().await?.tokens().await?;
                // The clock of this machine is the one that whoever reads this has.
                let now = i64::try_from(time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000);
                let now = now.unwrap_or(i64::MAX);
                for token in &tokens {
                    say(out, &line(token, now))?;
                }
            }
            Self::Revoke { id } => access.sign_in().await?.revoke_token(&id).await?,
        }
        Ok(())
    }
}

/// So many devices.
pub fn devices(number: i64) -> String {
    if number == 1 { "1 device".to_owned() } else { format!("{number} devices") }
}

fn line(token: &Token, now: i64) -> String {
    let Token { id, uses, uses_left, expires_at, note, admits, location, serials, .. } = token;
    let mut only = Vec::new();
    only.extend(location.as_ref().map(|location| format!("at {location:?}")));
    match serials.as_slice() {
        [] => {}
        [serial] => only.push(format!("serial {serial}")),
        several => only.push(format!("{} serials", several.len())),
    }
    let admits = format!("{admits:<10} {}", only.join(", "));
    let state = token.state(now);
    format!("{id}  {state:<7}  {uses_left:>5} of {uses:<5} left  until {}  {}  {note}", day(*expires_at), admits.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_with_what_is_left_of_it_and_whom_it_lets_in() {
        let text = r#"{"id":"t1","uses":99,"uses_left":7,"expires_at":1767225599999,"note":"harbour","admits":"registered",
            "location":"Pond 3","serials":["10000000a3c40011","10000000a3c40012"],"revoked_at":null}"#;
        let token: Token = serde_json::from_str(text).unwrap();
        let wanted = "t1  valid        7 of 99    left  until 2025-12-31  registered at \"Pond 3\", 2 serials  harbour";
        assert_eq!(line(&token, 0), wanted);
        assert!(line(&token, i64::MAX).starts_with("t1  expired"));
    }
}
