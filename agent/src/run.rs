//! Puts the parts together, in the order in which nothing is lost, and takes them apart again.
//!
//! Measuring begins before the network is there, even before the device has a name, and ends last.

mod onsite;
pub(crate) mod rig;
mod voice;

pub(crate) use voice::broker_address;

use crate::alarm::Alarm;
use crate::buffer::{Buffer, Worker};
use crate::calibrate::{Desk, Records};
use crate::config::Config;
use crate::enrol::{self, Board};
use crate::files;
use crate::identify::Blinker;
use crate::identity::{Home, Identity, IdentityError, SerialSources};
use crate::lamp::{Lamp, Standing, led::LEDS};
use crate::repeats::Repeats;
use crate::sampler::Sampler;
use crate::seek::Seeker;
use crate::sentinel::{Outlet, Sentinel};
use crate::settings::SettingsFile;
use crate::time::{BootClock, Time, boot_id};
use crate::trust::TrustError;
use crate::watchdog::Notifier;
use onsite::Voiced;
use shared::id::RunId;
use shared::{ClockQuality, DeviceName, Settings};
use std::fs::File;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use voice::{Address, Voice};

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
    /// Its identity is broken.
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
    let lamp = Lamp::new(Path::new(LEDS), &config.lamp);
    let lock = lock(&config.data_dir);
    let ended = match &lock {
        Ok(_) => run_alone(config, clock, &lamp, stop).await,
        Err(_) => lock.map(drop),
    };
    // The lamp of an agent that runs already is not this one's.
    if !matches!(ended, Err(RunError::InUse(_))) {
        lamp.end(ended.is_ok());
    }
    ended
}

async fn run_alone(
    config: Config,
    clock: Arc<dyn BootClock>,
    lamp: &Lamp,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    // Left in its fail-safe state however this ends.
    let alarm = Alarm::start(config.alarm.as_ref()).map_err(RunError::Thread)?;
    let boot = boot_id(Path::new("/proc/sys/kernel/random/boot_id"));
    let time = Time::new(clock, config.discipline.clone()).of_boot(&boot, &config.data_dir);
    let sources = SerialSources::default();
    let serial = config.serial.map_or_else(|| sources.read(), Ok)?;
    let board = Board { serial, model: sources.model() };
    let home = Home::new(&config.data_dir);
    home.settle(serial)?;
    // Before the first reading: a card that is copied now must show whose it is.
    if let Err(error) = home.key_pair(serial) {
        tracing::error!(%error, "this device's key can't be made yet; it is tried again before enrolling");
    }
    let known = home.load(serial)?;

    if known.is_none() {
        SettingsFile::forget(&config.data_dir);
    }
    let settings = Arc::new(SettingsFile::open(&config.data_dir, &time));
    let (buffer, worker) = Buffer::start(&config.data_dir, &config.buffer, time.clone()).map_err(RunError::Thread)?;
    let records = Records::open(&config.data_dir, known.as_ref().map(|identity| &identity.name), &time);
    let sentinel = sentinel(&config, &settings, &alarm);
    let sampler = measure(&config, &records.over(&settings.watch().borrow()), (&buffer, &sentinel), &time)?;
    let desk = onsite::desk(&config, &settings, records, &sampler, &time);
    let voice_of = watch::Sender::new(None);
    let blinker = Blinker::new(alarm.handle(), lamp.led());
    let standing = watch::Sender::new(if known.is_some() { Standing::CutOff } else { Standing::Nameless });
    let mut always = JoinSet::new(); // until the end of this function
    always.spawn(lamp.clone().run(standing.subscribe(), buffer.health(), blinker.blinks()));
    always.spawn(sentinel.clone().run(settings.watch(), time.clone()));
    always.spawn(keep_time(time.clone(), config.data_dir.clone(), buffer.clone()));
    onsite::listen(&config, &desk, (&sampler, &buffer, blinker), &time, voice_of.subscribe());
    let guarded = Guarded::begin(&sampler, &buffer, config.probes.len());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %serial, probes = config.probes.len(), "measuring");

    let parts = Parts { settings: &settings, buffer: &buffer, sampler: &sampler, desk: &desk, alarm: &alarm };
    let run = RunId::from_random(getrandom::u64().unwrap_or_else(|_| fastrand::u64(..)));
    let seeker = Arc::new(Seeker::new(&config, time.clone()));
    let device = Device { board, home, seeker, time, run, standing };
    tokio::pin!(stop);
    let voice = speak(&config, &device, &parts, known, &voice_of, stop).await;
    if voice.is_ok() {
        tracing::info!("stopping");
    }
    guarded.end();
    end_of_measuring(sampler, &buffer, sentinel).await;
    if let Ok(Some(voice)) = &voice {
        voice.deliver_the_rest(&buffer).await;
    }
    let ended = match voice {
        Ok(Some(voice)) => {
            voice.say_good_bye().await;
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    end_of_buffer(worker).await;
    ended
}

/// The server's word for a certificate that ended too long ago.
const TOO_LATE: &str = "too_late";

/// Enrols if it must, and speaks with the server until `stop` resolves; begins anew whenever the server no longer
/// knows this device's key. Returns who spoke last.
async fn speak(
    config: &Config,
    device: &Device,
    parts: &Parts<'_>,
    mut known: Option<Identity>,
    voice_of: &watch::Sender<Voiced>,
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<Option<Voice>, RunError> {
    let mut former: Option<DeviceName> = None;
    loop {
        let (identity, address) = tokio::select! {
            found = identified(known.take(), config, device) => found,
            () = &mut stop => return Ok(None),
        };
        if former.as_ref().is_some_and(|former| *former != identity.name) {
            parts.settings.begin_anew(&config.data_dir);
            parts.sampler.intervals().apply(&parts.settings.watch().borrow().intervals);
        }
        former = Some(identity.name.clone());
        parts.desk.name(identity.name.clone()).await;
        let mut voice = voice::connect(config, device, (identity.clone(), address), parts)?;
        voice_of.send_replace(Some((identity.name.to_string(), voice.link.state())));
        let why = tokio::select! {
            why = voice.ended() => why,
            () = &mut stop => return Ok(Some(voice)),
        };
        tracing::error!(device = %identity.name, why, "this identity has ended: the device enrols anew; measuring goes on");
        voice.hang_up();
        voice_of.send_replace(None);
        tokio::select! {
            () = put_away(config, device, &why) => {}
            () = &mut stop => return Ok(None),
        }
    }
}

/// A dead key must be gone before this device asks again, and the next one there, so that the card stays this board's: with a
/// card that can't be written it waits. A key that only slept too long is still this device's.
async fn put_away(config: &Config, device: &Device, why: &str) {
    let (mut backoff, repeats) = (config.uplink.backoff(), Repeats::default());
    let done = || match why {
        TOO_LATE => device.home.let_go(),
        _ => device.home.put_away().and_then(|()| device.home.key_pair(device.board.serial).map(drop)),
    };
    while let Err(error) = done() {
        if let Some(unsaid) = repeats.say(&error.to_string(), std::time::Instant::now()) {
            tracing::error!(%error, unsaid, "the former identity can't be put away");
        }
        sleep(backoff.next_delay()).await;
    }
}

fn sentinel(config: &Config, settings: &SettingsFile, alarm: &Alarm) -> Sentinel {
    let from = config.alarm.as_ref().map(|alarm| alarm.severity).unwrap_or_default();
    Sentinel::open(&config.data_dir, &settings.watch().borrow(), Outlet { alarm: alarm.handle(), from })
}

fn measure(
    config: &Config,
    settings: &Settings,
    (buffer, sentinel): (&Buffer, &Sentinel),
    time: &Time,
) -> Result<Sampler, RunError> {
    let (buffer, sentinel) = (buffer.clone(), sentinel.clone());
    let sink = move |measured| match sentinel.take(&measured) {
        true => buffer.append_news(measured),
        false => buffer.append(measured),
    };
    Sampler::start(rig::lanes(&config.probes), settings, time, sink).map_err(RunError::Thread)
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
async fn identified(known: Option<Identity>, config: &Config, device: &Device) -> (Identity, Address) {
    let Device { board, home, seeker, time, standing, .. } = device;
    let mut identity = match known {
        Some(identity) => identity,
        None => enrol::until_enrolled(seeker, home, board, time, config.uplink.backoff(), standing).await,
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

/// Which device this is, and what it needs to be it.
struct Device {
    board: Board,
    home: Home,
    /// Finds its server.
    seeker: Arc<Seeker>,
    time: Time,
    /// This run of the agent.
    run: RunId,
    /// How it stands with its server.
    standing: watch::Sender<Standing>,
}

/// What measures, for those who speak about it.
struct Parts<'a> {
    settings: &'a Arc<SettingsFile>,
    buffer: &'a Buffer,
    sampler: &'a Sampler,
    desk: &'a Desk,
    alarm: &'a Alarm,
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

/// From here on nothing is sampled, and what was is committed.
async fn end_of_measuring(sampler: Sampler, buffer: &Buffer, sentinel: Sentinel) {
    // Its threads are joined, and a file is written, which blocks.
    let ended = tokio::task::spawn_blocking(move || {
        sampler.stop();
        sentinel.save()
    });
    if let Ok(Err(error)) = ended.await {
        tracing::warn!(%error, "what is raised is not saved");
    }
    if timeout(Duration::from_secs(5), buffer.flush()).await.is_err() {
        tracing::error!("the last readings could not be committed in time");
    }
}

async fn end_of_buffer(worker: Worker) {
    let stopped = tokio::task::spawn_blocking(move || worker.stop());
    if timeout(Duration::from_secs(5), stopped).await.is_err() {
        tracing::error!("the buffer does not end; it is left as it is on the card");
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
