//! A whole system on this machine: one server, some agents with simulated probes, a proxy between them if wanted.
//!
//! Its life is a list of steps: start, enrol, live, drain, verify. `demo`, `chaos` and the end-to-end tests differ only in "live".

mod agent;
mod child;
mod clock;
mod disk;
mod folder;
mod mosquitto;
pub mod past;
mod port;
mod server;
mod wait;

pub use agent::{Account, Agent, AgentSetup, METRICS, USUAL_INTERVAL_MS};
pub use child::{Child, dying_with_us, last_words};
pub use clock::{FakeClock, now_ms};
pub use disk::SmallDisk;
pub use folder::Folder;
pub use mosquitto::Mosquitto;
pub use past::Past;
pub use port::free_port;
pub use server::{Ports, Server, ServerSetup};
pub use wait::until;

use crate::error::{Error, Tried, make_folder};
use crate::mqtt::Identity;
use crate::proxy::Proxy;
use crate::verify::{Stored, Verdict};
use provisioning::client::{Client, Device};
use provisioning::tokens::{Admits, NewToken};
use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::process::Command;

/// How long a fleet may take to enrol, also on a busy machine.
const ENROL: Duration = Duration::from_secs(90);

/// The binaries under test.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `tirta-server`
    pub server: PathBuf,
    /// `tirta-agent`
    pub agent: PathBuf,
}

impl Programs {
    /// Those that were built together with this program: beside it, or one folder up for a test.
    ///
    /// # Errors
    /// When they are not there.
    pub fn beside_us() -> Result<Self, Error> {
        let us = std::env::current_exe().tried(|| "find this program's own file".to_owned())?;
        let folders = us.ancestors().skip(1).take(2);
        let both =
            folders.map(|folder| Self { server: folder.join("tirta-server"), agent: folder.join("tirta-agent") });
        both.into_iter().find(|both| both.server.exists() && both.agent.exists()).ok_or_else(|| {
            Error::Missing(format!(
                "tirta-server and tirta-agent are not beside {}: run `cargo build --workspace`",
                us.display()
            ))
        })
    }
}

/// What makes one fleet differ from another.
#[derive(Debug, Clone)]
pub struct FleetSetup {
    /// Everything of it is in here.
    pub folder: PathBuf,
    /// How many devices.
    pub devices: u32,
    /// Where the server listens.
    pub ports: Ports,
    /// PostgreSQL; without it, SQLite.
    pub database_url: Option<String>,
    /// The broker is Mosquitto, not the server's own.
    pub mosquitto: bool,
    /// Agents reach the broker through a proxy that can misbehave, and have short time-outs.
    pub proxied: bool,
    /// Each agent has a wall clock of its own, which begins some days off.
    pub clocks_off_by: Option<i32>,
    /// The first agent has a disk of its own, if we may mount one.
    pub small_disk: bool,
    /// Agents are told no address: they have a fleet file, and find the server on the local network.
    pub discovered: bool,
    /// So many times faster than a real device, in everything that has a rhythm; without it, for people to watch.
    pub speed: Option<u32>,
    /// How long certificates are good, in seconds; without it, as shipped.
    pub certificate_life_s: Option<u64>,
    /// The port of a webhook's receiver on this machine.
    pub webhook: Option<u16>,
    /// A past that the fleet has when it begins.
    pub past: Option<past::Wanted>,
}

impl FleetSetup {
    /// A fleet on free ports, all of its own.
    ///
    /// # Errors
    /// When no port is free.
    pub fn new(folder: &Path, devices: u32) -> Result<Self, Error> {
        let ports = Ports { https: free_port(None)?, http: free_port(None)?, broker: free_port(None)? };
        let folder = folder.to_owned();
        Ok(Self {
            folder,
            devices,
            ports,
            database_url: None,
            mosquitto: false,
            proxied: false,
            clocks_off_by: None,
            small_disk: false,
            discovered: false,
            speed: None,
            certificate_life_s: None,
            webhook: None,
            past: None,
        })
    }
}

/// A running system.
pub struct Fleet {
    /// The server.
    pub server: Server,
    /// The agents, in the order of their numbers.
    pub agents: Vec<Agent>,
    /// Between agents and broker, if there is one.
    pub proxy: Option<Proxy>,
    /// The first agent's disk, if it has one of its own.
    pub disk: Option<SmallDisk>,
    /// What was made up before it began, if anything was.
    pub past: Option<Past>,
    mosquitto: Option<Mosquitto>,
    client: Client,
    /// By serial, once they have enrolled.
    names: BTreeMap<String, String>,
}

impl Fleet {
    /// Starts the server, then the agents, and waits until all have enrolled and are online.
    ///
    /// # Errors
    /// When any of it does not come up.
    pub async fn start(programs: &Programs, setup: &FleetSetup) -> Result<Self, Error> {
        let mut fleet = Self::start_server(programs, setup).await?;
        fleet.add_agents(programs, setup).await?;
        for agent in &mut fleet.agents {
            agent.start()?;
        }
        fleet.wait_until_all_are_online().await?;
        Ok(fleet)
    }

    /// Only the server and the proxy: there are no agents yet.
    ///
    /// # Errors
    /// When the server does not get ready or does not let the administrator in.
    pub async fn start_server(programs: &Programs, setup: &FleetSetup) -> Result<Self, Error> {
        make_folder(&setup.folder)?;
        if setup.folder.join(format!("agent-{}", setup.devices + 1)).exists() {
            let folder = setup.folder.display();
            return Err(Error::Missing(format!("{folder} holds more than {} devices: give --devices", setup.devices)));
        }
        let server = ServerSetup {
            folder: setup.folder.join("server"),
            ports: setup.ports,
            database_url: setup.database_url.clone(),
            external_broker: setup.mosquitto,
            certificate_life_s: setup.certificate_life_s,
            announced: setup.discovered,
            public_host: None,
            webhook: setup.webhook,
        };
        let past = match &setup.past {
            Some(wanted) => {
                server.configure()?;
                Some(Past::make(programs, &setup.folder, wanted, setup.devices).await?)
            }
            None => Past::of(&setup.folder)?,
        };
        let server = Server::start(programs, server).await?;
        let mosquitto = if setup.mosquitto {
            // After the server, which makes the certificates; it connects as soon as there is something.
            Some(Mosquitto::start(&setup.folder.join("mosquitto"), &server.data_dir(), setup.ports.broker).await?)
        } else {
            None
        };
        let mut client = Client::new(&server.http_url(), None)?;
        client.sign_in("admin", server.password()?).await?;
        let proxy = if setup.proxied { Some(Proxy::start(setup.ports.broker).await?) } else { None };
        Ok(Self { server, agents: Vec::new(), proxy, disk: None, past, mosquitto, client, names: BTreeMap::new() })
    }

    /// Writes the agents' configurations with a new enrolment token; starts none.
    ///
    /// # Errors
    /// When the server makes no token or a file can't be written.
    pub async fn add_agents(&mut self, programs: &Programs, setup: &FleetSetup) -> Result<(), Error> {
        let wanted = NewToken {
            uses: setup.devices,
            valid_s: 3600,
            note: "simulated fleet".to_owned(),
            admits: Some(Admits::Any),
            ..NewToken::default()
        };
        let token = self.client.create_token(&wanted).await?.token.unwrap_or_default();
        let (url, ca_sha256) = (self.server.https_url(), self.server.ca_sha256()?);
        for number in 1..=setup.devices {
            let folder = setup.folder.join(format!("agent-{number}"));
            let broker = match &self.proxy {
                Some(proxy) => Some(proxy.port()),
                // One that enrolled in an earlier run remembers a port that this run may not have.
                None if folder.exists() => Some(setup.ports.broker),
                None => None,
            };
            let broker = broker.map(|port| format!("127.0.0.1:{port}"));
            make_folder(&folder)?;
            let clock = setup.clocks_off_by.map(|days| FakeClock::new(&folder, days)).transpose()?;
            let agent = AgentSetup {
                folder,
                number,
                url: (!setup.discovered).then(|| url.clone()),
                ca_sha256: ca_sha256.clone(),
                token: token.clone(),
                broker,
                impatient: setup.proxied,
                clock,
                speed: setup.speed,
                tank: self.past.as_ref().and_then(|past| past.tank(number)).cloned(),
            };
            self.agents.push(Agent::new(programs, agent)?);
        }
        if let Some(first) = self.agents.first().filter(|_| setup.small_disk) {
            make_folder(&first.data_dir())?;
            self.disk = SmallDisk::mount(&first.data_dir());
            if self.disk.is_none() {
                println!("No disk can be mounted here without root's rights, so none will be full");
            }
        }
        Ok(())
    }

    /// Waits until the server has seen every agent.
    ///
    /// # Errors
    /// When one of them ends or does not get online in time.
    pub async fn wait_until_all_are_online(&mut self) -> Result<(), Error> {
        let Self { agents, client, names, server, .. } = self;
        until("all agents have enrolled and are online", ENROL, async || {
            server.still_runs()?;
            for agent in agents.iter_mut() {
                agent.still_runs()?;
            }
            let known = client.devices().await?;
            let online = known.iter().filter(|device| device.state == "online");
            let online: BTreeMap<_, _> = online.map(|device| (device.serial.clone(), device.name.clone())).collect();
            let all = agents.iter().all(|agent| online.contains_key(&agent.serial()));
            // Those that are not connected now were perhaps before, and keep their names.
            names.extend(online);
            Ok(all.then_some(()))
        })
        .await
    }

    /// What the server itself shows to the broker: it may hear and say everything.
    pub fn service_identity(&self) -> Identity {
        let data = self.server.data_dir();
        Identity {
            ca: data.join("ca.pem"),
            certificate: data.join("tirta-server.pem"),
            key: data.join("tirta-server.key"),
        }
    }

    /// Where a client with the server's certificate reaches the broker under any client id.
    pub fn services_port(&self) -> u16 {
        self.mosquitto.as_ref().map_or(self.server.ports().broker, Mosquitto::services_port)
    }

    /// The administrator, signed in.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the server says of its devices.
    ///
    /// # Errors
    /// When it says nothing.
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        Ok(self.client.devices().await?)
    }

    /// The name that the server gave to an agent.
    pub fn name(&self, agent: usize) -> Option<&str> {
        self.names.get(&self.agents.get(agent)?.serial()).map(String::as_str)
    }

    /// An error if something that should run does not.
    ///
    /// # Errors
    /// What ended, and how.
    pub fn still_runs(&mut self) -> Result<(), Error> {
        self.server.still_runs()?;
        self.mosquitto.as_mut().map_or(Ok(()), Mosquitto::still_runs)?;
        self.agents.iter_mut().try_for_each(Agent::still_runs)
    }

    /// Stops all measuring, and waits until everything measured has been acknowledged. What is not
    /// after `patience` is left to the comparison.
    ///
    /// # Errors
    /// When an agent fails.
    pub async fn drain(&mut self, patience: Duration) -> Result<(), Error> {
        for agent in &mut self.agents {
            agent.stop_measuring().await?;
        }
        for agent in &mut self.agents {
            let drained = until("an agent's readings are acknowledged", patience, async || {
                agent.still_runs()?;
                Ok((agent.account().await?.pending == 0).then_some(()))
            });
            match drained.await {
                Ok(()) | Err(Error::TimedOut { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Stops everything in order: first those that send.
    ///
    /// # Errors
    /// The first failure; the others are stopped all the same.
    pub async fn stop(&mut self) -> Result<(), Error> {
        let mut first = Ok(());
        for agent in &mut self.agents {
            first = first.and(agent.stop().await);
        }
        first.and(self.server.stop().await)
    }

    /// Compares what the agents recorded with what the database holds.
    ///
    /// # Errors
    /// When either can't be read, or an agent has not kept all that it measured.
    pub async fn verdict(&self) -> Result<Verdict, Error> {
        let mut pushed = BTreeMap::new();
        for (index, agent) in self.agents.iter().enumerate() {
            let account = agent.account().await?;
            if account.dropped > 0 || !account.is_whole() {
                let (kept, all) = (account.records.len(), account.next_seq - 1);
                return Err(Error::Verdict(format!("agent {} kept {kept} of its {all} readings", index + 1)));
            }
            let name = self.name(index).map_or_else(|| format!("agent {}, never enrolled", index + 1), str::to_owned);
            pushed.insert(name, account.records);
        }
        Ok(Verdict::of(&pushed, &self.sent().await?))
    }

    /// The same, and whether times that are said to be right lie within `span` (UTC milliseconds).
    ///
    /// # Errors
    /// The same.
    pub async fn verdict_with_times(&self, span: RangeInclusive<i64>) -> Result<Verdict, Error> {
        let mut verdict = self.verdict().await?;
        verdict.judge_times(&self.sent().await?, &span);
        Ok(verdict)
    }

    /// What the database holds of these agents: not what was made up before they began.
    async fn sent(&self) -> Result<Vec<Stored>, Error> {
        let mut stored = self.server.export().await?;
        if let Some(past) = &self.past {
            stored.retain(|stored| !past.buffers.contains(&stored.record.buffer));
        }
        Ok(stored)
    }
}

/// What a program prints, if it ends well.
async fn output_of(command: &mut Command, name: &str) -> Result<String, Error> {
    let output = command.kill_on_drop(true).output().await.tried(|| format!("run {name}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Program { program: name.to_owned(), how: format!("ended with {}: {why}", output.status) });
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Error::Output { program: name.to_owned(), line: "no UTF-8".to_owned() })
}
