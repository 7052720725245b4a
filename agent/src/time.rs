//! What time it is and how far that can be trusted: the one place that reads the system's clock.
//!
//! A Pi has no battery clock. Whether the kernel's clock is disciplined is asked without unsafe code
//! from the file that systemd-timesyncd creates under `/run` once it has synchronised (it vanishes at
//! each boot). Where something else keeps the time (chrony, a container's host), the administrator
//! says so with `assume_synced`. Otherwise a time is honestly `unsynced`.

use shared::clock::EARLIEST;
use shared::{Clock, ClockQuality, Stamp, UtcMillis};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where systemd-timesyncd says that it has synchronised since the boot.
pub const TIMESYNC_FILE: &str = "/run/systemd/timesync/synchronized";

/// The wall clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // this is the place
    fn now(&self) -> UtcMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UtcMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// How to find out whether the clock is disciplined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discipline {
    /// The administrator vouches for it.
    Assumed,
    /// It is when this file exists.
    File(PathBuf),
}

/// The clock with its quality.
#[derive(Clone)]
pub struct Time {
    clock: Arc<dyn Clock>,
    discipline: Discipline,
}

impl Time {
    /// A clock and the way to judge it.
    pub fn new(clock: Arc<dyn Clock>, discipline: Discipline) -> Self {
        Self { clock, discipline }
    }

    /// The current instant, trusted or not.
    pub fn now(&self) -> UtcMillis {
        self.clock.now()
    }

    /// The current instant with its quality.
    pub fn stamp(&self) -> Stamp {
        // Before the clock is read: it may be set in between, and the old time must not be vouched for.
        let disciplined = match &self.discipline {
            Discipline::Assumed => true,
            Discipline::File(path) => path.exists(),
        };
        let at = self.clock.now();
        // A time before there was any Tirta is wrong, whoever vouches for it.
        let clock = if disciplined && at >= EARLIEST { ClockQuality::Synced } else { ClockQuality::Unsynced };
        Stamp { at, clock }
    }

    /// Whether the clock can be trusted now.
    pub fn is_synced(&self) -> bool {
        self.stamp().clock == ClockQuality::Synced
    }
}

/// Identifies this boot of the machine: eight hexadecimal digits of the kernel's boot id.
pub fn boot_id(path: &Path) -> String {
    let id = std::fs::read_to_string(path).unwrap_or_default();
    id.chars().filter(char::is_ascii_hexdigit).take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct At(i64);
    impl Clock for At {
        fn now(&self) -> UtcMillis {
            UtcMillis(self.0)
        }
    }

    #[test]
    fn a_time_is_synced_only_once_the_daemon_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("synchronized");
        let time = Time::new(Arc::new(At(1_763_690_400_000)), Discipline::File(file.clone()));
        assert_eq!(time.stamp().clock, ClockQuality::Unsynced);
        std::fs::write(file, "").unwrap();
        assert_eq!(time.stamp(), Stamp { at: UtcMillis(1_763_690_400_000), clock: ClockQuality::Synced });
    }

    #[test]
    fn a_clock_of_1970_is_never_synced_whoever_vouches_for_it() {
        assert!(!Time::new(Arc::new(At(5_000)), Discipline::Assumed).is_synced());
        assert!(Time::new(Arc::new(At(1_763_690_400_000)), Discipline::Assumed).is_synced());
    }

    #[test]
    fn the_boot_id_is_short_and_missing_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("boot_id");
        std::fs::write(&file, "0f3c2a1b-77aa-4f00-9d1e-0123456789ab\n").unwrap();
        assert_eq!(boot_id(&file), "0f3c2a1b");
        assert_eq!(boot_id(&folder.path().join("none")), "");
    }
}
