//! Calibrations that the server has not yet said it knows: in force here at once, kept in a file of their
//! own, apart from readings and settings, until the server's settings contain them.

use crate::files::{set_aside, write_atomically};
use crate::time::{Ticks, Time};
use serde::{Deserialize, Serialize};
use shared::calibration::{CalibrationRecord, RecordId};
use shared::message::Version;
use shared::{ClockQuality, DeviceName, Settings, Stamp};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The file's name below `data_dir`.
pub const FILE_NAME: &str = "calibration.json";
/// More than this never wait: a device that calibrates for years without its server has another problem.
const MOST: usize = 100;

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Form {
    v: Version,
    /// Whose they are; absent while the device has no name yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<DeviceName>,
    /// The oldest first.
    records: Vec<CalibrationRecord>,
    /// When those were made whose time nobody knew: in the same boot it may yet be found out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unsynced: BTreeMap<RecordId, Made>,
}

/// When a record was made, by the clock that nobody can set.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    boot: String,
    ticks: Ticks,
}

/// The records that wait.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    form: Form,
    /// What the server has said of them: the version of the settings that contain each.
    confirmed: BTreeMap<RecordId, u32>,
}

impl Records {
    /// Reads what was saved. A broken file, or that of a former identity of this device, is set aside; what
    /// was calibrated before the device had a name stays.
    pub fn open(data_dir: &Path, device: Option<&DeviceName>, time: &Time) -> Self {
        let path = data_dir.join(FILE_NAME);
        let form = match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|problem| problem.to_string()).and_then(|form: Form| {
                    let own = form.device.is_none() || form.device.as_ref() == device;
                    if own { Ok(form) } else { Err("they are of a former identity".to_owned()) }
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Form::default()),
            Err(error) => Err(error.to_string()),
        };
        let form = form.unwrap_or_else(|problem| {
            let kept = set_aside(&path, time.now());
            tracing::error!(path = %path.display(), problem, ?kept, "calibrations can't be used: they are set aside");
            Form::default()
        });
        let mut records = Self { path, form, confirmed: BTreeMap::new() };
        if let Some(device) = device {
            records.adopt(device);
        }
        records
    }

    /// What waits there, without changing anything: for whoever only looks.
    pub fn look(data_dir: &Path) -> Self {
        let path = data_dir.join(FILE_NAME);
        let form = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, form, confirmed: BTreeMap::new() }
    }

    /// The device has got its name: what it was calibrated with before is its own.
    pub fn adopt(&mut self, device: &DeviceName) {
        if self.form.device.is_none() && !self.form.records.is_empty() {
            self.form.device = Some(device.clone());
            self.save_or_say();
        }
        self.form.device = Some(device.clone());
    }

    /// Those that wait, the oldest first.
    pub fn waiting(&self) -> &[CalibrationRecord] {
        &self.form.records
    }

    /// Whether no more can wait.
    pub fn is_full(&self) -> bool {
        self.form.records.len() >= MOST
    }

    /// Takes a record that was made at `ticks` of a boot: saved first, then in force.
    ///
    /// # Errors
    /// When it can't be saved; it is then not in force either.
    pub fn add(&mut self, record: CalibrationRecord, boot: &str, ticks: Ticks) -> io::Result<()> {
        let id = record.id;
        if record.stamp.clock == ClockQuality::Unsynced {
            self.form.unsynced.insert(id, Made { boot: boot.to_owned(), ticks });
        }
        self.form.records.push(record);
        self.save().inspect_err(|_| {
            self.form.records.pop();
            self.form.unsynced.remove(&id);
        })
    }

    /// Gives records of this boot the time that was not known when they were made: their ticks plus `offset`.
    /// Nobody knows how long the power was off before it, so those of an earlier boot stay unsynced. Returns
    /// whether there were any.
    pub fn repair(&mut self, boot: &str, offset: i64) -> bool {
        let mut repaired = false;
        for (id, made) in self.form.unsynced.extract_if(.., |_, made| made.boot == boot) {
            for record in self.form.records.iter_mut().filter(|record| record.id == id) {
                record.stamp = Stamp { at: made.ticks.at(offset), clock: ClockQuality::Repaired };
                repaired = true;
            }
        }
        if repaired {
            // If that fails it is repaired again after the next start.
            self.save_or_say();
        }
        repaired
    }

    /// The server has stored a record; settings of this version or a later one contain what is in force.
    pub fn confirm(&mut self, id: RecordId, settings: u32) {
        if self.form.records.iter().any(|record| record.id == id) {
            self.confirmed.insert(id, settings);
        }
    }

    /// Forgets what settings of this version contain. Returns whether anything was.
    pub fn settle(&mut self, version: u32) -> bool {
        let contained = |id| self.confirmed.get(&id).is_some_and(|needed| *needed <= version);
        let before = self.form.records.len();
        self.form.records.retain(|record| !contained(record.id));
        let changed = self.form.records.len() != before;
        if changed {
            self.confirmed.retain(|id, _| self.form.records.iter().any(|record| record.id == *id));
            self.form.unsynced.retain(|id, _| self.form.records.iter().any(|record| record.id == *id));
            // If that fails they are said again after the next start, and absorbed.
            self.save_or_say();
        }
        changed
    }

    /// Settings with what waits over them: it is newer than what the server knows.
    pub fn over(&self, settings: &Settings) -> Settings {
        let mut all = settings.clone();
        for record in &self.form.records {
            // What is read from the same probe is measured with the same calibration.
            if let Some(sibling) = record.metric.sibling() {
                all.calibrations.remove(&sibling);
            }
            all.calibrations.insert(record.metric, record.active());
        }
        all
    }

    fn save(&self) -> io::Result<()> {
        write_atomically(&self.path, &serde_json::to_vec(&self.form)?, 0o644)
    }

    fn save_or_say(&self) {
        if let Err(error) = self.save() {
            tracing::error!(path = %self.path.display(), %error, "the calibrations can't be saved");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Discipline, SystemClock};
    use shared::calibration::{Active, By, Calibration};
    use shared::message::Intervals;
    use shared::{Metric, UtcMillis};
    use std::sync::Arc;
    use tempfile::TempDir;

    fn id(n: u64) -> RecordId {
        RecordId::from_random(n)
    }

    fn record(n: u64, metric: Metric, k: f64) -> CalibrationRecord {
        let stamp = Stamp { at: UtcMillis(1_763_690_400_000), clock: ClockQuality::Synced };
        let by = By::Device { name: "Sari".to_owned() };
        CalibrationRecord::new(id(n), metric, stamp, by, Some(Calibration::Cell { k }))
    }

    fn open(folder: &TempDir, device: Option<u32>) -> Records {
        let time = Time::new(Arc::new(SystemClock), Discipline::Assumed);
        Records::open(folder.path(), device.map(DeviceName::numbered).as_ref(), &time)
    }

    fn settings(version: u32, metric: Metric, k: f64) -> Settings {
        let mut settings = Settings::new(version, Intervals::default());
        settings.calibrations.insert(metric, Active { id: id(1), calibration: Some(Calibration::Cell { k }) });
        settings
    }

    fn k(records: &Records, settings: &Settings, metric: Metric) -> f64 {
        match records.over(settings).calibration(metric) {
            Some(Calibration::Cell { k }) => k,
            other => unreachable!("{other:?}"),
        }
    }

    fn set_aside_files(folder: &TempDir) -> usize {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("calibration.json.set-aside-")).count()
    }

    #[test]
    fn records_wait_through_restarts_until_the_settings_contain_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = open(&folder, Some(7));
        records.add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).unwrap();
        records.add(record(6, Metric::Tds, 1.2), "b1", Ticks(0)).unwrap();
        let mut records = open(&folder, Some(7));
        assert_eq!(records.waiting().iter().map(|r| r.id).collect::<Vec<_>>(), [id(5), id(6)]);
        assert_eq!(k(&records, &settings(3, Metric::Tds, 1.0), Metric::Tds), 1.2, "the newest is in force");
        records.confirm(id(5), 4);
        records.confirm(id(6), 5);
        assert!(!records.settle(3));
        assert!(records.settle(4));
        assert_eq!(open(&folder, Some(7)).waiting().len(), 1);
        assert!(records.settle(6) && records.waiting().is_empty());
        assert!(open(&folder, Some(7)).waiting().is_empty());
        assert_eq!(k(&records, &settings(6, Metric::Tds, 1.2), Metric::Tds), 1.2, "now by the settings");
    }

    #[test]
    fn a_word_about_a_record_that_nobody_waits_for_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = open(&folder, Some(7));
        records.confirm(id(5), 1);
        assert!(!records.settle(9));
        records.add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).unwrap();
        assert!(!records.settle(9), "it was not said of this one");
    }

    #[test]
    fn settings_that_change_only_an_interval_do_not_erase_a_calibration() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = open(&folder, Some(7));
        records.add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).unwrap();
        let mut changed = settings(9, Metric::Tds, 1.0);
        changed.intervals.set(Metric::Tds, 500).unwrap();
        assert!(!records.settle(9));
        assert_eq!(k(&records, &changed, Metric::Tds), 1.1);
    }

    #[test]
    fn what_is_read_from_the_same_probe_follows_the_newest_calibration() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = open(&folder, Some(7));
        records.add(record(5, Metric::Ec, 1.3), "b1", Ticks(0)).unwrap();
        assert_eq!(k(&records, &settings(3, Metric::Tds, 1.0), Metric::Tds), 1.3);
    }

    #[test]
    fn another_identity_does_not_inherit_calibrations_but_a_first_one_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        open(&folder, None).add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).unwrap();
        assert_eq!(open(&folder, None).waiting().len(), 1, "a restart before the enrolment");
        assert_eq!(open(&folder, Some(7)).waiting().len(), 1, "its first name");
        assert_eq!(open(&folder, Some(8)).waiting().len(), 0);
        assert_eq!(set_aside_files(&folder), 1);
        let mut named_while_it_ran = open(&folder, None);
        named_while_it_ran.add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).unwrap();
        named_while_it_ran.adopt(&DeviceName::numbered(7));
        assert_eq!(open(&folder, None).waiting().len(), 0, "its identity was taken away");
        assert_eq!(set_aside_files(&folder), 2);
    }

    #[test]
    fn a_broken_file_is_set_aside_and_the_device_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        open(&folder, Some(7)).add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).unwrap();
        let text = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        std::fs::write(folder.path().join(FILE_NAME), &text[..text.len() / 2]).unwrap();
        let mut records = open(&folder, Some(7));
        assert_eq!((records.waiting().len(), set_aside_files(&folder)), (0, 1));
        records.add(record(6, Metric::Tds, 1.2), "b1", Ticks(0)).unwrap();
        assert_eq!(open(&folder, Some(7)).waiting().len(), 1);
    }

    #[test]
    fn a_record_that_can_not_be_saved_is_not_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = open(&folder, Some(7));
        // A folder where the file should be: nothing can be renamed over it.
        std::fs::create_dir_all(folder.path().join(FILE_NAME).join("x")).unwrap();
        assert!(records.add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).is_err());
        assert!(records.waiting().is_empty());
    }

    #[test]
    fn a_record_of_an_unsynced_clock_gets_its_time_in_the_same_boot_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = open(&folder, Some(7));
        let unsynced = |n| {
            let stamp = Stamp { at: UtcMillis(5_000), clock: ClockQuality::Unsynced };
            CalibrationRecord { stamp, ..record(n, Metric::Tds, 1.1) }
        };
        records.add(unsynced(4), "b0", Ticks(1_000)).unwrap();
        records.add(unsynced(5), "b1", Ticks(1_000)).unwrap();
        records.add(record(6, Metric::Tds, 1.1), "b1", Ticks(2_000)).unwrap();
        let mut records = open(&folder, Some(7));
        assert!(records.repair("b1", 1_763_690_000_000));
        let repaired = Stamp { at: UtcMillis(1_763_690_001_000), clock: ClockQuality::Repaired };
        let expected = [unsynced(4), CalibrationRecord { stamp: repaired, ..unsynced(5) }, record(6, Metric::Tds, 1.1)];
        assert_eq!(records.waiting(), expected);
        assert_eq!(open(&folder, Some(7)).waiting(), expected);
        assert!(!records.repair("b1", 1_763_690_009_000), "it is given once");
    }

    #[test]
    fn a_file_of_an_agent_that_kept_no_ticks_is_read() {
        let folder = tempfile::tempdir().unwrap();
        open(&folder, Some(7)).add(record(5, Metric::Tds, 1.1), "b1", Ticks(0)).unwrap();
        let text = std::fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(!text.contains("unsynced"), "{text}");
        assert_eq!(open(&folder, Some(7)).waiting().len(), 1);
    }

    #[test]
    fn only_so_many_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = open(&folder, Some(7));
        for n in 0..100 {
            assert!(!records.is_full());
            records.add(record(n, Metric::Tds, 1.0), "b1", Ticks(0)).unwrap();
        }
        assert!(records.is_full());
    }
}
