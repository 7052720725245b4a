//! A past for a fleet, made by a program of its own before the server starts: what it is asked, and what it leaves.

use super::child::{Child, last_words};
use super::{Programs, server::keep_secret};
use crate::error::{Error, Tried};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Beside the folders of server and agents.
const FILE: &str = "history.json";

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How many days, 1 to 90.
    pub days: u32,
    /// What is drawn.
    pub seed: u64,
}

/// What was made.
#[derive(Debug, Clone, Deserialize)]
pub struct Past {
    /// How many days.
    pub days: u32,
    /// How often was measured.
    pub interval_ms: u64,
    /// How much there is.
    pub made: Made,
    /// The devices that go on.
    pub devices: Vec<Tank>,
    /// Who may sign in; the admin first.
    pub accounts: Vec<Account>,
    /// The buffers that it was sent from: no agent of this fleet has them.
    pub buffers: BTreeSet<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[allow(missing_docs)] // the names say it
pub struct Made {
    pub readings: u64,
    pub alerts: u64,
    pub open_alerts: u64,
    pub outages: u64,
    pub calibrations: u64,
    pub audit: u64,
}

/// What a device measures in.
#[derive(Debug, Clone, Deserialize)]
pub struct Tank {
    /// The device's number.
    pub number: u32,
    /// The word for it in the agent's configuration.
    pub water: String,
    /// Whether its pH electrode is worn.
    pub worn: bool,
}

/// An account.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: String,
    /// Its password.
    pub password: String,
}

/// Reads a number of days, such as `30d`.
///
/// # Errors
/// What to write instead.
pub fn days(text: &str) -> Result<u32, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| (1..=90).contains(days));
    days.ok_or_else(|| "give a number of days from 1d to 90d, such as 30d".to_owned())
}

impl Past {
    /// Makes a past for the fleet in a folder, whose server is configured but has never run. Says how far it is.
    ///
    /// # Errors
    /// When the folder has a fleet already, or the program fails.
    pub async fn make(programs: &Programs, folder: &Path, wanted: &Wanted, devices: u32) -> Result<Self, Error> {
        let program = programs.server.with_file_name("tirta-history");
        if !program.exists() {
            let missing = format!("{} is not there: run `cargo build --package history`", program.display());
            return Err(Error::Missing(missing));
        }
        let log = folder.join("history.log");
        let (days, devices, seed) = (format!("{}d", wanted.days), devices.to_string(), wanted.seed.to_string());
        let words = ["--history", &days, "--devices", &devices, "--seed", &seed, "--folder"];
        let arguments: Vec<_> = words.iter().map(AsRef::as_ref).chain([folder.as_os_str()]).collect();
        let (mut child, out) = Child::start_reading("tirta-history", &program, &arguments, &log)?;
        let mut lines = BufReader::new(out).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            print!("\r    day {line}");
            let _ = std::io::Write::flush(&mut std::io::stdout());
        }
        println!();
        if !child.ended_well().await? {
            return Err(Error::Verdict(format!("there is no history; {}", last_words(&log))));
        }
        let past = Self::of(folder)?.ok_or_else(|| Error::Missing(format!("{FILE} was not written")))?;
        if let Some(admin) = past.accounts.first() {
            keep_secret(&folder.join("server").join("password"), &admin.password)?;
        }
        Ok(past)
    }

    /// The past that a fleet's folder has, if it has one.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn of(folder: &Path) -> Result<Option<Self>, Error> {
        let file = folder.join(FILE);
        if !file.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&file).tried(|| format!("read {}", file.display()))?;
        let broken = |error: serde_json::Error| Error::Output { program: FILE.to_owned(), line: error.to_string() };
        serde_json::from_str(&text).map(Some).map_err(broken)
    }

    /// What a device of a number measures in.
    pub fn tank(&self, number: u32) -> Option<&Tank> {
        self.devices.iter().find(|tank| tank.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_ninety_days_are_understood_and_all_else_is_refused_with_what_to_write() {
        assert_eq!(["1d", "30d", "90d"].map(days), [Ok(1), Ok(30), Ok(90)]);
        for bad in ["0d", "91d", "30", "d", "-1d", "1.5d", "2w", ""] {
            assert!(days(bad).unwrap_err().contains("1d to 90d"), "{bad}");
        }
    }
}
