//! `tirta-server authority`: the back-up of the fleet's authority and its restoration. Knows only files and the passphrase.

use crate::arguments::AuthorityCommand;
use server::{ca::backup, config::Config};
use std::{
    error::Error,
    fs::OpenOptions,
    io::{self, BufRead, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Where the passphrase is looked for first.
const PASSPHRASE: &str = "TIRTA_PASSPHRASE";

/// Does it, and says on standard output what was done.
pub fn run(command: &AuthorityCommand) -> Result<(), Box<dyn Error>> {
    match command {
        AuthorityCommand::Backup { config, to } => save(&Config::load(config)?.data_dir, to),
        AuthorityCommand::Restore { config, from } => restore(&Config::load(config)?.data_dir, from),
    }
}

fn save(data_dir: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let named = |error: io::Error| format!("--to {}: {error}", to.display());
    if to.try_exists().map_err(named)? {
        return Err(format!("--to {}: it is there already, and is not overwritten", to.display()).into());
    }
    let text = backup::export(data_dir, &passphrase(true)?)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(named)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(named)?;
    writeln!(io::stdout(), "The authority is in {}. It is worth as much as the passphrase: keep both.", to.display())?;
    Ok(())
}

fn restore(data_dir: &Path, from: &Path) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(from).map_err(|error| format!("--from {}: {error}", from.display()))?;
    let sha256 = backup::import(data_dir, &text, &passphrase(false)?)?;
    writeln!(io::stdout(), "The authority {sha256} is in {}. The server can start.", data_dir.display())?;
    Ok(())
}

/// A new one that somebody types is asked for twice: nobody notices a slip until the day on which it matters.
fn passphrase(new: bool) -> Result<String, Box<dyn Error>> {
    if let Ok(passphrase) = std::env::var(PASSPHRASE) {
        return Ok(passphrase);
    }
    let typed = io::stdin().is_terminal();
    let passphrase = line(typed, "Passphrase (it is shown): ")?;
    if typed && new && line(typed, "Once more: ")? != passphrase {
        return Err("passphrase: the two are not the same".into());
    }
    Ok(passphrase)
}

fn line(ask: bool, question: &str) -> io::Result<String> {
    if ask {
        let mut out = io::stderr();
        write!(out, "{question}")?;
        out.flush()?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
