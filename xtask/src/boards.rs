//! `cargo xtask fleet`: many boards provision themselves from ONE configuration and ONE fleet file; only the simulated serial
//! differs. Some of their cards are then copied into other boards, and some are set up anew. Nobody does anything by hand but
//! the policy: a range of names, one token, and the window in which re-flashed boards come back.

mod card;

use crate::demo::{DRAIN, Stop};
use crate::error::Error;
use crate::fleet::{Folder, Ports, Programs, Server, ServerSetup, free_port, until};
use crate::verify::{Record, Verdict};
use card::Card;
use provisioning::client::Client;
use provisioning::registrations::NewRange;
use provisioning::tokens::{Admits, NewToken};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long so many processes may take to come up on a small machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// Readings of each board that are worth copying and losing.
const WORTH_COPYING: usize = 20;
/// Agents that are stopped or started together.
const TOGETHER: usize = 10;

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct BoardsOptions {
    /// How many boards.
    #[arg(long, default_value_t = 99, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub devices: u32,
    /// How many of their cards are copied into other boards.
    #[arg(long, default_value_t = 3)]
    pub clones: u32,
    /// How many boards are set up anew.
    #[arg(long, default_value_t = 3)]
    pub reflash: u32,
    /// Take the binaries as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// The last line.
#[derive(Debug, Serialize)]
struct Line {
    devices: u32,
    distinct_names: usize,
    clones_caught: usize,
    reflashed_back: usize,
    readings: usize,
    missing: usize,
    duplicates: usize,
    different: usize,
    unknown: usize,
    enrolled_in_s: u64,
    seconds: u64,
}

/// Runs it; its last line is one line of JSON.
///
/// # Errors
/// When a name is given twice or changes, a clone is not caught, a re-flashed board does not come back, or a reading is
/// missing, doubled or changed.
pub async fn run(options: &BoardsOptions) -> Result<(), Error> {
    let (clones, reflash) = (options.clones, options.reflash);
    if clones + reflash > options.devices {
        return Err(Error::Missing("--clones and --reflash together need as many --devices".to_owned()));
    }
    let folder = Folder::open(None, "fleet")?;
    let mut stop = Stop::listen()?;
    let line = tokio::select! {
        line = provision(&folder.path, options) => line,
        () = stop.wait() => return Err(Error::Verdict("interrupted".to_owned())),
    };
    let line = line.inspect_err(|_| folder.keep())?;
    println!("{}", serde_json::to_string(&line).unwrap_or_default());
    let judged = line.judge(options);
    if judged.is_err() {
        folder.keep();
    }
    judged
}

async fn provision(folder: &Path, options: &BoardsOptions) -> Result<Line, Error> {
    let start = Instant::now();
    let programs = Programs::beside_us()?;
    let mut site = Site::start(&programs, folder, options.devices).await?;
    println!("{} boards start with the same configuration", options.devices);
    let mut cards: Vec<Card> =
        (1..=options.devices).map(|number| Card::new(&programs, folder, number)).collect::<Result<_, _>>()?;
    for card in &mut cards {
        card.start()?;
    }
    let names = site.wait_until_online(&mut cards).await?;
    let enrolled_in_s = start.elapsed().as_secs();
    println!("All have a name after {enrolled_in_s} s");
    site.wait_for_readings(options.devices as usize * WORTH_COPYING).await?;

    let (to_copy, rest) = cards.split_at_mut(options.clones as usize);
    let clones_caught = site.copy(&programs, folder, to_copy).await?;
    println!("{clones_caught} copied cards were caught");
    let (to_reflash, _) = rest.split_at_mut(options.reflash as usize);
    let mut recorded = site.reflash(to_reflash, &names).await?;
    let names_after = site.wait_until_online(&mut cards).await?;
    let reflashed: Vec<String> = recorded.keys().cloned().collect();
    let reflashed_back = site.back(&reflashed).await?;
    println!("{reflashed_back} re-flashed boards are back");

    println!("Delivering what has been measured");
    for card in &mut cards {
        let name = names_after.get(card.serial()).cloned().unwrap_or_default();
        let records = card.deliver(DRAIN).await?;
        recorded.entry(name).or_default().extend(records);
    }
    site.server.stop().await?;
    let verdict = Verdict::of(&recorded, &site.server.export().await?);
    for example in &verdict.examples {
        println!("    {example}");
    }
    let stable = names.iter().filter(|(serial, name)| names_after.get(*serial) == Some(name));
    let distinct: BTreeSet<&String> = stable.map(|(_, name)| name).collect();
    Ok(Line {
        devices: options.devices,
        distinct_names: distinct.len(),
        clones_caught,
        reflashed_back,
        readings: verdict.pushed,
        missing: verdict.missing,
        duplicates: verdict.duplicates,
        different: verdict.different,
        unknown: verdict.unknown,
        enrolled_in_s,
        seconds: start.elapsed().as_secs(),
    })
}

impl Line {
    fn judge(&self, options: &BoardsOptions) -> Result<(), Error> {
        let as_wanted = self.distinct_names == options.devices as usize
            && self.clones_caught == options.clones as usize
            && self.reflashed_back == options.reflash as usize;
        let whole = self.missing + self.duplicates + self.different + self.unknown == 0 && self.readings > 0;
        if as_wanted && whole {
            Ok(())
        } else {
            Err(Error::Verdict("the fleet did not provision itself as it should".to_owned()))
        }
    }
}

/// The server, and the administrator who sets the policy and then only looks.
struct Site {
    server: Server,
    client: Client,
}

impl Site {
    /// Starts the server, reserves the names, and writes the one configuration and the one fleet file.
    async fn start(programs: &Programs, folder: &Path, devices: u32) -> Result<Self, Error> {
        let ports = Ports { https: free_port(None)?, http: free_port(None)?, broker: free_port(None)? };
        let setup = ServerSetup { folder: folder.join("server"), ports, ..ServerSetup::default() };
        let server = Server::start(programs, setup).await?;
        let mut client = Client::new(&server.http_url(), None)?;
        client.sign_in("admin", server.password()?).await?;
        client.reserve(&NewRange { from: 1, to: devices, location: "Greenhouse".to_owned() }).await?;
        let note = "one image for all".to_owned();
        let new =
            NewToken { uses: devices, valid_s: 3600, note, admits: Some(Admits::Registered), ..NewToken::default() };
        let fleet_file = client.create_token(&new).await?.fleet_file.unwrap_or_default();
        card::write_configuration(folder, &fleet_file)?;
        Ok(Self { server, client })
    }

    /// Waits until the server hears all of them; their names by serial.
    async fn wait_until_online(&mut self, cards: &mut [Card]) -> Result<BTreeMap<String, String>, Error> {
        let Self { server, client } = self;
        until("all boards are online", PATIENCE, async || {
            server.still_runs()?;
            for card in cards.iter_mut() {
                card.still_runs()?;
            }
            let devices = client.devices().await?.into_iter().filter(|device| device.state == "online");
            let online: BTreeMap<String, String> = devices.map(|device| (device.serial, device.name)).collect();
            let all = cards.iter().all(|card| online.contains_key(card.serial()));
            Ok(all.then_some(online))
        })
        .await
    }

    /// Waits until the server has so many readings.
    async fn wait_for_readings(&mut self, wanted: usize) -> Result<(), Error> {
        let server = &mut self.server;
        until("the boards have measured for a while", PATIENCE, async || {
            server.still_runs()?;
            Ok((server.export().await?.len() >= wanted).then_some(()))
        })
        .await
    }

    /// Copies cards into other boards: how many of those ask for an identity of their own instead of using the other's.
    async fn copy(&mut self, programs: &Programs, folder: &Path, cards: &mut [Card]) -> Result<usize, Error> {
        let mut clones = vec![];
        for card in cards.iter_mut() {
            card.stop().await?;
            let mut clone = card.copy(programs, folder)?;
            card.start()?;
            clone.start()?;
            clones.push(clone);
        }
        let Self { server, client } = self;
        until("the copied cards ask for their own identity", PATIENCE, async || {
            server.still_runs()?;
            for clone in &mut clones {
                clone.still_runs()?;
            }
            let waiting = client.waiting().await?;
            let waits = |clone: &Card| waiting.iter().any(|board| board.serial == clone.serial());
            Ok(clones.iter().all(waits).then_some(()))
        })
        .await?;
        let waiting = client.waiting().await?;
        let devices = client.devices().await?;
        let mut caught = 0;
        for clone in &mut clones {
            let board = waiting.iter().find(|board| board.serial == clone.serial());
            // It says whose card it was, has no name, and nothing of the other's key is left.
            let names_it = board.is_some_and(|board| board.copied_from.is_some() && board.device.is_none());
            let is_nobody = !devices.iter().any(|device| device.serial == clone.serial());
            caught += usize::from(names_it && is_nobody && clone.has_lost_its_identity());
            clone.stop().await?;
        }
        Ok(caught)
    }

    /// Empties cards and starts their boards again, within the window of the policy. What they had recorded, by name.
    async fn reflash(
        &mut self,
        cards: &mut [Card],
        names: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, Vec<Record>>, Error> {
        let mut recorded = BTreeMap::new();
        self.client.allow_returns(3600).await?;
        for some in cards.chunks_mut(TOGETHER) {
            for card in some {
                let name = names.get(card.serial()).cloned().unwrap_or_default();
                recorded.insert(name, card.deliver(DRAIN).await?);
                card.empty()?;
                card.start()?;
            }
        }
        Ok(recorded)
    }

    /// How many of these devices came back by the policy, with another key.
    async fn back(&self, names: &[String]) -> Result<usize, Error> {
        let mut back = 0;
        for name in names {
            let acts = self.client.audit(Some(name), 50).await?;
            back += usize::from(acts.iter().any(|entry| entry.act == "device.returned"));
        }
        Ok(back)
    }
}
