//! The commands of the registry: a spreadsheet in, a spreadsheet out, a range of names. What a line means, the server says.

use super::access::Access;
use super::error::TirtaError;
use super::words::say;
use clap::Subcommand;
use provisioning::registrations::{FieldChange, ImportLine, ImportPlan, LineProblem, NewRange};
use std::{io::Write, path::PathBuf};

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

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::Import { file, dry_run } => {
                // Before anybody is asked for a password.
                let content = std::fs::read(&file);
                let content = content.map_err(|e| TirtaError::File { file, why: e.to_string() })?;
                show(&access.sign_in().await?.import(content, dry_run).await?, out)
            }
            Self::Export => Ok(out.write_all(&access.sign_in().await?.export().await?)?),
            Self::Range { from, to, location } => {
                let reserved = access.sign_in().await?.reserve(&NewRange { from, to, location }).await?;
                writeln!(out, "{} names reserved", reserved.reserved)?;
                if !reserved.taken.is_empty() {
                    writeln!(out, "registered or enrolled already: {}", reserved.taken.join(" "))?;
                }
                Ok(())
            }
        }
    }
}

fn show(plan: &ImportPlan, out: &mut impl Write) -> Result<(), TirtaError> {
    for column in &plan.unknown_columns {
        writeln!(out, "column {column:?} is not known and is left out")?;
    }
    for line in plan.lines.iter().filter(|line| line.verdict != "unchanged") {
        say(out, &sentence(line))?;
    }
    let ImportPlan { created, changed, unchanged, refused, .. } = plan;
    writeln!(out, "{created} created, {changed} changed, {unchanged} unchanged, {refused} refused")?;
    match (plan.refused, plan.imported) {
        (0, true) => Ok(()),
        (0, false) => Ok(writeln!(out, "a dry run: nothing was imported")?),
        (refused, _) => Err(TirtaError::Refused(refused)),
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
        assert!(matches!(refused, Err(TirtaError::Refused(1))));
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
