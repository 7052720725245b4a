//! What time it is and how far that can be trusted: the one place that reads the system's clocks.
//!
//! A Pi has no battery clock. Whether the kernel's clock is disciplined is asked without unsafe code
//! from the file that systemd-timesyncd creates under `/run` once it has synchronised (it vanishes at
//! each boot) and touches whenever it does so again. Where something else keeps the time (chrony, a
//! container's host), the administrator says so with `assume_synced`. What follows from that, from jumps
//! and from the server's time is decided in [`judge`].

pub mod judge;
mod saved;

use judge::{Judge, Look, Word};
use rustix::time::{ClockId, clock_gettime};
use saved::Saved;
use serde::{Deserialize, Serialize};
use shared::{Clock, ClockQuality, Stamp, UtcMillis};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Where systemd-timesyncd says that it has synchronised since the boot.
pub const TIMESYNC_FILE: &str = "/run/systemd/timesync/synchronized";
/// How often the clocks are looked at: a jump is noticed within this time.
const LOOK: Duration = Duration::from_secs(1);

/// Milliseconds since the machine booted, sleep included. Nobody can set them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticks(pub i64);

impl Ticks {
    /// What to add to ticks to get a time, if `time` is the time at these.
    pub fn offset_to(self, time: UtcMillis) -> i64 {
        time.0.saturating_sub(self.0)
    }

    /// The time at these ticks.
    pub fn at(self, offset: i64) -> UtcMillis {
        UtcMillis(self.0.saturating_add(offset))
    }
}

/// Both clocks of a machine: the system's in `main`, a script in tests.
pub trait BootClock: Clock {
    /// The ticks now.
    fn ticks(&self) -> Ticks;
}

/// The clocks of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // this is the place
    fn now(&self) -> UtcMillis {
        millis(SystemTime::now())
    }
}

impl BootClock for SystemClock {
    fn ticks(&self) -> Ticks {
        let since = clock_gettime(ClockId::Boottime);
        Ticks(since.tv_sec * 1000 + since.tv_nsec / 1_000_000)
    }
}

fn millis(time: SystemTime) -> UtcMillis {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How to find out whether the clock is disciplined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discipline {
    /// The administrator vouches for it.
    Assumed,
    /// It is when this file exists, since the file was last touched.
    File(PathBuf),
}

impl Discipline {
    fn word(&self) -> Word {
        match self {
            Self::Assumed => Word::Vouched,
            Self::File(path) => match std::fs::metadata(path).and_then(|about| about.modified()) {
                Ok(touched) => Word::Synced(millis(touched)),
                Err(_) => Word::Nothing,
            },
        }
    }
}

/// A moment of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// When it was, as far as that was known then.
    pub stamp: Stamp,
    /// When it was, by the clock that nobody can set.
    pub ticks: Ticks,
}

/// The clock with its quality. Clones share what is known.
#[derive(Clone)]
pub struct Time {
    clock: Arc<dyn BootClock>,
    discipline: Arc<Discipline>,
    boot: Arc<str>,
    judge: Arc<Mutex<Judge>>,
    saved: Arc<Mutex<Option<Saved>>>,
    quality: Arc<watch::Sender<ClockQuality>>,
}

impl Time {
    /// Clocks and the way to judge them, with nothing known yet.
    pub fn new(clock: Arc<dyn BootClock>, discipline: Discipline) -> Self {
        Self {
            clock,
            discipline: Arc::new(discipline),
            boot: Arc::from(""),
            judge: Arc::default(),
            saved: Arc::default(),
            quality: Arc::new(watch::Sender::new(ClockQuality::Unsynced)),
        }
    }

    /// The same in this boot, with what was saved in `data_dir`.
    #[must_use]
    pub fn of_boot(self, boot: &str, data_dir: &Path) -> Self {
        let saved = Saved::read(data_dir);
        let judge = saved.as_ref().map(|saved| saved.judge(boot)).unwrap_or_default();
        Self { boot: Arc::from(boot), judge: Arc::new(Mutex::new(judge)), saved: Arc::new(Mutex::new(saved)), ..self }
    }

    /// Identifies this boot of the machine.
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// What the wall clock shows, trusted or not.
    pub fn now(&self) -> UtcMillis {
        self.clock.now()
    }

    /// The present moment.
    pub fn moment(&self) -> Moment {
        let mut judge = lock(&self.judge);
        let look = self.look();
        let stamp = judge.look(look);
        drop(judge);
        self.tell(stamp.clock);
        Moment { stamp, ticks: look.ticks }
    }

    /// The current instant with its quality.
    pub fn stamp(&self) -> Stamp {
        self.moment().stamp
    }

    /// The best that is known of what time it is: as the clock is judged, or else what is surely past.
    pub fn best(&self) -> UtcMillis {
        let stamp = self.stamp();
        if stamp.clock == ClockQuality::Unsynced { self.floor() } else { stamp.at }
    }

    /// Whether the clock can be trusted now.
    pub fn is_synced(&self) -> bool {
        self.stamp().clock == ClockQuality::Synced
    }

    /// The quality of the last stamp, and whatever follows.
    pub fn quality(&self) -> watch::Receiver<ClockQuality> {
        self.quality.subscribe()
    }

    /// What to add to the ticks of any moment of this boot to get its time, if that is known now.
    pub fn reference(&self) -> Option<i64> {
        let mut judge = lock(&self.judge);
        judge.look(self.look());
        judge.reference()
    }

    /// The server said just now that it is `time`.
    pub fn server_said(&self, time: UtcMillis) {
        lock(&self.judge).server_said(time, self.look());
        self.stamp();
    }

    /// The latest time that is surely past: that of the build, the last good one that was saved, and the server's.
    pub fn floor(&self) -> UtcMillis {
        let good = lock(&self.saved).as_ref().map(|saved| saved.good);
        let server = lock(&self.judge).server_time(self.clock.ticks());
        [Some(built()), good, server].into_iter().flatten().max().unwrap_or_default()
    }

    /// Looks at the clocks for ever, so that each jump and each confirmation is noticed, and keeps the
    /// last good time in `data_dir`.
    pub async fn keep(self, data_dir: PathBuf) {
        let data_dir: Arc<Path> = Arc::from(data_dir);
        loop {
            self.stamp();
            let (time, folder) = (self.clone(), Arc::clone(&data_dir));
            // It may write to the card, which blocks.
            if let Some(news) = self.news() {
                let _ = tokio::task::spawn_blocking(move || time.save(&folder, news)).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What is worth to be saved now.
    fn news(&self) -> Option<Saved> {
        let mut judge = lock(&self.judge);
        let look = self.look();
        let now = Saved::of(&self.boot, &look, judge.look(look))?;
        lock(&self.saved).as_ref().is_none_or(|saved| saved.is_outdated_by(&now)).then_some(now)
    }

    fn save(&self, data_dir: &Path, news: Saved) {
        if let Err(error) = news.write(data_dir) {
            tracing::warn!(file = saved::FILE_NAME, %error, "the time can't be saved");
        }
        // Also after a failure: it is no worth trying each second.
        *lock(&self.saved) = Some(news);
    }

    fn look(&self) -> Look {
        let began = self.clock.ticks();
        // Before the clock is read: it may be set in between, and the old time must not be vouched for.
        let word = self.discipline.word();
        let wall = self.clock.now();
        Look { began, word, wall, ticks: self.clock.ticks() }
    }

    fn tell(&self, quality: ClockQuality) {
        let changed = self.quality.send_if_modified(|known| std::mem::replace(known, quality) != quality);
        if changed {
            tracing::info!(clock = quality.as_str(), "the clock is judged anew");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When this program was built.
fn built() -> UtcMillis {
    UtcMillis(env!("TIRTA_BUILD_TIME").parse::<i64>().unwrap_or(0).saturating_mul(1000))
}

/// Identifies this boot of the machine: eight hexadecimal digits of the kernel's boot id; eight random ones
/// where it has none, so that nothing is taken for the same boot.
pub fn boot_id(path: &Path) -> String {
    let id = std::fs::read_to_string(path).unwrap_or_default();
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    if digits.len() == 8 { digits } else { format!("{:08x}", fastrand::u32(..)) }
}

#[cfg(test)]
pub(crate) mod tests;
