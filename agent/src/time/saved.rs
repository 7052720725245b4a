//! The last time that was known to be good, kept on the card: a floor for the next boot, and for an agent
//! that starts again in the same boot, the proof that nobody set the clock meanwhile.

use super::Ticks;
use super::judge::{Judge, Look, Word};
use crate::files::write_atomically;
use serde::{Deserialize, Serialize};
use shared::{ClockQuality, Stamp, UtcMillis};
use std::path::{Path, PathBuf};

/// The file's name below `data_dir`.
pub const FILE_NAME: &str = "time.json";
/// It is written at most this often while nobody sets the clock: cards wear out.
const EVERY_MS: i64 = 3_600_000;

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// A time that was good (UTC milliseconds).
    pub good: UtcMillis,
    /// The boot in which it was.
    boot: String,
    /// The ticks at that time.
    ticks: Ticks,
    /// Whether it was the wall clock's; else it came from the server.
    synced: bool,
    /// The synchronised file's time then.
    touched: Option<UtcMillis>,
}

impl Saved {
    /// What a look found good; `None` for a look that found nothing.
    pub fn of(boot: &str, look: &Look, stamp: Stamp) -> Option<Self> {
        let touched = match look.word {
            Word::Synced(at) => Some(at),
            Word::Nothing | Word::Vouched => None,
        };
        let synced = stamp.clock == ClockQuality::Synced;
        let known = stamp.clock != ClockQuality::Unsynced;
        known.then(|| Self { good: stamp.at, boot: boot.to_owned(), ticks: look.ticks, synced, touched })
    }

    /// A judge that knows what this boot's former agent knew.
    pub fn judge(&self, boot: &str) -> Judge {
        if !self.synced || self.boot != boot {
            return Judge::default();
        }
        let word = self.touched.map_or(Word::Vouched, Word::Synced);
        Judge::resume(Look { began: self.ticks, word, wall: self.good, ticks: self.ticks })
    }

    /// Whether `newer` is worth a write.
    pub fn is_outdated_by(&self, newer: &Self) -> bool {
        let moved = self.ticks.offset_to(self.good).abs_diff(newer.ticks.offset_to(newer.good)) > 2_000;
        let other = self.boot != newer.boot || (newer.synced && (!self.synced || moved));
        other || newer.ticks.0 - self.ticks.0 >= EVERY_MS
    }

    /// Reads the file; a broken or missing one is no harm, only no floor.
    pub fn read(data_dir: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path(data_dir)).ok()?;
        serde_json::from_str(&text)
            .inspect_err(|error| tracing::warn!(file = FILE_NAME, %error, "the last good time can't be read"))
            .ok()
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When that fails; the former one is still there.
    pub fn write(&self, data_dir: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string(self).map_err(std::io::Error::other)?;
        write_atomically(&path(data_dir), text.as_bytes(), 0o644)
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: i64 = 1_763_690_400_000;

    fn saved(boot: &str, ticks: i64, wall: i64, clock: ClockQuality) -> Saved {
        let look =
            Look { began: Ticks(ticks), word: Word::Synced(UtcMillis(9)), wall: UtcMillis(wall), ticks: Ticks(ticks) };
        Saved::of(boot, &look, Stamp { at: UtcMillis(wall), clock }).unwrap()
    }

    #[test]
    fn a_good_time_survives_and_a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Saved::read(folder.path()), None);
        let good = saved("b1", 50, GOOD, ClockQuality::Synced);
        good.write(folder.path()).unwrap();
        assert_eq!(Saved::read(folder.path()), Some(good));
        std::fs::write(path(folder.path()), "{\"good\":17").unwrap();
        assert_eq!(Saved::read(folder.path()), None);
    }

    #[test]
    fn it_is_written_once_an_hour_and_when_the_boot_or_the_offset_is_another() {
        let first = saved("b1", 1_000, GOOD, ClockQuality::Synced);
        let later = |ms, boot, clock| saved(boot, 1_000 + ms, GOOD + ms, clock);
        assert!(!first.is_outdated_by(&later(EVERY_MS - 1, "b1", ClockQuality::Synced)));
        assert!(first.is_outdated_by(&later(EVERY_MS, "b1", ClockQuality::Synced)));
        assert!(first.is_outdated_by(&later(5, "b2", ClockQuality::Synced)));
        assert!(!first.is_outdated_by(&later(5, "b1", ClockQuality::Repaired)));
        let jumped = saved("b1", 2_000, GOOD + 60_000, ClockQuality::Synced);
        assert!(first.is_outdated_by(&jumped));
    }
}
