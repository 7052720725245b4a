//! Puts the parts together, in the order in which nothing is lost, and takes them apart again.
//!
//! Measuring begins before the network is there, even before the device has a name, and ends last.

mod rig;

use crate::buffer::{Buffer, Worker};
use crate::config::Config;
use crate::downlink::Downlink;
use crate::enrol;
use crate::identity::{Home, Identity, IdentityError, SerialSources};
use crate::link::{self, Link, LinkConfig, LinkState};
use crate::sampler::Sampler;
use crate::settings::SettingsFile;
use crate::status::Reporter;
use crate::time::{Time, boot_id};
use crate::trust::{self, TrustError};
use crate::uplink::Uplink;
use shared::{Clock, Serial};
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What ends an agent that has begun, or keeps it from beginning.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder for its data can't be used.
    #[error("data_dir {path}: {error}")]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another agent uses the folder: two would give the same sequences to different readings.
    #[error("data_dir {0}: another agent runs with it; give each its own")]
    InUse(PathBuf),
    /// Its identity is broken, or another board's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its certificate can't be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A thread can't be started.
    #[error("a thread can't be started: {0}")]
    Thread(io::Error),
}

/// Runs until `stop` resolves.
///
/// # Errors
/// When the agent can't begin.
pub async fn run(config: Config, clock: Arc<dyn Clock>, stop: impl Future<Output = ()>) -> Result<(), RunError> {
    let _lock = lock(&config.data_dir)?;
    let time = Time::new(clock, config.discipline.clone());
    let serial = config.serial.map_or_else(|| SerialSources::default().read(), Ok)?;
    let home = Home::new(&config.data_dir);
    let known = home.load(serial)?;

    let settings = Arc::new(SettingsFile::open(&config.data_dir, &time));
    let (buffer, worker) = Buffer::start(&config.data_dir, &config.buffer, time.clone()).map_err(RunError::Thread)?;
    let sampler = measure(&config, &settings, &buffer, &time)?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %serial, probes = config.probes.len(), "measuring");

    tokio::pin!(stop);
    let identity = tokio::select! {
        identity = identified(known, &config, &home, serial, &time) => identity,
        () = &mut stop => {
            end(sampler, worker).await;
            return Ok(());
        }
    };
    let voice = connect(&config, &identity, &settings, &buffer, &sampler, &time)?;
    stop.await;
    tracing::info!("stopping");
    end(sampler, worker).await;
    voice.end().await;
    Ok(())
}

fn measure(config: &Config, settings: &SettingsFile, buffer: &Buffer, time: &Time) -> Result<Sampler, RunError> {
    let intervals = settings.watch().borrow().intervals.clone();
    let sink = buffer.clone();
    Sampler::start(rig::lanes(&config.probes), &intervals, time, move |measured| sink.append(measured))
        .map_err(RunError::Thread)
}

async fn identified(known: Option<Identity>, config: &Config, home: &Home, serial: Serial, time: &Time) -> Identity {
    match known {
        Some(identity) => identity,
        None => enrol::until_enrolled(&config.server, home, serial, time, config.uplink.backoff()).await,
    }
}

/// The tasks that speak with the server.
struct Voice {
    link: Link,
    reporter: Reporter,
    tasks: Vec<JoinHandle<()>>,
    connection: JoinHandle<()>,
}

fn connect(
    config: &Config,
    identity: &Identity,
    settings: &Arc<SettingsFile>,
    buffer: &Buffer,
    sampler: &Sampler,
    time: &Time,
) -> Result<Voice, RunError> {
    let device = identity.name.clone();
    let reporter = Reporter {
        device: device.clone(),
        boot: boot_id(Path::new("/proc/sys/kernel/random/boot_id")),
        time: time.clone(),
        settings: settings.watch(),
        buffer: buffer.state(),
        vitals: sampler.vitals(),
    };
    let tls = trust::mutual(&identity.ca, &identity.certificate, &identity.key, time.clone())?;
    let (dial, tls_name) = broker(config, identity);
    tracing::info!(%device, host = %dial.0, port = dial.1, "connecting");
    let (link, inbox, connection) = link::start(LinkConfig {
        device: device.clone(),
        dial,
        tls_name,
        tls: Arc::new(tls),
        last_will: reporter.status(shared::message::LinkState::Online).last_will().encode(),
        backoff: config.uplink.backoff(),
    });
    let (ack_sender, acks) = mpsc::channel(16);
    let downlink = Downlink {
        device: device.clone(),
        acks: ack_sender,
        settings: Arc::clone(settings),
        intervals: sampler.intervals(),
    };
    let uplink = Uplink::new(device, link.clone(), buffer.clone(), acks, &config.uplink);
    let tasks = vec![
        tokio::spawn(downlink.run(inbox)),
        tokio::spawn(uplink.run()),
        tokio::spawn(reporter.clone().run(link.clone())),
    ];
    Ok(Voice { link, reporter, tasks, connection })
}

/// What to dial, and the name that the certificate must have. An address in the configuration changes
/// only where to dial: the name stays that of the server.
fn broker(config: &Config, identity: &Identity) -> ((String, u16), String) {
    let server = &config.server;
    match &server.broker {
        Some(dial) => (dial.clone(), server.host.clone()),
        None => {
            let host = identity.broker.host.clone().unwrap_or_else(|| server.host.clone());
            ((host.clone(), identity.broker.port), host)
        }
    }
}

/// The end of measuring: nothing that was sampled stays uncommitted.
async fn end(sampler: Sampler, worker: Worker) {
    let done = tokio::task::spawn_blocking(move || {
        sampler.stop();
        worker.stop();
    });
    if timeout(Duration::from_secs(8), done).await.is_err() {
        tracing::error!("the last readings could not be committed in time");
    }
}

impl Voice {
    /// The last words, and the good-bye that keeps the broker from publishing the last will.
    async fn end(self) {
        for task in &self.tasks {
            task.abort();
        }
        if *self.link.state().borrow() == LinkState::Down {
            return;
        }
        self.reporter.say_stopped(&self.link, Duration::from_secs(2)).await;
        self.link.close().await;
        let _ = timeout(Duration::from_secs(2), self.connection).await;
    }
}

/// Makes the folder and takes it for this process.
fn lock(data_dir: &Path) -> Result<File, RunError> {
    let failed = |error| RunError::DataDir { path: data_dir.to_owned(), error };
    std::fs::create_dir_all(data_dir).map_err(failed)?;
    let file = File::create(data_dir.join("agent.lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(RunError::InUse(data_dir.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}
