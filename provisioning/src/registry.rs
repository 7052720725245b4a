//! The commands of the registry: a spreadsheet in, a spreadsheet out, a range of names. What a line means, the server says.

use clap::Subcommand;
use provisioning::client::{Client, ClientError};
use provisioning::registrations::{FieldChange, ImportLine, ImportPlan, LineProblem, NewRange};
use std::{io, io::Write, path::PathBuf};

/// What can be done with the registry.
#[derive(Subcommand)]
pub enum Command {
    /// Registers devices from a CSV file: serial,name,location,latitude,longitude,metrics,notes. All lines or none.
    Import {
        /// The file, UTF-8.
        file: PathBuf,
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
    },
    /// Writes the registry as CSV to the standard output; importing it again changes nothing.
    Export,
    /// Reserves names, such as pi-1 to pi-99, for boards that are not known yet.
    Range {
        /// The first number.
        from: u32,
        /// The last number.
        to: u32,
        /// Where all of them will stand.
        #[arg(long, default_value = "")]
        location: String,
    },
}

/// Why a command of the registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The spreadsheet.
    #[error("{}: {why}", file.display())]
    File {
        /// As it was given.
        file: PathBuf,
        /// In the words of the system.
        why: io::Error,
    },
    /// The server.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Lines that can't be taken.
    #[error("{0} lines are refused, so nothing was imported")]
    Refused(usize),
    /// Nobody reads what is said.
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

impl Command {
    /// The content of the file that the command names, if it names one.
    pub fn file(&self) -> Result<Option<Vec<u8>>, RegistryError> {
        let Self::Import { file, .. } = self else { return Ok(None) };
        std::fs::read(file).map(Some).map_err(|why| RegistryError::File { file: file.clone(), why })
    }

    /// Does it, with the content of its file.
    pub async fn run(self, client: &Client, file: Option<Vec<u8>>, out: &mut impl Write) -> Result<(), RegistryError> {
        match self {
            Self::Import { dry_run, .. } => show(&client.import(file.unwrap_or_default(), dry_run).await?, out),
            Self::Export => Ok(out.write_all(&client.export().await?)?),
            Self::Range { from, to, location } => {
                let reserved = client.reserve(&NewRange { from, to, location }).await?;
                writeln!(out, "{} names reserved", reserved.reserved)?;
                if !reserved.taken.is_empty() {
                    writeln!(out, "registered or enrolled already: {}", reserved.taken.join(" "))?;
                }
                Ok(())
            }
        }
    }
}

fn show(plan: &ImportPlan, out: &mut impl Write) -> Result<(), RegistryError> {
    for column in &plan.unknown_columns {
        writeln!(out, "column {column:?} is not known and is left out")?;
    }
    for line in plan.lines.iter().filter(|line| line.verdict != "unchanged") {
        writeln!(out, "{}", sentence(line))?;
    }
    let ImportPlan { created, changed, unchanged, refused, .. } = plan;
    writeln!(out, "{created} created, {changed} changed, {unchanged} unchanged, {refused} refused")?;
    match (plan.refused, plan.imported) {
        (0, true) => Ok(()),
        (0, false) => Ok(writeln!(out, "a dry run: nothing was imported")?),
        (refused, _) => Err(RegistryError::Refused(refused)),
    }
}

fn sentence(line: &ImportLine) -> String {
    let change = |c: &FieldChange| format!("{} {:?} becomes {:?}", c.field, c.from, c.to);
    let problem = |p: &LineProblem| match &p.field {
        Some(field) => format!("{field}: {}", p.detail),
        None => p.detail.clone(),
    };
    let details: Vec<String> = line.changes.iter().map(change).chain(line.problems.iter().map(problem)).collect();
    let name = if line.name.is_empty() { &line.serial } else { &line.name };
    format!("line {}: {} {name}  {}", line.line, line.verdict, details.join("; ")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(imported: bool, refused: usize) -> ImportPlan {
        let text = format!(
            r#"{{"imported":{imported},"created":1,"changed":1,"unchanged":1,"refused":{refused},"unknown_columns":["price"],
            "lines":[{{"line":2,"verdict":"created","name":"pi-1","serial":"","changes":[],"problems":[]}},
            {{"line":3,"verdict":"changed","name":"pi-2","serial":"","changes":[{{"field":"location","from":"A","to":"B"}}],"problems":[]}},
            {{"line":4,"verdict":"unchanged","name":"pi-3","serial":"","changes":[],"problems":[]}},
            {{"line":5,"verdict":"refused","name":"","serial":"xyz","changes":[],"problems":[{{"field":"serial","detail":"it is none"}}]}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_plan_is_told_line_by_line_without_those_that_say_nothing_new() {
        let mut said = Vec::new();
        let refused = show(&plan(false, 1), &mut said);
        assert!(matches!(refused, Err(RegistryError::Refused(1))));
        let said = String::from_utf8(said).unwrap();
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(
            lines,
            [
                "column \"price\" is not known and is left out",
                "line 2: created pi-1",
                "line 3: changed pi-2  location \"A\" becomes \"B\"",
                "line 5: refused xyz  serial: it is none",
                "1 created, 1 changed, 1 unchanged, 1 refused"
            ]
        );
    }

    #[test]
    fn a_dry_run_says_that_it_was_one() {
        let mut said = Vec::new();
        show(&plan(false, 0), &mut said).unwrap();
        assert!(String::from_utf8(said).unwrap().ends_with("nothing was imported\n"));
        let mut said = Vec::new();
        show(&plan(true, 0), &mut said).unwrap();
        assert!(String::from_utf8(said).unwrap().ends_with("refused\n"));
    }
}
