//! `cargo xtask image-test`: the very image, started in QEMU as several boards against a real server on this machine. Only
//! their serials differ. Each reads an ADS1115 that is played inside the guest, so that the agent's own driver, service and
//! configuration run. It knows the image by its files and nothing of how it was made.

mod guest;
mod kit;
mod machine;
mod values;

use crate::demo::Stop;
use crate::error::{Error, make_folder};
use crate::fleet::{Folder, Ports, Programs, Server, ServerSetup, free_port, until};
use crate::image;
use crate::packages::Architecture;
use crate::prepare;
use guest::{Guest, HOST};
use kit::Kit;
use machine::Board;
use provisioning::client::Client;
use provisioning::tokens::{Admits, NewToken};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long emulated boards may take on a small machine that does other work, too.
const PATIENCE: Duration = Duration::from_secs(1500);
/// What ext4 says when it begins to grow, and when it has grown.
const GROWS: &str = "resizing filesystem from";
const GROWN: &str = "resized filesystem to";
/// Readings of each board that are worth a power cut: a few commits of the shipped configuration.
const WORTH_A_CUT: usize = 25;

/// What was asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct ImageTestOptions {
    /// The boards' processor, as Debian calls it.
    #[arg(long, value_name = "arm64|armhf", default_value = "arm64", value_parser = image::of_a_board)]
    pub architecture: Architecture,
    /// The image; without it, the one in target/image.
    #[arg(long, value_name = "FILE.img")]
    pub image: Option<PathBuf>,
    /// Which board is played; a Pi is slow, so it is one if nothing else is said.
    #[arg(long, value_enum, default_value = "virt")]
    pub board: Board,
    /// How many boards; three if absent.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=9))]
    pub guests: Option<u32>,
    /// Take image and binaries as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// The last line.
#[derive(Debug, Serialize)]
struct Line {
    guests: u32,
    names: Vec<String>,
    readings: usize,
    /// Gaps in a buffer's sequence.
    missing: usize,
    duplicates: usize,
    /// Readings that the played chip can't have given.
    foreign: usize,
    /// Whether the first board's power went while its partition grew, and not just after.
    cut_while_growing: bool,
    /// Boards that went on under their name after their power was cut.
    survived_cuts: usize,
    /// Boards that said of themselves, after the cut, what they should: name, size of the data partition, time, no failed unit.
    sound: usize,
    seconds: u64,
}

/// Runs it; its last line is one line of JSON.
///
/// # Errors
/// When a board does not come up, has not a name of its own, or a reading is missing, doubled or not the chip's.
pub async fn run(options: &ImageTestOptions) -> Result<(), Error> {
    kit::install()?;
    let image = options.image.clone().unwrap_or_else(|| image::path(options.architecture, None));
    if !options.no_build {
        prepare::programs()?;
        if options.image.is_none() {
            image::run(&image::ImageOptions {
                architecture: options.architecture,
                fresh: false,
                twice: false,
                out: None,
            })?;
        }
    }
    if !image.is_file() {
        return Err(Error::Missing(format!("{} is not there: run `cargo xtask image`", image.display())));
    }
    let folder = Folder::on_disk("image-test")?;
    let mut stop = Stop::listen()?;
    let line = tokio::select! {
        line = live(&folder.path, &image, options) => line,
        () = stop.wait() => return Err(Error::Verdict("interrupted".to_owned())),
    };
    let line = line.inspect_err(|_| folder.keep())?;
    println!("{}", serde_json::to_string(&line).unwrap_or_default());
    line.judge().inspect_err(|_| folder.keep())
}

async fn live(folder: &Path, image: &Path, options: &ImageTestOptions) -> Result<Line, Error> {
    let guests = options.guests.unwrap_or(if options.board == Board::Virt { 3 } else { 1 });
    let start = Instant::now();
    let mut site = Site::start(folder, guests).await?;
    let kit = Kit::make(folder, image, options.board, options.architecture)?;
    let without = kit.copy_of(image, "bare.img")?;
    let image = kit.customised(image, &site.fleet_file)?;

    println!("{guests} boards start from one image, each with a clock of 1970");
    let mut boards: Vec<Guest> = vec![];
    for number in 1..=guests {
        // The last one's card has no fleet file yet.
        let card = if number == guests && guests > 1 { &without } else { &image };
        let mut board = Guest::new(&kit, card, number)?;
        board.start()?;
        boards.push(board);
    }
    let mut cut_while_growing = false;
    if let [first, ..] = boards.as_mut_slice() {
        first.wait_for("the data partition grows", GROWS, PATIENCE).await?;
        first.cut().await?;
        cut_while_growing = !first.has_said(GROWN);
        let when = if cut_while_growing { "while its partition grew" } else { "just after its partition had grown" };
        println!("The power of {} was cut {when}", first.serial());
        first.start()?;
    }
    if let [_, .., late] = boards.as_mut_slice() {
        late.wait_for("this device belongs to no fleet yet", "nothing says which fleet", PATIENCE).await?;
        late.cut().await?;
        late.put_fleet_file(&kit, &site.fleet_file)?;
        late.start()?;
    }
    let names = site.wait_for(&mut boards, WORTH_A_CUT).await?;
    println!("All have a name and have measured after {} s: {}", start.elapsed().as_secs(), list(&names));

    println!("Their power is cut");
    for board in &mut boards {
        board.cut().await?;
        board.start()?;
    }
    let before = site.readings().await?;
    let most = before.values().map(|all| all.len()).max().unwrap_or_default();
    let names_after = site.wait_for(&mut boards, most + WORTH_A_CUT).await?;
    println!("All have measured again after {} s", start.elapsed().as_secs());
    let mut sound = 0;
    for board in &mut boards {
        let name = names_after.get(board.serial()).cloned().unwrap_or_default();
        let report = until("a board reports how it is", PATIENCE, async || {
            let report = board.report();
            Ok((report.get("hostname") == Some(&name)).then_some(report))
        })
        .await?;
        let good = board.is_sound(&report);
        if !good {
            println!("    {name} is not as it should be: {report:?}");
        }
        sound += usize::from(good);
        board.cut().await?;
    }
    let stored = site.server.export().await?;
    site.server.stop().await?;
    let found = values::judge(&stored, &boards.iter().map(|b| (b.serial().to_owned(), b.channels())).collect(), &names);
    let distinct: BTreeSet<&String> = names.values().collect();
    Ok(Line {
        guests,
        names: distinct.into_iter().cloned().collect(),
        readings: stored.len(),
        missing: found.missing,
        duplicates: found.duplicates,
        foreign: found.foreign,
        cut_while_growing,
        survived_cuts: names.iter().filter(|(serial, name)| names_after.get(*serial) == Some(name)).count(),
        sound,
        seconds: start.elapsed().as_secs(),
    })
}

fn list(names: &BTreeMap<String, String>) -> String {
    names.iter().map(|(serial, name)| format!("{serial} is {name}")).collect::<Vec<_>>().join(", ")
}

impl Line {
    fn judge(&self) -> Result<(), Error> {
        let guests = self.guests as usize;
        let whole = self.missing + self.duplicates + self.foreign == 0 && self.readings > 0;
        if self.names.len() == guests && self.survived_cuts == guests && self.sound == guests && whole {
            Ok(())
        } else {
            Err(Error::Verdict("the image did not do what it should".to_owned()))
        }
    }
}

/// The server on this machine, and what the boards need to find it.
struct Site {
    server: Server,
    client: Client,
    fleet_file: PathBuf,
}

impl Site {
    async fn start(folder: &Path, guests: u32) -> Result<Self, Error> {
        let ports = Ports { https: free_port(None)?, http: free_port(None)?, broker: free_port(None)? };
        let folder = folder.join("server");
        make_folder(&folder)?;
        let setup =
            ServerSetup { folder: folder.clone(), ports, public_host: Some(HOST.to_owned()), ..ServerSetup::default() };
        let server = Server::start(&Programs::beside_us()?, setup).await?;
        let mut client = Client::new(&server.http_url(), None)?;
        client.sign_in("admin", server.password()?).await?;
        let note = "one image for all".to_owned();
        let new = NewToken { uses: guests, valid_s: 7200, note, admits: Some(Admits::Any), ..NewToken::default() };
        let text = client.create_token(&new).await?.fleet_file.unwrap_or_default();
        let fleet_file = folder.join(shared::fleet::FLEET_FILE);
        crate::error::write(&fleet_file, &text)?;
        Ok(Self { server, client, fleet_file })
    }

    /// Waits until each board is online and the server has so many readings of it; their names by serial.
    async fn wait_for(&mut self, boards: &mut [Guest], wanted: usize) -> Result<BTreeMap<String, String>, Error> {
        let serials: Vec<String> = boards.iter().map(|board| board.serial().to_owned()).collect();
        let mut told = BTreeMap::new();
        until("all boards are online and have measured", PATIENCE, async || {
            self.server.still_runs()?;
            for board in boards.iter_mut() {
                board.still_runs()?;
            }
            let devices = self.client.devices().await?.into_iter().filter(|device| device.state == "online");
            let online: BTreeMap<String, String> = devices.map(|device| (device.serial, device.name)).collect();
            let readings = self.readings().await?;
            let counts: BTreeMap<&String, usize> =
                online.values().map(|name| (name, readings.get(name).map_or(0, Vec::len))).collect();
            if told.len() != online.len() || counts.values().sum::<usize>() >= told.values().sum::<usize>() + 20 {
                told = online.values().map(|name| (name.clone(), counts.get(name).copied().unwrap_or(0))).collect();
                println!("    online: {}", told.iter().map(|(n, c)| format!("{n} {c}")).collect::<Vec<_>>().join(", "));
            }
            let enough = |serial| online.get(serial).and_then(|name| counts.get(name)).is_some_and(|n| *n >= wanted);
            Ok(serials.iter().all(enough).then_some(online.clone()))
        })
        .await
    }

    /// Sequence numbers of what the server has, by device.
    async fn readings(&self) -> Result<BTreeMap<String, Vec<u64>>, Error> {
        let mut all: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for stored in self.server.export().await? {
            all.entry(stored.device).or_default().push(stored.record.seq);
        }
        Ok(all)
    }
}
