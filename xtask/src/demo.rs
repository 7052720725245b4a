//! `cargo xtask demo`: a fleet to look at. It owns what the visitor sees on the terminal.

mod places;

use crate::error::{Error, Tried};
use crate::fleet::{Fleet, FleetSetup, Folder, Past, Ports, Programs, free_port, past};
use std::{path::PathBuf, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

/// How long the last readings may take to be acknowledged.
pub const DRAIN: Duration = Duration::from_secs(90);

/// What the visitor asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoOptions {
    /// How many simulated Raspberry Pis.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub devices: u32,
    /// Begin with so many days of history, 1d to 90d, such as 30d: readings, alerts, outages, people.
    #[arg(long, value_parser = past::days, value_name = "DAYS")]
    pub history: Option<u32>,
    /// What is drawn for the history: the same seed is the same history.
    #[arg(long, default_value_t = 1, requires = "history")]
    pub seed: u64,
    /// Stop by itself after this many seconds, deliver everything and compare.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Keep everything in this folder, and go on from there next time; without it, a temporary one.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// The dashboard's port; another if it is taken.
    #[arg(long, default_value_t = 8080)]
    pub http: u16,
    /// Take the binaries as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// Runs it until it is over or interrupted.
///
/// # Errors
/// When something does not start or ends by itself, or when a reading is missing, doubled or changed.
pub async fn run(options: DemoOptions) -> Result<(), Error> {
    let programs = Programs::beside_us()?;
    let folder = Folder::open(options.data.as_deref(), "demo")?;
    let setup = FleetSetup {
        folder: folder.path.clone(),
        devices: options.devices,
        ports: Ports {
            https: free_port(Some(8443))?,
            http: free_port(Some(options.http))?,
            broker: free_port(Some(8883))?,
        },
        past: options.history.map(|days| past::Wanted { days, seed: options.seed }),
        ..FleetSetup::new(&folder.path, options.devices)?
    };
    if let Some(days) = options.history {
        println!("Making {days} days of history for {} devices, all of it simulated", options.devices);
    } else {
        println!("Starting the server and {} agents", options.devices);
    }
    let mut stop = Stop::listen()?;
    let mut fleet = tokio::select! {
        started = Fleet::start(&programs, &setup) => started?,
        () = stop.wait() => return Ok(()),
    };
    settle(&fleet).await?;
    print_welcome(&fleet, options.devices, options.seconds)?;
    let deadline = options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let over = watch(&mut fleet, deadline, &mut stop).await?;
    if over == Over::Interrupted {
        println!("Stopping");
        return fleet.stop().await;
    }
    println!("Delivering what has been measured");
    fleet.drain(DRAIN).await?;
    fleet.stop().await?;
    let verdict = fleet.verdict().await?;
    for example in &verdict.examples {
        println!("    {example}");
    }
    println!("{verdict}");
    if verdict.is_good() {
        Ok(())
    } else {
        folder.keep();
        Err(Error::Verdict("the database does not hold exactly what the agents recorded".to_owned()))
    }
}

/// Says where the devices stand, unless that has been said before: a map without devices shows nothing.
async fn settle(fleet: &Fleet) -> Result<(), Error> {
    let client = fleet.client();
    if !client.registrations().await?.is_empty() {
        return Ok(());
    }
    let plan = client.import(places::sheet(&fleet.devices().await?).into_bytes(), false).await?;
    let problem = plan.lines.into_iter().find_map(|line| line.problems.into_iter().next());
    match problem {
        Some(problem) => Err(Error::Output { program: "tirta-server".to_owned(), line: problem.detail }),
        None => Ok(()),
    }
}

#[derive(PartialEq, Eq)]
enum Over {
    InTime,
    Interrupted,
}

/// Waits for the end, and looks after the processes meanwhile.
async fn watch(fleet: &mut Fleet, deadline: Option<Instant>, stop: &mut Stop) -> Result<Over, Error> {
    let mut look = interval(Duration::from_secs(1));
    look.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let far = Instant::now() + Duration::from_secs(365 * 86_400);
    loop {
        tokio::select! {
            () = sleep_until(deadline.unwrap_or(far)) => return Ok(Over::InTime),
            () = stop.wait() => return Ok(Over::Interrupted),
            _ = look.tick() => fleet.still_runs()?,
        }
    }
}

fn print_welcome(fleet: &Fleet, devices: u32, seconds: Option<u64>) -> Result<(), Error> {
    let end = match seconds {
        Some(seconds) => format!("It stops by itself after {seconds} s."),
        None => "Ctrl-C stops everything.".to_owned(),
    };
    let mut lines = vec![format!("Tirta runs with {devices} simulated devices."), String::new()];
    lines.push(format!("Open       {}", fleet.server.http_url()));
    match &fleet.past {
        Some(past) => {
            let account = |of: &past::Account| format!("{:<11}{}   {}", of.name, of.password, of.role);
            lines.extend(past.accounts.iter().map(account));
            lines.push(String::new());
            lines.extend(story(past));
        }
        None => {
            lines.push("User       admin".to_owned());
            lines.push(format!("Password   {}", fleet.server.password()?));
        }
    }
    lines.extend([String::new(), end]);
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let rule = "─".repeat(width + 4);
    println!("\n╭{rule}╮");
    for line in &lines {
        println!("│  {line:<width$}  │");
    }
    println!("╰{rule}╯\n");
    Ok(())
}

/// How much history there is.
fn story(past: &Past) -> Vec<String> {
    let made = &past.made;
    let each = match past.interval_ms / 1000 {
        60 => "each minute".to_owned(),
        seconds => format!("each {seconds} s"),
    };
    vec![
        format!("{} days of history, made up: {} readings, {each}", past.days, made.readings),
        format!("{} alerts ({} not over), {} outages", made.alerts, made.open_alerts, made.outages),
        format!("{} calibrations, {} entries of the audit log", made.calibrations, made.audit),
    ]
}

/// Ctrl-C, or SIGTERM.
pub struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// From now on, neither ends this process.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).tried(|| "listen for Ctrl-C".to_owned());
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for one of them.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
