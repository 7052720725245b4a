//! Copies as files: their names, which hold their time, and how one comes into its place. Knows no database.

use super::BackupError;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::Serialize;
use shared::UtcMillis;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use utoipa::ToSchema;

/// What stands around the time in a name.
const AROUND: (&str, &str) = ("tirta-", ".db");
/// What one is called that is not complete.
const PART: &str = ".part";

/// A copy of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Backup {
    /// Its file, which holds its time (UTC): `tirta-20251121-020000-000.db`.
    #[schema(pattern = "^tirta-[0-9]{8}-[0-9]{6}-[0-9]{3}\\.db$")]
    pub name: String,
    /// When it was made (UTC milliseconds).
    pub made_at: i64,
    /// How large it is.
    pub bytes: u64,
}

/// The name of one of this time.
fn name(at: UtcMillis) -> String {
    let time = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
    let (before, behind) = AROUND;
    format!("{before}{}-{:03}{behind}", time.strftime("%Y%m%d-%H%M%S"), at.0.rem_euclid(1000))
}

/// The same while it is being made.
pub(super) fn part_name(at: UtcMillis) -> String {
    name(at) + PART
}

/// When one of this name was made; `None` if it is the name of something else.
pub(super) fn made_at(name: &str) -> Option<UtcMillis> {
    let (before, behind) = AROUND;
    let time = name.strip_prefix(before)?.strip_suffix(behind)?;
    let mut parts = time.split('-');
    let (day, hour, ms) = (parts.next()?, parts.next()?, parts.next()?);
    let is_time = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || !is_time(day, 8) || !is_time(hour, 6) || !is_time(ms, 3) {
        return None;
    }
    let two = |text: &str, at: usize| text[at..at + 2].parse::<i8>().ok();
    let (year, ms) = (day[..4].parse().ok()?, ms.parse::<i32>().ok()?);
    let time =
        DateTime::new(year, two(day, 4)?, two(day, 6)?, two(hour, 0)?, two(hour, 2)?, two(hour, 4)?, ms * 1_000_000);
    let at = time.ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(UtcMillis(at.timestamp().as_millisecond()))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    move |error| BackupError::File { path: path.to_owned(), error }
}

/// Every name in the folder; none if there is no folder yet.
fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(failed(folder))?,
    };
    let names = entries.map(|entry| Ok(entry.map_err(failed(folder))?.file_name().into_string().ok()));
    Ok(names.collect::<Result<Vec<_>, BackupError>>()?.into_iter().flatten().collect())
}

/// All that there are, the newest first.
pub(super) fn list(folder: &Path) -> Result<Vec<Backup>, BackupError> {
    let mut found = vec![];
    for name in names(folder)? {
        let Some(at) = made_at(&name) else { continue };
        let path = folder.join(&name);
        match std::fs::metadata(&path) {
            Ok(file) => found.push(Backup { name, made_at: at.0, bytes: file.len() }),
            // Somebody has just removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path)(error)),
        }
    }
    found.sort_by_key(|backup| std::cmp::Reverse(backup.made_at));
    Ok(found)
}

/// Makes the folder, and removes what a server that was killed meanwhile has left.
pub(super) fn prepare(folder: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))?;
    // Its journal, too.
    let is_part = |name: &str| name.split_once(PART).is_some_and(|(of, _)| made_at(of).is_some());
    for name in names(folder)?.iter().filter(|name| is_part(name)) {
        remove(&folder.join(name))?;
    }
    Ok(())
}

/// Makes an empty file that only this server may read: there are hashes of passwords in it soon.
pub(super) fn make_empty(path: &Path) -> Result<(), BackupError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed(path))?;
    Ok(())
}

/// Brings a complete one down to the disk and into its place.
pub(super) fn put_in_place(part: &Path, at: UtcMillis) -> Result<Backup, BackupError> {
    let file = File::open(part).map_err(failed(part))?;
    file.sync_all().map_err(failed(part))?;
    let bytes = file.metadata().map_err(failed(part))?.len();
    let path: PathBuf = part.with_file_name(name(at));
    std::fs::rename(part, &path).map_err(failed(&path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))?;
    Ok(Backup { name: name(at), made_at: at.0, bytes })
}

/// Removes the oldest of those that are too many.
pub(super) fn remove_oldest(folder: &Path, keep: usize) -> Result<(), BackupError> {
    for old in list(folder)?.into_iter().skip(keep) {
        remove(&folder.join(&old.name))?;
        tracing::info!(name = old.name, "an old back-up was removed");
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_its_time_and_nothing_else_is_one() {
        let at = UtcMillis(1_763_690_400_007);
        assert_eq!(name(at), "tirta-20251121-020000-007.db");
        assert_eq!(made_at(&name(at)), Some(at));
        for other in [
            "tirta.db",
            "tirta-20251121-020000-007.db.part",
            "tirta-20251321-020000-007.db",
            "tirta-20251121-020000-07.db",
            "tirta-20251121-020000-007-1.db",
            "tirta-2025112é-020000-007.db",
            "../tirta-20251121-020000-007.db",
            "tirta-../../../ca.key.db",
            "",
        ] {
            assert_eq!(made_at(other), None, "{other}");
        }
    }

    #[test]
    fn only_so_many_are_kept_and_what_was_not_finished_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |n: i64| UtcMillis(1_763_690_400_000 + n * 1000);
        for n in 0..5 {
            let part = folder.path().join(part_name(at(n)));
            make_empty(&part).unwrap();
            put_in_place(&part, at(n)).unwrap();
        }
        std::fs::write(folder.path().join(part_name(at(9))), "half").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        prepare(folder.path()).unwrap();
        remove_oldest(folder.path(), 2).unwrap();
        let left: Vec<i64> = list(folder.path()).unwrap().into_iter().map(|backup| backup.made_at).collect();
        assert_eq!(left, [at(4).0, at(3).0]);
        let mut names = names(folder.path()).unwrap();
        names.sort();
        assert_eq!(names, ["notes.txt".to_owned(), name(at(3)), name(at(4))]);
    }
}
