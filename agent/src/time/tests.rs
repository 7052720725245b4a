//! The clock with its file and its memory.

use super::*;
use std::fs::{File, FileTimes};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use tempfile::TempDir;

const NOON: i64 = 1_763_690_400_000;

/// Two clocks that a test moves.
#[derive(Default)]
pub(crate) struct Script {
    ticks: AtomicI64,
    wall: AtomicI64,
}

impl Script {
    pub(crate) fn at(ticks: i64, wall: i64) -> Arc<Self> {
        Arc::new(Self { ticks: ticks.into(), wall: wall.into() })
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.ticks.fetch_add(ms, Relaxed);
        self.wall.fetch_add(ms, Relaxed);
    }

    /// Somebody sets the wall clock.
    pub(crate) fn set(&self, wall: i64) {
        self.wall.store(wall, Relaxed);
    }
}

impl Clock for Script {
    fn now(&self) -> UtcMillis {
        UtcMillis(self.wall.load(Relaxed))
    }
}

impl BootClock for Script {
    fn ticks(&self) -> Ticks {
        Ticks(self.ticks.load(Relaxed))
    }
}

struct Bench {
    clock: Arc<Script>,
    folder: TempDir,
    time: Time,
}

impl Bench {
    fn new(ticks: i64, wall: i64) -> Self {
        let (clock, folder) = (Script::at(ticks, wall), tempfile::tempdir().unwrap());
        let time = started(&clock, &folder, "b1");
        Self { clock, folder, time }
    }

    /// The time daemon sets the clock and touches its file.
    fn sync(&self, wall: i64) {
        self.clock.set(wall);
        let file = File::create(self.folder.path().join("synchronized")).unwrap();
        let touched = UNIX_EPOCH + Duration::from_millis(u64::try_from(wall).unwrap());
        file.set_times(FileTimes::new().set_modified(touched)).unwrap();
    }

    /// What the agent's second does.
    fn keep(&self) {
        if let Some(news) = self.time.news() {
            self.time.save(self.folder.path(), news);
        }
    }

    fn restart(&mut self, boot: &str) {
        self.time = started(&self.clock, &self.folder, boot);
    }
}

fn started(clock: &Arc<Script>, folder: &TempDir, boot: &str) -> Time {
    let file = folder.path().join("synchronized");
    let clock: Arc<dyn BootClock> = Arc::clone(clock) as _;
    Time::new(clock, Discipline::File(file)).of_boot(boot, folder.path())
}

#[test]
fn a_time_is_synced_only_once_the_daemon_says_so() {
    let bench = Bench::new(1_000, 5_000);
    assert_eq!(bench.time.stamp(), Stamp { at: UtcMillis(5_000), clock: ClockQuality::Unsynced });
    assert_eq!(bench.time.reference(), None);
    bench.clock.pass(9_000);
    bench.sync(NOON);
    assert_eq!(bench.time.stamp(), Stamp { at: UtcMillis(NOON), clock: ClockQuality::Synced });
    assert_eq!(bench.time.reference(), Some(NOON - 10_000));
}

#[test]
fn an_agent_that_starts_again_in_the_same_boot_notices_a_clock_that_was_set_meanwhile() {
    let mut bench = Bench::new(1_000, NOON);
    bench.sync(NOON);
    bench.keep();
    bench.clock.pass(7_200_000);
    bench.restart("b1");
    assert!(bench.time.is_synced(), "the daemon has long said nothing, but nobody has set the clock");
    bench.clock.set(NOON + 30 * 86_400_000);
    bench.restart("b1");
    assert!(!bench.time.is_synced());
    // In another boot the file would not be there any more; if it is, its time proves nothing.
    bench.restart("b2");
    assert!(!bench.time.is_synced());
}

#[test]
fn the_floor_is_the_last_good_time_also_in_the_next_boot() {
    let mut bench = Bench::new(1_000, 5_000);
    assert_eq!(bench.time.floor(), built());
    let late = built().0 + 1_000_000;
    bench.sync(late);
    bench.keep();
    bench.clock.set(5_000);
    bench.restart("b2");
    assert_eq!(bench.time.floor(), UtcMillis(late));
    bench.time.server_said(UtcMillis(late + 60_000));
    assert_eq!(bench.time.floor(), UtcMillis(late + 60_000));
}

#[test]
fn the_time_is_saved_at_most_once_an_hour() {
    let bench = Bench::new(1_000, NOON);
    bench.sync(NOON);
    let mut writes = 0;
    for _ in 0..7_200 {
        writes += i32::from(bench.time.news().is_some());
        bench.keep();
        bench.clock.pass(1_000);
    }
    assert_eq!(writes, 2);
}

#[test]
fn whoever_waits_for_a_trusted_clock_is_told() {
    let bench = Bench::new(1_000, 5_000);
    let mut quality = bench.time.quality();
    bench.time.stamp();
    assert!(!quality.has_changed().unwrap());
    bench.time.server_said(UtcMillis(NOON));
    assert!(quality.has_changed().unwrap());
    assert_eq!(*quality.borrow_and_update(), ClockQuality::Repaired);
    bench.sync(NOON);
    bench.time.stamp();
    assert_eq!(*quality.borrow_and_update(), ClockQuality::Synced);
}

#[test]
fn the_ticks_of_this_machine_rise_and_the_build_was_before_now() {
    let first = SystemClock.ticks();
    assert!(first.0 > 0 && SystemClock.ticks() >= first);
    assert!(built() > shared::clock::EARLIEST && built() <= SystemClock.now());
}

#[test]
fn the_boot_id_is_short_and_never_that_of_another_boot() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("boot_id");
    std::fs::write(&file, "0f3c2a1b-77aa-4f00-9d1e-0123456789ab\n").unwrap();
    assert_eq!(boot_id(&file), "0f3c2a1b");
    let none = folder.path().join("none");
    assert_eq!(boot_id(&none).len(), 8);
    assert_ne!(boot_id(&none), boot_id(&none));
}
