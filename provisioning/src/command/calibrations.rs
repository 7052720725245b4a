//! `tirta calibrations` and `tirta recompute`: what probes were set to, and history computed again with it.

use super::access::Access;
use super::error::TirtaError;
use super::words::say;
use clap::{Args, Subcommand};
use provisioning::history::{NewRecomputation, Record, Revision};
use provisioning::instant::{self, minute};
use std::io::Write;

/// What can be done with calibrations.
#[derive(Subcommand)]
pub enum Command {
    /// Lists them, newest first.
    List {
        /// Which device.
        #[arg(long)]
        device: String,
    },
    /// Takes one back that is in force: what was in force before it is so again.
    Undo {
        /// Which device.
        #[arg(long)]
        device: String,
        /// As `tirta calibrations list` shows it.
        id: String,
    },
}

impl Command {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        match self {
            Self::List { device } => {
                let records = access.sign_in().await?.calibrations(&device).await?;
                for record in &records.calibrations {
                    let in_force = records.active.get(&record.metric) == Some(&record.id);
                    say(out, &line(record, if in_force { "in force" } else { "" }))?;
                }
            }
            Self::Undo { device, id } => {
                let record = access.sign_in().await?.undo_calibration(&device, &id).await?;
                say(out, &line(&record, "in force"))?;
            }
        }
        Ok(())
    }
}

/// What to compute again.
#[derive(Args)]
pub struct Recompute {
    /// Which device.
    #[arg(long)]
    device: String,
    /// Which metric; every one whose sensor is known if absent.
    #[arg(long)]
    metric: Option<String>,
    /// From when on: a day (UTC) or an instant (RFC 3339).
    #[arg(long, value_parser = instant::read)]
    from: i64,
    /// Until when, exclusive.
    #[arg(long, value_parser = instant::read)]
    to: i64,
    /// The calibration to compute all of it with, as `tirta calibrations list` shows it; the one that was in force at
    /// the time of each reading if absent.
    #[arg(long)]
    calibration: Option<String>,
}

impl Recompute {
    /// Does it.
    pub async fn run(self, access: &Access, out: &mut impl Write) -> Result<(), TirtaError> {
        let Self { device, metric, from, to, calibration } = self;
        let client = access.sign_in().await?;
        let metrics = match metric {
            Some(metric) => vec![metric],
            None => client.computed_metrics(&device).await?,
        };
        if metrics.is_empty() {
            return Err(TirtaError::NoSensor(device));
        }
        for metric in metrics {
            let new = NewRecomputation { metric, from, to, calibration: calibration.clone() };
            let Revision { revision, metric, readings, changed, digest } = client.recompute(&device, &new).await?;
            let made = format!("revision {revision}  {readings} readings  {changed} changed  sha256 {digest}");
            say(out, &format!("{device} {metric}  {made}"))?;
        }
        Ok(())
    }
}

fn line(record: &Record, note: &str) -> String {
    let Record { id, metric, at, by, via, calibration, undoes, undone_by } = record;
    let values = calibration.iter().flatten().filter(|(name, _)| *name != "kind");
    let mut about: Vec<String> = values.map(|(name, value)| format!("{name}={value}")).collect();
    if about.is_empty() {
        about.push("not calibrated".to_owned());
    }
    about.extend(undoes.iter().map(|other| format!("undoes {other}")));
    about.extend(undone_by.iter().map(|other| format!("undone by {other}")));
    let about = about.join(" ");
    format!("{id}  {metric:<11} {}  {via:<9} {by:<16} {note:<8}  {about}", minute(*at))
}
