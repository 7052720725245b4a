//! A card in a board: an agent's folder and its process, with the configuration that all of them share. Knows no server.

use crate::error::{Error, Tried, make_folder, write};
use crate::fleet::{Account, Child, METRICS, Programs, until};
use crate::verify::Record;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const CONFIGURATION: &str = "agent.toml";
const MEASURES_NOTHING: &str = "agent-silent.toml";

/// Writes the one configuration of all boards, and the fleet file. Paths in it are those of the board's own folder.
pub fn write_configuration(folder: &Path, fleet_file: &str) -> Result<(), Error> {
    let file = folder.join(shared::fleet::FLEET_FILE);
    write(&file, fleet_file)?;
    let mut text = format!(
        "data_dir = \"data\"\n\n[fleet]\nfiles = [{file:?}]\n\n[clock]\nassume_synced = true\n\n\
         [buffer]\nkeep_acknowledged = true\ncommit_ms = 1000\n\n\
         [uplink]\nbackoff_min_ms = 200\nbackoff_max_ms = 5000\n"
    );
    write(&folder.join(MEASURES_NOTHING), &text)?;
    for metric in METRICS {
        let _ =
            write!(text, "\n[[probe]]\nmetric = \"{metric}\"\nkind = \"simulated\"\nseed = 1\ninterval_ms = 2000\n");
    }
    write(&folder.join(CONFIGURATION), &text)
}

/// A board with its card.
pub struct Card {
    programs: Programs,
    /// Where the configuration lies.
    above: PathBuf,
    /// The board's own folder.
    folder: PathBuf,
    serial: String,
    child: Option<Child>,
}

impl Card {
    /// A board that was never switched on.
    pub fn new(programs: &Programs, above: &Path, number: u32) -> Result<Self, Error> {
        Self::with(programs, above, format!("board-{number}"), 0x1000_0000_0000_0000 + u64::from(number))
    }

    fn with(programs: &Programs, above: &Path, folder: String, serial: u64) -> Result<Self, Error> {
        let folder = above.join(folder);
        make_folder(&folder)?;
        let serial = format!("{serial:016x}");
        Ok(Self { programs: programs.clone(), above: above.to_owned(), folder, serial, child: None })
    }

    /// The same card, copied, in another board.
    pub fn copy(&self, programs: &Programs, above: &Path) -> Result<Self, Error> {
        let own = u64::from_str_radix(&self.serial, 16).unwrap_or_default();
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let clone = Self::with(programs, above, format!("{name}-copied"), own + 0x1000_0000)?;
        make_folder(&clone.data())?;
        for entry in fs::read_dir(self.data()).tried(|| "read a card".to_owned())? {
            let from = entry.tried(|| "read a card".to_owned())?.path();
            if let (true, Some(file)) = (from.is_file(), from.file_name()) {
                fs::copy(&from, clone.data().join(file)).tried(|| format!("copy {}", from.display()))?;
            }
        }
        Ok(clone)
    }

    pub fn serial(&self) -> &str {
        &self.serial
    }

    pub fn start(&mut self) -> Result<(), Error> {
        self.start_as(CONFIGURATION)
    }

    fn start_as(&mut self, configuration: &str) -> Result<(), Error> {
        let configuration = self.above.join(configuration);
        let arguments =
            ["run".as_ref(), "--config".as_ref(), configuration.as_os_str(), "--serial".as_ref(), self.serial.as_ref()];
        let log = self.folder.join("agent.log");
        let child = Child::start_in(&self.folder, &self.label(), &self.programs.agent, &arguments, &log)?;
        self.child = Some(child);
        Ok(())
    }

    pub async fn stop(&mut self) -> Result<(), Error> {
        match self.child.take() {
            Some(mut child) => child.stop().await,
            None => Ok(()),
        }
    }

    pub fn still_runs(&mut self) -> Result<(), Error> {
        self.child.as_mut().map_or(Ok(()), Child::still_runs)
    }

    /// Measures nothing more, waits until the server has everything, and stops. All that it ever recorded.
    pub async fn deliver(&mut self, patience: Duration) -> Result<Vec<Record>, Error> {
        self.stop().await?;
        self.start_as(MEASURES_NOTHING)?;
        let delivered = until("a board's readings are acknowledged", patience, async || {
            self.still_runs()?;
            Ok((self.account().await?.pending == 0).then_some(()))
        });
        delivered.await?;
        self.stop().await?;
        let account = self.account().await?;
        if !account.is_whole() {
            return Err(Error::Verdict(format!("{} did not keep all of its readings", self.label())));
        }
        Ok(account.records)
    }

    async fn account(&self) -> Result<Account, Error> {
        let configuration = self.above.join(MEASURES_NOTHING);
        Account::of(&self.programs, &configuration, &self.folder).await
    }

    /// The card is written anew: everything that the board had is gone.
    pub fn empty(&self) -> Result<(), Error> {
        fs::remove_dir_all(self.data()).tried(|| format!("empty {}", self.data().display()))
    }

    /// Whether nothing is left of an identity but a key of the board's own.
    pub fn has_lost_its_identity(&self) -> bool {
        !["identity.toml", "device.pem"].iter().any(|file| self.data().join(file).exists())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn label(&self) -> String {
        format!("the board {}", self.serial)
    }
}
