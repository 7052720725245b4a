//! Puts the parts together, in the order in which nothing is lost, and takes them apart again.
//!
//! Measuring begins before the network is there, even before the device has a name, and ends last.

mod onsite;
pub(crate) mod rig;

use crate::alarm::Alarm;
use crate::buffer::{Buffer, Worker};
use crate::calibrate::{Desk, Herald, Records};
use crate::config::Config;
use crate::downlink::Downlink;
use crate::enrol;
use crate::files;
use crate::identity::{Home, Identity, IdentityError, SerialSources};
use crate::link::{self, Dial, Link, LinkConfig, LinkState};
use crate::repeats::Repeats;
use crate::sampler::Sampler;
use crate::seek::{Follower, Seeker};
use crate::sensors;
use crate::settings::SettingsFile;
use crate::status::Reporter;
use crate::time::{BootClock, Time, boot_id};
use crate::trust::{self, TrustError};
use crate::uplink::Uplink;
use crate::watchdog::Notifier;
use shared::{ClockQuality, Serial, Settings};
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// How long an agent that is told to stop goes on sending.
const LAST_DELIVERY: Duration = Duration::from_secs(3);

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
pub async fn run(config: Config, clock: Arc<dyn BootClock>, stop: impl Future<Output = ()>) -> Result<(), RunError> {
    let _lock = lock(&config.data_dir)?;
    // Left in its fail-safe state however this ends.
    let alarm = Alarm::start(config.alarm.as_ref()).map_err(RunError::Thread)?;
    let boot = boot_id(Path::new("/proc/sys/kernel/random/boot_id"));
    let time = Time::new(clock, config.discipline.clone()).of_boot(&boot, &config.data_dir);
    let serial = config.serial.map_or_else(|| SerialSources::default().read(), Ok)?;
    let home = Home::new(&config.data_dir);
    let known = home.load(serial)?;

    if known.is_none() {
        SettingsFile::forget(&config.data_dir);
    }
    let settings = Arc::new(SettingsFile::open(&config.data_dir, &time));
    let (buffer, worker) = Buffer::start(&config.data_dir, &config.buffer, time.clone()).map_err(RunError::Thread)?;
    let records = Records::open(&config.data_dir, known.as_ref().map(|identity| &identity.name), &time);
    let sampler = measure(&config, &records.over(&settings.watch().borrow()), &buffer, &time)?;
    let desk = onsite::desk(&config, &settings, records, &sampler, &time);
    let voice_of = watch::Sender::new(None);
    onsite::listen(&config, &desk, (&sampler, &buffer, &alarm), &time, voice_of.subscribe());
    let mut clocks = JoinSet::new(); // until the end of this function
    clocks.spawn(keep_time(time.clone(), config.data_dir.clone(), buffer.clone()));
    let guarded = Guarded::begin(&sampler, &buffer, config.probes.len());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %serial, probes = config.probes.len(), "measuring");

    let seeker = Arc::new(Seeker::new(&config, time.clone()));
    tokio::pin!(stop);
    let found = tokio::select! {
        found = identified(known, &config, &seeker, &home, serial, &time) => Some(found),
        () = &mut stop => None,
    };
    let Some((identity, (dial, tls_name))) = found else {
        guarded.end();
        end_of_measuring(sampler, &buffer).await;
        return end_of_buffer(worker).await;
    };
    desk.name(identity.name.clone()).await;
    let parts = Parts { settings: &settings, buffer: &buffer, sampler: &sampler, desk: &desk, alarm: &alarm };
    let (move_to, dial) = watch::channel(dial);
    let voice = connect(&config, &identity, (dial, tls_name), &parts, &time)?;
    if config.server.address.is_none() && config.server.broker.is_none() && identity.broker.host.is_none() {
        let (link, patience) = (voice.link.state(), Follower::usual_patience());
        clocks.spawn(Follower { seeker, home, serial, link, dial: move_to, patience }.run());
    }
    voice_of.send_replace(Some((identity.name.to_string(), voice.link.state())));
    stop.await;
    tracing::info!("stopping");
    guarded.end();
    end_of_measuring(sampler, &buffer).await;
    voice.deliver_the_rest(&buffer).await;
    voice.say_good_bye().await;
    end_of_buffer(worker).await
}

fn measure(config: &Config, settings: &Settings, buffer: &Buffer, time: &Time) -> Result<Sampler, RunError> {
    let sink = buffer.clone();
    Sampler::start(rig::lanes(&config.probes), settings, time, move |measured| sink.append(measured))
        .map_err(RunError::Thread)
}

/// Watches the clocks for ever; what waits for a trusted time is committed as soon as there is one.
async fn keep_time(time: Time, data_dir: PathBuf, buffer: Buffer) {
    let mut quality = time.quality();
    let known = async {
        while quality.wait_for(|quality| *quality != ClockQuality::Unsynced).await.is_ok() {
            buffer.flush().await;
            if quality.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::join!(known, time.clone().keep(data_dir));
}

/// Who this device is and where its broker is, asking for what is not known for ever.
async fn identified(
    known: Option<Identity>,
    config: &Config,
    seeker: &Seeker,
    home: &Home,
    serial: Serial,
    time: &Time,
) -> (Identity, (Dial, String)) {
    let mut identity = match known {
        Some(identity) => identity,
        None => enrol::until_enrolled(seeker, home, serial, time, config.uplink.backoff()).await,
    };
    let mut backoff = config.uplink.backoff();
    loop {
        if let Some(address) = broker_address(config, &identity) {
            return (identity, address);
        }
        // It enrolled at an address that the configuration no longer has, with an agent that did not remember it.
        identity.server = seeker.located(&identity).await;
        if identity.server.is_none() {
            sleep(backoff.next_delay()).await;
        }
    }
}

/// While it lives, systemd hears that the agent measures.
struct Guarded {
    notifier: Arc<Notifier>,
    feeding: JoinHandle<()>,
}

impl Guarded {
    fn begin(sampler: &Sampler, buffer: &Buffer, probes: usize) -> Self {
        let notifier = Arc::new(Notifier::from_environment());
        notifier.ready();
        let (pulse, state, health) = (sampler.pulse(), buffer.state(), buffer.health());
        let status = move || {
            let pending = state.borrow().map_or(0, |ledger| ledger.pending());
            let trouble = health.borrow().trouble.map_or("", |_| "; the card can't be written");
            format!("{probes} probes; {pending} readings wait for the server{trouble}")
        };
        let feeder = Arc::clone(&notifier);
        let buffer = buffer.clone();
        let feeding = tokio::spawn(async move {
            let beats = || pulse.beats(std::time::Instant::now());
            feeder.feed(beats, status, || buffer.flush()).await;
        });
        Self { notifier, feeding }
    }

    /// The threads end now, so nobody may wait for their progress.
    fn end(self) {
        self.feeding.abort();
        self.notifier.stopping();
    }
}

/// The tasks that speak with the server.
struct Voice {
    link: Link,
    reporter: Reporter,
    tasks: Vec<JoinHandle<()>>,
    connection: JoinHandle<()>,
}

/// What measures, for those who speak about it.
struct Parts<'a> {
    settings: &'a Arc<SettingsFile>,
    buffer: &'a Buffer,
    sampler: &'a Sampler,
    desk: &'a Desk,
    alarm: &'a Alarm,
}

fn connect(
    config: &Config,
    identity: &Identity,
    (dial, tls_name): (watch::Receiver<Dial>, String),
    parts: &Parts<'_>,
    time: &Time,
) -> Result<Voice, RunError> {
    let Parts { settings, buffer, sampler, desk, alarm } = *parts;
    let device = identity.name.clone();
    let reporter = Reporter {
        device: device.clone(),
        boot: time.boot().to_owned(),
        time: time.clone(),
        settings: settings.watch(),
        buffer: buffer.state(),
        health: buffer.health(),
        vitals: sampler.vitals(),
        alarm: alarm.state,
    };
    let tls = trust::mutual(&identity.ca, &identity.certificate, &identity.key, time.clone())?;
    tracing::info!(%device, host = %dial.borrow().0, port = dial.borrow().1, "connecting");
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
        repeats: Repeats::default(),
        desk: desk.clone(),
        time: time.clone(),
    };
    let herald = Herald { device: device.clone(), link: link.clone(), views: desk.views(), waiting: desk.waiting() };
    let sensors = sensors::report(device.clone(), rig::sensors(&config.probes), link.clone());
    let uplink = Uplink::new(device, link.clone(), buffer.clone(), acks, time.quality(), &config.uplink);
    let tasks = vec![
        tokio::spawn(downlink.run(inbox)),
        tokio::spawn(uplink.run()),
        tokio::spawn(herald.run()),
        tokio::spawn(sensors),
        tokio::spawn(reporter.clone().run(link.clone())),
    ];
    Ok(Voice { link, reporter, tasks, connection })
}

/// What to dial, and the name that the certificate must have: the broker that the enrolment named, else the host of
/// the configuration, else the one that the device enrolled at. An address for the broker in the configuration changes
/// only where to dial: the name stays that of the server. `None`: nothing says it.
pub(crate) fn broker_address(config: &Config, identity: &Identity) -> Option<(Dial, String)> {
    let given = config.server.address.as_ref().map(|(host, _)| (host.clone(), host.clone()));
    let remembered = || identity.server.clone().map(|origin| (origin.host, origin.tls_name));
    let server = given.or_else(remembered);
    let named = identity.broker.host.clone().map(|host| (host.clone(), host));
    match &config.server.broker {
        Some(dial) => server.or(named).map(|(_, name)| (dial.clone(), name)),
        None => named.or(server).map(|(host, name)| ((host, identity.broker.port), name)),
    }
}

/// From here on nothing is sampled, and what was is committed.
async fn end_of_measuring(sampler: Sampler, buffer: &Buffer) {
    // Its threads are joined, which blocks.
    let _ = tokio::task::spawn_blocking(move || sampler.stop()).await;
    if timeout(Duration::from_secs(5), buffer.flush()).await.is_err() {
        tracing::error!("the last readings could not be committed in time");
    }
}

async fn end_of_buffer(worker: Worker) -> Result<(), RunError> {
    let stopped = tokio::task::spawn_blocking(move || worker.stop());
    if timeout(Duration::from_secs(5), stopped).await.is_err() {
        tracing::error!("the buffer does not end; it is left as it is on the card");
    }
    Ok(())
}

impl Voice {
    /// Gives the server a moment to take the last readings. What it does not take stays in the buffer
    /// for the next start.
    async fn deliver_the_rest(&self, buffer: &Buffer) {
        let (mut state, mut link) = (buffer.state(), self.link.state());
        let delivered = state.wait_for(|state| state.is_none_or(|ledger| ledger.pending() == 0));
        let cut = link.wait_for(|link| *link == LinkState::Down);
        tokio::select! {
            _ = delivered => {}
            _ = cut => {}
            () = sleep(LAST_DELIVERY) => {}
        }
    }

    /// The last words, and the good-bye that keeps the broker from publishing the last will.
    async fn say_good_bye(self) {
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

/// Whether an agent runs with this folder. Changes nothing: it may be asked by another user than the agent's.
pub fn is_running(data_dir: &Path) -> bool {
    let held = |file: File| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock));
    File::open(data_dir.join("agent.lock")).is_ok_and(held)
}

/// Makes the folder and takes it for this process.
fn lock(data_dir: &Path) -> Result<File, RunError> {
    let failed = |error| RunError::DataDir { path: data_dir.to_owned(), error };
    files::make_folder(data_dir).map_err(failed)?;
    let file = File::create(data_dir.join("agent.lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(RunError::InUse(data_dir.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}
