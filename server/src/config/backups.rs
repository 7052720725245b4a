//! The table `[backups]` of the configuration: where copies of the database lie, how often one is made, how many are kept.

use super::ConfigError;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How copies of the database are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backups {
    /// Where they lie.
    pub folder: PathBuf,
    /// How often one is made by itself; `None`: never.
    pub every: Option<Duration>,
    /// How many are kept.
    pub keep: usize,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Table {
    folder: Option<PathBuf>,
    every_h: u64,
    keep: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { folder: None, every_h: 24, keep: 7 }
    }
}

impl Table {
    pub(super) fn check(self, data_dir: &Path) -> Result<Backups, ConfigError> {
        let outside = |key, value: u64, bounds: &str| {
            let why = format!("{value} is not between {bounds}");
            Err(ConfigError::Value { key, why })
        };
        if self.every_h > 8760 {
            return outside("backups.every_h", self.every_h, "0 (never) and 8760 hours");
        }
        if !(1..=1000).contains(&self.keep) {
            return outside("backups.keep", self.keep as u64, "1 and 1000");
        }
        let folder = self.folder.unwrap_or_else(|| data_dir.join("backups"));
        let every = (self.every_h > 0).then(|| Duration::from_secs(self.every_h * 3600));
        Ok(Backups { folder, every, keep: self.keep })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Backups, String> {
        let table = toml::from_str::<Table>(text).map_err(|e| e.to_string())?;
        table.check(Path::new("/data")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_copy_a_day_is_made_and_a_week_of_them_kept_unless_something_else_is_said() {
        let day = Some(Duration::from_secs(86_400));
        assert_eq!(table("").unwrap(), Backups { folder: "/data/backups".into(), every: day, keep: 7 });
        let other = table("folder = \"/mnt/usb\"\nevery_h = 0\nkeep = 30").unwrap();
        assert_eq!(other, Backups { folder: "/mnt/usb".into(), every: None, keep: 30 });
        assert!(table("keep = 0").unwrap_err().contains("backups.keep: 0 is not between 1 and 1000"));
        assert!(table("every_h = 9999").unwrap_err().contains("backups.every_h"));
        assert!(table("every = 5").is_err());
    }
}
