//! `tirta-agent doctor`: everything that can be wrong with a device, in words that a technician understands,
//! with what to do about it. It only looks: nothing is changed, and a running agent is not disturbed.

mod bus;
mod disk;
mod identity;
mod link;
mod power;
mod probes;
mod process;
mod time;

use crate::config::Config;
use crate::time::{BootClock, Time, boot_id};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All well.
    Ok,
    /// It works, but somebody should look at it.
    Warning,
    /// It does not work.
    Bad,
}

impl Verdict {
    /// For scripts: 0, 1 or 2.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Bad => 2,
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub about: String,
    /// How bad it is.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn ok(about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Ok, text: text.into(), advice: None }
    }

    fn warning(about: impl Into<String>, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning, advice: Some(advice.into()), ..Self::ok(about, text) }
    }

    fn bad(about: impl Into<String>, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, ..Self::warning(about, text, advice) }
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The worst of the findings.
    pub verdict: Verdict,
    /// In the order in which to mend them.
    pub findings: Vec<Finding>,
}

impl Report {
    fn new(findings: Vec<Finding>) -> Self {
        let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
        Self { verdict, findings }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { about, verdict, text, advice } in &self.findings {
            let mark = match verdict {
                Verdict::Ok => "ok     ",
                Verdict::Warning => "WARNING",
                Verdict::Bad => "BAD    ",
            };
            writeln!(f, "{mark}  {about}: {text}")?;
            if let Some(advice) = advice {
                writeln!(f, "         -> {advice}")?;
            }
        }
        let count = |wanted| self.findings.iter().filter(|finding| finding.verdict == wanted).count();
        match (count(Verdict::Bad), count(Verdict::Warning)) {
            (0, 0) => writeln!(f, "All well."),
            (bad, warnings) => writeln!(f, "{bad} bad, {warnings} warnings."),
        }
    }
}

/// Where this machine's files are; a test has its own.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The root of the file system, for `/sys` and `/proc`.
    pub root: PathBuf,
}

impl Default for Machine {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

/// Looks at everything.
pub async fn examine(path: &Path, machine: &Machine, clock: Arc<dyn BootClock>) -> Report {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(error) => {
            let advice = "correct the file; agent.example.toml shows every setting";
            return Report::new(vec![Finding::bad("configuration", error.to_string(), advice)]);
        }
    };
    let boot = boot_id(&machine.root.join("proc/sys/kernel/random/boot_id"));
    let time = Time::new(clock, config.discipline.clone()).of_boot(&boot, &config.data_dir);
    let text = format!("{} is in order, {} probes", path.display(), config.probes.len());
    let mut findings = vec![Finding::ok("configuration", text)];
    findings.extend(bus::buses(&config, machine));
    findings.extend(probes::w1(&config, machine));
    findings.extend(probes::probes(&config, &time).await);
    findings.extend(disk::disk(&config).await);
    let (identity, enrolment) = identity::enrolment(&config, machine, &time);
    findings.extend(enrolment);
    let (server, reached) = link::server(&config, identity.as_ref(), &time).await;
    findings.extend(time::clock(&time, server));
    findings.extend(reached);
    if let Some(identity) = identity {
        findings.extend(link::broker(&config, &identity, &time).await);
    }
    findings.extend(power::power(machine));
    findings.extend(process::process(&config).await);
    Report::new(findings)
}

#[cfg(test)]
mod tests;
