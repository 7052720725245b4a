//! `tirta audit export` and `tirta audit verify`: the log as a file, and whether it is whole. It is computed here, so that
//! nobody has to believe the server.

use super::access::Access;
use super::error::TirtaError;
use clap::{Args, ValueEnum};
use provisioning::audit::Part;
use provisioning::instant;
use provisioning::trail::{Trail, Whole, verify_database};
use serde_json::json;
use shared::chain::{Broken, Head};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The form of the file.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON, one object a line: what `tirta audit verify` reads.
    Jsonl,
    /// For spreadsheets.
    Csv,
}

/// Writes the audit log into a file, oldest first.
#[derive(Args)]
pub struct Export {
    /// Where to; `-` is the standard output.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Its form.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// From this day or instant on.
    #[arg(long, value_name = "TIME", value_parser = instant::read)]
    from: Option<i64>,
    /// Until before this day or instant.
    #[arg(long, value_name = "TIME", value_parser = instant::read)]
    to: Option<i64>,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
}

impl Export {
    /// Does it. What comes in the form that can be verified is verified.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        let Self { out: path, format, from, to, force } = self;
        // Before anybody is asked for a password.
        if !force && path.exists() {
            return Err(TirtaError::Exists(path));
        }
        let client = access.sign_in().await?;
        let part = Part { csv: format == Format::Csv, from, to };
        if path == Path::new("-") {
            let mut failed = None;
            client
                .export_audit(&part, |some| {
                    failed = failed.take().or_else(|| out.write_all(some).err());
                    failed.is_none()
                })
                .await?;
            return failed.map_or(Ok(()), |error| Err(error.into()));
        }
        let mut file = make(&path, force)?;
        let trail = if from.is_none() { Trail::from_the_first(None) } else { Trail::new(None) };
        let (mut trail, mut failed, mut broken) = (trail, None, None);
        let head = client
            .export_audit(&part, |some| {
                failed = failed.take().or_else(|| file.write_all(some).err());
                if !part.csv && broken.is_none() {
                    broken = trail.take(some).err();
                }
                failed.is_none()
            })
            .await?;
        let failed = failed.or_else(|| file.sync_all().err());
        if let Some(error) = failed {
            return Err(TirtaError::File { file: path, why: error.to_string() });
        }
        if part.csv {
            return Ok(writeln!(out, "{}  the log ends with {head}", path.display())?);
        }
        let whole = broken.map_or_else(|| trail.end(), Err);
        verdict(whole, out)
    }
}

fn make(path: &Path, force: bool) -> Result<File, TirtaError> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => TirtaError::Exists(path.to_owned()),
        _ => TirtaError::File { file: path.to_owned(), why: error.to_string() },
    })
}

/// Looks whether anything in the audit log was changed, removed, put in or cut off: of the server, a file or a database.
#[derive(Args)]
pub struct Verify {
    /// An export (`tirta audit export`) instead of a server.
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    file: Option<PathBuf>,
    /// A server's SQLite database, or a copy of one, instead of a server.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// An end of the log that was written down, NUMBER:HASH: without one nobody can tell that the end was cut off, or all of it written anew.
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Option<Head>,
}

impl Verify {
    /// Does it; the last line of the output is JSON.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        let whole = match (self.file, self.database) {
            (Some(file), _) => verify_file(&file, self.head)?,
            (None, Some(file)) => verify_database(&file, self.head)
                .map_err(|error| TirtaError::File { file, why: format!("it is no database of a server: {error}") })?,
            (None, None) => {
                let client = access.sign_in().await?;
                let (mut trail, mut broken) = (Trail::from_the_first(self.head), None);
                let all = Part::default();
                let asked = client.export_audit(&all, |some| {
                    broken = trail.take(some).err();
                    broken.is_none()
                });
                asked.await?;
                broken.map_or_else(|| trail.end(), Err)
            }
        };
        verdict(whole, out)
    }
}

fn verify_file(file: &Path, head: Option<Head>) -> Result<Result<Whole, Broken>, TirtaError> {
    let refuse = |error: std::io::Error| TirtaError::File { file: file.to_owned(), why: error.to_string() };
    let (mut opened, mut trail) = (File::open(file).map_err(refuse)?, Trail::new(head));
    let mut some = vec![0; 64 * 1024];
    loop {
        let count = opened.read(&mut some).map_err(refuse)?;
        if count == 0 {
            return Ok(trail.end());
        }
        if let Err(broken) = trail.take(&some[..count]) {
            return Ok(Err(broken));
        }
    }
}

/// One line for programs, the last one; what is broken, or only a part, is told to people as well.
fn verdict(whole: Result<Whole, Broken>, out: &mut impl Write) -> Result<(), TirtaError> {
    match whole {
        Ok(Whole { entries, first, last }) => {
            if first > 1 {
                writeln!(
                    out,
                    "this is a part of the log: entries 1 to {} are not in it, and nothing is said of them",
                    first - 1
                )?;
            }
            let line = json!({ "intact": true, "entries": entries, "first": first, "head": last.to_string() });
            Ok(writeln!(out, "{line}")?)
        }
        Err(broken) => {
            let line = json!({ "intact": false, "entry": broken.entry(), "problem": broken.word(), "detail": broken.to_string() });
            writeln!(out, "{line}")?;
            Err(TirtaError::Broken(broken))
        }
    }
}
