//! `cargo xtask day`: a real agent lives through a day a thousand times faster, some of it offline, and what it
//! wrote to the card and how its memory grew is measured.
//!
//! Everything with a rhythm is faster by the same factor, sampling and commits alike, so a day has as many
//! readings and commits as a real one, and what it writes is what a real one writes.

use crate::demo::Stop;
use crate::error::{Error, Tried};
use crate::fleet::{Fleet, FleetSetup, Folder, METRICS, Programs, USUAL_INTERVAL_MS, until};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Faster than real life: samples every 10 ms.
const SPEED: u32 = 1000;
/// Bytes that a day may write.
const BUDGET: u64 = 20_000_000;
/// Resident memory is flat when it grows no more than this after the first tenth, in which every part has run
/// (measuring, an outage, a backlog): a day's 31,000 readings are left, so even 34 bytes kept of each are found.
const FLAT: u64 = 1024 * 1024;
/// When the server is away, in hundredths of the day: briefly at first, then for eight hours.
const OUTAGES: [(u32, u32); 2] = [(3, 6), (40, 73)];
/// How long the backlog may take at the end.
const DRAIN: Duration = Duration::from_secs(60);

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct DayOptions {
    /// How much of the day.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=240))]
    pub hours: u32,
    /// Take the binaries as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// The last line. Bytes.
#[derive(Debug, Serialize)]
struct Line {
    hours: u32,
    readings: u64,
    pending: u64,
    written: u64,
    written_a_day: u64,
    budget: u64,
    rss_after_tenth: u64,
    rss_end: u64,
    growth: i64,
}

/// Runs it; its last line is one line of JSON.
///
/// # Errors
/// When the agent writes more than its budget, its memory is not flat, or something fails.
pub async fn run(options: &DayOptions) -> Result<(), Error> {
    let programs = Programs::beside_us()?;
    let folder = Folder::on_disk("day")?;
    let setup = FleetSetup { speed: Some(SPEED), ..FleetSetup::new(&folder.path, 1)? };
    let mut stop = Stop::listen()?;
    let line = tokio::select! {
        line = live(&programs, &setup, options.hours) => line?,
        () = stop.wait() => return Err(Error::Verdict("interrupted".to_owned())),
    };
    println!("{}", serde_json::to_string(&line).unwrap_or_default());
    line.judge()
}

async fn live(programs: &Programs, setup: &FleetSetup, hours: u32) -> Result<Line, Error> {
    let lasts = Duration::from_secs(u64::from(hours) * 3600) / SPEED;
    println!("{hours} hours at {SPEED} times the speed: {} s", lasts.as_secs());
    let mut fleet = Fleet::start(programs, setup).await?;
    let start = Instant::now();
    let mut rss_after_tenth = 0;
    for hundredth in 1..=100 {
        sleep_until(start + lasts * hundredth / 100).await;
        fleet.still_runs()?;
        if OUTAGES.iter().any(|(begin, _)| *begin == hundredth) {
            println!("    {hundredth:3} %: the server is away");
            fleet.server.stop().await?;
        } else if OUTAGES.iter().any(|(_, end)| *end == hundredth) {
            println!("    {hundredth:3} %: the server is back");
            fleet.server.start_again().await?;
        }
        if hundredth % 10 == 0 {
            let (rss, written) = (resident(&fleet)?, written(&fleet)?);
            println!("    {hundredth:3} %: {} kB resident, {} kB written", rss / 1024, written / 1000);
            rss_after_tenth = if hundredth == 10 { rss } else { rss_after_tenth };
        }
    }
    let (written, rss_end) = (written(&fleet)?, resident(&fleet)?);
    let agent = &fleet.agents[0];
    let readings = agent.account().await?.next_seq - 1;
    let drained = until("the backlog is delivered", DRAIN, async || {
        // What is measured meanwhile waits for its commit.
        Ok(Some(agent.account().await?.pending).filter(|pending| *pending < 200))
    });
    let pending = drained.await?;
    fleet.stop().await?;
    let a_day = 86_400_000 / USUAL_INTERVAL_MS * METRICS.len() as u64;
    Ok(Line {
        hours,
        readings,
        pending,
        written,
        // A machine that is too slow for every sample commits as often all the same.
        written_a_day: written * a_day / readings.max(1),
        budget: BUDGET,
        rss_after_tenth,
        rss_end,
        growth: rss_end.cast_signed() - rss_after_tenth.cast_signed(),
    })
}

impl Line {
    fn judge(&self) -> Result<(), Error> {
        let verdict = |text: &str| Err(Error::Verdict(text.to_owned()));
        if self.written == 0 {
            return verdict("nothing was written: the target folder is on no disk");
        }
        if self.written_a_day > BUDGET {
            return verdict("the agent writes more to the card than its budget");
        }
        if self.growth > FLAT.cast_signed() {
            return verdict("the agent's memory grows");
        }
        Ok(())
    }
}

/// Resident memory of the agent.
fn resident(fleet: &Fleet) -> Result<u64, Error> {
    Ok(number(fleet, "status", "VmRSS:")? * 1024)
}

/// What the agent made the system write to disks: pages, when they get dirty.
fn written(fleet: &Fleet) -> Result<u64, Error> {
    number(fleet, "io", "write_bytes:")
}

fn number(fleet: &Fleet, file: &str, name: &str) -> Result<u64, Error> {
    let id = fleet.agents.first().and_then(crate::fleet::Agent::id).unwrap_or_default();
    let path = format!("/proc/{id}/{file}");
    let text = std::fs::read_to_string(&path).tried(|| format!("read {path}"))?;
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    found.ok_or(Error::Output { program: path, line: format!("no {name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(written_a_day: u64, growth: i64) -> Line {
        let (readings, rss) = (34_560, 9_000_000_u64);
        let (rss_after_tenth, rss_end) = (rss, rss.saturating_add_signed(growth));
        let written = written_a_day;
        Line {
            hours: 24,
            readings,
            pending: 0,
            written,
            written_a_day,
            budget: BUDGET,
            rss_after_tenth,
            rss_end,
            growth,
        }
    }

    #[test]
    fn too_much_written_or_a_memory_that_grows_is_no_good() {
        assert!(line(14_000_000, 100_000).judge().is_ok());
        assert!(line(14_000_000, -100_000).judge().is_ok());
        assert!(line(20_000_001, 0).judge().is_err());
        assert!(line(14_000_000, 1_100_000).judge().is_err());
        assert!(line(0, 0).judge().is_err());
    }
}
