//! What can be typed after `tirta-agent`.

use clap::{Args, Parser, Subcommand};
use shared::calibration::Buffers;
use shared::setup::SETUP_FILE;
use shared::{Metric, Serial};
use std::path::{Path, PathBuf};

/// Tirta's edge agent: measures, keeps, and sends until the server has it.
#[derive(Parser)]
#[command(name = "tirta-agent", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args)]
pub struct Configured {
    /// The configuration (TOML).
    #[arg(long)]
    pub config: PathBuf,
}

#[derive(Subcommand)]
pub enum Command {
    /// Measure and send until SIGTERM or SIGINT.
    Run(Run),
    /// Print every reading that the buffer still has, and its ledger: one JSON a line.
    Records(Configured),
    /// Calibrate a probe, guided step by step; the agent must be running.
    Calibrate(Calibrate),
    /// Print what the probes say, as a table.
    Read(Read),
    /// Blink, so that somebody in front of many devices finds this one.
    Identify(Identify),
    /// Check everything that can be wrong with a device. Exit status: 0 all well, 1 warnings, 2 something is bad.
    Doctor(Doctor),
    /// Give this machine the device's name as its host name, once it has one. For root: a unit runs it.
    SetHostname(SetHostname),
    /// Set up Wi-Fi, SSH keys and time zone as a file on the boot partition says. For root: a unit runs it at each start.
    ApplySetup(ApplySetup),
}

#[derive(Args)]
pub struct Run {
    /// A serial instead of the board's, so that many simulated boards share one configuration; refused with real probes.
    #[arg(long)]
    pub serial: Option<Serial>,
    #[command(flatten)]
    pub configured: Configured,
}

#[derive(Args)]
pub struct Calibrate {
    /// Which probe: ph, tds, ec, temperature, volume, level, pressure or flow.
    #[arg(value_parser = metric)]
    pub metric: Metric,
    /// Who calibrates; it stands in the record.
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// The set of pH buffers: technical (4.00, 7.00, 10.01) or nist (4.01, 6.86, 9.18).
    #[arg(long, default_value = "technical", value_parser = buffers)]
    pub buffers: Buffers,
    /// Lot or expiry date of the solutions, as on the bottle.
    #[arg(long, value_name = "TEXT")]
    pub lot: Option<String>,
    /// Take these points one after the other, such as 7.00,4.00.
    #[arg(long, value_delimiter = ',', value_name = "VALUES")]
    pub points: Vec<f64>,
    /// Ask nothing: each point is taken as soon as the signal has settled. Needs --points.
    #[arg(long, requires = "points")]
    pub yes: bool,
    #[command(flatten)]
    pub configured: Configured,
}

#[derive(Args)]
pub struct Read {
    /// Once; otherwise again every two seconds until Ctrl-C.
    #[arg(long)]
    pub once: bool,
    /// As JSON, one line for each time.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub configured: Configured,
}

#[derive(Args)]
pub struct Identify {
    /// For how long.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    #[command(flatten)]
    pub configured: Configured,
}

#[derive(Args)]
pub struct Doctor {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub configured: Configured,
}

#[derive(Args)]
pub struct SetHostname {
    /// Another root of the file system, such as an image that is mounted; the running kernel is then left alone.
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    #[command(flatten)]
    pub configured: Configured,
}

#[derive(Args)]
pub struct ApplySetup {
    /// The set-up file (TOML); without it there is nothing to do.
    #[arg(long, default_value_os_t = Path::new("/boot/firmware").join(SETUP_FILE))]
    pub file: PathBuf,
    /// The root of the file system.
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

fn metric(word: &str) -> Result<Metric, String> {
    let known = || Metric::ALL.iter().map(|metric| metric.as_str()).collect::<Vec<_>>().join(", ");
    Metric::from_wire(word).ok_or_else(|| format!("use one of {}", known()))
}

fn buffers(word: &str) -> Result<Buffers, String> {
    match word {
        "technical" => Ok(Buffers::Technical),
        "nist" => Ok(Buffers::Nist),
        _ => Err("use technical or nist".to_owned()),
    }
}
