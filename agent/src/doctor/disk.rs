//! The card: room, whether it can be written, what waits on it and what was set aside.

use super::Finding;
use crate::buffer;
use crate::config::Config;
use crate::identity::Home;
use rustix::fs::{StatVfsMountFlags, statvfs};
use std::path::Path;

/// With less room than this the buffer soon can't grow; in MB.
const LITTLE: u64 = 200;
/// With less than this nothing works; in MB.
const NONE: u64 = 20;
/// A free card has more inodes than this.
const FEW_FILES: u64 = 100;

pub(super) async fn disk(config: &Config) -> Vec<Finding> {
    let folder = &config.data_dir;
    let mut findings: Vec<_> = room(folder).into_iter().collect();
    findings.extend(set_aside(folder));
    findings.extend(copied(folder));
    let path = buffer::path(folder);
    if path.exists() {
        // It reads every row, which may take a while.
        let ledger = tokio::task::spawn_blocking(move || buffer::inspect(&path, |_, _| {})).await;
        findings.extend(ledger.ok().map(|ledger| match ledger {
            Ok(ledger) => waiting(ledger.pending(), ledger.dropped),
            Err(error) => {
                let advice = "restart the agent: it sets a broken buffer aside; if this user may not read it, use sudo";
                Finding::bad("buffer", format!("it can't be read: {error}"), advice)
            }
        }));
    }
    findings
}

fn room(folder: &Path) -> Option<Finding> {
    let about = format!("card {}", folder.display());
    // A folder that is not there yet lies where its parent lies.
    let there = folder.ancestors().find(|path| path.exists())?;
    let state = match statvfs(there) {
        Ok(state) => state,
        Err(error) => return Some(Finding::bad(about, format!("it can't be read: {error}"), "replace the card")),
    };
    let free_mb = state.f_bavail.saturating_mul(state.f_frsize) / 1_000_000;
    let read_only = state.f_flag.contains(StatVfsMountFlags::RDONLY);
    // Some file systems have no such limit and say 0 of 0.
    let files = if state.f_files == 0 { u64::MAX } else { state.f_favail };
    Some(judge(about, free_mb, files, read_only))
}

fn judge(about: String, free_mb: u64, files: u64, read_only: bool) -> Finding {
    let text = format!("{free_mb} MB free");
    let make_room = "remove what is not needed: journalctl --vacuum-size=50M, apt-get clean";
    if read_only {
        let advice =
            "the kernel makes a failing card read-only: restart the device, and if it comes again replace the card";
        Finding::bad(about, "it can't be written (read-only)", advice)
    } else if free_mb < NONE {
        Finding::bad(about, text, make_room)
    } else if free_mb < LITTLE {
        Finding::warning(about, text, make_room)
    } else if files < FEW_FILES {
        Finding::warning(about, format!("room for only {files} more files"), "remove small files that are not needed")
    } else {
        Finding::ok(about, text)
    }
}

fn waiting(pending: u64, dropped: u64) -> Finding {
    let text = format!("{pending} readings wait for the server");
    if dropped > 0 {
        let advice = "the device was offline for longer than its buffer holds; see the lines about the server";
        Finding::warning("buffer", format!("{text}, {dropped} were dropped"), advice)
    } else {
        Finding::ok("buffer", text)
    }
}

fn set_aside(folder: &Path) -> Option<Finding> {
    let entries = std::fs::read_dir(folder).ok()?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut found: Vec<_> = names.filter(|name| name.contains(".set-aside-")).collect();
    found.sort();
    if found.is_empty() {
        return None;
    }
    let text = format!("files that could not be read were set aside: {}", found.join(", "));
    let advice =
        "the card or the supply may be failing; copy these files away for whoever looks into it, then delete them";
    Some(Finding::warning("card", text, advice))
}

fn copied(folder: &Path) -> Option<Finding> {
    let count = Home::new(folder).kept_for_others(None);
    let text = format!("readings of {count} other boards, which came with this card, are kept in copied/");
    let advice = "they are sent only where this board takes the other's name; else copy them away, then delete them";
    (count > 0).then(|| Finding::warning("card", text, advice))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn room_is_judged() {
        let verdict = |free, files, read_only| judge("card".to_owned(), free, files, read_only).verdict;
        assert_eq!(verdict(10_000, 1_000_000, false), Verdict::Ok);
        assert_eq!(verdict(199, 1_000_000, false), Verdict::Warning);
        assert_eq!(verdict(19, 1_000_000, false), Verdict::Bad);
        assert_eq!(verdict(10_000, 99, false), Verdict::Warning);
        assert_eq!(verdict(10_000, 1_000_000, true), Verdict::Bad);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_where_it_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let finding = room(&folder.path().join("a/b")).unwrap();
        assert!(finding.text.contains("MB free"), "{finding:?}");
    }

    #[test]
    fn what_was_set_aside_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(set_aside(folder.path()), None);
        std::fs::write(folder.path().join("buffer.db.set-aside-17"), "").unwrap();
        std::fs::write(folder.path().join("buffer.db"), "").unwrap();
        let finding = set_aside(folder.path()).unwrap();
        assert!(finding.text.ends_with(": buffer.db.set-aside-17") && finding.verdict == Verdict::Warning);
    }

    #[test]
    fn readings_of_another_board_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(copied(folder.path()), None);
        let other = folder.path().join("copied/10000000deadbeef");
        std::fs::create_dir_all(&other).unwrap();
        std::fs::write(other.join("buffer.db"), "").unwrap();
        assert!(copied(folder.path()).unwrap().text.contains("1 other boards"));
    }

    #[test]
    fn dropped_readings_are_a_warning() {
        assert_eq!(waiting(7, 0).verdict, Verdict::Ok);
        assert!(waiting(7, 3).text.contains("3 were dropped"));
    }
}
