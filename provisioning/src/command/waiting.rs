//! `tirta waiting`: boards that asked for an identity and are not let in by themselves.

use super::access::Access;
use super::error::TirtaError;
use super::words::say;
use clap::{Args, Subcommand};
use provisioning::instant::minute;
use provisioning::waiting::{Approval, Board};
use shared::DeviceName;
use std::io::{self, Write};

/// What can be done with boards that wait.
#[derive(Subcommand)]
pub enum Command {
    /// Lists them: who, since when, and why.
    List,
    /// Lets boards in.
    Approve(Approve),
    /// Turns a board away.
    Refuse {
        /// As `tirta waiting list` shows it.
        id: String,
    },
}

/// Which boards to let in, and on what terms.
#[derive(Args)]
pub struct Approve {
    /// As `tirta waiting list` shows them.
    #[arg(required_unless_present = "all", value_name = "ID")]
    ids: Vec<String>,
    /// Every board that waits only because nobody expected it; not those with a strange key.
    #[arg(long, conflicts_with_all = ["ids", "name", "replaces", "location"])]
    all: bool,
    /// The name that it gets; the registered or next free one if absent.
    #[arg(long, conflicts_with = "replaces")]
    name: Option<DeviceName>,
    /// The device whose name and history it takes over.
    #[arg(long, value_name = "NAME")]
    replaces: Option<DeviceName>,
    /// Where it stands.
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::List => {
                let boards = access.sign_in().await?.waiting().await?;
                if boards.is_empty() {
                    writeln!(io::stderr(), "Nobody waits.")?;
                }
                for board in &boards {
                    say(out, &line(board))?;
                }
            }
            Self::Approve(approve) => approve.run(access, out).await?,
            Self::Refuse { id } => access.sign_in().await?.refuse(&id).await?,
        }
        Ok(())
    }
}

impl Approve {
    async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        if self.ids.len() > 1 && (self.name.is_some() || self.replaces.is_some()) {
            return Err(TirtaError::Arguments("--name and --replaces are for one board: give one ID".to_owned()));
        }
        let client = access.sign_in().await?;
        if self.all {
            let names = client.approve_all().await?;
            if names.is_empty() {
                writeln!(io::stderr(), "Nobody waits who may be let in unseen.")?;
            }
            return Ok(names.iter().try_for_each(|name| say(out, name))?);
        }
        let name = self.name.as_ref().map(ToString::to_string);
        let replaces = self.replaces.as_ref().map(ToString::to_string);
        let approval = Approval { name, replaces, location: self.location };
        if let [id] = self.ids.as_slice() {
            return Ok(say(out, &client.approve(id, &approval).await?)?);
        }
        let mut failed = 0;
        for id in &self.ids {
            // One that can't be let in keeps nobody else out.
            match client.approve(id, &approval).await {
                Ok(name) => say(out, &format!("{id}  {name}"))?,
                Err(error) => {
                    failed += 1;
                    say(&mut io::stderr(), &format!("{id}: {error}"))?;
                }
            }
        }
        if failed == 0 { Ok(()) } else { Err(TirtaError::Some { failed, all: self.ids.len() }) }
    }
}

fn line(board: &Board) -> String {
    let Board { id, serial, key_sha256, address, since, last_asked, .. } = board;
    let key = key_sha256.get(..12).unwrap_or(key_sha256);
    let model = board.model.as_deref().unwrap_or("model unknown");
    let (since, last) = (minute(*since), minute(*last_asked));
    format!("{id}  {serial}  since {since}  last {last}  {address:<15}  key {key}  {}  ({model})", reason(board))
}

/// Why it waits, for people.
fn reason(board: &Board) -> String {
    let device = board.device.as_deref().unwrap_or("another device");
    let mut why = match board.reason.as_str() {
        "not_expected" => "not expected".to_owned(),
        "second_key" => format!("{device} has this serial with another key: set up anew, or an impostor"),
        "shared_key" => format!("two boards used the key of {device}: one is a copy"),
        other => other.to_owned(),
    };
    if let Some(from) = &board.copied_from {
        why.push_str(&format!(", on a card of {} (serial {})", from.name, from.serial));
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(reason: &str, copied: &str) -> Board {
        let text = format!(
            r#"{{"id":"w1","serial":"10000000a3c40011","key_sha256":"0123456789abcdef","model":null,"address":"10.0.0.7",
            "reason":"{reason}","copied_from":{copied},"device":"pi-7","token_id":null,"since":0,"last_asked":60000}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_board_is_told_with_the_reason_why_it_waits() {
        let wanted = "w1  10000000a3c40011  since 1970-01-01 00:00  last 1970-01-01 00:01  10.0.0.7         key 0123456789ab  \
            not expected  (model unknown)";
        assert_eq!(line(&board("not_expected", "null")), wanted);
        assert!(line(&board("second_key", "null")).contains("pi-7 has this serial with another key"));
        let copied = r#"{"name":"pi-3","serial":"10000000a3c40012"}"#;
        assert!(
            line(&board("shared_key", copied)).contains("one is a copy, on a card of pi-3 (serial 10000000a3c40012)")
        );
        assert!(line(&board("a_newer_word", "null")).contains("a_newer_word"));
    }
}
