//! What the machine says of itself: the room on the disk, and whether its clock is kept right. Knows nothing of this product.

use super::{ClockState, Disk};
use rustix::fs::statvfs;
use std::path::Path;

/// Where systemd-timesyncd lives while it runs.
const TIMESYNC_FOLDER: &str = "/run/systemd/timesync";

/// The room where a folder is, or will be.
pub fn disk(folder: &Path) -> Option<Disk> {
    let there = folder.ancestors().find(|path| path.exists())?;
    let state = statvfs(there).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(state.f_frsize);
    Some(Disk { free: bytes(state.f_bavail), total: bytes(state.f_blocks) })
}

/// Whether the machine's clock was set by the network since it started.
pub fn clock() -> ClockState {
    clock_by(Path::new(TIMESYNC_FOLDER))
}

fn clock_by(folder: &Path) -> ClockState {
    match (folder.join("synchronized").exists(), folder.exists()) {
        (true, _) => ClockState::Synced,
        (false, true) => ClockState::Unsynced,
        (false, false) => ClockState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_told_also_of_a_folder_that_is_yet_to_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let disk = disk(&folder.path().join("a/b")).unwrap();
        assert!(disk.total > 0 && disk.free <= disk.total, "{disk:?}");
    }

    #[test]
    fn a_clock_counts_as_kept_right_only_if_the_service_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(clock_by(&folder.path().join("none")), ClockState::Unknown);
        assert_eq!(clock_by(folder.path()), ClockState::Unsynced);
        std::fs::write(folder.path().join("synchronized"), "").unwrap();
        assert_eq!(clock_by(folder.path()), ClockState::Synced);
    }
}
