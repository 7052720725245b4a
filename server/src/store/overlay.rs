//! Originals and what was computed again laid over one another: of each reading, the newest. Knows no database.

use shared::{BufferId, Reading, UtcMillis};
use std::cmp::Reverse;

/// A reading of one device and metric, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Revised {
    /// What it says.
    pub reading: Reading,
    /// The buffer that it came in: with its sequence it names the reading.
    pub buffer: BufferId,
    /// The recomputation that it comes from; 0: as the device sent it.
    pub revision: u32,
}

impl Revised {
    fn place(&self) -> (UtcMillis, u64, BufferId) {
        (self.reading.stamp.at, self.reading.seq, self.buffer)
    }
}

/// Takes stretches of readings in the order of their beginnings, and gives each reading once, oldest first. It holds
/// no more than overlaps.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    held: Vec<Revised>,
}

impl Overlay {
    /// Takes a stretch.
    pub(super) fn push(&mut self, stretch: impl IntoIterator<Item = Reading>, buffer: BufferId, revision: u32) {
        self.held.extend(stretch.into_iter().map(|reading| Revised { reading, buffer, revision }));
    }

    /// Gives what lies before the beginning of the next stretch: nothing of it can change any more.
    pub(super) fn before(&mut self, next: i64) -> Vec<Revised> {
        if !self.held.iter().any(|held| held.reading.stamp.at.0 < next) {
            return vec![];
        }
        self.held.sort_by_key(|held| (held.place(), Reverse(held.revision)));
        let certain = self.held.partition_point(|held| held.reading.stamp.at.0 < next);
        let mut settled: Vec<_> = self.held.drain(..certain).collect();
        settled.dedup_by_key(|held| held.place());
        settled
    }

    /// Gives the rest.
    pub(super) fn rest(mut self) -> Vec<Revised> {
        self.before(i64::MAX)
    }
}
