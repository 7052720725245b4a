//! `cargo xtask chaos`: the system of the demo under a seeded script of faults, and then the comparison.

pub mod script;

use crate::demo::{DRAIN, Stop};
use crate::error::Error;
use crate::fleet::{FakeClock, Fleet, FleetSetup, Folder, Programs, now_ms, until};
use crate::mqtt::{Repeater, take_over};
use crate::proxy::{Proxy, Weather};
use crate::verify::Verdict;
use script::{Fault, KINDS, ON_SMALL_DISK, RECOVERS, Step};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use tokio::time::{Instant, sleep_until};

/// How long a fault waits for somebody whom it can hit.
const VICTIM: Duration = Duration::from_secs(5);
/// The time daemon of the first agent takes so long, that of the second twice that, and so on.
const FIRST_SYNC: Duration = Duration::from_millis(1500);
/// The clocks of the agents begin so many days off.
const OFF_BY_DAYS: i32 = -30;
/// A time that is said to be right may lie so far outside of the run: a message's way, and a clock that is read late.
const TOLERANCE_MS: i64 = 5_000;
/// Kills and cuts are too few to prove anything when there are fewer than one in so many seconds.
const SECONDS_A_FAULT: u64 = 12;

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct ChaosOptions {
    /// How long things go wrong.
    #[arg(long, default_value_t = 120)]
    pub seconds: u64,
    /// Which script.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many simulated devices.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub devices: u32,
    /// Keep everything in this folder, which must be empty; without it, a temporary one.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Store in this PostgreSQL database, which must be empty, instead of SQLite.
    #[arg(long)]
    pub database_url: Option<String>,
    /// Use Mosquitto instead of the server's own broker.
    #[arg(long)]
    pub mosquitto: bool,
    /// Take the binaries as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// Runs it to its end.
///
/// # Errors
/// When something fails that was not made to, or when a reading is missing, doubled or changed.
pub async fn run(options: ChaosOptions) -> Result<(), Error> {
    let programs = Programs::beside_us()?;
    let folder = Folder::open(options.data.as_deref(), "chaos")?;
    let mut setup = FleetSetup {
        proxied: true,
        clocks_off_by: Some(OFF_BY_DAYS),
        small_disk: true,
        ..FleetSetup::new(&folder.path, options.devices)?
    };
    setup.database_url = options.database_url;
    setup.mosquitto = options.mosquitto;
    println!("Starting the server and {} agents behind a proxy", options.devices);
    let mut stop = Stop::listen()?;
    let began = now_ms();
    let all = async {
        let mut fleet = Fleet::start(&programs, &setup).await?;
        let steps = script::draw(options.seed, options.seconds, options.devices as usize);
        println!("Seed {}: {} faults in {} s", options.seed, steps.len(), options.seconds);
        let faults = torment(&mut fleet, steps, options.seconds).await?;
        println!("Quiet: delivering what has been measured");
        fleet.drain(DRAIN).await?;
        fleet.stop().await?;
        let span = began - TOLERANCE_MS..=now_ms() + TOLERANCE_MS;
        Ok::<_, Error>((fleet.verdict_with_times(span).await?, faults))
    };
    let result = tokio::select! {
        result = all => result,
        () = stop.wait() => Err(Error::Verdict("interrupted".to_owned())),
    };
    let judged = result.and_then(|(verdict, faults)| judge(&verdict, &faults, options.seconds));
    if judged.is_err() {
        folder.keep();
    }
    judged
}

fn judge(verdict: &Verdict, faults: &Faults, seconds: u64) -> Result<(), Error> {
    for example in &verdict.examples {
        println!("    {example}");
    }
    println!("{}", last_line(verdict, faults));
    let count = |kinds: &[&str]| kinds.iter().filter_map(|kind| faults.get(kind)).sum::<u64>();
    let (kills, cuts, wanted) = (count(&["kill_agent", "kill_server"]), count(&["cut"]), seconds / SECONDS_A_FAULT);
    if !verdict.is_good() {
        return Err(Error::Verdict("the database does not hold exactly what the agents recorded".to_owned()));
    }
    if kills < wanted || cuts < wanted {
        return Err(Error::Verdict(format!(
            "only {kills} kills and {cuts} cuts hit anybody; {wanted} each are wanted"
        )));
    }
    Ok(())
}

/// How often each kind of fault was really injected.
pub type Faults = BTreeMap<&'static str, u64>;

fn last_line(verdict: &Verdict, faults: &Faults) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        #[serde(flatten)]
        verdict: &'a Verdict,
        faults: &'a Faults,
    }
    serde_json::to_string(&Line { verdict, faults }).unwrap_or_default()
}

/// What comes to its end later than it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Begin(Fault),
    StartAgent(usize),
    StartServer,
    FairWeather,
    SetClock(usize),
    /// There is room again, and so many readings should be committed soon.
    Room(u64),
}

/// Runs a script against a fleet; afterwards everything is up again and the network is good.
///
/// # Errors
/// When something fails that was not made to.
pub async fn torment(fleet: &mut Fleet, steps: Vec<Step>, seconds: u64) -> Result<Faults, Error> {
    let repeater = Repeater::start(&fleet.service_identity(), fleet.services_port(), 3)?;
    let mut faults: Faults = KINDS.iter().map(|kind| (*kind, 0)).collect();
    // Latest first, so that the next one is at the end.
    let mut acts: Vec<(Duration, Act)> = steps.into_iter().map(|step| (step.at, Act::Begin(step.fault))).collect();
    // At first no clock was ever synchronised.
    let unset = (0_u32..).zip(&fleet.agents).filter(|(_, agent)| agent.clock().is_some());
    acts.extend(unset.map(|(n, _)| (FIRST_SYNC * (n + 1), Act::SetClock(n as usize))));
    let start = Instant::now();
    loop {
        acts.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let Some((at, act)) = acts.pop() else { break };
        sleep_until(start + at).await;
        let now = start.elapsed();
        let (happened, later) = perform(fleet, &repeater, act).await?;
        println!("{:>7.2} s  {}", now.as_secs_f64(), happened.as_deref().unwrap_or("nobody was there to be hit"));
        acts.extend(later.map(|(after, act)| (start.elapsed() + after, act)));
        if let (Act::Begin(fault), Some(_)) = (act, happened) {
            *faults.entry(fault.kind()).or_default() += 1;
        }
        fleet.still_runs()?;
    }
    sleep_until(start + Duration::from_secs(seconds)).await;
    println!("           {} statuses told of a full disk", repeater.full_disks());
    // Not only the bursts: every third batch came twice at once.
    faults.insert("duplicate", repeater.copies());
    Ok(faults)
}

/// What has to be done later.
type Later = Option<(Duration, Act)>;

async fn perform(fleet: &mut Fleet, repeater: &Repeater, act: Act) -> Result<(Option<String>, Later), Error> {
    let fault = match act {
        Act::Begin(fault) => fault,
        Act::StartAgent(agent) => {
            fleet.agents[agent].start()?;
            return Ok((Some(format!("agent {} starts again", agent + 1)), None));
        }
        Act::StartServer => {
            fleet.server.start_again().await?;
            return Ok((Some("the server is ready again".to_owned()), None));
        }
        Act::FairWeather => {
            proxy(fleet)?.set_weather(Weather::FAIR);
            return Ok((Some("the network is good again".to_owned()), None));
        }
        Act::SetClock(agent) => {
            clock(fleet, agent)?.sync()?;
            return Ok((Some(format!("the clock of agent {} is set right", agent + 1)), None));
        }
        Act::Room(wanted) => return Ok((Some(recover(fleet, wanted).await?), None)),
    };
    let (hit, later) = match fault {
        Fault::KillAgent { agent, down } => {
            let hit = fleet.agents[agent].id().is_some();
            fleet.agents[agent].kill().await?;
            (hit, hit.then_some((down, Act::StartAgent(agent))))
        }
        Fault::KillServer { down } => {
            let hit = fleet.server.is_up();
            fleet.server.kill().await?;
            (hit, hit.then_some((down, Act::StartServer)))
        }
        Fault::Cut { which } => (someone_carries(fleet).await? && proxy(fleet)?.cut(which) > 0, None),
        Fault::HalfOpen { which } => (someone_carries(fleet).await? && proxy(fleet)?.deafen(which) > 0, None),
        Fault::TakeOver { agent } => (robbed(fleet, agent).await, None),
        Fault::Slow { lasts, delay, bytes_per_s } => {
            proxy(fleet)?.set_weather(Weather { delay, bytes_per_s });
            (true, Some((lasts, Act::FairWeather)))
        }
        Fault::ClockJump { agent, days, forget, lasts } => {
            let clock = clock(fleet, agent)?;
            if forget {
                clock.forget()?;
            }
            clock.set(days)?;
            (true, Some((lasts, Act::SetClock(agent))))
        }
        Fault::FullDisk { lasts } => match &fleet.disk {
            Some(disk) if fleet.agents[ON_SMALL_DISK].id().is_some() => {
                let before = committed(fleet).await?;
                disk.fill()?;
                // Half of what it measures meanwhile in its memory: the machine may be slow.
                (true, Some((lasts, Act::Room(before + 2 * lasts.as_secs()))))
            }
            _ => (false, None),
        },
        Fault::Duplicate { batches } => {
            repeater.send_late(batches).await;
            (true, None)
        }
    };
    Ok((hit.then(|| fault.to_string()), later))
}

/// Waits a while for a connection that can be broken: the agents may all be between two.
async fn someone_carries(fleet: &Fleet) -> Result<bool, Error> {
    if !fleet.server.is_up() {
        return Ok(false);
    }
    let proxy = proxy(fleet)?;
    let found = until("an agent is connected", VICTIM, async || Ok((proxy.carrying() > 0).then_some(()))).await;
    Ok(found.is_ok())
}

/// Makes room on the disk, and waits until the agent has committed what it measured meanwhile.
async fn recover(fleet: &Fleet, wanted: u64) -> Result<String, Error> {
    let stuck = committed(fleet).await?;
    if let Some(disk) = &fleet.disk {
        disk.relieve()?;
    }
    until("an agent commits what it measured while its disk was full", RECOVERS, async || {
        Ok((committed(fleet).await? >= wanted).then_some(()))
    })
    .await?;
    Ok(format!("the disk has room again, and the agent went on from {stuck} to {}", committed(fleet).await?))
}

/// How many readings the agent on the small disk has committed.
async fn committed(fleet: &Fleet) -> Result<u64, Error> {
    Ok(fleet.agents[ON_SMALL_DISK].account().await?.next_seq)
}

fn clock(fleet: &Fleet, agent: usize) -> Result<&FakeClock, Error> {
    fleet.agents[agent]
        .clock()
        .ok_or_else(|| Error::Missing("the agents of this fleet share the server's clock".to_owned()))
}

async fn robbed(fleet: &Fleet, agent: usize) -> bool {
    let Some(name) = fleet.name(agent).filter(|_| fleet.server.is_up()) else { return false };
    match take_over(&fleet.agents[agent].identity(), name, fleet.server.ports().broker).await {
        Ok(()) => true,
        Err(error) => {
            println!("           {error}");
            false
        }
    }
}

fn proxy(fleet: &Fleet) -> Result<&Proxy, Error> {
    fleet.proxy.as_ref().ok_or_else(|| Error::Missing("this fleet has no proxy".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(missing: usize) -> Verdict {
        Verdict { devices: 5, pushed: 9, stored: 9 - missing, missing, ..Verdict::default() }
    }

    fn faults(kills: u64, cuts: u64) -> Faults {
        [("kill_agent", kills), ("cut", cuts)].into()
    }

    #[test]
    fn the_last_line_is_the_verdict_and_the_faults() {
        let line = concat!(
            r#"{"devices":5,"pushed":9,"stored":8,"missing":1,"duplicates":0,"different":0,"unknown":0,"#,
            r#""faults":{"cut":12,"kill_agent":8}}"#
        );
        assert_eq!(last_line(&verdict(1), &faults(8, 12)), line);
    }

    #[test]
    fn a_loss_fails_and_so_does_a_script_that_hit_too_little() {
        assert!(judge(&verdict(0), &faults(10, 10), 120).is_ok());
        assert!(judge(&verdict(1), &faults(10, 10), 120).is_err());
        assert!(judge(&verdict(0), &faults(9, 10), 120).is_err());
        assert!(judge(&verdict(0), &faults(10, 9), 120).is_err());
    }
}
