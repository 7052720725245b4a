//! An agent as a process: its configuration with simulated probes, its own records of what it measured.

use super::{FakeClock, Programs, child::Child, past::Tank};
use crate::error::{Error, make_folder, write};
use crate::mqtt::Identity;
use crate::verify::Record;
use serde::Deserialize;
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// The metrics that every simulated device measures.
pub const METRICS: [&str; 4] = ["ph", "tds", "temperature", "volume"];

/// How often a device measures that has no reason to do otherwise.
pub const USUAL_INTERVAL_MS: u64 = 10_000;

/// What makes one agent differ from another.
#[derive(Debug, Clone)]
pub struct AgentSetup {
    /// Its own folder.
    pub folder: PathBuf,
    /// Which of the fleet, from 1; its serial and its water follow from it.
    pub number: u32,
    /// Where it enrols; without it, whom to trust and the token are in a fleet file alone, and it finds the server.
    pub url: Option<String>,
    /// Whom it trusts there.
    pub ca_sha256: String,
    /// What lets it in.
    pub token: String,
    /// A broker in another place than the enrolment says: a proxy.
    pub broker: Option<String>,
    /// Short time-outs, for a network that is made to fail.
    pub impatient: bool,
    /// A wall clock of its own; without it, the server's.
    pub clock: Option<FakeClock>,
    /// So many times faster than a real device.
    pub speed: Option<u32>,
    /// What it measures in; without it, the usual tank.
    pub tank: Option<Tank>,
}

/// An agent's process, which can be killed and started again.
pub struct Agent {
    setup: AgentSetup,
    programs: Programs,
    child: Option<Child>,
}

/// An agent's own account of its buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// All that it still has: with `keep_acknowledged`, all that it ever measured.
    pub records: Vec<Record>,
    /// Not yet acknowledged.
    pub pending: u64,
    /// Thrown away because the buffer was full.
    pub dropped: u64,
    /// The sequence that the next reading will have.
    pub next_seq: u64,
}

impl Agent {
    /// Writes the configuration; starts nothing.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn new(programs: &Programs, setup: AgentSetup) -> Result<Self, Error> {
        make_folder(&setup.folder)?;
        let agent = Self { setup, programs: programs.clone(), child: None };
        agent.configure(Probes::Simulated)?;
        if agent.setup.url.is_none() {
            write(&agent.setup.fleet_file(), &agent.setup.fleet())?;
        }
        Ok(agent)
    }

    /// Starts the process.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(&mut self) -> Result<(), Error> {
        let config = self.config();
        let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
        let environment = self.setup.clock.as_ref().map(FakeClock::environment);
        let environment = environment.as_ref().map_or(&[][..], |variables| variables);
        let child = Child::start_with(&self.label(), &self.programs.agent, &arguments, &self.log(), environment)?;
        self.child = Some(child);
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(&mut self) -> Result<(), Error> {
        match self.child.take() {
            Some(mut child) => child.kill().await,
            None => Ok(()),
        }
    }

    /// Asks it to stop, and waits.
    ///
    /// # Errors
    /// When it does not, or ends with a failure.
    pub async fn stop(&mut self) -> Result<(), Error> {
        match self.child.take() {
            Some(mut child) => child.stop().await,
            None => Ok(()),
        }
    }

    /// From now on it measures nothing and only delivers what it has.
    ///
    /// # Errors
    /// When it does not stop in order, or does not start again.
    pub async fn stop_measuring(&mut self) -> Result<(), Error> {
        self.stop().await?;
        self.configure(Probes::None)?;
        self.start()
    }

    /// An error if it should run and does not.
    ///
    /// # Errors
    /// How it ended.
    pub fn still_runs(&mut self) -> Result<(), Error> {
        self.child.as_mut().map_or(Ok(()), Child::still_runs)
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Its own wall clock, if it has one.
    pub fn clock(&self) -> Option<&FakeClock> {
        self.setup.clock.as_ref()
    }

    /// What makes another board with the same serial, in a folder of its own.
    pub fn twin(&self, folder: PathBuf) -> AgentSetup {
        AgentSetup { folder, ..self.setup.clone() }
    }

    /// Its CPU serial, which it was given because it has no board.
    pub fn serial(&self) -> String {
        serial(self.setup.number)
    }

    /// Its identity and its buffer.
    pub fn data_dir(&self) -> PathBuf {
        self.setup.folder.join("data")
    }

    /// What it shows to the broker, once it has enrolled.
    pub fn identity(&self) -> Identity {
        let data = self.data_dir();
        Identity { ca: data.join("ca.pem"), certificate: data.join("device.pem"), key: data.join("device.key") }
    }

    /// Its own account of what it measured, whether it runs or not.
    ///
    /// # Errors
    /// When the buffer can't be read.
    pub async fn account(&self) -> Result<Account, Error> {
        Account::of(&self.programs, &self.config(), &self.setup.folder).await
    }

    /// The configuration's file.
    pub fn config(&self) -> PathBuf {
        self.setup.folder.join("agent.toml")
    }

    fn log(&self) -> PathBuf {
        self.setup.folder.join("agent.log")
    }

    fn label(&self) -> String {
        format!("tirta-agent {}", self.setup.number)
    }

    fn configure(&self, probes: Probes) -> Result<(), Error> {
        write(&self.config(), &self.setup.toml(probes))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Probes {
    Simulated,
    None,
}

impl AgentSetup {
    fn fleet_file(&self) -> PathBuf {
        self.folder.join("tirta-fleet.toml")
    }

    fn fleet(&self) -> String {
        format!("ca_sha256 = \"{}\"\ntoken = {:?}\n", self.ca_sha256, self.token)
    }

    fn toml(&self, probes: Probes) -> String {
        let Self { number, url, ca_sha256, token, .. } = self;
        let data = self.folder.join("data");
        let mut text = format!("data_dir = {data:?}\nlog = \"info\"\nserial = \"{}\"\n", serial(*number));
        let _ = match url {
            Some(url) => write!(
                text,
                "\n[fleet]\nfiles = []\n\n[server]\nurl = \"{url}\"\nca_sha256 = \"{ca_sha256}\"\ntoken = {token:?}\n"
            ),
            None => write!(text, "\n[fleet]\nfiles = [{:?}]\n\n[server]\n", self.fleet_file()),
        };
        if let Some(broker) = &self.broker {
            let _ = writeln!(text, "broker = \"{broker}\"");
        }
        let _ = match &self.clock {
            Some(clock) => write!(text, "\n[clock]\nsynced_file = {:?}\n", clock.synced_file()),
            // It shares the server's clock, so there is nothing that could be out of step.
            None => write!(text, "\n[clock]\nassume_synced = true\n"),
        };
        text.push_str("\n[buffer]\n");
        let impatient = "\n[uplink]\nack_timeout_ms = 2000\nbackoff_min_ms = 100\nbackoff_max_ms = 2000\n";
        let interval_ms = match self.speed {
            Some(speed) => {
                let _ = writeln!(text, "commit_ms = {}\n{impatient}", shipped_commit_ms() / u64::from(speed));
                USUAL_INTERVAL_MS / u64::from(speed)
            }
            None if self.impatient => {
                let _ = writeln!(text, "keep_acknowledged = true\ncommit_ms = 500\n{impatient}");
                1000
            }
            None => {
                // The dashboard is looked at: it shall not lag a minute behind, as one that spares its card does.
                text.push_str("keep_acknowledged = true\ncommit_ms = 1000\n");
                1000
            }
        };
        if probes == Probes::Simulated {
            for metric in METRICS {
                // One seed is one tank: its probes agree about its temperature.
                let _ = write!(
                    text,
                    "\n[[probe]]\nmetric = \"{metric}\"\nkind = \"simulated\"\nseed = {number}\n\
                     interval_ms = {interval_ms}\n"
                );
                if let Some(Tank { water, worn, .. }) = &self.tank {
                    let _ = writeln!(text, "water = \"{water}\"\nworn = {}", *worn && metric == "ph");
                }
            }
        }
        text
    }
}

/// What a device has whose administrator changed nothing.
pub fn shipped_commit_ms() -> u64 {
    let shipped = include_str!("../../../agent/agent.example.toml");
    let line = shipped.lines().find_map(|line| line.strip_prefix("commit_ms = "));
    line.and_then(|value| value.replace('_', "").parse().ok()).unwrap_or_default()
}

fn serial(number: u32) -> String {
    format!("{:016x}", 0x1000_0000_0000_0000_u64 + u64::from(number))
}

impl Account {
    /// That of the agent with this configuration, whose paths are seen from `folder`.
    ///
    /// # Errors
    /// When the buffer can't be read.
    pub async fn of(programs: &Programs, config: &Path, folder: &Path) -> Result<Self, Error> {
        let mut command = Command::new(&programs.agent);
        command.arg("records").arg("--config").arg(config).current_dir(folder);
        Self::parse(&super::output_of(&mut command, "tirta-agent records").await?)
    }

    /// Whether it still has every reading from the first on: else the comparison would compare too little.
    pub fn is_whole(&self) -> bool {
        self.records.iter().map(|record| record.seq).eq(1..self.next_seq)
    }

    fn parse(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Summary {
            dropped: u64,
            pending: u64,
            next_seq: u64,
        }
        let wrong = |line: &str| Error::Output { program: "tirta-agent records".to_owned(), line: line.to_owned() };
        let mut lines: Vec<&str> = text.lines().collect();
        let last = lines.pop().ok_or_else(|| wrong("nothing at all"))?;
        let Summary { dropped, pending, next_seq } = serde_json::from_str(last).map_err(|_| wrong(last))?;
        let records = lines.into_iter().map(Record::parse).collect::<Result<_, _>>()?;
        Ok(Self { records, pending, dropped, next_seq })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_its_records_and_a_last_line() {
        let text = concat!(
            r#"{"buffer":"00c0ffee00c0ffee","reading":[1,1763690400000,"synced","ph",7.02,null,"simulated"]}"#,
            "\n",
            r#"{"buffer":"00c0ffee00c0ffee","next_seq":2,"acknowledged":0,"dropped":3,"pending":1}"#,
        );
        let account = Account::parse(text).unwrap();
        assert_eq!((account.records.len(), account.pending, account.dropped), (1, 1, 3));
        assert_eq!(account.records[0].seq, 1);
        assert!(account.is_whole());
        assert!(!Account { next_seq: 3, ..account }.is_whole());
        for bad in ["", "{}", "not json"] {
            assert!(Account::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_shipped_configuration_says_how_often_is_committed() {
        assert_eq!(shipped_commit_ms(), 60_000);
    }

    #[test]
    fn no_two_devices_of_a_fleet_share_a_serial() {
        assert_eq!(serial(1).len(), 16);
        assert_ne!(serial(1), serial(2));
    }
}
