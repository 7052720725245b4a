//! The settings that the server sent: kept in a file of their own, apart from the readings, so that a
//! power cut during a commit can't change how the device measures.

use crate::files::{set_aside, write_atomically};
use crate::repeats::Repeats;
use crate::time::Time;
use shared::Settings;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// The file's name below `data_dir`.
pub const FILE_NAME: &str = "settings.json";

/// The settings in force.
pub struct SettingsFile {
    path: PathBuf,
    current: watch::Sender<Settings>,
    /// The last that could not be saved.
    unsaved: Mutex<Option<Settings>>,
    repeats: Repeats,
}

impl SettingsFile {
    /// Reads what was saved. A broken file is set aside; the device then measures as configured until
    /// the server's retained message arrives.
    pub fn open(data_dir: &Path, time: &Time) -> Self {
        let path = data_dir.join(FILE_NAME);
        let settings = match std::fs::read(&path) {
            Ok(bytes) => Settings::decode(&bytes).unwrap_or_else(|problem| {
                let kept = set_aside(&path, time.now());
                tracing::error!(path = %path.display(), %problem, ?kept, "the settings can't be read: they are set aside");
                Settings::default()
            }),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::error!(path = %path.display(), %error, "the settings can't be read");
                }
                Settings::default()
            }
        };
        Self { path, current: watch::channel(settings).0, unsaved: Mutex::default(), repeats: Repeats::default() }
    }

    /// What was saved, without changing anything: for whoever only looks.
    pub fn look(data_dir: &Path) -> Settings {
        let bytes = std::fs::read(data_dir.join(FILE_NAME)).unwrap_or_default();
        Settings::decode(&bytes).unwrap_or_default()
    }

    /// Forgets what was saved: it was for another identity, whose versions would outrank those to come.
    pub fn forget(data_dir: &Path) {
        let path = data_dir.join(FILE_NAME);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::error!(path = %path.display(), %error, "the former settings can't be removed");
            }
            _ => {}
        }
    }

    /// This device is another one from now on: what was for the former is neither in force nor in the way.
    pub fn begin_anew(&self, data_dir: &Path) {
        Self::forget(data_dir);
        *self.unsaved() = None;
        self.current.send_replace(Settings::default());
    }

    /// The settings in force, and whatever follows.
    pub fn watch(&self) -> watch::Receiver<Settings> {
        self.current.subscribe()
    }

    /// Takes settings that the server sent: saved first, then in force. Returns whether they are; those that can't be
    /// saved are kept for [`Self::try_again`].
    pub fn offer(&self, offered: Settings) -> bool {
        let version = self.current.borrow().version;
        if offered.version == version {
            // The retained message comes again with every connection.
            return false;
        }
        if offered.version < version {
            if let Some(unsaid) = self.repeats.say("older", Instant::now()) {
                tracing::warn!(offered = offered.version, version, unsaid, "older settings are ignored");
            }
            return false;
        }
        // What is not saved would be gone after the next power cut while the server thinks it applied.
        if let Err(error) = write_atomically(&self.path, offered.encode().as_bytes(), 0o644) {
            if let Some(unsaid) = self.repeats.say("not saved", Instant::now()) {
                tracing::error!(path = %self.path.display(), %error, unsaid, "the settings can't be saved: the former ones stay");
            }
            *self.unsaved() = Some(offered);
            return false;
        }
        tracing::info!(version = offered.version, "new settings");
        *self.unsaved() = None;
        self.current.send_replace(offered);
        true
    }

    /// Takes settings that could not be saved when they came: the disk may have room again, and the server says them
    /// only once for each connection. Returns whether they are in force now.
    pub fn try_again(&self) -> bool {
        let unsaved = self.unsaved().take();
        unsaved.is_some_and(|unsaved| self.offer(unsaved))
    }

    fn unsaved(&self) -> MutexGuard<'_, Option<Settings>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Discipline, SystemClock};
    use shared::Metric;
    use shared::message::Intervals;
    use std::sync::Arc;

    fn time() -> Time {
        Time::new(Arc::new(SystemClock), Discipline::Assumed)
    }

    fn settings(version: u32, ms: u64) -> Settings {
        let mut intervals = Intervals::default();
        intervals.set(Metric::Ph, ms).unwrap();
        Settings::new(version, intervals)
    }

    #[test]
    fn settings_survive_a_restart_apart_from_the_readings() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SettingsFile::open(folder.path(), &time()).offer(settings(3, 500)));
        let again = SettingsFile::open(folder.path(), &time());
        assert_eq!(*again.watch().borrow(), settings(3, 500));
        assert!(!folder.path().join("buffer.db").exists());
    }

    #[test]
    fn only_a_newer_version_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::open(folder.path(), &time());
        assert!(file.offer(settings(3, 500)));
        assert!(!file.offer(settings(3, 900)));
        assert!(!file.offer(settings(2, 900)));
        assert_eq!(*file.watch().borrow(), settings(3, 500));
        assert!(file.offer(settings(4, 900)));
    }

    #[test]
    fn a_device_that_became_another_takes_settings_of_any_version() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::open(folder.path(), &time());
        assert!(file.offer(settings(30, 500)));
        file.begin_anew(folder.path());
        assert_eq!(file.watch().borrow().version, 0);
        assert!(file.offer(settings(1, 900)));
    }

    #[test]
    fn settings_that_can_not_be_saved_are_not_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::open(folder.path(), &time());
        // A folder where the file should be: nothing can be renamed over it.
        std::fs::create_dir_all(folder.path().join(FILE_NAME).join("x")).unwrap();
        assert!(!file.offer(settings(3, 500)));
        assert_eq!(file.watch().borrow().version, 0);
        assert!(!file.try_again());
        std::fs::remove_dir_all(folder.path().join(FILE_NAME)).unwrap();
        assert!(file.try_again(), "as soon as there is room");
        assert_eq!(*SettingsFile::open(folder.path(), &time()).watch().borrow(), settings(3, 500));
        assert!(!file.try_again());
    }

    #[test]
    fn a_broken_file_is_set_aside_and_the_device_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "{\"v\":1,\"vers").unwrap();
        let file = SettingsFile::open(folder.path(), &time());
        assert_eq!(file.watch().borrow().version, 0);
        let kept = std::fs::read_dir(folder.path())
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("settings.json.set-aside-"));
        assert!(kept);
        assert!(file.offer(settings(1, 500)));
    }
}
